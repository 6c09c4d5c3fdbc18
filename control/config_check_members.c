// SPDX-License-Identifier: BSD-3-Clause
/* Members and their routers: on a port that is there, on its subnets, nobody's address twice. */
#include "config_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check_router_address(struct reader *r, const struct config_router *router,
				 const struct ip_address *address, const struct where *where)
{
	/* without any port there is none to compare with; that is an error of its own */
	const struct config_port *port =
		router->port < r->config->port_count ? &r->config->ports[router->port] : NULL;
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
	/* without any port there is none to compare with; that is an error of its own */
	const struct config_port *port =
		router->port < r->config->port_count ? &r->config->ports[router->port] : NULL;
	char text[MAC_TEXT_MAX];
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

		where = list_where(&list, a);
		check_router_address(r, router, address, &where);
		claim_add(r, addresses, &claim);
	}
	list = where_key(&at.router, "mac");
	for (size_t a = 0; a < router->mac_count; a++) {
		struct claim claim = { .port = router->port, .item = m, .router = i, .index = a };

		for (int b = 0; b < 6; b++)
			claim.key.hi = claim.key.hi << 8 | router->macs[a].addr_bytes[b];
		claim_add(r, macs, &claim);
		where = list_where(&list, a);
		if (port && port->has_mac &&
		    memcmp(&port->mac, &router->macs[a], sizeof(port->mac)) == 0)
			where_error(r, &where, "%s is the MAC address of port %s itself",
				    mac_text(&router->macs[a], text), port->name);
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
	where = list_where(&list, other->index);
	where_error(r, &where, "%s is an address of %s already",
		    ip_address_text(&router->addresses[other->index], text),
		    router_reference(r, first, where.document, reference));
}

/* One member may list a MAC at several of its routers; on a port it tells members apart. */
static void mac_twice(struct reader *r, const struct claim *first, const struct claim *other)
{
	const struct config_router *router =
		&r->config->members[other->item].routers[other->router];
	char text[MAC_TEXT_MAX], reference[REFERENCE_MAX];
	struct router_where at;
	struct where list, where;

	if (first->item == other->item && first->router != other->router)
		return;
	router_where(&at, r, other->item, other->router);
	list = where_key(&at.router, "mac");
	where = list_where(&list, other->index);
	where_error(r, &where, "%s is a MAC address of %s on the same port already",
		    mac_text(&router->macs[other->index], text),
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
