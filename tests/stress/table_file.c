// SPDX-License-Identifier: BSD-3-Clause
/* Owns the reading of the full table, and answers what a FIB asks by binary search. */
#include "table_file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define NEXT_HOPS  64
#define FIRST_LEAF 16

static uint64_t be64(const uint8_t *bytes)
{
	uint64_t number = 0;

	for (int i = 0; i < 8; i++)
		number = number << 8 | bytes[i];
	return number;
}

static int compare(const void *a, const void *b)
{
	const struct prefix_key *x = a, *y = b;

	if (x->address.hi != y->address.hi)
		return x->address.hi < y->address.hi ? -1 : 1;
	if (x->address.lo != y->address.lo)
		return x->address.lo < y->address.lo ? -1 : 1;
	return (int)x->length - (int)y->length;
}

static void add(struct table *table, struct prefix_key prefix)
{
	if ((table->n & (table->n - 1)) == 0) {
		size_t room = table->n ? 2 * table->n : 1;

		table->route = realloc(table->route, room * sizeof(*table->route));
		if (!table->route)
			abort();
	}
	uint64_t h =
		(prefix.address.hi ^ prefix.address.lo * 3 ^ prefix.length) * 0x9e3779b97f4a7c15ull;

	table->route[table->n++] =
		(struct route){ prefix, FIRST_LEAF + (uint32_t)(h >> 40) % NEXT_HOPS };
}

static void sort(struct table *table)
{
	size_t kept = 0;

	qsort(table->route, table->n, sizeof(*table->route), compare);
	for (size_t i = 0; i < table->n; i++)
		if (kept == 0 || compare(&table->route[i], &table->route[kept - 1]) != 0)
			table->route[kept++] = table->route[i];
	table->n = kept;
}

static bool parse_line(char *line, struct table *ipv4, struct table *ipv6)
{
	char *slash = strchr(line, '/');
	uint8_t bytes[16];

	if (!slash)
		return false;
	*slash = '\0';
	unsigned int length = (unsigned int)strtoul(slash + 1, NULL, 10);

	if (inet_pton(AF_INET, line, bytes) == 1 && length <= 32) {
		add(ipv4, prefix4((uint32_t)(be64(bytes) >> 32), length));
		return true;
	}
	if (inet_pton(AF_INET6, line, bytes) == 1 && length <= 128) {
		add(ipv6, prefix6(be64(bytes), be64(bytes + 8), length));
		return true;
	}
	return false;
}

static void read_lines(gzFile file, struct table *ipv4, struct table *ipv6)
{
	char line[128];

	while (gzgets(file, line, sizeof(line))) {
		if (!parse_line(line, ipv4, ipv6)) {
			fprintf(stderr, "the full table: no prefix: %s\n", line);
			exit(1);
		}
	}
}

bool full_table_read(struct table *ipv4, struct table *ipv6, const char **why)
{
	static char path[4096], text[4200];
	const char *shared = getenv("NAPD_SHARED");

	snprintf(path, sizeof(path), "%s/data/tables/full-2026/prefixes.txt.gz",
		 shared ? shared : SOURCE_ROOT "/../shared");
	gzFile file = gzopen(path, "r");

	*ipv4 = *ipv6 = (struct table){ NULL, 0 };
	if (!file) {
		snprintf(text, sizeof(text), "no full table: %s: %s", path, strerror(errno));
		*why = text;
		return false;
	}
	read_lines(file, ipv4, ipv6);
	gzclose(file);
	sort(ipv4);
	sort(ipv6);
	return true;
}

void full_table_free(struct table *table)
{
	free(table->route);
	*table = (struct table){ NULL, 0 };
}

/* The first route that is not before prefix. */
static size_t lower_bound(const struct table *table, struct prefix_key prefix)
{
	size_t from = 0, to = table->n;

	while (from < to) {
		size_t middle = (from + to) / 2;

		if (compare(&table->route[middle].prefix, &prefix) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static uint32_t cover(void *ctx, struct prefix_key range)
{
	const struct table *table = ctx;

	for (int length = range.length; length >= 0; length--) {
		struct prefix_key prefix =
			prefix6(range.address.hi, range.address.lo, (unsigned int)length);
		size_t i = lower_bound(table, prefix);

		if (i < table->n && compare(&table->route[i].prefix, &prefix) == 0)
			return table->route[i].leaf;
	}
	return 0;
}

static void walk(void *ctx, struct prefix_key range,
		 void (*visit)(void *arg, struct prefix_key prefix, uint32_t leaf), void *arg)
{
	const struct table *table = ctx;

	for (size_t i = lower_bound(table, range); i < table->n; i++) {
		struct prefix_key prefix = table->route[i].prefix;
		struct prefix_key parent =
			prefix6(prefix.address.hi, prefix.address.lo, range.length);

		if (compare(&parent, &range) != 0)
			return;
		if (prefix.length > range.length)
			visit(arg, prefix, table->route[i].leaf);
	}
}

struct fib_source full_table_source(struct table *table)
{
	return (struct fib_source){ cover, walk, table };
}
