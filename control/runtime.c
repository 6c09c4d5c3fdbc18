// SPDX-License-Identifier: BSD-3-Clause
/*
 * What run.c steers: devices and who polls them, publication of what changed,
 * reload. Nothing here waits: what workers may still read is put aside and freed
 * when they have moved on.
 */
#include "runtime.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_mbuf.h>

#include "background.h"
#include "feed/feeds.h"
#include "feed/keep.h"
#include "load.h"
#include "log.h"
#include "runtime_private.h"
#include "samples.h"
#include "tables.h"

#define RETRY_FIRST_NS   UINT64_C(500000000)
#define RETRY_LONGEST_NS UINT64_C(60000000000)
#define ECHO_NS          UINT64_C(300000000) /* what a try changes on the host is told within */
#define STEADY_NS        UINT64_C(10000000000)

/* ---- publication ---- */

/* Devices come and go: their queues find workers, or leave them. */
static void share_queues(struct runtime *rt)
{
	for (uint16_t d = 0; d < DEVICE_MAX; d++) {
		struct device_info info = { .numa_node = -1 };

		if (d < rt->device_count && rt->devices[d].device)
			device_info(rt->devices[d].device, &info);
		queues_set_device(rt->queues, d, info.receive_queues,
				  info.virtual ? -1 : info.numa_node);
	}
	queues_share(rt->queues);
}

void runtime_publish(struct runtime *rt)
{
	struct snapshot *snapshot = model_snapshot(rt->model);

	if (snapshot)
		snapshot_publish(rt->dp, snapshot);
	else
		log_error("run", "no memory for a new snapshot; the one in force stays");
}

/* ---- devices ---- */

static void wish_for_port(struct device_wish *wish, const struct config_port *port)
{
	if (port->mtu > wish->mtu)
		wish->mtu = port->mtu;
	wish->tagged |= port->vlan != 0;
	if (port->has_mac) {
		wish->has_mac = true;
		wish->mac = port->mac;
	}
	if (port->queues)
		wish->receive_queues = port->queues;
	if (port->speed_bps)
		wish->speed_bps = port->speed_bps;
}

/* How many workers may poll a device on a node; see balance.h. */
static uint16_t workers_near(const struct runtime *rt, int16_t node)
{
	uint16_t n = 0;

	for (unsigned int i = 0; i < rt->workers; i++)
		n += node < 0 || rt->worker_node[i] < 0 || rt->worker_node[i] == node;
	return n ? n : rt->workers;
}

/* What the ports of each device want of it together, by device number. */
static void wishes(const struct runtime *rt, const struct config *config, struct model *model,
		   struct device_wish wish[DEVICE_MAX])
{
	memset(wish, 0, DEVICE_MAX * sizeof(*wish));
	for (size_t i = 0; i < config->port_count; i++) {
		const uint16_t number = model_port_device(model, model_port_number(model, i));
		struct device_wish *w = &wish[number];

		w->name = config->ports[i].device;
		w->index = number;
		w->workers = rt->workers;
		w->rss_queues = workers_near(rt, host_device_node(w->name));
		wish_for_port(w, &config->ports[i]);
	}
}

/* Is there, by another configuration, anything else to be done with a device than to go on? */
static bool device_changes(const struct runtime_device *d, const struct device_wish *wish,
			   struct device_change *change)
{
	const bool is = d->wish.name, will = wish->name;

	*change = (struct device_change){ .device = will ? wish->name : d->wish.name };
	if (!is && !will)
		return false;
	if (!is || !will || strcmp(wish->name, d->wish.name) != 0) {
		change->kind = will ? DEVICE_OPENS : DEVICE_CLOSES;
		return true;
	}
	change->kind = DEVICE_RESTARTS;
	return d->device && device_restart_reason(d->device, wish, change->reason);
}

size_t runtime_device_changes(const struct runtime *rt, const struct config *config,
			      struct model *model, struct device_change list[2 * DEVICE_MAX])
{
	struct device_wish wish[DEVICE_MAX];
	size_t n = 0;

	wishes(rt, config, model, wish);
	for (uint16_t i = 0; i < DEVICE_MAX; i++) {
		const struct runtime_device *d = &rt->devices[i];

		if (!device_changes(d, &wish[i], &list[n]))
			continue;
		n++;
		if (list[n - 1].kind == DEVICE_OPENS && d->wish.name)
			list[n++] = (struct device_change){ .device = d->wish.name,
							    .kind = DEVICE_CLOSES };
	}
	return n;
}

