// SPDX-License-Identifier: BSD-3-Clause
/* Receive queues that go from worker to worker while packets come. */
#include "test.h"

#include "eal.h"
#include "out_of_memory.h"
#include "queues.h"
#include "rig.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include <rte_mempool.h>

#define QUEUES  6
#define WORKERS 3
#define MOVES   200
#define SECOND  UINT64_C(1000000000)

static bool ended; /* atomic: nothing comes any more */

/* A receive queue with one flow in it. Plain variables: ThreadSanitizer sees two that share. */
static struct source {
	int inside; /* atomic: somebody polls it */
	bool shared;
	uint32_t next;    /* number of the next packet */
	uint32_t arrived; /* number of the last packet that was sent */
	uint32_t overtaken;
} source[QUEUES] __attribute__((aligned(64)));

/* Of the worker that runs on this thread: the rig with a pool of its own, because ThreadSanitizer
 * does not understand how DPDK's rings pass buffers from thread to thread. */
static __thread struct rig own;

static uint16_t receive(void *arg, struct rte_mbuf **frame, uint16_t n)
{
	struct source *s = arg;
	uint16_t got = 0;

	s->shared |= __atomic_exchange_n(&s->inside, 1, __ATOMIC_RELAXED);
	while (got < n && got < 8 && !__atomic_load_n(&ended, __ATOMIC_RELAXED) &&
	       rte_mempool_avail_count(own.pool) > 100) {
		const uint32_t number = ++s->next, flow = s - source;

		frame[got] = rig_udp4(&own, 0, RIG_DST4(1), 100);
		memcpy(rig_l3(frame[got]) + 40, &number, sizeof(number));
		memcpy(rig_l3(frame[got]) + 44, &flow, sizeof(flow));
		got++;
	}
	__atomic_store_n(&s->inside, 0, __ATOMIC_RELAXED);
	return got;
}

static struct rxq handle(uint16_t device, uint16_t queue)
{
	return (struct rxq){ receive, &source[queue], device };
}

/* A way out that is busy half of the time, for some loops: fewer frames than may wait come in them.
 */
static uint16_t transmit_or_busy(void *arg, struct rte_mbuf **frame, uint16_t n)
{
	unsigned int *turn = arg;

	if (++*turn % 56 < 28)
		return TRANSMIT_BUSY;
	for (uint16_t i = 0; i < n; i++) {
		uint32_t number, flow;

		memcpy(&number, rig_l3(frame[i]) + 40, sizeof(number));
		memcpy(&flow, rig_l3(frame[i]) + 44, sizeof(flow));
		source[flow].overtaken += number != source[flow].arrived + 1;
		source[flow].arrived = number;
	}
	rte_pktmbuf_free_bulk(frame, n);
	return n;
}

struct launch {
	struct rig rig;
	struct worker *w;
	unsigned int turn;
};

static void *run(void *arg)
{
	struct launch *launch = arg;

	own = launch->rig;
	worker_run(launch->w, true);
	return NULL;
}

static struct rig *start(void)
{
	struct rig *rig = rig_create_workers(WORKERS);

	memset(source, 0, sizeof(source));
	worker_offline(rig->w); /* until its thread runs */
	return rig;
}

static const int16_t nodes[WORKERS] = { -1, -1, -1 };

static void moving_loses_and_reorders_nothing(void **state)
{
	struct rig *rig = start();
	struct queues *q = queues_create(rig->dp, WORKERS, nodes, handle);
	struct queue_move move;
	pthread_t thread[WORKERS];
	static struct launch launch[WORKERS];
	unsigned int moves = 0, random = 1, packets = 0;

	(void)state;
	queues_set_device(q, 0, QUEUES, -1);
	queues_share(q);
	for (unsigned int i = 0; i < WORKERS; i++) {
		struct launch *l = &launch[i];

		*l = (struct launch){ *rig, dataplane_worker(rig->dp, i), 0 };
		l->rig.pool = test_eal_pool(511, 2048);
		worker_set_pool(l->w, l->rig.pool);
		worker_set_transmit(l->w, 1, 1, (struct txq){ transmit_or_busy, &l->turn });
		assert_int_equal(pthread_create(&thread[i], NULL, run, l), 0);
	}
	for (uint64_t now = 1; moves < MOVES; now++) {
		random = random * 1103515245 + 12345;
		moves += queues_move(q, 0, random / 65536 % QUEUES, random / 4096 % WORKERS) == 0;
		queues_tick(q, now, &move);
		snapshot_reclaim(rig->dp);
		sched_yield();
	}
	__atomic_store_n(&ended, true, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < WORKERS; i++)
		while (rte_mempool_in_use_count(launch[i].rig.pool) > 0)
			sched_yield();
	for (unsigned int i = 0; i < WORKERS; i++)
		worker_stop(dataplane_worker(rig->dp, i));
	for (unsigned int i = 0; i < WORKERS; i++)
		pthread_join(thread[i], NULL);
	for (unsigned int i = 0; i < WORKERS; i++)
		rte_mempool_free(launch[i].rig.pool);
	for (int i = 0; i < QUEUES; i++) {
		assert_false(source[i].shared);
		assert_true(source[i].next > 0);
		assert_int_equal(source[i].arrived, source[i].next);
		packets += source[i].next;
		assert_int_equal(source[i].overtaken, 0);
	}
	assert_int_equal(rig_counters(rig, 0).forwarded.packets, packets);
	rig_assert_conserved(rig);
	rig_destroy(rig);
	queues_free(q);
}

