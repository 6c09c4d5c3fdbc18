// SPDX-License-Identifier: BSD-3-Clause
/* Turns workers' events into what is known of neighbours, and what is known into next hops. */
#include "neighbour.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_mbuf.h>

#include "address.h"
#include "ask.h"
#include "log.h"

#define LIFETIME_NS (4 * 3600 * NUD_SECOND_NS) /* as exchanges ask of their members */
#define WATCHED_NS  (20 * NUD_SECOND_NS)
#define PUBLISH_NS  (20 * UINT64_C(1000000))
#define MODULE      "neighbour"

struct neighbours {
	struct dataplane *dp;
	struct rte_mempool *pool;
	struct model *model;
	struct nud *nud;
	struct own *own;
	bool changed;
	uint64_t published_ns;
	struct neighbour_counters counters[PORT_MAX];
};

/* ---- out: frames, the model, the log ---- */

static const char *port_name(const struct neighbours *n, uint16_t port)
{
	const struct snapshot_port *p = dataplane_port(n->dp, port);

	return p ? p->name : "?";
}

/* Send by any worker that has a queue to the port; the first has all. */
static void send(struct neighbours *n, uint16_t port, struct rte_mbuf *frame)
{
	if (frame && inject(n->dp, 0, port, frame) != 0)
		rte_pktmbuf_free(frame);
}

static rte_be32_t ipv4(const struct ip_address *address)
{
	return rte_cpu_to_be_32((uint32_t)(address->key.hi >> 32));
}

static void on_ask(void *ctx, const struct nud_key *key, const struct rte_ether_addr *mac)
{
	struct neighbours *n = ctx;
	const struct snapshot_port *port = dataplane_port(n->dp, key->port);
	const uint8_t *bytes = mac ? mac->addr_bytes : NULL;

	if (!port || !dataplane_link(n->dp, key->port))
		return;
	n->counters[key->port].asked++;
	send(n, key->port,
	     key->address.ipv6 ? nd_solicitation(port, key->address.key, bytes, n->pool)
			       : arp_request(port, ipv4(&key->address), bytes, n->pool));
}

static void on_news(void *ctx, const struct nud_entry *e, enum nud_news news)
{
	static const enum model_neighbour what[] = {
		[NUD_FORGOTTEN] = MODEL_NEIGHBOUR_NONE,
		[NUD_RESOLVED] = MODEL_NEIGHBOUR_RESOLVED,
		[NUD_FAILED] = MODEL_NEIGHBOUR_FAILED,
	};
	struct neighbours *n = ctx;
	char text[IP_TEXT_MAX], mac[MAC_TEXT_MAX];

	if (model_set_neighbour(n->model, e->key.port, &e->key.address, what[news], &e->mac) == 0)
		n->changed = true;
	if (e->preferred && news == NUD_FAILED)
		log_warning(MODULE, "%s on %s does not answer",
			    ip_address_text(&e->key.address, text), port_name(n, e->key.port));
	else if (e->preferred && news == NUD_RESOLVED)
		log_info(MODULE, "%s on %s is at %s", ip_address_text(&e->key.address, text),
			 port_name(n, e->key.port), mac_text(&e->mac, mac));
}

static void on_moved(void *ctx, const struct nud_entry *e, const struct rte_ether_addr *before)
{
	struct neighbours *n = ctx;
	char text[IP_TEXT_MAX], from[MAC_TEXT_MAX], to[MAC_TEXT_MAX];

	n->counters[e->key.port].moves++;
	log_warning(MODULE, "%s on %s has moved from %s to %s",
		    ip_address_text(&e->key.address, text), port_name(n, e->key.port),
		    mac_text(before, from), mac_text(&e->mac, to));
}

static void on_probe(void *ctx, const struct own_address *a)
{
	struct neighbours *n = ctx;
	const struct snapshot_port *port = dataplane_port(n->dp, a->port);

	if (port)
		send(n, a->port,
		     a->address.ipv6 ? nd_probe(port, a->address.key, n->pool)
				     : arp_probe(port, ipv4(&a->address), n->pool));
}

