// SPDX-License-Identifier: BSD-3-Clause
/* A live worker: its loop, the rings to and from control, the record of drops, busy queues. */
#include "test.h"

#include "rig.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include <rte_ether.h>

static int setup(void **state)
{
	*state = rig_create_live();
	return 0;
}

static int teardown(void **state)
{
	rig_destroy(*state);
	return 0;
}

static void *run(void *arg)
{
	worker_run(arg, true);
	return NULL;
}

static void poll_one(struct rig *rig, uint16_t in, struct rte_mbuf *frame)
{
	rig_input(rig, frame);
	rig_poll(rig, rig->port[in].device);
	rig_assert_conserved(rig);
}

static void unresolved_next_hops_are_asked_for(void **state)
{
	struct rig *rig = *state;
	struct punt punt[4];

	poll_one(rig, 0, rig_udp4(rig, 0, RIG_DST4(3), 100));
	assert_int_equal(punt_receive(rig->dp, 0, punt, 4), 1);
	assert_int_equal(punt[0].kind, PUNT_RESOLVE);
	assert_int_equal(punt[0].port, 1);
	assert_int_equal(punt[0].nexthop, RIG_LEAF_UNRESOLVED);
	assert_int_equal(punt[0].address.hi >> 32, RIG_DST4(3));
	assert_int_equal(punt_receive(rig->dp, 0, punt, 4), 0);
	assert_int_equal(rig->queue[0].n, 0);
	/* once control knows that nobody answers, senders are told */
	rig->table.nexthop[RIG_LEAF_UNRESOLVED].kind = NEXTHOP_FAILED;
	poll_one(rig, 0, rig_udp4(rig, 0, RIG_DST4(3), 100));
	assert_int_equal(rig->queue[0].n, 1);
	assert_int_equal(rig_l3(rig->queue[0].frame[0])[20], 3);
	assert_int_equal(rig_l3(rig->queue[0].frame[0])[21], 1);
	assert_int_equal(punt_receive(rig->dp, 0, punt, 4), 1);
}

/* A flood of unknown destinations costs control no more than its bucket holds. */
static void events_have_a_rate(void **state)
{
	struct rig *rig = *state;
	struct punt punt[64];
	unsigned int n = 0, got;

	for (int round = 0; round < 40; round++) {
		for (int i = 0; i < 64; i++)
			rig_input(rig, rig_udp4(rig, 0, RIG_DST4(3) + i, 100));
		rig_poll(rig, 0);
	}
	while ((got = punt_receive(rig->dp, 0, punt, 64)))
		n += got;
	assert_in_range(n, 500, 1023);
	assert_int_equal(worker_load(rig->w).punts_lost, 40 * 64 - n);
}

static struct rte_mbuf *arp(struct rig *rig, uint8_t operation, const uint8_t addresses[8])
{
	struct rte_mbuf *frame = rig_frame(rig, 0, RTE_ETHER_TYPE_ARP, 46);
	const uint8_t head[8] = { 0, 1, 8, 0, 6, 4, 0, operation };
	uint8_t *l3 = rig_l3(frame);

	memcpy(l3, head, sizeof(head));
	memcpy(l3 + 8, rte_pktmbuf_mtod(frame, uint8_t *) + 6, 6);
	memcpy(l3 + 14, addresses, 4);
	memcpy(l3 + 24, addresses + 4, 4);
	return frame;
}

static void neighbours_are_learned_from_arp(void **state)
{
	static const struct {
		uint8_t operation, addresses[8];
		unsigned int events;
		enum punt_kind kind;
		bool solicited;
	} rows[] = {
		{ 1, { 198, 51, 100, 10, 198, 51, 100, 1 }, 1, PUNT_LEARN, false },
		{ 2, { 198, 51, 100, 10, 198, 51, 100, 1 }, 1, PUNT_LEARN, true },
		{ 1, { 198, 51, 100, 10, 198, 51, 100, 10 }, 1, PUNT_LEARN, false },
		{ 1, { 0, 0, 0, 0, 198, 51, 100, 1 }, 0, 0, false },        /* a probe */
		{ 1, { 198, 51, 100, 10, 198, 51, 100, 77 }, 0, 0, false }, /* not for us */
		{ 1, { 198, 51, 100, 1, 198, 51, 100, 77 }, 1, PUNT_CONFLICT, false },
	};
	struct rig *rig = *state;
	struct punt punt[4];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		poll_one(rig, 0, arp(rig, rows[i].operation, rows[i].addresses));
		assert_int_equal(punt_receive(rig->dp, 0, punt, 4), rows[i].events);
		if (!rows[i].events)
			continue;
		assert_int_equal(punt[0].kind, rows[i].kind);
		assert_int_equal(punt[0].port, 0);
		assert_int_equal(punt[0].mac.addr_bytes[0], 2);
		if (punt[0].kind == PUNT_LEARN)
			assert_int_equal(punt[0].solicited, rows[i].solicited);
	}
}

