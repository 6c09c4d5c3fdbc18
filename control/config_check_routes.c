// SPDX-License-Identifier: BSD-3-Clause
/* Static routes: next hops on our subnets, of a family that can carry them, no prefix twice. */
#include "config_private.h"

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
		if (!r->unreadable) /* or a file that could not be read may have the port */
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
		struct where where = list_where(via, i);

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
