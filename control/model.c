// SPDX-License-Identifier: BSD-3-Clause
/*
 * Makes of a configuration the exchange's state: parties, devices, neighbours,
 * the routes that follow from it, and the tables that workers look up.
 */
#include "model.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "feed/dump.h"
#include "feed/file.h"
#include "feed/static.h"
#include "group.h"
#include "model_state.h"

static uint64_t hash_bytes(uint64_t h, const void *data, size_t n)
{
	const uint8_t *byte = data;

	for (size_t i = 0; i < n; i++)
		h = (h ^ byte[i]) * 0x100000001b3; /* FNV-1a */
	return h;
}

static uint64_t hash_name(const char *name)
{
	uint64_t h = hash_bytes(0xcbf29ce484222325, name, strlen(name));

	/* FNV leaves the last characters in the low bits only */
	h = (h ^ h >> 32) * 0xd6e8feb86659fd93;
	return h ^ h >> 32;
}

static struct ip_prefix host_prefix(const struct ip_address *address)
{
	return ip_prefix_of(address, ip_bits(address));
}

/* ---- the lock ---- */

void model_lock(const struct model *model)
{
	struct model *m = (struct model *)(uintptr_t)model;

	__atomic_add_fetch(&m->control_waits, 1, __ATOMIC_RELAXED);
	pthread_mutex_lock(&m->lock);
	__atomic_sub_fetch(&m->control_waits, 1, __ATOMIC_RELAXED);
}

/* The mutex is not fair: a thread that takes it a million times in a row would keep it. */
void model_lock_politely(const struct model *model)
{
	struct model *m = (struct model *)(uintptr_t)model;

	while (__atomic_load_n(&m->control_waits, __ATOMIC_RELAXED))
		sched_yield();
	pthread_mutex_lock(&m->lock);
}

void model_unlock(const struct model *model)
{
	pthread_mutex_unlock(&((struct model *)(uintptr_t)model)->lock);
}

/* ---- ports, devices, parties ---- */

/* Locally administered, made from the name: always the same, and another for each port. */
static struct rte_ether_addr mac_of_name(uint64_t name_hash)
{
	struct rte_ether_addr mac = { { 0x02 } };

	for (int i = 1; i < 6; i++)
		mac.addr_bytes[i] = (uint8_t)(name_hash >> (8 * i));
	return mac;
}

/* RFC 4291 appendix A. */
struct ipv6_key model_link_local(const struct rte_ether_addr *mac)
{
	const uint8_t *m = mac->addr_bytes;
	uint64_t id = (uint64_t)(m[0] ^ 2) << 56 | (uint64_t)m[1] << 48 | (uint64_t)m[2] << 40 |
		      0xfffeull << 24 | (uint64_t)m[3] << 16 | (uint64_t)m[4] << 8 | m[5];

	return (struct ipv6_key){ 0xfe80ull << 48, id };
}

/* The only member with anything on a port, or the port's own party. */
static uint16_t party_of_port(const struct model *model, size_t port)
{
	const struct config *config = model->config;
	const uint16_t own = model->party_number[config->member_count + port];
	size_t only = SIZE_MAX;

	for (size_t m = 0; m < config->member_count; m++) {
		const struct config_member *member = &config->members[m];
		bool here = member->router_count == 0 && member->port == port;

		for (size_t r = 0; r < member->router_count; r++)
			here |= member->routers[r].port == port;
		if (!here)
			continue;
		if (only != SIZE_MAX)
			return own;
		only = m;
	}
	return only == SIZE_MAX ? own : model_member_party(model, only);
}

static int by_name(const void *a, const void *b, void *ctx)
{
	const struct config_port *ports = ctx;

	return strcmp(ports[*(const size_t *)a].name, ports[*(const size_t *)b].name);
}

