// SPDX-License-Identifier: BSD-3-Clause
/*
 * The tables thread walks the RIB in slices, as the last of whoever waits for it; a thread of the
 * background writes what that gave: aside, synced, renamed, so that the file is always a whole
 * one. A table is good, and worth keeping, when every feed has told all of its routes.
 */
#include "keep.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../background.h"
#include "../log.h"
#include "../regular.h"
#include "../runtime.h"
#include "kept.h"
#include "live_feed.h"

#define MODULE     "tables"
#define SECOND_NS  UINT64_C(1000000000)
#define NODES      1024u /* of the RIB, between two looks at who else waits */
#define SEEN       2048u /* leaves that one slice may meet, and as many more: a power of two */
#define RESTORE_NS (60 * SECOND_NS) /* until napd starts without having them all in force */
#define FINISH_NS  (5 * SECOND_NS)
#define FILE_MAX   (UINT64_C(4) << 30)

static const enum route_source sources[] = { ROUTE_FPM, ROUTE_KERNEL };

/* A leaf and its target in the file. */
struct seen {
	uint32_t leaf, target;
};

struct gathering {
	struct tables_work work;
	struct keeper *keeper;
	struct model *model; /* whose RIB is walked; NULL: none yet */
	bool ipv6;
	struct prefix_key after; /* where it goes on, if so */
	bool begun;
	struct kept_writer writer;
	struct seen seen[SEEN];
	int done; /* atomic: 0, or 1, or a negative errno */
};

struct restoring {
	struct tables_work work;
	struct keeper *keeper;
	struct kept kept;
	uint16_t *port; /* of each of the file's: its number; UINT16_MAX: no more */
	uint64_t told[ROUTE_SOURCES];
	bool done; /* atomic */
};

struct writing {
	struct keeper *keeper;
	char *path;
	uint8_t *data;
	size_t bytes;
	uint64_t routes;
	char error[256]; /* "": it is written */
};

struct keeper {
	struct runtime *rt;
	struct gathering *gathering; /* NULL: none is at work */
	bool writing;
	uint64_t begun_ns; /* of the last; 0: none yet */
	uint64_t mark;     /* what the feeds had told then */
	bool whole;        /* at the end: every feed has told all of its routes */
	struct keeper_view view;
};

struct keeper *keeper_create(struct runtime *rt)
{
	struct keeper *k = calloc(1, sizeof(*k));

	if (k)
		k->rt = rt;
	return k;
}

static void gathering_free(struct gathering *g)
{
	if (g)
		free(g->writer.data);
	free(g);
}

void keeper_free(struct keeper *k)
{
	if (k)
		gathering_free(k->gathering);
	free(k);
}

static bool keeps(const struct config *config)
{
	return config->tables.kept_every_s && (config->tables.fpm || config->tables.kernel);
}

void keeper_view(const struct keeper *k, struct keeper_view *view)
{
	*view = (struct keeper_view){ 0 };
	if (!k || !keeps(k->rt->config))
		return;
	*view = k->view;
	view->file = k->rt->config->tables.kept_file;
}

/* ---- gathering: the tables thread ---- */

static void begin(struct gathering *g, struct model *model)
{
	const struct config *config = model_config(model);
	const char **port = calloc(config->port_count + 1, sizeof(*port));

	free(g->writer.data);
	g->model = model;
	g->ipv6 = g->begun = false;
	for (size_t i = 0; port && i < config->port_count; i++)
		port[i] = config->ports[i].name;
	kept_begin(&g->writer, port, port ? (uint16_t)config->port_count : 0);
	g->writer.failed |= !port;
	free(port);
}

static void add_hop(const struct model *model, const struct hop_choice *choice,
		    struct kept_hop *hops, size_t *n)
{
	const struct hop_key *key = &model->hops.hop[choice->hop].key;
	const size_t port = model_config_port(model, key->port);

	if (port != SIZE_MAX && *n < KEPT_HOPS_MAX)
		hops[(*n)++] = (struct kept_hop){ (uint16_t)port, choice->weight, key->gateway };
}

/* 0: it has no next hop on a port. */
static uint32_t write_target(struct gathering *g, uint32_t leaf)
{
	const struct hops *hops = &g->model->hops;
	const struct hop_choice one = { leaf, 1 };
	struct kept_hop list[KEPT_HOPS_MAX];
	size_t n = 0;

	if (leaf & LEAF_GROUP) {
		const struct hop_group *group = &hops->group[leaf & ~LEAF_GROUP];

		for (uint32_t i = 0; i < group->choices; i++)
			add_hop(g->model, &group->choice[i], list, &n);
	} else {
		add_hop(g->model, &one, list, &n);
	}
	return n ? kept_target(&g->writer, list, n) : 0;
}

