// SPDX-License-Identifier: BSD-3-Clause
/*
 * Fuzz target: any bytes as a table file of a small exchange. Each line goes
 * through the parser by itself in a buffer of exactly its size; then the whole
 * is loaded as a file, and what was accepted must be there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "address.h"
#include "feed/file.h"
#include "model.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CAPACITY 50

static struct interface_address own[2];
static struct config_port port = { .name = (char[]){ "pa" }, .mtu = 1500, .enabled = true };
static char path[64];
static char *files[] = { path };
static struct config config = { .ports = &port,
				.port_count = 1,
				.dataplane = { .capacity_ipv4 = CAPACITY,
					       .capacity_ipv6 = CAPACITY },
				.tables = { .file = files, .file_count = 1 } };

static void require(bool true_claim, const char *claim)
{
	if (true_claim)
		return;
	fprintf(stderr, "not true: %s\n", claim);
	abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	ip_address_length_parse("192.0.2.1/24", &own[0].address, &own[0].length);
	ip_address_length_parse("2001:db8::1/64", &own[1].address, &own[1].length);
	port.addresses = own;
	port.address_count = 2;
	return 0;
}

/* What a line says can be said again in the same words. */
static void check_line(const struct table_line *line)
{
	struct ip_prefix again;
	char text[IP_TEXT_MAX];

	require(ip_prefix_parse(ip_prefix_text(&line->prefix, text), &again) == 0,
		"a prefix read can be written and read");
	require(ip_key_compare(again.key.address, line->prefix.key.address) == 0 &&
			again.key.length == line->prefix.key.length,
		"a prefix is read as it is written");
	require((line->kind == CONFIG_ROUTE_VIA) == (line->via_count > 0),
		"next hops come with via");
	require(line->via_count <= TABLE_HOPS_MAX, "next hops are bounded");
	for (size_t i = 0; i < line->via_count; i++) {
		require(ip_is_link_local(&line->via[i].address) == (line->via[i].port != NULL),
			"link-local next hops name a port, others none");
		require(!line->prefix.ipv6 || line->via[i].address.ipv6,
			"an IPv6 prefix goes by IPv6");
	}
}

/* How many lines are right. */
static size_t check_lines(const uint8_t *data, size_t size)
{
	size_t right = 0;

	for (size_t at = 0; at < size;) {
		const uint8_t *newline = memchr(data + at, '\n', size - at);
		size_t length = newline ? (size_t)(newline - data) - at : size - at;
		struct table_error error = { 0 };
		struct table_line line;
		char *copy = malloc(length + 1);

		require(copy != NULL, "there is memory");
		memcpy(copy, data + at, length);
		if (table_line_parse(copy, length, &line, &error)) {
			require(error.column >= 1 && error.column <= length + 1,
				"an error is inside its line");
			require(error.text[0] && memchr(error.text, 0, sizeof(error.text)),
				"an error says something");
		} else if (!line.empty) {
			check_line(&line);
			right++;
		}
		free(copy);
		at += length + 1;
	}
	return right;
}

static void check_file(const uint8_t *data, size_t size, size_t right)
{
	const struct model_options options = { 0 };
	struct problems problems = { 0 };
	struct model_routes routes;
	struct snapshot *snapshot;
	struct model *model;
	int file = memfd_create("table", 0);

	require(file >= 0 && write(file, data, size) == (ssize_t)size, "the file can be written");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	model = model_create(&config, &options, &problems);
	close(file);
	require((model != NULL) == (problems.errors == 0),
		"errors refuse the file, and nothing else");
	if (model) {
		model_routes(model, &routes);
		require(routes.ipv4 <= CAPACITY + 1 && routes.ipv6 <= CAPACITY + 1,
			"the capacity is kept");
		/* gzip inside gzip is not asked for: what is compressed has other lines */
		if (size < 2 || data[0] != 0x1f || data[1] != 0x8b)
			require(routes.ipv4 + routes.ipv6 + routes.refused == right + 2,
				"every right line is a route or refused");
		snapshot = model_snapshot(model);
		require(snapshot != NULL, "there is memory");
		snapshot->release(snapshot);
		model_free(model);
	}
	problems_release(&problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_file(data, size, check_lines(data, size));
	return 0;
}
