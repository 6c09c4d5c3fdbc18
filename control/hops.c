// SPDX-License-Identifier: BSD-3-Clause
/* Interns next hops and groups in arrays with chained hash tables beside them. */
#include "hops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "group.h"

#define TABLE_FIRST 256

static uint64_t hash_word(uint64_t h, uint64_t word)
{
	h = (h ^ word) * 0x9e3779b97f4a7c15;
	return h ^ h >> 29;
}

static uint32_t hash_key(const struct hop_key *key)
{
	uint64_t h = hash_word(key->port * 2u + key->via_default, key->gateway.key.hi);

	return (uint32_t)(hash_word(hash_word(h, key->gateway.key.lo), key->gateway.ipv6) >> 16);
}

static uint32_t hash_choices(const struct hop_choice *choice, uint32_t n)
{
	uint64_t h = n;

	for (uint32_t i = 0; i < n; i++)
		h = hash_word(h, (uint64_t)choice[i].hop << 32 | choice[i].weight);
	return (uint32_t)(h >> 16);
}

/* ---- growing ---- */

static int grow(void *array, uint32_t *allocated, uint32_t used, size_t bytes)
{
	uint32_t more = *allocated ? *allocated * 2 : TABLE_FIRST;
	void *grown;

	if (used < *allocated)
		return 0;
	grown = realloc(*(void **)array, more * bytes);
	if (!grown)
		return -ENOMEM;
	*(void **)array = grown;
	*allocated = more;
	return 0;
}

static void link_hop(struct hops *hops, uint32_t index)
{
	uint32_t *head = &hops->hop_table[hash_key(&hops->hop[index].key) & hops->hop_table_mask];

	hops->hop[index].next = *head;
	*head = index;
}

static void link_group(struct hops *hops, uint32_t index)
{
	struct hop_group *g = &hops->group[index];
	uint32_t hash = hash_choices(g->choice, g->choices);
	uint32_t *head = &hops->group_table[hash & hops->group_table_mask];

	g->next = *head;
	*head = index;
}

/* Keep the tables as large as the arrays; without memory chains get longer, no more. */
static void grow_tables(struct hops *hops)
{
	uint32_t *table;

	if (hops->hop_count > hops->hop_table_mask) {
		table = calloc(hops->hop_table_mask * 2 + 2, sizeof(*table));
		if (!table)
			return;
		free(hops->hop_table);
		hops->hop_table = table;
		hops->hop_table_mask = hops->hop_table_mask * 2 + 1;
		for (uint32_t i = LEAF_FIRST_FREE; i < hops->hop_count; i++)
			if (hops->hop[i].references)
				link_hop(hops, i);
	}
	if (hops->group_count > hops->group_table_mask) {
		table = calloc(hops->group_table_mask * 2 + 2, sizeof(*table));
		if (!table)
			return;
		free(hops->group_table);
		hops->group_table = table;
		hops->group_table_mask = hops->group_table_mask * 2 + 1;
		for (uint32_t i = 1; i < hops->group_count; i++)
			if (hops->group[i].references)
				link_group(hops, i);
	}
}

int hops_init(struct hops *hops)
{
	*hops = (struct hops){ .hop_count = LEAF_FIRST_FREE, .group_count = 1 };
	hops->group_limit = GROUPS_MAX;
	hops->hop_table_mask = hops->group_table_mask = TABLE_FIRST - 1;
	hops->hop_table = calloc(TABLE_FIRST, sizeof(*hops->hop_table));
	hops->group_table = calloc(TABLE_FIRST, sizeof(*hops->group_table));
	if (!hops->hop_table || !hops->group_table ||
	    grow(&hops->hop, &hops->hop_allocated, LEAF_FIRST_FREE, sizeof(*hops->hop)) ||
	    grow(&hops->group, &hops->group_allocated, 1, sizeof(*hops->group))) {
		hops_fini(hops);
		return -ENOMEM;
	}
	memset(hops->hop, 0, LEAF_FIRST_FREE * sizeof(*hops->hop));
	memset(hops->group, 0, sizeof(*hops->group));
	return 0;
}

