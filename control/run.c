// SPDX-License-Identifier: BSD-3-Clause
/*
 * napd run: start order, the event loop of control, signals, and the end.
 * Every step of the loop is short; nothing in it waits for a worker.
 */
#include "run.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <event2/event.h>
#include <rte_launch.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>
#include <systemd/sd-daemon.h>

#include "background.h"
#include "command.h"
#include "cores.h"
#include "eal.h"
#include "export/metrics.h"
#include "export/socket.h"
#include "feed/feeds.h"
#include "feed/keep.h"
#include "host_check.h"
#include "interpose.h"
#include "load.h"
#include "log.h"
#include "reload.h"
#include "runtime_private.h"
#include "samples.h"
#include "signals.h"
#include "tables.h"

#define POLL_US       1000   /* workers' events */
#define LINK_US       10000  /* links, grace periods */
#define TICK_US       100000 /* neighbours, retries, watchdog */
#define PARTIES_LEAST 1024
#define POOL_MBUFS    UINT64_C(32767)
#define POOL_CACHE    256
#define DRAIN_MS      20
#define READ_MS       5000 /* for what is still being read at the end */

struct daemon {
	struct runtime rt;
	struct runtime_private private;
	struct runtime_device devices[DEVICE_MAX];
	struct control_socket *socket;
	struct metrics_server *metrics;
	struct event *timers[3], *signals[3], *links, *tables;
	bool watchdog;
	bool ends;  /* before it has begun */
	bool hangs; /* what it reads does, and is left behind */
};

/* ---- workers ---- */

struct launch {
	struct worker *worker;
	bool adaptive;
};

static int worker_main(void *arg)
{
	struct launch launch = *(struct launch *)arg;

	free(arg);
	interpose_on_worker();
	/* a nap of 50 us shall not become 100 by the kernel's kindness */
	prctl(PR_SET_TIMERSLACK, 1000);
	return worker_run(launch.worker, launch.adaptive);
}

static int launch_workers(struct daemon *d)
{
	for (unsigned int i = 0; i < d->rt.workers; i++) {
		struct launch *launch = malloc(sizeof(*launch));

		if (!launch)
			return -ENOMEM;
		*launch = (struct launch){ dataplane_worker(d->rt.dp, i), d->rt.adaptive };
		if (rte_eal_remote_launch(worker_main, launch, i + 1) != 0) {
			free(launch);
			return -EBUSY;
		}
	}
	return 0;
}

/* ---- the loop ---- */

static void on_poll(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;
	const uint64_t now = dataplane_now_ns(d->rt.dp);
	struct punt punt[64];
	unsigned int n;

	(void)fd;
	(void)what;
	for (unsigned int i = 0; i < d->rt.workers; i++) {
		n = punt_receive(d->rt.dp, i, punt, 64);
		for (unsigned int k = 0; k < n; k++)
			neighbours_punt(d->rt.neighbours, &punt[k], now);
	}
	taps_poll(d->rt.taps);
	if (neighbours_changed(d->rt.neighbours, now))
		runtime_publish(&d->rt);
}

/* The tables thread has made new ones. */
static void on_tables(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof(count)) != sizeof(count))
		return;
	runtime_publish(&d->rt);
	feeds_published(d->rt.feeds);
	reload_tables_changed(d->rt.reload);
}

static void on_links(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;

	(void)what;
	if (fd >= 0) {
		device_watch_drain();
		runtime_retry_soon(&d->rt);
	} else {
		samples_tick(d->rt.samples, &d->rt, dataplane_now_ns(d->rt.dp));
	}
	runtime_poll_links(&d->rt);
	taps_tick(d->rt.taps, dataplane_now_ns(d->rt.dp));
	runtime_reclaim(&d->rt);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;
	const uint64_t now = dataplane_now_ns(d->rt.dp);

	(void)fd;
	(void)what;
	neighbours_tick(d->rt.neighbours, now);
	accounting_look(&d->private.accounting, &d->rt);
	runtime_open_devices(&d->rt, now);
	reload_tick(d->rt.reload, now);
	runtime_balance(&d->rt, now);
	runtime_watch_workers(&d->rt, now);
	runtime_watch_capacity(&d->rt);
	log_flush();
	if (d->rt.feeds)
		feeds_tick(d->rt.feeds);
	if (d->rt.keeper)
		keeper_tick(d->rt.keeper);
	for (unsigned int i = 0; i < d->rt.workers; i++)
		if (d->private.stalled[i])
			return;
	if (d->watchdog)
		sd_notify(0, "WATCHDOG=1");
}

