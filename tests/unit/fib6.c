// SPDX-License-Identifier: BSD-3-Clause
/* The IPv6 table: each shape of prefix, each change, every instruction set, no memory. */
#include "test.h"

#include "api/fib.h"
#include "out_of_memory.h"
#include "routes.h"

#include <stdlib.h>

#define PAD      16 /* lookups may write whole vectors */
#define DOC_HI   0x20010db800000000ull
#define DOC_LAST 0x20010db8ffffffffull
#define ALL      UINT64_MAX

static struct routes *routes;
static struct fib6 *fib;

static int set_up(void **state)
{
	(void)state;
	routes = routes_new(128);
	fib = NULL;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fib6_free(fib);
	routes_free(routes);
	return 0;
}

static void apply(const struct prefix_key *ranges, size_t n)
{
	struct fib_source source = routes_source(routes);
	struct fib6 *next = fib6_apply(fib, ranges, n, &source);

	assert_non_null(next);
	fib6_free(fib);
	fib = next;
}

static void apply_all(void)
{
	struct prefix_key all = prefix6(0, 0, 0);

	apply(&all, 1);
}

static void set(uint64_t hi, uint64_t lo, unsigned int length, uint32_t leaf)
{
	struct prefix_key prefix = prefix6(hi, lo, length);

	routes_set(routes, prefix, leaf);
	apply(&prefix, 1);
}

static void del(uint64_t hi, uint64_t lo, unsigned int length)
{
	struct prefix_key prefix = prefix6(hi, lo, length);

	assert_true(routes_delete(routes, prefix));
	apply(&prefix, 1);
}

/* The leaf of an address, which all instruction sets agree upon. */
static uint32_t find_in(const struct fib6 *table, uint64_t hi, uint64_t lo)
{
	uint64_t list_hi[PAD], list_lo[PAD];
	uint32_t leaf[PAD], first = 0;

	for (unsigned int i = 0; i < PAD; i++) {
		list_hi[i] = hi ^ i * 0x0101010101010101ull;
		list_lo[i] = lo ^ i;
	}
	for (int path = CPU_SCALAR; path <= CPU_BEST; path++) {
		cpu_path_set(path);
		fib6_lookup(table, list_hi, list_lo, leaf, 1);
		if (path == CPU_SCALAR)
			first = leaf[0];
		assert_int_equal(leaf[0], first);
	}
	return first;
}

static uint32_t find(uint64_t hi, uint64_t lo)
{
	return find_in(fib, hi, lo);
}

static void matches_naive(unsigned __int128 address)
{
	struct ipv6_key key = { (uint64_t)(address >> 64), (uint64_t)address };

	assert_int_equal(find(key.hi, key.lo), routes_match(routes, key));
}

/* At the borders of every route, and one beside them. */
static void borders_match_naive(void)
{
	for (size_t i = 0; i < routes_count(routes); i++) {
		struct prefix_key p = routes_at(routes, i)->prefix;
		unsigned __int128 first = (unsigned __int128)p.address.hi << 64 | p.address.lo;
		unsigned __int128 last = first;

		if (p.length < 128)
			last |= ~(unsigned __int128)0 >> p.length;
		matches_naive(first);
		matches_naive(first - 1);
		matches_naive(last);
		matches_naive(last + 1);
	}
}

static void empty_table_matches_nothing(void **state)
{
	(void)state;
	apply(NULL, 0);
	assert_int_equal(find(0, 0), 0);
	assert_int_equal(find(ALL, ALL), 0);
	apply_all();
	assert_int_equal(find(DOC_HI, 1), 0);
}

static void default_route_matches_everything(void **state)
{
	(void)state;
	set(0, 0, 0, 7);
	assert_int_equal(find(0, 0), 7);
	assert_int_equal(find(DOC_HI, 99), 7);
	assert_int_equal(find(ALL, ALL), 7);
	set(0, 0, 0, 8);
	assert_int_equal(find(1ull << 63, 0), 8);
	del(0, 0, 0);
	assert_int_equal(find(1ull << 63, 0), 0);
}