/* Two exchanges of one address do not answer each other for ever. */
static void an_address_is_defended_now_and_then(void **state)
{
	static const uint8_t announcement[8] = { 198, 51, 100, 1, 198, 51, 100, 1 };
	struct rig *rig = *state;

	for (int i = 0; i < 100; i++)
		poll_one(rig, 0, arp(rig, 1, announcement));
	assert_in_range(rig->queue[0].n, 10, 11);
	assert_int_equal(rig_counters(rig, 0).arp_conflicts, 100);
	assert_int_equal(rig_counters(rig, 0).answers_limited, 100 - rig->queue[0].n);
}

static void control_sends_through_a_worker(void **state)
{
	struct rig *rig = *state;
	pthread_t thread;

	assert_int_equal(inject(rig->dp, 7, 1, NULL), -EINVAL);
	for (int i = 0; i < 100; i++)
		assert_int_equal(inject(rig->dp, 0, 1, rig_udp4(rig, 1, RIG_DST4(1), 100)), 0);
	worker_stop(rig->w); /* one round, then it ends */
	assert_int_equal(worker_run(rig->w, true), 0);
	assert_int_equal(rig->queue[1].n, 0); /* it was stopped before */
	__atomic_store_n(&rig->w->stop, false, __ATOMIC_RELAXED);
	assert_int_equal(pthread_create(&thread, NULL, run, rig->w), 0);
	while (worker_load(rig->w).loops < 5000)
		sched_yield();
	worker_stop(rig->w);
	pthread_join(thread, NULL);
	assert_int_equal(rig->queue[1].n, 100);
	assert_int_equal(rig_counters(rig, 1).originated.packets, 100);
	rig_assert_conserved(rig);
}

static void frames_left_in_the_ring_are_freed(void **state)
{
	struct rig *rig = *state;
	int error = 0;
	unsigned int taken = 0;

	for (; taken < 1023; taken++) {
		struct rte_mbuf *frame = rte_pktmbuf_alloc(rig->pool);

		if (!frame)
			break;
		error = inject(rig->dp, 0, 1, frame);
		if (error) {
			rte_pktmbuf_free(frame);
			break;
		}
	}
	assert_true(taken > 100); /* rig_destroy() asserts that all come back */
}

static uint16_t receive_forever(void *arg, struct rte_mbuf **frame, uint16_t n)
{
	struct rig *rig = arg;

	(void)n;
	frame[0] = rig_udp4(rig, 0, RIG_DST4(7), 100); /* a blackhole: the queues stay empty */
	return 1;
}

static struct worker_queues *one_queue(struct rig *rig)
{
	struct worker_queues *q = calloc(1, sizeof(*q) + sizeof(q->queue[0]));

	assert_non_null(q);
	q->count = 1;
	q->queue[0].rxq = (struct rxq){ receive_forever, rig, 0 };
	return q;
}

static void queues_are_replaced_under_load(void **state)
{
	struct rig *rig = *state;
	struct worker_load load;
	pthread_t thread;

	worker_set_queues(rig->w, one_queue(rig));
	assert_int_equal(pthread_create(&thread, NULL, run, rig->w), 0);
	for (int i = 0; i < 1000; i++) {
		worker_set_queues(rig->w, i % 10 == 9 ? NULL : one_queue(rig));
		snapshot_reclaim(rig->dp);
	}
	worker_set_queues(rig->w, one_queue(rig));
	while (worker_load(rig->w).received < 1000)
		sched_yield();
	worker_stop(rig->w);
	pthread_join(thread, NULL);
	assert_int_equal(snapshot_reclaim(rig->dp), 0);
	load = worker_load(rig->w);
	assert_true(load.busy_ns > 0);
	assert_int_equal(load.received, rig_counters(rig, 0).received.packets);
	rig_assert_conserved(rig);
}

