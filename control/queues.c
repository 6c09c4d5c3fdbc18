// SPDX-License-Identifier: BSD-3-Clause
/* Owns the list of receive queues and which worker each has; gives workers theirs. */
#include "queues.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "balance.h"
#include "device.h"

#define SECOND_NS UINT64_C(1000000000)
/* When queues move by themselves: so busy, so idle, for so many seconds. */
#define BUSY_OVER    0.9
#define BUSY_UNDER   0.6
#define BUSY_SECONDS 10

struct queue {
	bool there;
	uint16_t worker;       /* shall poll it; BALANCE_NOBODY: not placed yet */
	uint16_t told;         /* was told to; BALANCE_NOBODY: nobody */
	uint64_t after;        /* the one told waits for after_worker to settle; 0: it polls */
	uint16_t after_worker; /* who had it before */
	int16_t node;
	uint64_t received; /* at the last second */
	double load;
	struct queue_load counted;
};

struct worker_view {
	uint64_t busy_ns; /* at the last second */
	double busy;
	unsigned int seconds_over, seconds_under;
};

struct queues {
	struct dataplane *dp;
	unsigned int workers;
	const int16_t *node;
	queue_handle_fn handle;
	uint64_t generation; /* of what workers have been told */
	bool untold;         /* not all is as it shall be */
	uint64_t second_ns;  /* when load was measured last; 0: never */
	struct worker_view worker[WORKER_MAX];
	struct queue queue[DEVICE_MAX][WORKER_MAX];
};

#define QUEUES_MAX (DEVICE_MAX * WORKER_MAX)

struct queues *queues_create(struct dataplane *dp, unsigned int workers, const int16_t *node,
			     queue_handle_fn handle)
{
	struct queues *q = aligned_alloc(64, sizeof(*q)); /* counters have lines of their own */

	if (!q)
		return NULL;
	memset(q, 0, sizeof(*q));
	q->dp = dp;
	q->workers = workers;
	q->node = node;
	q->handle = handle;
	return q;
}

void queues_free(struct queues *q)
{
	free(q);
}

static struct queue *queue_at(struct queues *q, unsigned int i)
{
	return &q->queue[i / WORKER_MAX][i % WORKER_MAX];
}

void queues_set_device(struct queues *q, uint16_t device, uint16_t count, int16_t node)
{
	for (uint16_t k = 0; k < WORKER_MAX; k++) {
		struct queue *queue = &q->queue[device][k];

		if (queue->there == (k < count))
			continue;
		/* the counter stays: a worker may still be at it */
		queue->there = k < count;
		queue->worker = queue->told = BALANCE_NOBODY;
		queue->after = 0;
		queue->node = node;
		queue->load = 0;
		q->untold = true;
	}
}

/* ---- telling workers ---- */

/* What a worker shall poll. A queue that another one has been told to poll is waited for. */
static struct worker_queues *list_of(struct queues *q, uint16_t worker, uint64_t generation)
{
	struct worker_queues *list;
	uint32_t count = 0;

	for (unsigned int i = 0; i < QUEUES_MAX; i++)
		count += queue_at(q, i)->there && queue_at(q, i)->worker == worker;
	list = calloc(1, sizeof(*list) + count * sizeof(list->queue[0]));
	if (!list)
		return NULL;
	list->generation = generation;
	for (unsigned int i = 0; i < QUEUES_MAX; i++) {
		struct queue *queue = queue_at(q, i);
		struct polled_queue *polled = &list->queue[list->count];

		if (!queue->there || queue->worker != worker)
			continue;
		polled->rxq = q->handle(i / WORKER_MAX, i % WORKER_MAX);
		polled->load = &queue->counted;
		polled->after = queue->after;
		polled->after_worker = queue->after_worker;
		if (queue->told != BALANCE_NOBODY && queue->told != worker) {
			polled->after = generation;
			polled->after_worker = queue->told;
		}
		list->count++;
	}
	return list;
}

