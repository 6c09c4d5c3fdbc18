// SPDX-License-Identifier: BSD-3-Clause
/* The IPv4 table: each shape of prefix, each change, every instruction set, no memory. */
#include "test.h"

#include "fib4.h"
#include "out_of_memory.h"
#include "routes.h"

#include <stdlib.h>

#define PAD 16 /* lookups may write whole vectors */

static struct routes *routes;
static struct fib4 *fib;

static int set_up(void **state)
{
	(void)state;
	routes = routes_new(32);
	fib = NULL;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fib4_free(fib);
	routes_free(routes);
	return 0;
}

static void apply(const struct prefix_key *ranges, size_t n)
{
	struct fib_source source = routes_source(routes);
	struct fib4 *next = fib4_apply(fib, ranges, n, &source);

	assert_non_null(next);
	fib4_free(fib);
	fib = next;
}

static void apply_all(void)
{
	struct prefix_key all = prefix4(0, 0);

	apply(&all, 1);
}

static void set(uint32_t address, unsigned int length, uint32_t leaf)
{
	struct prefix_key prefix = prefix4(address, length);

	routes_set(routes, prefix, leaf);
	apply(&prefix, 1);
}

static void del(uint32_t address, unsigned int length)
{
	struct prefix_key prefix = prefix4(address, length);

	assert_true(routes_delete(routes, prefix));
	apply(&prefix, 1);
}

/* The leaf of an address, which all instruction sets agree upon. */
static uint32_t find_in(const struct fib4 *table, uint32_t address)
{
	uint32_t list[PAD], leaf[PAD], first = 0;

	for (unsigned int i = 0; i < PAD; i++)
		list[i] = address ^ i * 0x01010101;
	for (int path = CPU_SCALAR; path <= CPU_BEST; path++) {
		cpu_path_set(path);
		fib4_lookup(table, list, leaf, 1);
		if (path == CPU_SCALAR)
			first = leaf[0];
		assert_int_equal(leaf[0], first);
	}
	return first;
}

static uint32_t find(uint32_t address)
{
	return find_in(fib, address);
}

static void matches_naive(uint32_t address)
{
	assert_int_equal(find(address),
			 routes_match(routes, (struct ipv6_key){ (uint64_t)address << 32, 0 }));
}

/* At the borders of every route, and one beside them. */
static void borders_match_naive(void)
{
	for (size_t i = 0; i < routes_count(routes); i++) {
		struct prefix_key p = routes_at(routes, i)->prefix;
		uint32_t first = (uint32_t)(p.address.hi >> 32);
		uint32_t last =
			first | (uint32_t)(UINT32_MAX >> p.length / 2 >> (p.length + 1) / 2);

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
	assert_int_equal(find(0), 0);
	assert_int_equal(find(UINT32_MAX), 0);
	apply_all();
	assert_int_equal(find(0x0a000001), 0);
}

static void default_route_matches_everything(void **state)
{
	(void)state;
	set(0, 0, 7);
	assert_int_equal(find(0), 7);
	assert_int_equal(find(0x7fffffff), 7);
	assert_int_equal(find(UINT32_MAX), 7);
	set(0, 0, 8);
	assert_int_equal(find(0x80000000), 8);
	del(0, 0);
	assert_int_equal(find(0x80000000), 0);
}

static void host_routes_at_both_ends(void **state)
{
	(void)state;
	set(0, 32, 1);
	set(UINT32_MAX, 32, 2);
	assert_int_equal(find(0), 1);
	assert_int_equal(find(1), 0);
	assert_int_equal(find(UINT32_MAX), 2);
	assert_int_equal(find(UINT32_MAX - 1), 0);
	del(0, 32);
	assert_int_equal(find(0), 0);
	assert_int_equal(find(UINT32_MAX), 2);
}

static void every_length_nested(void **state)
{
	(void)state;
	for (unsigned int length = 0; length <= 32; length++)
		set(0xc0a80140, length, 100 + length);
	borders_match_naive();
	assert_int_equal(find(0xc0a80140), 132);
	assert_int_equal(find(0xc0a80141), 131);
	for (unsigned int length = 32; length > 0; length--) {
		del(0xc0a80140, length);
		assert_int_equal(find(0xc0a80140), 99 + length);
		borders_match_naive();
	}
}

static void every_length_nested_at_the_ends(void **state)
{
	(void)state;
	for (unsigned int length = 0; length <= 32; length++) {
		routes_set(routes, prefix4(0, length), 100 + length);
		routes_set(routes, prefix4(UINT32_MAX, length), 200 + length);
	}
	apply_all();
	borders_match_naive();
}

static void neighbours_with_one_leaf_and_with_two(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 130; i++) /* over the border of a node */
		routes_set(routes, prefix4(0x0a003f00 + (i << 8), 24), 5 + i / 3 % 2);
	for (uint32_t i = 0; i < 130; i++) /* over the border of an extension's quarters */
		routes_set(routes, prefix4(0x0b000030 + i, 32), 5 + i / 3 % 2);
	apply_all();
	borders_match_naive();
}

