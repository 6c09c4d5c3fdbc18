// SPDX-License-Identifier: BSD-3-Clause
/*
 * Keeps the routes of each family in a path-compressed binary trie of 32-byte
 * nodes, 64 bytes a prefix at most: a node is a prefix, or the fork of two.
 */
#include "rib.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX        130 /* nodes on a path: lengths 0 to 128 */
#define NODES_MAX        (1u << 24)
#define INDEX_MASK       (NODES_MAX - 1)
#define DIRTY_MAX        16384
#define DIRTY_FIRST      16
#define NODES_FIRST      256
#define ALTERNATES_FIRST 64

/*
 * Children are 24-bit indices; the top byte of child[0] is the length, of child[1]
 * the source of the best route (ROUTE_NONE: a fork). Index 0, the root, is nobody's
 * child and means none.
 */
struct node {
	struct ipv6_key address;
	uint32_t child[2];
	uint32_t leaf;      /* of the best route */
	uint32_t alternate; /* first of the prefix's other routes, best first; 0: none */
};

/* A route that another source outdoes. */
struct alternate {
	uint32_t leaf;
	uint32_t next;
	uint32_t source;
};

/* An array that grows, its free slots chained. Slot 0 is never given out. */
struct pool {
	void *slot;
	uint32_t used, allocated, free, free_count;
};

struct family {
	struct pool node, alternate;
	uint64_t capacity, prefixes;
	uint64_t in_force[ROUTE_SOURCES], routes[ROUTE_SOURCES];
	struct prefix_key *dirty;
	size_t dirty_count, dirty_allocated;
	struct fib_source source;
};

struct rib {
	struct family family[2]; /* IPv4, IPv6 */
};

static struct node *node_at(const struct family *f, uint32_t index)
{
	return (struct node *)f->node.slot + index;
}

static struct alternate *alternate_at(const struct family *f, uint32_t index)
{
	return (struct alternate *)f->alternate.slot + index;
}

static uint32_t child_of(const struct node *n, unsigned int side)
{
	return n->child[side] & INDEX_MASK;
}

static void set_child(struct node *n, unsigned int side, uint32_t index)
{
	n->child[side] = (n->child[side] & ~INDEX_MASK) | index;
}

static unsigned int length_of(const struct node *n)
{
	return n->child[0] >> 24;
}

static enum route_source source_of(const struct node *n)
{
	return n->child[1] >> 24;
}

static void set_source(struct node *n, enum route_source source)
{
	n->child[1] = (n->child[1] & INDEX_MASK) | (uint32_t)source << 24;
}

static struct prefix_key key_of(const struct node *n)
{
	return (struct prefix_key){ n->address, (uint8_t)length_of(n) };
}

/* ---- bits of addresses ---- */

static unsigned int bit_at(struct ipv6_key a, unsigned int at)
{
	return (at < 64 ? a.hi >> (63 - at) : a.lo >> (127 - at)) & 1;
}

/* How many leading bits two addresses share, at most most. */
static unsigned int shared_bits(struct ipv6_key a, struct ipv6_key b, unsigned int most)
{
	unsigned int n = 128;

	if (a.hi != b.hi)
		n = (unsigned int)__builtin_clzll(a.hi ^ b.hi);
	else if (a.lo != b.lo)
		n = 64 + (unsigned int)__builtin_clzll(a.lo ^ b.lo);
	return n < most ? n : most;
}

static struct ipv6_key leading_bits(struct ipv6_key a, unsigned int length)
{
	if (length < 64)
		return (struct ipv6_key){ length ? a.hi & ~0ull << (64 - length) : 0, 0 };
	if (length < 128)
		a.lo = length == 64 ? 0 : a.lo & ~0ull << (128 - length);
	return a;
}

static bool node_covers(const struct node *n, struct ipv6_key address, unsigned int length)
{
	return length_of(n) <= length &&
	       shared_bits(n->address, address, length_of(n)) == length_of(n);
}