static void on_reload(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;

	(void)fd;
	(void)what;
	reload_signalled(d->rt.reload);
}

static void on_end(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;

	(void)what;
	log_info("run", "%s: stopping", fd == SIGINT ? "SIGINT" : "SIGTERM");
	sd_notify(0, "STOPPING=1");
	event_base_loopbreak(d->rt.base);
}

static struct event *timer_start(struct daemon *d, event_callback_fn callback, long period_us)
{
	const struct timeval period = { .tv_usec = period_us };
	struct event *e = event_new(d->rt.base, -1, EV_PERSIST, callback, d);

	if (e)
		event_add(e, &period);
	return e;
}

static struct event *signal_start(struct daemon *d, int number, event_callback_fn callback)
{
	struct event *e = evsignal_new(d->rt.base, number, callback, d);

	if (e)
		event_add(e, NULL);
	return e;
}

static int loop_start(struct daemon *d)
{
	const int watch = device_watch_fd();

	d->timers[0] = timer_start(d, on_poll, POLL_US);
	d->timers[1] = timer_start(d, on_links, LINK_US);
	d->timers[2] = timer_start(d, on_tick, TICK_US);
	d->signals[0] = signal_start(d, SIGHUP, on_reload);
	d->signals[1] = signal_start(d, SIGTERM, on_end);
	d->signals[2] = signal_start(d, SIGINT, on_end);
	for (int i = 0; i < 3; i++)
		if (!d->timers[i] || !d->signals[i])
			return -ENOMEM;
	if (d->private.tables_fd >= 0) {
		d->tables = event_new(d->rt.base, d->private.tables_fd, EV_READ | EV_PERSIST,
				      on_tables, d);
		if (!d->tables || event_add(d->tables, NULL) != 0)
			return -ENOMEM;
	}
	if (watch >= 0) {
		d->links = event_new(d->rt.base, watch, EV_READ | EV_PERSIST, on_links, d);
		if (!d->links || event_add(d->links, NULL) != 0)
			return -ENOMEM;
	}
	return 0;
}

/* ---- start ---- */

/* The configuration, the CPUs and the model, or an exit status. */
static int load(struct daemon *d, struct cores *cores)
{
	const struct model_options options = { 0 };
	const struct place place = { .file = d->rt.config_path };
	struct problems problems = { 0 };
	char error[CORES_ERROR_MAX] = "";
	int status = EXIT_STATUS_DONE;

	d->rt.config = config_load_again(d->rt.config_path, &problems);
	if (d->rt.config)
		host_check(d->rt.config, &problems);
	if (d->rt.config && !problems.errors && cores_choose(d->rt.config, cores, error) != 0)
		problem_error(&problems, place, NULL, "%s", error);
	else if (d->rt.config)
		fib_prefer_node(cores_main_node(cores)); /* before the model makes tables */
	if (d->rt.config)
		d->rt.model = model_create(d->rt.config, &options, &problems);
	problems_print(&problems);
	if (problems.errors)
		status = EXIT_STATUS_WRONG;
	else if (!d->rt.model)
		status = complain(EXIT_STATUS_FAILED, "%s: no memory", d->rt.config_path);
	problems_release(&problems);
	return status;
}

static bool all_virtual(const struct config *config)
{
	for (size_t i = 0; i < config->port_count; i++)
		if (strncmp(config->ports[i].device, "net_", 4) != 0)
			return false;
	return true;
}

/*
 * rte_pktmbuf_pool_create(), but without hugepages the buffers lie one behind the other. It
 * would give each a page of its own, so that no buffer crosses one: all headers at the same
 * place of their page, in the same few sets of the caches. What has no hugepages addresses by
 * virtual addresses (--no-huge), to which pages mean nothing.
 */
