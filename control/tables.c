// SPDX-License-Identifier: BSD-3-Clause
/* The thread that owns the RIB: applies batches, makes tables, tells control. */
#include "tables.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

#define NICENESS    5        /* control goes first where they share a CPU */
#define WAITING_MAX 1000000u /* changes: beyond, feeds wait */
#define SLICE       4096u    /* changes between two looks at the clock */
#define SECOND_NS   UINT64_C(1000000000)
#define PACE_NS     (SECOND_NS / 50) /* from one build's begin to the next's */
#define BUSY_NS     (SECOND_NS / 4)  /* the same while changes wait: the backlog goes first */
#define AGAIN_NS    SECOND_NS        /* after a build that found no memory */

struct tables {
	struct model *model; /* the thread's; written under the mutex */
	void (*changed)(void *arg);
	void *arg;
	pthread_t thread;
	pthread_mutex_t mutex; /* of all below */
	pthread_cond_t wakes;
	struct tables_follower follower; /* of NULLs: there is none */
	struct tables_work *first, **last;
	struct model *next; /* to switch to; NULL: none */
	bool poked;         /* errands wait in the model */
	bool resting;       /* and there was nothing else to do */
	bool stop;
	struct tables_view view;
};

/* ---- batches ---- */

/* A batch is work whose run is NULL. */
static struct route_batch *batch_of(struct tables_work *work)
{
	return (struct route_batch *)work;
}

static void batch_free(struct tables_work *work)
{
	free(batch_of(work)->hop);
	free(work);
}

struct route_batch *route_batch_create(size_t changes, size_t hops)
{
	struct route_batch *b = malloc(sizeof(*b) + changes * sizeof(b->change[0]));

	if (!b)
		return NULL;
	*b = (struct route_batch){ .work.free = batch_free, .size = changes, .hop_size = hops };
	b->hop = calloc(hops + 1, sizeof(*b->hop));
	if (b->hop)
		return b;
	free(b);
	return NULL;
}

void route_batch_free(struct route_batch *b)
{
	if (b)
		batch_free(&b->work);
}

bool route_batch_set(struct route_batch *b, enum route_source source, const struct route *route)
{
	struct route_change *c = &b->change[b->count];
	const size_t hops = route->kind == CONFIG_ROUTE_VIA ? route->via_count : 0;

	if (b->count == b->size || hops > b->hop_size - b->hop_count)
		return false;
	*c = (struct route_change){ .source = source, .route = *route };
	c->route.via = &b->hop[b->hop_count];
	c->route.via_count = hops;
	if (hops)
		memcpy(&b->hop[b->hop_count], route->via, hops * sizeof(*b->hop));
	b->hop_count += hops;
	b->count++;
	return true;
}

bool route_batch_delete(struct route_batch *b, enum route_source source,
			const struct ip_prefix *prefix)
{
	if (b->count == b->size)
		return false;
	b->change[b->count++] = (struct route_change){ .source = source,
						       .gone = true,
						       .route = { .prefix = *prefix } };
	return true;
}

/* ---- the thread ---- */

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

/* What the thread knows between two rounds. */
struct round {
	struct tables_work *work; /* in hand */
	size_t at;                /* which of a batch's changes is next */
	uint64_t built_ns;        /* when the last build began */
	uint64_t wait_ns;         /* no build before */
};

/* From numbers to places in the model's configuration. */
static void find_ports(const struct model *model, struct config_nexthop *hop, size_t n)
{
	for (size_t i = 0; i < n; i++)
		hop[i].port = hop[i].port == SIZE_MAX
				      ? model_port_of(model, &hop[i].address)
				      : model_config_port(model, (uint16_t)hop[i].port);
}

static int apply(struct model *model, struct route_change *c)
{
	model->mrt_changed |= c->source == ROUTE_MRT;
	if (c->gone)
		return model_route_delete(model, c->source, &c->route.prefix);
	find_ports(model, (struct config_nexthop *)(uintptr_t)c->route.via, c->route.via_count);
	return model_route_set(model, c->source, &c->route);
}

