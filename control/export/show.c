// SPDX-License-Identifier: BSD-3-Clause
/* Finds the command of a request, runs it, and renders tables for people. */
#include "show.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"

struct known_command {
	const char *words;
	command_fn run;
	const char *arguments;
	bool writes;
	const char *sentence;
};

static const struct known_command known[] = {
#define COMMAND(words, function, arguments, writes, sentence) \
	{ words, function, arguments, writes, sentence },
#include "commands.def"
};
#define KNOWN (sizeof(known) / sizeof(known[0]))

/* How many of argv the words of a command take, or 0 when it is another. */
static int matches(const char *words, int argc, char **argv)
{
	const char *at = words;
	int n = 0;

	while (*at) {
		const size_t length = strcspn(at, " ");
		const char *given = n < argc ? argv[n] : "";

		if (strcmp(given, "neighbors") == 0)
			given = "neighbours";
		else if (strcmp(given, "neighbor") == 0)
			given = "neighbour";
		if (strlen(given) != length || strncmp(given, at, length) != 0)
			return 0;
		at += length + (at[length] == ' ');
		n++;
	}
	return n;
}

void answer_fail(struct asking *a, int status, const char *format, ...)
{
	va_list ap;

	free(a->error);
	va_start(ap, format);
	if (vasprintf(&a->error, format, ap) < 0)
		a->error = NULL;
	va_end(ap);
	a->status = status;
}

static void unknown(struct asking *a, int argc, char **argv)
{
	char said[128] = "";

	for (int i = 0; i < argc; i++)
		snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s%s", i ? " " : "",
			 argv[i]);
	answer_fail(a, 2, "napctl: %s: no such command (napctl --help)", said);
}

unsigned int answer_seconds(const char *text, unsigned int most)
{
	unsigned long long n, unit = 1;
	char *end;

	if (!isdigit((unsigned char)*text))
		return 0;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (*end == 'm')
		unit = 60;
	else if (*end == 'h')
		unit = 3600;
	else if (*end == 'd')
		unit = 86400;
	else if (*end && *end != 's')
		return 0;
	if ((*end && end[1]) || errno || n > most / unit)
		return 0;
	return (unsigned int)(n * unit);
}

static enum since_kind kind_of(const char *words)
{
	return strcmp(words, "show matrix") == 0                           ? SINCE_PAIRS
	       : strncmp(words, "show member", strlen("show member")) == 0 ? SINCE_PARTIES
									   : SINCE_COUNTS;
}

/* Take --since TIME out of the arguments. False: an error was set. */
static bool take_since(struct asking *a, const struct known_command *c)
{
	int at = 0;

	while (at < a->argc && strcmp(a->argv[at], "--since") != 0)
		at++;
	if (at == a->argc)
		return true;
	a->since_s = at + 1 < a->argc ? answer_seconds(a->argv[at + 1], SAMPLES_LONGEST_S) : 0;
	if (!a->since_s) {
		answer_fail(a, 2, "%s: --since takes a time such as 30s, 5m or 1h, at most a day",
			    c->words);
		return false;
	}
	a->argc -= 2;
	memmove(&a->argv[at], &a->argv[at + 2], (a->argc - at) * sizeof(*a->argv));
	a->since =
		samples_since(a->rt->samples, a->since_s * UINT64_C(1000000000), kind_of(c->words));
	if (!a->since)
		answer_fail(a, 1, "no memory");
	return a->since != NULL;
}

/* Whether the command's function is to be called; else an error was set. */
static bool may_run(struct asking *a, const struct known_command *c, bool readonly)
{
	static const char since[] = "[--since TIME]";

	if (c->writes && readonly) {
		answer_fail(a, 1, "%s: not over the read-only socket; use control.socket",
			    c->words);
		return false;
	}
	if (strstr(c->arguments, since) && !take_since(a, c))
		return false;
	if (a->argc > 0 && (c->arguments[0] == '\0' || strcmp(c->arguments, since) == 0)) {
		answer_fail(a, 2, "%s: takes no arguments%s%s", c->words,
			    c->arguments[0] ? " but " : "", c->arguments);
		return false;
	}
	return true;
}

struct command_answer command_run(struct runtime *rt, int argc, char **argv, const char *after,
				  bool readonly, struct waiter *waiter)
{
	struct asking a = { .rt = rt, .after = after, .waiter = waiter };
	struct command_answer answer;
	size_t length = 0;
	char *text = NULL;
	size_t i = 0;
	int words = 0;

	a.text = open_memstream(&text, &length);
	while (i < KNOWN && (words = matches(known[i].words, argc, argv)) == 0)
		i++;
	a.argc = argc - words;
	a.argv = argv + words;
	if (!a.text)
		answer_fail(&a, 1, "no memory");
	else if (i == KNOWN)
		unknown(&a, argc, argv);
	else if (may_run(&a, &known[i], readonly))
		known[i].run(&a);
	since_free(a.since);
	if (a.text)
		fclose(a.text);
	answer = (struct command_answer){ a.json, text, a.error, a.next, a.status, a.later };
	return answer;
}

