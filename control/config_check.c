// SPDX-License-Identifier: BSD-3-Clause
/*
 * What must hold between settings: names, subnets and devices of ports, routers
 * and next hops on them, nothing given twice; and defaults that depend on others.
 */
#include "config_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Something that may be given only once; where it stands is found again when it is not. */
struct claim {
	struct ipv6_key key;
	uint32_t space; /* claims of different spaces do not meet */
	size_t port;
	size_t item, router, index; /* members[item].routers[router].addresses[index] */
};

struct claims {
	struct claim *list;
	size_t count;
};

static void claim_add(struct reader *r, struct claims *claims, const struct claim *claim)
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

#define ORDER(x, y)                                \
	do {                                       \
		if ((x) != (y))                    \
			return (x) < (y) ? -1 : 1; \
	} while (0)

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

/* Call twice(first, other) for every claim after the first of its kind. */
static void claims_check(struct reader *r, struct claims *claims,
			 void (*twice)(struct reader *r, const struct claim *first,
				       const struct claim *other))
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

/*
 * The i-th of count values that were read from a list; where the list itself
 * stands when some of its values were refused, which moved the others.
 */
static struct where list_where(const struct where *list, size_t i, size_t count)
{
	const struct node *child = list->node->child;

	if (list->node->type != NODE_LIST || list->node->length != count)
		return *list;
	for (size_t n = i; n > 0; n--)
		child = child->next;
	return where_index(list, i, node_value(child));
}

/* ---- ports ---- */

static int port_name_order(const void *left, const void *right, void *arg)
{
	const struct config *config = arg;
	const size_t *a = left, *b = right;
	int order = strcmp(config->ports[*a].name, config->ports[*b].name);

	return order ? order : *a < *b ? -1 : *a > *b;
}