/* A slice meets fewer leaves than there is room for; an index means another set in the next. */
static uint32_t target_of(struct gathering *g, uint32_t leaf)
{
	uint32_t i = leaf * 0x9e3779b1u;

	while (g->seen[i % SEEN].leaf && g->seen[i % SEEN].leaf != leaf)
		i++;
	if (!g->seen[i % SEEN].leaf)
		g->seen[i % SEEN] = (struct seen){ leaf, write_target(g, leaf) };
	return g->seen[i % SEEN].target;
}

static void gather_leaf(struct gathering *g, enum route_source source,
			const struct ip_prefix *prefix, uint32_t leaf)
{
	uint32_t target = 0;

	if (leaf >= LEAF_FIRST_FREE) {
		target = target_of(g, leaf);
		if (target)
			kept_route(&g->writer, source, prefix, CONFIG_ROUTE_VIA, target);
	} else if (leaf == LEAF_BLACKHOLE) {
		kept_route(&g->writer, source, prefix, CONFIG_ROUTE_BLACKHOLE, 0);
	} else if (leaf == LEAF_UNREACHABLE) {
		kept_route(&g->writer, source, prefix, CONFIG_ROUTE_UNREACHABLE, 0);
	} else if (leaf == LEAF_PROHIBIT) {
		kept_route(&g->writer, source, prefix, CONFIG_ROUTE_PROHIBIT, 0);
	}
}

static void gather_prefix(void *arg, const struct rib_route *best)
{
	struct gathering *g = arg;
	const struct ip_prefix prefix = { best->prefix, g->ipv6 };

	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		uint32_t leaf = 0;

		if (best->source == sources[i])
			leaf = best->leaf;
		else if (best->source < sources[i])
			leaf = rib_get(g->model->rib, &prefix, sources[i]);
		if (leaf)
			gather_leaf(g, sources[i], &prefix, leaf);
	}
}

static bool gather(struct tables_work *work, struct model *model)
{
	struct gathering *g = (struct gathering *)work;
	struct ip_prefix all = { .ipv6 = false };
	struct prefix_key last;
	bool more;

	if (g->model != model) /* a reload: ports have other places */
		begin(g, model);
	all.ipv6 = g->ipv6;
	memset(g->seen, 0, sizeof(g->seen));
	/* nobody else changes what is read: no lock, which control would have to wait for */
	more = rib_walk_part(model->rib, &all, g->begun ? &g->after : NULL, NODES, gather_prefix, g,
			     &last);
	g->after = last;
	g->begun = more;
	if (more || !g->ipv6) {
		g->ipv6 |= !more;
		tables_post_work(g->keeper->rt->tables, work); /* behind whoever waits */
		return false;
	}
	__atomic_store_n(&g->done, kept_end(&g->writer) ? -ENOMEM : 1, __ATOMIC_RELEASE);
	return false;
}

static bool start_gathering(struct keeper *k)
{
	struct gathering *g = calloc(1, sizeof(*g));

	if (!g)
		return false;
	g->work = (struct tables_work){ .run = gather };
	g->keeper = k;
	k->gathering = g;
	tables_post_work(k->rt->tables, &g->work);
	return true;
}

/* ---- writing: any thread ---- */

static int sync_folder(const char *path)
{
	char *copy = strdup(path);
	int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int rc = fd < 0 || fsync(fd) != 0;

	if (fd >= 0)
		close(fd);
	free(copy);
	return rc;
}

static int write_all(int fd, const uint8_t *data, size_t bytes)
{
	while (bytes) {
		const ssize_t n = write(fd, data, bytes < 1 << 20 ? bytes : 1 << 20);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		bytes -= (size_t)n;
	}
	return fsync(fd);
}

/* /var/lib/napd need not be there when napd is no service. */
static void make_folder(const char *path)
{
	char *copy = strdup(path);

	if (copy)
		mkdir(dirname(copy), 0755);
	free(copy);
}

static void write_file(void *arg)
{
	struct writing *w = arg;
	char *aside = NULL;
	int fd = -1, rc;

	if (asprintf(&aside, "%s.new", w->path) < 0)
		aside = NULL;
	if (aside) {
		make_folder(w->path);
		fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	}
	rc = fd < 0 || write_all(fd, w->data, w->bytes) != 0;
	if (fd >= 0 && close(fd) != 0)
		rc = -1;
	if (!rc)
		rc = rename(aside, w->path) != 0 || sync_folder(w->path) != 0;
	if (rc) {
		snprintf(w->error, sizeof(w->error), "%s", aside ? strerror(errno) : "no memory");
		if (fd >= 0)
			unlink(aside);
	}
	free(aside);
}

