// SPDX-License-Identifier: BSD-3-Clause
/* Collects what a step of a replay sent and dropped, sorts it by input, writes it. */
#include "outputs.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_mbuf.h>

#include "capture.h"

/* What waits for the end of the step. */
struct kept {
	uint64_t number; /* of the input frame */
	size_t order;    /* of arrival here, among frames of one number */
	uint64_t time_ns;
	uint32_t wire_bytes, captured_bytes;
	struct rte_mbuf *frame; /* sent: owned */
	size_t offset;          /* dropped: its bytes in the arena */
};

struct output {
	struct capture_writer *writer; /* of a drop reason: NULL until the first */
	struct kept *kept;
	size_t n, room;
	bool listed; /* in outputs.active */
};

struct outputs {
	const char *dir;
	const char *const *port_names;
	uint16_t ports;
	struct output *output; /* ports, then reasons */
	uint32_t *active;      /* those that keep something */
	size_t active_count;
	uint8_t *arena; /* bytes of dropped frames */
	size_t arena_n, arena_room;
	bool no_memory;
};

static void output_path(const struct outputs *o, uint32_t index, char path[PATH_MAX])
{
	if (index < o->ports)
		snprintf(path, PATH_MAX, "%s/%s.pcap", o->dir, o->port_names[index]);
	else
		snprintf(path, PATH_MAX, "%s/drop-%s.pcap", o->dir, reason_name(index - o->ports));
}

/* ---- the folder ---- */

static int make_dir(const char *dir)
{
	char path[PATH_MAX];
	size_t n = strlen(dir);

	if (n >= sizeof(path))
		return -ENAMETOOLONG;
	memcpy(path, dir, n + 1);
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0777) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return mkdir(path, 0777) < 0 && errno != EEXIST ? -errno : 0;
}

/* Whether name is PORT.pcap, whatever the port. */
static bool is_port_capture(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return n >= 1 && n <= 15 && name[0] >= 'a' && name[0] <= 'z' &&
	       strncmp(name, "drop-", 5) != 0 && strcmp(name + n, ".pcap") == 0;
}

/*
 * Visit every path that this run will write, or that an earlier run wrote here
 * for a port that is no more: the user's own captures are left alone.
 */
static int visit_captures(const struct outputs *o, int (*visit)(const char *path, void *arg),
			  void *arg)
{
	char path[PATH_MAX];
	const struct dirent *entry;
	DIR *dir;
	int rc = 0;

	for (uint32_t i = 0; i < (uint32_t)o->ports + REASON_COUNT && rc == 0; i++) {
		output_path(o, i, path);
		rc = visit(path, arg);
	}
	dir = opendir(o->dir);
	while (dir && rc == 0 && (entry = readdir(dir)) != NULL) {
		if (!is_port_capture(entry->d_name))
			continue;
		snprintf(path, sizeof(path), "%s/%s", o->dir, entry->d_name);
		if (capture_is_ours(path))
			rc = visit(path, arg);
	}
	if (dir)
		closedir(dir);
	return rc;
}

struct inputs {
	const struct stat *list;
	size_t n;
	char *error;
};

static int refuse_input(const char *path, void *arg)
{
	const struct inputs *inputs = arg;
	struct stat st;

	if (stat(path, &st) < 0)
		return 0;
	for (size_t i = 0; i < inputs->n; i++)
		if (st.st_dev == inputs->list[i].st_dev && st.st_ino == inputs->list[i].st_ino) {
			snprintf(inputs->error, OUTPUTS_ERROR_MAX,
				 "%s: is an input and would be overwritten: choose another --out",
				 path);
			return -EEXIST;
		}
	return 0;
}

static int remove_capture(const char *path, void *arg)
{
	if (unlink(path) == 0 || errno == ENOENT)
		return 0;
	snprintf(arg, OUTPUTS_ERROR_MAX, "%s: %s", path, strerror(errno));
	return -errno;
}