/* ---- by load, without threads: the test is the clock and what workers say ---- */

static struct queue_load *counter(struct rig *rig, unsigned int worker, unsigned int i)
{
	return rig->dp->worker[worker]->queues->queue[i].load;
}

static unsigned int listed(struct queues *q, uint16_t worker, struct queue_view *list)
{
	return queues_of_worker(q, worker, list, QUEUES);
}

static void a_busy_worker_is_relieved(void **state)
{
	struct rig *rig = start();
	struct queues *q = queues_create(rig->dp, 2, nodes, handle);
	struct queue_view list[QUEUES];
	struct queue_move move;
	uint64_t now = SECOND;

	(void)state;
	queues_set_device(q, 0, 4, -1);
	queues_share(q);
	assert_int_equal(listed(q, 0, list), 2);
	assert_int_equal(list[1].queue, 2);
	assert_false(queues_tick(q, now, &move));
	for (int second = 1; second <= 10; second++) {
		rig->dp->worker[0]->load.busy_ns += SECOND / 100 * 95;
		rig->dp->worker[1]->load.busy_ns += SECOND / 10;
		counter(rig, 0, 0)->received += 1000;
		counter(rig, 0, 1)->received += 900;
		counter(rig, 1, 0)->received += 100;
		now += SECOND / 2;
		assert_false(queues_tick(q, now, &move)); /* measures once a second only */
		now += SECOND / 2;
		assert_int_equal(queues_tick(q, now, &move), second == 10);
	}
	assert_int_equal(move.queue, 2);
	assert_int_equal(move.from, 0);
	assert_int_equal(move.to, 1);
	assert_true(queues_busy(q, 0) > 0.94 && queues_busy(q, 0) < 0.96);
	/* it waits for the old worker to settle, and stays until it has arrived */
	assert_int_equal(listed(q, 0, list), 1);
	assert_int_equal(listed(q, 1, list), 3);
	assert_int_equal(list[1].queue, 2);
	assert_true(list[1].moving);
	assert_int_equal(list[1].received, 9000);
	assert_int_equal(queues_move(q, 0, 2, 0), -EAGAIN);
	rig->dp->worker[0]->settled = rig->dp->worker[0]->queues->generation;
	assert_false(queues_tick(q, ++now, &move));
	assert_int_equal(listed(q, 1, list), 3);
	assert_false(list[1].moving);
	assert_int_equal(rig->dp->worker[1]->queues->queue[1].after, 0);
	assert_int_equal(queues_move(q, 0, 2, 0), 0);
	assert_int_equal(queues_move(q, 0, 4, 0), -EINVAL);
	assert_int_equal(queues_move(q, 0, 2, 2), -EINVAL);
	rig_destroy(rig);
	queues_free(q);
}

static void nine_busy_seconds_are_not_ten(void **state)
{
	struct rig *rig = start();
	struct queues *q = queues_create(rig->dp, 2, nodes, handle);
	struct queue_move move;
	uint64_t now = SECOND;

	(void)state;
	queues_set_device(q, 0, 4, -1);
	queues_share(q);
	queues_tick(q, now, &move);
	for (int second = 1; second <= 40; second++) {
		rig->dp->worker[0]->load.busy_ns += second % 10 ? SECOND : SECOND / 2;
		counter(rig, 0, 0)->received += 1000;
		counter(rig, 0, 1)->received += 1000;
		now += SECOND;
		assert_false(queues_tick(q, now, &move));
	}
	rig_destroy(rig);
	queues_free(q);
}