static void well_known_prefixes(void **state)
{
	(void)state;
	set(0x2000000000000000ull, 0, 3, 1);
	set(0xfc00000000000000ull, 0, 7, 2);
	set(0xfe80000000000000ull, 0, 10, 3);
	set(0xff00000000000000ull, 0, 8, 4);
	set(DOC_HI, 0, 32, 5);
	set(DOC_HI, 1, 128, 6);
	borders_match_naive();
	assert_int_equal(find(0x3fffffffffffffffull, ALL), 1);
	assert_int_equal(find(0x4000000000000000ull, 0), 0);
	assert_int_equal(find(0xfdffffffffffffffull, 0), 2);
	assert_int_equal(find(0xfebfffffffffffffull, 0), 3);
	assert_int_equal(find(ALL, ALL), 4);
	assert_int_equal(find(DOC_HI, 1), 6);
	assert_int_equal(find(DOC_HI, 2), 5);
}

static void host_routes_at_both_ends(void **state)
{
	(void)state;
	set(0, 0, 128, 1);
	set(ALL, ALL, 128, 2);
	set(DOC_LAST, ALL, 128, 3);
	borders_match_naive();
	assert_int_equal(find(0, 0), 1);
	assert_int_equal(find(ALL, ALL), 2);
	assert_int_equal(find(DOC_LAST, ALL), 3);
	del(0, 0, 128);
	assert_int_equal(find(0, 0), 0);
	assert_int_equal(find(ALL, ALL), 2);
}

static void every_length_nested(void **state)
{
	(void)state;
	const uint64_t hi = 0x20010db8a5a5ffffull, lo = 0x8000000000000001ull;

	for (unsigned int length = 0; length <= 128; length++)
		set(hi, lo, length, 1000 + length);
	borders_match_naive();
	assert_int_equal(find(hi, lo), 1128);
	for (unsigned int length = 128; length > 0; length--) {
		del(hi, lo, length);
		assert_int_equal(find(hi, lo), 999 + length);
		if (length % 16 < 2)
			borders_match_naive();
	}
}

static void every_length_nested_at_the_ends(void **state)
{
	(void)state;
	for (unsigned int length = 0; length <= 128; length++) {
		routes_set(routes, prefix6(0, 0, length), 1000 + length);
		routes_set(routes, prefix6(ALL, ALL, length), 2000 + length);
	}
	apply_all();
	borders_match_naive();
}

/* From one interval to several levels of a tree, in a bucket and in a /64. */
static void trees_of_every_size(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 900; i++) {
		routes_set(routes, prefix6(DOC_HI + ((uint64_t)i << 17), 0, 48), i + 1);
		routes_set(routes, prefix6(DOC_LAST, (uint64_t)i << 40, 30 + 64), i + 1);
		if (i < 100 || i % 100 == 0) {
			apply_all();
			matches_naive((unsigned __int128)(DOC_HI + ((uint64_t)i << 17)) << 64);
			matches_naive((unsigned __int128)(DOC_HI + ((uint64_t)i << 16)) << 64);
			matches_naive((unsigned __int128)DOC_LAST << 64 | (uint64_t)i << 40);
		}
	}
	apply_all();
	borders_match_naive();
}

static void neighbours_with_one_leaf_and_with_two(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 40; i++) {
		uint32_t leaf = (uint32_t)(5 + i / 3 % 2);

		routes_set(routes, prefix6((0x20fffull << 44) + (i << 40), 0, 24), leaf);
		routes_set(routes, prefix6((0x21fful << 48) + (i << 36), 0, 28), leaf);
		routes_set(routes, prefix6(DOC_HI + i, 0, 64), leaf);
		routes_set(routes, prefix6(DOC_HI, i, 128), leaf);
	}
	apply_all();
	borders_match_naive();
}

static void largest_leaf_survives(void **state)
{
	(void)state;
	set(DOC_HI, 0, 16, FIB_LEAF_MAX);
	set(DOC_HI, 0, 32, FIB_LEAF_MAX - 1);
	set(DOC_HI, 1, 128, FIB_LEAF_MAX);
	assert_int_equal(find(DOC_HI, 1), FIB_LEAF_MAX);
	assert_int_equal(find(DOC_HI, 2), FIB_LEAF_MAX - 1);
	assert_int_equal(find(0x2001ffffull << 32, 2), FIB_LEAF_MAX);
}

