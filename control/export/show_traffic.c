// SPDX-License-Identifier: BSD-3-Clause
/* Commands about traffic: ports, members, the matrix, drops. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <netinet/in.h>

#include "answer.h"

/* ---- ports ---- */

static uint64_t dropped(const struct port_counters *c)
{
	uint64_t sum = 0;

	for (int r = REASON_CONSUMED + 1; r < REASON_COUNT; r++)
		sum += c->drop[r].packets;
	return sum;
}

static json_t *drops_of(const struct tally drop[REASON_COUNT])
{
	json_t *drops = json_object();

	for (int r = REASON_CONSUMED + 1; r < REASON_COUNT; r++)
		if (drop[r].packets)
			json_object_set_new(drops, reason_name(r), json_u64(drop[r].packets));
	return drops;
}

/* What went over the port's TAP, if it has one. */
static void host_json(const struct runtime *rt, uint16_t port, json_t *row)
{
	struct tap_counters c;
	const char *error;

	if (!taps_counters(rt->taps, port, &c, &error))
		return;
	json_object_set_new(row, "host_delivered", json_u64(c.to_host));
	json_object_set_new(row, "host_sent", json_u64(c.from_host));
	json_object_set_new(row, "host_unwanted", json_u64(c.unwanted));
	json_object_set_new(row, "host_unresolved", json_u64(c.unresolved));
	json_object_set_new(row, "host_lost", json_u64(c.lost));
	if (error)
		json_object_set_new(row, "tap_error", json_string(error));
}

/* What a port counted, all the time or since what was asked for (then no more than is kept). */
static void port_counts(const struct asking *a, uint16_t port, struct port_counters *c)
{
	if (!a->since) {
		counts_port(a->rt->counts, port, c);
		return;
	}
	*c = (struct port_counters){ 0 };
	c->received.packets = since_port(a->since, port, SAMPLE_RX_PACKETS);
	c->received.bytes = since_port(a->since, port, SAMPLE_RX_BYTES);
	c->transmitted.packets = since_port(a->since, port, SAMPLE_TX_PACKETS);
	c->transmitted.bytes = since_port(a->since, port, SAMPLE_TX_BYTES);
	c->forwarded.packets = since_port(a->since, port, SAMPLE_FORWARDED);
	c->consumed.packets = since_port(a->since, port, SAMPLE_CONSUMED);
	for (unsigned int r = REASON_CONSUMED + 1; r < REASON_COUNT; r++)
		c->drop[r].packets = since_port(a->since, port, SAMPLE_DROPS + r);
}

static void add_rates(const struct asking *a, json_t *row, const struct port_counters *c)
{
	json_object_set_new(row, "since_s", json_real(a->since->seconds));
	answer_rate(a, row, "rx_packets_per_s", c->received.packets);
	answer_rate(a, row, "rx_bits_per_s", c->received.bytes * 8);
	answer_rate(a, row, "tx_packets_per_s", c->transmitted.packets);
	answer_rate(a, row, "tx_bits_per_s", c->transmitted.bytes * 8);
}

/* Why a device is not open, how often that was tried, and when it is next. */
static void device_error_json(const struct runtime *rt, const struct runtime_device *d, json_t *row)
{
	const uint64_t now_ns = dataplane_now_ns(rt->dp);

	json_object_set_new(row, "error", json_string(d->error));
	json_object_set_new(row, "tries", json_u64(d->attempts));
	json_object_set_new(row, "next_try_s",
			    json_u64(d->retry_ns > now_ns
					     ? (d->retry_ns - now_ns + 999999999) / 1000000000
					     : 0));
}

