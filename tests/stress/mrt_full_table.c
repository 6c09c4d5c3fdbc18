// SPDX-License-Identifier: BSD-3-Clause
/*
 * A full Internet table from an MRT dump, packed with bzip2 and plain: best path of every
 * prefix as expected, first and last address of every prefix and many others as a naive
 * longest match says, within limits of time and memory. See scripts/bench-load.
 */
#include "unit/test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "address.h"
#include "feed/unpack.h"
#include "model.h"
#include "routes.h"

#define HOPS_MAX 256

/* Loose, for machines that are busy; scripts/bench-load gives the real ones. */
static double packed_limit_s = 40, plain_limit_s = 15, memory_limit_mib = 600;
static long samples = 1000000;

static char dump_path[512], expected_path[512];
static char plain_path[] = "/tmp/napd-mrt-full-XXXXXX";

static const char exchange[] = "ports:\n"
			       "  - name: lan\n"
			       "    device: lan\n"
			       "    addresses: [5.57.83.254/22, \"2001:7f8:17::ffff:fffe/64\"]\n"
			       "tables:\n"
			       "  mrt: [%s]\n";
static const char *const subnets[2] = { "5.57.80.0/22", "2001:7f8:17::/64" };

/* ---- what is expected ---- */

struct expected {
	struct routes *routes[2]; /* leaf: the next hop's number + 1 */
	struct ip_address hop[HOPS_MAX];
	uint32_t hops;
	struct ip_prefix *prefix;
	size_t count, allocated;
	uint64_t of_family[2];
};

static uint32_t hop_number(struct expected *e, const char *text)
{
	struct ip_address address;

	assert_int_equal(ip_address_parse(text, &address), 0);
	for (uint32_t i = 0; i < e->hops; i++)
		if (ip_address_equal(&e->hop[i], &address))
			return i;
	assert_true(e->hops < HOPS_MAX);
	e->hop[e->hops] = address;
	return e->hops++;
}

/* PREFIX NEXT-HOP PEER-AS ORIGIN-AS */
static void expect_line(struct expected *e, char *line)
{
	char *hop = strchr(line, ' '), *rest;
	struct ip_prefix p;

	assert_non_null(hop);
	*hop++ = 0;
	rest = strchr(hop, ' ');
	assert_non_null(rest);
	*rest = 0;
	assert_int_equal(ip_prefix_parse(line, &p), 0);
	if (e->count == e->allocated) {
		e->allocated = e->allocated ? 2 * e->allocated : 4096;
		e->prefix = realloc(e->prefix, e->allocated * sizeof(p));
		assert_non_null(e->prefix);
	}
	e->prefix[e->count++] = p;
	e->of_family[p.ipv6]++;
	routes_set(e->routes[p.ipv6], p.key, hop_number(e, hop) + 1);
}

static void read_expected(struct expected *e)
{
	struct unpack *u = unpack_open(expected_path, &(const char *){ NULL });
	char piece[8192 + 1];
	size_t have = 0;
	ssize_t got;

	assert_non_null(u);
	*e = (struct expected){ .routes = { routes_new(32), routes_new(128) } };
	while ((got = unpack_read(u, piece + have, sizeof(piece) - 1 - have)) > 0) {
		char *line = piece, *end;

		have += (size_t)got;
		while ((end = memchr(line, '\n', have - (size_t)(line - piece)))) {
			*end = 0;
			expect_line(e, line);
			line = end + 1;
		}
		have -= (size_t)(line - piece);
		memmove(piece, line, have);
	}
	assert_int_equal(got, 0);
	unpack_close(u);
}

/* ---- loading ---- */

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* The most that was ever resident, or what is. */
static double resident_mib(const char *key)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[128];
	double kib = 0;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, key, strlen(key)) == 0)
			kib = strtod(line + strlen(key), NULL);
	fclose(file);
	return kib / 1024;
}

struct loaded {
	struct config *config;
	struct model *model;
	struct snapshot *snapshot;
};

static struct loaded load(const char *path, const char *what, double limit_s)
{
	const struct model_options options = { 0 };
	struct problems problems = { 0 };
	struct loaded l;
	char text[1024];
	double start, rib, fib;

	snprintf(text, sizeof(text), exchange, path);
	l.config = config_parse(text, strlen(text), "exchange", &problems);
	assert_non_null(l.config);
	start = now_s();
	l.model = model_create(l.config, &options, &problems);
	problems_print(&problems);
	assert_non_null(l.model);
	rib = now_s();
	l.snapshot = model_snapshot(l.model);
	assert_non_null(l.snapshot);
	fib = now_s();
	print_message("%s: RIB after %.2f s, FIB after %.2f s (limit %.0f), %.0f MiB resident at "
		      "most, %.0f now (limit %.0f)\n",
		      what, rib - start, fib - start, limit_s, resident_mib("VmHWM:"),
		      resident_mib("VmRSS:"), memory_limit_mib);
	assert_true(fib - start <= limit_s);
	assert_true(resident_mib("VmHWM:") <= memory_limit_mib);
	problems_release(&problems);
	return l;
}