/* Workers must leave a device before it closes: it waits for the next grace period. */
static void device_put_aside(struct runtime *rt, struct runtime_device *d)
{
	struct closing *c;

	d->link_up = false;
	if (!d->device)
		return;
	c = calloc(1, sizeof(*c));
	device_shut(d->device);
	if (c) {
		c->device = d->device;
		c->next = rt->private->closing;
		rt->private->closing = c;
	} else {
		log_error("run", "no memory to close %s; it stays open", d->wish.name);
	}
	d->device = NULL;
}

/* Later and later, until it has stayed for a while. */
static void try_later(struct runtime_device *d, uint64_t now_ns)
{
	if (d->opened_ns && now_ns - d->opened_ns > STEADY_NS)
		d->attempts = 0;
	d->opened_ns = 0;
	d->retry_ns =
		now_ns + RTE_MIN(RETRY_FIRST_NS << RTE_MIN(d->attempts, 8u), RETRY_LONGEST_NS);
	d->attempts++;
}

static void device_try(struct runtime *rt, struct runtime_device *d, uint64_t now_ns)
{
	char error[DEVICE_ERROR_MAX] = "";
	struct device_info info;

	if (device_open(&d->wish, runtime_pool(rt, host_device_node(d->wish.name)), &d->device,
			error) != 0) {
		d->device = NULL;
		try_later(d, now_ns);
		d->surroundings = device_surroundings(d->wish.name);
		rt->private->tried_ns = dataplane_now_ns(rt->dp);
		if (strcmp(error, d->error) != 0)
			log_error("device", "%s: %s; it is tried again, the other ports go on",
				  d->wish.name, error);
		memcpy(d->error, error, sizeof(error));
		return;
	}
	d->opened_ns = now_ns;
	d->error[0] = '\0';
	device_info(d->device, &info);
	log_info("device", "%s: %s, %u receive and %u transmit queues", d->wish.name, info.driver,
		 info.receive_queues, info.transmit_queues);
	if (!info.virtual && queues_cross_nodes(rt->queues, info.numa_node))
		log_warning("device",
			    "%s is on NUMA node %d, where no worker runs: its packets cross nodes; "
			    "see dataplane.cores",
			    d->wish.name, info.numa_node);
	model_set_device_mac(rt->model, d->wish.index, info.mac);
}

/* Is the device waiting to be closed? It cannot be opened again before. */
static bool is_closing(const struct runtime *rt)
{
	return rt->private->closing != NULL;
}

void runtime_open_devices(struct runtime *rt, uint64_t now_ns)
{
	bool opened = false;

	if (is_closing(rt))
		return;
	for (uint16_t i = 0; i < rt->device_count; i++) {
		struct runtime_device *d = &rt->devices[i];

		if (!d->wish.name || d->device || now_ns < d->retry_ns)
			continue;
		device_try(rt, d, now_ns);
		opened |= d->device != NULL;
	}
	if (opened) {
		neighbours_devices_changed(rt->neighbours);
		runtime_publish(rt);
		share_queues(rt);
		taps_update(rt->taps, now_ns); /* they have the device's MAC */
	}
}

/*
 * Not at once: opening a device changes things on the host, and it may fail for ever. So a
 * device on an interface waits for a change of that interface, and one without for a change
 * that is no echo of a try.
 */
void runtime_retry_soon(struct runtime *rt)
{
	const uint64_t now_ns = dataplane_now_ns(rt->dp), soon_ns = now_ns + RETRY_FIRST_NS;
	const bool echo = rt->private->tried_ns && now_ns - rt->private->tried_ns < ECHO_NS;

	for (uint16_t i = 0; i < rt->device_count; i++) {
		struct runtime_device *d = &rt->devices[i];

		if (!d->wish.name || d->device || d->retry_ns <= soon_ns)
			continue;
		if (device_has_surroundings(d->wish.name)
			    ? device_surroundings(d->wish.name) != d->surroundings
			    : !echo)
			d->retry_ns = soon_ns;
	}
}

