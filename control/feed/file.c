// SPDX-License-Identifier: BSD-3-Clause
/* Reads table files line by line in large pieces: a million lines take about a second. */
#include "file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "../address.h"
#include "../model_state.h"
#include "../problem.h"
#include "../regular.h"

/* ---- a line ---- */

/* Where the parser is in a line. */
struct cursor {
	char *line;
	size_t at, end;
	struct table_error *error;
};

static int fail(struct cursor *c, size_t at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct cursor *c, size_t at, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(c->error->text, sizeof(c->error->text), format, ap);
	va_end(ap);
	c->error->column = (uint32_t)at + 1;
	return -EINVAL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void skip_blanks(struct cursor *c)
{
	while (c->at < c->end && is_blank(c->line[c->at]))
		c->at++;
}

/* The next word, up to a blank or comma, cut off by a 0; its length may be 0. */
static char *word(struct cursor *c, size_t *start, char *stopped_by)
{
	skip_blanks(c);
	*start = c->at;
	while (c->at < c->end && !is_blank(c->line[c->at]) && c->line[c->at] != ',')
		c->at++;
	*stopped_by = c->at < c->end ? c->line[c->at] : 0;
	c->line[c->at] = 0;
	if (c->at < c->end)
		c->at++;
	return c->line + *start;
}

static int parse_prefix(struct cursor *c, struct table_line *result)
{
	size_t start;
	char stop, *text = word(c, &start, &stop);

	result->column = (uint32_t)start + 1;
	switch (stop == ',' ? -EINVAL : ip_prefix_parse(text, &result->prefix)) {
	case 0:
		return 0;
	case -ERANGE:
		return fail(c, start, "length of %.64s is out of range", text);
	case -EDOM:
		return fail(c, start, "%.64s has host bits set", text);
	default:
		return fail(c, start, "%.64s is no prefix (ADDRESS/LENGTH)", text);
	}
}

static int parse_hop(struct cursor *c, struct table_line *result, char *stop)
{
	struct table_hop *hop = &result->via[result->via_count];
	size_t start;
	char *text = word(c, &start, stop), *percent = strchr(text, '%');

	if (!*text)
		return fail(c, start, "a next hop is missing");
	result->via_count++;
	if (percent)
		*percent++ = 0;
	hop->text = text;
	hop->port = percent;
	hop->column = (uint32_t)start + 1;
	if (ip_address_parse(text, &hop->address))
		return fail(c, start, "%.64s is no address", text);
	if (ip_is_link_local(&hop->address) && !percent)
		return fail(c, start, "%.64s is link-local and must name its port: %.64s%%PORT",
			    text, text);
	if (!ip_is_link_local(&hop->address) && percent)
		return fail(c, start, "%.64s is not link-local and names no port", text);
	if (result->prefix.ipv6 && !hop->address.ipv6)
		return fail(c, start, "%.64s cannot be the next hop of an IPv6 prefix", text);
	return 0;
}

/* Commas may have blanks around them. */
static int parse_hops(struct cursor *c, struct table_line *result)
{
	char stop;

	do {
		int rc;

		if (result->via_count == TABLE_HOPS_MAX)
			return fail(c, c->at, "more than %d next hops", TABLE_HOPS_MAX);
		rc = parse_hop(c, result, &stop);
		if (rc)
			return rc;
		skip_blanks(c);
		if (stop != ',' && c->at < c->end && c->line[c->at] == ',') {
			stop = ',';
			c->at++;
		}
	} while (stop == ',');
	return 0;
}

static int parse_action(struct cursor *c, struct table_line *result)
{
	static const struct {
		const char *name;
		enum config_route_kind kind;
	} actions[] = { { "via", CONFIG_ROUTE_VIA },
			{ "blackhole", CONFIG_ROUTE_BLACKHOLE },
			{ "unreachable", CONFIG_ROUTE_UNREACHABLE },
			{ "prohibit", CONFIG_ROUTE_PROHIBIT } };
	size_t start;
	char stop, *text = word(c, &start, &stop);

	for (size_t i = 0; stop != ',' && i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strcmp(text, actions[i].name) != 0)
			continue;
		result->kind = actions[i].kind;
		return result->kind == CONFIG_ROUTE_VIA ? parse_hops(c, result) : 0;
	}
	return fail(c, start,
		    "%.64s%swhat is to be done: via A[,B...], blackhole, unreachable or prohibit",
		    text, *text ? " does not say " : "the line does not say ");
}