static void written(void *arg, bool cancelled)
{
	struct writing *w = arg;
	struct keeper *k = w->keeper;

	k->writing = false;
	if (!cancelled || !w->error[0]) {
		if (k->view.failing && !w->error[0])
			log_info(MODULE, "%s: the routes in force are kept there again", w->path);
		k->view.failing = w->error[0];
		if (w->error[0]) {
			k->mark = 0; /* so that it is tried again, whatever happens */
			log_warning(MODULE, "%s.new: %s; the routes in force are not kept there",
				    w->path, w->error);
		} else {
			k->view.routes = w->routes;
			k->view.written_s = time(NULL);
			log_debug(MODULE, "%s: %llu routes kept", w->path,
				  (unsigned long long)w->routes);
		}
	}
	free(w->path);
	free(w->data);
	free(w);
}

/* What was gathered becomes what is to be written; NULL: no memory, which is told. */
static struct writing *take_gathered(struct keeper *k)
{
	struct gathering *g = k->gathering;
	struct writing *w = g->done == 1 ? calloc(1, sizeof(*w)) : NULL;

	if (w) {
		*w = (struct writing){ .keeper = k,
				       .path = strdup(k->rt->config->tables.kept_file),
				       .data = g->writer.data,
				       .bytes = g->writer.bytes,
				       .routes = g->writer.routes };
		if (w->path) {
			g->writer.data = NULL;
		} else {
			free(w);
			w = NULL;
		}
	}
	k->gathering = NULL;
	gathering_free(g);
	if (!w)
		log_warning(MODULE, "no memory for the routes to keep; they are tried again later");
	return w;
}

/* ---- when ---- */

/* Another number when feeds have told anything since. */
static uint64_t mark_of(const struct keeper *k)
{
	struct feed_view view;
	uint64_t mark = 1;

	for (unsigned int i = 0; feeds_view(k->rt->feeds, i, &view); i++)
		mark = (mark + view.messages) * 1000003 + view.counts.stale * 31 + view.losses;
	return mark;
}

void keeper_tick(struct keeper *k)
{
	const uint64_t now_ns = feed_now_ns(), mark = mark_of(k);
	const struct config *config = k->rt->config;
	struct writing *w;

	if (k->gathering && __atomic_load_n(&k->gathering->done, __ATOMIC_ACQUIRE)) {
		w = take_gathered(k);
		k->writing = w != NULL;
		if (w && background_run(k->rt->background, write_file, written, w) != 0) {
			snprintf(w->error, sizeof(w->error), "no thread to write it");
			written(w, false);
		}
		return;
	}
	if (k->gathering || k->writing || !keeps(config) || mark == k->mark ||
	    (k->begun_ns && now_ns - k->begun_ns < config->tables.kept_every_s * SECOND_NS) ||
	    feeds_unloaded(k->rt->feeds))
		return;
	if (!start_gathering(k))
		return;
	k->begun_ns = now_ns;
	k->mark = mark;
}

static bool wait_for(const int *done, uint64_t most_ns)
{
	const uint64_t until_ns = feed_now_ns() + most_ns;

	while (!__atomic_load_n(done, __ATOMIC_ACQUIRE)) {
		if (feed_now_ns() > until_ns)
			return false;
		usleep(1000);
	}
	return true;
}

void keeper_end(struct keeper *k)
{
	if (k)
		k->whole = !feeds_unloaded(k->rt->feeds);
}

void keeper_finish(struct keeper *k)
{
	struct writing *w;

	if (!k || !k->rt->tables || !keeps(k->rt->config) || !k->whole)
		return;
	/* one that is at work may have passed what changed last */
	for (int walks = k->gathering ? 2 : 1; walks; walks--) {
		if (k->gathering && k->gathering->done) {
			gathering_free(k->gathering);
			k->gathering = NULL;
		}
		if (!k->gathering && !start_gathering(k))
			return;
		if (!wait_for(&k->gathering->done, FINISH_NS)) {
			log_warning(MODULE,
				    "the tables are busy; routes are kept as of the last time");
			return;
		}
	}
	w = take_gathered(k);
	if (!w)
		return;
	write_file(w);
	written(w, false);
}

/* ---- at the start ---- */

