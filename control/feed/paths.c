// SPDX-License-Identifier: BSD-3-Clause
/*
 * Prefixes stand in the order in which they came, found by a hash; each has a list of paths
 * of 16 bytes. What paths have in common is interned: a million have some thousands.
 */
#include "paths.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../address.h"

#define TABLE_FIRST 1024

struct entry {
	struct ipv6_key address;
	uint32_t first; /* of its paths; 0: none */
	uint8_t length;
	bool ipv6;
	enum path_use use;
};

struct offer {
	uint32_t next;
	uint32_t peer;
	uint32_t path_id;
	uint32_t path; /* interned */
};

/* An array that grows, and a table of indices into it by hash; index 0 is not used. */
struct interned {
	void *slot;
	uint32_t used, allocated;
	uint32_t *table, mask;
};

struct paths {
	bool all;
	uint64_t capacity[2], count[2];
	struct interned entry, path, peer;
	struct offer *offer;
	uint32_t offers, offers_allocated, offer_free;
	uint32_t *candidate; /* offers, while the best is looked for */
};

static struct entry *entry_at(const struct paths *p, uint32_t index)
{
	return (struct entry *)p->entry.slot + index;
}

static const struct path *path_at(const struct paths *p, uint32_t index)
{
	return (const struct path *)p->path.slot + index;
}

static struct path_peer *peer_at(const struct paths *p, uint32_t index)
{
	return (struct path_peer *)p->peer.slot + index;
}

static const struct path *path_of(const struct paths *p, uint32_t offer)
{
	return path_at(p, p->offer[offer].path);
}

/* ---- interning ---- */

static uint64_t mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * 0x9e3779b97f4a7c15;
	return h ^ h >> 32;
}

static uint64_t hash_address(uint64_t h, const struct ip_address *a)
{
	return mix(mix(mix(h, a->key.hi), a->key.lo), a->ipv6);
}

static uint64_t hash_entry(const void *item)
{
	const struct entry *e = item;

	return mix(mix(mix(0, e->address.hi), e->address.lo), e->length * 2u + e->ipv6);
}

static uint64_t hash_path(const void *item)
{
	const struct path *p = item;
	uint64_t h = hash_address(p->port, &p->bgp.next_hop);

	h = mix(h, (uint64_t)p->bgp.local_pref << 32 | p->bgp.med);
	return mix(h, ((uint64_t)p->bgp.path_length << 34) ^ ((uint64_t)p->bgp.origin << 32) ^
			      p->bgp.neighbour_as);
}

static uint64_t hash_peer(const void *item)
{
	const struct path_peer *p = item;

	return hash_address((uint64_t)p->bgp_id << 32 | p->as, &p->address);
}

static bool same_entry(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->address.hi == y->address.hi && x->address.lo == y->address.lo &&
	       x->length == y->length && x->ipv6 == y->ipv6;
}

static bool same_path(const void *a, const void *b)
{
	const struct path *x = a, *y = b;

	return x->port == y->port && x->bgp.local_pref == y->bgp.local_pref &&
	       x->bgp.med == y->bgp.med && x->bgp.path_length == y->bgp.path_length &&
	       x->bgp.origin == y->bgp.origin && x->bgp.neighbour_as == y->bgp.neighbour_as &&
	       ip_address_equal(&x->bgp.next_hop, &y->bgp.next_hop);
}

static bool same_peer(const void *a, const void *b)
{
	const struct path_peer *x = a, *y = b;

	return x->bgp_id == y->bgp_id && x->as == y->as &&
	       ip_address_equal(&x->address, &y->address);
}

/* What is interned, and how. */
struct kind {
	size_t bytes;
	uint64_t (*hash)(const void *item);
	bool (*same)(const void *a, const void *b);
};

static const struct kind entries = { sizeof(struct entry), hash_entry, same_entry };
static const struct kind path_kind = { sizeof(struct path), hash_path, same_path };
static const struct kind peers = { sizeof(struct path_peer), hash_peer, same_peer };

