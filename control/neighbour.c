// SPDX-License-Identifier: BSD-3-Clause
/* The table of neighbours: asks, learns, refreshes and forgets, and tells the model. */
#include "neighbour.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>

#include "ask.h"
#include "log.h"

#define ENTRIES_MAX    65536
#define INCOMPLETE_MAX 1024 /* apart from resolved ones: RFC 6583 */

#define SECOND_NS         UINT64_C(1000000000)
#define ASK_INTERVAL_NS   SECOND_NS              /* RFC 4861 RETRANS_TIMER */
#define ASK_TIMES         3                      /* MAX_MULTICAST_SOLICIT */
#define REACHABLE_NS      (4 * 3600 * SECOND_NS) /* as exchanges ask of their members */
#define REFRESH_BEFORE_NS (60 * SECOND_NS)       /* unicast questions before it expires */
#define FAILED_FOR_NS     (5 * SECOND_NS)        /* then traffic may ask again */
#define MODULE            "neighbour"

const char *const neighbour_state_name[NEIGHBOUR_STATES] = {
	[NEIGHBOUR_STATIC] = "static",       [NEIGHBOUR_INCOMPLETE] = "incomplete",
	[NEIGHBOUR_REACHABLE] = "reachable", [NEIGHBOUR_STALE] = "stale",
	[NEIGHBOUR_FAILED] = "failed",
};

struct entry {
	uint16_t port;
	struct ip_address address;
	struct rte_ether_addr mac;
	enum neighbour_state state;
	uint64_t confirmed_ns;
	uint64_t asked_ns;
	unsigned int asked;
};

struct neighbours {
	struct dataplane *dp;
	struct rte_mempool *pool;
	struct model *model;
	struct entry *entry; /* unordered */
	size_t count, size, incomplete;
	bool changed;
};

struct neighbours *neighbours_create(struct dataplane *dp, struct rte_mempool *pool)
{
	struct neighbours *n = calloc(1, sizeof(*n));

	if (n) {
		n->dp = dp;
		n->pool = pool;
	}
	return n;
}

void neighbours_free(struct neighbours *n)
{
	if (n)
		free(n->entry);
	free(n);
}

bool neighbours_changed(struct neighbours *n)
{
	const bool changed = n->changed;

	n->changed = false;
	return changed;
}

/* ---- the table ---- */

static bool same_address(const struct ip_address *a, const struct ip_address *b)
{
	return a->ipv6 == b->ipv6 && a->key.hi == b->key.hi && a->key.lo == b->key.lo;
}

static struct entry *find(const struct neighbours *n, uint16_t port,
			  const struct ip_address *address)
{
	for (size_t i = 0; i < n->count; i++)
		if (n->entry[i].port == port && same_address(&n->entry[i].address, address))
			return &n->entry[i];
	return NULL;
}

static struct entry *add(struct neighbours *n, uint16_t port, const struct ip_address *address)
{
	struct entry *e;

	if (n->count == ENTRIES_MAX)
		return NULL;
	if (n->count == n->size) {
		const size_t size = n->size ? 2 * n->size : 64;

		e = realloc(n->entry, size * sizeof(*e));
		if (!e)
			return NULL;
		n->entry = e;
		n->size = size;
	}
	e = &n->entry[n->count++];
	/* nothing is known of it yet: not counted as incomplete before it was asked for */
	*e = (struct entry){ .port = port, .address = *address, .state = NEIGHBOUR_FAILED };
	return e;
}

/* Keep count of those that are only asked for. */
static void set_state(struct neighbours *n, struct entry *e, enum neighbour_state state)
{
	n->incomplete -= e->state == NEIGHBOUR_INCOMPLETE;
	n->incomplete += state == NEIGHBOUR_INCOMPLETE;
	e->state = state;
}

static void forget(struct neighbours *n, struct entry *e)
{
	n->incomplete -= e->state == NEIGHBOUR_INCOMPLETE;
	*e = n->entry[--n->count];
}

static const char *port_name(const struct neighbours *n, uint16_t port)
{
	const struct snapshot_port *p = dataplane_port(n->dp, port);

	return p ? p->name : "?";
}

static void tell_model(struct neighbours *n, const struct entry *e, enum model_neighbour what)
{
	if (model_set_neighbour(n->model, e->port, &e->address, what, &e->mac) == 0)
		n->changed = true;
}

/* ---- questions ---- */

/* Send by any worker that has a queue to the port; the first has all. */
static void send(struct neighbours *n, uint16_t port, struct rte_mbuf *frame)
{
	if (frame && inject(n->dp, 0, port, frame) != 0)
		rte_pktmbuf_free(frame);
}

static void ask(struct neighbours *n, struct entry *e, uint64_t now_ns, bool unicast)
{
	const struct snapshot_port *port = dataplane_port(n->dp, e->port);
	const uint8_t *mac = unicast ? e->mac.addr_bytes : NULL;

	e->asked_ns = now_ns;
	e->asked++;
	if (!port || !dataplane_link(n->dp, e->port))
		return;
	send(n, e->port,
	     e->address.ipv6
		     ? nd_solicitation(port, e->address.key, mac, n->pool)
		     : arp_request(port, rte_cpu_to_be_32(e->address.key.hi >> 32), mac, n->pool));
}

