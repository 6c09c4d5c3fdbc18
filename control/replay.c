// SPDX-License-Identifier: BSD-3-Clause
/* Drives a worker with captures, step by step, and reports what it did. */
#include "replay.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_mbuf.h>

#include "capture.h"
#include "command.h"
#include "dataplane.h"
#include "eal.h"
#include "feed/updates.h"
#include "model.h"
#include "outputs.h"
#include "progress.h"
#include "report.h"

/*
 * Buffers. A frame of up to 9,600 bytes of IP fits in one; longer ones, which
 * hosts put together before they captured them, become chains. A step may need
 * for each frame its buffers, those of its fragments (a captured IPv4 packet of
 * 64 KB makes 54 for an MTU of 1280) and one for an answer.
 */
#define SEGMENT_BYTES        9728
#define POOL_BUFFERS         2047
#define STEP_BUFFERS         1500
#define FRAGMENT_BYTES       1200 /* less than what any fragment but the last carries */
#define POOL_CACHE           256
#define ETHER_OVERHEAD_BYTES 18

enum family { FAMILY_OTHER, FAMILY_IPV4, FAMILY_IPV6 };

/* One input and the port that its frames arrive at. */
struct arrival {
	const char *path;
	const char *name; /* for messages */
	struct capture *capture;
	struct stat stat;
	uint16_t port;
	uint16_t device;
};

/* Frames that follow one another, of one device and one family: what a step gives the worker. */
struct run {
	struct rte_mbuf *frame[BURST_MAX];
	uint16_t n, given;
	uint32_t buffers; /* that the step may need */
	uint16_t device;
	enum family family;
};

/* Where a port's frames go. */
struct departure {
	struct outputs *outputs;
	uint16_t port;
};

struct replay {
	const struct replay_options *options;
	bool built_in;
	struct config *config;
	struct model *model;
	struct updates *updates; /* NULL: none */
	uint64_t next_update_ns;
	const char **port_names;
	struct arrival *arrivals;
	size_t arrival_count;
	struct capture_filter *filter;
	struct merge *merge;
	struct rte_mempool *pool;
	struct dataplane *dataplane;
	struct outputs *outputs;
	struct departure *departures;
	struct progress progress;
	struct run run;
	struct report_port *report_ports;
	uint64_t received, first_ns, last_ns, largest_frame_bytes;
};

/* Without -c: all that comes in goes out. Addresses are documentation's (RFC 5737, RFC 3849). */
static const char built_in_exchange[] = "exchange: {name: built-in}\n"
					"ports:\n"
					"  - name: in\n"
					"    device: in\n"
					"    mac: 02:4e:41:00:00:01\n"
					"    addresses: [192.0.2.1/31, \"2001:db8:0:1::/127\"]\n"
					"  - name: out\n"
					"    device: out\n"
					"    mac: 02:4e:41:00:00:02\n"
					"    addresses: [192.0.2.3/31, \"2001:db8:0:2::/127\"]\n"
					"members:\n"
					"  - name: upstream\n"
					"    port: out\n"
					"    routers:\n"
					"      - mac: 02:00:00:00:00:02\n"
					"        addresses: [192.0.2.2, \"2001:db8:0:2::1\"]\n"
					"routes:\n"
					"  - {prefix: 0.0.0.0/0, via: [192.0.2.2]}\n"
					"  - {prefix: \"::/0\", via: [\"2001:db8:0:2::1\"]}\n";

/* ---- Ctrl-C ---- */

static volatile sig_atomic_t stop_requested;

static void request_stop(int signal)
{
	(void)signal;
	stop_requested = 1;
}

/* A second signal ends the process at once; reads are interrupted, not resumed. */
static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = request_stop, .sa_flags = SA_RESETHAND };

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* ---- reading what the user gave ---- */

static int load_config(struct replay *r)
{
	const struct replay_options *options = r->options;
	const char *path = options->config_path ? options->config_path : CONFIG_PATH_DEFAULT;
	struct problems problems = { 0 };
	bool bare = false;
	int status;

	for (size_t i = 0; i < options->input_count; i++)
		bare |= options->inputs[i].port == NULL;
	r->built_in = !options->config_path && (bare || access(path, F_OK) < 0);
	if (r->built_in)
		r->config = config_parse(built_in_exchange, sizeof(built_in_exchange) - 1,
					 "built-in exchange", &problems);
	else
		r->config = config_load(path, &problems);
	problems_print(&problems);
	status = r->config             ? EXIT_STATUS_DONE
		 : problems.errors > 0 ? EXIT_STATUS_WRONG
				       : complain(EXIT_STATUS_FAILED, "%s: no memory", path);
	problems_release(&problems);
	return status;
}