static int add_ports(struct model *model)
{
	const struct config *config = model->config;
	size_t n = config->port_count;

	model->port = calloc(model->port_numbers.count + 1, sizeof(*model->port));
	model->port_by_name = calloc(n + 1, sizeof(*model->port_by_name));
	if (!model->port || !model->port_by_name)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct config_port *from = &config->ports[i];
		struct model_port *port = &model->port[model->port_number[i]];

		port->config = from;
		port->enabled = from->enabled;
		port->name_hash = hash_name(from->name);
		port->mac = from->has_mac ? from->mac : mac_of_name(port->name_hash);
		port->link_local =
			from->has_link_local ? from->link_local.key : model_link_local(&port->mac);
		port->device = model->port_device[i];
		port->party = party_of_port(model, i);
		model->port_by_name[i] = i;
	}
	qsort_r(model->port_by_name, n, sizeof(*model->port_by_name), by_name, config->ports);
	return 0;
}

size_t model_port_by_name(const struct model *model, const char *name)
{
	size_t low = 0, high = model->config->port_count;

	while (low < high) {
		size_t middle = (low + high) / 2, port = model->port_by_name[middle];
		int order = strcmp(name, model->config->ports[port].name);

		if (!order)
			return port;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return SIZE_MAX;
}

size_t model_port_of(const struct model *model, const struct ip_address *address)
{
	struct ip_prefix host = host_prefix(address);
	struct rib_route route;

	return rib_cover(model->connected, &host, &route)
		       ? model_config_port(model, (uint16_t)(route.leaf - 1))
		       : SIZE_MAX;
}

bool model_is_own(const struct model *model, const struct ip_address *address)
{
	struct ip_prefix host = host_prefix(address);
	bool own;

	model_lock(model);
	own = rib_get(model->rib, &host, ROUTE_LOCAL) != 0;
	model_unlock(model);
	return own;
}

/* ---- neighbours ---- */

int model_neighbour_order(const struct neighbour *a, const struct neighbour *b)
{
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	if (a->address.ipv6 != b->address.ipv6)
		return a->address.ipv6 ? 1 : -1;
	return ip_key_compare(a->address.key, b->address.key);
}

static int by_place(const void *a, const void *b)
{
	return model_neighbour_order(a, b);
}

struct neighbour *model_find_neighbour(const struct model *model, uint16_t port,
				       const struct ip_address *address)
{
	struct neighbour key = { .address = *address, .port = port };

	return bsearch(&key, model->neighbour, model->neighbours, sizeof(key), by_place);
}

/* Every address of every router. One MAC is a static neighbour; of several ARP and ND choose. */
static int add_neighbours(struct model *model)
{
	const struct config *config = model->config;
	size_t n = 0;

	for (size_t m = 0; m < config->member_count; m++)
		for (size_t r = 0; r < config->members[m].router_count; r++)
			n += config->members[m].routers[r].address_count;
	model->neighbours_allocated = n + 1;
	model->neighbour = calloc(n + 1, sizeof(*model->neighbour));
	if (!model->neighbour)
		return -ENOMEM;
	for (size_t m = 0; m < config->member_count; m++) {
		for (size_t r = 0; r < config->members[m].router_count; r++) {
			const struct config_router *router = &config->members[m].routers[r];

			for (size_t i = 0; i < router->address_count; i++) {
				struct neighbour *to = &model->neighbour[model->neighbours++];

				*to = (struct neighbour){ .address = router->addresses[i],
							  .port = model->port_number[router->port],
							  .party = model_member_party(model, m),
							  .listed = true,
							  .router = router,
							  .fixed = router->mac_count == 1,
							  .resolved = router->mac_count == 1 };
				if (to->resolved)
					to->mac = router->macs[0];
			}
		}
	}
	qsort(model->neighbour, model->neighbours, sizeof(*model->neighbour), by_place);
	return 0;
}

/* ---- next hops ---- */

/* What a next hop is, not where it stands: the same in every configuration that has it. */
static uint64_t hop_identity(const struct model *model, const struct hop_key *key)
{
	uint64_t h = model->port[key->port].name_hash;

	h = hash_bytes(h, &key->gateway.key, sizeof(key->gateway.key));
	return hash_bytes(h, &key->gateway.ipv6, sizeof(key->gateway.ipv6));
}

static int take_hop(struct model *model, const struct hop_key *key, uint32_t *index)
{
	const struct neighbour *neighbour;
	struct hop *hop;
	bool fresh;
	int rc = hops_take(&model->hops, key, hop_identity(model, key), index, &fresh);

	if (rc || !fresh)
		return rc;
	hop = &model->hops.hop[*index];
	neighbour = model_find_neighbour(model, key->port, &key->gateway);
	hop->party = neighbour ? neighbour->party : model->port[key->port].party;
	hop->failed = neighbour && neighbour->failed;
	if (neighbour && neighbour->resolved) {
		hop->resolved = true;
		hop->mac = neighbour->mac;
	}
	return 0;
}

/* The leaf of a route's next hops, those on no port left out; -ENETUNREACH: none is left. */
static int via_leaf(struct model *model, const struct route *route, uint32_t *leaf)
{
	struct hop_choice choice[64];
	uint32_t n = 0;
	int rc = 0;

	for (size_t i = 0; !rc && i < route->via_count && i < 64; i++) {
		const struct config_nexthop *via = &route->via[i];
		struct hop_key key = { .gateway = via->address,
				       .via_default = route->prefix.key.length == 0 };

		if (via->port >= model->config->port_count)
			continue;
		key.port = model->port_number[via->port];
		choice[n].weight = via->weight;
		rc = take_hop(model, &key, &choice[n].hop);
		n += !rc;
	}
	if (!rc && n)
		return hops_leaf(&model->hops, choice, n, leaf);
	while (n)
		hops_release(&model->hops, choice[--n].hop);
	return rc ? rc : -ENETUNREACH;
}

/* ---- routes ---- */

/* Put a leaf in the RIB; takes it, and gives back the one it replaces. */
static int set_leaf(struct model *model, const struct ip_prefix *prefix, enum route_source source,
		    uint32_t leaf)
{
	uint32_t old;
	int rc = rib_set(model->rib, prefix, source, leaf, &old);

	hops_release(&model->hops, rc ? leaf : old);
	return rc;
}

static bool is_link_local_prefix(const struct ip_prefix *prefix)
{
	return prefix->ipv6 && prefix->key.length >= 10 && prefix->key.address.hi >> 54 == 0x3fa;
}

static int route_leaf(struct model *model, const struct route *route, uint32_t *leaf)
{
	switch (route->kind) {
	case CONFIG_ROUTE_BLACKHOLE:
		*leaf = LEAF_BLACKHOLE;
		return 0;
	case CONFIG_ROUTE_UNREACHABLE:
		*leaf = LEAF_UNREACHABLE;
		return 0;
	case CONFIG_ROUTE_PROHIBIT:
		*leaf = LEAF_PROHIBIT;
		return 0;
	default:
		return via_leaf(model, route, leaf);
	}
}

int model_route_set(struct model *model, enum route_source source, const struct route *route)
{
	struct rib_route connected;
	uint32_t leaf;
	int rc;

	model_lock_politely(model);
	if (is_link_local_prefix(&route->prefix)) {
		rc = -EADDRNOTAVAIL;
	} else if (source != ROUTE_STATIC &&
		   rib_cover(model->connected, &route->prefix, &connected)) {
		rc = -EADDRINUSE;
	} else {
		rc = route_leaf(model, route, &leaf);
		if (!rc)
			rc = set_leaf(model, &route->prefix, source, leaf);
	}
	model->unresolved += rc == -ENETUNREACH;
	model->refused += rc == -EADDRINUSE || rc == -EADDRNOTAVAIL || rc == -ENOSPC;
	model_unlock(model);
	return rc;
}

int model_route_delete(struct model *model, enum route_source source,
		       const struct ip_prefix *prefix)
{
	uint32_t old;
	int rc;

	model_lock_politely(model);
	rc = rib_delete(model->rib, prefix, source, &old);
	if (!rc)
		hops_release(&model->hops, old);
	model_unlock(model);
	return rc;
}

/* A subnet of a port, and what in it is the exchange's own. */
static int add_subnet(struct model *model, uint16_t port, const struct interface_address *address)
{
	struct ip_prefix subnet = ip_prefix_of(&address->address, address->length);
	struct ip_prefix own = host_prefix(&address->address), anycast = subnet;
	struct hop_key key = { .port = port };
	uint32_t hop, old;
	int rc;

	rc = rib_set(model->connected, &subnet, ROUTE_CONNECTED, port + 1u, &old);
	if (!rc)
		rc = take_hop(model, &key, &hop);
	if (!rc)
		rc = set_leaf(model, &subnet, ROUTE_CONNECTED, hop);
	if (!rc)
		rc = set_leaf(model, &own, ROUTE_LOCAL, LEAF_LOCAL);
	anycast.key.length = 128;
	if (!rc && subnet.ipv6 && subnet.key.length < 127)
		rc = set_leaf(model, &anycast, ROUTE_LOCAL, LEAF_LOCAL);
	return rc;
}

static int add_subnets(struct model *model)
{
	int rc = 0;

	for (size_t i = 0; i < model->config->port_count; i++)
		for (size_t k = 0; !rc && k < model->config->ports[i].address_count; k++)
			rc = add_subnet(model, model->port_number[i],
					&model->config->ports[i].addresses[k]);
	return rc;
}

static int run_errand(struct model *model, const struct errand *e)
{
	struct hop_key key = { .gateway = { e->prefix.key.address, e->prefix.ipv6 },
			       .port = e->port };
	uint32_t hop, old;
	int rc;

	switch (e->kind) {
	case ERRAND_GONE:
		if (rib_delete(model->rib, &e->prefix, ROUTE_ADJACENT, &old) == 0)
			hops_release(&model->hops, old);
		return 0;
	case ERRAND_TOUCH:
		rib_touch(model->rib, &e->prefix);
		return 0;
	default:
		rc = take_hop(model, &key, &hop);
		return rc ? rc : set_leaf(model, &e->prefix, ROUTE_ADJACENT, hop);
	}
}

/* Now, or by the thread whose the RIB is. */
static int send(struct model *model, const struct errand *e)
{
	if (!model->wake)
		return run_errand(model, e);
	if (model->errands == model->errands_allocated) {
		const size_t size = model->errands ? 2 * model->errands : 64;
		struct errand *larger = realloc(model->errand, size * sizeof(*larger));

		if (!larger)
			return -ENOMEM;
		model->errand = larger;
		model->errands_allocated = size;
	}
	model->errand[model->errands++] = *e;
	model->wake(model->wake_arg);
	return 0;
}

/* A neighbour that is known by address is a host route to it; link-local ones are never routed to.
 */
int model_add_adjacency(struct model *model, const struct neighbour *n)
{
	if (model_port_of(model, &n->address) != model_config_port(model, n->port))
		return 0;
	return send(model, &(struct errand){ ERRAND_ADJACENT, host_prefix(&n->address), n->port });
}

int model_drop_adjacency(struct model *model, const struct neighbour *n)
{
	return send(model, &(struct errand){ ERRAND_GONE, host_prefix(&n->address), n->port });
}

int model_touch(struct model *model, const struct ip_prefix *prefix)
{
	return send(model, &(struct errand){ ERRAND_TOUCH, *prefix, 0 });
}

int model_run_errands(struct model *model)
{
	struct errand *list;
	size_t n;
	int rc = 0;

	model_lock_politely(model);
	list = model->errand;
	n = model->errands;
	model->errand = NULL;
	model->errands = model->errands_allocated = 0;
	model_unlock(model);
	for (size_t i = 0; i < n; i++) {
		int one;

		model_lock_politely(model);
		one = run_errand(model, &list[i]);
		model_unlock(model);
		rc = rc ? rc : one;
	}
	free(list);
	return rc;
}

static int add_adjacencies(struct model *model)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < model->neighbours; i++)
		rc = model_add_adjacency(model, &model->neighbour[i]);
	return rc;
}

