// SPDX-License-Identifier: BSD-3-Clause
/* Commands about routes, and the version. */
#include <stdlib.h>
#include <string.h>

#include <rte_version.h>

#include "answer.h"
#include "model_state.h"

#define ROUTES_SHOWN 1000 /* a table of a million must not stall control or fill a terminal */

/* ---- routes ---- */

static const char *port_name(const struct runtime *rt, uint16_t number)
{
	const size_t port = model_config_port(rt->model, number);

	return port == SIZE_MAX ? "" : rt->config->ports[port].name;
}

static json_t *hop_json(const struct runtime *rt, uint32_t index, uint32_t weight)
{
	const struct hop *hop = &rt->model->hops.hop[index];
	const bool is_gateway = hop->key.gateway.key.hi || hop->key.gateway.key.lo;
	json_t *row =
		json_pack("{s:s,s:b,s:b}", "port", port_name(rt, hop->key.port), "resolved",
			  (int)hop->resolved, "link", (int)dataplane_link(rt->dp, hop->key.port));
	char mac[MAC_TEXT_MAX];

	if (is_gateway)
		json_object_set_new(row, "address", json_address(&hop->key.gateway));
	if (hop->resolved) {
		mac_text(&hop->mac, mac);
		json_object_set_new(row, "mac", json_string(mac));
		json_object_set_new(row, "member",
				    json_string(model_party_name(rt->model, hop->party)));
	}
	if (weight)
		json_object_set_new(row, "weight", json_u64(weight));
	return row;
}

/* What a leaf does: its kind, and its next hops. */
static json_t *leaf_json(const struct runtime *rt, uint32_t leaf)
{
	static const char *const kinds[] = { "no-route",  "unreachable", "prohibit",
					     "blackhole", "local",       "internal" };
	json_t *row, *hops = json_array();

	if (leaf < LEAF_FIRST_FREE) {
		json_decref(hops);
		return json_pack("{s:s}", "kind", kinds[RTE_MIN(leaf, 5u)]);
	}
	row = json_pack("{s:s,s:o}", "kind", "via", "via", hops);
	if (leaf & LEAF_GROUP) {
		const struct hop_group *g = &rt->model->hops.group[leaf & ~LEAF_GROUP];

		for (uint32_t i = 0; i < g->choices; i++)
			json_array_append_new(hops,
					      hop_json(rt, g->choice[i].hop, g->choice[i].weight));
	} else {
		json_array_append_new(hops, hop_json(rt, leaf, 0));
	}
	return row;
}

static json_t *route_json(const struct runtime *rt, const struct rib_route *route, bool ipv6)
{
	const struct ip_prefix prefix = { route->prefix, ipv6 };
	char text[IP_TEXT_MAX];
	json_t *row = leaf_json(rt, route->leaf);

	json_object_set_new(row, "prefix", json_string(ip_prefix_text(&prefix, text)));
	json_object_set_new(row, "source", json_string(route_source_name(route->source)));
	return row;
}

struct listing {
	struct asking *a;
	bool ipv6;
	size_t more;
};

static void list_route(void *arg, const struct rib_route *route)
{
	struct listing *l = arg;

	/* addresses of the exchange and of neighbours are no prefixes to people */
	if (route->source == ROUTE_LOCAL || route->source == ROUTE_ADJACENT)
		return;
	if (json_array_size(l->a->json) >= ROUTES_SHOWN)
		l->more++;
	else
		json_array_append_new(l->a->json, route_json(l->a->rt, route, l->ipv6));
}

static void print_via(struct asking *a, const json_t *row)
{
	const json_t *hop, *via = json_object_get(row, "via");
	size_t i;

	if (!via) {
		fprintf(a->text, "%s\n", json_string_value(json_object_get(row, "kind")));
		return;
	}
	json_array_foreach(via, i, hop)
	{
		const char *address = json_string_value(json_object_get(hop, "address"));

		fprintf(a->text, "%s%s%s%s%s", i ? ", " : "", address ? address : "directly",
			address ? "%" : " on ", json_string_value(json_object_get(hop, "port")),
			json_is_false(json_object_get(hop, "resolved")) && address ? " (unresolved)"
										   : "");
	}
	fputc('\n', a->text);
}

void show_routes(struct asking *a)
{
	const bool longer = a->argc == 2 && strcmp(a->argv[1], "longer") == 0;
	struct ip_prefix prefix = { 0 };
	struct listing l = { .a = a };
	const json_t *row;
	size_t i;

	if (a->argc > 2 || (a->argc == 2 && !longer) ||
	    (a->argc >= 1 && ip_prefix_parse(a->argv[0], &prefix) != 0)) {
		answer_fail(a, 2, "show routes: takes [PREFIX] [longer], such as 203.0.113.0/24");
		return;
	}
	a->json = json_array();
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		struct ip_prefix range = { .ipv6 = ipv6 };

		l.ipv6 = ipv6;
		if (a->argc == 0)
			rib_walk(a->rt->model->rib, &range, list_route, &l);
		else if (prefix.ipv6 == ipv6)
			rib_walk(a->rt->model->rib, &prefix, list_route, &l);
	}
	json_array_foreach(a->json, i, row)
	{
		fprintf(a->text, "%-24s %-10s ", json_string_value(json_object_get(row, "prefix")),
			json_string_value(json_object_get(row, "source")));
		print_via(a, row);
	}
	if (l.more)
		fprintf(a->text, "and %s more; name a PREFIX to see those inside it\n",
			answer_count(l.more));
	if (a->argc && json_array_size(a->json) == 0)
		fprintf(a->text, "no route inside %s\n", a->argv[0]);
}