/* Of each port, not too often, but the last of it always. */
static void log_link(struct runtime *rt, const struct config_port *config, uint16_t port, bool up,
		     bool changed)
{
	struct log_subject *subject = &rt->private->link_log[port];
	const uint64_t now_ns = dataplane_now_ns(rt->dp);
	const enum log_level level =
		up || !runtime_port_enabled(rt, port) ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING;
	unsigned int withheld;

	if (changed && log_subject_may(subject, now_ns))
		log_always(level, "port", "%s is %s", config->name, up ? "up" : "down");
	else if (log_subject_due(subject, now_ns, &withheld))
		log_always(level, "port", "%s is %s, after %u more change%s in %u s", config->name,
			   up ? "up" : "down", withheld, withheld == 1 ? "" : "s",
			   (unsigned int)(LOG_SUBJECT_PERIOD_NS / UINT64_C(1000000000)));
}

static void set_links(struct runtime *rt, uint16_t device)
{
	for (size_t i = 0; i < rt->config->port_count; i++) {
		const uint16_t port = model_port_number(rt->model, i);
		const bool was = dataplane_link(rt->dp, port);
		bool up, changed;

		if (model_port_device(rt->model, port) != device)
			continue;
		up = runtime_port_up(rt, port);
		dataplane_set_link(rt->dp, port, up);
		changed = up != was || !rt->private->link_known[port];
		rt->private->link_known[port] = true;
		log_link(rt, &rt->config->ports[i], port, up, changed);
		if (changed && up)
			neighbours_link_up(rt->neighbours, port, dataplane_now_ns(rt->dp));
	}
}

void runtime_poll_links(struct runtime *rt)
{
	for (uint16_t i = 0; i < rt->device_count; i++) {
		struct runtime_device *d = &rt->devices[i];
		bool vanished = false;

		if (d->device)
			d->link_up = device_poll_link(d->device, &vanished);
		if (vanished) {
			log_error("device", "%s has vanished; it is tried again", d->wish.name);
			snprintf(d->error, sizeof(d->error), "has vanished");
			try_later(d, dataplane_now_ns(rt->dp));
			device_put_aside(rt, d);
			share_queues(rt);
		}
		set_links(rt, i);
	}
}

bool runtime_port_up(const struct runtime *rt, uint16_t port)
{
	const size_t i = model_config_port(rt->model, port);

	return i != SIZE_MAX && runtime_port_enabled(rt, port) &&
	       rt->private->port_queue[port] == model_port_device(rt->model, port) &&
	       rt->devices[model_port_device(rt->model, port)].link_up;
}

/* ---- what waits for workers to move on ---- */

static void set_port_queue(struct runtime *rt, uint16_t port)
{
	const uint16_t device = model_port_device(rt->model, port);

	for (unsigned int k = 0; k < rt->workers; k++)
		worker_set_transmit(dataplane_worker(rt->dp, k), port, device,
				    device_txq(device, k));
	rt->private->port_queue[port] = (uint8_t)device;
}

/* Workers have moved on: ports that waited for it get their new queues. */
static void attach_ports(struct runtime *rt)
{
	rt->private->moving = false;
	for (size_t i = 0; i < rt->config->port_count; i++) {
		const uint16_t port = model_port_number(rt->model, i);

		if (rt->private->port_queue[port] == model_port_device(rt->model, port))
			continue;
		set_port_queue(rt, port);
		model_attach_port(rt->model, port, true);
	}
	runtime_publish(rt);
}

static void past_free(void *arg)
{
	struct past *p = arg;

	model_free(p->model);
	config_free(p->config);
	free(p);
}

static void past_is_free(void *arg, bool cancelled)
{
	(void)arg;
	(void)cancelled;
}

void runtime_reclaim(struct runtime *rt)
{
	if (snapshot_reclaim(rt->dp) != 0)
		return;
	if (rt->private->moving)
		attach_ports(rt);
	while (rt->private->closing) {
		struct closing *c = rt->private->closing;

		rt->private->closing = c->next;
		device_close(c->device);
		free(c);
	}
	while (rt->private->past) {
		struct past *p = rt->private->past;

		rt->private->past = p->next;
		/* a million routes take a while */
		if (!rt->background ||
		    background_run(rt->background, past_free, past_is_free, p) != 0)
			past_free(p);
	}
}

/* ---- start and reload ---- */