static int load_model(struct replay *r)
{
	const struct model_options options = { .any_mac = r->options->any_mac || r->built_in,
					       .dumps = &r->options->dumps };
	struct problems problems = { 0 };
	int status;

	r->model = model_create(r->config, &options, &problems);
	problems_print(&problems);
	status = r->model              ? EXIT_STATUS_DONE
		 : problems.errors > 0 ? EXIT_STATUS_WRONG
				       : complain(EXIT_STATUS_FAILED, "napd replay: no memory");
	problems_release(&problems);
	return status;
}

/* Files of updates are read once to see that they are whole, before a packet is forwarded. */
static int load_updates(struct replay *r)
{
	struct problems problems = { 0 };
	int status;

	r->next_update_ns = UINT64_MAX;
	if (!r->options->update_count)
		return EXIT_STATUS_DONE;
	r->updates = updates_open(r->options->updates, r->options->update_count, &problems);
	problems_print(&problems);
	status = r->updates            ? EXIT_STATUS_DONE
		 : problems.errors > 0 ? EXIT_STATUS_WRONG
				       : complain(EXIT_STATUS_FAILED, "napd replay: no memory");
	problems_release(&problems);
	if (r->updates)
		r->next_update_ns = updates_next_ns(r->updates);
	return status;
}

/* "pa, pb, pc": those that can take input. */
static void list_ports(const struct config *config, char *text, size_t size)
{
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < config->port_count && n + 32 < size; i++)
		if (config->ports[i].enabled)
			n += snprintf(text + n, size - n, "%s%s", n ? ", " : "",
				      config->ports[i].name);
	if (n + 32 >= size)
		snprintf(text + n, size - n, ", ...");
}

static int find_named_port(const struct replay *r, const struct replay_input *input, uint16_t *port)
{
	const struct config *config = r->config;
	char names[512];

	list_ports(config, names, sizeof(names));
	for (size_t i = 0; i < config->port_count; i++) {
		if (strcmp(config->ports[i].name, input->port) != 0)
			continue;
		if (!config->ports[i].enabled)
			return complain(
				EXIT_STATUS_WRONG,
				"napd replay: --in %s=%s: the port is disabled; enabled are %s",
				input->port, input->path, names);
		*port = i;
		return EXIT_STATUS_DONE;
	}
	return complain(EXIT_STATUS_WRONG, "napd replay: --in %s=%s: no such port; there are %s%s",
			input->port, input->path, names,
			r->built_in ? " (the built-in exchange; name another with -c)" : "");
}

/* A bare CAPTURE has one port to go to, or its user must say which. */
static int find_only_port(const struct replay *r, const struct replay_input *input, uint16_t *port)
{
	const struct config *config = r->config;
	size_t found = config->port_count;

	for (size_t i = 0; i < config->port_count; i++) {
		if (!config->ports[i].enabled)
			continue;
		if (found == config->port_count)
			found = i;
		else if (!r->built_in &&
			 model_port_device(r->model, i) != model_port_device(r->model, found))
			return complain(EXIT_STATUS_WRONG,
					"napd replay: %s: which port? say --in %s=%s, for example",
					input->path, config->ports[found].name, input->path);
	}
	if (found == config->port_count)
		return complain(EXIT_STATUS_WRONG, "napd replay: %s: no port is enabled",
				input->path);
	*port = found;
	return EXIT_STATUS_DONE;
}

static int open_arrival(struct replay *r, const struct replay_input *input, struct arrival *a)
{
	char error[CAPTURE_ERROR_MAX];
	bool standard_input = strcmp(input->path, "-") == 0;
	int status = input->port ? find_named_port(r, input, &a->port)
				 : find_only_port(r, input, &a->port);

	if (status)
		return status;
	a->device = model_port_device(r->model, a->port);
	a->path = input->path;
	a->name = standard_input ? "standard input" : input->path;
	for (const struct arrival *b = r->arrivals; b < a && standard_input; b++)
		if (b->path && strcmp(b->path, "-") == 0)
			return complain(EXIT_STATUS_WRONG,
					"napd replay: standard input can be read only once");
	if ((standard_input ? fstat(STDIN_FILENO, &a->stat) : stat(a->path, &a->stat)) < 0)
		return complain(EXIT_STATUS_WRONG, "%s: %s", a->name, strerror(errno));
	a->capture = capture_open(a->path, error);
	if (!a->capture && stop_requested)
		return EXIT_STATUS_INTERRUPTED;
	if (!a->capture)
		return complain(EXIT_STATUS_WRONG, "%s: %s", a->name, error);
	capture_set_filter(a->capture, r->filter);
	return EXIT_STATUS_DONE;
}

