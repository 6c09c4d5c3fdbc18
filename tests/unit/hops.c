// SPDX-License-Identifier: BSD-3-Clause
/* Next hops and groups: one of a kind, counted, never reused too early. */
#include "test.h"

#include <string.h>

#include "hops.h"

/* Takes the next hop of a gateway on port 3. */
static uint32_t take(struct hops *hops, uint32_t gateway)
{
	struct hop_key key = { .gateway.key.hi = (uint64_t)gateway << 32, .port = 3 };
	uint32_t index;
	bool fresh;

	assert_int_equal(hops_take(hops, &key, gateway * 0x9e3779b97f4a7c15, &index, &fresh), 0);
	if (fresh)
		hops->hop[index].resolved = true;
	return index;
}

static uint32_t leaf_of(struct hops *hops, const uint32_t *gateway, uint32_t n)
{
	struct hop_choice choice[64];
	uint32_t leaf;

	for (uint32_t i = 0; i < n; i++)
		choice[i] = (struct hop_choice){ take(hops, gateway[i]), 1 };
	assert_int_equal(hops_leaf(hops, choice, n, &leaf), 0);
	return leaf;
}

static void keys_tell_next_hops_apart(void **state)
{
	struct hop_key key = { .gateway.key.hi = 5, .port = 1 };
	uint32_t index[5], again;
	struct hops hops;
	bool fresh;

	(void)state;
	assert_int_equal(hops_init(&hops), 0);
	for (int i = 0; i < 5; i++) {
		key.port = i == 1 ? 2 : 1;
		key.via_default = i == 2;
		key.gateway.ipv6 = i == 3;
		key.gateway.key.lo = i == 4;
		assert_int_equal(hops_take(&hops, &key, 0, &index[i], &fresh), 0);
		assert_true(fresh);
		assert_true(index[i] >= LEAF_FIRST_FREE);
		for (int k = 0; k < i; k++)
			assert_int_not_equal(index[i], index[k]);
	}
	assert_int_equal(hops_take(&hops, &key, 0, &again, &fresh), 0);
	assert_false(fresh);
	assert_int_equal(again, index[4]);
	hops_fini(&hops);
}

static void sets_are_interned_and_counted(void **state)
{
	static const uint32_t forth[] = { 1, 2, 3 }, back[] = { 3, 1, 2 }, two[] = { 1, 2 };
	struct hops hops;
	uint32_t a, b, c;

	(void)state;
	assert_int_equal(hops_init(&hops), 0);
	a = leaf_of(&hops, forth, 3);
	b = leaf_of(&hops, back, 3);
	c = leaf_of(&hops, two, 2);
	assert_int_equal(a, b);
	assert_int_not_equal(a, c);
	hops_release(&hops, a);
	assert_int_equal(hops.group[b & ~LEAF_GROUP].references, 1);
	assert_int_equal(hops.hop[take(&hops, 1)].references, 3); /* both groups and this */
	hops_release(&hops, b);
	assert_int_equal(hops.group[b & ~LEAF_GROUP].references, 0);
	hops_release(&hops, c);
	assert_int_equal(hops.hop[take(&hops, 1)].references, 2); /* only this test */
	hops_fini(&hops);
}

/* What workers may still look up keeps its index until hops_settle(). */
static void indices_rest_before_they_are_reused(void **state)
{
	static const uint32_t one[] = { 1, 2 }, other[] = { 3, 4 };
	struct hops hops;
	uint32_t group, hop, next;

	(void)state;
	assert_int_equal(hops_init(&hops), 0);
	group = leaf_of(&hops, one, 2);
	hop = take(&hops, 9);
	hops_release(&hops, group);
	hops_release(&hops, hop);
	next = take(&hops, 10);
	assert_int_not_equal(next, hop);
	assert_int_not_equal(leaf_of(&hops, other, 2), group);
	assert_true(hops.hop[hop].used);
	hops_settle(&hops);
	assert_false(hops.hop[hop].used);
	for (uint32_t i = 11; i < 14; i++) /* the three next hops that were released */
		assert_true(take(&hops, i) < next);
	assert_int_equal(leaf_of(&hops, (uint32_t[]){ 3, 9 }, 2), group);
	hops_fini(&hops);
}

static void many_sets_are_found_again(void **state)
{
	enum { N = 40 };
	static uint32_t leaf[N][N];
	struct hops hops;

	(void)state;
	assert_int_equal(hops_init(&hops), 0);
	for (int round = 0; round < 2; round++)
		for (uint32_t i = 0; i < N; i++)
			for (uint32_t k = 0; k < i; k++) {
				uint32_t now = leaf_of(&hops, (uint32_t[]){ i + 1, k + 1 }, 2);

				if (round)
					assert_int_equal(now, leaf[i][k]);
				leaf[i][k] = now;
			}
	assert_int_equal(hops.group_count, 1 + N * (N - 1) / 2);
	hops_fini(&hops);
}

static void beyond_the_last_group_one_hop_serves(void **state)
{
	struct hops hops;
	uint32_t leaf;

	(void)state;
	assert_int_equal(hops_init(&hops), 0);
	hops.group_limit = 1;
	assert_true(leaf_of(&hops, (uint32_t[]){ 1, 2 }, 2) & LEAF_GROUP);
	assert_int_equal(hops.narrowed, 0);
	hops.hop[take(&hops, 3)].resolved = false;
	leaf = leaf_of(&hops, (uint32_t[]){ 3, 4 }, 2);
	assert_int_equal(leaf, take(&hops, 4)); /* the one that is resolved */
	assert_int_equal(hops.narrowed, 1);
	assert_true(leaf_of(&hops, (uint32_t[]){ 2, 1 }, 2) & LEAF_GROUP);
	hops_fini(&hops);
}

static unsigned int buckets_of(const struct hops *hops, uint32_t leaf, uint32_t hop)
{
	const struct hop_group *g = &hops->group[leaf & ~LEAF_GROUP];
	unsigned int n = 0;

	for (uint32_t i = 0; i < g->buckets; i++)
		n += g->choice[g->owner[i]].hop == hop;
	return n;
}

static void buckets_follow_who_is_resolved(void **state)
{
	struct hops hops;
	uint32_t leaf, hop;

	(void)state;
	assert_int_equal(hops_init(&hops), 0);
	leaf = leaf_of(&hops, (uint32_t[]){ 1, 2 }, 2);
	hop = take(&hops, 1);
	assert_int_equal(buckets_of(&hops, leaf, hop), 64);
	hops.hop[hop].resolved = false;
	hops_relayout(&hops);
	assert_int_equal(buckets_of(&hops, leaf, hop), 0);
	hops.hop[hop].resolved = true;
	hops_relayout(&hops);
	assert_int_equal(buckets_of(&hops, leaf, hop), 64);
	hops_fini(&hops);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_tell_next_hops_apart),
		cmocka_unit_test(sets_are_interned_and_counted),
		cmocka_unit_test(indices_rest_before_they_are_reused),
		cmocka_unit_test(many_sets_are_found_again),
		cmocka_unit_test(beyond_the_last_group_one_hop_serves),
		cmocka_unit_test(buckets_follow_who_is_resolved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