void neighbours_announce(struct neighbours *n, uint16_t number)
{
	const struct snapshot_port *port = dataplane_port(n->dp, number);

	if (!port)
		return;
	for (uint16_t i = 0; i < port->address4_count; i++)
		send(n, number, arp_announcement(port, port->address4[i], n->pool));
	for (uint16_t i = 0; i < port->address6_count; i++)
		send(n, number, nd_announcement(port, port->address6[i], n->pool));
	send(n, number, nd_announcement(port, port->link_local, n->pool));
}

/* ---- what workers tell ---- */

/* Traffic wants a neighbour whose MAC is not known: start to ask, unless too many are. */
static void wanted(struct neighbours *n, uint16_t port, const struct ip_address *address,
		   uint64_t now_ns)
{
	struct entry *e = find(n, port, address);

	if (e) {
		/* one that failed may be asked again after a while, by the traffic that wants it */
		if (e->state != NEIGHBOUR_FAILED || now_ns - e->asked_ns < FAILED_FOR_NS)
			return;
		e->asked = 0;
	} else if (n->incomplete < INCOMPLETE_MAX) {
		e = add(n, port, address);
	}
	if (!e)
		return;
	set_state(n, e, NEIGHBOUR_INCOMPLETE);
	ask(n, e, now_ns, false);
}

static void resolve(struct neighbours *n, const struct punt *punt, uint64_t now_ns)
{
	struct ip_address address = { .key = punt->address, .ipv6 = punt->ipv6 };
	uint16_t port = punt->port;

	/* for a next hop that is a gateway it is the gateway that has to be found */
	if (!model_nexthop_gateway(n->model, punt->nexthop, &port, &address))
		port = punt->port;
	wanted(n, port, &address, now_ns);
}

/* May this MAC speak for this address? Routers with listed MACs are no others. */
static bool believes(const struct neighbours *n, uint16_t port, const struct ip_address *address,
		     const struct rte_ether_addr *mac)
{
	const struct config_router *router = model_router(n->model, port, address);

	if (!router || router->mac_count == 0)
		return true;
	for (size_t i = 0; i < router->mac_count; i++)
		if (rte_is_same_ether_addr(&router->macs[i], mac))
			return true;
	return false;
}

static void learn(struct neighbours *n, const struct punt *punt, uint64_t now_ns)
{
	const struct ip_address address = { .key = punt->address, .ipv6 = punt->ipv6 };
	struct entry *e = find(n, punt->port, &address);
	char text[IP_TEXT_MAX];
	bool moved;

	if (!rte_is_valid_assigned_ether_addr(&punt->mac) ||
	    !believes(n, punt->port, &address, &punt->mac))
		return;
	if (!e) /* who asks us is likely to be sent to: RFC 826, RFC 4861 7.2.3 */
		e = add(n, punt->port, &address);
	if (!e || e->state == NEIGHBOUR_STATIC)
		return;
	moved = e->confirmed_ns && !rte_is_same_ether_addr(&e->mac, &punt->mac);
	if (moved && !punt->override)
		return;
	if (moved)
		log_warning(MODULE, "%s on %s has moved to " RTE_ETHER_ADDR_PRT_FMT,
			    ip_address_text(&address, text), port_name(n, punt->port),
			    RTE_ETHER_ADDR_BYTES(&punt->mac));
	if (moved || e->state != NEIGHBOUR_REACHABLE) {
		e->mac = punt->mac;
		set_state(n, e, NEIGHBOUR_REACHABLE);
		tell_model(n, e, MODEL_NEIGHBOUR_RESOLVED);
	}
	e->confirmed_ns = now_ns;
	e->asked = 0;
}

void neighbours_punt(struct neighbours *n, const struct punt *punt, uint64_t now_ns)
{
	const struct ip_address address = { .key = punt->address, .ipv6 = punt->ipv6 };
	char text[IP_TEXT_MAX];

	switch (punt->kind) {
	case PUNT_RESOLVE:
		resolve(n, punt, now_ns);
		break;
	case PUNT_LEARN:
		learn(n, punt, now_ns);
		break;
	case PUNT_CONFLICT:
		log_warning(MODULE,
			    RTE_ETHER_ADDR_PRT_FMT " on %s uses %s, which is the exchange's own",
			    RTE_ETHER_ADDR_BYTES(&punt->mac), port_name(n, punt->port),
			    ip_address_text(&address, text));
		break;
	}
}

/* ---- time ---- */