static void largest_leaf_survives(void **state)
{
	(void)state;
	set(0x0a000000, 8, FIB_LEAF_MAX);
	set(0x0a000000, 24, FIB_LEAF_MAX - 1);
	set(0x0a000001, 32, FIB_LEAF_MAX);
	assert_int_equal(find(0x0a000001), FIB_LEAF_MAX);
	assert_int_equal(find(0x0a000002), FIB_LEAF_MAX - 1);
	assert_int_equal(find(0x0a010002), FIB_LEAF_MAX);
}

static void replaced_leaf_is_the_new_one(void **state)
{
	(void)state;
	const unsigned int lengths[] = { 1, 8, 17, 18, 19, 23, 24, 25, 26, 27, 31, 32 };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		set(0xcb007180, lengths[i], 9);
		assert_int_equal(find(0xcb007180), 9);
		set(0xcb007180, lengths[i], 10);
		assert_int_equal(find(0xcb007180), 10);
		del(0xcb007180, lengths[i]);
		assert_int_equal(find(0xcb007180), 0);
	}
}

static void shorter_route_under_longer_ones(void **state)
{
	(void)state;
	set(0x0a010203, 32, 1);
	set(0x0a010200, 24, 2);
	set(0x0a000000, 8, 3);
	set(0, 0, 4);
	borders_match_naive();
	set(0x0a000000, 8, 5);
	assert_int_equal(find(0x0a010203), 1);
	assert_int_equal(find(0x0a010204), 2);
	assert_int_equal(find(0x0aff0000), 5);
	del(0x0a000000, 8);
	borders_match_naive();
	assert_int_equal(find(0x0aff0000), 4);
}

static void only_what_is_in_the_ranges_changes(void **state)
{
	(void)state;
	struct prefix_key range = prefix4(0x0a000010, 28);

	set(0x0a000000, 8, 1);
	routes_set(routes, prefix4(0x0a000000, 8), 2);
	apply(&range, 1);
	assert_int_equal(find(0x0a000010), 2);
	assert_int_equal(find(0x0a00001f), 2);
	assert_int_equal(find(0x0a000020), 1);
	assert_int_equal(find(0x0a00000f), 1);
	range = prefix4(0x0a000200, 23);
	apply(&range, 1);
	assert_int_equal(find(0x0a000200), 2);
	assert_int_equal(find(0x0a0003ff), 2);
	assert_int_equal(find(0x0a000400), 1);
}

static void ranges_may_overlap_in_any_order(void **state)
{
	(void)state;
	const struct prefix_key ranges[] = { prefix4(0x0a020304, 32), prefix4(0x0a000000, 8),
					     prefix4(0x0a020304, 32), prefix4(0x01000000, 24),
					     prefix4(0x0a020000, 16), prefix4(0x01000000, 25) };

	for (size_t i = 0; i < 6; i++)
		routes_set(routes, ranges[i], (uint32_t)i + 1);
	apply(ranges, 6);
	borders_match_naive();
}