/* Everything that the command line names; every error is told. */
static int open_arrivals(struct replay *r)
{
	const struct replay_options *options = r->options;
	char error[CAPTURE_ERROR_MAX];
	int status = EXIT_STATUS_DONE;

	if (options->filter) {
		r->filter = capture_filter_compile(options->filter, error);
		if (!r->filter)
			return complain(EXIT_STATUS_WRONG, "napd replay: --filter '%s': %s",
					options->filter, error);
	}
	r->arrivals = calloc(options->input_count, sizeof(*r->arrivals));
	if (!r->arrivals)
		return complain(EXIT_STATUS_FAILED, "napd replay: no memory");
	r->arrival_count = options->input_count;
	for (size_t i = 0; i < options->input_count && !stop_requested; i++) {
		int one = open_arrival(r, &options->inputs[i], &r->arrivals[i]);

		status = one ? one : status;
	}
	return stop_requested ? EXIT_STATUS_INTERRUPTED : status;
}

/* ---- setting up ---- */

/* A capture a port is open at once, and one an input. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int open_outputs(struct replay *r)
{
	uint16_t ports = r->config->port_count;
	struct stat *inputs = calloc(r->arrival_count + 1, sizeof(*inputs));
	char error[OUTPUTS_ERROR_MAX] = "";

	r->port_names = calloc(ports + 1, sizeof(*r->port_names));
	r->report_ports = calloc(ports + 1, sizeof(*r->report_ports));
	if (!inputs || !r->port_names || !r->report_ports) {
		free(inputs);
		return complain(EXIT_STATUS_FAILED, "napd replay: no memory");
	}
	for (uint16_t i = 0; i < ports; i++)
		r->port_names[i] = r->report_ports[i].name = r->config->ports[i].name;
	for (size_t i = 0; i < r->arrival_count; i++)
		inputs[i] = r->arrivals[i].stat;
	if (r->options->out) {
		r->outputs = outputs_open(r->options->out, r->port_names, ports, inputs,
					  r->arrival_count, error);
		free(inputs);
		if (!r->outputs)
			return complain(errno == EEXIST ? EXIT_STATUS_WRONG : EXIT_STATUS_FAILED,
					"%s", error);
		return EXIT_STATUS_DONE;
	}
	free(inputs);
	return EXIT_STATUS_DONE;
}

static uint16_t depart(void *arg, struct rte_mbuf **frames, uint16_t n)
{
	const struct departure *d = arg;

	if (d->outputs)
		outputs_send(d->outputs, d->port, frames, n);
	else
		rte_pktmbuf_free_bulk(frames, n);
	return n;
}

static void dropped(void *ctx, const struct drop_event *event)
{
	outputs_drop(ctx, event);
}

static int start_dataplane(struct replay *r)
{
	uint16_t ports = r->config->port_count;
	struct dataplane_config config = {
		.workers = 1,
		.offline = true,
		.parties = model_parties(r->model),
		.transmit_queues = ports,
		.hooks = { .ctx = r->outputs, .drop = r->outputs ? dropped : NULL },
	};
	struct snapshot *snapshot;
	char error[EAL_ERROR_MAX];
	struct worker *worker;

	if (eal_start_offline(error) < 0)
		return complain(EXIT_STATUS_FAILED, "napd replay: %s", error);
	r->pool =
		rte_pktmbuf_pool_create("replay", POOL_BUFFERS, POOL_CACHE,
					RTE_ALIGN(sizeof(struct frame_origin), RTE_MBUF_PRIV_ALIGN),
					RTE_PKTMBUF_HEADROOM + SEGMENT_BYTES + 256, SOCKET_ID_ANY);
	r->departures = calloc(ports + 1, sizeof(*r->departures));
	r->dataplane = dataplane_create(&config);
	snapshot = r->dataplane ? model_snapshot(r->model) : NULL;
	if (!r->pool || !r->departures || !snapshot)
		return complain(EXIT_STATUS_FAILED, "napd replay: no memory");
	worker = dataplane_worker(r->dataplane, 0);
	worker_set_pool(worker, r->pool);
	for (uint16_t i = 0; i < ports; i++) {
		struct txq txq = { depart, &r->departures[i] };

		r->departures[i] = (struct departure){ r->outputs, i };
		worker_set_transmit(worker, i, i, txq);
		dataplane_set_link(r->dataplane, i, r->config->ports[i].enabled);
	}
	snapshot_publish(r->dataplane, snapshot);
	worker_online(worker);
	return EXIT_STATUS_DONE;
}

/* ---- a step ---- */