static json_t *port_json(const struct asking *a, size_t i)
{
	const struct runtime *rt = a->rt;
	const struct config_port *port = &rt->config->ports[i];
	const uint16_t number = model_port_number(rt->model, i);
	const struct runtime_device *d = &rt->devices[model_port_device(rt->model, number)];
	const bool enabled = runtime_port_enabled(rt, number);
	struct ip_address link_local;
	struct rte_ether_addr mac;
	char text[MAC_TEXT_MAX];
	struct port_counters c;
	json_t *row;

	port_counts(a, number, &c);
	row = json_pack("{s:s,s:s,s:s,s:b,s:b,s:s,s:i,s:i}", "port", port->name, "description",
			port->description, "device", port->device, "enabled", (int)enabled,
			"overruled", (int)runtime_port_overruled(rt, number), "link",
			!enabled                      ? "disabled"
			: runtime_port_up(rt, number) ? "up"
						      : "down",
			"vlan", port->vlan, "mtu", port->mtu);
	model_port_identity(rt->model, i, &mac, &link_local);
	mac_text(&mac, text);
	json_object_set_new(row, "mac", json_string(text));
	json_object_set_new(row, "rx_packets", json_u64(c.received.packets));
	json_object_set_new(row, "rx_bytes", json_u64(c.received.bytes));
	json_object_set_new(row, "tx_packets", json_u64(c.transmitted.packets));
	json_object_set_new(row, "tx_bytes", json_u64(c.transmitted.bytes));
	json_object_set_new(row, "forwarded", json_u64(c.forwarded.packets));
	json_object_set_new(row, "consumed", json_u64(c.consumed.packets));
	json_object_set_new(row, "dropped", json_u64(dropped(&c)));
	json_object_set_new(row, "drops", drops_of(c.drop));
	if (a->since) {
		add_rates(a, row, &c);
		return row;
	}
	json_object_set_new(row, "egress_drops", drops_of(c.egress_drop));
	json_object_set_new(row, "pending", json_u64(c.pending));
	json_object_set_new(row, "reported", json_u64(c.reported.packets));
	json_object_set_new(row, "originated", json_u64(c.originated.packets));
	json_object_set_new(row, "unsent", json_u64(c.unsent.packets));
	json_object_set_new(row, "conflicts", json_u64(c.arp_conflicts));
	json_object_set_new(row, "answers_limited", json_u64(c.answers_limited));
	if (!d->device && d->error[0])
		device_error_json(rt, d, row);
	host_json(rt, number, row);
	return row;
}

void show_ports(struct asking *a)
{
	static const struct column columns[] = {
		{ "port", "Port", -8, COLUMN_TEXT },
		{ "link", "Link", -4, COLUMN_TEXT },
		{ "rx_packets", "Received", 10, COLUMN_COUNT },
		{ "rx_bytes", "", 8, COLUMN_BYTES },
		{ "tx_packets", "Sent", 10, COLUMN_COUNT },
		{ "tx_bytes", "", 8, COLUMN_BYTES },
		{ "dropped", "Dropped", 9, COLUMN_COUNT },
	};
	static const struct column rates[] = {
		{ "port", "Port", -8, COLUMN_TEXT },
		{ "link", "Link", -4, COLUMN_TEXT },
		{ "rx_packets_per_s", "In packet/s", 11, COLUMN_COUNT },
		{ "rx_bits_per_s", "In bit/s", 9, COLUMN_BITS },
		{ "tx_packets_per_s", "Out packet/s", 12, COLUMN_COUNT },
		{ "tx_bits_per_s", "Out bit/s", 9, COLUMN_BITS },
		{ "dropped", "Dropped", 9, COLUMN_COUNT },
	};
	const json_t *row;
	size_t i;

	answer_since(a);
	a->json = json_array();
	for (i = 0; i < a->rt->config->port_count; i++)
		json_array_append_new(a->json, port_json(a, i));
	if (a->since)
		TABLE(a, a->json, rates);
	else
		TABLE(a, a->json, columns);
	json_array_foreach(a->json, i, row)
	{
		const char *error = json_string_value(json_object_get(row, "error"));

		if (error)
			fprintf(a->text, "%s: %s\n",
				json_string_value(json_object_get(row, "port")), error);
	}
}

