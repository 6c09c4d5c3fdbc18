// SPDX-License-Identifier: BSD-3-Clause
/*
 * Publication under load: workers forward while control replaces the snapshot
 * as fast as it can. Every snapshot is given back exactly once, never while a
 * worker reads it (freed tables would show under AddressSanitizer, unordered
 * ones under ThreadSanitizer), and every packet goes by one whole snapshot.
 */
#include "../unit/test.h"

#include "../unit/rig.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ether.h>

#define WORKERS 2
#define ROUNDS  20000

/* A snapshot of its own tables: source and destination MAC of its next hops carry its number. */
struct generation {
	struct snapshot snapshot;
	struct nexthop_table table;
	struct nexthop nexthop[];
};

struct runner {
	pthread_t thread;
	struct worker *w;
	struct rte_mempool *pool;
	const struct rig *rig;
	struct rxq q;
	uint64_t sent, torn;
	bool stop; /* control writes, the runner reads */
};

static unsigned int released;

static void release(struct snapshot *snapshot)
{
	struct generation *g = snapshot->owner;

	memset(g->nexthop, 0xff, g->table.nexthops * sizeof(*g->nexthop));
	free(g);
	released++;
}

static struct snapshot *generation_create(const struct rig *rig, uint32_t number)
{
	const size_t bytes = rig->table.nexthops * sizeof(struct nexthop);
	struct generation *g = aligned_alloc(32, RTE_ALIGN(sizeof(*g) + bytes, 32));

	assert_non_null(g);
	g->snapshot = rig->snapshot;
	g->table = rig->table;
	memcpy(g->nexthop, rig->table.nexthop, bytes);
	for (uint32_t i = LEAF_FIRST_FREE; i < g->table.nexthops; i++) {
		uint8_t *l2 = g->nexthop[i].l2 + sizeof(g->nexthop[i].l2) - 14;

		memcpy(l2 + 2, &number, sizeof(number));
		memcpy(l2 + 8, &number, sizeof(number));
	}
	g->table.nexthop = g->nexthop;
	g->snapshot.nexthops = &g->table;
	g->snapshot.generation = number;
	g->snapshot.release = release;
	g->snapshot.owner = g;
	return &g->snapshot;
}

static uint16_t receive(void *arg, struct rte_mbuf **frame, uint16_t n)
{
	struct runner *r = arg;

	(void)n;
	if (rte_pktmbuf_alloc_bulk(r->pool, frame, 8) != 0)
		return 0;
	for (int i = 0; i < 8; i++) {
		static const uint8_t packet[60] = { 2,    0,    0,   0,  0, 0xff, 2,   0,  0,  0,
						    0,    0,    8,   0, /* to pa from its router */
						    0x45, 0,    0,   46, 0, 0,    0,   0,  64, 17,
						    0xed, 0x93, 198, 19, 0, 5,    198, 18, 1,  1 };

		memcpy(rte_pktmbuf_append(frame[i], sizeof(packet)), packet, sizeof(packet));
		*frame_origin(frame[i]) = (struct frame_origin){ .wire_bytes = sizeof(packet) };
	}
	return 8;
}

static uint16_t transmit_and_check(void *arg, struct rte_mbuf **frame, uint16_t n)
{
	struct runner *r = arg;

	for (uint16_t i = 0; i < n; i++) {
		const uint8_t *l2 = rte_pktmbuf_mtod(frame[i], const uint8_t *);

		r->torn += memcmp(l2 + 2, l2 + 8, 4) != 0;
		r->sent++;
	}
	rte_pktmbuf_free_bulk(frame, n);
	return n;
}

static void *run(void *arg)
{
	struct runner *r = arg;

	worker_online(r->w);
	while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED))
		worker_poll(r->w, &r->q);
	worker_offline(r->w);
	return NULL;
}

static void start(struct runner *r, const struct rig *rig, struct worker *w, unsigned int number)
{
	char name[16];

	*r = (struct runner){ .w = w, .rig = rig };
	snprintf(name, sizeof(name), "own%u", number);
	r->pool = rte_pktmbuf_pool_create(name, 255, 0, RTE_ALIGN(sizeof(struct frame_origin), 8),
					  2048, SOCKET_ID_ANY);
	assert_non_null(r->pool);
	r->q = (struct rxq){ receive, r, 0 };
	worker_set_pool(w, r->pool);
	for (uint16_t p = 0; p < RIG_PORTS; p++)
		worker_set_transmit(w, p, p, (struct txq){ transmit_and_check, r });
	assert_int_equal(pthread_create(&r->thread, NULL, run, r), 0);
}

static void snapshots_change_under_load(void **state)
{
	const struct dataplane_config config = { .workers = WORKERS,
						 .offline = true,
						 .parties = RIG_PORTS,
						 .transmit_queues = RIG_PORTS };
	struct rig *rig = rig_create(NULL);
	struct dataplane *dp = dataplane_create(&config);
	struct runner runner[WORKERS];
	struct port_counters c;
	unsigned int waiting;
	uint64_t sent = 0;

	(void)state;
	assert_non_null(dp);
	snapshot_publish(dp, generation_create(rig, 0));
	for (unsigned int i = 0; i < WORKERS; i++)
		start(&runner[i], rig, dataplane_worker(dp, i), i);
	for (uint32_t k = 1; k <= ROUNDS; k++) {
		snapshot_publish(dp, generation_create(rig, k));
		dataplane_set_link(dp, 2, k % 2);
		snapshot_reclaim(dp);
		counters_port(dp, 0, &c);
		if (k % 16 == 0)
			sched_yield();
	}
	do
		waiting = snapshot_reclaim(dp);
	while (waiting && sched_yield() == 0);
	assert_int_equal(released, ROUNDS);
	for (unsigned int i = 0; i < WORKERS; i++) {
		__atomic_store_n(&runner[i].stop, true, __ATOMIC_RELAXED);
		pthread_join(runner[i].thread, NULL);
		assert_int_equal(runner[i].torn, 0);
		assert_true(runner[i].sent > 0);
		sent += runner[i].sent;
	}
	counters_port(dp, 0, &c);
	assert_int_equal(c.received.packets, sent);
	assert_int_equal(c.forwarded.packets, sent);
	dataplane_destroy(dp);
	assert_int_equal(released, ROUNDS + 1);
	for (unsigned int i = 0; i < WORKERS; i++)
		rte_mempool_free(runner[i].pool);
	rig_destroy(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snapshots_change_under_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
