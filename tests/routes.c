// SPDX-License-Identifier: BSD-3-Clause
/*
 * Owns the tests' route table: a list, a hash to find routes in it, and a trie
 * of one bit a level for what a FIB asks.
 */
#include "routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOT_THERE UINT32_MAX

struct trie_node {
	uint32_t child[2]; /* 0: none; the root is nobody's child */
	uint32_t route;    /* in the list, or NOT_THERE */
};

struct routes {
	unsigned int bits;
	struct route *list;
	uint32_t count, room;
	uint32_t *slot; /* in the list, or NOT_THERE; linear probing */
	uint32_t slot_mask;
	uint32_t of_length[129];
	struct trie_node *node;
	uint32_t nodes, node_room, free_node; /* free ones are chained by child[0] */
};

static void *grown(void *memory, size_t bytes)
{
	memory = realloc(memory, bytes);
	if (!memory) {
		perror("routes");
		abort();
	}
	return memory;
}

static uint64_t mask_hi(unsigned int length)
{
	return length == 0 ? 0 : length >= 64 ? UINT64_MAX : ~(UINT64_MAX >> length);
}

static struct ipv6_key masked(struct ipv6_key a, unsigned int length)
{
	return (struct ipv6_key){ a.hi & mask_hi(length),
				  a.lo & (length > 64 ? mask_hi(length - 64) : 0) };
}

struct prefix_key prefix6(uint64_t hi, uint64_t lo, unsigned int length)
{
	return (struct prefix_key){ masked((struct ipv6_key){ hi, lo }, length), (uint8_t)length };
}

struct prefix_key prefix4(uint32_t address, unsigned int length)
{
	return prefix6((uint64_t)address << 32, 0, length);
}

static unsigned int bit_at(struct ipv6_key a, unsigned int i)
{
	return (i < 64 ? a.hi >> (63 - i) : a.lo >> (127 - i)) & 1;
}

/* ---- hash ---- */

static uint32_t slot_of(const struct routes *r, struct prefix_key p)
{
	uint64_t h = p.address.hi * 0x9e3779b97f4a7c15ull;

	h = (h ^ h >> 29 ^ p.address.lo ^ (uint64_t)p.length << 57) * 0xbf58476d1ce4e5b9ull;
	h ^= h >> 32;
	return (uint32_t)(h * 0x94d049bb133111ebull >> 32) & r->slot_mask;
}

static bool same_prefix(struct prefix_key a, struct prefix_key b)
{
	return a.address.hi == b.address.hi && a.address.lo == b.address.lo && a.length == b.length;
}

/* The slot that holds p, or the free one where it belongs. */
static uint32_t slot_find(const struct routes *r, struct prefix_key p)
{
	uint32_t s = slot_of(r, p);

	while (r->slot[s] != NOT_THERE && !same_prefix(r->list[r->slot[s]].prefix, p))
		s = (s + 1) & r->slot_mask;
	return s;
}

/* Whoever stands behind a freed slot and could not be found any more moves up. */
static void slot_clear(struct routes *r, uint32_t hole)
{
	r->slot[hole] = NOT_THERE;
	for (uint32_t s = (hole + 1) & r->slot_mask; r->slot[s] != NOT_THERE;
	     s = (s + 1) & r->slot_mask) {
		uint32_t route = r->slot[s];

		r->slot[s] = NOT_THERE;
		r->slot[slot_find(r, r->list[route].prefix)] = route;
	}
}

static void slots_grow(struct routes *r)
{
	uint32_t slots = 2 * (r->slot_mask + 1);

	r->slot = grown(r->slot, slots * sizeof(*r->slot));
	memset(r->slot, 0xff, slots * sizeof(*r->slot));
	r->slot_mask = slots - 1;
	for (uint32_t i = 0; i < r->count; i++)
		r->slot[slot_find(r, r->list[i].prefix)] = i;
}

/* ---- trie ---- */

static uint32_t node_new(struct routes *r)
{
	uint32_t n = r->free_node;

	if (n != 0) {
		r->free_node = r->node[n].child[0];
	} else {
		if (r->nodes == r->node_room) {
			r->node_room = r->node_room ? 2 * r->node_room : 1024;
			r->node = grown(r->node, r->node_room * sizeof(*r->node));
		}
		n = r->nodes++;
	}
	r->node[n] = (struct trie_node){ { 0, 0 }, NOT_THERE };
	return n;
}

static uint32_t trie_make(struct routes *r, struct prefix_key p)
{
	uint32_t n = 0;

	for (unsigned int i = 0; i < p.length; i++) {
		unsigned int bit = bit_at(p.address, i);

		if (r->node[n].child[bit] == 0) {
			uint32_t child = node_new(r);

			r->node[n].child[bit] = child;
		}
		n = r->node[n].child[bit];
	}
	return n;
}