static int interned_init(struct interned *in, const struct kind *kind)
{
	in->slot = calloc(TABLE_FIRST, kind->bytes);
	in->table = calloc(2 * TABLE_FIRST, sizeof(*in->table));
	in->allocated = TABLE_FIRST;
	in->mask = 2 * TABLE_FIRST - 1;
	in->used = 1;
	return in->slot && in->table ? 0 : -ENOMEM;
}

static const void *item_at(const struct interned *in, const struct kind *kind, uint32_t index)
{
	return (const uint8_t *)in->slot + (size_t)index * kind->bytes;
}

/* Where in the table an item is, or would be. */
static uint32_t *place_of(const struct interned *in, const struct kind *kind, const void *item)
{
	uint64_t at = kind->hash(item);

	while (in->table[at & in->mask] &&
	       !kind->same(item_at(in, kind, in->table[at & in->mask]), item))
		at++;
	return &in->table[at & in->mask];
}

/* Twice the room; the table stays at most half full. */
static int interned_grow(struct interned *in, const struct kind *kind)
{
	struct interned grown = *in;

	if (in->allocated >= UINT32_MAX / 4)
		return -ENOMEM;
	grown.slot = realloc(in->slot, 2 * (size_t)in->allocated * kind->bytes);
	if (!grown.slot)
		return -ENOMEM;
	in->slot = grown.slot;
	grown.allocated = 2 * in->allocated;
	grown.mask = 2 * grown.allocated - 1;
	grown.table = calloc(2 * (size_t)grown.allocated, sizeof(*grown.table));
	if (!grown.table)
		return -ENOMEM;
	for (uint32_t i = 1; i < in->used; i++) {
		uint64_t at = kind->hash(item_at(in, kind, i));

		while (grown.table[at & grown.mask])
			at++;
		grown.table[at & grown.mask] = i;
	}
	free(in->table);
	*in = grown;
	return 0;
}

static int intern(struct interned *in, const struct kind *kind, const void *item, uint32_t *index)
{
	uint32_t *place = place_of(in, kind, item);

	*index = *place;
	if (*place)
		return 0;
	if (in->used == in->allocated) {
		if (interned_grow(in, kind))
			return -ENOMEM;
		place = place_of(in, kind, item);
	}
	*index = *place = in->used++;
	memcpy((uint8_t *)in->slot + (size_t)*index * kind->bytes, item, kind->bytes);
	return 0;
}

/* ---- peers and prefixes ---- */

struct paths *paths_create(bool all, uint64_t capacity_ipv4, uint64_t capacity_ipv6)
{
	struct paths *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->all = all;
	p->capacity[0] = capacity_ipv4;
	p->capacity[1] = capacity_ipv6;
	p->offers = 1;
	p->candidate = malloc(PATHS_OF_PREFIX_MAX * sizeof(*p->candidate));
	if (!p->candidate || interned_init(&p->entry, &entries) ||
	    interned_init(&p->path, &path_kind) || interned_init(&p->peer, &peers)) {
		paths_free(p);
		return NULL;
	}
	return p;
}

void paths_free(struct paths *p)
{
	if (!p)
		return;
	free(p->entry.slot);
	free(p->entry.table);
	free(p->path.slot);
	free(p->path.table);
	free(p->peer.slot);
	free(p->peer.table);
	free(p->offer);
	free(p->candidate);
	free(p);
}

int paths_peer(struct paths *p, const struct path_peer *peer, uint32_t *number)
{
	return intern(&p->peer, &peers, peer, number);
}

bool paths_find_peer(const struct paths *p, const struct ip_address *address, uint32_t as,
		     uint32_t *number)
{
	*number = 0;
	for (uint32_t i = 1; i < p->peer.used; i++) {
		const struct path_peer *peer = peer_at(p, i);

		if (!ip_address_equal(&peer->address, address))
			continue;
		*number = i;
		if (peer->as == as)
			return true;
	}
	return *number;
}