/* A control character would garble the terminal that shows an error, and is never right. */
static int check_characters(struct cursor *c)
{
	for (size_t i = 0; i < c->end; i++) {
		unsigned char byte = (unsigned char)c->line[i];

		if (byte < ' ' && byte != '\t')
			return fail(c, i, "byte 0x%02x is no text", byte);
		if (byte >= 0x7f)
			return fail(c, i, "byte 0x%02x is no ASCII", byte);
	}
	return 0;
}

int table_line_parse(char *line, size_t length, struct table_line *result,
		     struct table_error *error)
{
	struct cursor c = { .line = line, .end = length, .error = error };
	const char *comment;
	int rc;

	line[length] = 0;
	result->via_count = 0;
	if (c.end && line[c.end - 1] == '\r')
		c.end--;
	comment = memchr(line, '#', c.end);
	if (comment)
		c.end = (size_t)(comment - line);
	line[c.end] = 0;
	skip_blanks(&c);
	result->empty = c.at == c.end;
	if (result->empty)
		return 0;
	rc = check_characters(&c);
	if (!rc)
		rc = parse_prefix(&c, result);
	if (!rc)
		rc = parse_action(&c, result);
	if (rc)
		return rc;
	skip_blanks(&c);
	if (c.at < c.end)
		return fail(&c, c.at, "%.64s is too much", line + c.at);
	return 0;
}

/* ---- a file ---- */

#define PIECE_BYTES (256 * 1024)

struct load {
	struct model *model;
	struct problems *problems;
	struct place place;                     /* of the line in hand */
	uint64_t connected, beyond, link_local; /* routes not used */
};

static struct place at_column(const struct load *load, uint32_t column)
{
	struct place place = load->place;

	place.column = column;
	return place;
}

/* Find the port of each hop as written. */
static bool resolve(struct load *load, const struct table_line *line, struct config_nexthop *via)
{
	for (size_t i = 0; i < line->via_count; i++) {
		const struct table_hop *hop = &line->via[i];
		size_t port = hop->port ? model_port_by_name(load->model, hop->port)
					: model_port_of(load->model, &hop->address);

		via[i] = (struct config_nexthop){ hop->address, port, 1 };
		if (port == SIZE_MAX && hop->port)
			problem_error(load->problems, at_column(load, hop->column), NULL,
				      "there is no port %.64s", hop->port);
		else if (port == SIZE_MAX)
			problem_error(load->problems, at_column(load, hop->column), NULL,
				      "next hop %s is on no port's subnet", hop->text);
		else if (model_is_own(load->model, &hop->address))
			problem_error(load->problems, at_column(load, hop->column), NULL,
				      "next hop %s is an address of the exchange itself",
				      hop->text);
		else
			continue;
		return false;
	}
	return true;
}

static int set_route(struct load *load, const struct table_line *line)
{
	struct config_nexthop via[TABLE_HOPS_MAX];
	const struct route route = { line->prefix, line->kind, via, line->via_count };
	char text[IP_TEXT_MAX];
	int rc;

	if (!resolve(load, line, via))
		return 0;
	if (rib_get(load->model->rib, &line->prefix, ROUTE_FILE)) {
		problem_error(load->problems, at_column(load, line->column), NULL,
			      "%s was there before", ip_prefix_text(&line->prefix, text));
		return 0;
	}
	rc = model_route_set(load->model, ROUTE_FILE, &route);
	load->connected += rc == -EADDRINUSE;
	load->link_local += rc == -EADDRNOTAVAIL;
	load->beyond += rc == -ENOSPC;
	if (!rc && rib_get(load->model->rib, &line->prefix, ROUTE_STATIC))
		problem_warning(load->problems, at_column(load, line->column), NULL,
				"%s is in the configuration's routes, too, which win",
				ip_prefix_text(&line->prefix, text));
	return rc == -ENOMEM ? rc : 0;
}