/* ---- memory ---- */

/* Room for count more slots, so that taking them cannot fail. */
static int pool_reserve(struct pool *pool, size_t slot_bytes, uint32_t count, uint32_t first)
{
	uint32_t want = pool->allocated ? pool->allocated + pool->allocated / 2 : first;
	void *slot;

	if (pool->free_count + pool->allocated - pool->used >= count)
		return 0;
	if (want > NODES_MAX)
		want = NODES_MAX;
	if (want < pool->used + count)
		return -ENOSPC;
	slot = realloc(pool->slot, want * slot_bytes);
	if (!slot)
		return -ENOMEM;
	pool->slot = slot;
	pool->allocated = want;
	return 0;
}

static uint32_t node_take(struct family *f, struct ipv6_key address, unsigned int length)
{
	uint32_t index = f->node.free ? f->node.free : f->node.used++;
	struct node *n = node_at(f, index);

	if (f->node.free) {
		f->node.free = n->alternate;
		f->node.free_count--;
	}
	*n = (struct node){ .address = leading_bits(address, length), .child = { length << 24 } };
	return index;
}

static void node_give(struct family *f, uint32_t index)
{
	node_at(f, index)->alternate = f->node.free;
	f->node.free = index;
	f->node.free_count++;
}

static uint32_t alternate_take(struct family *f)
{
	uint32_t index = f->alternate.free ? f->alternate.free : f->alternate.used++;

	if (f->alternate.free) {
		f->alternate.free = alternate_at(f, index)->next;
		f->alternate.free_count--;
	}
	return index;
}

static void alternate_give(struct family *f, uint32_t index)
{
	alternate_at(f, index)->next = f->alternate.free;
	f->alternate.free = index;
	f->alternate.free_count++;
}

/* ---- the routes of a node ---- */

static bool counted(enum route_source source)
{
	return source != ROUTE_NONE && source != ROUTE_LOCAL && source != ROUTE_ADJACENT;
}

/* The best source of a node in the eyes of people; ROUTE_NONE: to them it is no prefix. */
static enum route_source node_counted(const struct family *f, const struct node *n)
{
	if (counted(source_of(n)))
		return source_of(n);
	for (uint32_t i = n->alternate; i; i = alternate_at(f, i)->next)
		if (counted(alternate_at(f, i)->source))
			return alternate_at(f, i)->source;
	return ROUTE_NONE;
}

/* A prefix is another source's now; ROUTE_NONE: nobody's. */
static void recount(struct family *f, enum route_source before, enum route_source after)
{
	f->in_force[before]--;
	f->in_force[after]++;
	f->prefixes += (before == ROUTE_NONE) - (after == ROUTE_NONE);
}

/* Room for one more range; false: there are too many, or there is no memory. */
static bool dirty_reserve(struct family *f)
{
	struct prefix_key *grown;

	if (f->dirty_count < f->dirty_allocated)
		return true;
	if (f->dirty_count == DIRTY_MAX)
		return false;
	grown = realloc(f->dirty, f->dirty_allocated * 2 * sizeof(*grown));
	if (!grown)
		return false;
	f->dirty = grown;
	f->dirty_allocated *= 2;
	return true;
}

static void mark_dirty(struct family *f, struct prefix_key range)
{
	if (f->dirty_count == 1 && f->dirty[0].length == 0)
		return;
	if (!dirty_reserve(f)) {
		range = (struct prefix_key){ 0 };
		f->dirty_count = 0;
	}
	f->dirty[f->dirty_count++] = range;
}

/* Put a route in its place among the others; room for an alternate is reserved. */
static void node_insert(struct family *f, struct node *n, enum route_source source, uint32_t leaf)
{
	uint32_t *link = &n->alternate, index;
	struct alternate route = { .leaf = leaf, .source = source };

	if (source_of(n) == ROUTE_NONE || source < source_of(n)) {
		route = (struct alternate){ .leaf = n->leaf, .source = source_of(n) };
		n->leaf = leaf;
		set_source(n, source);
		mark_dirty(f, key_of(n));
		if (route.source == ROUTE_NONE)
			return;
	}
	while (*link && alternate_at(f, *link)->source < route.source)
		link = &alternate_at(f, *link)->next;
	route.next = *link;
	index = alternate_take(f);
	*alternate_at(f, index) = route;
	*link = index;
}

