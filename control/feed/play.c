// SPDX-License-Identifier: BSD-3-Clause
/* A batch at a time; the clock of the file runs with ours from the first message on. */
#include "play.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../address.h"
#include "../model_state.h"
#include "../problem.h"
#include "../tables.h"
#include "dump.h"
#include "updates.h"

#define SECOND_NS UINT64_C(1000000000)
#define STEP_NS   UINT64_C(1000000)  /* messages of a millisecond go together */
#define NAP_NS    UINT64_C(50000000) /* at most, between two looks */
#define AT_ONCE   64                 /* messages between two looks at the clock */
#define BATCH     1024               /* changes */

/* A port's address: which next hops lie on its subnet, and which are the exchange itself. */
struct network {
	struct ip_prefix prefix;
	struct ip_address own;
	uint16_t port; /* its number */
};

struct play {
	uint64_t identity;
	char **dump;
	size_t dumps;
	struct network *subnet;
	size_t subnets;
	uint64_t capacity[2];
	struct tables *tables;
	struct dumps *kept; /* all paths; NULL: the dumps are still to be read */
	struct updates *updates;
	struct route_batch *batch;
	bool quiet; /* what the dumps say is in the tables already */
	pthread_mutex_t mutex;
	pthread_cond_t stops;
	bool stop, at_once;
	struct play_view view; /* written by the thread that plays */
};

/* ---- what it knows of the exchange ---- */

static int copy_dumps(struct play *p, const struct config *config)
{
	p->dump = calloc(config->tables.mrt_count + 1, sizeof(*p->dump));
	if (!p->dump)
		return -ENOMEM;
	for (; p->dumps < config->tables.mrt_count; p->dumps++) {
		p->dump[p->dumps] = strdup(config->tables.mrt[p->dumps]);
		if (!p->dump[p->dumps])
			return -ENOMEM;
	}
	return 0;
}

static int copy_subnets(struct play *p, const struct model *model)
{
	const struct config *config = model->config;
	size_t n = 0;

	for (size_t i = 0; i < config->port_count; i++)
		n += config->ports[i].address_count;
	p->subnet = calloc(n + 1, sizeof(*p->subnet));
	if (!p->subnet)
		return -ENOMEM;
	for (size_t i = 0; i < config->port_count; i++) {
		for (size_t k = 0; k < config->ports[i].address_count; k++) {
			const struct interface_address *a = &config->ports[i].addresses[k];

			p->subnet[p->subnets++] =
				(struct network){ ip_prefix_of(&a->address, a->length), a->address,
						  model_port_number(model, i) };
		}
	}
	return 0;
}

struct play *play_create(const struct model *model, struct tables *tables)
{
	struct play *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	pthread_mutex_init(&p->mutex, NULL);
	pthread_cond_init(&p->stops, NULL);
	p->identity = model->mrt_identity;
	p->capacity[0] = model->config->dataplane.capacity_ipv4;
	p->capacity[1] = model->config->dataplane.capacity_ipv6;
	p->tables = tables;
	if (copy_dumps(p, model->config) == 0 && copy_subnets(p, model) == 0)
		return p;
	play_free(p);
	return NULL;
}

void play_free(struct play *p)
{
	if (!p)
		return;
	feed_dump_free(p->kept);
	updates_close(p->updates);
	route_batch_free(p->batch);
	for (size_t i = 0; i < p->dumps; i++)
		free(p->dump[i]);
	free(p->dump);
	free(p->subnet);
	pthread_cond_destroy(&p->stops);
	pthread_mutex_destroy(&p->mutex);
	free(p);
}

uint64_t play_identity(const struct play *p)
{
	return p->identity;
}

/* Subnets do not overlap. NULL: on none. */
static const struct network *network_of(const struct play *p, const struct ip_address *address)
{
	for (size_t i = 0; i < p->subnets; i++)
		if (ip_prefix_contains(&p->subnet[i].prefix, address))
			return &p->subnet[i];
	return NULL;
}

static bool is_own(const struct network *s, const struct ip_address *address)
{
	const struct ip_address first = { s->prefix.key.address, s->prefix.ipv6 };

	/* the subnet-router anycast address, RFC 4291 2.6.1 */
	return ip_address_equal(&s->own, address) ||
	       (s->prefix.ipv6 && s->prefix.key.length < 127 && ip_address_equal(&first, address));
}

/* ---- what the dumps' reader asks and says ---- */

static size_t port_of(void *ctx, const struct ip_address *address)
{
	const struct network *s = network_of(ctx, address);

	return s && !is_own(s, address) ? s->port : SIZE_MAX;
}

/* Post what is gathered, and wait where too much waits; only at_once loses it. */
static void flush(struct play *p)
{
	struct route_batch *batch = p->batch;
	size_t count;

	if (!batch || !batch->count)
		return;
	count = batch->count;
	while (tables_post(p->tables, batch) == -EAGAIN) {
		const struct timespec nap = { .tv_nsec = (long)STEP_NS };

		if (__atomic_load_n(&p->at_once, __ATOMIC_RELAXED))
			return;
		nanosleep(&nap, NULL);
	}
	p->batch = NULL;
	__atomic_add_fetch(&p->view.changes, count, __ATOMIC_RELAXED);
}

/* Room for one more. 0 or -ENOMEM. */
static int make_room(struct play *p)
{
	if (p->batch && p->batch->count == p->batch->size)
		flush(p);
	if (p->batch && p->batch->count == p->batch->size)
		p->batch->count = p->batch->hop_count = 0; /* it is over */
	if (!p->batch)
		p->batch = route_batch_create(BATCH, BATCH);
	return p->batch ? 0 : -ENOMEM;
}