static int load_line(struct load *load, char *text, size_t length)
{
	struct table_error error;
	struct table_line line;

	load->place.line++;
	if (length > TABLE_LINE_MAX) {
		problem_error(load->problems, at_column(load, TABLE_LINE_MAX + 1), NULL,
			      "the line is longer than %d bytes", TABLE_LINE_MAX);
		return 0;
	}
	if (table_line_parse(text, length, &line, &error)) {
		problem_error(load->problems, at_column(load, error.column), NULL, "%s",
			      error.text);
		return 0;
	}
	return line.empty ? 0 : set_route(load, &line);
}

/*
 * Every line of a file. Of a line that is too long only the first piece and the last
 * are seen, which is enough to refuse it.
 */
static int load_lines(struct load *load, gzFile file, char *piece)
{
	size_t have = 0;

	for (;;) {
		int got = gzread(file, piece + have, (unsigned int)(PIECE_BYTES - have));
		char *line = piece, *end, *newline;
		int rc;

		if (got < 0)
			return 0; /* the caller asks zlib why */
		have += (size_t)got;
		end = piece + have;
		while ((newline = memchr(line, '\n', (size_t)(end - line)))) {
			rc = load_line(load, line, (size_t)(newline - line));
			if (rc)
				return rc;
			line = newline + 1;
		}
		have = (size_t)(end - line);
		if (!got) /* the last line, if it has no newline */
			return have ? load_line(load, line, have) : 0;
		if (have > 2 * TABLE_LINE_MAX)
			have = 2 * TABLE_LINE_MAX;
		memmove(piece, line, have);
	}
}

static void warn_unused(const struct load *load)
{
	struct place file = { .file = load->place.file };

	if (load->connected)
		problem_warning(load->problems, file, NULL,
				"%" PRIu64 " routes inside connected subnets are not used",
				load->connected);
	if (load->beyond)
		problem_warning(load->problems, file, NULL,
				"%" PRIu64 " routes beyond dataplane.capacity are not used",
				load->beyond);
	if (load->link_local)
		problem_warning(load->problems, file, NULL,
				"%" PRIu64 " link-local routes are not used", load->link_local);
}

int feed_file_load(struct model *model, const char *path, struct problems *problems)
{
	struct load load = { .model = model, .problems = problems, .place = { .file = path } };
	struct place whole = load.place;
	char *piece = malloc(PIECE_BYTES + 1);
	int rc = -ENOMEM, zerror = Z_OK;
	const char *why = strerror(ENOMEM);
	const int fd = regular_open(path, false, &why);
	gzFile file = fd < 0 ? NULL : gzdopen(fd, "rb");

	if (!file) {
		problem_error(problems, whole, NULL, "cannot be opened: %s", why);
		if (fd >= 0)
			close(fd);
		free(piece);
		return 0;
	}
	gzbuffer(file, PIECE_BYTES);
	if (piece) {
		errno = 0;
		rc = load_lines(&load, file, piece);
		why = gzerror(file, &zerror);
		if (zerror == Z_ERRNO)
			problem_error(problems, whole, NULL, "cannot be read: %s", strerror(errno));
		else if (zerror == Z_MEM_ERROR)
			rc = -ENOMEM;
		else if (zerror != Z_OK && zerror != Z_STREAM_END)
			problem_error(problems, load.place, NULL,
				      "is cut off or damaged after this line: %s", why);
		warn_unused(&load);
	}
	gzclose(file);
	free(piece);
	return rc;
}