static void told(struct queues *q, uint64_t generation)
{
	for (unsigned int i = 0; i < QUEUES_MAX; i++) {
		struct queue *queue = queue_at(q, i);

		if (!queue->there || queue->worker == queue->told)
			continue;
		if (queue->told != BALANCE_NOBODY) {
			queue->after = generation;
			queue->after_worker = queue->told;
		}
		queue->told = queue->worker;
	}
	q->generation = generation;
	q->untold = false;
}

/* All workers or none: half of it would leave a queue with nobody, or with two. */
static void tell(struct queues *q)
{
	struct worker_queues *list[WORKER_MAX];
	const uint64_t generation = q->generation + 1;
	unsigned int n = 0;

	while (n < q->workers) {
		list[n] = list_of(q, n, generation);
		if (!list[n])
			break;
		n++;
	}
	if (n < q->workers) {
		while (n-- > 0)
			free(list[n]);
		q->untold = true; /* the next tick tries again */
		return;
	}
	for (unsigned int i = 0; i < n; i++)
		worker_set_queues(dataplane_worker(q->dp, i), list[i]);
	told(q, generation);
}

/* ---- placing ---- */

/* What balance.c wants to know, with the place of each queue in q. */
static void weigh(struct queues *q, struct balance *b, struct balance_queue *weighed,
		  uint16_t *place)
{
	*b = (struct balance){ .workers = q->workers, .worker_node = q->node, .queue = weighed };
	for (unsigned int i = 0; i < QUEUES_MAX; i++) {
		const struct queue *queue = queue_at(q, i);
		bool fixed;

		if (!queue->there)
			continue;
		place[b->queues] = i;
		fixed = queue->after != 0 ||
			(queue->told != BALANCE_NOBODY && queue->told != queue->worker);
		weighed[b->queues++] =
			(struct balance_queue){ queue->worker, queue->node, fixed, queue->load };
	}
}

void queues_share(struct queues *q)
{
	struct balance_queue weighed[QUEUES_MAX];
	uint16_t place[QUEUES_MAX];
	struct balance b;

	weigh(q, &b, weighed, place);
	balance_place(&b);
	for (unsigned int i = 0; i < b.queues; i++)
		queue_at(q, place[i])->worker = weighed[i].worker;
	tell(q);
}

bool queues_cross_nodes(const struct queues *q, int16_t node)
{
	const struct balance b = { .workers = q->workers, .worker_node = q->node };

	return balance_crosses(&b, node);
}

/* ---- moving ---- */

/* Moves that have ended: their queues may move again. */
static void settle(struct queues *q)
{
	for (unsigned int i = 0; i < QUEUES_MAX; i++) {
		struct queue *queue = queue_at(q, i);

		if (queue->after == 0 ||
		    worker_settled(dataplane_worker(q->dp, queue->after_worker)) < queue->after)
			continue;
		queue->after = 0;
		q->untold = true; /* its worker looks no longer at the other */
	}
}

int queues_move(struct queues *q, uint16_t device, uint16_t queue, uint16_t worker)
{
	struct queue *moved;

	if (device >= DEVICE_MAX || queue >= WORKER_MAX || worker >= q->workers)
		return -EINVAL;
	moved = &q->queue[device][queue];
	if (!moved->there)
		return -EINVAL;
	settle(q);
	if (moved->after != 0)
		return -EAGAIN;
	moved->worker = worker;
	tell(q);
	return 0;
}

/* The move that helps most, not told yet. */
static bool improve(struct queues *q, struct queue_move *move)
{
	struct balance_queue weighed[QUEUES_MAX];
	uint16_t place[QUEUES_MAX], worker;
	struct balance b;
	unsigned int i;

	weigh(q, &b, weighed, place);
	if (!balance_improve(&b, &i, &worker))
		return false;
	*move = (struct queue_move){ place[i] / WORKER_MAX, place[i] % WORKER_MAX,
				     weighed[i].worker, worker };
	queue_at(q, place[i])->worker = worker;
	return true;
}