/* What a packet to a leaf would meet: a reason name, or NULL: it is forwarded. */
static const char *verdict(const struct runtime *rt, uint32_t leaf)
{
	static const enum reason special[] = { DROP_NO_ROUTE,  DROP_UNREACHABLE, DROP_PROHIBITED,
					       DROP_BLACKHOLE, REASON_CONSUMED,  DROP_INTERNAL };
	const struct hops *hops = &rt->model->hops;
	bool resolved = false;
	uint32_t count = 1;

	if (leaf < LEAF_FIRST_FREE)
		return reason_name(special[RTE_MIN(leaf, 5u)]);
	if (leaf & LEAF_GROUP)
		count = hops->group[leaf & ~LEAF_GROUP].choices;
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t index =
			leaf & LEAF_GROUP ? hops->group[leaf & ~LEAF_GROUP].choice[i].hop : leaf;

		if (!hops->hop[index].resolved)
			continue;
		resolved = true;
		if (dataplane_link(rt->dp, hops->hop[index].key.port))
			return NULL;
	}
	return reason_name(resolved ? DROP_LINK_DOWN : DROP_NEIGHBOUR_UNRESOLVED);
}

void show_route(struct asking *a)
{
	struct ip_address address;
	struct ip_prefix host = { 0 };
	struct rib_route route = { 0 };
	const char *drop;
	bool found;

	if (a->argc != 1 || ip_address_parse(a->argv[0], &address) != 0) {
		answer_fail(a, 2, "show route: takes an address, such as 203.0.113.7");
		return;
	}
	host.ipv6 = address.ipv6;
	host.key = (struct prefix_key){ address.key, address.ipv6 ? 128 : 32 };
	found = rib_cover(a->rt->model->rib, &host, &route);
	a->json = found ? route_json(a->rt, &route, address.ipv6)
			: json_pack("{s:s}", "kind", "no-route");
	drop = verdict(a->rt, found ? route.leaf : LEAF_NO_ROUTE);
	json_object_set_new(a->json, "address", json_address(&address));
	json_object_set_new(a->json, "verdict", json_string(drop ? drop : "forwarded"));
	if (found) {
		fprintf(a->text, "%s: %s, %s, ", a->argv[0],
			json_string_value(json_object_get(a->json, "prefix")),
			route_source_name(route.source));
		print_via(a, a->json);
	}
	if (!drop || (found && route.leaf == LEAF_LOCAL)) {
		fprintf(a->text, drop ? "for the exchange itself\n" : "forwarded\n");
		return;
	}
	fprintf(a->text, "%s: %s\n", drop, reason_text(reason_by_name(drop)));
	a->status = 1;
}

void show_tables(struct asking *a)
{
	struct model_routes routes;

	model_routes(a->rt->model, &routes);
	a->json = json_pack("{s:o,s:o,s:o,s:o,s:{s:o,s:o}}", "ipv4", json_u64(routes.ipv4), "ipv6",
			    json_u64(routes.ipv6), "unresolved", json_u64(routes.unresolved),
			    "refused", json_u64(routes.refused), "capacity", "ipv4",
			    json_u64(a->rt->config->dataplane.capacity_ipv4), "ipv6",
			    json_u64(a->rt->config->dataplane.capacity_ipv6));
	fprintf(a->text, "IPv4 prefixes in force  %s of %s\n", answer_count(routes.ipv4),
		answer_count(a->rt->config->dataplane.capacity_ipv4));
	fprintf(a->text, "IPv6 prefixes in force  %s of %s\n", answer_count(routes.ipv6),
		answer_count(a->rt->config->dataplane.capacity_ipv6));
	fprintf(a->text, "unresolved              %s\nrefused                 %s\n",
		answer_count(routes.unresolved), answer_count(routes.refused));
}

void show_version(struct asking *a)
{
	a->json = json_pack("{s:s,s:s,s:s,s:s}", "napd", NAPD_VERSION, "dpdk", rte_version(),
			    "exchange", a->rt->config->exchange.name, "cpu",
			    cpu_path_name(cpu_path()));
	fprintf(a->text, "napd %s, %s, %s lookups; exchange %s\n", NAPD_VERSION, rte_version(),
		cpu_path_name(cpu_path()), a->rt->config->exchange.name);
}