/* What the worker's burst will be: by EtherType, behind a tag if there is one. */
static enum family frame_family(const struct capture_record *record)
{
	const uint8_t *at = record->data + 12;
	uint32_t left = record->captured_bytes;

	if (left >= 18 && at[0] == 0x81 && at[1] == 0x00)
		at += 4;
	if (left < 14)
		return FAMILY_OTHER;
	if (at[0] == 0x08 && at[1] == 0x00)
		return FAMILY_IPV4;
	return at[0] == 0x86 && at[1] == 0xdd ? FAMILY_IPV6 : FAMILY_OTHER;
}

/* How many buffers a frame may need, at most, with all that comes of it. */
static uint32_t frame_buffers(const struct capture_record *record)
{
	return record->captured_bytes / SEGMENT_BYTES + record->captured_bytes / FRAGMENT_BYTES + 3;
}

/* A frame as the worker takes it. NULL: no buffer. */
static struct rte_mbuf *frame_make(struct replay *r, const struct capture_record *record)
{
	const struct frame_origin origin = {
		.number = r->received,
		.time_ns = record->time_ns,
		.wire_bytes = record->wire_bytes,
	};
	struct rte_mbuf *first = rte_pktmbuf_alloc(r->pool), *m = first;
	uint32_t at = 0;

	while (m) {
		uint32_t n = RTE_MIN(record->captured_bytes - at, (uint32_t)SEGMENT_BYTES);

		memcpy(rte_pktmbuf_mtod(m, void *), record->data + at, n);
		m->data_len = n;
		at += n;
		if (at == record->captured_bytes) {
			first->pkt_len = at;
			memcpy(rte_mbuf_to_priv(first), &origin, sizeof(origin));
			return first;
		}
		m->next = rte_pktmbuf_alloc(r->pool);
		first->nb_segs += m->next != NULL;
		m = m->next;
	}
	rte_pktmbuf_free(first);
	return NULL;
}

static void count_arrival(struct replay *r, const struct arrival *a,
			  const struct capture_record *record)
{
	uint32_t most = r->config->ports[a->port].mtu + ETHER_OVERHEAD_BYTES;

	if (r->received++ == 0)
		r->first_ns = record->time_ns;
	r->last_ns = record->time_ns;
	if (record->wire_bytes > r->largest_frame_bytes)
		r->largest_frame_bytes = record->wire_bytes;
	r->report_ports[a->port].oversize_frames += record->wire_bytes > most;
}

/* Bring the table to what BGP had made of it at a time. 0 or negative errno. */
static int update(struct replay *r, uint64_t time_ns)
{
	struct snapshot *snapshot;
	long rc = updates_apply(r->updates, r->model, time_ns, LONG_MAX);

	if (rc < 0)
		return (int)rc;
	r->next_update_ns = updates_next_ns(r->updates);
	snapshot = model_snapshot(r->model);
	if (!snapshot)
		return -ENOMEM;
	snapshot_publish(r->dataplane, snapshot);
	snapshot_reclaim(r->dataplane);
	return 0;
}

/*
 * Take frames from the captures for as long as one burst may hold them; changes of the table that
 * came before them are made first. 0 or -ENOBUFS; -EIO: the changes failed.
 */