static void let_go(struct tables_work *work)
{
	if (work->free)
		work->free(work);
}

static void run_work(struct tables *t, struct round *r)
{
	struct tables_work *work = r->work;
	const uint64_t weight = work->weight;

	if (work->run(work, t->model))
		return;
	r->work = NULL;
	let_go(work);
	pthread_mutex_lock(&t->mutex);
	t->view.waiting -= weight;
	pthread_mutex_unlock(&t->mutex);
}

static void apply_slice(struct tables *t, struct round *r)
{
	struct route_batch *b = batch_of(r->work);
	const size_t end = b->count - r->at > SLICE ? r->at + SLICE : b->count;
	uint64_t refused = 0, n = end - r->at;

	for (; r->at < end; r->at++)
		refused += apply(t->model, &b->change[r->at]) != 0;
	if (r->at == b->count) {
		batch_free(r->work);
		r->work = NULL;
		r->at = 0;
	}
	pthread_mutex_lock(&t->mutex);
	t->view.applied += n;
	t->view.refused += refused;
	t->view.waiting -= n;
	pthread_mutex_unlock(&t->mutex);
}

static void build(struct tables *t, struct round *r)
{
	uint64_t spent;
	int rc;

	r->built_ns = now_ns();
	rc = model_prepare(t->model);
	spent = now_ns() - r->built_ns;
	r->wait_ns = r->built_ns + (rc ? AGAIN_NS : PACE_NS);
	if (rc)
		log_error("tables", "no memory for new tables; those in force stay");
	pthread_mutex_lock(&t->mutex);
	t->view.builds += !rc;
	t->view.build_ns += spent;
	if (spent > t->view.longest_build_ns)
		t->view.longest_build_ns = spent;
	if (!rc && t->follower.built)
		t->follower.built(t->follower.arg);
	if (!rc && !t->stop)
		t->changed(t->arg);
	pthread_mutex_unlock(&t->mutex);
}

/* Take the next work, or sleep until there is something to do. False: the end. */
static bool next(struct tables *t, struct round *r, bool dirty)
{
	bool poked, go_on;

	pthread_mutex_lock(&t->mutex);
	while (!t->stop && !t->poked && !t->next && !t->first && !r->work) {
		const struct timespec until = { (time_t)(r->wait_ns / SECOND_NS),
						(long)(r->wait_ns % SECOND_NS) };

		t->resting = !dirty;
		if (!dirty)
			pthread_cond_wait(&t->wakes, &t->mutex);
		else if (pthread_cond_clockwait(&t->wakes, &t->mutex, CLOCK_MONOTONIC, &until) ==
			 ETIMEDOUT)
			break;
	}
	t->resting = false;
	go_on = !t->stop;
	poked = t->poked;
	t->poked = false;
	if (!r->work && t->first) {
		r->work = t->first;
		t->first = r->work->next;
		if (!t->first)
			t->last = &t->first;
	}
	pthread_mutex_unlock(&t->mutex);
	if (go_on && poked && model_run_errands(t->model) != 0)
		log_error("tables", "no memory for what control wants of the RIB");
	return go_on;
}

/* Called by the model, under its lock. */
static void wake(void *arg)
{
	struct tables *t = arg;

	pthread_mutex_lock(&t->mutex);
	t->poked = true;
	pthread_cond_signal(&t->wakes);
	pthread_mutex_unlock(&t->mutex);
}

/* Go over to another model, if control has one. */
static void change_model(struct tables *t, struct round *r)
{
	struct tables_follower follower;
	struct model *next;
	int rc;

	pthread_mutex_lock(&t->mutex);
	next = t->next;
	follower = t->follower;
	pthread_mutex_unlock(&t->mutex);
	if (!next)
		return;
	rc = model_carry(next, t->model);
	if (follower.moved)
		follower.moved(follower.arg, next);
	if (!rc)
		rc = model_prepare(next);
	if (rc)
		log_error("tables", "no memory for all routes of the feeds in the new tables");
	next->wake_arg = t;
	next->wake = wake;
	r->built_ns = now_ns();
	r->wait_ns = r->built_ns + PACE_NS;
	pthread_mutex_lock(&t->mutex);
	t->model = next;
	t->next = NULL;
	if (!t->stop)
		t->changed(t->arg);
	pthread_mutex_unlock(&t->mutex);
}