static void replaced_leaf_is_the_new_one(void **state)
{
	(void)state;
	const unsigned int lengths[] = {
		1, 11, 12, 13, 23, 24, 25, 32, 48, 63, 64, 65, 96, 127, 128
	};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		set(DOC_HI, 5, lengths[i], 9);
		assert_int_equal(find(DOC_HI, 5), 9);
		set(DOC_HI, 5, lengths[i], 10);
		assert_int_equal(find(DOC_HI, 5), 10);
		del(DOC_HI, 5, lengths[i]);
		assert_int_equal(find(DOC_HI, 5), 0);
	}
}

static void shorter_route_under_longer_ones(void **state)
{
	(void)state;
	set(DOC_HI, 1, 128, 1);
	set(DOC_HI, 0, 48, 2);
	set(DOC_HI, 0, 20, 3);
	set(0, 0, 0, 4);
	borders_match_naive();
	set(DOC_HI, 0, 20, 5);
	assert_int_equal(find(DOC_HI, 1), 1);
	assert_int_equal(find(DOC_HI, 2), 2);
	assert_int_equal(find(DOC_LAST, 0), 5);
	del(DOC_HI, 0, 20);
	borders_match_naive();
	assert_int_equal(find(DOC_LAST, 0), 4);
}

static void only_what_is_in_the_ranges_changes(void **state)
{
	(void)state;
	const unsigned int lengths[] = { 14, 28, 40, 64, 70, 128 };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct prefix_key range = prefix6(DOC_HI, 0, lengths[i]);
		unsigned __int128 last = (unsigned __int128)range.address.hi << 64;

		if (lengths[i] < 128)
			last |= ~(unsigned __int128)0 >> lengths[i];
		set(0, 0, 0, 1);
		routes_set(routes, prefix6(0, 0, 0), 2);
		apply(&range, 1);
		assert_int_equal(find(range.address.hi, 0), 2);
		assert_int_equal(find((uint64_t)(last >> 64), (uint64_t)last), 2);
		last++;
		assert_int_equal(find((uint64_t)(last >> 64), (uint64_t)last), 1);
		last = ((unsigned __int128)range.address.hi << 64) - 1;
		assert_int_equal(find((uint64_t)(last >> 64), (uint64_t)last), 1);
	}
}

static void ranges_may_overlap_in_any_order(void **state)
{
	(void)state;
	const struct prefix_key ranges[] = {
		prefix6(DOC_HI + 9, 5, 128), prefix6(DOC_HI, 0, 32), prefix6(DOC_HI + 9, 5, 128),
		prefix6(DOC_HI, 0, 20),      prefix6(ALL, ALL, 128), prefix6(DOC_HI + 9, 0, 64),
		prefix6(ALL, 5, 128),        prefix6(ALL, 900, 127),
	};

	for (size_t i = 0; i < 8; i++)
		routes_set(routes, ranges[i], (uint32_t)i + 1);
	apply(ranges, 8);
	borders_match_naive();
}

static void old_generation_stays_as_it_was(void **state)
{
	(void)state;
	struct fib_source source = routes_source(routes);
	struct fib6 *generation[40];
	struct prefix_key prefix = prefix6(DOC_HI, 7, 128);

	apply(NULL, 0);
	for (uint32_t i = 0; i < 40; i++) {
		routes_set(routes, prefix, i + 1);
		generation[i] = fib6_apply(i > 0 ? generation[i - 1] : fib, &prefix, 1, &source);
		assert_non_null(generation[i]);
	}
	for (uint32_t i = 0; i < 40; i++)
		assert_int_equal(find_in(generation[i], DOC_HI, 7), i + 1);
	for (uint32_t i = 0; i < 40; i += 2)
		fib6_free(generation[i]);
	for (uint32_t i = 1; i < 40; i += 2) {
		assert_int_equal(find_in(generation[i], DOC_HI, 7), i + 1);
		fib6_free(generation[i]);
	}
}