/* Returns false when the entry is to be forgotten. */
static bool entry_tick(struct neighbours *n, struct entry *e, uint64_t now_ns)
{
	const uint64_t age = now_ns - e->confirmed_ns;

	switch (e->state) {
	case NEIGHBOUR_INCOMPLETE:
		if (now_ns - e->asked_ns < ASK_INTERVAL_NS)
			return true;
		if (e->asked < ASK_TIMES) {
			ask(n, e, now_ns, false);
			return true;
		}
		set_state(n, e, NEIGHBOUR_FAILED);
		tell_model(n, e, MODEL_NEIGHBOUR_FAILED);
		return true;
	case NEIGHBOUR_FAILED:
		if (now_ns - e->asked_ns < 2 * FAILED_FOR_NS)
			return true;
		tell_model(n, e, MODEL_NEIGHBOUR_NONE);
		return false;
	case NEIGHBOUR_REACHABLE:
		if (age > REACHABLE_NS - REFRESH_BEFORE_NS) {
			set_state(n, e, NEIGHBOUR_STALE);
			e->asked = 0;
			ask(n, e, now_ns, true);
		}
		return true;
	case NEIGHBOUR_STALE:
		if (age > REACHABLE_NS) {
			tell_model(n, e, MODEL_NEIGHBOUR_NONE);
			return false;
		}
		if (now_ns - e->asked_ns > REFRESH_BEFORE_NS / 6)
			ask(n, e, now_ns, true);
		return true;
	default:
		return true;
	}
}

void neighbours_tick(struct neighbours *n, uint64_t now_ns)
{
	for (size_t i = 0; i < n->count;) {
		if (entry_tick(n, &n->entry[i], now_ns))
			i++;
		else
			forget(n, &n->entry[i]);
	}
}

/* ---- ports and static neighbours ---- */

static int add_static(struct neighbours *n, const struct config *config)
{
	for (size_t m = 0; m < config->member_count; m++) {
		for (size_t r = 0; r < config->members[m].router_count; r++) {
			const struct config_router *router = &config->members[m].routers[r];

			if (router->mac_count != 1)
				continue;
			for (size_t a = 0; a < router->address_count; a++) {
				struct entry *e = add(n, model_port_number(n->model, router->port),
						      &router->addresses[a]);

				if (!e)
					return -ENOMEM;
				e->mac = router->macs[0];
				e->state = NEIGHBOUR_STATIC;
			}
		}
	}
	return 0;
}

/* Does what was learned still fit the port it was learned on? */
static bool still_fits(const struct neighbours *n, const struct config *config,
		       const struct entry *e)
{
	const size_t port = model_config_port(n->model, e->port);

	if (e->state == NEIGHBOUR_STATIC || port == SIZE_MAX)
		return false;
	if (e->address.ipv6 && e->address.key.hi >> 54 == 0xfe80 >> 6)
		return true;
	return config_port_of(config, &e->address) == port;
}

int neighbours_set_model(struct neighbours *n, struct model *model)
{
	const struct config *config = model_config(model);
	size_t kept = 0;
	int rc;

	n->model = model;
	n->incomplete = 0;
	for (size_t i = 0; i < n->count; i++)
		if (still_fits(n, config, &n->entry[i]))
			n->entry[kept++] = n->entry[i];
	n->count = kept;
	rc = add_static(n, config);
	for (size_t i = 0; i < kept; i++) {
		struct entry *e = &n->entry[i];

		n->incomplete += e->state == NEIGHBOUR_INCOMPLETE;
		if (e->state == NEIGHBOUR_REACHABLE || e->state == NEIGHBOUR_STALE)
			tell_model(n, e, MODEL_NEIGHBOUR_RESOLVED);
		else if (e->state == NEIGHBOUR_FAILED)
			tell_model(n, e, MODEL_NEIGHBOUR_FAILED);
	}
	return rc;
}

/* ---- looking at it ---- */

static int by_port_and_address(const void *a, const void *b)
{
	const struct neighbour_view *x = a, *y = b;

	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	if (x->address.ipv6 != y->address.ipv6)
		return x->address.ipv6 ? 1 : -1;
	if (x->address.key.hi != y->address.key.hi)
		return x->address.key.hi < y->address.key.hi ? -1 : 1;
	return (x->address.key.lo > y->address.key.lo) - (x->address.key.lo < y->address.key.lo);
}

size_t neighbours_list(const struct neighbours *n, struct neighbour_view *list, size_t max,
		       uint64_t now_ns)
{
	const size_t count = RTE_MIN(n->count, max);

	for (size_t i = 0; i < count; i++) {
		const struct entry *e = &n->entry[i];

		list[i] = (struct neighbour_view){
			.port = e->port,
			.address = e->address,
			.mac = e->mac,
			.state = e->state,
			.age_ns = e->confirmed_ns ? now_ns - e->confirmed_ns : 0,
		};
	}
	qsort(list, count, sizeof(*list), by_port_and_address);
	return count;
}

size_t neighbours_count(const struct neighbours *n, enum neighbour_state state, bool ipv6)
{
	size_t count = 0;

	for (size_t i = 0; i < n->count; i++)
		count += n->entry[i].state == state && n->entry[i].address.ipv6 == ipv6;
	return count;
}