unsigned int queues_rebalance(struct queues *q, struct queue_move *list, unsigned int max)
{
	unsigned int n = 0;

	settle(q);
	while (n < max && improve(q, &list[n]))
		n++;
	if (n)
		tell(q);
	return n;
}

/* ---- load ---- */

static void measure_worker(struct queues *q, uint16_t worker, uint64_t elapsed_ns)
{
	struct worker_view *view = &q->worker[worker];
	const uint64_t busy_ns = worker_load(dataplane_worker(q->dp, worker)).busy_ns;
	uint64_t received = 0;

	view->busy = (double)(busy_ns - view->busy_ns) / elapsed_ns;
	view->busy = view->busy > 1 ? 1 : view->busy;
	view->busy_ns = busy_ns;
	view->seconds_over = view->busy > BUSY_OVER ? view->seconds_over + 1 : 0;
	view->seconds_under = view->busy < BUSY_UNDER ? view->seconds_under + 1 : 0;
	for (unsigned int i = 0; i < QUEUES_MAX; i++) {
		struct queue *queue = queue_at(q, i);
		const uint64_t now = __atomic_load_n(&queue->counted.received, __ATOMIC_RELAXED);

		if (!queue->there || queue->told != worker)
			continue;
		queue->load = now - queue->received;
		queue->received = now;
		received += queue->load;
	}
	/* packets are taken to cost the same whatever queue they come from */
	for (unsigned int i = 0; i < QUEUES_MAX; i++) {
		struct queue *queue = queue_at(q, i);

		if (queue->there && queue->told == worker)
			queue->load = received ? queue->load / received * view->busy : 0;
	}
}

static bool is_lopsided(const struct queues *q)
{
	bool over = false, under = false;

	for (unsigned int i = 0; i < q->workers; i++) {
		over |= q->worker[i].seconds_over >= BUSY_SECONDS;
		under |= q->worker[i].seconds_under >= BUSY_SECONDS;
	}
	return over && under;
}

bool queues_tick(struct queues *q, uint64_t now_ns, struct queue_move *move)
{
	bool moved = false;

	settle(q);
	if (q->second_ns == 0 || now_ns - q->second_ns >= SECOND_NS) {
		for (unsigned int i = 0; q->second_ns && i < q->workers; i++)
			measure_worker(q, i, now_ns - q->second_ns);
		q->second_ns = now_ns;
		if (is_lopsided(q)) {
			moved = improve(q, move);
			for (unsigned int i = 0; i < q->workers; i++)
				q->worker[i].seconds_over = q->worker[i].seconds_under = 0;
		}
	}
	if (moved || q->untold)
		queues_share(q);
	return moved;
}

/* ---- looking ---- */

unsigned int queues_of_worker(const struct queues *q, uint16_t worker, struct queue_view *list,
			      unsigned int n)
{
	unsigned int count = 0;

	for (uint16_t d = 0; d < DEVICE_MAX; d++) {
		for (uint16_t k = 0; k < WORKER_MAX; k++) {
			const struct queue *queue = &q->queue[d][k];

			if (!queue->there || queue->told != worker)
				continue;
			if (count < n)
				list[count] = (struct queue_view){
					d,
					k,
					worker,
					queue->after != 0,
					__atomic_load_n(&queue->counted.received, __ATOMIC_RELAXED),
					queue->load,
				};
			count++;
		}
	}
	return count;
}

unsigned int queues_across(const struct queues *q, uint16_t device)
{
	unsigned int n = 0;

	for (uint16_t k = 0; k < WORKER_MAX; k++) {
		const struct queue *queue = &q->queue[device][k];

		n += queue->there && queue->told != BALANCE_NOBODY && queue->node >= 0 &&
		     q->node[queue->told] >= 0 && q->node[queue->told] != queue->node;
	}
	return n;
}

double queues_busy(const struct queues *q, uint16_t worker)
{
	return q->worker[worker].busy;
}