/* 300 /64s with a host route each, all with other leaves in each round. */
static void set_many(uint32_t round)
{
	for (uint64_t i = 0; i < 300; i++)
		routes_set(routes, prefix6(DOC_HI + (i << 12), i, 128), (uint32_t)i + round);
}

static void garbage_does_not_pile_up(void **state)
{
	(void)state;
	struct fib_stats stats;
	struct prefix_key range = prefix6(DOC_HI, 0, 32);

	set_many(1);
	apply_all();
	for (uint32_t round = 2; round < 1200; round++) {
		set_many(round);
		apply(&range, 1);
	}
	borders_match_naive();
	fib6_stats(fib, &stats);
	assert_int_equal(stats.extensions, 300);
	assert_true(stats.bytes < (16u << 20));
}

static void extensions_are_counted(void **state)
{
	(void)state;
	struct fib_stats empty, stats;

	apply_all();
	fib6_stats(fib, &empty);
	for (uint64_t i = 0; i < 10000; i++)
		routes_set(routes, prefix6(DOC_HI + (i << 12), i, 128), 3);
	apply_all();
	fib6_stats(fib, &stats);
	assert_int_equal(stats.extensions, 10000);
	assert_true(stats.bytes - empty.bytes < 10000 * 256);
	routes_delete(routes, prefix6(DOC_HI, 0, 128));
	apply_all();
	fib6_stats(fib, &stats);
	assert_int_equal(stats.extensions, 9999);
	set(DOC_HI, 0, 24, 1); /* whole bucket, whole root: the extensions stay */
	set(DOC_HI, 0, 12, 1);
	fib6_stats(fib, &stats);
	assert_int_equal(stats.extensions, 9999);
	while (routes_count(routes) > 0)
		routes_delete(routes, routes_at(routes, 0)->prefix);
	struct prefix_key root = prefix6(DOC_HI, 0, 12);

	apply(&root, 1);
	fib6_stats(fib, &stats);
	assert_int_equal(stats.extensions, 0);
}

static void stats_say_what_is_shared(void **state)
{
	(void)state;
	struct fib_source source = routes_source(routes);
	struct prefix_key prefix = prefix6(DOC_HI, 0, 48);
	struct fib_stats stats;

	set(DOC_HI, 0, 48, 1);
	fib6_stats(fib, &stats);
	assert_int_equal(stats.shared_bytes, 0);
	struct fib6 *next = fib6_apply(fib, &prefix, 1, &source);

	fib6_stats(next, &stats);
	assert_true(stats.shared_bytes > 0);
	assert_true(stats.shared_bytes < stats.bytes);
	fib6_free(next);
}

static uint64_t random64(void)
{
	return (uint64_t)rand() << 42 ^ (uint64_t)rand() << 21 ^ (uint64_t)rand();
}

static void bursts_of_every_size(void **state)
{
	(void)state;
	uint64_t hi[64], lo[64];
	uint32_t leaf[64];

	srand(6);
	for (uint32_t i = 0; i < 5000; i++)
		routes_set(routes,
			   prefix6(DOC_HI | (random64() & 0x0000003f00ffffffull), random64(),
				   16 + (unsigned int)rand() % (i % 4 == 0 ? 113 : 49)),
			   i + 1);
	apply_all();
	for (unsigned int n = 0; n <= 64; n++) {
		for (int path = CPU_SCALAR; path <= CPU_BEST; path++) {
			for (unsigned int i = 0; i < 64; i++) {
				size_t at = (size_t)rand() % routes_count(routes);
				struct ipv6_key key = routes_at(routes, at)->prefix.address;

				hi[i] = i % 8 == 7 ? random64() : key.hi;
				lo[i] = i % 8 == 6 ? random64() : key.lo + i % 3;
			}
			cpu_path_set(path);
			fib6_lookup(fib, hi, lo, leaf, n);
			for (unsigned int i = 0; i < n; i++)
				assert_int_equal(
					leaf[i],
					routes_match(routes, (struct ipv6_key){ hi[i], lo[i] }));
		}
	}
}