size_t port_named(struct asking *a, const char *name)
{
	char known[160] = "";

	for (size_t i = 0; i < a->rt->config->port_count; i++) {
		if (strcmp(a->rt->config->ports[i].name, name) == 0)
			return i;
		if (strlen(known) + 20 < sizeof(known))
			snprintf(known + strlen(known), sizeof(known) - strlen(known), "%s%s",
				 i ? ", " : "", a->rt->config->ports[i].name);
	}
	answer_fail(a, 2, "%.32s: no such port; there are %s", name, known);
	return SIZE_MAX;
}

/* Key and value, a line each, of an object that is not all numbers. */
static void print_object(struct asking *a, const json_t *object)
{
	static const char names[] = " asn vlan mtu "; /* numbers that nobody counts by thousands */
	const char *key;
	json_t *value;
	char word[40];

	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		if (json_is_string(value) && json_string_length(value))
			fprintf(a->text, "  %-16s %s\n", key, json_string_value(value));
		snprintf(word, sizeof(word), " %s ", key);
		if (json_is_integer(value) && strstr(names, word))
			fprintf(a->text, "  %-16s %" JSON_INTEGER_FORMAT "\n", key,
				json_integer_value(value));
		else if (json_is_integer(value))
			fprintf(a->text, "  %-16s %s\n", key,
				answer_count(json_integer_value(value)));
		else if (json_is_boolean(value))
			fprintf(a->text, "  %-16s %s\n", key, json_is_true(value) ? "yes" : "no");
	}
}

/* What only the port's own page has: its addresses, and what its neighbours are up to. */
static void add_neighbourhood(struct asking *a, size_t i)
{
	const uint16_t port = model_port_number(a->rt->model, i);
	const struct neighbour_counters c = neighbours_counters(a->rt->neighbours, port);

	json_object_set_new(a->json, "neighbour_moves", json_u64(c.moves));
	json_object_set_new(a->json, "neighbours_refused", json_u64(c.refused));
	json_object_set_new(a->json, "neighbours_asked", json_u64(c.asked));
	json_object_set_new(a->json, "neighbours_limited", json_u64(c.limited));
	json_object_set_new(a->json, "addresses", answer_own_addresses(a->rt, port));
}

static void print_addresses(struct asking *a)
{
	const json_t *row;
	size_t i;

	fprintf(a->text, "  addresses\n");
	json_array_foreach(json_object_get(a->json, "addresses"), i, row)
	{
		const char *other = json_string_value(json_object_get(row, "used_by"));

		fprintf(a->text, "    %-26s %s%s%s\n",
			json_string_value(json_object_get(row, "address")),
			json_string_value(json_object_get(row, "state")),
			other ? ", used too by " : "", other ? other : "");
	}
}

void show_port(struct asking *a)
{
	const struct runtime_device *d;
	const char *key;
	json_t *value;
	size_t i;

	if (a->argc != 1) {
		answer_fail(a, 2, "show port: which? napctl show port NAME");
		return;
	}
	i = port_named(a, a->argv[0]);
	if (i == SIZE_MAX)
		return;
	a->json = port_json(a, i);
	d = &a->rt->devices[model_port_device(a->rt->model, model_port_number(a->rt->model, i))];
	if (d->device && !a->since) {
		struct device_losses losses;
		struct device_info info;

		device_info(d->device, &info);
		device_losses(d->device, &losses);
		json_object_set_new(a->json, "driver", json_string(info.driver));
		json_object_set_new(a->json, "receive_missed", json_u64(losses.receive_missed));
		json_object_set_new(a->json, "receive_no_buffer",
				    json_u64(losses.receive_no_buffer));
		json_object_set_new(a->json, "receive_errors", json_u64(losses.receive_errors));
		json_object_set_new(a->json, "transmit_errors", json_u64(losses.transmit_errors));
	}
	if (!a->since)
		add_neighbourhood(a, i);
	print_object(a, a->json);
	if (!a->since)
		print_addresses(a);
	fprintf(a->text, "  drops\n");
	json_object_foreach(json_object_get(a->json, "drops"), key, value)
		fprintf(a->text, "    %12s  %-20s %s\n", answer_count(json_integer_value(value)),
			key, reason_text(reason_by_name(key)));
}

