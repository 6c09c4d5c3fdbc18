// SPDX-License-Identifier: BSD-3-Clause
/*
 * Routes stand in chains by a hash of their prefix; those that go by an object in its list, so
 * that a change of the object finds them.
 */
#include "learned.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../address.h"
#include "../model_state.h"

#define TABLE_FIRST 1024
#define OBJECTS_MAX (1u << 20)

struct learned_route {
	struct ip_prefix prefix;
	uint32_t metric;
	uint32_t next;                 /* of the same hash, or free */
	uint32_t object;               /* slot; 0: by hop */
	uint32_t user_next, user_prev; /* of the object's list */
	struct netlink_hop *hop;       /* of hops, when it goes by no object */
	uint16_t hops;
	uint8_t kind; /* enum netlink_kind */
	uint8_t state;
	bool used, stale;
	bool frozen;   /* what its hops were is forgotten; what is set stays */
	bool held;     /* told again by an object that is yet to come: till then, the same */
	bool restored; /* from before napd started: nobody knows its metric */
};

struct learned_object {
	uint32_t id;   /* 0: the slot is free */
	uint32_t next; /* of the same hash, or free */
	uint32_t users;
	uint32_t first_user;
	uint32_t in_groups; /* how many groups name it */
	bool known, group;
	uint8_t kind;
	uint16_t hops;
	struct netlink_hop *hop;
};

struct learned {
	struct learned_options options;
	struct learned_route *route;
	uint32_t routes, route_slots, route_allocated, route_free;
	uint32_t *route_table, route_mask;
	struct learned_object *object;
	uint32_t objects, object_slots, object_allocated, object_free;
	uint32_t *object_table, object_mask;
	uint32_t swept;    /* how far */
	uint32_t resolved; /* how far learned_resolve() is */
	uint64_t routes_most;
	struct learned_counts counts;
};

/* ---- tables ---- */

static uint32_t hash_prefix(const struct ip_prefix *p)
{
	uint64_t h = (p->key.address.hi ^ p->key.length * 2u ^ p->ipv6) * 0x9e3779b97f4a7c15;

	h = (h ^ h >> 32 ^ p->key.address.lo) * 0x9e3779b97f4a7c15;
	return (uint32_t)(h >> 32);
}