/* Where the leaf of a source stands in a node; NULL: nowhere. */
static uint32_t *node_leaf(const struct family *f, struct node *n, enum route_source source)
{
	if (source_of(n) == source)
		return &n->leaf;
	for (uint32_t i = n->alternate; i; i = alternate_at(f, i)->next)
		if (alternate_at(f, i)->source == source)
			return &alternate_at(f, i)->leaf;
	return NULL;
}

/* Take the route of a source out of a node that has it. */
static void node_remove(struct family *f, struct node *n, enum route_source source)
{
	uint32_t *link = &n->alternate, index;

	if (source_of(n) == source) {
		mark_dirty(f, key_of(n));
		index = n->alternate;
		n->leaf = index ? alternate_at(f, index)->leaf : 0;
		set_source(n, index ? alternate_at(f, index)->source : ROUTE_NONE);
		if (!index)
			return;
	} else {
		while (alternate_at(f, *link)->source != source)
			link = &alternate_at(f, *link)->next;
		index = *link;
	}
	*link = alternate_at(f, index)->next;
	alternate_give(f, index);
}

/* ---- the trie ---- */

/* The node of exactly this prefix; 0 may be the root or none, told apart by found. */
static uint32_t find(const struct family *f, const struct prefix_key *p, bool *found)
{
	uint32_t at = 0;

	for (;;) {
		const struct node *n = node_at(f, at);

		*found = length_of(n) == p->length;
		if (*found)
			return at;
		at = child_of(n, bit_at(p->address, length_of(n)));
		if (!at || !node_covers(node_at(f, at), p->address, p->length))
			return 0;
	}
}

/* The node of this prefix, made if need be; room for two nodes is reserved. */
static uint32_t find_or_make(struct family *f, const struct prefix_key *p)
{
	uint32_t at = 0;

	for (;;) {
		unsigned int side, shared;
		uint32_t below, made, fork;

		if (length_of(node_at(f, at)) == p->length)
			return at;
		side = bit_at(p->address, length_of(node_at(f, at)));
		below = child_of(node_at(f, at), side);
		if (below && node_covers(node_at(f, below), p->address, p->length)) {
			at = below;
			continue;
		}
		made = node_take(f, p->address, p->length);
		if (!below) {
			set_child(node_at(f, at), side, made);
			return made;
		}
		shared = shared_bits(node_at(f, below)->address, p->address, p->length);
		if (shared == p->length) { /* goes between */
			set_child(node_at(f, made), bit_at(node_at(f, below)->address, p->length),
				  below);
			set_child(node_at(f, at), side, made);
			return made;
		}
		fork = node_take(f, p->address, shared);
		set_child(node_at(f, fork), bit_at(p->address, shared), made);
		set_child(node_at(f, fork), !bit_at(p->address, shared), below);
		set_child(node_at(f, at), side, fork);
		return made;
	}
}

/* Is the node nothing but a link, or less? */
static bool superfluous(const struct node *n)
{
	return source_of(n) == ROUTE_NONE && (!child_of(n, 0) || !child_of(n, 1));
}

/* Put in the place of a superfluous child what is below it. */
static void splice(struct family *f, uint32_t parent, unsigned int side)
{
	uint32_t index = child_of(node_at(f, parent), side);
	const struct node *n = node_at(f, index);

	set_child(node_at(f, parent), side, child_of(n, 0) ? child_of(n, 0) : child_of(n, 1));
	node_give(f, index);
}