static int run_fill(struct replay *r)
{
	struct run *run = &r->run;
	const struct capture_record *record;
	size_t input;

	run->n = run->given = 0;
	run->buffers = 0;
	while (run->n < BURST_MAX && (record = merge_head(r->merge, &input)) != NULL) {
		const struct arrival *a = &r->arrivals[input];
		enum family family = frame_family(record);
		uint32_t buffers = frame_buffers(record);

		if (run->n > 0 &&
		    (a->device != run->device || family != run->family ||
		     run->buffers + buffers > STEP_BUFFERS || record->time_ns >= r->next_update_ns))
			break;
		if (record->time_ns >= r->next_update_ns && update(r, record->time_ns) < 0)
			return -EIO;
		run->frame[run->n] = frame_make(r, record);
		if (!run->frame[run->n])
			return -ENOBUFS;
		run->n++;
		run->device = a->device;
		run->family = family;
		run->buffers += buffers;
		count_arrival(r, a, record);
		merge_advance(r->merge);
	}
	return 0;
}

static uint16_t run_receive(void *arg, struct rte_mbuf **frames, uint16_t n)
{
	struct run *run = arg;

	n = RTE_MIN(n, (uint16_t)(run->n - run->given));
	memcpy(frames, &run->frame[run->given], n * sizeof(*frames));
	run->given += n;
	return n;
}

static void show_progress(struct replay *r)
{
	uint64_t offset = 0, size = 0;

	if (!progress_due(&r->progress))
		return;
	for (size_t i = 0; i < r->arrival_count; i++) {
		uint64_t this_size = capture_size(r->arrivals[i].capture);

		if (this_size == 0) { /* a pipe: nobody knows */
			size = 0;
			break;
		}
		size += this_size;
		offset += capture_offset(r->arrivals[i].capture);
	}
	progress_show(&r->progress, r->received, offset, size);
}

/* Everything, or until the user has seen enough. */
static int run_all(struct replay *r)
{
	struct worker *worker = dataplane_worker(r->dataplane, 0);
	struct rxq rxq = { run_receive, &r->run, 0 };
	char error[OUTPUTS_ERROR_MAX];

	while (!stop_requested) {
		int rc = run_fill(r);

		if (rc == -EIO)
			return complain(EXIT_STATUS_FAILED,
					"napd replay: --updates: no memory, or a file changed "
					"while it was read");
		if (rc < 0)
			return complain(EXIT_STATUS_FAILED, "napd replay: out of packet buffers: a "
							    "bug, please report it");
		if (r->run.n == 0)
			break;
		rxq.device = r->run.device;
		while (r->run.given < r->run.n)
			if (worker_poll(worker, &rxq) == 0)
				return complain(EXIT_STATUS_FAILED,
						"napd replay: the worker stopped: a bug, please "
						"report it");
		if (r->outputs && outputs_step(r->outputs, error) < 0)
			return complain(EXIT_STATUS_FAILED, "%s", error);
		show_progress(r);
	}
	return EXIT_STATUS_DONE;
}

/* ---- the report ---- */

/* Cells with traffic, in the order of parties. Returns to the caller; NULL: no memory. */
static struct report_cell *collect_matrix(const struct replay *r, size_t *count)
{
	uint16_t parties = model_parties(r->model);
	struct report_cell *cells = malloc(sizeof(*cells));
	size_t n = 0, room = 1;

	for (uint32_t i = 0; cells && i < (uint32_t)parties * parties * 2; i++) {
		uint16_t from = i / 2 / parties, to = i / 2 % parties;
		struct matrix_cell sum = counters_matrix(r->dataplane, from, to, i % 2);

		if (sum.packets == 0)
			continue;
		if (n == room) {
			struct report_cell *more = realloc(cells, (room *= 2) * sizeof(*cells));

			if (!more) {
				free(cells);
				return NULL;
			}
			cells = more;
		}
		cells[n++] = (struct report_cell){
			.from = model_party_name(r->model, from),
			.to = model_party_name(r->model, to),
			.from_party = from,
			.to_party = to,
			.ipv6 = i % 2,
			.packets = sum.packets,
			.bytes = sum.bytes,
		};
	}
	*count = n;
	return cells;
}

/* All at once, so that an error of stdout is seen where it happens. */
static int print_report(const struct replay *r, const struct report *report)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	int rc = -ENOMEM;

	if (out) {
		rc = r->options->json ? report_json(report, out) : report_text(report, out);
		if (fclose(out) != 0 && rc == 0)
			rc = -ENOMEM;
	}
	if (rc == 0)
		fwrite(text, 1, n, stdout);
	free(text);
	if (rc < 0)
		return complain(EXIT_STATUS_FAILED, "napd replay: no memory for the report");
	return flush_stdout(EXIT_STATUS_DONE);
}

