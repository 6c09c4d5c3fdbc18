// SPDX-License-Identifier: BSD-3-Clause
/* The buckets of ECMP groups: even, stable, the same whatever the order. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "group.h"

static uint64_t random_state = 7;

static uint64_t random64(void)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return random_state ^ random_state >> 29;
}

/* Hops with identities of their own, all alive. */
static void make_hops(struct group_hop *hop, unsigned int n, uint32_t weight_most)
{
	for (unsigned int i = 0; i < n; i++)
		hop[i] = (struct group_hop){ .identity = random64(),
					     .weight = 1 + (uint32_t)(random64() % weight_most),
					     .alive = true };
}

static unsigned int count(const uint8_t *owner, unsigned int buckets, unsigned int i)
{
	unsigned int n = 0;

	for (unsigned int b = 0; b < buckets; b++)
		n += owner[b] == i;
	return n;
}

static unsigned int moved(const uint8_t *a, const uint8_t *b, unsigned int buckets)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < buckets; i++)
		n += a[i] != b[i];
	return n;
}

/* Every share of the alive is its exact quota rounded down or up; the dead have nothing. */
static void check_even(const struct group_hop *hop, unsigned int n, const uint8_t *owner,
		       unsigned int buckets)
{
	uint64_t total = 0;

	for (unsigned int i = 0; i < n; i++)
		total += hop[i].alive ? hop[i].weight : 0;
	for (unsigned int b = 0; b < buckets; b++)
		assert_true(owner[b] < n && hop[owner[b]].alive);
	for (unsigned int i = 0; i < n; i++) {
		uint64_t share = hop[i].alive ? (uint64_t)buckets * hop[i].weight : 0;
		unsigned int have = count(owner, buckets, i);

		assert_true(have >= share / total);
		assert_true(have <= (share + total - 1) / total);
	}
}

static void buckets_are_enough(void **state)
{
	struct group_hop hop[GROUP_HOPS_MAX];

	(void)state;
	for (unsigned int n = 1; n <= GROUP_HOPS_MAX; n++) {
		unsigned int buckets;

		make_hops(hop, n, 1);
		buckets = group_buckets(hop, n);
		assert_true(buckets >= 128 && buckets >= 16 * n);
		assert_int_equal(buckets & (buckets - 1), 0);
	}
	make_hops(hop, 2, 1);
	assert_int_equal(group_buckets(hop, 2), 128);
	hop[0].weight = 256; /* the lighter one must have something */
	assert_int_equal(group_buckets(hop, 2), 4096);
	make_hops(hop, 64, 1);
	for (int i = 1; i < 64; i++)
		hop[i].weight = 256;
	assert_int_equal(group_buckets(hop, 64), GROUP_BUCKETS_MAX);
}

static void shares_are_even(void **state)
{
	static uint8_t owner[GROUP_BUCKETS_MAX];
	struct group_hop hop[GROUP_HOPS_MAX];

	(void)state;
	for (unsigned int n = 1; n <= GROUP_HOPS_MAX; n++) {
		static const uint32_t weights[] = { 1, 2, 5, 256 };

		for (int w = 0; w < (n % 8 ? 3 : 4); w++) {
			unsigned int buckets;

			make_hops(hop, n, weights[w]);
			buckets = group_buckets(hop, n);
			group_layout(hop, n, owner, buckets);
			check_even(hop, n, owner, buckets);
			for (unsigned int i = 0; i < n; i++)
				assert_true(count(owner, buckets, i) > 0);
		}
	}
}

static void order_does_not_matter(void **state)
{
	(void)state;
	for (int round = 0; round < 200; round++) {
		unsigned int n = 2 + (unsigned int)(random64() % 30), buckets;
		static uint8_t owner[GROUP_BUCKETS_MAX], other[GROUP_BUCKETS_MAX];
		struct group_hop hop[GROUP_HOPS_MAX], shuffled[GROUP_HOPS_MAX];

		make_hops(hop, n, round % 2 ? 1 : 4);
		memcpy(shuffled, hop, sizeof(hop));
		for (unsigned int i = n - 1; i > 0; i--) {
			unsigned int k = (unsigned int)(random64() % (i + 1));
			struct group_hop swap = shuffled[i];

			shuffled[i] = shuffled[k];
			shuffled[k] = swap;
		}
		buckets = group_buckets(hop, n);
		group_layout(hop, n, owner, buckets);
		group_layout(shuffled, n, other, buckets);
		for (unsigned int b = 0; b < buckets; b++)
			assert_int_equal(hop[owner[b]].identity, shuffled[other[b]].identity);
	}
}

