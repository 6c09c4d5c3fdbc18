// SPDX-License-Identifier: BSD-3-Clause
/* The loop of a live worker: poll, inject, rest when there is nothing to do. */
#include <stdlib.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_pause.h>

#include "hold.h"
#include "punt.h"
#include "worker.h"

/* How long nothing may come before an adaptive worker rests, in empty loops. */
#define IDLE_PAUSE_LOOPS 64
#define IDLE_SLEEP_LOOPS 4096
#define IDLE_SLEEP_NS    50000

uint64_t dataplane_now_ns(const struct dataplane *dp)
{
	/* 128 bits: the product passes 64 within seconds */
	return (unsigned __int128)rte_rdtsc() * 1000000000u / dp->tsc_hz;
}

static void queues_free(struct retiree *retiree)
{
	free(retiree); /* it is the first member */
}

void worker_set_queues(struct worker *w, struct worker_queues *next)
{
	struct worker_queues *old = w->queues;

	__atomic_store_n(&w->queues, next, __ATOMIC_RELEASE);
	if (!old)
		return;
	/* the worker reads its queues once a loop, between two quiescent states */
	retire(w->dp, &old->retiree, queues_free);
}

void worker_stop(struct worker *w)
{
	__atomic_store_n(&w->stop, true, __ATOMIC_RELAXED);
}

struct worker_load worker_load(const struct worker *w)
{
	return (struct worker_load){
		.busy_ns = __atomic_load_n(&w->load.busy_ns, __ATOMIC_RELAXED),
		.loops = __atomic_load_n(&w->load.loops, __ATOMIC_RELAXED),
		.received = __atomic_load_n(&w->load.received, __ATOMIC_RELAXED),
		.punts_lost = __atomic_load_n(&w->load.punts_lost, __ATOMIC_RELAXED),
	};
}

uint64_t worker_settled(const struct worker *w)
{
	return __atomic_load_n(&w->settled, __ATOMIC_ACQUIRE);
}

/* Is the queue still another worker's, or has what came through it not been sent yet? */
static bool is_taken(const struct worker *w, const struct polled_queue *q)
{
	return unlikely(q->after != 0) && worker_settled(w->dp->worker[q->after_worker]) < q->after;
}

/* One round over the worker's queues. Returns frames received. */
static unsigned int worker_round(struct worker *w, const struct worker_queues *queues)
{
	unsigned int received = 0;

	for (uint32_t i = 0; queues && i < queues->count; i++) {
		const struct polled_queue *q = &queues->queue[i];
		unsigned int n;

		if (is_taken(w, q))
			continue;
		n = worker_receive(w, &q->rxq);
		if (n && q->load)
			counter_add(&q->load->received, n);
		received += n;
	}
	return received;
}

/*
 * Say that the queues of an earlier generation are left: nothing of them is on its way here. With
 * a transmit queue that another worker holds, that is only true a loop later.
 */
static void settle(struct worker *w, const struct worker_queues *queues)
{
	if (unlikely(queues && w->settled != queues->generation && !w->active))
		__atomic_store_n(&w->settled, queues->generation, __ATOMIC_RELEASE);
}

static void rest(struct worker *w, unsigned int idle)
{
	const struct timespec nap = { .tv_nsec = IDLE_SLEEP_NS };

	if (idle < IDLE_PAUSE_LOOPS)
		return;
	if (idle < IDLE_SLEEP_LOOPS) {
		rte_pause();
		return;
	}
	worker_offline(w);
	nanosleep(&nap, NULL);
	worker_online(w);
}

int worker_run(struct worker *w, bool adaptive)
{
	unsigned int idle = 0;

	worker_online(w);
	while (!__atomic_load_n(&w->stop, __ATOMIC_RELAXED)) {
		const struct worker_queues *queues = __atomic_load_n(&w->queues, __ATOMIC_ACQUIRE);
		const uint64_t start = rte_rdtsc();
		unsigned int received;

		w->now_ns = dataplane_now_ns(w->dp);
		inject_send(w);
		received = worker_round(w, queues);
		if (w->hold->count)
			hold_poll(w);
		transmit_flush(w);
		settle(w, queues);
		rte_rcu_qsbr_quiescent(w->dp->qsbr, w->index);
		counter_add(&w->load.loops, 1);
		if (received) {
			idle = 0;
			counter_add(&w->load.received, received);
			counter_add(&w->load.busy_ns, (unsigned __int128)(rte_rdtsc() - start) *
							      1000000000u / w->dp->tsc_hz);
		} else if (adaptive && !w->active) {
			rest(w, ++idle);
		}
	}
	hold_end(w);
	worker_offline(w);
	return 0;
}
