// SPDX-License-Identifier: BSD-3-Clause
/*
 * Renders the metrics, a page of http.h. Reads counters that workers write anyway;
 * no worker notices.
 */
#include "metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_version.h>

#include "address.h"
#include "feed/feeds.h"
#include "feed/keep.h"
#include "http.h"
#include "log.h"
#include "model_state.h"

struct metrics_server {
	struct runtime *rt;
	struct http_server *http;
};

/* ---- text ---- */

/* A label value with what Prometheus wants escaped. Cuts nothing, needs no memory. */
static void put_label(FILE *f, const char *name, const char *value, const char *before)
{
	fprintf(f, "%s%s=\"", before, name);
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			fputc('\\', f);
		if (*value == '\n')
			fputs("\\n", f);
		else
			fputc(*value, f);
	}
	fputc('"', f);
}

static void head(FILE *f, const char *name, const char *type, const char *help)
{
	fprintf(f, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* One port's numbers, read once for a whole page. */
struct port_view {
	const struct config_port *config;
	uint16_t number;
	struct port_counters c;
	struct neighbour_counters neighbours;
	struct device_losses losses;
	struct device_info info;
	struct tap_counters host;
	bool open, up;
};

static struct port_view *view_ports(const struct runtime *rt)
{
	struct port_view *views = calloc(rt->config->port_count + 1, sizeof(*views));

	for (size_t i = 0; views && i < rt->config->port_count; i++) {
		struct port_view *v = &views[i];
		const struct runtime_device *d;
		const char *error;

		v->config = &rt->config->ports[i];
		v->number = model_port_number(rt->model, i);
		counts_port(rt->counts, v->number, &v->c);
		v->neighbours = neighbours_counters(rt->neighbours, v->number);
		v->up = runtime_port_up(rt, v->number);
		taps_counters(rt->taps, v->number, &v->host, &error);
		d = &rt->devices[model_port_device(rt->model, v->number)];
		if (!d->device)
			continue;
		v->open = true;
		device_losses(d->device, &v->losses);
		device_info(d->device, &v->info);
	}
	return views;
}

/* A family of one value a port, found at an offset in struct port_view. */
static void port_family(FILE *f, const struct runtime *rt, const struct port_view *views,
			const char *name, const char *help, size_t offset)
{
	head(f, name, "counter", help);
	for (size_t i = 0; i < rt->config->port_count; i++) {
		const uint64_t *value = (const uint64_t *)((const char *)&views[i] + offset);

		fputs(name, f);
		put_label(f, "port", views[i].config->name, "{");
		fprintf(f, "} %" PRIu64 "\n", *value);
	}
}

static void port_counters_text(FILE *f, const struct runtime *rt, const struct port_view *views)
{
#define FAMILY(name, field, help) \
	port_family(f, rt, views, "napd_port_" name, help, offsetof(struct port_view, field))
	FAMILY("receive_packets_total", c.received.packets, "Frames received.");
	FAMILY("receive_bytes_total", c.received.bytes, "Bytes of received frames, without FCS.");
	FAMILY("transmit_packets_total", c.transmitted.packets, "Frames sent.");
	FAMILY("transmit_bytes_total", c.transmitted.bytes, "Bytes of sent frames, without FCS.");
	FAMILY("forwarded_packets_total", c.forwarded.packets,
	       "Packets received here and forwarded.");
	FAMILY("consumed_packets_total", c.consumed.packets, "Packets for the exchange itself.");
	FAMILY("originated_packets_total", c.originated.packets,
	       "Frames that the exchange sent of its own.");
	FAMILY("unsent_packets_total", c.unsent.packets, "Replies that the device refused.");
	FAMILY("stray_packets_total", c.stray.packets,
	       "Fragments sent of packets that then failed.");
	FAMILY("reported_packets_total", c.reported.packets,
	       "Packets that failed the source check and were forwarded.");
	FAMILY("address_conflicts_total", c.arp_conflicts,
	       "Frames by which somebody claimed an address of the exchange.");
	FAMILY("neighbour_moves_total", neighbours.moves,
	       "Times a neighbour had another MAC than before.");
	FAMILY("neighbour_claims_refused_total", neighbours.refused,
	       "Times a MAC that is not listed spoke for a router whose MACs are.");
	FAMILY("neighbour_requests_total", neighbours.asked,
	       "ARP requests and neighbour solicitations sent.");
	FAMILY("neighbours_limited_total", neighbours.limited,
	       "Times a neighbour was not asked for, because too many are.");
	FAMILY("answers_limited_total", c.answers_limited,
	       "ICMP replies withheld by their rate limit.");
	FAMILY("receive_missed_packets_total", losses.receive_missed,
	       "Frames the device had no descriptor for.");
	FAMILY("receive_no_buffer_packets_total", losses.receive_no_buffer,
	       "Frames the device had no buffer for.");
	FAMILY("receive_errors_total", losses.receive_errors,
	       "Frames the device received with errors.");
	FAMILY("transmit_errors_total", losses.transmit_errors,
	       "Frames the device could not send.");
	FAMILY("host_delivered_packets_total", host.to_host,
	       "Packets given to the host through the port's TAP.");
	FAMILY("host_sent_packets_total", host.from_host,
	       "Packets of the host that were sent by the port.");
	FAMILY("host_unwanted_packets_total", host.unwanted,
	       "Frames of the host that may not leave (router solicitations, MLD, ...).");
	FAMILY("host_unresolved_packets_total", host.unresolved,
	       "Packets of the host to a next hop whose MAC is not known.");
	FAMILY("host_lost_packets_total", host.lost,
	       "Packets to or from the host for which there was no room.");
#undef FAMILY
}

static void drops_text(FILE *f, const struct runtime *rt, const struct port_view *views, bool bytes)
{
	const char *name =
		bytes ? "napd_port_dropped_bytes_total" : "napd_port_dropped_packets_total";

	head(f, name, "counter",
	     bytes ? "Bytes of dropped frames, by reason." : "Dropped packets, by reason.");
	for (size_t i = 0; i < rt->config->port_count; i++) {
		for (int r = REASON_CONSUMED + 1; r < REASON_COUNT; r++) {
			fputs(name, f);
			put_label(f, "port", views[i].config->name, "{");
			put_label(f, "reason", reason_name(r), ",");
			fprintf(f, "} %" PRIu64 "\n",
				bytes ? views[i].c.drop[r].bytes : views[i].c.drop[r].packets);
		}
	}
}

/* The beginning of a sample of one port: NAME{port="...". */
static void port_sample(FILE *f, const char *name, const struct port_view *view)
{
	fputs(name, f);
	put_label(f, "port", view->config->name, "{");
}

static void port_state_text(FILE *f, const struct runtime *rt, const struct port_view *views)
{
	const size_t n = rt->config->port_count;

	head(f, "napd_port_up", "gauge", "Whether the port's link is up.");
	for (size_t i = 0; i < n; i++) {
		port_sample(f, "napd_port_up", &views[i]);
		fprintf(f, "} %d\n", views[i].up);
	}
	head(f, "napd_port_pending_packets", "gauge",
	     "Packets received here that wait for a neighbour's MAC.");
	for (size_t i = 0; i < n; i++) {
		port_sample(f, "napd_port_pending_packets", &views[i]);
		fprintf(f, "} %" PRIu64 "\n", views[i].c.pending);
	}
	head(f, "napd_port_speed_bytes", "gauge",
	     "Speed of the port in bytes a second, 0 if unknown.");
	for (size_t i = 0; i < n; i++) {
		port_sample(f, "napd_port_speed_bytes", &views[i]);
		fprintf(f, "} %" PRIu64 "\n", views[i].info.speed_bps / 8);
	}
	head(f, "napd_port_info", "gauge", "What a port is.");
	for (size_t i = 0; i < n; i++) {
		port_sample(f, "napd_port_info", &views[i]);
		put_label(f, "device", views[i].config->device, ",");
		put_label(f, "driver", views[i].open ? views[i].info.driver : "", ",");
		put_label(f, "description", views[i].config->description, ",");
		fputs("} 1\n", f);
	}
}

static void matrix_text(FILE *f, const struct runtime *rt, bool bytes)
{
	const char *name =
		bytes ? "napd_member_traffic_bytes_total" : "napd_member_traffic_packets_total";
	const uint16_t parties = model_parties(rt->model);

	head(f, name, "counter",
	     bytes ? "Bytes forwarded from member to member, as received."
		   : "Packets forwarded from member to member.");
	for (uint16_t in = 0; in < parties; in++) {
		const char *from = model_party_name(rt->model, in);

		for (uint32_t k = 0; from && k < parties * 2u; k++) {
			const char *to = model_party_name(rt->model, k / 2);
			struct matrix_cell c = { 0, 0 };

			if (to)
				c = counts_matrix(rt->counts, in, k / 2, k % 2);
			if (!c.packets)
				continue;
			fputs(name, f);
			put_label(f, "from", from, "{");
			put_label(f, "to", to, ",");
			fprintf(f, ",family=\"%s\"} %" PRIu64 "\n", k % 2 ? "ipv6" : "ipv4",
				bytes ? c.bytes : c.packets);
		}
	}
}

static void members_text(FILE *f, const struct runtime *rt)
{
	head(f, "napd_member_info", "gauge", "Who the members are.");
	for (size_t i = 0; i < rt->config->member_count; i++) {
		const struct config_member *m = &rt->config->members[i];

		fputs("napd_member_info", f);
		put_label(f, "member", m->name, "{");
		fprintf(f, ",asn=\"%u\"", m->asn);
		put_label(f, "port", m->port == SIZE_MAX ? "" : rt->config->ports[m->port].name,
			  ",");
		fputs("} 1\n", f);
	}
	if (!rt->config->metrics.matrix)
		return;
	matrix_text(f, rt, false);
	matrix_text(f, rt, true);
}

static void queues_text(FILE *f, const struct runtime *rt)
{
	head(f, "napd_port_cross_node_queues", "gauge",
	     "Receive queues polled from another NUMA node than the device's.");
	for (size_t i = 0; i < rt->config->port_count; i++) {
		const uint16_t port = model_port_number(rt->model, i);

		fputs("napd_port_cross_node_queues", f);
		put_label(f, "port", rt->config->ports[i].name, "{");
		fprintf(f, "} %u\n", queues_across(rt->queues, model_port_device(rt->model, port)));
	}
	head(f, "napd_worker_info", "gauge", "Where a worker runs.");
	for (unsigned int i = 0; i < rt->workers; i++)
		fprintf(f, "napd_worker_info{worker=\"%u\",cpu=\"%u\",node=\"%d\"} 1\n", i,
			rt->worker_core[i], rt->worker_node[i]);
}

/* A prefix counts for the source whose route decides; the sum is what is in force. */
static void routes_text(FILE *f, const struct model *model)
{
	head(f, "napd_routes", "gauge", "Prefixes in force, by the source that decides.");
	model_lock(model);
	for (unsigned int s = ROUTE_NONE + 1; s < ROUTE_SOURCES; s++) {
		if (s == ROUTE_LOCAL || s == ROUTE_ADJACENT)
			continue; /* host routes of the exchange's own making, no prefixes */
		for (int ipv6 = 0; ipv6 < 2; ipv6++)
			fprintf(f, "napd_routes{family=\"%s\",source=\"%s\"} %" PRIu64 "\n",
				ipv6 ? "ipv6" : "ipv4", route_source_name(s),
				rib_prefixes_of(model->rib, ipv6, s));
	}
	model_unlock(model);
}

/* What is read from files is loaded before napd is ready, and never stale. */
static void files_text(FILE *f, const struct runtime *rt, const char *name, bool up)
{
	const struct config *config = rt->config;
	const struct {
		enum route_source source;
		bool named, read;
	} file[] = {
		{ ROUTE_STATIC, config->route_count > 0, true },
		{ ROUTE_FILE, config->tables.file_count > 0, rt->tables_loaded },
		{ ROUTE_MRT, config->tables.mrt_count > 0, rt->tables_loaded },
	};

	for (size_t i = 0; i < sizeof(file) / sizeof(file[0]); i++)
		if (file[i].named)
			fprintf(f, "%s{source=\"%s\"} %d\n", name,
				route_source_name(file[i].source), up && file[i].read);
}

/* A number of every live feed of the configuration. */
#define FEED_TEXT(f, rt, name, value)                                            \
	do {                                                                     \
		struct feed_view v;                                              \
		for (unsigned int n = 0; feeds_view((rt)->feeds, n, &v); n++)    \
			fprintf(f, "%s{source=\"%s\"} %" PRIu64 "\n", name,      \
				route_source_name(v.source), (uint64_t)(value)); \
	} while (0)

static void feeds_text(FILE *f, const struct runtime *rt)
{
	static const char *const states[] = { "used",    "foreign", "unresolved",
					      "waiting", "refused", "hidden" };
	struct feed_view view;

	head(f, "napd_feed_up", "gauge", "Whether a source of routes speaks, or has been read.");
	files_text(f, rt, "napd_feed_up", true);
	FEED_TEXT(f, rt, "napd_feed_up", v.up);
	head(f, "napd_routes_stale", "gauge", "Routes of a source that has not confirmed them.");
	files_text(f, rt, "napd_routes_stale", false);
	FEED_TEXT(f, rt, "napd_routes_stale", v.counts.stale);
	head(f, "napd_feed_routes", "gauge",
	     "Routes that a live feed has told, by what became of "
	     "them.");
	for (unsigned int n = 0; feeds_view(rt->feeds, n, &view); n++)
		for (int s = 0; s < LEARNED_STATES; s++)
			fprintf(f, "napd_feed_routes{source=\"%s\",state=\"%s\"} %" PRIu64 "\n",
				route_source_name(view.source), states[s], view.counts.routes[s]);
	head(f, "napd_feed_messages_total", "counter", "Messages that a live feed has taken.");
	FEED_TEXT(f, rt, "napd_feed_messages_total", v.messages);
	head(f, "napd_feed_acknowledged_routes_total", "counter",
	     "Routes that a routing daemon was told to be in force.");
	FEED_TEXT(f, rt, "napd_feed_acknowledged_routes_total", v.acknowledged);
	head(f, "napd_feed_losses_total", "counter", "How often a live feed was lost.");
	FEED_TEXT(f, rt, "napd_feed_losses_total", v.losses);
	head(f, "napd_feed_ignored_messages_total", "counter",
	     "Messages of other tables, link-local prefixes, kinds that are not routed, and beyond "
	     "what there is room for.");
	FEED_TEXT(f, rt, "napd_feed_ignored_messages_total",
		  v.counts.other_table + v.counts.link_local + v.counts.other_kind +
			  v.counts.beyond);
}

/* The file for a warm start. */
static void kept_text(FILE *f, const struct runtime *rt)
{
	struct keeper_view v;

	keeper_view(rt->keeper, &v);
	if (!v.file)
		return;
	head(f, "napd_kept_routes", "gauge",
	     "Routes of live feeds that were written to tables.kept last.");
	fprintf(f, "napd_kept_routes %" PRIu64 "\n", v.routes);
	head(f, "napd_kept_timestamp_seconds", "gauge",
	     "When they were, in seconds since 1970; 0: not since napd started.");
	fprintf(f, "napd_kept_timestamp_seconds %" PRId64 "\n", v.written_s);
	head(f, "napd_kept_failing", "gauge", "Whether the last attempt to write them failed.");
	fprintf(f, "napd_kept_failing %d\n", v.failing);
	head(f, "napd_kept_restored_routes", "gauge",
	     "Routes that came from tables.kept when napd started.");
	fprintf(f, "napd_kept_restored_routes %" PRIu64 "\n", v.restored);
}

static void tables_text(FILE *f, struct runtime *rt)
{
	struct model_routes routes;

	model_routes(rt->model, &routes);
	routes_text(f, rt->model);
	feeds_text(f, rt);
	kept_text(f, rt);
	head(f, "napd_routes_capacity", "gauge", "Prefixes that fit.");
	fprintf(f, "napd_routes_capacity{family=\"ipv4\"} %" PRIu64 "\n",
		rt->config->dataplane.capacity_ipv4);
	fprintf(f, "napd_routes_capacity{family=\"ipv6\"} %" PRIu64 "\n",
		rt->config->dataplane.capacity_ipv6);
	head(f, "napd_routes_refused", "gauge",
	     "Routes not used: beyond capacity, inside a connected subnet, link-local.");
	fprintf(f, "napd_routes_refused %" PRIu64 "\n", routes.refused);
	head(f, "napd_routes_unresolved", "gauge",
	     "Routes not used: no next hop is on any port's subnet.");
	fprintf(f, "napd_routes_unresolved %" PRIu64 "\n", routes.unresolved);
	head(f, "napd_neighbours", "gauge", "Neighbours by state.");
	for (int state = 0; state < NEIGHBOUR_STATES; state++)
		for (int ipv6 = 0; ipv6 < 2; ipv6++)
			fprintf(f, "napd_neighbours{state=\"%s\",family=\"%s\"} %zu\n",
				neighbour_state_name[state], ipv6 ? "ipv6" : "ipv4",
				neighbours_count(rt->neighbours, state, ipv6));
}

static void process_text(FILE *f, struct runtime *rt)
{
	head(f, "napd_worker_busy_seconds_total", "counter", "Time a worker spent on packets.");
	for (unsigned int i = 0; i < rt->workers; i++)
		fprintf(f, "napd_worker_busy_seconds_total{worker=\"%u\"} %.6f\n", i,
			worker_load(dataplane_worker(rt->dp, i)).busy_ns / 1e9);
	head(f, "napd_accounting_error_packets", "gauge",
	     "Packets that are neither forwarded, consumed nor dropped: 0, or a bug.");
	fprintf(f, "napd_accounting_error_packets %" PRId64 "\n", runtime_accounting_error(rt));
	head(f, "napd_config_last_reload_successful", "gauge",
	     "Whether the last reload was applied.");
	fprintf(f, "napd_config_last_reload_successful %d\n", rt->last_reload_ok);
	head(f, "napd_exchange_info", "gauge", "Which exchange this is.");
	fputs("napd_exchange_info", f);
	put_label(f, "name", rt->config->exchange.name, "{");
	fprintf(f, ",asn=\"%u\"} 1\n", rt->config->exchange.asn);
	head(f, "napd_build_info", "gauge", "Which build this is.");
	fputs("napd_build_info", f);
	put_label(f, "version", NAPD_VERSION, "{");
	put_label(f, "dpdk", rte_version(), ",");
	put_label(f, "cpu", cpu_path_name(cpu_path()), ",");
	fputs("} 1\n", f);
}

char *metrics_text(struct runtime *rt)
{
	struct port_view *views = view_ports(rt);
	size_t length = 0;
	char *text = NULL;
	FILE *f = views ? open_memstream(&text, &length) : NULL;
	bool failed;

	if (!f) {
		free(views);
		return NULL;
	}
	port_counters_text(f, rt, views);
	drops_text(f, rt, views, false);
	drops_text(f, rt, views, true);
	port_state_text(f, rt, views);
	members_text(f, rt);
	tables_text(f, rt);
	queues_text(f, rt);
	process_text(f, rt);
	failed = ferror(f) != 0;
	free(views);
	if (fclose(f) == 0 && !failed)
		return text;
	free(text);
	return NULL;
}

/* ---- pages ---- */

static struct http_answer make_metrics(void *arg)
{
	const struct metrics_server *server = arg;

	return (struct http_answer){ .status = 200,
				     .type = "text/plain; version=0.0.4; charset=utf-8",
				     .text = metrics_text(server->rt) };
}

static struct http_answer make_health(void *arg)
{
	const struct metrics_server *server = arg;
	const char *why = runtime_unhealthy(server->rt);
	struct http_answer answer = { .status = why ? 503 : 200,
				      .type = "text/plain; charset=utf-8" };

	if (asprintf(&answer.text, "%s\n", why ? why : "ok") < 0)
		answer.text = NULL;
	return answer;
}

static const struct http_page pages[] = {
	{ "/metrics", make_metrics },
	{ "/healthz", make_health },
	{ NULL, NULL },
};

int metrics_open(struct runtime *rt, struct metrics_server **out)
{
	struct metrics_server *server = calloc(1, sizeof(*server));
	char *listen = strdup(rt->config->metrics.listen), *host = NULL;
	uint16_t port = 0;
	int rc = -ENOMEM;

	if (!server || !listen)
		goto fail;
	server->rt = rt;
	rc = -EINVAL;
	if (!listen_split(listen, &host, &port))
		goto fail;
	rc = http_open(rt->base, host, port, pages, server, &server->http);
	if (rc != 0)
		goto fail;
	free(listen);
	*out = server;
	return 0;

fail:
	log_error("metrics", "metrics.listen: %s: %s", rt->config->metrics.listen, strerror(-rc));
	free(listen);
	metrics_close(server);
	return rc;
}

void metrics_close(struct metrics_server *server)
{
	if (server)
		http_close(server->http);
	free(server);
}