static void old_generation_stays_as_it_was(void **state)
{
	(void)state;
	struct fib_source source = routes_source(routes);
	struct fib4 *generation[40];
	struct prefix_key prefix = prefix4(0x0a0000fe, 32);

	apply(NULL, 0);
	for (uint32_t i = 0; i < 40; i++) {
		routes_set(routes, prefix, i + 1);
		generation[i] = fib4_apply(i > 0 ? generation[i - 1] : fib, &prefix, 1, &source);
		assert_non_null(generation[i]);
	}
	for (uint32_t i = 0; i < 40; i++)
		assert_int_equal(find_in(generation[i], 0x0a0000fe), i + 1);
	for (uint32_t i = 0; i < 40; i += 2)
		fib4_free(generation[i]);
	for (uint32_t i = 1; i < 40; i += 2) {
		assert_int_equal(find_in(generation[i], 0x0a0000fe), i + 1);
		fib4_free(generation[i]);
	}
}

static void garbage_does_not_pile_up(void **state)
{
	(void)state;
	struct fib_stats stats;
	struct prefix_key range = prefix4(0x0a000000, 16);

	for (uint32_t i = 0; i < 256; i++)
		routes_set(routes, prefix4(0x0a000000 + i * 256 + i, 32), i);
	apply_all();
	for (uint32_t round = 0; round < 700; round++) {
		for (uint32_t i = 0; i < 256; i++)
			routes_set(routes, prefix4(0x0a000000 + i * 256 + i, 32), i + round);
		apply(&range, 1);
	}
	borders_match_naive();
	fib4_stats(fib, &stats);
	assert_int_equal(stats.extensions, 256);
	assert_true(stats.bytes < (16u << 20));
}

static void many_blackholes_are_cheap(void **state)
{
	(void)state;
	struct fib_stats empty, full;

	apply_all();
	fib4_stats(fib, &empty);
	for (uint32_t i = 0; i < 40000; i++)
		routes_set(routes, prefix4(0x0b000000 + i * 256 + 77, 32), 3);
	apply_all();
	fib4_stats(fib, &full);
	assert_int_equal(full.extensions, 40000);
	assert_true(full.bytes - empty.bytes < 40000 * 128);
	for (uint32_t i = 0; i < 40000; i++)
		routes_delete(routes, prefix4(0x0b000000 + i * 256 + 77, 32));
	apply_all();
	fib4_stats(fib, &full);
	assert_int_equal(full.extensions, 0);
}

static void stats_say_what_is_shared(void **state)
{
	(void)state;
	struct fib_source source = routes_source(routes);
	struct prefix_key prefix = prefix4(0x0a000000, 24);
	struct fib_stats stats;

	set(0x0a000000, 24, 1);
	fib4_stats(fib, &stats);
	assert_int_equal(stats.shared_bytes, 0);
	struct fib4 *next = fib4_apply(fib, &prefix, 1, &source);

	fib4_stats(next, &stats);
	assert_true(stats.shared_bytes > 0);
	assert_true(stats.shared_bytes < stats.bytes);
	fib4_free(next);
}

static void bursts_of_every_size(void **state)
{
	(void)state;
	uint32_t address[64], leaf[64], in_halves[64];

	srand(4);
	for (uint32_t i = 0; i < 5000; i++)
		routes_set(routes,
			   prefix4((uint32_t)rand() * 2u & 0x0fffffff, 9 + (uint32_t)rand() % 24),
			   i + 1);
	apply_all();
	for (unsigned int n = 0; n <= 64; n++) {
		for (int path = CPU_SCALAR; path <= CPU_BEST; path++) {
			for (unsigned int i = 0; i < 64; i++)
				address[i] = i % 8 == 7
						     ? (uint32_t)rand() * 3u
						     : (uint32_t)(routes_at(routes,
									    (size_t)rand() % 5000)
									  ->prefix.address.hi >>
								  32) +
							       i % 3;
			cpu_path_set(path);
			fib4_lookup(fib, address, leaf, n);
			fib4_ask(fib, address, in_halves, n);
			fib4_take(fib, address, in_halves, n);
			assert_memory_equal(in_halves, leaf, n * sizeof(*leaf));
			for (unsigned int i = 0; i < n; i++)
				assert_int_equal(
					leaf[i],
					routes_match(routes,
						     (struct ipv6_key){ (uint64_t)address[i] << 32,
									0 }));
		}
	}
}