/* The node of p, or 0 if there is none below the root. */
static uint32_t trie_find(const struct routes *r, struct prefix_key p)
{
	uint32_t n = 0;

	for (unsigned int i = 0; i < p.length; i++) {
		n = r->node[n].child[bit_at(p.address, i)];
		if (n == 0)
			return 0;
	}
	return n;
}

static void trie_delete(struct routes *r, struct prefix_key p)
{
	uint32_t path[129], n = 0;

	for (unsigned int i = 0; i < p.length; i++) {
		path[i] = n;
		n = r->node[n].child[bit_at(p.address, i)];
	}
	r->node[n].route = NOT_THERE;
	for (unsigned int i = p.length; i-- > 0;) {
		if (r->node[n].child[0] || r->node[n].child[1] || r->node[n].route != NOT_THERE)
			return;
		r->node[n].child[0] = r->free_node;
		r->free_node = n;
		n = path[i];
		r->node[n].child[bit_at(p.address, i)] = 0;
	}
}

/* ---- the table ---- */

struct routes *routes_new(unsigned int bits)
{
	struct routes *r = grown(NULL, sizeof(*r));

	*r = (struct routes){ .bits = bits, .slot_mask = 511 };
	slots_grow(r);
	node_new(r);
	return r;
}

void routes_free(struct routes *r)
{
	free(r->list);
	free(r->slot);
	free(r->node);
	free(r);
}

void routes_set(struct routes *r, struct prefix_key prefix, uint32_t leaf)
{
	uint32_t s = slot_find(r, prefix);

	if (r->slot[s] != NOT_THERE) {
		r->list[r->slot[s]].leaf = leaf;
		return;
	}
	if (r->count == r->room) {
		r->room = r->room ? 2 * r->room : 256;
		r->list = grown(r->list, r->room * sizeof(*r->list));
	}
	r->slot[s] = r->count;
	uint32_t node = trie_make(r, prefix);

	r->node[node].route = r->count;
	r->list[r->count++] = (struct route){ prefix, leaf };
	r->of_length[prefix.length]++;
	if (r->count > r->slot_mask / 2)
		slots_grow(r);
}

bool routes_delete(struct routes *r, struct prefix_key prefix)
{
	uint32_t s = slot_find(r, prefix), i = r->slot[s];

	if (i == NOT_THERE)
		return false;
	slot_clear(r, s);
	trie_delete(r, prefix);
	r->of_length[prefix.length]--;
	if (i != --r->count) {
		r->slot[slot_find(r, r->list[r->count].prefix)] = i;
		r->list[i] = r->list[r->count];
		r->node[trie_find(r, r->list[i].prefix)].route = i;
	}
	return true;
}

size_t routes_count(const struct routes *r)
{
	return r->count;
}

const struct route *routes_at(const struct routes *r, size_t i)
{
	return &r->list[i];
}

uint32_t routes_match(const struct routes *r, struct ipv6_key address)
{
	for (int length = (int)r->bits; length >= 0; length--) {
		if (r->of_length[length] == 0)
			continue;
		uint32_t route = r->slot[slot_find(
			r, prefix6(address.hi, address.lo, (unsigned int)length))];

		if (route != NOT_THERE)
			return r->list[route].leaf;
	}
	return 0;
}

/* ---- what a FIB asks ---- */

static uint32_t cover(void *ctx, struct prefix_key range)
{
	const struct routes *r = ctx;
	uint32_t n = 0, leaf = 0;

	for (unsigned int i = 0;; i++) {
		if (r->node[n].route != NOT_THERE)
			leaf = r->list[r->node[n].route].leaf;
		if (i == range.length)
			return leaf;
		n = r->node[n].child[bit_at(range.address, i)];
		if (n == 0)
			return leaf;
	}
}

static void walk_below(const struct routes *r, uint32_t n,
		       void (*visit)(void *arg, struct prefix_key prefix, uint32_t leaf), void *arg)
{
	for (unsigned int bit = 0; bit < 2; bit++) {
		uint32_t child = r->node[n].child[bit];

		if (child == 0)
			continue;
		if (r->node[child].route != NOT_THERE) {
			const struct route *route = &r->list[r->node[child].route];

			visit(arg, route->prefix, route->leaf);
		}
		walk_below(r, child, visit, arg);
	}
}

static void walk(void *ctx, struct prefix_key range,
		 void (*visit)(void *arg, struct prefix_key prefix, uint32_t leaf), void *arg)
{
	const struct routes *r = ctx;
	uint32_t n = trie_find(r, range);

	if (n != 0 || range.length == 0)
		walk_below(r, n, visit, arg);
}

struct fib_source routes_source(struct routes *routes)
{
	return (struct fib_source){ cover, walk, routes };
}