static void last_drops_are_at_hand(void **state)
{
	struct rig *rig = *state;
	struct drop_record list[DROP_RECORDS + 8];
	struct rte_mbuf *short_frame;

	assert_int_equal(drop_records(rig->dp, 0, list, 5), 0);
	for (uint32_t i = 0; i < DROP_RECORDS + 5; i++)
		poll_one(rig, 0, rig_udp4(rig, 0, RIG_DST4(7) + i, 100 + i));
	assert_int_equal(drop_records(rig->dp, 0, list, DROP_RECORDS + 8), DROP_RECORDS);
	assert_int_equal(list[0].bytes, 114 + DROP_RECORDS + 4);
	assert_int_equal(list[0].reason, DROP_BLACKHOLE);
	assert_int_equal(list[0].protocol, 17);
	assert_int_equal(list[0].ttl, 64);
	assert_true(list[0].has_addresses);
	assert_int_equal(list[0].source.hi >> 32, 0xc6130005);
	assert_true(list[0].time_ns >= list[1].time_ns);
	assert_int_equal(drop_records(rig->dp, 0, list, 3), 3);
	poll_one(rig, 2, rig_udp6(rig, 2, (struct ipv6_key){ 0x20010db8000f0000, 1 }, 100));
	assert_int_equal(drop_records(rig->dp, 2, list, 3), 1);
	assert_int_equal(list[0].vlan, 100);
	assert_int_equal(list[0].ether_type, RTE_ETHER_TYPE_IPV6);
	assert_int_equal(list[0].destination.hi, 0x20010db8000f0000);
	short_frame = rig_udp4(rig, 1, 1, 100);
	rte_pktmbuf_trim(short_frame, 104);
	poll_one(rig, 1, short_frame);
	assert_int_equal(drop_records(rig->dp, 1, list, 3), 1);
	assert_int_equal(list[0].reason, DROP_L2_TRUNCATED);
	assert_int_equal(list[0].ether_type, 0);
}

/* A queue that another worker holds: frames wait, and only overflow is lost. */
static void busy_queue_waits_one_loop(void **state)
{
	struct rig *rig = *state;

	rig->queue[1].busy = true;
	poll_one(rig, 0, rig_udp4(rig, 0, RIG_DST4(0), 100));
	assert_int_equal(rig->queue[0].n, 1);
	rig_input(rig, rig_udp4(rig, 0, RIG_DST4(1), 100));
	rig_poll(rig, 0);
	assert_int_equal(rig->w->active, 2);
	rig->queue[1].busy = false;
	transmit_flush(rig->w);
	assert_int_equal(rig->queue[1].n, 1);
	assert_int_equal(rig->w->active, 0);
	rig_assert_conserved(rig);
	rig->queue[1].busy = true;
	for (unsigned int i = 0; i < TRANSMIT_MAX + 7; i++) {
		rig_input(rig, rig_udp4(rig, 0, RIG_DST4(1), 100));
		rig_poll(rig, 0);
	}
	assert_int_equal(rig_counters(rig, 0).drop[DROP_TX_FULL].packets, 7);
	/* fragments cannot overtake what waits */
	rig_input(rig, rig_udp4(rig, 2, RIG_DST4(1), 4000));
	rig_poll(rig, 1);
	assert_int_equal(rig_counters(rig, 2).drop[DROP_TX_FULL].packets, 1);
	rig->queue[1].busy = false;
	transmit_flush(rig->w);
	rig_assert_conserved(rig);
	assert_int_equal(rig->queue[1].n, 1 + TRANSMIT_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(unresolved_next_hops_are_asked_for), TEST(events_have_a_rate),
		TEST(neighbours_are_learned_from_arp),    TEST(an_address_is_defended_now_and_then),
		TEST(control_sends_through_a_worker),     TEST(frames_left_in_the_ring_are_freed),
		TEST(queues_are_replaced_under_load),     TEST(last_drops_are_at_hand),
		TEST(busy_queue_waits_one_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