/* Every allocation of a change fails once; the table stays right, and a later change succeeds. */
static void no_memory_leaves_the_old_generation(void **state)
{
	(void)state;
	struct fib_source source = routes_source(routes);
	struct prefix_key all = prefix6(0, 0, 0);
	unsigned int failures = 0;
	struct fib_stats before, after;

	set(DOC_HI, 1, 128, 1);
	set(DOC_HI, 0, 16, 2);
	for (uint64_t i = 0; i < 20000; i++) { /* makes every arena and list grow */
		routes_set(routes, prefix6(0x2400ull << 48 | i << 28, i, 128), (uint32_t)i + 10);
		routes_set(routes, prefix6(0x2600ull << 48 | i << 28, 0, 64), (uint32_t)i + 10);
		routes_set(routes, prefix6(0x2800ull << 48, i << 28, 128), (uint32_t)i + 10);
		routes_set(routes, prefix6(i % 64 << 56, 0, 32), (uint32_t)i + 10);
	}
	fib6_stats(fib, &before);
	for (;; failures++) {
		out_of_memory_after(failures);
		struct fib6 *next = fib6_apply(fib, &all, 1, &source);

		out_of_memory_never();
		if (next) {
			fib6_free(next);
			break;
		}
		fib6_stats(fib, &after);
		assert_int_equal(before.bytes, after.bytes);
		assert_int_equal(find(DOC_HI, 1), 1);
		assert_int_equal(find(DOC_HI, 2), 2);
		assert_int_equal(find(0x2600ull << 48, 0), 0);
	}
	assert_true(failures >= 9);
	apply_all();
	for (uint64_t i = 0; i < 20000; i += 7)
		matches_naive((unsigned __int128)(0x2400ull << 48 | i << 28) << 64 | i);
}

static void no_memory_for_the_first_generation(void **state)
{
	(void)state;
	struct fib_source source = routes_source(routes);
	unsigned int failures = 0;
	struct fib6 *first = NULL;

	for (; !first; failures++) {
		out_of_memory_after(failures);
		first = fib6_apply(NULL, NULL, 0, &source);
		out_of_memory_never();
	}
	assert_true(failures >= 9);
	fib6_free(first);
}

static void no_memory_while_compacting(void **state)
{
	(void)state;
	struct fib_source source = routes_source(routes);
	struct prefix_key range = prefix6(DOC_HI, 0, 32);
	unsigned int failures = 0;

	apply(NULL, 0);
	for (uint32_t round = 1; round < 500; round++) {
		struct fib6 *next = NULL;

		set_many(round);
		for (unsigned int after = round == 1 ? 100 : 0; !next; after++) {
			out_of_memory_after(after);
			next = fib6_apply(fib, &range, 1, &source);
			out_of_memory_never();
			failures += !next;
			if (!next)
				assert_int_equal(find(DOC_HI, 0), round - 1);
		}
		fib6_free(fib);
		fib = next;
	}
	assert_true(failures > 500);
	borders_match_naive();
}

int main(void)
{
#define FIB_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		FIB_TEST(empty_table_matches_nothing),
		FIB_TEST(default_route_matches_everything),
		FIB_TEST(well_known_prefixes),
		FIB_TEST(host_routes_at_both_ends),
		FIB_TEST(every_length_nested),
		FIB_TEST(every_length_nested_at_the_ends),
		FIB_TEST(trees_of_every_size),
		FIB_TEST(neighbours_with_one_leaf_and_with_two),
		FIB_TEST(largest_leaf_survives),
		FIB_TEST(replaced_leaf_is_the_new_one),
		FIB_TEST(shorter_route_under_longer_ones),
		FIB_TEST(only_what_is_in_the_ranges_changes),
		FIB_TEST(ranges_may_overlap_in_any_order),
		FIB_TEST(old_generation_stays_as_it_was),
		FIB_TEST(garbage_does_not_pile_up),
		FIB_TEST(extensions_are_counted),
		FIB_TEST(stats_say_what_is_shared),
		FIB_TEST(bursts_of_every_size),
		FIB_TEST(no_memory_leaves_the_old_generation),
		FIB_TEST(no_memory_for_the_first_generation),
		FIB_TEST(no_memory_while_compacting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