/* ---- members and the matrix ---- */

/* Sum of what a party sent (out false) or was sent to by all that are there. */
static struct matrix_cell party_traffic(const struct runtime *rt, uint16_t party, bool out)
{
	struct matrix_cell sum = { 0, 0 };

	for (uint16_t other = 0; other < model_parties(rt->model); other++) {
		for (int ipv6 = 0; ipv6 < 2 && model_party_name(rt->model, other); ipv6++) {
			const struct matrix_cell c = counts_matrix(rt->counts, out ? other : party,
								   out ? party : other, ipv6);

			sum.packets += c.packets;
			sum.bytes += c.bytes;
		}
	}
	return sum;
}

static struct matrix_cell party_counts(const struct asking *a, uint16_t party, bool out)
{
	if (!a->since)
		return party_traffic(a->rt, party, out);
	return (struct matrix_cell){
		since_party(a->since, party, out ? SAMPLE_RECEIVED_PACKETS : SAMPLE_SENT_PACKETS),
		since_party(a->since, party, out ? SAMPLE_RECEIVED_BYTES : SAMPLE_SENT_BYTES),
	};
}

static json_t *member_json(const struct asking *a, size_t i)
{
	const struct runtime *rt = a->rt;
	const struct config_member *m = &rt->config->members[i];
	const uint16_t party = model_member_party(rt->model, i);
	const struct matrix_cell in = party_counts(a, party, false),
				 out = party_counts(a, party, true);
	json_t *row = json_pack("{s:s,s:i,s:s}", "member", m->name, "asn", (int)m->asn, "port",
				m->port == SIZE_MAX ? "" : rt->config->ports[m->port].name);

	json_object_set_new(row, "asn", json_u64(m->asn));
	json_object_set_new(row, "sent_packets", json_u64(in.packets));
	json_object_set_new(row, "sent_bytes", json_u64(in.bytes));
	json_object_set_new(row, "received_packets", json_u64(out.packets));
	json_object_set_new(row, "received_bytes", json_u64(out.bytes));
	if (!a->since)
		return row;
	json_object_set_new(row, "since_s", json_real(a->since->seconds));
	answer_rate(a, row, "sent_packets_per_s", in.packets);
	answer_rate(a, row, "sent_bits_per_s", in.bytes * 8);
	answer_rate(a, row, "received_packets_per_s", out.packets);
	answer_rate(a, row, "received_bits_per_s", out.bytes * 8);
	return row;
}

void show_members(struct asking *a)
{
	static const struct column columns[] = {
		{ "member", "Member", -16, COLUMN_TEXT },
		{ "asn", "AS", 10, COLUMN_NUMBER },
		{ "port", "Port", -6, COLUMN_TEXT },
		{ "sent_packets", "Sends", 10, COLUMN_COUNT },
		{ "sent_bytes", "", 8, COLUMN_BYTES },
		{ "received_packets", "Gets", 10, COLUMN_COUNT },
		{ "received_bytes", "", 8, COLUMN_BYTES },
	};
	static const struct column rates[] = {
		{ "member", "Member", -16, COLUMN_TEXT },
		{ "port", "Port", -6, COLUMN_TEXT },
		{ "sent_packets_per_s", "Sends packet/s", 14, COLUMN_COUNT },
		{ "sent_bits_per_s", "bit/s", 8, COLUMN_BITS },
		{ "received_packets_per_s", "Gets packet/s", 13, COLUMN_COUNT },
		{ "received_bits_per_s", "bit/s", 8, COLUMN_BITS },
	};

	answer_since(a);
	a->json = json_array();
	for (size_t i = 0; i < a->rt->config->member_count; i++)
		json_array_append_new(a->json, member_json(a, i));
	if (a->since)
		TABLE(a, a->json, rates);
	else
		TABLE(a, a->json, columns);
}