/* Remove the node of a prefix, which holds no route any more, and a fork that it leaves. */
static void prune(struct family *f, const struct prefix_key *p)
{
	uint32_t at = 0, parent = 0, grandparent = 0;
	unsigned int side = 0, parent_side = 0;

	while (length_of(node_at(f, at)) != p->length) {
		grandparent = parent;
		parent = at;
		parent_side = side;
		side = bit_at(p->address, length_of(node_at(f, at)));
		at = child_of(node_at(f, at), side);
	}
	if (!at || !superfluous(node_at(f, at)))
		return;
	splice(f, parent, side);
	if (parent && superfluous(node_at(f, parent)))
		splice(f, grandparent, parent_side);
}

/* Both loops below visit the nodes inside range in order, shorter ones first. */
struct walk {
	uint32_t stack[DEPTH_MAX];
	unsigned int depth;
};

static void walk_start(const struct family *f, const struct prefix_key *range, struct walk *w)
{
	uint32_t at = 0;

	w->depth = 0;
	while (length_of(node_at(f, at)) < range->length) {
		at = child_of(node_at(f, at), bit_at(range->address, length_of(node_at(f, at))));
		if (!at)
			return;
	}
	if (shared_bits(node_at(f, at)->address, range->address, range->length) == range->length)
		w->stack[w->depth++] = at;
}

static const struct node *walk_next(const struct family *f, struct walk *w)
{
	const struct node *n;

	if (!w->depth)
		return NULL;
	n = node_at(f, w->stack[--w->depth]);
	for (unsigned int side = 2; side-- > 0;)
		if (child_of(n, side))
			w->stack[w->depth++] = child_of(n, side);
	return n;
}

/* Does everything in and below a node come before or at a prefix? */
static bool subtree_before(const struct node *n, const struct prefix_key *at)
{
	return shared_bits(n->address, at->address, length_of(n)) < length_of(n) &&
	       (n->address.hi < at->address.hi ||
		(n->address.hi == at->address.hi && n->address.lo < at->address.lo));
}

static bool node_before(const struct node *n, const struct prefix_key *at)
{
	if (n->address.hi != at->address.hi)
		return n->address.hi < at->address.hi;
	if (n->address.lo != at->address.lo)
		return n->address.lo < at->address.lo;
	return length_of(n) <= at->length;
}

/* Go on behind a prefix that need not be there any more: at most two nodes a length are seen. */
static void walk_behind(const struct family *f, const struct prefix_key *after, struct walk *w)
{
	while (w->depth) {
		const uint32_t top = w->stack[w->depth - 1];

		if (subtree_before(node_at(f, top), after))
			w->depth--;
		else if (node_before(node_at(f, top), after))
			walk_next(f, w);
		else
			return;
	}
}

/* ---- a family as the FIB reads it ---- */

/* The longest node with a route that covers the prefix; NULL: none. */
static const struct node *cover(const struct family *f, const struct prefix_key *p)
{
	const struct node *n = node_at(f, 0), *best = NULL;
	uint32_t at;

	for (;;) {
		if (source_of(n) != ROUTE_NONE)
			best = n;
		if (length_of(n) == p->length)
			return best;
		at = child_of(n, bit_at(p->address, length_of(n)));
		if (!at || !node_covers(node_at(f, at), p->address, p->length))
			return best;
		n = node_at(f, at);
	}
}

static uint32_t source_cover(void *ctx, struct prefix_key range)
{
	const struct node *n = cover(ctx, &range);

	return n ? n->leaf : 0;
}

static void source_walk(void *ctx, struct prefix_key range,
			void (*visit)(void *arg, struct prefix_key prefix, uint32_t leaf),
			void *arg)
{
	const struct family *f = ctx;
	const struct node *n;
	struct walk w;

	walk_start(f, &range, &w);
	while ((n = walk_next(f, &w)))
		if (source_of(n) != ROUTE_NONE && length_of(n) > range.length)
			visit(arg,
			      (struct prefix_key){ .address = n->address,
						   .length = (uint8_t)length_of(n) },
			      n->leaf);
}