static int finish_report(struct replay *r)
{
	struct report report = {
		.exchange = r->config->exchange.name,
		.ports = r->report_ports,
		.port_count = r->config->port_count,
		.duration_ns = r->last_ns - r->first_ns,
		.largest_frame_bytes = r->largest_frame_bytes,
		.interrupted = stop_requested,
	};
	struct report_cell *cells = NULL;
	struct model_routes routes;
	int status;

	model_routes(r->model, &routes);
	report.routes_ipv4 = routes.ipv4;
	report.routes_ipv6 = routes.ipv6;
	report.routes_unresolved = routes.unresolved;
	for (size_t i = 0; i < report.port_count; i++)
		counters_port(r->dataplane, i, &r->report_ports[i].counters);
	if (r->received > 0) { /* else spare the look at every cell */
		cells = collect_matrix(r, &report.cell_count);
		if (!cells)
			return complain(EXIT_STATUS_FAILED,
					"napd replay: no memory for the report");
		report.cells = cells;
	}
	status = print_report(r, &report);
	free(cells);
	if (report_conserves(&report))
		return status;
	return complain(EXIT_STATUS_FAILED,
			"napd replay: packets were not all accounted for: a bug, please report it");
}

/* Captures that did not end well; a read that Ctrl-C interrupted is no such. */
static int judge_captures(const struct replay *r)
{
	int status = EXIT_STATUS_DONE;

	for (size_t i = 0; i < r->arrival_count; i++) {
		const struct arrival *a = &r->arrivals[i];
		enum capture_state state = capture_state(a->capture);

		if (state <= CAPTURE_END || (state == CAPTURE_FAILED && stop_requested))
			continue;
		complain(EXIT_STATUS_FAILED, "%s: %s; replayed up to there", a->name,
			 capture_error(a->capture));
		status = EXIT_STATUS_FAILED;
	}
	return status;
}

/* ---- the whole ---- */

static int set_up(struct replay *r)
{
	int status = load_config(r);

	raise_file_limit();
	if (!status)
		status = load_model(r);
	if (!status)
		status = load_updates(r);
	if (!status)
		status = open_arrivals(r);
	if (!status)
		status = open_outputs(r);
	if (!status)
		status = start_dataplane(r);
	return status;
}

static int forward(struct replay *r)
{
	struct capture **captures = calloc(r->arrival_count, sizeof(*captures));
	char error[OUTPUTS_ERROR_MAX];
	int status, judged;

	for (size_t i = 0; captures && i < r->arrival_count; i++)
		captures[i] = r->arrivals[i].capture;
	r->merge = captures ? merge_create(captures, r->arrival_count) : NULL;
	free(captures);
	if (!r->merge)
		return complain(EXIT_STATUS_FAILED, "napd replay: no memory");
	progress_start(&r->progress);
	status = run_all(r);
	progress_clear(&r->progress);
	if (outputs_close(r->outputs, error) < 0 && !status)
		status = complain(EXIT_STATUS_FAILED, "%s", error);
	r->outputs = NULL;
	if (status)
		return status;
	status = finish_report(r);
	judged = judge_captures(r);
	status = status ? status : judged;
	return stop_requested ? EXIT_STATUS_INTERRUPTED : status;
}

static void tear_down(struct replay *r)
{
	char ignored[OUTPUTS_ERROR_MAX];

	merge_free(r->merge);
	outputs_close(r->outputs, ignored);
	if (r->dataplane) {
		worker_offline(dataplane_worker(r->dataplane, 0));
		dataplane_destroy(r->dataplane);
	}
	if (r->pool) {
		rte_mempool_free(r->pool);
		eal_stop();
	}
	for (size_t i = 0; i < r->arrival_count; i++)
		capture_close(r->arrivals[i].capture);
	capture_filter_free(r->filter);
	free(r->arrivals);
	free(r->departures);
	free(r->port_names);
	free(r->report_ports);
	updates_close(r->updates);
	model_free(r->model);
	config_free(r->config);
}

int replay(const struct replay_options *options)
{
	struct replay *r = calloc(1, sizeof(*r));
	int status;

	if (!r)
		return complain(EXIT_STATUS_FAILED, "napd replay: no memory");
	r->options = options;
	catch_signals();
	status = set_up(r);
	if (!status)
		status = forward(r);
	tear_down(r);
	free(r);
	return status;
}