void hops_fini(struct hops *hops)
{
	for (uint32_t i = 1; hops->group && i < hops->group_count; i++) {
		free(hops->group[i].choice);
		free(hops->group[i].owner);
	}
	free(hops->hop);
	free(hops->group);
	free(hops->hop_table);
	free(hops->group_table);
	*hops = (struct hops){ 0 };
}

/* ---- next hops ---- */

static bool same_key(const struct hop_key *a, const struct hop_key *b)
{
	return a->port == b->port && a->via_default == b->via_default &&
	       ip_address_equal(&a->gateway, &b->gateway);
}

uint32_t hops_find(const struct hops *hops, const struct hop_key *key)
{
	uint32_t i = hops->hop_table[hash_key(key) & hops->hop_table_mask];

	while (i && !same_key(&hops->hop[i].key, key))
		i = hops->hop[i].next;
	return i;
}

int hops_take(struct hops *hops, const struct hop_key *key, uint64_t identity, uint32_t *index,
	      bool *fresh)
{
	uint32_t i = hops_find(hops, key);

	*index = i;
	*fresh = !i;
	if (i) {
		hops->hop[i].references++;
		return 0;
	}
	i = hops->hop_free;
	if (i) {
		hops->hop_free = hops->hop[i].next;
	} else {
		if (hops->hop_count == HOPS_MAX)
			return -ENOSPC;
		if (grow(&hops->hop, &hops->hop_allocated, hops->hop_count, sizeof(*hops->hop)))
			return -ENOMEM;
		i = hops->hop_count++;
	}
	hops->hop[i] =
		(struct hop){ .key = *key, .references = 1, .used = true, .identity = identity };
	link_hop(hops, i);
	grow_tables(hops);
	*index = i;
	return 0;
}

static void release_hop(struct hops *hops, uint32_t index)
{
	struct hop *h = &hops->hop[index];
	uint32_t *link = &hops->hop_table[hash_key(&h->key) & hops->hop_table_mask];

	if (--h->references)
		return;
	while (*link != index)
		link = &hops->hop[*link].next;
	*link = h->next;
	h->next = hops->hop_released;
	hops->hop_released = index;
}

/* ---- groups ---- */

static int by_hop(const void *a, const void *b)
{
	const struct hop_choice *x = a, *y = b;

	return x->hop < y->hop ? -1 : x->hop > y->hop;
}

/* Sort by hop; one that is there twice counts once, with both weights. */
static uint32_t canonical(struct hops *hops, struct hop_choice *choice, uint32_t n)
{
	uint32_t kept = 0;

	qsort(choice, n, sizeof(*choice), by_hop);
	for (uint32_t i = 0; i < n; i++) {
		if (kept && choice[kept - 1].hop == choice[i].hop) {
			choice[kept - 1].weight += choice[i].weight;
			release_hop(hops, choice[i].hop);
		} else {
			choice[kept++] = choice[i];
		}
	}
	return kept;
}

static void describe(const struct hops *hops, const struct hop_group *g, struct group_hop *list)
{
	for (uint32_t i = 0; i < g->choices; i++) {
		const struct hop *h = &hops->hop[g->choice[i].hop];

		list[i] = (struct group_hop){ .identity = h->identity,
					      .weight = g->choice[i].weight,
					      .alive = h->resolved };
	}
}

static uint32_t find_group(const struct hops *hops, const struct hop_choice *choice, uint32_t n)
{
	uint32_t i = hops->group_table[hash_choices(choice, n) & hops->group_table_mask];

	while (i && (hops->group[i].choices != n ||
		     memcmp(hops->group[i].choice, choice, n * sizeof(*choice)) != 0))
		i = hops->group[i].next;
	return i;
}