/* Bring the table of devices to what config wants; those that cannot go on are opened anew. */
static void adopt_devices(struct runtime *rt)
{
	struct device_wish wish[DEVICE_MAX];

	wishes(rt, rt->config, rt->model, wish);
	rt->device_count = model_devices(rt->model);
	for (uint16_t i = 0; i < DEVICE_MAX; i++) {
		struct runtime_device *d = &rt->devices[i];
		struct device_change change = { 0 };

		if (d->device && !device_changes(d, &wish[i], &change)) {
			device_adapt(d->device, &wish[i]);
			d->wish = wish[i]; /* the old configuration goes, and its name with it */
			continue;
		}
		if (change.reason[0] && d->device)
			log_info("device", "%s restarts: %s", change.device, change.reason);
		device_put_aside(rt, d);
		*d = (struct runtime_device){ .wish = wish[i] };
	}
}

/*
 * A port that is on another device now, and one whose number was another's, waits, detached and
 * with its link down, until nobody can send anything by its old queue: runtime_reclaim().
 */
static void adopt_ports(struct runtime *rt)
{
	struct runtime_private *private = rt->private;

	private->moving = false;
	for (uint16_t port = 0; port < model_port_numbers(rt->model); port++)
	private->link_known[port] &= model_config_port(rt->model, port) != SIZE_MAX;
	for (size_t i = 0; i < rt->config->port_count; i++) {
		const uint16_t port = model_port_number(rt->model, i);

		if (model_port_is_new(rt->model, port))
		private->operator[port] = OPERATOR_SILENT;
		model_enable_port(rt->model, port, runtime_port_enabled(rt, port));
		if (private->port_queue[port] == DEVICE_MAX)
			set_port_queue(rt, port);
		if (private->port_queue[port] == model_port_device(rt->model, port))
			continue;
		model_attach_port(rt->model, port, false);
		dataplane_set_link(rt->dp, port, false);
		private->moving = true;
	}
}

void runtime_start_counts(const struct runtime *rt, const struct model *model)
{
	for (uint16_t port = 0; port < model_port_numbers(model); port++)
		if (model_port_is_reused(model, port))
			counts_start_port(rt->counts, port);
	for (uint16_t party = 0; party < model_parties(model); party++)
		if (model_party_is_reused(model, party))
			counts_start_party(rt->counts, party);
}

/* What happened lately under these numbers happened to others. */
static void adopt_samples(struct runtime *rt, uint64_t now_ns)
{
	for (uint16_t port = 0; port < model_port_numbers(rt->model); port++)
		if (model_port_is_reused(rt->model, port))
			samples_start_port(rt->samples, port, now_ns);
	for (uint16_t party = 0; party < model_parties(rt->model); party++)
		if (model_party_is_reused(rt->model, party))
			samples_start_party(rt->samples, party, now_ns);
}

void runtime_adopt(struct runtime *rt, uint64_t now_ns)
{
	adopt_devices(rt);
	for (uint16_t i = 0; i < rt->device_count; i++) {
		struct device_info info;

		if (!rt->devices[i].device)
			continue;
		device_info(rt->devices[i].device, &info);
		model_set_device_mac(rt->model, i, info.mac);
	}
	adopt_samples(rt, now_ns);
	adopt_ports(rt);
	if (neighbours_set_model(rt->neighbours, rt->model) != 0)
		log_error("run", "no memory for neighbours; they will be asked for again");
	runtime_publish(rt);
	share_queues(rt);
	runtime_open_devices(rt, now_ns);
	runtime_poll_links(rt);
	neighbours_start_new(rt->neighbours, now_ns);
	taps_update(rt->taps, now_ns);
	if (rt->feeds)
		feeds_update(rt->feeds);
}

/* On the tables thread. */
static void tables_changed(void *arg)
{
	const struct runtime *rt = arg;
	const uint64_t one = 1;

	if (write(rt->private->tables_fd, &one, sizeof(one)) < 0)
		log_error("tables", "%s", strerror(errno));
}

void runtime_start_tables(struct runtime *rt)
{
	if (rt->private->tables_fd >= 0)
		rt->tables = tables_start(rt->model, tables_changed, rt);
	if (rt->tables)
		rt->feeds = feeds_create(rt);
	if (!rt->tables)
		log_warning("tables", "no thread for them: control does their work, and no feed "
				      "brings routes");
	if (!rt->feeds)
		return;
	rt->keeper = keeper_create(rt);
	if (rt->keeper) {
		keeper_restore(rt->keeper);
		runtime_publish(rt);
	}
	feeds_update(rt->feeds);
}

