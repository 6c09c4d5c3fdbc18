// SPDX-License-Identifier: BSD-3-Clause
/* Commands about neighbours and the exchange's own addresses. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"

static const char *port_name(const struct runtime *rt, uint16_t number)
{
	const size_t port = model_config_port(rt->model, number);

	return port == SIZE_MAX ? "?" : rt->config->ports[port].name;
}

static json_t *json_mac(const struct rte_ether_addr *mac)
{
	char text[MAC_TEXT_MAX] = "";

	if (!rte_is_zero_ether_addr(mac))
		mac_text(mac, text);
	return json_string(text);
}

static json_t *neighbour_json(const struct runtime *rt, const struct neighbour_view *v)
{
	const uint16_t party = model_neighbour_party(rt->model, v->port, &v->address);
	const char *member = party == PARTY_NONE ? NULL : model_party_name(rt->model, party);

	return json_pack("{s:s,s:o,s:o,s:s,s:o,s:s}", "port", port_name(rt, v->port), "address",
			 json_address(&v->address), "mac", json_mac(&v->mac), "state",
			 neighbour_state_name[v->state], "age_s", json_u64(v->age_ns / 1000000000),
			 "member", member ? member : "");
}

void show_neighbours(struct asking *a)
{
	static const struct column columns[] = {
		{ "port", "Port", -6, COLUMN_TEXT },   { "address", "Address", -15, COLUMN_TEXT },
		{ "mac", "MAC", -17, COLUMN_TEXT },    { "state", "State", -10, COLUMN_TEXT },
		{ "age_s", "Age s", 5, COLUMN_COUNT }, { "member", "Member", -6, COLUMN_TEXT },
	};
	struct neighbour_view *list;
	size_t n;

	list = neighbours_list(a->rt->neighbours, &n, dataplane_now_ns(a->rt->dp));
	if (!list) {
		answer_fail(a, 1, "no memory");
		return;
	}
	a->json = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(a->json, neighbour_json(a->rt, &list[i]));
	free(list);
	TABLE(a, a->json, columns);
}

/* ADDRESS or ADDRESS%PORT. False: an error was set. */
static bool parse_neighbour(struct asking *a, struct ip_address *address, uint16_t *port)
{
	char text[IP_TEXT_MAX + 32];
	char *percent;

	*port = PORT_NONE;
	snprintf(text, sizeof(text), "%s", a->argc == 1 ? a->argv[0] : "");
	percent = strchr(text, '%');
	if (percent) {
		*percent++ = '\0';
		for (size_t i = 0; i < a->rt->config->port_count; i++)
			if (strcmp(a->rt->config->ports[i].name, percent) == 0)
				*port = model_port_number(a->rt->model, i);
	}
	if (a->argc == 1 && ip_address_parse(text, address) == 0 &&
	    (!percent || *port != PORT_NONE))
		return true;
	answer_fail(a, 2,
		    "clear neighbour: takes ADDRESS, or ADDRESS%%PORT of a port that is there");
	return false;
}

void do_clear_neighbour(struct asking *a)
{
	struct ip_address address;
	uint16_t port;
	int cleared;

	if (!parse_neighbour(a, &address, &port))
		return;
	cleared = neighbours_clear(a->rt->neighbours, port, &address);
	if (cleared == -EPERM)
		answer_fail(a, 1, "clear neighbour: %s has a listed MAC; members say which",
			    a->argv[0]);
	else if (cleared <= 0)
		answer_fail(a, 1, "clear neighbour: %s is not known; napctl show neighbours",
			    a->argv[0]);
	if (cleared <= 0)
		return;
	a->json = json_pack("{s:i}", "cleared", cleared);
	fprintf(a->text, "%s is forgotten; it is asked for when traffic wants it\n", a->argv[0]);
}

/* ---- a port's own addresses ---- */

static const char *own_text(const struct own_address *o, uint64_t now_ns)
{
	static const char *const names[] = {
		[OWN_IDLE] = "not announced yet",
		[OWN_PROBING] = "probing",
		[OWN_ANNOUNCING] = "announcing",
		[OWN_SETTLED] = "announced",
	};

	/* who contends for it is heard at least now and then */
	return o->conflicts && now_ns - o->conflict_ns < UINT64_C(300000000000) ? "duplicate"
										: names[o->state];
}

json_t *answer_own_addresses(const struct runtime *rt, uint16_t port)
{
	const uint64_t now_ns = dataplane_now_ns(rt->dp);
	json_t *rows = json_array(), *row;
	const struct own_address *list;
	size_t n;

	list = neighbours_own(rt->neighbours, &n);
	for (size_t i = 0; i < n; i++) {
		if (list[i].port != port)
			continue;
		row = json_pack("{s:o,s:s,s:o}", "address", json_address(&list[i].address), "state",
				own_text(&list[i], now_ns), "conflicts",
				json_u64(list[i].conflicts));
		if (list[i].conflicts) {
			json_object_set_new(row, "used_by", json_mac(&list[i].other));
			json_object_set_new(row, "conflict_age_s",
					    json_u64((now_ns - list[i].conflict_ns) / 1000000000));
		}
		json_array_append_new(rows, row);
	}
	return rows;
}