/* The table is not asked for a peer by what it once was: paths_peer() may make another, no harm. */
void paths_set_bgp_id(struct paths *p, uint32_t number, uint32_t bgp_id)
{
	peer_at(p, number)->bgp_id = bgp_id;
}

const struct path_peer *paths_peer_of(const struct paths *p, uint32_t number)
{
	return peer_at(p, number);
}

uint32_t paths_peers(const struct paths *p)
{
	return p->peer.used - 1;
}

int paths_prefix(struct paths *p, const struct ip_prefix *prefix, uint32_t *index)
{
	const struct entry entry = { .address = prefix->key.address,
				     .length = prefix->key.length,
				     .ipv6 = prefix->ipv6 };
	const uint32_t used = p->entry.used;
	int rc;

	*index = *place_of(&p->entry, &entries, &entry);
	if (*index)
		return 0;
	if (p->count[prefix->ipv6] >= p->capacity[prefix->ipv6])
		return -ENOSPC;
	rc = intern(&p->entry, &entries, &entry, index);
	p->count[prefix->ipv6] += p->entry.used - used;
	return rc;
}

uint32_t paths_prefixes(const struct paths *p)
{
	return p->entry.used - 1;
}

struct ip_prefix paths_prefix_of(const struct paths *p, uint32_t index)
{
	const struct entry *e = entry_at(p, index);

	return (struct ip_prefix){ { e->address, e->length }, e->ipv6 };
}

enum path_use *paths_use(struct paths *p, uint32_t index)
{
	return &entry_at(p, index)->use;
}

bool paths_any(const struct paths *p, uint32_t index)
{
	return entry_at(p, index)->first;
}

/* ---- paths ---- */

/* What is compared before MED: negative, a is better. */
static int order_before_med(const struct path *a, const struct path *b)
{
	if ((a->port == SIZE_MAX) != (b->port == SIZE_MAX))
		return a->port == SIZE_MAX ? 1 : -1;
	if (a->bgp.local_pref != b->bgp.local_pref)
		return a->bgp.local_pref > b->bgp.local_pref ? -1 : 1;
	if (a->bgp.path_length != b->bgp.path_length)
		return a->bgp.path_length < b->bgp.path_length ? -1 : 1;
	return (int)a->bgp.origin - (int)b->bgp.origin;
}

static void offer_give(struct paths *p, uint32_t index)
{
	p->offer[index].next = p->offer_free;
	p->offer_free = index;
}