/* Make the group of a set, which holds the set's references from then on. */
static int make_group(struct hops *hops, const struct hop_choice *choice, uint32_t n,
		      uint32_t *index)
{
	struct group_hop list[GROUP_HOPS_MAX];
	struct hop_group g = { .choices = n, .references = 1 };

	if (!hops->group_free &&
	    grow(&hops->group, &hops->group_allocated, hops->group_count, sizeof(*hops->group)))
		return -ENOMEM;
	g.choice = malloc(n * sizeof(*choice));
	if (!g.choice)
		return -ENOMEM;
	memcpy(g.choice, choice, n * sizeof(*choice));
	describe(hops, &g, list);
	g.buckets = group_buckets(list, n);
	g.owner = malloc(g.buckets);
	if (!g.owner) {
		free(g.choice);
		return -ENOMEM;
	}
	group_layout(list, n, g.owner, g.buckets);
	group_relayout(list, n, g.owner, g.buckets);
	*index = hops->group_free;
	if (*index)
		hops->group_free = hops->group[*index].next;
	else
		*index = hops->group_count++;
	hops->group[*index] = g;
	link_group(hops, *index);
	grow_tables(hops);
	return 0;
}

static void release_choices(struct hops *hops, const struct hop_choice *choice, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		release_hop(hops, choice[i].hop);
}

/* No group is left: all flows take one next hop, a resolved one if there is any. */
static uint32_t best_choice(struct hops *hops, const struct hop_choice *choice, uint32_t n)
{
	uint32_t best = 0;

	for (uint32_t i = 1; i < n; i++) {
		bool resolved = hops->hop[choice[i].hop].resolved;
		bool best_resolved = hops->hop[choice[best].hop].resolved;

		if (resolved != best_resolved ? resolved : choice[i].weight > choice[best].weight)
			best = i;
	}
	hops->hop[choice[best].hop].references++;
	release_choices(hops, choice, n);
	hops->narrowed++;
	return choice[best].hop;
}

int hops_leaf(struct hops *hops, struct hop_choice *choice, uint32_t n, uint32_t *leaf)
{
	uint32_t index;
	int rc;

	n = canonical(hops, choice, n);
	if (n == 1) {
		*leaf = choice[0].hop;
		return 0;
	}
	index = find_group(hops, choice, n);
	if (index) {
		hops->group[index].references++;
		release_choices(hops, choice, n);
		*leaf = LEAF_GROUP | index;
		return 0;
	}
	if (!hops->group_free && hops->group_count > hops->group_limit) {
		*leaf = best_choice(hops, choice, n);
		return 0;
	}
	rc = make_group(hops, choice, n, &index);
	if (rc)
		release_choices(hops, choice, n);
	else
		*leaf = LEAF_GROUP | index;
	return rc;
}

static void release_group(struct hops *hops, uint32_t index)
{
	struct hop_group *g = &hops->group[index];
	uint32_t hash = hash_choices(g->choice, g->choices);
	uint32_t *link = &hops->group_table[hash & hops->group_table_mask];

	if (--g->references)
		return;
	while (*link != index)
		link = &hops->group[*link].next;
	*link = g->next;
	release_choices(hops, g->choice, g->choices);
	g->next = hops->group_released;
	hops->group_released = index;
}

void hops_release(struct hops *hops, uint32_t leaf)
{
	if (leaf & LEAF_GROUP)
		release_group(hops, leaf & ~LEAF_GROUP);
	else if (leaf >= LEAF_FIRST_FREE)
		release_hop(hops, leaf);
}

void hops_settle(struct hops *hops)
{
	uint32_t i;

	while ((i = hops->hop_released)) {
		hops->hop_released = hops->hop[i].next;
		hops->hop[i].used = false;
		hops->hop[i].next = hops->hop_free;
		hops->hop_free = i;
	}
	while ((i = hops->group_released)) {
		struct hop_group *g = &hops->group[i];

		hops->group_released = g->next;
		free(g->choice);
		free(g->owner);
		*g = (struct hop_group){ .next = hops->group_free };
		hops->group_free = i;
	}
}

void hops_relayout(struct hops *hops)
{
	struct group_hop list[GROUP_HOPS_MAX];

	for (uint32_t i = 1; i < hops->group_count; i++) {
		struct hop_group *g = &hops->group[i];

		if (!g->choice)
			continue;
		describe(hops, g, list);
		group_relayout(list, g->choices, g->owner, g->buckets);
	}
}
