// SPDX-License-Identifier: BSD-3-Clause
/* Commands about single routes, and the version. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_version.h>

#include "answer.h"
#include "ask.h"
#include "feed/keep.h"
#include "feed/live_feed.h"
#include "load.h"
#include "model_state.h"
#include "tables.h"
#include "routes.h"

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

json_t *route_json(const struct runtime *rt, const struct rib_route *route, bool ipv6)
{
	const struct ip_prefix prefix = { route->prefix, ipv6 };
	char text[IP_TEXT_MAX];
	json_t *row = leaf_json(rt, route->leaf);

	json_object_set_new(row, "prefix", json_string(ip_prefix_text(&prefix, text)));
	json_object_set_new(row, "source", json_string(route_source_name(route->source)));
	if (feeds_is_stale(rt->feeds, route->source, &prefix) == 1)
		json_object_set_new(row, "stale", json_true());
	return row;
}

void route_print(struct asking *a, const json_t *row)
{
	const json_t *hop, *via = json_object_get(row, "via");
	const char *stale = json_object_get(row, "stale") ? " (stale)" : "";
	size_t i;

	if (!via) {
		fprintf(a->text, "%s%s\n", json_string_value(json_object_get(row, "kind")), stale);
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
	fprintf(a->text, "%s\n", stale);
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

struct losers {
	struct asking *a;
	json_t *list;
	bool ipv6, first;
};

static void list_loser(void *arg, const struct rib_route *route)
{
	struct losers *l = arg;

	if (!l->first)
		json_array_append_new(l->list, route_json(l->a->rt, route, l->ipv6));
	l->first = false;
}

/* The routes of the same prefix that another source outdoes. */
static void show_losers(struct asking *a, const struct rib_route *best, bool ipv6)
{
	const struct ip_prefix prefix = { best->prefix, ipv6 };
	struct losers l = { a, json_array(), ipv6, true };
	const json_t *row;
	size_t i;

	rib_routes(a->rt->model->rib, &prefix, list_loser, &l);
	json_object_set_new(a->json, "losing", l.list);
	json_array_foreach(l.list, i, row)
	{
		fprintf(a->text, "not used: %s, ",
			json_string_value(json_object_get(row, "source")));
		route_print(a, row);
	}
}

void show_route(struct asking *a)
{
	struct ip_address address;
	struct ip_prefix host = { 0 };
	struct rib_route route = { 0 };
	enum reason early;
	const char *drop;
	bool found;

	if (a->argc != 1 || ip_address_parse(a->argv[0], &address) != 0) {
		answer_fail(a, 2, "show route: takes an address, such as 203.0.113.7");
		return;
	}
	host.ipv6 = address.ipv6;
	host.key = (struct prefix_key){ address.key, address.ipv6 ? 128 : 32 };
	model_lock(a->rt->model);
	found = rib_cover(a->rt->model->rib, &host, &route);
	a->json = found ? route_json(a->rt, &route, address.ipv6)
			: json_pack("{s:s}", "kind", "no-route");
	early = dataplane_judge_destination(a->rt->dp, address.key, address.ipv6);
	drop = early != REASON_NONE ? reason_name(early)
				    : verdict(a->rt, found ? route.leaf : LEAF_NO_ROUTE);
	json_object_set_new(a->json, "address", json_address(&address));
	json_object_set_new(a->json, "verdict", json_string(drop ? drop : "forwarded"));
	if (early != REASON_NONE) {
		fprintf(a->text, "%s: no route is asked\n", a->argv[0]);
	} else if (found) {
		fprintf(a->text, "%s: %s, %s, ", a->argv[0],
			json_string_value(json_object_get(a->json, "prefix")),
			route_source_name(route.source));
		route_print(a, a->json);
		show_losers(a, &route, address.ipv6);
	}
	model_unlock(a->rt->model);
	if (!drop || strcmp(drop, reason_name(REASON_CONSUMED)) == 0) {
		fprintf(a->text, drop ? "for the exchange itself\n" : "forwarded\n");
		return;
	}
	fprintf(a->text, "%s: %s\n", drop, reason_text(reason_by_name(drop)));
	a->status = 1;
}