static int offer_take(struct paths *p, uint32_t *index)
{
	struct offer *grown;
	uint32_t more = p->offers_allocated ? p->offers_allocated * 2 : TABLE_FIRST;

	*index = p->offer_free;
	if (*index) {
		p->offer_free = p->offer[*index].next;
		return 0;
	}
	if (p->offers >= p->offers_allocated) {
		if (more > UINT32_MAX / 2)
			return -ENOMEM;
		grown = realloc(p->offer, (size_t)more * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		p->offer = grown;
		p->offers_allocated = more;
	}
	*index = p->offers++;
	return 0;
}

/* Paths that were not withdrawn one by one are outdone together: the list goes as a whole. */
static void forget_all(struct paths *p, struct entry *e)
{
	while (e->first) {
		uint32_t next = p->offer[e->first].next;

		offer_give(p, e->first);
		e->first = next;
	}
}

int paths_set(struct paths *p, uint32_t index, uint32_t peer, uint32_t path_id,
	      const struct path *path)
{
	struct entry *e = entry_at(p, index);
	uint32_t *link = &e->first, interned, made, n = 0;
	int rc = intern(&p->path, &path_kind, path, &interned);

	if (rc)
		return rc;
	if (!p->all && e->first) {
		int order = order_before_med(path, path_of(p, e->first));

		if (order > 0)
			return 0;
		if (order < 0)
			forget_all(p, e);
	}
	for (; *link; link = &p->offer[*link].next, n++) {
		struct offer *o = &p->offer[*link];

		if (o->peer == peer && o->path_id == path_id) {
			o->path = interned;
			return 0;
		}
	}
	if (n == PATHS_OF_PREFIX_MAX)
		return -E2BIG;
	rc = offer_take(p, &made);
	if (rc)
		return rc;
	p->offer[made] = (struct offer){ e->first, peer, path_id, interned };
	e->first = made;
	return 0;
}

bool paths_remove(struct paths *p, uint32_t index, uint32_t peer, uint32_t path_id)
{
	uint32_t *link = &entry_at(p, index)->first, gone;

	while (*link && (p->offer[*link].peer != peer || p->offer[*link].path_id != path_id))
		link = &p->offer[*link].next;
	gone = *link;
	if (!gone)
		return false;
	*link = p->offer[gone].next;
	offer_give(p, gone);
	return true;
}

bool paths_remove_peer(struct paths *p, uint32_t index, uint32_t peer)
{
	uint32_t *link = &entry_at(p, index)->first;
	bool any = false;

	while (*link) {
		uint32_t at = *link;

		if (p->offer[at].peer != peer) {
			link = &p->offer[at].next;
			continue;
		}
		*link = p->offer[at].next;
		offer_give(p, at);
		any = true;
	}
	return any;
}

/* ---- the best ---- */

/* By neighbour AS, then MED. */
static int by_med(const void *a, const void *b, void *ctx)
{
	const struct path *x = path_of(ctx, *(const uint32_t *)a);
	const struct path *y = path_of(ctx, *(const uint32_t *)b);

	if (x->bgp.neighbour_as != y->bgp.neighbour_as)
		return x->bgp.neighbour_as < y->bgp.neighbour_as ? -1 : 1;
	return x->bgp.med < y->bgp.med ? -1 : x->bgp.med > y->bgp.med;
}

/* What is compared last: negative, a is better. */
static int order_of_peers(const struct paths *p, uint32_t a, uint32_t b)
{
	const struct offer *x = &p->offer[a], *y = &p->offer[b];
	const struct path_peer *u = peer_at(p, x->peer), *v = peer_at(p, y->peer);

	if (u->bgp_id != v->bgp_id)
		return u->bgp_id < v->bgp_id ? -1 : 1;
	if (u->address.ipv6 != v->address.ipv6)
		return u->address.ipv6 ? 1 : -1;
	if (!ip_address_equal(&u->address, &v->address))
		return ip_key_compare(u->address.key, v->address.key);
	if (x->path_id != y->path_id)
		return x->path_id < y->path_id ? -1 : 1;
	return x->peer < y->peer ? -1 : x->peer > y->peer;
}

/* All offers that are equal before MED and as good as any. */
static uint32_t find_candidates(struct paths *p, uint32_t first)
{
	uint32_t n = 0;

	for (uint32_t i = first; i; i = p->offer[i].next) {
		int order = n ? order_before_med(path_of(p, i), path_of(p, p->candidate[0])) : 0;

		if (order < 0)
			n = 0;
		if (order <= 0)
			p->candidate[n++] = i;
	}
	return n;
}

const struct path *paths_best(struct paths *p, uint32_t index)
{
	uint32_t n = find_candidates(p, entry_at(p, index)->first), best = 0;
	const struct path *lowest = NULL; /* MED of the neighbour AS in hand */

	if (n > 1)
		qsort_r(p->candidate, n, sizeof(*p->candidate), by_med, p);
	for (uint32_t i = 0; i < n; i++) {
		const struct path *path = path_of(p, p->candidate[i]);

		if (!lowest || path->bgp.neighbour_as != lowest->bgp.neighbour_as)
			lowest = path;
		else if (path->bgp.med != lowest->bgp.med)
			continue;
		if (!best || order_of_peers(p, p->candidate[i], best) < 0)
			best = p->candidate[i];
	}
	return best && path_of(p, best)->port != SIZE_MAX ? path_of(p, best) : NULL;
}