/* A hop more or less in the configuration: the others keep nearly all they had. */
static void lists_that_differ_by_one_agree(void **state)
{
	unsigned int extra = 0, rounds = 0;

	(void)state;
	for (unsigned int n = 2; n <= 7; n++) {
		for (int round = 0; round < 50; round++, rounds++) {
			uint8_t owner[128], other[128];
			struct group_hop hop[8];
			unsigned int least = 128 / (n + 1), n_moved;

			make_hops(hop, n + 1, 1);
			assert_int_equal(group_buckets(hop, n + 1), 128);
			group_layout(hop, n, owner, 128);
			group_layout(hop, n + 1, other, 128);
			n_moved = moved(owner, other, 128);
			assert_true(n_moved >= least);
			extra += n_moved - least;
			assert_true(n_moved <= 2 * least + 24);
		}
	}
	/* on average not a tenth of the flows more than the new hop's share */
	assert_true(extra / rounds < 13);
}

/* What moves on loss is what the lost hops had, and no more. */
static void loss_moves_only_what_was_lost(void **state)
{
	static uint8_t owner[GROUP_BUCKETS_MAX], before[GROUP_BUCKETS_MAX];

	(void)state;
	for (int round = 0; round < 400; round++) {
		unsigned int n = 2 + (unsigned int)(random64() % 63), buckets, lost = 0;
		struct group_hop hop[GROUP_HOPS_MAX];

		make_hops(hop, n, 1);
		buckets = group_buckets(hop, n);
		group_layout(hop, n, owner, buckets);
		memcpy(before, owner, buckets);
		for (unsigned int i = 1; i < n; i++) {
			hop[i].alive = random64() % 3;
			if (!hop[i].alive)
				lost += count(owner, buckets, i);
		}
		group_relayout(hop, n, owner, buckets);
		check_even(hop, n, owner, buckets);
		assert_int_equal(moved(before, owner, buckets), lost);
		/* and again: nothing */
		memcpy(before, owner, buckets);
		group_relayout(hop, n, owner, buckets);
		assert_int_equal(moved(before, owner, buckets), 0);
	}
}

/* With weights the shares of those that stay may shrink by a bucket: moves are the sum of gains. */
static void any_change_moves_the_least(void **state)
{
	static uint8_t owner[GROUP_BUCKETS_MAX], before[GROUP_BUCKETS_MAX];

	(void)state;
	for (int round = 0; round < 100; round++) {
		unsigned int n = 2 + (unsigned int)(random64() % 20), buckets;
		struct group_hop hop[GROUP_HOPS_MAX];

		make_hops(hop, n, 1 + round % 5);
		buckets = group_buckets(hop, n);
		group_layout(hop, n, owner, buckets);
		for (int step = 0; step < 20; step++) {
			unsigned int gains = 0;

			hop[random64() % n].alive ^= true;
			hop[0].alive = true;
			memcpy(before, owner, buckets);
			group_relayout(hop, n, owner, buckets);
			check_even(hop, n, owner, buckets);
			for (unsigned int i = 0; i < n; i++) {
				unsigned int had = count(before, buckets, i);
				unsigned int has = count(owner, buckets, i);

				gains += has > had ? has - had : 0;
			}
			assert_int_equal(moved(before, owner, buckets), gains);
		}
	}
}

/* A hop that comes back takes its quota, each other gives its part of it. */
static void return_takes_just_the_quota(void **state)
{
	(void)state;
	for (unsigned int n = 2; n <= 8; n++) {
		uint8_t owner[128], before[128];
		struct group_hop hop[8];
		unsigned int n_moved;

		make_hops(hop, n, 1);
		hop[0].alive = false;
		group_layout(hop, n, owner, 128);
		group_relayout(hop, n, owner, 128);
		memcpy(before, owner, 128);
		hop[0].alive = true;
		group_relayout(hop, n, owner, 128);
		check_even(hop, n, owner, 128);
		n_moved = moved(before, owner, 128);
		assert_int_equal(n_moved, count(owner, 128, 0));
		assert_true(n_moved <= (128 + n - 1) / n);
	}
}

static void nobody_alive_changes_nothing(void **state)
{
	uint8_t owner[128], before[128];
	struct group_hop hop[3];

	(void)state;
	make_hops(hop, 3, 1);
	group_layout(hop, 3, owner, 128);
	memcpy(before, owner, 128);
	hop[0].alive = hop[1].alive = hop[2].alive = false;
	group_relayout(hop, 3, owner, 128);
	assert_memory_equal(before, owner, 128);
}

/* A hash that fails us must not hang or write beyond. */
static void equal_identities_are_survived(void **state)
{
	uint8_t owner[128];
	struct group_hop hop[8];

	(void)state;
	make_hops(hop, 8, 1);
	for (int i = 0; i < 8; i++)
		hop[i].identity = 42;
	group_layout(hop, 8, owner, 128);
	check_even(hop, 8, owner, 128);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_are_enough),
		cmocka_unit_test(shares_are_even),
		cmocka_unit_test(order_does_not_matter),
		cmocka_unit_test(lists_that_differ_by_one_agree),
		cmocka_unit_test(loss_moves_only_what_was_lost),
		cmocka_unit_test(any_change_moves_the_least),
		cmocka_unit_test(return_takes_just_the_quota),
		cmocka_unit_test(nobody_alive_changes_nothing),
		cmocka_unit_test(equal_identities_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