/* ---- public ---- */

const char *route_source_name(enum route_source source)
{
	static const char *const names[ROUTE_SOURCES] = {
		[ROUTE_NONE] = "none",
		[ROUTE_LOCAL] = "local",
		[ROUTE_CONNECTED] = "connected",
		[ROUTE_STATIC] = "static",
		[ROUTE_FILE] = "file",
		[ROUTE_ADJACENT] = "neighbour",
		[ROUTE_FPM] = "fpm",
		[ROUTE_KERNEL] = "kernel",
		[ROUTE_MRT] = "mrt",
	};

	return names[source];
}

static int family_init(struct family *f, uint64_t capacity)
{
	*f = (struct family){ .capacity = capacity };
	f->source = (struct fib_source){ source_cover, source_walk, f };
	f->dirty_allocated = DIRTY_FIRST;
	f->dirty = malloc(DIRTY_FIRST * sizeof(*f->dirty));
	if (!f->dirty || pool_reserve(&f->node, sizeof(struct node), 1, NODES_FIRST) ||
	    pool_reserve(&f->alternate, sizeof(struct alternate), 1, ALTERNATES_FIRST))
		return -ENOMEM;
	node_take(f, (struct ipv6_key){ 0 }, 0);
	f->alternate.used = 1;
	return 0;
}

struct rib *rib_create(uint64_t capacity_ipv4, uint64_t capacity_ipv6)
{
	struct rib *rib = calloc(1, sizeof(*rib));

	if (!rib)
		return NULL;
	if (family_init(&rib->family[0], capacity_ipv4) ||
	    family_init(&rib->family[1], capacity_ipv6)) {
		rib_free(rib);
		return NULL;
	}
	return rib;
}

void rib_free(struct rib *rib)
{
	if (!rib)
		return;
	for (int i = 0; i < 2; i++) {
		free(rib->family[i].node.slot);
		free(rib->family[i].alternate.slot);
		free(rib->family[i].dirty);
	}
	free(rib);
}

int rib_set(struct rib *rib, const struct ip_prefix *prefix, enum route_source source,
	    uint32_t leaf, uint32_t *old)
{
	struct family *f = &rib->family[prefix->ipv6];
	enum route_source before;
	uint32_t *have, at;
	bool found;
	int rc;

	*old = 0;
	at = find(f, &prefix->key, &found);
	have = found ? node_leaf(f, node_at(f, at), source) : NULL;
	if (have) {
		*old = *have;
		*have = leaf;
		if (*old != leaf && source_of(node_at(f, at)) == source)
			mark_dirty(f, key_of(node_at(f, at)));
		return 0;
	}
	before = found ? node_counted(f, node_at(f, at)) : ROUTE_NONE;
	if (before == ROUTE_NONE && counted(source) && source != ROUTE_CONNECTED &&
	    f->prefixes >= f->capacity)
		return -ENOSPC;
	rc = pool_reserve(&f->node, sizeof(struct node), 2, NODES_FIRST);
	if (!rc)
		rc = pool_reserve(&f->alternate, sizeof(struct alternate), 1, ALTERNATES_FIRST);
	if (rc)
		return rc;
	at = find_or_make(f, &prefix->key);
	node_insert(f, node_at(f, at), source, leaf);
	recount(f, before, node_counted(f, node_at(f, at)));
	f->routes[source]++;
	return 0;
}

int rib_delete(struct rib *rib, const struct ip_prefix *prefix, enum route_source source,
	       uint32_t *old)
{
	struct family *f = &rib->family[prefix->ipv6];
	enum route_source before;
	uint32_t *have;
	struct node *n;
	bool found;

	n = node_at(f, find(f, &prefix->key, &found));
	have = found ? node_leaf(f, n, source) : NULL;
	if (!have)
		return -ENOENT;
	*old = *have;
	before = node_counted(f, n);
	node_remove(f, n, source);
	recount(f, before, node_counted(f, n));
	f->routes[source]--;
	if (source_of(n) == ROUTE_NONE)
		prune(f, &prefix->key);
	return 0;
}