static json_t *router_json(const struct runtime *rt, const struct config_router *r)
{
	json_t *row = json_pack("{s:s,s:[],s:[]}", "port", rt->config->ports[r->port].name, "macs",
				"addresses");
	char text[MAC_TEXT_MAX];

	for (size_t i = 0; i < r->mac_count; i++) {
		mac_text(&r->macs[i], text);
		json_array_append_new(json_object_get(row, "macs"), json_string(text));
	}
	for (size_t i = 0; i < r->address_count; i++)
		json_array_append_new(json_object_get(row, "addresses"),
				      json_address(&r->addresses[i]));
	return row;
}

void show_member(struct asking *a)
{
	const size_t count = a->rt->config->member_count;
	const struct config_member *m;
	char text[IP_TEXT_MAX];
	size_t member = 0;
	json_t *list;

	while (a->argc == 1 && member < count &&
	       strcmp(a->rt->config->members[member].name, a->argv[0]) != 0)
		member++;
	if (a->argc != 1 || member == count) {
		answer_fail(a, 2, "show member: no such member; napctl show members lists them");
		return;
	}
	m = &a->rt->config->members[member];
	a->json = member_json(a, member);
	json_object_set_new(a->json, "description", json_string(m->description));
	print_object(a, a->json);
	list = json_array();
	for (size_t i = 0; i < m->router_count; i++)
		json_array_append_new(list, router_json(a->rt, &m->routers[i]));
	json_object_set_new(a->json, "routers", list);
	list = json_array();
	for (size_t i = 0; i < m->prefix_count; i++) {
		ip_prefix_text(&m->prefixes[i], text);
		json_array_append_new(list, json_string(text));
		fprintf(a->text, "  %-16s %s\n", i ? "" : "prefixes", text);
	}
	json_object_set_new(a->json, "prefixes", list);
}

static int by_key(const void *x, const void *y, const char *key)
{
	const json_int_t a = json_integer_value(json_object_get(*(json_t *const *)x, key));
	const json_int_t b = json_integer_value(json_object_get(*(json_t *const *)y, key));

	return (a < b) - (a > b);
}

/* By packets where bytes are not known. */
static int by_bytes(const void *x, const void *y)
{
	const int order = by_key(x, y, "bytes");

	return order ? order : by_key(x, y, "packets");
}

/* Largest first, as people ask. */
static json_t *sorted(json_t *rows)
{
	const size_t n = json_array_size(rows);
	json_t **list = calloc(n + 1, sizeof(*list)), *out = json_array();

	if (!list || !out) {
		free(list);
		json_decref(out);
		return rows;
	}
	for (size_t i = 0; i < n; i++)
		list[i] = json_array_get(rows, i);
	qsort(list, n, sizeof(*list), by_bytes);
	for (size_t i = 0; i < n; i++)
		json_array_append(out, list[i]);
	free(list);
	json_decref(rows);
	return out;
}

static json_t *pair_json(const struct asking *a, uint16_t in, uint16_t out, int ipv6)
{
	const struct matrix_cell c = a->since ? since_pair(a->since, in, out, ipv6)
					      : counts_matrix(a->rt->counts, in, out, ipv6);
	json_t *row;

	if (!c.packets)
		return NULL;
	row = json_pack("{s:s,s:s,s:s,s:o,s:o}", "from", model_party_name(a->rt->model, in), "to",
			model_party_name(a->rt->model, out), "family", ipv6 ? "ipv6" : "ipv4",
			"packets", json_u64(c.packets), "bytes", json_u64(c.bytes));
	if (!a->since)
		return row;
	json_object_set_new(row, "since_s", json_real(a->since->seconds));
	answer_rate(a, row, "packets_per_s", c.packets);
	answer_rate(a, row, "bits_per_s", c.bytes * 8);
	return row;
}