void command_answer_release(struct command_answer *answer)
{
	json_decref(answer->json);
	free(answer->text);
	free(answer->error);
	free(answer->next);
}

/* ---- rendering ---- */

static char *next_buffer(void)
{
	static char buffers[8][40];
	static unsigned int turn;

	return buffers[turn++ % 8];
}

const char *answer_count(uint64_t n)
{
	char digits[24], *out = next_buffer(), *at = out;
	const int length = snprintf(digits, sizeof(digits), "%" PRIu64, n);

	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			*at++ = ',';
		*at++ = digits[i];
	}
	*at = '\0';
	return out;
}

const char *answer_bytes(uint64_t n)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	char *out = next_buffer();
	double value = n;
	unsigned int unit = 0;

	while (value >= 999.5 && unit < 6) {
		value /= 1000;
		unit++;
	}
	snprintf(out, 40, unit && value < 99.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return out;
}

/* Bits (a second, says the heading) as people say them: "1.2 Gb". */
static const char *bits(uint64_t n)
{
	static const char *const units[] = { "b", "kb", "Mb", "Gb", "Tb", "Pb", "Eb" };
	char *out = next_buffer();
	double value = n;
	unsigned int unit = 0;

	while (value >= 999.5 && unit < 6) {
		value /= 1000;
		unit++;
	}
	snprintf(out, 40, unit && value < 99.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return out;
}

static const char *decimal(double n)
{
	char *out = next_buffer();

	snprintf(out, 40, "%.1f", n);
	return out;
}

/* A name that is a number, such as that of an AS. */
static const char *plain(json_int_t n)
{
	static char out[24];

	snprintf(out, sizeof(out), "%" JSON_INTEGER_FORMAT, n);
	return out;
}

static const char *cell(const json_t *row, const struct column *column)
{
	const json_t *value = json_object_get(row, column->key);

	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_boolean(value))
		return json_is_true(value) ? "yes" : "no";
	if (json_is_integer(value) && column->kind == COLUMN_NUMBER)
		return plain(json_integer_value(value));
	if (json_is_integer(value))
		return column->kind == COLUMN_BYTES  ? answer_bytes(json_integer_value(value))
		       : column->kind == COLUMN_BITS ? bits(json_integer_value(value))
						     : answer_count(json_integer_value(value));
	if (json_is_real(value))
		return decimal(json_real_value(value));
	return "-";
}

void answer_since(const struct asking *a)
{
	if (!a->since)
		return;
	if (a->since->seconds > 0)
		fprintf(a->text, "the last %.0f s\n", a->since->seconds);
	else
		fputs("no second has passed yet since the start\n", a->text);
}

void answer_rate(const struct asking *a, json_t *row, const char *key, uint64_t n)
{
	const double seconds = a->since->seconds;

	json_object_set_new(row, key, json_u64(seconds > 0 ? (uint64_t)(n / seconds + 0.5) : 0));
}

void answer_wrapped(struct asking *a, const char *text, int indent)
{
	int at = indent;

	while (*text) {
		const int word = strcspn(text, " ");

		if (at > indent && at + 1 + word > ANSWER_WIDTH) {
			fprintf(a->text, "\n%*s", indent, "");
			at = indent;
		} else if (at > indent) {
			fputc(' ', a->text);
			at++;
		}
		fprintf(a->text, "%.*s", word, text);
		at += word;
		text += word;
		text += strspn(text, " ");
	}
	fputc('\n', a->text);
}

/* Columns grow to their longest cell, so that nothing is cut; a text at the end is wrapped. */
void answer_table(struct asking *a, const json_t *rows, const struct column *columns,
		  size_t column_count)
{
	int width[16];
	const json_t *row;
	size_t i;

	for (size_t c = 0; c < column_count; c++) {
		width[c] = abs(columns[c].width);
		if ((int)strlen(columns[c].heading) > width[c])
			width[c] = strlen(columns[c].heading);
		json_array_foreach(rows, i, row)
		{
			const int length = strlen(cell(row, &columns[c]));

			width[c] = length > width[c] ? length : width[c];
		}
		if (columns[c].width < 0)
			width[c] = -width[c];
	}
	if (columns[column_count - 1].width < 0)
		width[column_count - 1] = 0; /* nothing to align behind the last */
	for (size_t c = 0; c < column_count; c++)
		fprintf(a->text, "%s%*s", c ? "  " : "", width[c], columns[c].heading);
	fputc('\n', a->text);
	json_array_foreach(rows, i, row)
	{
		int at = 0;

		for (size_t c = 0; c + 1 < column_count; c++)
			at += fprintf(a->text, "%*s  ", width[c], cell(row, &columns[c]));
		if (width[column_count - 1])
			fprintf(a->text, "%*s\n", width[column_count - 1],
				cell(row, &columns[column_count - 1]));
		else
			answer_wrapped(a, cell(row, &columns[column_count - 1]), at);
	}
}

json_t *json_u64(uint64_t n)
{
	return json_integer((json_int_t)n);
}

json_t *json_address(const struct ip_address *address)
{
	char text[IP_TEXT_MAX];

	return json_string(ip_address_text(address, text));
}
