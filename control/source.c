// SPDX-License-Identifier: BSD-3-Clause
/*
 * Turns the members' prefixes into tables for the source check: a prefix leads
 * to a class, a class is the set of parties that list exactly this prefix.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "model_state.h"

/* A member lists a prefix. */
struct listing {
	struct ip_prefix prefix;
	uint16_t party;
};

/* Classes while they are collected: sets of parties, each once. Class 0 is nobody. */
struct classes {
	uint64_t *allowed;
	uint32_t words, count, allocated;
	uint32_t *table; /* hash of a set -> class, open addressing; 0: free */
	uint32_t table_mask;
};

static int prefix_order(const struct ip_prefix *a, const struct ip_prefix *b)
{
	int order = (int)a->ipv6 - (int)b->ipv6;

	if (!order)
		order = ip_key_compare(a->key.address, b->key.address);
	return order ? order : (int)a->key.length - (int)b->key.length;
}

static int by_prefix(const void *a, const void *b)
{
	return prefix_order(&((const struct listing *)a)->prefix,
			    &((const struct listing *)b)->prefix);
}

static uint64_t *class_bits(const struct classes *c, uint32_t class)
{
	return &c->allowed[(size_t) class * c->words];
}

static uint32_t hash_bits(const struct classes *c, const uint64_t *bits)
{
	uint64_t h = 0;

	for (uint32_t i = 0; i < c->words; i++) {
		h = (h ^ bits[i]) * 0x9e3779b97f4a7c15;
		h ^= h >> 31;
	}
	return (uint32_t)h;
}

/* The set is written to the row behind the last class; it becomes a class if it is new. */
static uint32_t class_of(struct classes *c)
{
	const uint64_t *bits = class_bits(c, c->count);
	uint32_t at = hash_bits(c, bits) & c->table_mask;

	while (c->table[at] && memcmp(class_bits(c, c->table[at]), bits, c->words * 8) != 0)
		at = (at + 1) & c->table_mask;
	if (!c->table[at])
		c->table[at] = c->count++;
	return c->table[at];
}

/* An empty set behind the last class. */
static int class_begin(struct classes *c)
{
	if (c->count == c->allocated) {
		uint64_t *grown = realloc(c->allowed, (size_t)c->allocated * 2 * c->words * 8);

		if (!grown)
			return -ENOMEM;
		c->allowed = grown;
		c->allocated *= 2;
	}
	memset(class_bits(c, c->count), 0, c->words * 8);
	return 0;
}

static int classes_init(struct classes *c, size_t listings, uint16_t parties)
{
	uint32_t slots = 16;

	while (slots < listings * 2)
		slots *= 2;
	*c = (struct classes){ .words = (parties + 63u) / 64 + !parties,
			       .count = 1,
			       .allocated = 16,
			       .table_mask = slots - 1 };
	c->allowed = calloc((size_t)c->allocated * c->words, 8);
	c->table = calloc(slots, sizeof(*c->table));
	return c->allowed && c->table ? 0 : -ENOMEM;
}

/* Every member's prefixes, ascending. NULL without memory. */
static struct listing *collect(const struct model *model, size_t *n)
{
	const struct config *config = model->config;
	struct listing *list;

	*n = 0;
	for (size_t m = 0; m < config->member_count; m++)
		*n += config->members[m].prefix_count;
	list = malloc((*n + 1) * sizeof(*list));
	if (!list)
		return NULL;
	*n = 0;
	for (size_t m = 0; m < config->member_count; m++)
		for (size_t i = 0; i < config->members[m].prefix_count; i++)
			list[(*n)++] = (struct listing){ config->members[m].prefixes[i],
							 model_member_party(model, m) };
	qsort(list, *n, sizeof(*list), by_prefix);
	return list;
}

static int fill(struct rib *rib, struct classes *c, const struct listing *list, size_t n)
{
	for (size_t i = 0; i < n;) {
		const struct ip_prefix *prefix = &list[i].prefix;
		uint32_t old;
		int rc;

		if (class_begin(c))
			return -ENOMEM;
		for (; i < n && prefix_order(prefix, &list[i].prefix) == 0; i++)
			class_bits(c, c->count)[list[i].party / 64] |= 1ull << list[i].party % 64;
		rc = rib_set(rib, prefix, ROUTE_STATIC, class_of(c), &old);
		if (rc)
			return rc;
	}
	return 0;
}

static bool wanted(const struct config *config)
{
	for (size_t i = 0; i < config->port_count; i++)
		if (config->ports[i].source_check == CONFIG_SOURCE_PREFIXES)
			return true;
	return false;
}

struct table *source_table_create(const struct model *model)
{
	const struct prefix_key all = { 0 };
	struct rib *rib = rib_create(UINT64_MAX, UINT64_MAX);
	struct table *table = table_create();
	struct classes c = { 0 };
	struct listing *list;
	bool use = wanted(model->config), failed = true;
	size_t n;

	list = collect(model, &n);
	if (!rib || !table || !list || classes_init(&c, n, model_parties(model)))
		goto out;
	if (use && fill(rib, &c, list, n))
		goto out;
	table->fib4 = fib4_apply(NULL, &all, use, rib_source(rib, false));
	table->fib6 = fib6_apply(NULL, &all, use, rib_source(rib, true));
	table->allowed = c.allowed;
	table->allowed_words = c.words;
	c.allowed = NULL;
	failed = !table->fib4 || !table->fib6;
out:
	if (failed) {
		table_unref(table);
		table = NULL;
	}
	rib_free(rib);
	free(c.allowed);
	free(c.table);
	free(list);
	return table;
}