void show_matrix(struct asking *a)
{
	static const struct column columns[] = {
		{ "from", "From", -16, COLUMN_TEXT },    { "to", "To", -16, COLUMN_TEXT },
		{ "family", "Family", -6, COLUMN_TEXT }, { "packets", "Packets", 12, COLUMN_COUNT },
		{ "bytes", "Bytes", 10, COLUMN_BYTES },
	};
	static const struct column rates[] = {
		{ "from", "From", -16, COLUMN_TEXT },
		{ "to", "To", -16, COLUMN_TEXT },
		{ "family", "Family", -6, COLUMN_TEXT },
		{ "packets_per_s", "packet/s", 11, COLUMN_COUNT },
		{ "bits_per_s", "bit/s", 9, COLUMN_BITS },
	};
	const struct model *model = a->rt->model;
	const uint16_t parties = model_parties(model);

	answer_since(a);
	a->json = json_array();
	for (uint16_t in = 0; in < parties; in++) {
		for (uint32_t k = 0; model_party_name(model, in) && k < parties * 2u; k++) {
			json_t *row = model_party_name(model, k / 2)
					      ? pair_json(a, in, k / 2, k % 2)
					      : NULL;

			if (row)
				json_array_append_new(a->json, row);
		}
	}
	a->json = sorted(a->json);
	if (a->since)
		TABLE(a, a->json, rates);
	else
		TABLE(a, a->json, columns);
}

/* ---- drops ---- */

static json_t *record_json(const struct runtime *rt, const char *port, const struct drop_record *r)
{
	const bool ipv6 = r->ether_type == 0x86dd;
	const struct ip_address source = { r->source, ipv6 },
				destination = { r->destination, ipv6 };
	const uint64_t age = dataplane_now_ns(rt->dp) - r->time_ns;
	char text[40], mac[2][MAC_TEXT_MAX];
	time_t at = time(NULL) - age / 1000000000;
	struct tm tm;
	json_t *row;

	mac_text(&r->source_mac, mac[0]);
	mac_text(&r->destination_mac, mac[1]);
	strftime(text, sizeof(text), "%FT%TZ", gmtime_r(&at, &tm));
	row = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:i}", "time", text, "port", port, "reason",
			reason_name(r->reason), "detail", reason_text(r->reason), "source_mac",
			mac[0], "destination_mac", mac[1], "bytes", (int)r->bytes, "vlan", r->vlan);
	snprintf(text, sizeof(text), "0x%04x", r->ether_type);
	json_object_set_new(row, "ether_type", json_string(text));
	if (r->has_addresses) {
		json_object_set_new(row, "source", json_address(&source));
		json_object_set_new(row, "destination", json_address(&destination));
		json_object_set_new(row, "protocol", json_u64(r->protocol));
		json_object_set_new(row, "ttl", json_u64(r->ttl));
	}
	if (r->source_port || r->destination_port) {
		json_object_set_new(row, "source_port", json_u64(r->source_port));
		json_object_set_new(row, "destination_port", json_u64(r->destination_port));
	}
	return row;
}

static void print_record(struct asking *a, const json_t *row)
{
	const json_t *source = json_object_get(row, "source");

	fprintf(a->text, "%.8s  %-8s %-20s ", json_string_value(json_object_get(row, "time")) + 11,
		json_string_value(json_object_get(row, "port")),
		json_string_value(json_object_get(row, "reason")));
	if (!source) {
		fprintf(a->text, "%s > %s type %s\n",
			json_string_value(json_object_get(row, "source_mac")),
			json_string_value(json_object_get(row, "destination_mac")),
			json_string_value(json_object_get(row, "ether_type")));
		return;
	}
	fprintf(a->text, "%s > %s proto %d", json_string_value(source),
		json_string_value(json_object_get(row, "destination")),
		(int)json_integer_value(json_object_get(row, "protocol")));
	if (json_object_get(row, "source_port"))
		fprintf(a->text, " %d > %d",
			(int)json_integer_value(json_object_get(row, "source_port")),
			(int)json_integer_value(json_object_get(row, "destination_port")));
	fputc('\n', a->text);
}