/* Every allocation of a change fails once; the table stays right, and a later change succeeds. */
static void no_memory_leaves_the_old_generation(void **state)
{
	(void)state;
	struct fib_source source = routes_source(routes);
	struct prefix_key all = prefix4(0, 0);
	unsigned int failures = 0;
	struct fib_stats before, after;

	set(0x0a000001, 32, 1);
	set(0x0a000000, 8, 2);
	for (uint32_t i = 0; i < 70000; i++) /* makes every arena grow */
		routes_set(routes, prefix4(0x20000000 + i * 256 + i % 256, 32), i + 10);
	fib4_stats(fib, &before);
	for (;; failures++) {
		out_of_memory_after(failures);
		struct fib4 *next = fib4_apply(fib, &all, 1, &source);

		out_of_memory_never();
		if (next) {
			fib4_free(next);
			break;
		}
		fib4_stats(fib, &after);
		assert_int_equal(before.bytes, after.bytes);
		assert_int_equal(find(0x0a000001), 1);
		assert_int_equal(find(0x0a000002), 2);
		assert_int_equal(find(0x20000000), 0);
	}
	assert_true(failures >= 7);
	apply_all();
	borders_match_naive();
}

static void no_memory_for_the_first_generation(void **state)
{
	(void)state;
	struct fib_source source = routes_source(routes);
	unsigned int failures = 0;
	struct fib4 *first = NULL;

	for (; !first; failures++) {
		out_of_memory_after(failures);
		first = fib4_apply(NULL, NULL, 0, &source);
		out_of_memory_never();
	}
	assert_true(failures >= 7);
	fib4_free(first);
}

static void no_memory_while_compacting(void **state)
{
	(void)state;
	struct fib_source source = routes_source(routes);
	struct prefix_key range = prefix4(0x0a000000, 16);
	unsigned int failures = 0, compactions = 0;

	apply(NULL, 0);
	for (uint32_t round = 1; round < 700; round++) {
		for (uint32_t i = 0; i < 256; i++)
			routes_set(routes, prefix4(0x0a000000 + i * 256 + i, 32), i + round);
		/* the copy and the list of ranges take four; whatever comes after is an arena */
		out_of_memory_after(5);
		struct fib4 *next = fib4_apply(fib, &range, 1, &source);

		out_of_memory_never();
		if (next) {
			fib4_free(fib);
			fib = next;
			continue;
		}
		failures++;
		assert_int_equal(find(0x0a000000), round - 1);
		apply(&range, 1);
		compactions++;
	}
	assert_true(failures > 0 && compactions > 0);
	borders_match_naive();
}

int main(void)
{
#define FIB_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		FIB_TEST(empty_table_matches_nothing),
		FIB_TEST(default_route_matches_everything),
		FIB_TEST(host_routes_at_both_ends),
		FIB_TEST(every_length_nested),
		FIB_TEST(every_length_nested_at_the_ends),
		FIB_TEST(neighbours_with_one_leaf_and_with_two),
		FIB_TEST(largest_leaf_survives),
		FIB_TEST(replaced_leaf_is_the_new_one),
		FIB_TEST(shorter_route_under_longer_ones),
		FIB_TEST(only_what_is_in_the_ranges_changes),
		FIB_TEST(ranges_may_overlap_in_any_order),
		FIB_TEST(old_generation_stays_as_it_was),
		FIB_TEST(garbage_does_not_pile_up),
		FIB_TEST(many_blackholes_are_cheap),
		FIB_TEST(stats_say_what_is_shared),
		FIB_TEST(bursts_of_every_size),
		FIB_TEST(no_memory_leaves_the_old_generation),
		FIB_TEST(no_memory_for_the_first_generation),
		FIB_TEST(no_memory_while_compacting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