/* ---- from one model to the next ---- */

struct carrying {
	struct model *next;
	const struct model *old;
	struct ip_prefix prefix; /* whose routes are looked at */
	bool mrt;                /* those of dumps too, as updates have changed them */
	int rc;
};

/* The next hops of a leaf as the new configuration counts ports. Returns how many. */
static size_t leaf_hops(const struct carrying *c, uint32_t leaf,
			struct config_nexthop via[GROUP_HOPS_MAX])
{
	const struct hops *hops = &c->old->hops;
	const struct hop_group *g = leaf & LEAF_GROUP ? &hops->group[leaf & ~LEAF_GROUP] : NULL;
	const size_t n = g ? g->choices : 1;

	for (size_t i = 0; i < n; i++) {
		const struct hop_key *key = &hops->hop[g ? g->choice[i].hop : leaf].key;

		via[i] = (struct config_nexthop){ key->gateway,
						  model_config_port(c->next, key->port),
						  g ? g->choice[i].weight : 1 };
	}
	return n;
}

static int carry_feed(const struct carrying *c, const struct rib_route *route)
{
	struct config_nexthop via[GROUP_HOPS_MAX];
	struct route r = { .prefix = c->prefix, .via = via };
	int rc;

	switch (route->leaf) {
	case LEAF_BLACKHOLE:
		r.kind = CONFIG_ROUTE_BLACKHOLE;
		break;
	case LEAF_UNREACHABLE:
		r.kind = CONFIG_ROUTE_UNREACHABLE;
		break;
	case LEAF_PROHIBIT:
		r.kind = CONFIG_ROUTE_PROHIBIT;
		break;
	default:
		r.via_count = leaf_hops(c, route->leaf, via);
		break;
	}
	rc = model_route_set(c->next, route->source, &r);
	return rc == -ENOMEM ? rc : 0;
}