static void last_drops(struct asking *a, size_t only_port, unsigned int last, json_t *list)
{
	struct drop_record *records = calloc(last, sizeof(*records));

	for (size_t i = 0; records && i < a->rt->config->port_count; i++) {
		unsigned int n;

		if (only_port != SIZE_MAX && i != only_port)
			continue;
		n = counts_drops(a->rt->counts, model_port_number(a->rt->model, i), records, last);
		for (unsigned int k = 0; k < n; k++)
			json_array_append_new(list, record_json(a->rt, a->rt->config->ports[i].name,
								&records[k]));
	}
	free(records);
}

/* --port NAME and --last N. False: an error was set. */
static bool drops_arguments(struct asking *a, size_t *port, unsigned int *last)
{
	for (int i = 0; i < a->argc; i += 2) {
		const char *value = i + 1 < a->argc ? a->argv[i + 1] : NULL;
		char *end = NULL;

		if (value && strcmp(a->argv[i], "--port") == 0) {
			*port = port_named(a, value);
			if (*port == SIZE_MAX)
				return false;
		} else if (value && strcmp(a->argv[i], "--last") == 0) {
			const unsigned long n = strtoul(value, &end, 10);

			if (*end || n < 1 || n > 1000) {
				answer_fail(a, 2, "show drops: --last %.16s is not 1 to 1000",
					    value);
				return false;
			}
			*last = n;
		} else {
			answer_fail(a, 2,
				    "show drops: takes [--port NAME] [--last N] [--since TIME]");
			return false;
		}
	}
	return true;
}

/* Totals by reason and their largest port, over all ports or one. */
static json_t *drop_totals(const struct asking *a, size_t only_port)
{
	const struct runtime *rt = a->rt;
	json_t *rows = json_array(), *row;

	for (int r = REASON_CONSUMED + 1; r < REASON_COUNT; r++) {
		struct tally sum = { 0, 0 };

		for (size_t i = 0; i < rt->config->port_count; i++) {
			struct port_counters c;

			if (only_port != SIZE_MAX && i != only_port)
				continue;
			port_counts(a, model_port_number(rt->model, i), &c);
			sum.packets += c.drop[r].packets;
			sum.bytes += c.drop[r].bytes;
		}
		if (!sum.packets)
			continue;
		row = json_pack("{s:s,s:o,s:s}", "reason", reason_name(r), "packets",
				json_u64(sum.packets), "meaning", reason_text(r));
		if (a->since)
			answer_rate(a, row, "packets_per_s", sum.packets);
		else
			json_object_set_new(row, "bytes", json_u64(sum.bytes));
		json_array_append_new(rows, row);
	}
	return sorted(rows);
}

void show_drops(struct asking *a)
{
	static const struct column columns[] = {
		{ "packets", "Packets", 10, COLUMN_COUNT },
		{ "bytes", "", 8, COLUMN_BYTES },
		{ "reason", "Reason", -22, COLUMN_TEXT },
		{ "meaning", "", -8, COLUMN_TEXT },
	};
	static const struct column rates[] = {
		{ "packets", "Packets", 10, COLUMN_COUNT },
		{ "packets_per_s", "a second", 8, COLUMN_COUNT },
		{ "reason", "Reason", -22, COLUMN_TEXT },
		{ "meaning", "", -8, COLUMN_TEXT },
	};
	unsigned int last = 0;
	size_t port = SIZE_MAX, i;
	json_t *list, *row;

	if (!drops_arguments(a, &port, &last))
		return;
	list = json_array();
	a->json = json_pack("{s:o,s:o}", "drops", drop_totals(a, port), "last", list);
	if (last == 0) {
		answer_since(a);
		if (a->since)
			TABLE(a, json_object_get(a->json, "drops"), rates);
		else
			TABLE(a, json_object_get(a->json, "drops"), columns);
		return;
	}
	last_drops(a, port, last, list);
	json_array_foreach(list, i, row) print_record(a, row);
}