/* The whole file. NULL: there is none, or it cannot be read, which is told. */
static uint8_t *read_file(const char *path, size_t *bytes)
{
	const char *why = NULL;
	struct stat stat;
	uint8_t *data = NULL;
	int fd = regular_open(path, false, &why);

	*bytes = 0;
	if (fd < 0 && errno == ENOENT)
		return NULL;
	if (fd >= 0 && fstat(fd, &stat) == 0 && (uint64_t)stat.st_size <= FILE_MAX)
		data = malloc((size_t)stat.st_size + 1);
	while (data && *bytes < (size_t)stat.st_size) {
		const ssize_t n = read(fd, data + *bytes, (size_t)stat.st_size - *bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break; /* what is missing, its length tells */
		*bytes += (size_t)n;
	}
	if (!data)
		log_warning(MODULE, "%s: %s; napd starts without the routes kept there", path,
			    why ? why : "too large, or no memory");
	if (fd >= 0)
		close(fd);
	return data;
}

/* From the file's ports to places in the model's configuration. */
static void restore_one(struct restoring *r, struct model *model, const struct kept_route *kept)
{
	struct config_nexthop via[KEPT_HOPS_MAX];
	const struct route route = { kept->prefix, kept->kind, via, kept->hops };
	struct feed *feed = feeds_feed(r->keeper->rt->feeds, kept->source);
	struct learned *learned;

	for (size_t i = 0; i < kept->hops; i++) {
		const uint16_t number = r->port[kept->hop[i].port];

		via[i] = (struct config_nexthop){ kept->hop[i].address,
						  number == UINT16_MAX
							  ? SIZE_MAX
							  : model_config_port(model, number),
						  kept->hop[i].weight };
	}
	learned = feed ? feed_enter(feed, model) : NULL;
	if (learned && learned_restore(learned, &route) == 0)
		r->told[kept->source]++;
	else
		r->keeper->view.left_out++;
	if (feed)
		feed_leave(feed, 0);
}

/* In one go: nobody else waits yet, and tables made between would be made for nobody. */
static bool restore(struct tables_work *work, struct model *model)
{
	struct restoring *r = (struct restoring *)work;
	struct kept_route route;

	while (kept_next(&r->kept, &route))
		restore_one(r, model, &route);
	__atomic_store_n(&r->done, true, __ATOMIC_RELEASE);
	return false;
}

/* Which number each of the file's ports has. False: no memory. */
static bool number_ports(struct restoring *r)
{
	const struct runtime *rt = r->keeper->rt;
	char name[256];

	r->port = calloc(r->kept.ports + 1u, sizeof(*r->port));
	for (uint16_t i = 0; r->port && i < r->kept.ports; i++) {
		size_t port;

		kept_port_name(&r->kept, i, name);
		port = model_port_by_name(rt->model, name);
		r->port[i] = port == SIZE_MAX ? UINT16_MAX : model_port_number(rt->model, port);
	}
	return r->port;
}

/* Its routes are in the RIB; then, that they are in tables. */
static void wait_in_force(struct restoring *r)
{
	struct tables *tables = r->keeper->rt->tables;
	const uint64_t until_ns = feed_now_ns() + RESTORE_NS;

	r->work = (struct tables_work){ .run = restore };
	tables_post_work(tables, &r->work);
	while (!__atomic_load_n(&r->done, __ATOMIC_ACQUIRE)) /* it is this frame's */
		usleep(1000);
	while (!tables_view(tables).resting && feed_now_ns() < until_ns)
		usleep(1000);
}

static void tell_restored(struct keeper *k, const struct restoring *r)
{
	const char *file = k->rt->config->tables.kept_file;

	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		struct feed *feed = feeds_feed(k->rt->feeds, sources[i]);

		if (feed && r->told[sources[i]])
			feed_restored(feed, r->told[sources[i]]);
		k->view.restored += r->told[sources[i]];
	}
	log_info(MODULE, "%s: %llu routes from before are in force, and stale", file,
		 (unsigned long long)k->view.restored);
	if (k->view.left_out)
		log_warning(MODULE,
			    "%s: %llu routes are left out: their source, port or subnet is no "
			    "longer configured, or they are too many",
			    file, (unsigned long long)k->view.left_out);
}

void keeper_restore(struct keeper *k)
{
	const char *file = k->rt->config->tables.kept_file;
	struct restoring r = { .keeper = k };
	struct octets_error error = { 0 };
	size_t bytes;
	uint8_t *data;
	int rc;

	if (!keeps(k->rt->config))
		return;
	data = read_file(file, &bytes);
	if (!data)
		return;
	rc = kept_open(&r.kept, data, bytes, &error);
	if (rc == -EBADMSG)
		log_warning(MODULE, "%s: byte %zu: %s; napd starts without the routes kept there",
			    file, (size_t)(error.at - data), error.text);
	else if (rc || !number_ports(&r))
		log_warning(MODULE, "%s: no memory for the routes kept there", file);
	if (!rc && r.port) {
		wait_in_force(&r);
		tell_restored(k, &r);
	}
	kept_close(&r.kept);
	free(r.port);
	free(data);
}