static struct rte_mempool *pool_create_dense(const char *name, uint32_t n, uint16_t room, int node)
{
	struct rte_pktmbuf_pool_private private = { .mbuf_data_room_size = room };
	const uint32_t flags = rte_eal_has_hugepages() ? 0 : RTE_MEMPOOL_F_NO_IOVA_CONTIG;
	struct rte_mempool *pool = rte_mempool_create_empty(
		name, n, sizeof(struct rte_mbuf) + room, POOL_CACHE, sizeof(private), node, flags);

	if (!pool)
		return NULL;
	if (rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), NULL) != 0)
		goto free_pool;
	rte_pktmbuf_pool_init(pool, &private);
	if (rte_mempool_populate_default(pool) < 0)
		goto free_pool;
	rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
	return pool;

free_pool:
	rte_mempool_free(pool);
	return NULL;
}

/*
 * Buffers as wide as any device wants them for the largest MTU, and as many as half of
 * the memory holds; replies and fragments come from here too. One pool a NUMA node that
 * workers run on, where memory can be told apart by nodes.
 */
static bool pools_create(struct daemon *d, const struct cores *cores)
{
	const struct config *config = d->rt.config;
	unsigned int nodes = 0;
	uint32_t room, n;

	d->private.mtu_max = 1500;
	for (size_t i = 0; i < config->port_count; i++)
		d->private.mtu_max = RTE_MAX(d->private.mtu_max, config->ports[i].mtu);
	room = RTE_PKTMBUF_HEADROOM + device_frame_room(d->private.mtu_max);
	n = config->dataplane.memory_bytes / 2 / (room + 256);
	for (int16_t node = 0; node < NODE_MAX; node++)
		nodes += cores_on_node(cores, node) > 0;
	for (int16_t node = 0; node < NODE_MAX && nodes > 1 && rte_eal_has_hugepages(); node++) {
		char name[24];

		if (!cores_on_node(cores, node))
			continue;
		snprintf(name, sizeof(name), "frames-%d", node);
		d->rt.node_pool[node] =
			pool_create_dense(name, RTE_MIN(n / nodes, POOL_MBUFS), room, node);
		if (!d->rt.node_pool[node])
			log_warning("run", "too little memory on NUMA node %d for packet buffers",
				    node);
		if (!d->rt.pool || node == cores_main_node(cores))
			d->rt.pool = d->rt.node_pool[node];
	}
	if (!d->rt.pool)
		d->rt.pool =
			pool_create_dense("frames", RTE_MIN(n, POOL_MBUFS), room, SOCKET_ID_ANY);
	return d->rt.pool != NULL;
}

static void pools_free(struct daemon *d)
{
	for (int16_t node = 0; node < NODE_MAX; node++) {
		if (d->rt.node_pool[node] == d->rt.pool)
			d->rt.pool = NULL;
		rte_mempool_free(d->rt.node_pool[node]);
	}
	rte_mempool_free(d->rt.pool);
}