static void *run(void *arg)
{
	struct tables *t = arg;
	struct round r = { 0 };
	bool dirty = model_is_dirty(t->model);

	setpriority(PRIO_PROCESS, (id_t)gettid(), NICENESS);
	while (next(t, &r, dirty)) {
		change_model(t, &r);
		if (r.work && r.work->run)
			run_work(t, &r);
		else if (r.work)
			apply_slice(t, &r);
		dirty = model_is_dirty(t->model);
		if (dirty && now_ns() >= (r.work ? r.built_ns + BUSY_NS : r.wait_ns)) {
			build(t, &r);
			dirty = model_is_dirty(t->model);
		}
	}
	if (r.work)
		let_go(r.work);
	return NULL;
}

/* ---- its life ---- */

struct tables *tables_start(struct model *model, void (*changed)(void *arg), void *arg)
{
	struct tables *t = calloc(1, sizeof(*t));
	sigset_t all, before;
	int rc;

	if (!t)
		return NULL;
	t->model = model;
	t->changed = changed;
	t->arg = arg;
	t->last = &t->first;
	pthread_mutex_init(&t->mutex, NULL);
	pthread_cond_init(&t->wakes, NULL);
	model->wake_arg = t;
	model->wake = wake;
	/* signals are control's */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&t->thread, NULL, run, t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!rc)
		return t;
	model->wake = NULL;
	free(t);
	errno = rc;
	return NULL;
}

static void stop(struct tables *t)
{
	pthread_mutex_lock(&t->mutex);
	t->stop = true;
	pthread_cond_signal(&t->wakes);
	pthread_mutex_unlock(&t->mutex);
}

void tables_free(struct tables *t)
{
	if (!t)
		return;
	stop(t);
	pthread_join(t->thread, NULL);
	while (t->first) {
		struct tables_work *work = t->first;

		t->first = work->next;
		let_go(work);
	}
	t->model->wake = NULL;
	pthread_cond_destroy(&t->wakes);
	pthread_mutex_destroy(&t->mutex);
	free(t);
}

void tables_switch(struct tables *t, struct model *next)
{
	pthread_mutex_lock(&t->mutex);
	t->next = next;
	pthread_cond_signal(&t->wakes);
	pthread_mutex_unlock(&t->mutex);
}

struct model *tables_model(struct tables *t)
{
	struct model *model;

	pthread_mutex_lock(&t->mutex);
	model = t->model;
	pthread_mutex_unlock(&t->mutex);
	return model;
}

int tables_post_work(struct tables *t, struct tables_work *work)
{
	int rc = 0;

	pthread_mutex_lock(&t->mutex);
	if (work->weight && t->view.waiting && t->view.waiting + work->weight > WAITING_MAX) {
		rc = -EAGAIN;
	} else {
		work->next = NULL;
		*t->last = work;
		t->last = &work->next;
		t->view.waiting += work->weight;
		pthread_cond_signal(&t->wakes);
	}
	pthread_mutex_unlock(&t->mutex);
	return rc;
}

int tables_post(struct tables *t, struct route_batch *batch)
{
	batch->work.weight = batch->count;
	return tables_post_work(t, &batch->work);
}

void tables_follow(struct tables *t, const struct tables_follower *follower)
{
	pthread_mutex_lock(&t->mutex);
	t->follower = *follower;
	pthread_mutex_unlock(&t->mutex);
}

struct tables_view tables_view(struct tables *t)
{
	struct tables_view view;

	pthread_mutex_lock(&t->mutex);
	view = t->view;
	view.resting = t->resting && !t->poked && !t->first;
	pthread_mutex_unlock(&t->mutex);
	return view;
}