/* A neighbour on a port that is still there, on a subnet of it. */
static int carry_adjacent(const struct carrying *c, const struct rib_route *route)
{
	const struct hop_key *key = &c->old->hops.hop[route->leaf].key;
	const struct neighbour n = { .address = key->gateway, .port = key->port };

	if (model_config_port(c->next, key->port) == SIZE_MAX || model_is_own(c->next, &n.address))
		return 0;
	return model_add_adjacency(c->next, &n);
}

static void carry_route(void *arg, const struct rib_route *route)
{
	struct carrying *c = arg;

	if (c->rc)
		return;
	if (route->source == ROUTE_FPM || route->source == ROUTE_KERNEL ||
	    (route->source == ROUTE_MRT && c->mrt))
		c->rc = carry_feed(c, route);
	else if (route->source == ROUTE_ADJACENT)
		c->rc = carry_adjacent(c, route);
}

static void carry_prefix(void *arg, const struct rib_route *best)
{
	struct carrying *c = arg;

	c->prefix.key = best->prefix;
	rib_routes(c->old->rib, &c->prefix, carry_route, c);
}

/* Routes that a dump of next has and updates took away. */
struct withdrawn {
	const struct carrying *c;
	struct prefix_key prefix[256];
	size_t count;
};

static void find_withdrawn(void *arg, const struct rib_route *best)
{
	struct withdrawn *w = arg;
	const struct ip_prefix prefix = { best->prefix, w->c->prefix.ipv6 };

	if (rib_get(w->c->next->rib, &prefix, ROUTE_MRT) &&
	    !rib_get(w->c->old->rib, &prefix, ROUTE_MRT))
		w->prefix[w->count++] = best->prefix;
}