static uint32_t hash_id(uint32_t id)
{
	return (uint32_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

static bool same_prefix(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return a->ipv6 == b->ipv6 && a->key.length == b->key.length &&
	       ip_key_compare(a->key.address, b->key.address) == 0;
}

static struct learned_route *route_at(const struct learned *l, uint32_t slot)
{
	return &l->route[slot];
}

/* Twice the slots of an array and its table. 0 or -ENOMEM. */
static int grow_array(void *array, uint32_t *allocated, size_t bytes)
{
	const uint32_t more = *allocated * 2;
	void *grown = realloc(*(void **)array, more * bytes);

	if (!grown)
		return -ENOMEM;
	memset((uint8_t *)grown + *allocated * bytes, 0, (more - *allocated) * bytes);
	*(void **)array = grown;
	*allocated = more;
	return 0;
}

/* The table follows its array; without memory chains get longer, no more. */
static void rehash_routes(struct learned *l)
{
	uint32_t *table;

	if (l->route_slots <= l->route_mask)
		return;
	table = calloc((size_t)l->route_mask * 2 + 2, sizeof(*table));
	if (!table)
		return;
	free(l->route_table);
	l->route_table = table;
	l->route_mask = l->route_mask * 2 + 1;
	for (uint32_t i = 1; i < l->route_slots; i++) {
		struct learned_route *r = route_at(l, i);
		uint32_t *head = &table[hash_prefix(&r->prefix) & l->route_mask];

		if (!r->used)
			continue;
		r->next = *head;
		*head = i;
	}
}

static void rehash_objects(struct learned *l)
{
	uint32_t *table;

	if (l->object_slots <= l->object_mask)
		return;
	table = calloc((size_t)l->object_mask * 2 + 2, sizeof(*table));
	if (!table)
		return;
	free(l->object_table);
	l->object_table = table;
	l->object_mask = l->object_mask * 2 + 1;
	for (uint32_t i = 1; i < l->object_slots; i++) {
		uint32_t *head = &table[hash_id(l->object[i].id) & l->object_mask];

		if (!l->object[i].id)
			continue;
		l->object[i].next = *head;
		*head = i;
	}
}

/* Routes that are not used count, too: of other interfaces, hidden by a lower metric. */
static uint64_t routes_most(const struct model *model)
{
	const struct config *config = model->config;

	return 2 * (config->dataplane.capacity_ipv4 + config->dataplane.capacity_ipv6) + 1024;
}

struct learned *learned_create(const struct learned_options *options)
{
	struct learned *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->options = *options;
	l->routes_most = routes_most(options->model);
	l->route_slots = l->object_slots = 1;
	l->route_allocated = l->object_allocated = TABLE_FIRST;
	l->route_mask = l->object_mask = TABLE_FIRST - 1;
	l->route = calloc(TABLE_FIRST, sizeof(*l->route));
	l->object = calloc(TABLE_FIRST, sizeof(*l->object));
	l->route_table = calloc(TABLE_FIRST, sizeof(*l->route_table));
	l->object_table = calloc(TABLE_FIRST, sizeof(*l->object_table));
	if (l->route && l->object && l->route_table && l->object_table)
		return l;
	learned_free(l);
	return NULL;
}

void learned_free(struct learned *l)
{
	if (!l)
		return;
	for (uint32_t i = 1; l->route && i < l->route_slots; i++)
		free(l->route[i].hop);
	for (uint32_t i = 1; l->object && i < l->object_slots; i++)
		free(l->object[i].hop);
	free(l->route);
	free(l->object);
	free(l->route_table);
	free(l->object_table);
	free(l);
}

/* A copy of a message's hops; NULL with *rc. */
static struct netlink_hop *copy_hops(const struct netlink_message *m, int *rc)
{
	struct netlink_hop *copy = malloc((m->hops + !m->hops) * sizeof(*copy));

	*rc = copy ? 0 : -ENOMEM;
	if (copy)
		memcpy(copy, m->hop, m->hops * sizeof(*copy));
	return copy;
}

/* ---- objects ---- */

static uint32_t find_object(const struct learned *l, uint32_t id)
{
	uint32_t i = l->object_table[hash_id(id) & l->object_mask];

	while (i && l->object[i].id != id)
		i = l->object[i].next;
	return i;
}

/* The slot of an ID, made if need be: what is named may come later. 0: no room. */
static uint32_t object_of(struct learned *l, uint32_t id)
{
	uint32_t i = find_object(l, id), *head;

	if (i)
		return i;
	i = l->object_free;
	if (i) {
		l->object_free = l->object[i].next;
	} else {
		if (l->object_slots == OBJECTS_MAX ||
		    (l->object_slots == l->object_allocated &&
		     grow_array(&l->object, &l->object_allocated, sizeof(*l->object))))
			return 0;
		i = l->object_slots++;
	}
	head = &l->object_table[hash_id(id) & l->object_mask];
	l->object[i] = (struct learned_object){ .id = id, .next = *head };
	*head = i;
	l->objects++;
	rehash_objects(l);
	return i;
}

/* Nobody names it, and nobody said what it is: its slot is free. */
static void drop_object(struct learned *l, uint32_t slot)
{
	struct learned_object *o = &l->object[slot];
	uint32_t *link = &l->object_table[hash_id(o->id) & l->object_mask];

	if (!o->id || o->known || o->users || o->in_groups)
		return;
	while (*link != slot)
		link = &l->object[*link].next;
	*link = o->next;
	free(o->hop);
	*o = (struct learned_object){ .next = l->object_free };
	l->object_free = slot;
	l->objects--;
}

/* Forget what an object is, and with a group that it names others. Its slot stays. */
static void clear_object(struct learned *l, uint32_t slot)
{
	struct learned_object *o = &l->object[slot];
	struct netlink_hop *hop = o->hop;
	const uint16_t hops = o->group ? o->hops : 0;

	o->hop = NULL;
	o->hops = 0;
	o->known = o->group = false;
	o->in_groups++; /* it may have named itself */
	for (uint16_t i = 0; i < hops; i++) {
		const uint32_t member = find_object(l, hop[i].id);

		if (member) {
			l->object[member].in_groups--;
			drop_object(l, member);
		}
	}
	o->in_groups--;
	free(hop);
}

/* ---- routes ---- */

static void leave_object(struct learned *l, struct learned_route *r)
{
	const uint32_t slot = r->object;
	struct learned_object *o = &l->object[slot];

	if (!slot)
		return;
	if (r->user_prev)
		route_at(l, r->user_prev)->user_next = r->user_next;
	else
		o->first_user = r->user_next;
	if (r->user_next)
		route_at(l, r->user_next)->user_prev = r->user_prev;
	r->object = r->user_next = r->user_prev = 0;
	o->users--;
	drop_object(l, slot);
}

static void join_object(struct learned *l, uint32_t slot, uint32_t object)
{
	struct learned_object *o = &l->object[object];
	struct learned_route *r = route_at(l, slot);

	r->object = object;
	r->user_prev = 0;
	r->user_next = o->first_user;
	if (o->first_user)
		route_at(l, o->first_user)->user_prev = slot;
	o->first_user = slot;
	o->users++;
}

static uint32_t find_route(const struct learned *l, const struct ip_prefix *prefix, uint32_t metric)
{
	uint32_t i = l->route_table[hash_prefix(prefix) & l->route_mask];

	while (i && (!same_prefix(&route_at(l, i)->prefix, prefix) ||
		     (l->options.kernel && route_at(l, i)->metric != metric)))
		i = route_at(l, i)->next;
	return i;
}

/* The route that a message is about: one that was restored is whatever is told of its prefix first.
 */
static uint32_t told_route(const struct learned *l, const struct ip_prefix *prefix, uint32_t metric)
{
	uint32_t i = find_route(l, prefix, metric);

	if (i || !l->options.kernel)
		return i;
	i = l->route_table[hash_prefix(prefix) & l->route_mask];
	while (i && (!same_prefix(&route_at(l, i)->prefix, prefix) || !route_at(l, i)->restored))
		i = route_at(l, i)->next;
	return i;
}

/* The route of the lowest metric; 0: none. */
static uint32_t best_route(const struct learned *l, const struct ip_prefix *prefix)
{
	uint32_t best = 0;

	for (uint32_t i = l->route_table[hash_prefix(prefix) & l->route_mask]; i;
	     i = route_at(l, i)->next)
		if (same_prefix(&route_at(l, i)->prefix, prefix) &&
		    (!best || route_at(l, i)->metric < route_at(l, best)->metric))
			best = i;
	return best;
}

/* 0: no room, *rc says whether for want of memory. */
static uint32_t make_route(struct learned *l, const struct ip_prefix *prefix, int *rc)
{
	uint32_t i = l->route_free, *head;

	*rc = 0;
	if (l->routes >= l->routes_most) {
		l->counts.beyond++;
		return 0;
	}
	if (i) {
		l->route_free = route_at(l, i)->next;
	} else {
		if (l->route_slots == l->route_allocated &&
		    grow_array(&l->route, &l->route_allocated, sizeof(*l->route))) {
			*rc = -ENOMEM;
			return 0;
		}
		i = l->route_slots++;
	}
	head = &l->route_table[hash_prefix(prefix) & l->route_mask];
	*route_at(l, i) = (struct learned_route){
		.prefix = *prefix, .next = *head, .used = true, .state = LEARNED_HIDDEN
	};
	*head = i;
	l->routes++;
	l->counts.routes[LEARNED_HIDDEN]++;
	rehash_routes(l);
	return i;
}

/* Refused routes are the model's to count; control reads it. */
static void count_refused(const struct learned *l, int64_t more)
{
	struct model *model = l->options.model;

	if (!more)
		return;
	model_lock_politely(model);
	model->refused += (uint64_t)more;
	model_unlock(model);
}

static void set_state(struct learned *l, struct learned_route *r, enum learned_state state)
{
	const int was = r->state == LEARNED_REFUSED, is = state == LEARNED_REFUSED;

	l->counts.routes[r->state]--;
	r->state = (uint8_t)state;
	l->counts.routes[state]++;
	count_refused(l, is - was);
}

static void set_stale(struct learned *l, struct learned_route *r, bool stale)
{
	l->counts.stale += stale;
	l->counts.stale -= r->stale;
	r->stale = stale;
}

static void remove_route(struct learned *l, uint32_t slot)
{
	struct learned_route *r = route_at(l, slot);
	uint32_t *link = &l->route_table[hash_prefix(&r->prefix) & l->route_mask];

	while (*link != slot)
		link = &route_at(l, *link)->next;
	*link = r->next;
	leave_object(l, r);
	set_stale(l, r, false);
	set_state(l, r, LEARNED_HIDDEN);
	l->counts.routes[LEARNED_HIDDEN]--;
	free(r->hop);
	*r = (struct learned_route){ .next = l->route_free };
	l->route_free = slot;
	l->routes--;
}

/* ---- what a route comes to ---- */

struct resolved {
	enum config_route_kind kind;
	struct config_nexthop via[NETLINK_HOPS_MAX];
	size_t n;
	enum learned_state why; /* with n 0 and kind VIA */
};

/* Can a port's interface lead there? */
static bool leads_to(const struct model *model, size_t port, const struct ip_address *gateway)
{
	return ip_is_link_local(gateway) ||
	       (model_port_of(model, gateway) == port && !model_is_own(model, gateway));
}

/* A hop that can be used is added; else why says the best reason so far. */
static void resolve_hop(const struct learned *l, const struct netlink_hop *hop, uint32_t weight,
			struct resolved *to)
{
	const struct model *model = l->options.model;
	const size_t port = hop->interface     ? l->options.port_of(l->options.ctx, hop->interface)
			    : hop->has_gateway ? model_port_of(model, &hop->gateway)
					       : SIZE_MAX;

	if (port == SIZE_MAX) {
		to->why = hop->interface ? LEARNED_FOREIGN : LEARNED_UNRESOLVED;
		return;
	}
	to->why = LEARNED_UNRESOLVED;
	if (!hop->has_gateway || to->n == NETLINK_HOPS_MAX || !leads_to(model, port, &hop->gateway))
		return;
	to->via[to->n++] = (struct config_nexthop){ hop->gateway, port, weight };
}

static enum config_route_kind config_kind(uint8_t kind)
{
	return kind == TOLD_BLACKHOLE     ? CONFIG_ROUTE_BLACKHOLE
	       : kind == TOLD_UNREACHABLE ? CONFIG_ROUTE_UNREACHABLE
	       : kind == TOLD_PROHIBIT    ? CONFIG_ROUTE_PROHIBIT
					  : CONFIG_ROUTE_VIA;
}

static void resolve_object(const struct learned *l, uint32_t slot, struct resolved *to)
{
	const struct learned_object *o = &l->object[slot];

	to->why = LEARNED_WAITING;
	if (!o->known)
		return;
	if (!o->group) {
		to->kind = config_kind(o->kind);
		to->why = LEARNED_UNRESOLVED;
		for (uint16_t i = 0; i < o->hops; i++)
			resolve_hop(l, &o->hop[i], 1, to);
		return;
	}
	for (uint16_t i = 0; i < o->hops; i++) {
		const uint32_t member = find_object(l, o->hop[i].id);
		const struct learned_object *m = member ? &l->object[member] : NULL;

		/* groups hold no groups; a blackhole is alone in its group */
		if (m && m->known && !m->group && m->kind == TOLD_BLACKHOLE && o->hops == 1)
			to->kind = CONFIG_ROUTE_BLACKHOLE;
		else if (m && m->known && !m->group && m->hops)
			resolve_hop(l, &m->hop[0], o->hop[i].weight, to);
	}
}

static void resolve(const struct learned *l, const struct learned_route *r, struct resolved *to)
{
	to->kind = config_kind(r->kind);
	to->n = 0;
	to->why = LEARNED_UNRESOLVED;
	if (to->kind != CONFIG_ROUTE_VIA)
		return;
	if (r->object) {
		resolve_object(l, r->object, to);
		return;
	}
	for (uint32_t i = 0; i < r->hops; i++)
		resolve_hop(l, &r->hop[i], r->hop[i].weight, to);
}

/* Set in the model what a route comes to. */
static int set_route(struct learned *l, struct learned_route *r)
{
	struct resolved to;
	struct route route = { .prefix = r->prefix, .via = to.via };
	enum learned_state state;
	int rc = 0;

	resolve(l, r, &to);
	route.kind = to.kind;
	route.via_count = to.n;
	if (to.why == LEARNED_WAITING && to.kind == CONFIG_ROUTE_VIA && !to.n && r->held) {
		set_state(l, r, LEARNED_WAITING);
		return 0;
	}
	r->held = false;
	if (to.kind == CONFIG_ROUTE_VIA && !to.n) {
		model_route_delete(l->options.model, l->options.source, &r->prefix);
		state = to.why;
	} else {
		rc = model_route_set(l->options.model, l->options.source, &route);
		state = rc ? LEARNED_REFUSED : LEARNED_USED;
		count_refused(l, rc && rc != -ENOMEM ? -1 : 0); /* set_state() does */
	}
	set_state(l, r, state);
	return rc == -ENOMEM ? rc : 0;
}

/* The best route of a prefix is what counts. */
static int publish(struct learned *l, const struct ip_prefix *prefix)
{
	const uint32_t best = best_route(l, prefix);
	struct learned_route *r = route_at(l, best);

	if (!best) {
		model_route_delete(l->options.model, l->options.source, prefix);
		return 0;
	}
	if (l->options.kernel)
		for (uint32_t i = l->route_table[hash_prefix(prefix) & l->route_mask]; i;
		     i = route_at(l, i)->next)
			if (i != best && same_prefix(&route_at(l, i)->prefix, prefix))
				set_state(l, route_at(l, i), LEARNED_HIDDEN);
	return r->frozen ? 0 : set_route(l, r);
}

/* ---- messages ---- */

static bool same_hop(const struct netlink_hop *a, const struct netlink_hop *b)
{
	return a->interface == b->interface && a->has_gateway == b->has_gateway &&
	       (!a->has_gateway || ip_address_equal(&a->gateway, &b->gateway));
}

/*
 * Of an IPv6 route with several next hops the kernel tells of the one that goes, and not of those
 * that stay. True: some stay.
 */
static bool delete_hop(const struct learned *l, struct learned_route *r,
		       const struct netlink_message *m)
{
	uint16_t left = 0;

	if (!l->options.kernel || !m->prefix.ipv6 || r->object || m->hops != 1 || r->hops < 2)
		return false;
	for (uint16_t i = 0; i < r->hops; i++)
		if (!same_hop(&r->hop[i], &m->hop[0]))
			r->hop[left++] = r->hop[i];
	r->hops = left;
	return left;
}

static int delete_route(struct learned *l, const struct netlink_message *m)
{
	const uint32_t slot = told_route(l, &m->prefix, m->metric);

	if (!slot)
		return 0;
	if (!delete_hop(l, route_at(l, slot), m))
		remove_route(l, slot);
	return publish(l, &m->prefix);
}

/* A route without an object: its hops are kept, for interfaces may become other ports'. */
static int keep_hops(struct learned_route *r, const struct netlink_message *m)
{
	int rc = 0;

	free(r->hop);
	r->hop = NULL;
	r->hops = 0;
	if (m->object || !m->hops)
		return 0;
	r->hop = copy_hops(m, &rc);
	r->hops = r->hop ? (uint16_t)m->hops : 0;
	return rc;
}

static int new_route(struct learned *l, const struct netlink_message *m)
{
	uint32_t slot = told_route(l, &m->prefix, m->metric), object = 0;
	struct learned_route *r;
	int rc;

	if (!slot)
		slot = make_route(l, &m->prefix, &rc);
	if (!slot)
		return rc;
	if (m->object) {
		object = object_of(l, m->object);
		if (!object) {
			l->counts.beyond++;
			remove_route(l, slot);
			return publish(l, &m->prefix);
		}
		l->object[object].users++; /* leaving the old one must not drop it */
	}
	r = route_at(l, slot);
	leave_object(l, r);
	if (object) {
		l->object[object].users--;
		join_object(l, slot, object);
	}
	rc = keep_hops(r, m);
	r->metric = m->metric;
	r->kind = (uint8_t)m->kind;
	r->held = r->frozen;
	r->frozen = r->restored = false;
	set_stale(l, r, false);
	l->counts.beyond += m->beyond;
	return rc ? rc : publish(l, &m->prefix);
}

static int apply_route(struct learned *l, const struct netlink_message *m)
{
	if (m->table != l->options.table) {
		l->counts.other_table++;
		return 0;
	}
	if (m->prefix.ipv6 && m->prefix.key.length >= 10 &&
	    m->prefix.key.address.hi >> 54 == 0xfe80 >> 6) {
		l->counts.link_local++;
		return 0;
	}
	if (m->gone)
		return delete_route(l, m);
	if (m->kind == TOLD_UNUSED) {
		l->counts.other_kind++;
		return delete_route(l, m);
	}
	return new_route(l, m);
}

/* Routes by an object that has changed. */
static int publish_users(struct learned *l, uint32_t object)
{
	int rc = 0;

	for (uint32_t i = l->object[object].first_user; !rc && i; i = route_at(l, i)->user_next)
		rc = publish(l, &route_at(l, i)->prefix);
	return rc;
}

/* And those by groups that hold it. */
static int publish_object(struct learned *l, uint32_t object)
{
	const uint32_t id = l->object[object].id;
	int rc = publish_users(l, object);

	if (!l->object[object].in_groups)
		return rc;
	for (uint32_t g = 1; !rc && g < l->object_slots; g++) {
		const struct learned_object *o = &l->object[g];

		for (uint16_t i = 0; o->group && i < o->hops; i++)
			if (o->hop[i].id == id) {
				rc = publish_users(l, g);
				break;
			}
	}
	return rc;
}

/* The kernel deletes routes by an object with it, and does not say so. */
static void delete_users(struct learned *l, uint32_t object)
{
	while (l->object[object].first_user) {
		const uint32_t slot = l->object[object].first_user;
		const struct ip_prefix prefix = route_at(l, slot)->prefix;

		l->object[object].users++; /* the last one must not drop it yet */
		remove_route(l, slot);
		l->object[object].users--;
		publish(l, &prefix);
	}
}

static int delete_object(struct learned *l, uint32_t object)
{
	int rc = 0;

	clear_object(l, object);
	if (l->options.kernel)
		delete_users(l, object);
	rc = publish_object(l, object);
	drop_object(l, object);
	return rc;
}

static int new_object(struct learned *l, uint32_t object, const struct netlink_message *m)
{
	struct netlink_hop *hop;
	int rc;

	hop = copy_hops(m, &rc);
	if (rc)
		return rc;
	clear_object(l, object);
	for (uint32_t i = 0; m->group && i < m->hops; i++) {
		const uint32_t member = hop[i].id ? object_of(l, hop[i].id) : 0;

		if (member)
			l->object[member].in_groups++;
		else
			hop[i].id = 0; /* no object has it */
	}
	l->object[object].hop = hop;
	l->object[object].hops = (uint16_t)m->hops;
	l->object[object].kind = (uint8_t)m->kind;
	l->object[object].group = m->group;
	l->object[object].known = true;
	l->counts.beyond += m->beyond;
	return publish_object(l, object);
}

static int apply_object(struct learned *l, const struct netlink_message *m)
{
	uint32_t object = find_object(l, m->id);

	if (m->gone)
		return object ? delete_object(l, object) : 0;
	if (!object)
		object = object_of(l, m->id);
	if (!object) {
		l->counts.beyond++;
		return 0;
	}
	return new_object(l, object, m);
}

int learned_apply(struct learned *l, const struct netlink_message *m)
{
	switch (m->what) {
	case TOLD_ROUTE:
		return apply_route(l, m);
	case TOLD_OBJECT:
		return apply_object(l, m);
	default:
		return 0;
	}
}

int learned_restore(struct learned *l, const struct route *route)
{
	struct resolved to = { .n = 0 };
	struct route set = { .prefix = route->prefix, .kind = route->kind, .via = to.via };
	uint32_t slot;
	int rc;

	if (best_route(l, &route->prefix))
		return -EEXIST;
	for (size_t i = 0; i < route->via_count && to.n < NETLINK_HOPS_MAX; i++)
		if (route->via[i].port != SIZE_MAX &&
		    leads_to(l->options.model, route->via[i].port, &route->via[i].address))
			to.via[to.n++] = route->via[i];
	if (route->kind == CONFIG_ROUTE_VIA && !to.n)
		return -ENETUNREACH;
	set.via_count = to.n;
	slot = make_route(l, &route->prefix, &rc);
	if (!slot)
		return rc ? rc : -ENOSPC;
	rc = model_route_set(l->options.model, l->options.source, &set);
	if (rc) {
		if (rc != -ENOMEM)
			count_refused(l, -1); /* it is forgotten, so it is not counted */
		remove_route(l, slot);
		return rc;
	}
	set_state(l, route_at(l, slot), LEARNED_USED);
	set_stale(l, route_at(l, slot), true);
	route_at(l, slot)->frozen = route_at(l, slot)->restored = true;
	return 0;
}

/* ---- another table, model, other ports ---- */

void learned_set_table(struct learned *l, uint32_t table)
{
	l->options.table = table;
}

void learned_move(struct learned *l, struct model *model)
{
	l->options.model = model;
	l->routes_most = routes_most(model);
	count_refused(l, (int64_t)l->counts.routes[LEARNED_REFUSED]);
	learned_resolve_again(l);
}

void learned_resolve_again(struct learned *l)
{
	l->resolved = 1;
}

bool learned_resolve(struct learned *l, size_t most)
{
	for (; most && l->resolved < l->route_slots; most--, l->resolved++)
		if (route_at(l, l->resolved)->used)
			publish(l, &route_at(l, l->resolved)->prefix);
	return l->resolved < l->route_slots;
}

bool learned_is_stale(const struct learned *l, const struct ip_prefix *prefix)
{
	const uint32_t best = best_route(l, prefix);

	return best && route_at(l, best)->stale;
}

enum learned_state learned_state_of(const struct learned *l, const struct ip_prefix *prefix)
{
	const uint32_t best = best_route(l, prefix);

	return best ? (enum learned_state)route_at(l, best)->state : LEARNED_STATES;
}

/* ---- stale routes ---- */

void learned_mark(struct learned *l)
{
	for (uint32_t i = 1; i < l->route_slots; i++) {
		struct learned_route *r = route_at(l, i);

		if (!r->used)
			continue;
		leave_object(l, r);
		set_stale(l, r, true);
		free(r->hop);
		r->hop = NULL;
		r->hops = 0;
		r->frozen = true;
	}
	for (uint32_t i = 1; i < l->object_slots; i++) {
		if (!l->object[i].known)
			continue;
		clear_object(l, i);
		drop_object(l, i);
	}
	l->swept = 1;
}

bool learned_sweep(struct learned *l, size_t most)
{
	for (; most && l->swept < l->route_slots && l->counts.stale; most--, l->swept++) {
		struct learned_route *r = route_at(l, l->swept);
		const struct ip_prefix prefix = r->prefix;

		if (!r->used || !r->stale)
			continue;
		remove_route(l, l->swept);
		publish(l, &prefix);
	}
	return l->swept < l->route_slots && l->counts.stale;
}

void learned_counts(const struct learned *l, struct learned_counts *counts)
{
	*counts = l->counts;
	counts->objects = l->objects;
}