static int start_dataplane(struct daemon *d, const struct cores *cores)
{
	struct dataplane_config config = {
		.workers = cores->workers,
		.parties = RTE_MAX(PARTIES_LEAST, 2 * model_parties(d->rt.model)),
		.transmit_queues = DEVICE_MAX,
		.node = d->rt.worker_node,
	};

	d->rt.workers = cores->workers;
	memcpy(d->rt.worker_core, cores->worker, sizeof(cores->worker));
	memcpy(d->rt.worker_node, cores->node, sizeof(cores->node));
	d->private.parties_max = config.parties;
	memset(d->private.port_queue, DEVICE_MAX, sizeof(d->private.port_queue));
	if (!pools_create(d, cores))
		return complain(EXIT_STATUS_FAILED,
				"%s: dataplane.memory: too little for packet buffers; give more",
				d->rt.config_path);
	d->rt.dp = dataplane_create(&config);
	d->rt.counts = d->rt.dp ? counts_create(d->rt.dp, config.parties) : NULL;
	d->rt.samples = samples_create(config.parties);
	d->rt.neighbours = d->rt.dp ? neighbours_create(d->rt.dp, d->rt.pool) : NULL;
	d->rt.queues =
		d->rt.dp ? queues_create(d->rt.dp, d->rt.workers, d->rt.worker_node, device_rxq)
			 : NULL;
	d->rt.taps = d->rt.dp ? taps_create(&d->rt) : NULL;
	d->rt.base = event_base_new();
	d->rt.background = d->rt.base ? background_create(d->rt.base) : NULL;
	d->rt.reload = reload_create(&d->rt);
	d->rt.load = load_create(&d->rt);
	if (!d->rt.dp || !d->rt.queues || !d->rt.counts || !d->rt.samples || !d->rt.neighbours ||
	    !d->rt.taps || !d->rt.background || !d->rt.reload || !d->rt.load)
		return complain(EXIT_STATUS_FAILED, "%s: no memory", d->rt.config_path);
	for (unsigned int i = 0; i < d->rt.workers; i++)
		worker_set_pool(dataplane_worker(d->rt.dp, i),
				runtime_pool(&d->rt, cores->node[i]));
	d->rt.start_ns = dataplane_now_ns(d->rt.dp);
	return EXIT_STATUS_DONE;
}

/* Nobody is answered before the loop runs. */
static int open_sockets(struct daemon *d)
{
	if (control_socket_open(&d->rt, &d->socket) != 0 || metrics_open(&d->rt, &d->metrics) != 0)
		return EXIT_STATUS_FAILED;
	return EXIT_STATUS_DONE;
}

static int start_loop(struct daemon *d)
{
	uint64_t watchdog_us = 0;

	if (loop_start(d) != 0)
		return EXIT_STATUS_FAILED;
	if (signals_release())
		reload_signalled(d->rt.reload); /* the file may have been read before */
	d->rt.tables_loaded = true; /* static routes and files: model_create() read them */
	d->watchdog = sd_watchdog_enabled(0, &watchdog_us) > 0;
	log_info("run", "%s: %zu ports, %u workers; ready", d->rt.config->exchange.name,
		 d->rt.config->port_count, d->rt.workers);
	sd_notify(0, "READY=1");
	return EXIT_STATUS_DONE;
}

/* What libevent has to say goes where everything goes, and as seldom. */
static void on_libevent(int severity, const char *text)
{
	if (severity == EVENT_LOG_ERR)
		log_error("libevent", "%s", text);
	else if (severity == EVENT_LOG_WARN)
		log_warning("libevent", "%s", text);
	else
		log_debug("libevent", "%s", text);
}

/* 0 and d->ends: a signal came meanwhile. */
static int start(struct daemon *d)
{
	char error[EAL_ERROR_MAX] = "";
	struct cores cores;
	int status;

	signals_begin();
	status = load(d, &cores);
	signals_hold();
	if (status != EXIT_STATUS_DONE)
		return status;
	log_set_level(d->rt.config->log.level);
	event_set_log_callback(on_libevent);
	if (cores.warning[0])
		log_warning("run", "%s", cores.warning);
	if (eal_start_live(d->rt.config, &cores, error) != 0)
		return complain(EXIT_STATUS_FAILED, "%s: %s; napd doctor says what the host lacks",
				d->rt.config_path, error);
	status = start_dataplane(d, &cores);
	if (status != EXIT_STATUS_DONE)
		return status;
	d->ends = signals_end_waits();
	if (d->ends)
		return EXIT_STATUS_DONE;
	d->rt.adaptive =
		d->rt.config->dataplane.idle == CONFIG_IDLE_ADAPTIVE ||
		cores.worker[0] == cores.control ||
		(d->rt.config->dataplane.idle == CONFIG_IDLE_AUTO && all_virtual(d->rt.config));
	/* before any device: a second napd started by mistake must not touch the first one's */
	status = open_sockets(d);
	if (status != EXIT_STATUS_DONE)
		return status;
	runtime_adopt(&d->rt, dataplane_now_ns(d->rt.dp));
	runtime_start_tables(&d->rt);
	if (launch_workers(d) != 0)
		return complain(EXIT_STATUS_FAILED, "the workers could not be started");
	return start_loop(d);
}