static void withdraw(const struct carrying *c)
{
	const struct ip_prefix all = { .ipv6 = c->prefix.ipv6 };
	struct withdrawn w = { .c = c };
	struct prefix_key last;
	bool more, begun = false;

	do {
		w.count = 0;
		more = rib_walk_part(c->next->rib, &all, begun ? &last : NULL,
				     sizeof(w.prefix) / sizeof(w.prefix[0]), find_withdrawn, &w,
				     &last);
		begun = true;
		for (size_t i = 0; i < w.count; i++) {
			const struct ip_prefix prefix = { w.prefix[i], all.ipv6 };

			model_route_delete(c->next, ROUTE_MRT, &prefix);
		}
	} while (more);
}

int model_carry(struct model *next, const struct model *old)
{
	struct carrying c = { .next = next, .old = old };
	const uint64_t unresolved = next->unresolved, refused = next->refused;

	/* other dumps, or other subnets for their next hops: what the file says now counts */
	c.mrt = old->mrt_changed && old->mrt_identity == next->mrt_identity;
	next->mrt_changed = c.mrt;
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		const struct ip_prefix all = { .ipv6 = ipv6 };

		c.prefix.ipv6 = ipv6;
		if (c.mrt)
			withdraw(&c);
		rib_walk(old->rib, &all, carry_prefix, &c);
	}
	/* routes that find no place here are their feed's to count */
	next->unresolved = unresolved;
	next->refused = refused;
	return c.rc;
}

