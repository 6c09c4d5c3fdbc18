// SPDX-License-Identifier: BSD-3-Clause
/*
 * What the checks of ports, members and routes share: things that may be given only
 * once, where they stand; and the defaults that depend on other settings.
 */
#include "config_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void claim_add(struct reader *r, struct claims *claims, const struct claim *claim)
{
	size_t n = claims->count;

	if ((n & (n - 1)) == 0) {
		struct claim *more = reallocarray(claims->list, n ? n * 2 : 1, sizeof(*more));

		if (!more) {
			r->no_memory = true;
			return;
		}
		claims->list = more;
	}
	claims->list[claims->count++] = *claim;
}

static int claim_same(const struct claim *a, const struct claim *b)
{
	ORDER(a->space, b->space);
	ORDER(a->port, b->port);
	return ip_key_compare(a->key, b->key);
}

static int claim_order(const void *left, const void *right)
{
	const struct claim *a = left, *b = right;
	int same = claim_same(a, b);

	if (same)
		return same;
	ORDER(a->item, b->item);
	ORDER(a->router, b->router);
	ORDER(a->index, b->index);
	return 0;
}

void claims_check(struct reader *r, struct claims *claims, claim_twice_fn twice)
{
	size_t first = 0;

	if (claims->count)
		qsort(claims->list, claims->count, sizeof(*claims->list), claim_order);
	for (size_t i = 1; i < claims->count; i++) {
		if (claim_same(&claims->list[first], &claims->list[i]) == 0)
			twice(r, &claims->list[first], &claims->list[i]);
		else
			first = i;
	}
	free(claims->list);
	*claims = (struct claims){ 0 };
}

struct where list_where(const struct where *list, size_t i)
{
	size_t index = 0;

	if (list->node->type != NODE_LIST)
		return *list;
	for (const struct node *child = list->node->child; child; child = child->next, index++) {
		const struct node *value = node_value(child);

		if (!value->refused && i-- == 0)
			return where_index(list, index, value);
	}
	return *list;
}

void router_where(struct router_where *w, struct reader *r, size_t member, size_t router)
{
	const struct node *child;
	size_t index = 0, mapping = 0;

	item_where(&w->member, "members", &r->members.item[member]);
	w->list = where_key(&w->member.item, "routers");
	for (child = w->list.node->child; child; child = child->next, index++)
		if (node_value(child)->type == NODE_MAPPING && mapping++ == router)
			break;
	w->router = where_index(&w->list, index, node_value(child));
}

/* ---- defaults ---- */

/* What the members of a port bring that its defaults hang on. */
struct port_facts {
	bool mac;        /* a router with a MAC is listed */
	bool mac_unread; /* one is, but wrongly */
	bool prefixes;
};

static void member_facts(struct reader *r, size_t m, struct port_facts *facts)
{
	const struct config_member *member = &r->config->members[m];
	struct item_where at;
	bool prefixes;

	item_where(&at, "members", &r->members.item[m]);
	prefixes = member->prefix_count > 0;
	if (member->port != SIZE_MAX)
		facts[member->port].prefixes |= prefixes;
	for (size_t i = 0; i < member->router_count; i++) {
		const struct config_router *router = &member->routers[i];
		struct router_where w;

		if (router->port == SIZE_MAX)
			continue;
		router_where(&w, r, m, i);
		facts[router->port].prefixes |= prefixes;
		facts[router->port].mac |= router->mac_count > 0;
		facts[router->port].mac_unread |= node_get(w.router.node, "mac") != NULL;
	}
}