/* ---- the end ---- */

/* In a build that times its stages: where the time went, a line each, for scripts/bench. */
static void print_stages(const struct worker *worker)
{
	struct stage_time stage[64];
	const unsigned int n = worker_stages(worker, stage, 64);

	for (unsigned int i = 0; i < n; i++)
		fprintf(stderr, "stage %s: %" PRIu64 " packets %" PRIu64 " ns\n", stage[i].name,
			stage[i].packets, stage[i].time_ns);
}

/* What came in goes out; then workers stop, and devices close. */
static void end(struct daemon *d)
{
	signals_hold(); /* that was the last one */
	metrics_close(d->metrics);
	control_socket_close(d->socket);
	load_abort(d->rt.load);
	d->hangs = !background_free(d->rt.background, READ_MS);
	if (d->hangs)
		log_warning("run", "files are still being read or written; it is not waited for");
	d->rt.background = NULL;
	keeper_end(d->rt.keeper);
	feeds_stop(d->rt.feeds);
	if (!d->hangs)
		keeper_finish(d->rt.keeper);
	tables_free(d->rt.tables);
	d->rt.tables = NULL;
	keeper_free(d->rt.keeper);
	d->rt.keeper = NULL;
	feeds_free(d->rt.feeds);
	d->rt.feeds = NULL;
	if (!d->hangs) {
		reload_free(d->rt.reload);
		load_free(d->rt.load);
	}
	for (unsigned int i = 0; d->rt.dp && i < d->rt.workers; i++)
		worker_set_queues(dataplane_worker(d->rt.dp, i), NULL);
	usleep(DRAIN_MS * 1000);
	for (unsigned int i = 0; d->rt.dp && i < d->rt.workers; i++)
		worker_stop(dataplane_worker(d->rt.dp, i));
	rte_eal_mp_wait_lcore();
	for (unsigned int i = 0; d->rt.dp && i < d->rt.workers; i++)
		print_stages(dataplane_worker(d->rt.dp, i));
	for (int i = 0; i < 3; i++) {
		if (d->timers[i])
			event_free(d->timers[i]);
		if (d->signals[i])
			event_free(d->signals[i]);
	}
	if (d->links)
		event_free(d->links);
	if (d->tables)
		event_free(d->tables);
	if (d->rt.dp)
		runtime_reclaim(&d->rt);
	for (uint16_t i = 0; i < DEVICE_MAX; i++) {
		if (d->devices[i].device)
			device_shut(d->devices[i].device);
		device_close(d->devices[i].device);
	}
	taps_free(d->rt.taps);
	neighbours_free(d->rt.neighbours);
	samples_free(d->rt.samples);
	counts_free(d->rt.counts);
	if (d->rt.dp)
		dataplane_destroy(d->rt.dp);
	queues_free(d->rt.queues);
	pools_free(d);
	if (d->private.tables_fd >= 0)
		close(d->private.tables_fd);
	if (!d->hangs) {
		if (d->rt.base)
			event_base_free(d->rt.base);
		model_free(d->rt.model);
		config_free(d->rt.config);
	}
	eal_stop();
}

int run(const char *config_path)
{
	struct daemon *d = calloc(1, sizeof(*d));
	int status;

	if (!d)
		return complain(EXIT_STATUS_FAILED, "napd run: no memory");
	d->rt.config_path = config_path;
	d->rt.private = &d->private;
	d->private.tables_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	d->rt.devices = d->devices;
	d->rt.last_reload_ok = true;
	status = start(d);
	if (status == EXIT_STATUS_DONE && !d->ends)
		event_base_dispatch(d->rt.base);
	end(d);
	if (status == EXIT_STATUS_DONE)
		log_info("run", d->ends ? "stopped before it began" : "stopped");
	if (d->hangs)
		_exit(status); /* exit() would free what the thread that hangs uses */
	free(d);
	return status;
}