static int create_ports(struct outputs *o, char error[OUTPUTS_ERROR_MAX])
{
	char path[PATH_MAX];

	for (uint16_t i = 0; i < o->ports; i++) {
		output_path(o, i, path);
		o->output[i].writer = capture_writer_open(path);
		if (!o->output[i].writer) {
			int rc = -errno;

			snprintf(error, OUTPUTS_ERROR_MAX, "%s: %s", path, strerror(errno));
			return rc;
		}
	}
	return 0;
}

struct outputs *outputs_open(const char *dir, const char *const *port_names, uint16_t ports,
			     const struct stat *inputs, size_t input_count,
			     char error[OUTPUTS_ERROR_MAX])
{
	struct inputs in = { inputs, input_count, error };
	struct outputs *o = calloc(1, sizeof(*o));
	char ignored[OUTPUTS_ERROR_MAX];
	int rc = -ENOMEM;

	if (!o)
		goto no_memory;
	o->dir = dir;
	o->port_names = port_names;
	o->ports = ports;
	o->output = calloc((size_t)ports + REASON_COUNT, sizeof(*o->output));
	o->active = calloc((size_t)ports + REASON_COUNT, sizeof(*o->active));
	if (!o->output || !o->active)
		goto no_memory;
	rc = make_dir(dir);
	if (rc < 0) {
		snprintf(error, OUTPUTS_ERROR_MAX, "%s: %s", dir, strerror(-rc));
		goto close;
	}
	rc = visit_captures(o, refuse_input, &in);
	if (rc == 0)
		rc = visit_captures(o, remove_capture, error);
	if (rc == 0)
		rc = create_ports(o, error);
	if (rc == 0)
		return o;
	goto close;

no_memory:
	snprintf(error, OUTPUTS_ERROR_MAX, "%s: %s", dir, strerror(ENOMEM));
close:
	outputs_close(o, ignored);
	errno = -rc;
	return NULL;
}

/* ---- a step ---- */

/* Room for one more to be kept at output index; NULL: no memory. */
static struct kept *output_keep(struct outputs *o, uint32_t index)
{
	struct output *output = &o->output[index];

	if (output->n == output->room) {
		size_t room = output->room ? output->room * 2 : 64;
		struct kept *kept = realloc(output->kept, room * sizeof(*kept));

		if (!kept) {
			o->no_memory = true;
			return NULL;
		}
		output->kept = kept;
		output->room = room;
	}
	if (!output->listed) {
		output->listed = true;
		o->active[o->active_count++] = index;
	}
	output->kept[output->n].order = output->n;
	return &output->kept[output->n++];
}

void outputs_send(struct outputs *o, uint16_t port, struct rte_mbuf **frames, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		const struct frame_origin *origin = rte_mbuf_to_priv(frames[i]);
		struct kept *kept = output_keep(o, port);

		if (!kept) {
			rte_pktmbuf_free(frames[i]);
			continue;
		}
		kept->number = origin->number;
		kept->time_ns = origin->time_ns;
		kept->frame = frames[i];
		kept->captured_bytes = kept->wire_bytes = rte_pktmbuf_pkt_len(frames[i]);
	}
}

static int arena_reserve(struct outputs *o, size_t n)
{
	size_t room = o->arena_room ? o->arena_room : 256 * 1024;
	uint8_t *arena;

	if (o->arena && o->arena_n + n <= o->arena_room)
		return 0;
	while (room < o->arena_n + n)
		room *= 2;
	arena = realloc(o->arena, room);
	if (!arena)
		return -ENOMEM;
	o->arena = arena;
	o->arena_room = room;
	return 0;
}