/* ---- tables that workers look up ---- */

struct table *table_create(void)
{
	struct table *table = calloc(1, sizeof(*table));

	if (table)
		table->references = 1;
	return table;
}

struct table *table_ref(struct table *table)
{
	__atomic_add_fetch(&table->references, 1, __ATOMIC_RELAXED);
	return table;
}

void table_unref(struct table *table)
{
	if (!table || __atomic_sub_fetch(&table->references, 1, __ATOMIC_ACQ_REL))
		return;
	fib4_free(table->fib4);
	fib6_free(table->fib6);
	free(table->allowed);
	free(table);
}

/* The table of a family as the RIB is now, or NULL in table when the one in force is that. */
static int make_table(struct model *model, bool ipv6, struct table **made)
{
	struct table *old = model->routes[ipv6], *table;
	const struct prefix_key all = { 0 }, *dirty;
	size_t n;

	*made = NULL;
	dirty = rib_dirty(model->rib, ipv6, &n);
	if (old && !n)
		return 0;
	if (!old) {
		dirty = &all;
		n = 1;
	}
	table = table_create();
	if (!table)
		return -ENOMEM;
	if (ipv6)
		table->fib6 =
			fib6_apply(old ? old->fib6 : NULL, dirty, n, rib_source(model->rib, true));
	else
		table->fib4 =
			fib4_apply(old ? old->fib4 : NULL, dirty, n, rib_source(model->rib, false));
	if (!table->fib4 && !table->fib6) {
		table_unref(table);
		return -ENOMEM;
	}
	*made = table;
	return 0;
}

bool model_is_dirty(const struct model *model)
{
	size_t n4, n6;

	rib_dirty(model->rib, false, &n4);
	rib_dirty(model->rib, true, &n6);
	return n4 || n6;
}

int model_prepare(struct model *model)
{
	struct table *made[2] = { NULL, NULL }, *old[2] = { NULL, NULL };
	int rc;

	/* the RIB is this thread's: others look at it, and go on */
	rc = make_table(model, false, &made[0]);
	if (!rc)
		rc = make_table(model, true, &made[1]);
	model_lock_politely(model);
	for (int i = 0; i < 2; i++) {
		if (!made[i])
			continue;
		old[i] = model->routes[i];
		model->routes[i] = made[i];
		rib_clean(model->rib, i);
	}
	if (!rc)
		hops_settle(&model->hops);
	model_unlock(model);
	table_unref(old[0]);
	table_unref(old[1]);
	return rc;
}

struct snapshot *model_snapshot(struct model *model)
{
	struct snapshot *snapshot;