static json_t *sources_json(const struct model *model)
{
	const struct rib *rib = model->rib;
	json_t *list = json_array();

	model_lock(model);
	for (unsigned int s = ROUTE_NONE + 1; s < ROUTE_SOURCES; s++)
		if (rib_routes_of(rib, false, s) || rib_routes_of(rib, true, s))
			json_array_append_new(
				list,
				json_pack("{s:s,s:o,s:o,s:o,s:o}", "source", route_source_name(s),
					  "ipv4", json_u64(rib_prefixes_of(rib, false, s)), "ipv6",
					  json_u64(rib_prefixes_of(rib, true, s)), "ipv4_routes",
					  json_u64(rib_routes_of(rib, false, s)), "ipv6_routes",
					  json_u64(rib_routes_of(rib, true, s))));
	model_unlock(model);
	return list;
}

/* What the tables thread has done since the start. */
static void show_thread(struct asking *a, struct tables *tables)
{
	const struct tables_view v = tables_view(tables);

	json_object_set_new(a->json, "changes_applied", json_u64(v.applied));
	json_object_set_new(a->json, "changes_waiting", json_u64(v.waiting));
	json_object_set_new(a->json, "builds", json_u64(v.builds));
	json_object_set_new(a->json, "longest_build_us", json_u64(v.longest_build_ns / 1000));
	fprintf(a->text, "changes                 %s applied, %s waiting\n",
		answer_count(v.applied), answer_count(v.waiting));
	fprintf(a->text, "tables made             %s times, in at most %s ms\n",
		answer_count(v.builds), answer_count((v.longest_build_ns + 999999) / 1000000));
}

static json_t *feed_json(const struct feed_view *v)
{
	const struct learned_counts *c = &v->counts;
	const uint64_t since_s = v->since_ns ? (feed_now_ns() - v->since_ns) / 1000000000 : 0;

	return json_pack(
		"{s:s,s:s,s:b,s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}",
		"source", route_source_name(v->source), "state", v->up ? "up" : "down", "loaded",
		(int)v->loaded, "since_s", json_u64(since_s), "said", v->said, "messages",
		json_u64(v->messages), "acknowledged", json_u64(v->acknowledged), "losses",
		json_u64(v->losses), "used", json_u64(c->routes[LEARNED_USED]), "stale",
		json_u64(c->stale), "foreign", json_u64(c->routes[LEARNED_FOREIGN]), "unresolved",
		json_u64(c->routes[LEARNED_UNRESOLVED]), "waiting",
		json_u64(c->routes[LEARNED_WAITING]), "refused",
		json_u64(c->routes[LEARNED_REFUSED]), "hidden", json_u64(c->routes[LEARNED_HIDDEN]),
		"nexthop_objects", json_u64(c->objects), "other_table", json_u64(c->other_table),
		"link_local", json_u64(c->link_local), "other_kind", json_u64(c->other_kind));
}

/* The live feeds: who speaks, and what becomes of it. */
static void show_feeds(struct asking *a)
{
	static const struct column columns[] = {
		{ "source", "Feed", -6, COLUMN_TEXT },
		{ "state", "State", -5, COLUMN_TEXT },
		{ "since_s", "for (s)", 7, COLUMN_COUNT },
		{ "used", "Used", 9, COLUMN_COUNT },
		{ "stale", "Stale", 6, COLUMN_COUNT },
		{ "foreign", "Foreign", 7, COLUMN_COUNT },
		{ "unresolved", "Unresolved", 10, COLUMN_COUNT },
		{ "refused", "Refused", 7, COLUMN_COUNT },
	};
	json_t *list = json_array();
	struct feed_view view;

	for (unsigned int n = 0; feeds_view(a->rt->feeds, n, &view); n++)
		json_array_append_new(list, feed_json(&view));
	json_object_set_new(a->json, "feeds", list);
	if (!json_array_size(list))
		return;
	fputc('\n', a->text);
	TABLE(a, list, columns);
	for (unsigned int n = 0; feeds_view(a->rt->feeds, n, &view); n++)
		fprintf(a->text, "%s: %s\n", route_source_name(view.source), view.said);
}