static void rebalancing_evens_out(void **state)
{
	struct rig *rig = start();
	struct queues *q = queues_create(rig->dp, 2, nodes, handle);
	struct queue_view list[QUEUES];
	struct queue_move moves[QUEUES], move;

	(void)state;
	queues_set_device(q, 0, QUEUES, -1);
	queues_share(q);
	for (uint16_t k = 0; k < QUEUES; k++)
		queues_move(q, 0, k, 1);
	/* the three of worker 0 are on their way: nothing of worker 0 is settled */
	assert_int_equal(listed(q, 1, list), QUEUES);
	rig->dp->worker[0]->settled = rig->dp->worker[0]->queues->generation;
	assert_int_equal(queues_rebalance(q, moves, QUEUES), 3);
	assert_int_equal(listed(q, 0, list), 3);
	assert_int_equal(listed(q, 1, list), 3);
	assert_int_equal(queues_rebalance(q, moves, QUEUES), 0);
	/* a device that goes takes its queues along, moving or not */
	queues_set_device(q, 0, 0, -1);
	queues_share(q);
	assert_int_equal(listed(q, 0, list) + listed(q, 1, list), 0);
	assert_int_equal(rig->dp->worker[0]->queues->count, 0);
	assert_false(queues_tick(q, SECOND, &move));
	rig_destroy(rig);
	queues_free(q);
}

/* Told by halves, a queue would have nobody, or two. */
static void without_memory_nothing_moves_until_there_is_some(void **state)
{
	struct rig *rig = start();
	struct queues *q = queues_create(rig->dp, 2, nodes, handle);
	struct queue_view list[QUEUES];
	struct queue_move move;

	(void)state;
	queues_set_device(q, 0, 2, -1);
	queues_share(q);
	for (unsigned int n = 0; n < 2; n++) {
		const struct worker_queues *before[2] = { rig->dp->worker[0]->queues,
							  rig->dp->worker[1]->queues };

		out_of_memory_after(n);
		assert_int_equal(queues_move(q, 0, 0, 1), 0);
		out_of_memory_never();
		assert_ptr_equal(rig->dp->worker[0]->queues, before[0]);
		assert_ptr_equal(rig->dp->worker[1]->queues, before[1]);
		assert_int_equal(listed(q, 0, list), 1);
	}
	assert_false(queues_tick(q, 1, &move));
	assert_int_equal(listed(q, 0, list), 0);
	assert_int_equal(rig->dp->worker[0]->queues->count, 0);
	assert_int_equal(rig->dp->worker[1]->queues->count, 2);
	assert_int_equal(rig->dp->worker[1]->queues->queue[0].after,
			 rig->dp->worker[0]->queues->generation);
	assert_int_equal(rig->dp->worker[1]->queues->queue[0].after_worker, 0);
	rig_destroy(rig);
	queues_free(q);
}

static void queues_across_nodes_are_counted(void **state)
{
	static const int16_t two[2] = { 0, 1 };
	struct rig *rig = start();
	struct queues *q = queues_create(rig->dp, 2, two, handle);
	struct queue_view list[QUEUES];

	(void)state;
	queues_set_device(q, 0, 2, 1);
	queues_set_device(q, 1, 2, 5);
	queues_set_device(q, 2, 2, -1);
	assert_int_equal(queues_across(q, 1), 0); /* nobody polls it yet */
	queues_share(q);
	assert_int_equal(queues_across(q, 0), 0);
	assert_int_equal(queues_across(q, 1), 2);
	assert_int_equal(queues_across(q, 2), 0);
	assert_int_equal(listed(q, 0, list) + listed(q, 1, list), 6);
	assert_true(queues_cross_nodes(q, 5));
	assert_false(queues_cross_nodes(q, 1));
	assert_int_equal(queues_move(q, 0, 1, 0), 0); /* who insists may */
	assert_int_equal(queues_across(q, 0), 1);
	rig_destroy(rig);
	queues_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moving_loses_and_reorders_nothing),
		cmocka_unit_test(a_busy_worker_is_relieved),
		cmocka_unit_test(nine_busy_seconds_are_not_ten),
		cmocka_unit_test(rebalancing_evens_out),
		cmocka_unit_test(without_memory_nothing_moves_until_there_is_some),
		cmocka_unit_test(queues_across_nodes_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