static void on_announce(void *ctx, const struct own_address *a)
{
	struct neighbours *n = ctx;
	const struct snapshot_port *port = dataplane_port(n->dp, a->port);

	if (port)
		send(n, a->port,
		     a->address.ipv6 ? nd_announcement(port, a->address.key, n->pool)
				     : arp_announcement(port, ipv4(&a->address), n->pool));
}

/* ---- start and end ---- */

/* For tests, who cannot wait for hours: NAPD_TEST_NEIGHBOUR_S is the lifetime in seconds. */
static struct nud_times chosen_times(void)
{
	struct nud_times times = { LIFETIME_NS, WATCHED_NS };
	const char *test = getenv("NAPD_TEST_NEIGHBOUR_S");

	if (test && atoi(test) > 0)
		times.lifetime_ns = atoi(test) * NUD_SECOND_NS;
	return times;
}

struct neighbours *neighbours_create(struct dataplane *dp, struct rte_mempool *pool)
{
	const struct nud_times times = chosen_times();
	struct neighbours *n = calloc(1, sizeof(*n));
	const struct nud_calls nud_calls = { n, on_ask, on_news, on_moved };
	const struct own_calls own_calls = { n, on_probe, on_announce };

	if (!n)
		return NULL;
	n->dp = dp;
	n->pool = pool;
	n->nud = nud_create(&nud_calls, &times);
	n->own = own_create(&own_calls);
	if (n->nud && n->own)
		return n;
	neighbours_free(n);
	return NULL;
}

void neighbours_free(struct neighbours *n)
{
	if (!n)
		return;
	nud_free(n->nud);
	own_free(n->own);
	free(n);
}

bool neighbours_changed(struct neighbours *n, uint64_t now_ns)
{
	if (!n->changed || now_ns - n->published_ns < PUBLISH_NS)
		return false;
	n->changed = false;
	n->published_ns = now_ns;
	return true;
}

/* ---- what workers tell ---- */

/* Several MACs are listed: one may take over silently. */
static bool is_watched(const struct config_router *router)
{
	return router && router->mac_count > 1;
}

static void resolve(struct neighbours *n, const struct punt *punt, uint64_t now_ns)
{
	struct nud_key key = { punt->port, { .key = punt->address, .ipv6 = punt->ipv6 } };
	const struct config_router *router;
	bool preferred;

	/* for a next hop that is a gateway it is the gateway that has to be found */
	if (!model_nexthop_gateway(n->model, punt->nexthop, &key.port, &key.address))
		key.port = punt->port;
	if (!model_may_have_neighbour(n->model, key.port, &key.address))
		return;
	router = model_router(n->model, key.port, &key.address);
	preferred = router || model_is_gateway(n->model, key.port, &key.address);
	if (!nud_want(n->nud, &key, preferred, is_watched(router), now_ns))
		n->counters[key.port].limited++;
}

/* May this MAC speak for a router? Those with listed MACs have no others. */
static bool believes(const struct config_router *router, const struct rte_ether_addr *mac)
{
	if (!router || router->mac_count == 0)
		return true;
	for (size_t i = 0; i < router->mac_count; i++)
		if (rte_is_same_ether_addr(&router->macs[i], mac))
			return true;
	return false;
}

static void learn(struct neighbours *n, const struct punt *punt, uint64_t now_ns)
{
	struct nud_heard heard = {
		.key = { punt->port, { .key = punt->address, .ipv6 = punt->ipv6 } },
		.mac = punt->mac,
		.solicited = punt->solicited,
		.override = punt->override,
	};
	const struct config_router *router;
	char text[IP_TEXT_MAX], mac[MAC_TEXT_MAX];

	if (!rte_is_valid_assigned_ether_addr(&punt->mac) ||
	    !model_may_have_neighbour(n->model, punt->port, &heard.key.address))
		return;
	router = model_router(n->model, punt->port, &heard.key.address);
	if (!believes(router, &punt->mac)) {
		n->counters[punt->port].refused++;
		log_warning(MODULE,
			    "%s on %s speaks for %s, whose router's listed MACs are others; it is "
			    "not believed",
			    mac_text(&punt->mac, mac), port_name(n, punt->port),
			    ip_address_text(&heard.key.address, text));
		return;
	}
	heard.preferred = router != NULL;
	heard.watched = is_watched(router);
	if (!nud_hear(n->nud, &heard, now_ns))
		n->counters[punt->port].limited++;
}