/* The file for a warm start. */
static void show_kept(struct asking *a)
{
	struct keeper_view v;
	int64_t age_s;

	keeper_view(a->rt->keeper, &v);
	if (!v.file)
		return;
	age_s = v.written_s ? time(NULL) - v.written_s : -1;
	json_object_set_new(a->json, "kept",
			    json_pack("{s:s,s:o,s:o,s:o,s:o,s:b}", "file", v.file, "routes",
				      json_u64(v.routes), "written_s",
				      json_integer((json_int_t)v.written_s), "restored",
				      json_u64(v.restored), "left_out", json_u64(v.left_out),
				      "failing", (int)v.failing));
	fprintf(a->text, "kept: %s: ", v.file);
	if (v.written_s)
		fprintf(a->text, "%s routes, %lld s ago", answer_count(v.routes), (long long)age_s);
	else
		fprintf(a->text, "not written yet");
	fprintf(a->text, "%s\n", v.failing ? "; writing it fails, see the log" : "");
	if (v.restored || v.left_out)
		fprintf(a->text, "kept: %s routes came from it at the start, %s were left out\n",
			answer_count(v.restored), answer_count(v.left_out));
}

void show_tables(struct asking *a)
{
	static const struct column columns[] = {
		{ "source", "Source", -10, COLUMN_TEXT },
		{ "ipv4", "IPv4 in force", 13, COLUMN_COUNT },
		{ "ipv4_routes", "of", 10, COLUMN_COUNT },
		{ "ipv6", "IPv6 in force", 13, COLUMN_COUNT },
		{ "ipv6_routes", "of", 10, COLUMN_COUNT },
	};
	const struct config *config = a->rt->config;
	const struct load_view load = load_view(a->rt->load);
	struct model_routes routes;

	model_routes(a->rt->model, &routes);
	a->json = json_pack("{s:o,s:o,s:o,s:o,s:{s:o,s:o},s:o}", "ipv4", json_u64(routes.ipv4),
			    "ipv6", json_u64(routes.ipv6), "unresolved",
			    json_u64(routes.unresolved), "refused", json_u64(routes.refused),
			    "capacity", "ipv4", json_u64(config->dataplane.capacity_ipv4), "ipv6",
			    json_u64(config->dataplane.capacity_ipv6), "sources",
			    sources_json(a->rt->model));
	fprintf(a->text, "IPv4 prefixes in force  %s of %s\n", answer_count(routes.ipv4),
		answer_count(config->dataplane.capacity_ipv4));
	fprintf(a->text, "IPv6 prefixes in force  %s of %s\n", answer_count(routes.ipv6),
		answer_count(config->dataplane.capacity_ipv6));
	fprintf(a->text, "unresolved              %s\nrefused                 %s\n",
		answer_count(routes.unresolved), answer_count(routes.refused));
	if (a->rt->tables)
		show_thread(a, a->rt->tables);
	if (load.state != LOAD_NONE) {
		json_object_set_new(a->json, "load", load_json(&load));
		load_print(a, &load);
	}
	fputc('\n', a->text);
	TABLE(a, json_object_get(a->json, "sources"), columns);
	show_feeds(a);
	show_kept(a);
}

void show_version(struct asking *a)
{
	a->json = json_pack("{s:s,s:s,s:s,s:s}", "napd", NAPD_VERSION, "dpdk", rte_version(),
			    "exchange", a->rt->config->exchange.name, "cpu",
			    cpu_path_name(cpu_path()));
	fprintf(a->text, "napd %s, %s, %s lookups; exchange %s\n", NAPD_VERSION, rte_version(),
		cpu_path_name(cpu_path()), a->rt->config->exchange.name);
}