	if (!model->wake && model_prepare(model))
		return NULL;
	model_lock(model);
	if (model->relayout)
		hops_relayout(&model->hops);
	model->relayout = false;
	model->generation++;
	snapshot = compile(model);
	model_unlock(model);
	return snapshot;
}

/* ---- the whole ---- */

/* What feeds bring later is watched by runtime_watch_capacity(). */
static void warn_fill(const struct model *model, struct problems *problems)
{
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		const int level = model_fill_level(model, ipv6, 0);

		if (level == 90 || (level && !model->refused)) /* else it was said */
			problem_warning(problems, (struct place){ 0 }, "dataplane.capacity",
					"%" PRIu64 " %s prefixes are nine tenths of it or more",
					rib_prefixes(model->rib, ipv6), ipv6 ? "IPv6" : "IPv4");
	}
}

static int fill(struct model *model, struct problems *problems)
{
	const struct config *config = model->config;
	int rc = hops_init(&model->hops);

	if (rc)
		return rc;
	model->rib = rib_create(config->dataplane.capacity_ipv4, config->dataplane.capacity_ipv6);
	model->connected = rib_create(UINT64_MAX, UINT64_MAX);
	if (!model->rib || !model->connected)
		return -ENOMEM;
	rc = add_ports(model);
	if (!rc)
		rc = add_neighbours(model);
	if (!rc)
		rc = add_subnets(model);
	if (!rc)
		rc = add_adjacencies(model);
	if (!rc)
		rc = feed_static_load(model, problems);
	for (size_t i = 0; !rc && i < config->tables.file_count; i++)
		rc = feed_file_load(model, config->tables.file[i], problems);
	if (!rc)
		rc = feed_dump_load(model, model->options.dumps, problems);
	model->options.dumps = NULL; /* they may not live as long */
	if (rc)
		return rc;
	warn_fill(model, problems);
	model->sources = source_table_create(model);
	return model->sources ? 0 : -ENOMEM;
}

struct model *model_create(const struct config *config, const struct model_options *options,
			   struct problems *problems)
{
	size_t errors = problems->errors;
	struct model *model = calloc(1, sizeof(*model));

	if (!model)
		return NULL;
	pthread_mutex_init(&model->lock, NULL);
	model->config = config;
	model->options = *options;
	model->options.previous = NULL; /* it may not live as long */
	if (model_assign_numbers(model, options->previous, problems) || fill(model, problems) ||
	    problems->errors > errors) {
		model_free(model);
		return NULL;
	}
	return model;
}

void model_free(struct model *model)
{
	if (!model)
		return;
	table_unref(model->routes[0]);
	table_unref(model->routes[1]);
	table_unref(model->sources);
	interfaces_unref(model->interfaces);
	feed_dump_free(model->dumps);
	rib_free(model->rib);
	rib_free(model->connected);
	hops_fini(&model->hops);
	free(model->neighbour);
	free(model->errand);
	free(model->port_by_name);
	free(model->port_number);
	free(model->port_device);
	free(model->party_number);
	numbers_fini(&model->port_numbers);
	numbers_fini(&model->party_numbers);
	numbers_fini(&model->device_numbers);
	free(model->port);
	free(model);
}

int model_fill_level(const struct model *model, bool ipv6, int level)
{
	const struct config *config = model->config;
	const uint64_t capacity =
		ipv6 ? config->dataplane.capacity_ipv6 : config->dataplane.capacity_ipv4;
	uint64_t have;

	model_lock(model);
	have = rib_prefixes(model->rib, ipv6);
	model_unlock(model);
	if (have >= capacity)
		return 100;
	return have * 100 >= capacity * (level ? 85 : 90) ? 90 : 0;
}

void model_routes(const struct model *model, struct model_routes *routes)
{
	model_lock(model);
	*routes = (struct model_routes){ .ipv4 = rib_prefixes(model->rib, false),
					 .ipv6 = rib_prefixes(model->rib, true),
					 .unresolved = model->unresolved,
					 .refused = model->refused,
					 .narrowed = model->hops.narrowed };
	model_unlock(model);
}