static void conflict(struct neighbours *n, const struct punt *punt, uint64_t now_ns)
{
	const struct ip_address address = { .key = punt->address, .ipv6 = punt->ipv6 };
	char text[IP_TEXT_MAX], mac[MAC_TEXT_MAX];

	own_conflict(n->own, punt->port, &address, &punt->mac, now_ns);
	log_warning(MODULE,
		    "%s on %s uses %s, which is the exchange's own; it is kept and defended",
		    mac_text(&punt->mac, mac), port_name(n, punt->port),
		    ip_address_text(&address, text));
}

void neighbours_punt(struct neighbours *n, const struct punt *punt, uint64_t now_ns)
{
	switch (punt->kind) {
	case PUNT_RESOLVE:
		resolve(n, punt, now_ns);
		break;
	case PUNT_LEARN:
		learn(n, punt, now_ns);
		break;
	case PUNT_CONFLICT:
		conflict(n, punt, now_ns);
		break;
	}
}

/* ---- time and links ---- */

void neighbours_tick(struct neighbours *n, uint64_t now_ns)
{
	nud_tick(n->nud, now_ns);
	own_tick(n->own, now_ns);
}

void neighbours_link_up(struct neighbours *n, uint16_t port, uint64_t now_ns)
{
	own_link(n->own, port, true, now_ns);
	nud_link_up(n->nud, port, now_ns);
}

/* ---- the configuration ---- */

static int add_permanent(struct neighbours *n, const struct config_router *router)
{
	struct nud_key key = { .port = model_port_number(n->model, router->port) };
	int rc = 0;

	for (size_t a = 0; !rc && router->mac_count == 1 && a < router->address_count; a++) {
		key.address = router->addresses[a];
		rc = nud_add_permanent(n->nud, &key, &router->macs[0]);
	}
	return rc;
}

/* Does what was learned still fit the port it was learned on? The model is told of what does. */
static bool keep(void *ctx, struct nud_entry *e)
{
	struct neighbours *n = ctx;
	const struct config_router *router;

	if (e->state == NEIGHBOUR_PERMANENT ||
	    model_config_port(n->model, e->key.port) == SIZE_MAX ||
	    !model_may_have_neighbour(n->model, e->key.port, &e->key.address))
		return false;
	router = model_router(n->model, e->key.port, &e->key.address);
	if (router && (router->mac_count == 1 || (e->heard && !believes(router, &e->mac))))
		return false;
	nud_set_rank(n->nud, e, router || model_is_gateway(n->model, e->key.port, &e->key.address),
		     is_watched(router));
	if (e->state == NEIGHBOUR_FAILED)
		model_set_neighbour(n->model, e->key.port, &e->key.address, MODEL_NEIGHBOUR_FAILED,
				    NULL);
	else if (e->state != NEIGHBOUR_INCOMPLETE)
		model_set_neighbour(n->model, e->key.port, &e->key.address,
				    MODEL_NEIGHBOUR_RESOLVED, &e->mac);
	return true;
}