uint32_t rib_get(const struct rib *rib, const struct ip_prefix *prefix, enum route_source source)
{
	const struct family *f = &rib->family[prefix->ipv6];
	const uint32_t *have;
	uint32_t at;
	bool found;

	at = find(f, &prefix->key, &found);
	have = found ? node_leaf(f, node_at(f, at), source) : NULL;
	return have ? *have : 0;
}

static struct rib_route route_of(const struct node *n)
{
	return (struct rib_route){ .prefix = { n->address, (uint8_t)length_of(n) },
				   .leaf = n->leaf,
				   .source = source_of(n) };
}

bool rib_cover(const struct rib *rib, const struct ip_prefix *prefix, struct rib_route *route)
{
	const struct node *n = cover(&rib->family[prefix->ipv6], &prefix->key);

	if (n)
		*route = route_of(n);
	return n;
}

void rib_walk(const struct rib *rib, const struct ip_prefix *range,
	      void (*visit)(void *arg, const struct rib_route *route), void *arg)
{
	const struct family *f = &rib->family[range->ipv6];
	const struct node *n;
	struct walk w;

	walk_start(f, &range->key, &w);
	while ((n = walk_next(f, &w))) {
		struct rib_route route = route_of(n);

		if (route.source != ROUTE_NONE)
			visit(arg, &route);
	}
}

bool rib_walk_part(const struct rib *rib, const struct ip_prefix *range,
		   const struct prefix_key *after, size_t most,
		   void (*visit)(void *arg, const struct rib_route *route), void *arg,
		   struct prefix_key *last)
{
	const struct family *f = &rib->family[range->ipv6];
	const struct node *n;
	struct walk w;

	walk_start(f, &range->key, &w);
	if (after)
		walk_behind(f, after, &w);
	for (size_t i = 0; i < most; i++) {
		struct rib_route route;

		n = walk_next(f, &w);
		if (!n)
			return false;
		route = route_of(n);
		*last = route.prefix;
		if (route.source != ROUTE_NONE)
			visit(arg, &route);
	}
	return w.depth > 0;
}

void rib_routes(const struct rib *rib, const struct ip_prefix *prefix,
		void (*visit)(void *arg, const struct rib_route *route), void *arg)
{
	const struct family *f = &rib->family[prefix->ipv6];
	struct rib_route route;
	const struct node *n;
	bool found;

	n = node_at(f, find(f, &prefix->key, &found));
	route = route_of(n);
	if (!found || route.source == ROUTE_NONE)
		return;
	visit(arg, &route);
	for (uint32_t i = n->alternate; i; i = alternate_at(f, i)->next) {
		route.leaf = alternate_at(f, i)->leaf;
		route.source = alternate_at(f, i)->source;
		visit(arg, &route);
	}
}

void rib_touch(struct rib *rib, const struct ip_prefix *prefix)
{
	mark_dirty(&rib->family[prefix->ipv6], prefix->key);
}

uint64_t rib_prefixes(const struct rib *rib, bool ipv6)
{
	return rib->family[ipv6].prefixes;
}

uint64_t rib_prefixes_of(const struct rib *rib, bool ipv6, enum route_source source)
{
	return rib->family[ipv6].in_force[source];
}

uint64_t rib_routes_of(const struct rib *rib, bool ipv6, enum route_source source)
{
	return rib->family[ipv6].routes[source];
}

const struct prefix_key *rib_dirty(const struct rib *rib, bool ipv6, size_t *n)
{
	*n = rib->family[ipv6].dirty_count;
	return rib->family[ipv6].dirty;
}

void rib_clean(struct rib *rib, bool ipv6)
{
	rib->family[ipv6].dirty_count = 0;
}

const struct fib_source *rib_source(const struct rib *rib, bool ipv6)
{
	return &rib->family[ipv6].source;
}