void outputs_drop(struct outputs *o, const struct drop_event *event)
{
	const struct frame_origin *origin = rte_mbuf_to_priv(event->frame);
	struct kept *kept;

	if (arena_reserve(o, rte_pktmbuf_pkt_len(event->frame)) < 0) {
		o->no_memory = true;
		return;
	}
	kept = output_keep(o, o->ports + event->reason);
	if (!kept)
		return;
	kept->number = origin->number;
	kept->time_ns = origin->time_ns;
	kept->wire_bytes = event->bytes;
	kept->captured_bytes = rte_pktmbuf_pkt_len(event->frame);
	kept->frame = NULL;
	kept->offset = o->arena_n;
	for (const struct rte_mbuf *m = event->frame; m; m = m->next) {
		memcpy(o->arena + o->arena_n, rte_pktmbuf_mtod(m, const void *),
		       rte_pktmbuf_data_len(m));
		o->arena_n += rte_pktmbuf_data_len(m);
	}
}

static int kept_order(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return x->order < y->order ? -1 : 1; /* qsort is not stable */
}

static void output_sort(struct output *output)
{
	for (size_t i = 1; i < output->n; i++)
		if (output->kept[i].number < output->kept[i - 1].number) {
			qsort(output->kept, output->n, sizeof(*output->kept), kept_order);
			return;
		}
}

static void output_write(struct outputs *o, struct output *output)
{
	output_sort(output);
	for (size_t i = 0; i < output->n; i++) {
		const struct kept *kept = &output->kept[i];

		capture_writer_begin(output->writer, kept->time_ns, kept->captured_bytes,
				     kept->wire_bytes);
		if (!kept->frame) {
			capture_writer_add(output->writer, o->arena + kept->offset,
					   kept->captured_bytes);
			continue;
		}
		for (const struct rte_mbuf *m = kept->frame; m; m = m->next)
			capture_writer_add(output->writer, rte_pktmbuf_mtod(m, const void *),
					   rte_pktmbuf_data_len(m));
	}
}

static void output_forget(struct output *output)
{
	for (size_t i = 0; i < output->n; i++)
		rte_pktmbuf_free(output->kept[i].frame);
	output->n = 0;
	output->listed = false;
}

/* Write what output index keeps. 0 or a negative errno. */
static int output_step(struct outputs *o, uint32_t index, const char *path)
{
	struct output *output = &o->output[index];

	if (!output->writer)
		output->writer = capture_writer_open(path);
	if (!output->writer)
		return -errno;
	output_write(o, output);
	return capture_writer_error(output->writer);
}

int outputs_step(struct outputs *o, char error[OUTPUTS_ERROR_MAX])
{
	char path[PATH_MAX];
	int rc = o->no_memory ? -ENOMEM : 0;

	if (rc < 0)
		snprintf(error, OUTPUTS_ERROR_MAX, "%s: %s", o->dir, strerror(-rc));
	for (size_t i = 0; i < o->active_count; i++) {
		if (rc == 0) {
			output_path(o, o->active[i], path);
			rc = output_step(o, o->active[i], path);
			if (rc < 0)
				snprintf(error, OUTPUTS_ERROR_MAX, "%s: %s", path, strerror(-rc));
		}
		output_forget(&o->output[o->active[i]]);
	}
	o->active_count = 0;
	o->arena_n = 0;
	return rc;
}

int outputs_close(struct outputs *o, char error[OUTPUTS_ERROR_MAX])
{
	char path[PATH_MAX];
	int rc = 0;

	if (!o)
		return 0;
	for (uint32_t i = 0; o->output && i < (uint32_t)o->ports + REASON_COUNT; i++) {
		int this_rc = capture_writer_close(o->output[i].writer);

		if (this_rc < 0 && rc == 0) {
			rc = this_rc;
			output_path(o, i, path);
			snprintf(error, OUTPUTS_ERROR_MAX, "%s: %s", path, strerror(-rc));
		}
		output_forget(&o->output[i]);
		free(o->output[i].kept);
	}
	free(o->output);
	free(o->active);
	free(o->arena);
	free(o);
	return rc;
}