/* Every address of every port, with the MAC that it is announced with. */
static int set_own(struct neighbours *n)
{
	const struct config *config = model_config(n->model);
	struct own_address *list;
	size_t count = 0;
	int rc;

	for (size_t i = 0; i < config->port_count; i++)
		count += config->ports[i].address_count + 1;
	list = calloc(count + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	count = 0;
	for (size_t i = 0; i < config->port_count; i++) {
		struct own_address a = { .port = model_port_number(n->model, i) };

		model_port_identity(n->model, i, &a.mac, &a.address);
		list[count++] = a;
		for (size_t k = 0; k < config->ports[i].address_count; k++) {
			a.address = config->ports[i].addresses[k].address;
			list[count++] = a;
		}
	}
	rc = own_set(n->own, list, count);
	free(list);
	return rc;
}

int neighbours_set_model(struct neighbours *n, struct model *model)
{
	const struct config *config = model_config(model);
	int rc;

	n->model = model;
	for (uint16_t port = 0; port < model_port_numbers(model); port++)
		if (model_port_is_new(model, port))
			n->counters[port] = (struct neighbour_counters){ 0 };
	nud_walk(n->nud, keep, n);
	rc = set_own(n);
	for (size_t m = 0; !rc && m < config->member_count; m++)
		for (size_t r = 0; !rc && r < config->members[m].router_count; r++)
			rc = add_permanent(n, &config->members[m].routers[r]);
	return rc;
}

void neighbours_devices_changed(struct neighbours *n)
{
	if (set_own(n) != 0)
		log_error(MODULE, "no memory; what is announced may be what was before");
}

/* Addresses that came with a reload have no link event to start them. */
void neighbours_start_new(struct neighbours *n, uint64_t now_ns)
{
	const struct config *config = model_config(n->model);

	for (size_t i = 0; i < config->port_count; i++) {
		const uint16_t port = model_port_number(n->model, i);

		if (dataplane_link(n->dp, port))
			own_link(n->own, port, false, now_ns);
	}
}

struct clearing {
	uint16_t port;
	const struct ip_address *address;
	struct nud_key found[64];
	size_t count;
};

static bool collect(void *ctx, struct nud_entry *e)
{
	struct clearing *c = ctx;

	if ((c->port == PORT_NONE || c->port == e->key.port) && c->count < 64 &&
	    ip_address_equal(&e->key.address, c->address))
		c->found[c->count++] = e->key;
	return true;
}

int neighbours_clear(struct neighbours *n, uint16_t port, const struct ip_address *address)
{
	struct clearing c = { .port = port, .address = address };
	int cleared = 0, rc = 0;

	nud_walk(n->nud, collect, &c);
	for (size_t i = 0; i < c.count; i++) {
		rc = nud_clear(n->nud, &c.found[i]);
		cleared += rc == 0;
	}
	return cleared ? cleared : rc;
}

/* ---- looking at it ---- */

static int by_port_and_address(const void *a, const void *b)
{
	const struct neighbour_view *x = a, *y = b;

	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	if (x->address.ipv6 != y->address.ipv6)
		return x->address.ipv6 ? 1 : -1;
	return ip_key_compare(x->address.key, y->address.key);
}

struct listing {
	struct neighbour_view *list;
	size_t count;
	uint64_t now_ns;
};

static bool view(void *ctx, struct nud_entry *e)
{
	struct listing *l = ctx;

	l->list[l->count++] = (struct neighbour_view){
		.port = e->key.port,
		.address = e->key.address,
		.mac = e->state == NEIGHBOUR_FAILED || e->state == NEIGHBOUR_INCOMPLETE
			       ? (struct rte_ether_addr){ { 0 } }
			       : e->mac,
		.state = e->state,
		.age_ns = e->confirmed_ns ? l->now_ns - e->confirmed_ns : 0,
	};
	return true;
}

struct neighbour_view *neighbours_list(const struct neighbours *n, size_t *count, uint64_t now_ns)
{
	struct listing l = { .list = calloc(nud_count(n->nud) + 1, sizeof(*l.list)),
			     .now_ns = now_ns };

	*count = 0;
	if (!l.list)
		return NULL;
	nud_walk(n->nud, view, &l);
	qsort(l.list, l.count, sizeof(*l.list), by_port_and_address);
	*count = l.count;
	return l.list;
}

struct counting {
	enum neighbour_state state;
	bool ipv6;
	size_t count;
};

static bool count(void *ctx, struct nud_entry *e)
{
	struct counting *c = ctx;

	c->count += e->state == c->state && e->key.address.ipv6 == c->ipv6;
	return true;
}

size_t neighbours_count(const struct neighbours *n, enum neighbour_state state, bool ipv6)
{
	struct counting c = { state, ipv6, 0 };

	nud_walk(n->nud, count, &c);
	return c.count;
}

struct neighbour_counters neighbours_counters(const struct neighbours *n, uint16_t port)
{
	return n->counters[port];
}

const struct own_address *neighbours_own(const struct neighbours *n, size_t *count_out)
{
	return own_list(n->own, count_out);
}