/* What the tables thread would refuse is not posted. */
static int set(void *ctx, const struct ip_prefix *prefix, const struct config_nexthop *via)
{
	const struct route route = { *prefix, CONFIG_ROUTE_VIA, via, 1 };
	const struct ip_address first = { prefix->key.address, prefix->ipv6 };
	struct play *p = ctx;
	const struct network *s = network_of(p, &first);

	if (s && s->prefix.key.length <= prefix->key.length)
		return -EADDRINUSE;
	if (ip_is_link_local(&first) && prefix->key.length >= 10)
		return -EADDRNOTAVAIL;
	if (p->quiet)
		return 0;
	if (make_room(p))
		return -ENOMEM;
	route_batch_set(p->batch, ROUTE_MRT, &route);
	return 0;
}

static int unset(void *ctx, const struct ip_prefix *prefix)
{
	struct play *p = ctx;

	if (make_room(p))
		return -ENOMEM;
	route_batch_delete(p->batch, ROUTE_MRT, prefix);
	return 0;
}

/* ---- reading ---- */

static int read_dumps(struct play *p, struct problems *problems)
{
	const struct dump_taker taker = { port_of, set, unset, p };
	int rc;

	p->quiet = true;
	rc = feed_dump_keep(p->dump, p->dumps, &taker, p->capacity[0], p->capacity[1], problems,
			    &p->kept);
	p->quiet = false;
	return rc;
}

int play_open(struct play *p, const char *file, struct problems *problems)
{
	char *const files[] = { (char *)(uintptr_t)file };
	const size_t errors = problems->errors;
	struct updates_extent extent;
	int rc;

	p->updates = updates_open(files, 1, problems);
	if (!p->updates)
		return problems->errors > errors ? -EINVAL : -ENOMEM;
	rc = p->kept ? 0 : read_dumps(p, problems);
	if (rc) {
		updates_close(p->updates);
		p->updates = NULL;
		return rc;
	}
	extent = updates_extent(p->updates);
	p->stop = p->at_once = false;
	p->view = (struct play_view){ .messages_in_all = extent.messages,
				      .first_ns = updates_next_ns(p->updates),
				      .last_ns = extent.last_ns };
	if (!extent.messages)
		p->view.first_ns = p->view.last_ns = 0;
	p->view.at_ns = p->view.first_ns;
	return 0;
}

/* ---- playing ---- */

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

/* Until somebody stops it, or for so long. */
static void rest(struct play *p, uint64_t ns)
{
	uint64_t until = now_ns() + ns;
	const struct timespec when = { (time_t)(until / SECOND_NS), (long)(until % SECOND_NS) };

	pthread_mutex_lock(&p->mutex);
	if (!p->stop)
		pthread_cond_clockwait(&p->stops, &p->mutex, CLOCK_MONOTONIC, &when);
	pthread_mutex_unlock(&p->mutex);
}

/* How long until the next message is due. */
static uint64_t pause_ns(uint64_t next_ns, uint64_t due_ns, double speed)
{
	const double wait = next_ns > due_ns ? (double)(next_ns - due_ns) / speed : 0;

	if (wait < (double)STEP_NS)
		return STEP_NS;
	return wait > (double)NAP_NS ? NAP_NS : (uint64_t)wait;
}

/* All that is due. 1: there is more; 0: it is over; or negative errno. */
static int play_due(struct play *p, uint64_t due_ns)
{
	long n;

	do {
		const uint64_t next_ns = updates_next_ns(p->updates);

		if (next_ns == UINT64_MAX)
			return 0;
		n = updates_play(p->updates, p->kept, due_ns, AT_ONCE);
		if (n < 0)
			return (int)n;
		__atomic_add_fetch(&p->view.messages, (uint64_t)n, __ATOMIC_RELAXED);
		if (n)
			__atomic_store_n(&p->view.at_ns, next_ns, __ATOMIC_RELAXED);
	} while (n == AT_ONCE && !play_stopped(p));
	return updates_next_ns(p->updates) != UINT64_MAX;
}

int play_run(struct play *p, double speed)
{
	const uint64_t begin_ns = now_ns(), first_ns = p->view.first_ns;
	int more = 1;

	while (more > 0 && !play_stopped(p)) {
		const double passed = (double)(now_ns() - begin_ns) * speed;
		const uint64_t due_ns = speed > 0 ? first_ns + (uint64_t)passed : UINT64_MAX - 1;

		more = play_due(p, due_ns);
		flush(p);
		if (more > 0 && speed > 0)
			rest(p, pause_ns(updates_next_ns(p->updates), due_ns, speed));
	}
	updates_close(p->updates);
	p->updates = NULL;
	return more < 0 ? more : 0;
}

void play_stop(struct play *p, bool at_once)
{
	pthread_mutex_lock(&p->mutex);
	__atomic_store_n(&p->at_once, at_once, __ATOMIC_RELAXED);
	__atomic_store_n(&p->stop, true, __ATOMIC_RELAXED);
	pthread_cond_signal(&p->stops);
	pthread_mutex_unlock(&p->mutex);
}

bool play_stopped(const struct play *p)
{
	return __atomic_load_n(&p->stop, __ATOMIC_RELAXED);
}

struct play_view play_view(const struct play *p)
{
	struct play_view view = { .messages_in_all = p->view.messages_in_all,
				  .first_ns = p->view.first_ns,
				  .last_ns = p->view.last_ns };

	view.messages = __atomic_load_n(&p->view.messages, __ATOMIC_RELAXED);
	view.changes = __atomic_load_n(&p->view.changes, __ATOMIC_RELAXED);
	view.at_ns = __atomic_load_n(&p->view.at_ns, __ATOMIC_RELAXED);
	return view;
}