size_t port_by_name(const struct reader *r, const char *name)
{
	size_t low = 0, high = r->config->port_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (strcmp(r->config->ports[r->port_by_name[middle]].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < r->config->port_count &&
	    strcmp(r->config->ports[r->port_by_name[low]].name, name) == 0)
		return r->port_by_name[low];
	return SIZE_MAX;
}

static void check_port_names(struct reader *r)
{
	struct config *config = r->config;
	size_t first = 0;

	r->port_by_name = calloc(config->port_count, sizeof(*r->port_by_name));
	if (!r->port_by_name) {
		r->no_memory = true;
		return;
	}
	for (size_t i = 0; i < config->port_count; i++) {
		struct config_port *port = &config->ports[i];

		if (!port->name) /* wrong, which was said */
			port->name = strdup("");
		if (!port->name) {
			r->no_memory = true;
			return;
		}
		r->port_by_name[i] = i;
	}
	qsort_r(r->port_by_name, config->port_count, sizeof(*r->port_by_name), port_name_order,
		config);
	for (size_t i = 1; i < config->port_count; i++) {
		const char *name = config->ports[r->port_by_name[i]].name;
		const char *before = config->ports[r->port_by_name[first]].name;
		char text[REFERENCE_MAX], quoted[QUOTE_MAX];
		struct item_where at;
		struct where where;

		if (!*name || strcmp(name, before) != 0) {
			first = i;
			continue;
		}
		item_where(&at, "ports", &r->ports.item[r->port_by_name[i]]);
		where = where_key(&at.item, "name");
		where_error(r, &where, "'%s' is the name of %s already", quote(name, quoted),
			    item_reference(at.item.document, "ports",
					   &r->ports.item[r->port_by_name[first]], text));
	}
}

static int subnet_order(const void *left, const void *right)
{
	const struct config_subnet *a = left, *b = right;
	int order;

	ORDER(a->prefix.ipv6, b->prefix.ipv6);
	order = ip_key_compare(a->prefix.key.address, b->prefix.key.address);
	if (order)
		return order;
	ORDER(a->prefix.key.length, b->prefix.key.length);
	ORDER(a->port, b->port);
	return 0;
}

const struct config_subnet *config_subnet_of(const struct config *config,
					     const struct ip_address *address)
{
	size_t low = 0, high = config->subnet_count;

	while (low < high) { /* the first that begins beyond the address */
		size_t middle = (low + high) / 2;
		const struct config_subnet *s = &config->subnets[middle];

		if (s->prefix.ipv6 != address->ipv6
			    ? s->prefix.ipv6 < address->ipv6
			    : ip_key_compare(s->prefix.key.address, address->key) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low > 0 && ip_prefix_contains(&config->subnets[low - 1].prefix, address))
		return &config->subnets[low - 1];
	return NULL;
}

size_t config_port_of(const struct config *config, const struct ip_address *address)
{
	const struct config_subnet *subnet = config_subnet_of(config, address);

	return subnet ? subnet->port : SIZE_MAX;
}

/* Where a port's address stands that made this subnet. */
static struct where subnet_where(struct reader *r, const struct config_subnet *subnet,
				 struct where *list)
{
	const struct config_port *port = &r->config->ports[subnet->port];
	size_t i = 0;

	while (i + 1 < port->address_count &&
	       !(ip_address_equal(&port->addresses[i].address, &subnet->own) &&
		 port->addresses[i].length == subnet->prefix.key.length))
		i++;
	return list_where(list, i, port->address_count);
}

static void subnets_overlap(struct reader *r, const struct config_subnet *a,
			    const struct config_subnet *b)
{
	const struct config_subnet *first = a->port <= b->port ? a : b;
	const struct config_subnet *later = first == a ? b : a;
	char one[IP_TEXT_MAX], other[IP_TEXT_MAX], text[REFERENCE_MAX];
	struct where list, where;
	struct item_where at;

	item_where(&at, "ports", &r->ports.item[later->port]);
	list = where_key(&at.item, "addresses");
	where = subnet_where(r, later, &list);
	where_error(r, &where, "the subnet %s overlaps %s of %s",
		    ip_prefix_text(&later->prefix, one), ip_prefix_text(&first->prefix, other),
		    a->port == b->port ? "the same port"
				       : item_reference(at.item.document, "ports",
							&r->ports.item[first->port], text));
}

static void check_subnets(struct reader *r)
{
	struct config *config = r->config;
	const struct config_subnet *widest = NULL;
	size_t count = 0;

	for (size_t i = 0; i < config->port_count; i++)
		count += config->ports[i].address_count;
	if (count == 0)
		return;
	config->subnets = calloc(count, sizeof(*config->subnets));
	if (!config->subnets) {
		r->no_memory = true;
		return;
	}
	for (size_t i = 0; i < config->port_count; i++) {
		for (size_t j = 0; j < config->ports[i].address_count; j++) {
			const struct interface_address *own = &config->ports[i].addresses[j];

			config->subnets[config->subnet_count++] = (struct config_subnet){
				.prefix = ip_prefix_of(&own->address, own->length),
				.own = own->address,
				.port = i,
			};
		}
	}
	qsort(config->subnets, count, sizeof(*config->subnets), subnet_order);
	for (size_t i = 0; i < count; i++) {
		const struct config_subnet *s = &config->subnets[i];
		struct ip_address start = { .key = s->prefix.key.address, .ipv6 = s->prefix.ipv6 };

		if (widest && ip_prefix_contains(&widest->prefix, &start))
			subnets_overlap(r, widest, s);
		else
			widest = s;
	}
}

static int device_order(const void *left, const void *right, void *arg)
{
	const struct config *config = arg;
	const struct config_port *a = &config->ports[*(const size_t *)left];
	const struct config_port *b = &config->ports[*(const size_t *)right];
	int order = strcmp(a->device ? a->device : "", b->device ? b->device : "");

	if (order)
		return order;
	ORDER(a->vlan, b->vlan);
	ORDER(a, b); /* the order of the configuration */
	return 0;
}

static struct where port_key_where(struct reader *r, size_t port, const char *key,
				   struct item_where *at)
{
	item_where(at, "ports", &r->ports.item[port]);
	return where_key(&at->item, key);
}

static void vlan_taken(struct reader *r, size_t first, size_t other)
{
	char text[REFERENCE_MAX];
	struct item_where at;
	unsigned int vlan = r->config->ports[other].vlan;
	struct where where = port_key_where(r, other, vlan ? "vlan" : "device", &at);
	const char *reference =
		item_reference(at.item.document, "ports", &r->ports.item[first], text);

	if (!vlan && node_get(at.item.node, "vlan"))
		return; /* it is wrong, which was said */
	if (vlan)
		where_error(r, &where, "%u is the tag of %s on the same device already", vlan,
			    reference);
	else
		where_error(r, &where,
			    "%s on the same device is untagged already; give this a `vlan`",
			    reference);
}

static void port_disagrees(struct reader *r, size_t first, size_t other, const char *key)
{
	char text[REFERENCE_MAX];
	struct item_where at;
	struct where where = port_key_where(r, other, key, &at);

	where_error(r, &where, "differs from that of %s, which shares the device",
		    item_reference(at.item.document, "ports", &r->ports.item[first], text));
}

/* What one port of a device says of it holds for all; what two say must agree. */
static void check_shared(struct reader *r, const size_t *order, size_t count)
{
	struct config_port *ports = r->config->ports;
	size_t mac = SIZE_MAX, speed = SIZE_MAX, queues = SIZE_MAX;

	for (size_t i = 0; i < count; i++) {
		size_t p = order[i];

		if (ports[p].has_mac && p < mac)
			mac = p;
		if (ports[p].speed_bps && p < speed)
			speed = p;
		if (ports[p].queues && p < queues)
			queues = p;
	}
	for (size_t i = 0; i < count; i++) {
		struct config_port *port = &ports[order[i]];

		if (port->has_mac && memcmp(&port->mac, &ports[mac].mac, sizeof(port->mac)) != 0)
			port_disagrees(r, mac, order[i], "mac");
		if (port->speed_bps && port->speed_bps != ports[speed].speed_bps)
			port_disagrees(r, speed, order[i], "speed");
		if (port->queues && port->queues != ports[queues].queues)
			port_disagrees(r, queues, order[i], "queues");
		if (mac != SIZE_MAX) {
			port->has_mac = true;
			port->mac = ports[mac].mac;
		}
		if (speed != SIZE_MAX)
			port->speed_bps = ports[speed].speed_bps;
		if (queues != SIZE_MAX)
			port->queues = ports[queues].queues;
	}
}

#define DEVICES_MAX 32

static void check_devices(struct reader *r)
{
	struct config *config = r->config;
	size_t *order = calloc(config->port_count, sizeof(*order));
	size_t n = 0, devices = 0;

	if (!order) {
		r->no_memory = true;
		return;
	}
	for (size_t i = 0; i < config->port_count; i++)
		if (config->ports[i].device)
			order[n++] = i;
	qsort_r(order, n, sizeof(*order), device_order, config);
	for (size_t first = 0, end; first < n; first = end) {
		const char *device = config->ports[order[first]].device;

		end = first + 1;
		for (; end < n && strcmp(config->ports[order[end]].device, device) == 0; end++)
			if (config->ports[order[end]].vlan == config->ports[order[end - 1]].vlan)
				vlan_taken(r, order[end - 1], order[end]);
		check_shared(r, order + first, end - first);
		if (++devices == DEVICES_MAX + 1) {
			struct item_where at;
			struct where where = port_key_where(r, order[first], "device", &at);

			where_error(r, &where, "one device more than the %d that napd can have",
				    DEVICES_MAX);
		}
	}
	free(order);
}

void check_ports(struct reader *r)
{
	if (r->no_memory || r->config->port_count == 0)
		return;
	check_port_names(r);
	if (!r->no_memory)
		check_subnets(r);
	if (!r->no_memory)
		check_devices(r);
}

const char *special_address(const struct ip_prefix *subnet, const struct ip_address *address)
{
	struct ip_address last = ip_prefix_last(subnet);

	if (subnet->key.length >= (address->ipv6 ? 127 : 31))
		return NULL;
	if (ip_key_compare(address->key, subnet->key.address) == 0)
		return address->ipv6 ? "the subnet-router anycast address" : "the network address";
	if (!address->ipv6 && ip_key_compare(address->key, last.key) == 0)
		return "the broadcast address";
	return NULL;
}

/* An address that a router or next hop has on a subnet: not ours, not everybody's. */
static void check_neighbour(struct reader *r, const struct config_subnet *subnet,
			    const struct ip_address *address, const struct where *where)
{
	const char *special = special_address(&subnet->prefix, address);
	char text[IP_TEXT_MAX], prefix[IP_TEXT_MAX];

	if (ip_address_equal(&subnet->own, address))
		where_error(r, where, "%s is the address of port %s itself",
			    ip_address_text(address, text), r->config->ports[subnet->port].name);
	else if (special)
		where_error(r, where, "%s is %s of %s", ip_address_text(address, text), special,
			    ip_prefix_text(&subnet->prefix, prefix));
}

/* ---- members ---- */

/* members[m].routers, and [i] of it: mappings of the list are routers one by one. */
struct router_where {
	struct item_where member;
	struct where list, router;
};

static void router_where(struct router_where *w, struct reader *r, size_t member, size_t router)
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

static void check_router_address(struct reader *r, const struct config_router *router,
				 const struct ip_address *address, const struct where *where)
{
	const struct config_port *port = &r->config->ports[router->port];
	const struct config_subnet *subnet;
	char text[IP_TEXT_MAX];

	if (ip_is_link_local(address)) {
		if (port->has_link_local && ip_address_equal(address, &port->link_local))
			where_error(r, where, "%s is the link-local address of port %s itself",
				    ip_address_text(address, text), port->name);
		return;
	}
	subnet = config_subnet_of(r->config, address);
	if (!subnet)
		where_error(r, where, "%s is on no subnet of port %s",
			    ip_address_text(address, text), port->name);
	else if (subnet->port != router->port)
		where_error(r, where, "%s is on a subnet of port %s, not of port %s",
			    ip_address_text(address, text), r->config->ports[subnet->port].name,
			    port->name);
	else
		check_neighbour(r, subnet, address, where);
}

static void check_router(struct reader *r, size_t m, size_t i, struct claims *addresses,
			 struct claims *macs)
{
	struct config_router *router = &r->config->members[m].routers[i];
	const struct config_port *port = &r->config->ports[router->port];
	struct router_where at;
	struct where list, where;

	router_where(&at, r, m, i);
	list = where_key(&at.router, "addresses");
	for (size_t a = 0; a < router->address_count; a++) {
		const struct ip_address *address = &router->addresses[a];
		struct claim claim = { .key = address->key,
				       .space = address->ipv6,
				       .port = ip_is_link_local(address) ? router->port : SIZE_MAX,
				       .item = m,
				       .router = i,
				       .index = a };

		where = list_where(&list, a, router->address_count);
		check_router_address(r, router, address, &where);
		claim_add(r, addresses, &claim);
	}
	list = where_key(&at.router, "mac");
	for (size_t a = 0; a < router->mac_count; a++) {
		struct claim claim = { .port = router->port, .item = m, .router = i, .index = a };

		for (int b = 0; b < 6; b++)
			claim.key.hi = claim.key.hi << 8 | router->macs[a].addr_bytes[b];
		claim_add(r, macs, &claim);
		where = list_where(&list, a, router->mac_count);
		if (port->has_mac && memcmp(&port->mac, &router->macs[a], sizeof(port->mac)) == 0)
			where_error(r, &where, "is the MAC address of port %s itself", port->name);
	}
}

/* "members[0].routers[1]" */
static const char *router_reference(struct reader *r, const struct claim *claim,
				    const struct document *from, char text[REFERENCE_MAX])
{
	const struct item *item = &r->members.item[claim->item];
	struct router_where at;
	size_t n;

	router_where(&at, r, claim->item, claim->router);
	where_text(&at.router, text, REFERENCE_MAX);
	n = strlen(text);
	if (item->document != from)
		snprintf(text + n, REFERENCE_MAX - n, " of %.100s", item->document->name);
	return text;
}

static void address_twice(struct reader *r, const struct claim *first, const struct claim *other)
{
	const struct config_router *router =
		&r->config->members[other->item].routers[other->router];
	char text[IP_TEXT_MAX], reference[REFERENCE_MAX];
	struct router_where at;
	struct where list, where;

	router_where(&at, r, other->item, other->router);
	list = where_key(&at.router, "addresses");
	where = list_where(&list, other->index, router->address_count);
	where_error(r, &where, "%s is an address of %s already",
		    ip_address_text(&router->addresses[other->index], text),
		    router_reference(r, first, where.document, reference));
}

/* One member may list a MAC at several of its routers; on a port it tells members apart. */
static void mac_twice(struct reader *r, const struct claim *first, const struct claim *other)
{
	const struct config_router *router =
		&r->config->members[other->item].routers[other->router];
	char reference[REFERENCE_MAX];
	struct router_where at;
	struct where list, where;

	if (first->item == other->item && first->router != other->router)
		return;
	router_where(&at, r, other->item, other->router);
	list = where_key(&at.router, "mac");
	where = list_where(&list, other->index, router->mac_count);
	where_error(r, &where, "is a MAC address of %s on the same port already",
		    router_reference(r, first, where.document, reference));
}

static void check_member(struct reader *r, size_t m, struct claims *addresses, struct claims *macs)
{
	struct config_member *member = &r->config->members[m];
	struct item_where at;

	item_where(&at, "members", &r->members.item[m]);
	for (size_t i = 0; i < member->router_count; i++) {
		struct config_router *router = &member->routers[i];
		struct router_where w;

		router_where(&w, r, m, i);
		if (router->port == SIZE_MAX && !node_get(w.router.node, "port")) {
			router->port = member->port;
			if (member->port == SIZE_MAX && !node_get(at.item.node, "port"))
				where_error(
					r, &w.router,
					"no `port`: give one here, or to the member for all its routers");
		}
		if (!node_get(w.router.node, "mac") && !node_get(w.router.node, "addresses"))
			where_error(r, &w.router, "neither `mac` nor `addresses` is given");
		if (router->port != SIZE_MAX)
			check_router(r, m, i, addresses, macs);
	}
	if (node_get(at.item.node, "routers") && member->router_count)
		return;
	if (!node_get(at.item.node, "prefixes"))
		where_warning(r, &at.item, "neither routers nor prefixes are listed");
	else if (!node_get(at.item.node, "port"))
		where_warning(r, &at.item, "no port and no routers: its traffic cannot be told");
}

struct name_entry {
	const char *name;
	size_t index;
};

static int name_order(const void *left, const void *right)
{
	const struct name_entry *a = left, *b = right;
	int order = strcmp(a->name, b->name);

	if (order)
		return order;
	ORDER(a->index, b->index);
	return 0;
}

static void check_member_names(struct reader *r)
{
	size_t count = r->config->member_count, n = 0, first = 0;
	struct name_entry *list = calloc(count, sizeof(*list));

	if (!list) {
		r->no_memory = true;
		return;
	}
	for (size_t i = 0; i < count; i++)
		if (r->config->members[i].name)
			list[n++] = (struct name_entry){ r->config->members[i].name, i };
	qsort(list, n, sizeof(*list), name_order);
	for (size_t i = 1; i < n; i++) {
		char text[REFERENCE_MAX], quoted[QUOTE_MAX];
		struct item_where at;
		struct where where;

		if (strcmp(list[i].name, list[first].name) != 0) {
			first = i;
			continue;
		}
		item_where(&at, "members", &r->members.item[list[i].index]);
		where = where_key(&at.item, "name");
		where_error(r, &where, "'%s' is the name of %s already",
			    quote(list[i].name, quoted),
			    item_reference(at.item.document, "members",
					   &r->members.item[list[first].index], text));
	}
	free(list);
}

void check_members(struct reader *r)
{
	struct claims addresses = { 0 }, macs = { 0 };

	if (r->config->member_count == 0)
		return;
	check_member_names(r);
	for (size_t m = 0; m < r->config->member_count; m++)
		check_member(r, m, &addresses, &macs);
	claims_check(r, &addresses, address_twice);
	claims_check(r, &macs, mac_twice);
}

/* ---- routes ---- */

void check_hop(struct reader *r, struct config_nexthop *hop, const struct where *where)
{
	const struct config_subnet *subnet;
	char text[IP_TEXT_MAX];

	if (ip_is_link_local(&hop->address)) {
		const struct config_port *port = &r->config->ports[hop->port];

		if (port->has_link_local && ip_address_equal(&hop->address, &port->link_local))
			where_error(r, where, "%s is the link-local address of port %s itself",
				    ip_address_text(&hop->address, text), port->name);
		return;
	}
	subnet = config_subnet_of(r->config, &hop->address);
	if (!subnet) {
		where_error(r, where, "%s is on no port's subnet",
			    ip_address_text(&hop->address, text));
		return;
	}
	if (hop->port != SIZE_MAX && hop->port != subnet->port) {
		where_error(r, where, "%s is on a subnet of port %s, not of port %s",
			    ip_address_text(&hop->address, text),
			    r->config->ports[subnet->port].name, r->config->ports[hop->port].name);
		return;
	}
	hop->port = subnet->port;
	check_neighbour(r, subnet, &hop->address, where);
}

static void check_vias(struct reader *r, const struct config_route *route, const struct where *via)
{
	char text[IP_TEXT_MAX];

	for (size_t i = 0; i < route->via_count; i++) {
		const struct config_nexthop *hop = &route->via[i];
		struct where where = list_where(via, i, route->via_count);

		if (route->prefix.ipv6 && !hop->address.ipv6)
			where_error(r, &where, "%s: an IPv6 prefix cannot go over an IPv4 next hop",
				    ip_address_text(&hop->address, text));
		for (size_t j = 0; j < i; j++) {
			if (!ip_address_equal(&hop->address, &route->via[j].address) ||
			    hop->port != route->via[j].port)
				continue;
			where_error(r, &where, "%s is a next hop of this route already",
				    ip_address_text(&hop->address, text));
			break;
		}
	}
}

static void check_route_prefix(struct reader *r, const struct config_route *route,
			       const struct where *where)
{
	const struct prefix_key *key = &route->prefix.key;
	struct ip_address address = { .key = key->address, .ipv6 = route->prefix.ipv6 };
	const struct config_subnet *subnet = config_subnet_of(r->config, &address);
	bool multicast = address.ipv6 ? key->address.hi >> 56 == 0xff && key->length >= 8
				      : key->address.hi >> 60 == 0xe && key->length >= 4;
	char text[IP_TEXT_MAX];

	if (multicast)
		where_error(r, where, "%s is multicast, which is not routed",
			    ip_prefix_text(&route->prefix, text));
	else if (ip_is_link_local(&address) && key->length >= 10)
		where_error(r, where, "%s is link-local, which is not routed",
			    ip_prefix_text(&route->prefix, text));
	else if (subnet && subnet->prefix.key.length == key->length &&
		 ip_key_compare(subnet->prefix.key.address, key->address) == 0)
		where_warning(r, where,
			      "%s is the subnet of port %s, which wins: the route is never used",
			      ip_prefix_text(&route->prefix, text),
			      r->config->ports[subnet->port].name);
}

static void check_route(struct reader *r, size_t i, struct claims *claims)
{
	static const char *const kinds[] = { "via", "blackhole", "unreachable", "prohibit" };
	struct config_route *route = &r->config->routes[i];
	const char *given = NULL;
	struct ip_prefix prefix;
	struct item_where at;
	struct where where;

	item_where(&at, "routes", &r->routes.item[i]);
	for (int k = 0; k < 4; k++) {
		const struct node *node = node_get(at.item.node, kinds[k]);

		if (!node || node->type == NODE_EMPTY)
			continue;
		where = where_key(&at.item, kinds[k]);
		if (given)
			where_error(r, &where, "cannot stand beside `%s`", given);
		else
			given = kinds[k];
		if (k == 0 && node->type == NODE_LIST && node->length == 0)
			where_error(r, &where, "needs at least one next hop");
		if (k == 0)
			check_vias(r, route, &where);
	}
	if (!given)
		where_error(r, &at.item,
			    "`via`, `blackhole`, `unreachable` or `prohibit` is needed");
	where = where_key(&at.item, "prefix");
	if (where.node->type != NODE_SCALAR || ip_prefix_parse(where.node->text, &prefix) < 0)
		return; /* said already */
	check_route_prefix(r, route, &where);
	claim_add(r, claims,
		  &(struct claim){ .key = route->prefix.key.address,
				   .space = route->prefix.ipv6,
				   .port = route->prefix.key.length,
				   .item = i });
}

static void route_twice(struct reader *r, const struct claim *first, const struct claim *other)
{
	char text[IP_TEXT_MAX], reference[REFERENCE_MAX];
	struct item_where at;
	struct where where;

	item_where(&at, "routes", &r->routes.item[other->item]);
	where = where_key(&at.item, "prefix");
	where_error(
		r, &where, "%s is the prefix of %s already; list all next hops there",
		ip_prefix_text(&r->config->routes[other->item].prefix, text),
		item_reference(where.document, "routes", &r->routes.item[first->item], reference));
}

void check_routes(struct reader *r)
{
	struct claims claims = { 0 };

	for (size_t i = 0; i < r->config->route_count; i++)
		check_route(r, i, &claims);
	claims_check(r, &claims, route_twice);
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

void resolve_defaults(struct reader *r)
{
	struct port_facts *facts = calloc(r->config->port_count + 1, sizeof(*facts));

	if (!facts) {
		r->no_memory = true;
		return;
	}
	for (size_t m = 0; m < r->config->member_count; m++)
		member_facts(r, m, facts);
	for (size_t p = 0; p < r->config->port_count; p++)
		resolve_port(r, p, &facts[p]);
	free(facts);
}