struct config *runtime_take(struct runtime *rt, struct config *config, struct model *model,
			    bool keep)
{
	struct config *old = rt->config;
	struct past *past = calloc(1, sizeof(*past));

	if (past) {
		*past = (struct past){ rt->private->past, rt->model, keep ? NULL : old };
		rt->private->past = past;
	} else {
		log_error("run", "no memory to free what was in force; it stays");
	}
	rt->model = model;
	rt->config = config;
	log_set_level(config->log.level);
	runtime_adopt(rt, dataplane_now_ns(rt->dp));
	load_reloaded(rt->load);
	return keep ? old : NULL;
}

/* ---- what an operator says of a port ---- */

bool runtime_port_enabled(const struct runtime *rt, uint16_t port)
{
	const size_t i = model_config_port(rt->model, port);

	if (i == SIZE_MAX)
		return false;
	return rt->private->operator[port] == OPERATOR_SILENT
		       ? rt->config->ports[i].enabled
		       : rt->private->operator[port] == OPERATOR_ENABLES;
}

bool runtime_port_overruled(const struct runtime *rt, uint16_t port)
{
	const size_t i = model_config_port(rt->model, port);

	return i != SIZE_MAX && runtime_port_enabled(rt, port) != rt->config->ports[i].enabled;
}

void runtime_set_enabled(struct runtime *rt, uint16_t port, bool enabled)
{
	const struct config_port *config = &rt->config->ports[model_config_port(rt->model, port)];

	rt->private->operator[port] = enabled == config->enabled ? OPERATOR_SILENT
	: enabled                                                ? OPERATOR_ENABLES
								 : OPERATOR_DISABLES;
	log_info("port", "%s is %s by an operator", config->name, enabled ? "enabled" : "disabled");
	model_enable_port(rt->model, port, enabled);
	runtime_publish(rt);
	runtime_poll_links(rt);
}

/* ---- what others ask ---- */

struct rte_mempool *runtime_pool(const struct runtime *rt, int16_t node)
{
	return node >= 0 && rt->node_pool[node] ? rt->node_pool[node] : rt->pool;
}

int64_t runtime_accounting_error(const struct runtime *rt)
{
	return rt->private->accounting.error;
}

const char *runtime_unhealthy(struct runtime *rt)
{
	if (!rt->tables_loaded)
		return "the configured tables have not been loaded yet";
	if (feeds_unloaded(rt->feeds))
		return feeds_unloaded(rt->feeds);
	for (unsigned int i = 0; i < rt->workers; i++)
		if (rt->private->stalled[i])
			return "a worker stands still";
	return NULL;
}

void runtime_balance(struct runtime *rt, uint64_t now_ns)
{
	struct queue_move move;

	if (queues_tick(rt->queues, now_ns, &move))
		log_info("worker",
			 "queue %u of %s moves from worker %u (%.0f %% busy) to %u (%.0f %%)",
			 move.queue, rt->devices[move.device].wish.name, move.from,
			 100 * queues_busy(rt->queues, move.from), move.to,
			 100 * queues_busy(rt->queues, move.to));
}

/* A worker whose loops did not grow for this long stands still. */
#define STALL_NS UINT64_C(1000000000)

void runtime_watch_workers(struct runtime *rt, uint64_t now_ns)
{
	for (unsigned int i = 0; i < rt->workers; i++) {
		const struct worker_load load = worker_load(dataplane_worker(rt->dp, i));
		struct progress *p = &rt->private->progress[i];

		if (load.loops != p->loops) {
			if (rt->private->stalled[i])
				log_info("worker", "worker %u goes on", i);
			*p = (struct progress){ load.loops, now_ns };
			rt->private->stalled[i] = false;
		} else if (now_ns - p->since_ns > STALL_NS && !rt->private->stalled[i]) {
			rt->private->stalled[i] = true;
			log_error("worker", "worker %u on CPU %u stands still", i,
				  rt->worker_core[i]);
		}
	}
}

void runtime_watch_capacity(struct runtime *rt)
{
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		int *level = &rt->private->fill_level[ipv6];
		const int now = model_fill_level(rt->model, ipv6, *level);

		if (now == *level)
			continue;
		if (now == 100)
			log_error("tables",
				  "dataplane.capacity of %s is used up: further prefixes "
				  "are not used",
				  ipv6 ? "IPv6" : "IPv4");
		else if (now)
			log_warning("tables", "%s prefixes are nine tenths of dataplane.capacity",
				    ipv6 ? "IPv6" : "IPv4");
		else
			log_info("tables", "%s prefixes have room again", ipv6 ? "IPv6" : "IPv4");
		*level = now;
	}
}