static void resolve_burst(struct reader *r, const struct where *port, const char *rate_key,
			  const char *burst_key, uint64_t rate_bps, uint64_t frame_bytes,
			  uint64_t *burst_bytes)
{
	struct where where = where_key(port, burst_key);
	bool given = node_get(port->node, burst_key) != NULL;

	if (given && !node_get(port->node, rate_key))
		where_warning(r, &where, "has no effect without `%s`", rate_key);
	else if (given && *burst_bytes && *burst_bytes < frame_bytes)
		where_warning(r, &where,
			      "frames longer than %" PRIu64
			      " bytes never pass; a full one has %" PRIu64,
			      *burst_bytes, frame_bytes);
	if (!given && rate_bps)
		*burst_bytes = rate_bps / 800 > frame_bytes ? rate_bps / 800 : frame_bytes;
}

static void resolve_port(struct reader *r, size_t p, const struct port_facts *facts)
{
	struct config_port *port = &r->config->ports[p];
	uint64_t frame_bytes = port->mtu + (port->vlan ? 18u : 14u);
	struct item_where at;
	struct where where;

	item_where(&at, "ports", &r->ports.item[p]);
	where = where_key(&at.item, "mac-lock");
	if (!node_get(at.item.node, "mac-lock"))
		port->mac_lock = facts->mac;
	else if (port->mac_lock && !facts->mac && !facts->mac_unread)
		where_error(
			r, &where,
			"true, but no router with a MAC is listed for the port: nobody could send");
	where = where_key(&at.item, "source-check");
	if (!node_get(at.item.node, "source-check"))
		port->source_check = facts->prefixes ? CONFIG_SOURCE_PREFIXES : CONFIG_SOURCE_NONE;
	else if (port->source_check == CONFIG_SOURCE_PREFIXES && !facts->prefixes)
		where_warning(r, &where,
			      "no member of the port lists prefixes: every source fails");
	if (!node_get(at.item.node, "tap"))
		port->tap = r->config->tables.fpm || r->config->tables.kernel;
	if (!node_get(at.item.node, "tap-accept"))
		port->tap_accept = CONFIG_TAP_BGP | CONFIG_TAP_BFD | CONFIG_TAP_ICMP;
	resolve_burst(r, &at.item, "rate-limit", "burst", port->rate_limit_bps, frame_bytes,
		      &port->burst_bytes);
	resolve_burst(r, &at.item, "egress-rate-limit", "egress-burst", port->egress_rate_limit_bps,
		      frame_bytes, &port->egress_burst_bytes);
}

/* One path cannot be both sockets. */
static void check_sockets(struct reader *r)
{
	const char *full = r->config->control.socket,
		   *readonly = r->config->control.readonly_socket;
	struct where file = { .document = r->document[0], .node = r->document[0]->root };
	struct where control = where_key(&file, "control");
	struct where where = where_key(&control, "readonly-socket");

	if (full && readonly && strcmp(full, readonly) == 0)
		where_error(r, &where, "%s is `socket` too; they must differ", readonly);
}

/* Where it stands, for what is looked at on the host (host_check.c). */
static struct place place_of(const struct where *parent, const char *key)
{
	const struct node *node = node_get(parent->node, key);

	return node ? node_place(parent->document, node) : (struct place){ 0 };
}

static void keep_places(struct reader *r)
{
	struct where file = { .document = r->document[0], .node = r->document[0]->root };
	struct where control = where_key(&file, "control"),
		     dataplane = where_key(&file, "dataplane");

	r->config->control.group_place = place_of(&control, "group");
	r->config->dataplane.cores_place = place_of(&dataplane, "cores");
	for (size_t p = 0; p < r->config->port_count; p++) {
		struct item_where at;

		item_where(&at, "ports", &r->ports.item[p]);
		r->config->ports[p].device_place = place_of(&at.item, "device");
	}
}

void resolve_defaults(struct reader *r)
{
	struct port_facts *facts = calloc(r->config->port_count + 1, sizeof(*facts));

	if (!facts) {
		r->no_memory = true;
		return;
	}
	check_sockets(r);
	for (size_t m = 0; m < r->config->member_count; m++)
		member_facts(r, m, facts);
	for (size_t p = 0; p < r->config->port_count; p++)
		resolve_port(r, p, &facts[p]);
	free(facts);
	check_taps(r);
	keep_places(r);
}