static void unload(struct loaded *l)
{
	l->snapshot->release(l->snapshot);
	model_free(l->model);
	config_free(l->config);
}

static void write_plain(void)
{
	struct unpack *u = unpack_open(dump_path, &(const char *){ NULL });
	FILE *out = fopen(plain_path, "w");
	static char piece[1 << 16];
	ssize_t got;

	assert_non_null(u);
	assert_non_null(out);
	while ((got = unpack_read(u, piece, sizeof(piece))) > 0)
		assert_int_equal(fwrite(piece, 1, (size_t)got, out), got);
	assert_int_equal(got, 0);
	assert_int_equal(fclose(out), 0);
	unpack_close(u);
}

/* ---- looking up ---- */

static void check(const struct loaded *l, const struct expected *e, const struct ip_address *a)
{
	uint32_t expected = routes_match(e->routes[a->ipv6], a->key);
	uint32_t leaf[16], address4[16] = { (uint32_t)(a->key.hi >> 32) };
	uint64_t hi[16] = { a->key.hi }, lo[16] = { a->key.lo };
	struct ip_address gateway;
	struct ip_prefix subnet;
	char text[IP_TEXT_MAX];
	uint16_t port;

	assert_int_equal(ip_prefix_parse(subnets[a->ipv6], &subnet), 0);
	if (ip_prefix_contains(&subnet, a))
		return;
	if (a->ipv6)
		fib6_lookup(l->snapshot->fib6, hi, lo, leaf, 1);
	else
		fib4_lookup(l->snapshot->fib4, address4, leaf, 1);
	if (!expected && leaf[0] == LEAF_NO_ROUTE)
		return;
	if (!expected || !model_nexthop_gateway(l->model, leaf[0], &port, &gateway) ||
	    !ip_address_equal(&gateway, &e->hop[expected - 1]))
		fail_msg("%s: leaf %u is not what was expected (%u)", ip_address_text(a, text),
			 leaf[0], expected);
}

static void check_all(const struct loaded *l, const struct expected *e)
{
	uint64_t state = 11;

	for (size_t i = 0; i < e->count; i++) {
		struct ip_address first = { e->prefix[i].key.address, e->prefix[i].ipv6 };
		struct ip_address last = ip_prefix_last(&e->prefix[i]);

		check(l, e, &first);
		check(l, e, &last);
	}
	for (long i = 0; i < samples; i++) {
		struct ip_address a = { .ipv6 = i % 2 };

		state = state * 6364136223846793005u + 1442695040888963407u;
		a.key.hi = (state ^ state >> 29) & (a.ipv6 ? UINT64_MAX : UINT64_MAX << 32);
		if (a.ipv6) /* where there are routes: 2000::/5 */
			a.key.hi = 0x2000ull << 48 | a.key.hi >> 5;
		check(l, e, &a);
	}
}

static void full_table_from_a_dump(void **state)
{
	struct loaded packed, plain;
	struct model_routes routes;
	struct expected e;

	(void)state;
	packed = load(dump_path, "bzip2", packed_limit_s);
	write_plain();
	unload(&packed);
	plain = load(plain_path, "plain", plain_limit_s);
	read_expected(&e);
	model_routes(plain.model, &routes);
	assert_int_equal(routes.ipv4, e.of_family[0] + 1);
	assert_int_equal(routes.ipv6, e.of_family[1] + 1);
	assert_int_equal(routes.refused, 0);
	assert_int_equal(routes.unresolved, 0);
	check_all(&plain, &e);
	print_message("%zu prefixes, first and last addresses and %ld random ones as a naive match "
		      "says\n",
		      e.count, samples);
	unload(&plain);
	routes_free(e.routes[0]);
	routes_free(e.routes[1]);
	free(e.prefix);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(full_table_from_a_dump) };
	int rc;

	if (argc != 2 && argc != 6) {
		fprintf(stderr, "usage: %s FOLDER [PACKED_S PLAIN_S MIB SAMPLES]\n", argv[0]);
		return 2;
	}
	if (argc == 6) {
		packed_limit_s = strtod(argv[2], NULL);
		plain_limit_s = strtod(argv[3], NULL);
		memory_limit_mib = strtod(argv[4], NULL);
		samples = strtol(argv[5], NULL, 10);
	}
	snprintf(dump_path, sizeof(dump_path), "%s/rib.lonap-like.mrt.bz2", argv[1]);
	snprintf(expected_path, sizeof(expected_path), "%s/expected-best.txt.xz", argv[1]);
	/* cmocka says of a skipped test that it is not ok, in TAP */
	if (access(dump_path, R_OK) || access(expected_path, R_OK)) {
		printf("1..0 # SKIP there is no %s\n", dump_path);
		return 0;
	}
	close(mkstemp(plain_path));
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(plain_path);
	return rc;
}
