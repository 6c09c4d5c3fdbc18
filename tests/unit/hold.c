// SPDX-License-Identifier: BSD-3-Clause
/* Packets held for a neighbour: order, limits, what becomes of them, and that none gets lost. */
#include "test.h"

#include "hold.h"
#include "rig.h"

#include <pthread.h>
#include <stdlib.h>

/* A copy of the rig's snapshot whose unresolved next hop is what a test makes of it. */
struct edition {
	struct snapshot snapshot;
	struct nexthop_table table;
	struct nexthop nexthop[RIG_NEXTHOPS];
	struct snapshot_port port[RIG_PORTS];
};

static void edition_release(struct snapshot *s)
{
	free(s->owner);
}

static struct edition *edition_create(const struct rig *rig)
{
	struct edition *e = aligned_alloc(64, RTE_ALIGN(sizeof(*e), 64));

	assert_non_null(e);
	e->snapshot = rig->snapshot;
	e->table = rig->table;
	memcpy(e->nexthop, rig->table.nexthop, sizeof(e->nexthop));
	memcpy(e->port, rig->port, sizeof(e->port));
	e->table.nexthop = e->nexthop;
	e->snapshot.nexthops = &e->table;
	e->snapshot.port = e->port;
	e->snapshot.release = edition_release;
	e->snapshot.owner = e;
	return e;
}

static int setup(void **state)
{
	struct rig *rig = rig_create_live();

	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	rig_destroy(*state);
	return 0;
}

/* What is held of a port. */
static uint64_t pending(const struct rig *rig, uint16_t port)
{
	return rig_counters(rig, port).pending;
}

static uint64_t unresolved(const struct rig *rig, uint16_t port)
{
	return rig_counters(rig, port).drop[DROP_NEIGHBOUR_UNRESOLVED].packets;
}

static void send4(struct rig *rig, uint16_t in, uint32_t dst, uint32_t l3_bytes)
{
	rig_input(rig, rig_udp4(rig, in, dst, l3_bytes));
	rig_poll(rig, rig->port[in].device);
	rig_assert_conserved(rig);
}

static void poll_nothing(struct rig *rig)
{
	rig_poll(rig, 0);
	rig_assert_conserved(rig);
}

static void resolved(struct rig *rig)
{
	struct edition *e = edition_create(rig);

	e->nexthop[RIG_LEAF_UNRESOLVED] = e->nexthop[RIG_LEAF_PB];
	snapshot_publish(rig->dp, &e->snapshot);
}

static void held_packets_leave_in_order(void **state)
{
	struct rig *rig = *state;

	for (uint32_t i = 0; i < 5; i++)
		send4(rig, i % 2 ? 2 : 0, RIG_DST4(3), 100 + i);
	assert_int_equal(rig->queue[1].n, 0);
	assert_int_equal(pending(rig, 0), 3);
	assert_int_equal(pending(rig, 2), 2);
	resolved(rig);
	/* those that wait go before one that comes in the same round */
	rig_input(rig, rig_udp4(rig, 0, RIG_DST4(3), 105));
	rig_poll(rig, 0);
	rig_assert_conserved(rig);
	assert_int_equal(rig->queue[1].n, 6);
	for (uint32_t i = 0; i < 6; i++) {
		assert_int_equal(rte_pktmbuf_pkt_len(rig->queue[1].frame[i]), 114 + i);
		assert_int_equal(rig_l3(rig->queue[1].frame[i])[8], 63); /* one hop, not two */
	}
	assert_int_equal(pending(rig, 0) + pending(rig, 2), 0);
	assert_int_equal(unresolved(rig, 0), 0);
}

static void a_next_hop_holds_a_few(void **state)
{
	struct rig *rig = *state;

	for (uint32_t i = 0; i < HOLD_EACH + 3; i++)
		send4(rig, 0, RIG_DST4(3) + i, 100);
	assert_int_equal(pending(rig, 0), HOLD_EACH);
	assert_int_equal(unresolved(rig, 0), 3);
	resolved(rig);
	poll_nothing(rig);
	assert_int_equal(rig->queue[1].n, HOLD_EACH);
}

/* A snapshot that says nothing new of them holds them again, and does not ask again. */
static void packets_are_held_again(void **state)
{
	struct rig *rig = *state;
	struct punt punt[8];
	uint64_t until;

	send4(rig, 0, RIG_DST4(3), 100);
	until = rig->w->hold->packet[0].until_ns;
	assert_int_equal(punt_receive(rig->dp, 0, punt, 8), 1);
	for (int i = 0; i < 3; i++) {
		snapshot_publish(rig->dp, &edition_create(rig)->snapshot);
		poll_nothing(rig);
		assert_int_equal(pending(rig, 0), 1);
	}
	assert_int_equal(rig->w->hold->packet[0].until_ns, until);
	assert_int_equal(punt_receive(rig->dp, 0, punt, 8), 0);
	send4(rig, 0, RIG_DST4(3), 100);
	assert_int_equal(punt_receive(rig->dp, 0, punt, 8), 1);
	assert_true(rig->w->hold->packet[1].until_ns > until);
}

static void senders_are_told_of_failure(void **state)
{
	struct rig *rig = *state;
	struct edition *e = edition_create(rig);

	for (int i = 0; i < 3; i++)
		send4(rig, 0, RIG_DST4(3), 100);
	e->nexthop[RIG_LEAF_UNRESOLVED].kind = NEXTHOP_FAILED;
	snapshot_publish(rig->dp, &e->snapshot);
	poll_nothing(rig);
	assert_int_equal(pending(rig, 0), 0);
	assert_int_equal(unresolved(rig, 0), 3);
	assert_int_equal(rig->queue[0].n, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(rig_l3(rig->queue[0].frame[i])[20], 3);
		assert_int_equal(rig_l3(rig->queue[0].frame[i])[21], 1);
	}
	/* and from now on at once */
	send4(rig, 0, RIG_DST4(3), 100);
	assert_int_equal(pending(rig, 0), 0);
	assert_int_equal(rig->queue[0].n, 4);
}

/* Whoever asks for inventions in a subnet takes no room of next hops of routes. */
static void a_scan_leaves_room(void **state)
{
	struct rig *rig = *state;
	struct edition *e = edition_create(rig);

	e->nexthop[RIG_LEAF_PC].mtu = 0;
	e->nexthop[RIG_LEAF_PC].kind = NEXTHOP_SUBNET;
	snapshot_publish(rig->dp, &e->snapshot);
	for (uint32_t i = 0; i < 2 * HOLD_PACKETS; i++) {
		rig_input(rig, rig_udp6(rig, i % 2 ? 1 : 0,
					(struct ipv6_key){ 0x20010db800020000, i + 1 }, 100));
		rig_poll(rig, i % 2);
	}
	rig_assert_conserved(rig);
	assert_in_range(pending(rig, 0) + pending(rig, 1), HOLD_SUBNETS * 9 / 10, HOLD_SUBNETS);
	send4(rig, 0, RIG_DST4(3), 100);
	assert_int_equal(rig->w->hold->packet[rig->w->hold->count - 1].subnet, false);
	assert_int_equal(rig->w->hold->count - rig->w->hold->subnets, 1);
}

static void a_port_leaves_room(void **state)
{
	struct rig *rig = *state;
	struct edition *e = edition_create(rig);

	/* each destination its own next hop, as far as the count by hash goes */
	e->nexthop[RIG_LEAF_PC].mtu = 0;
	e->nexthop[RIG_LEAF_PC].kind = NEXTHOP_SUBNET;
	snapshot_publish(rig->dp, &e->snapshot);
	for (uint32_t i = 0; i < HOLD_PACKETS; i++)
		send4(rig, 0, RIG_DST4(2) + i % 250, 100);
	assert_int_equal(pending(rig, 0), HOLD_PORT);
	send4(rig, 2, RIG_DST4(3), 100);
	assert_int_equal(pending(rig, 2), 1);
}

static void waiting_ends(void **state)
{
	struct rig *rig = *state;

	send4(rig, 0, RIG_DST4(3), 100);
	send4(rig, 0, RIG_DST4(3), 101);
	rig->w->hold->packet[0].until_ns = 1;
	rig->w->hold->look_ns = 0;
	poll_nothing(rig);
	assert_int_equal(pending(rig, 0), 1);
	assert_int_equal(unresolved(rig, 0), 1);
	assert_int_equal(rig->w->hold->packet[0].bytes, 115);
	resolved(rig);
	poll_nothing(rig);
	assert_int_equal(rig->queue[1].n, 1);
	assert_int_equal(rte_pktmbuf_pkt_len(rig->queue[1].frame[0]), 115);
}

/* The next hop's port is down: asking is vain, and nothing waits. */
static void nothing_waits_for_a_link(void **state)
{
	struct rig *rig = *state;

	dataplane_set_link(rig->dp, 1, false);
	send4(rig, 0, RIG_DST4(3), 100);
	assert_int_equal(pending(rig, 0), 0);
	assert_int_equal(unresolved(rig, 0), 1);
	dataplane_set_link(rig->dp, 1, true);
}

static void a_port_goes(void **state)
{
	struct rig *rig = *state;
	struct edition *e = edition_create(rig);

	send4(rig, 2, RIG_DST4(3), 100);
	send4(rig, 0, RIG_DST4(3), 100);
	e->nexthop[RIG_LEAF_UNRESOLVED] = e->nexthop[RIG_LEAF_PB];
	e->port[2].used = false;
	snapshot_publish(rig->dp, &e->snapshot);
	poll_nothing(rig);
	assert_int_equal(rig->queue[1].n, 1);
	assert_int_equal(unresolved(rig, 2), 1);
	assert_int_equal(pending(rig, 0) + pending(rig, 2), 0);
}

static void routes_change_meanwhile(void **state)
{
	struct rig *rig = *state;
	struct edition *e = edition_create(rig);

	send4(rig, 0, RIG_DST4(3), 100);
	rig_input(rig, rig_udp6(rig, 0, RIG_DST6(1), 100));
	rig_poll(rig, 0);
	assert_int_equal(rig->queue[1].n, 1); /* that one had a neighbour */
	e->nexthop[RIG_LEAF_UNRESOLVED] = e->nexthop[RIG_LEAF_PC];
	snapshot_publish(rig->dp, &e->snapshot);
	poll_nothing(rig);
	assert_int_equal(rig->queue[2].n, 1);
	assert_int_equal(rig->queue[1].n, 1);
}

/* A frame that the new output must cut up, or cannot take. */
static void later_stages_judge_them(void **state)
{
	struct rig *rig = *state;
	struct rte_mbuf *whole = rig_udp4(rig, 2, RIG_DST4(3), 4000);

	rig_input(rig, whole);
	rig_poll(rig, 1);
	send4(rig, 2, RIG_DST4(3), 100);
	assert_int_equal(pending(rig, 2), 2);
	resolved(rig);
	rig->queue[1].room = 3; /* the fragments only */
	poll_nothing(rig);
	assert_int_equal(rig->queue[1].n, 3);
	assert_int_equal(rig_counters(rig, 2).forwarded.packets, 1);
	assert_int_equal(rig_counters(rig, 2).drop[DROP_TX_FULL].packets, 1);
}

static void the_end_of_a_worker_counts_them(void **state)
{
	struct rig *rig = *state;

	for (int i = 0; i < 4; i++)
		send4(rig, 0, RIG_DST4(3), 100);
	assert_int_equal(pending(rig, 0), 4);
	worker_stop(rig->w);
	assert_int_equal(worker_run(rig->w, false), 0);
	assert_int_equal(pending(rig, 0), 0);
	assert_int_equal(unresolved(rig, 0), 4);
	rig_assert_conserved(rig);
	send4(rig, 0, RIG_DST4(3), 100); /* rig_destroy() asserts that this comes back, too */
}

static void replay_waits_for_nothing(void **state)
{
	struct rig *rig = rig_create(NULL);

	(void)state;
	send4(rig, 0, RIG_DST4(3), 100);
	assert_int_equal(unresolved(rig, 0), 1);
	assert_int_equal(pending(rig, 0), 0);
	rig_destroy(rig);
}

/* ---- while control publishes ---- */

/* Endless packets of one flow, each with its number. */
static uint16_t receive_numbered(void *arg, struct rte_mbuf **frame, uint16_t n)
{
	struct rig *rig = arg;

	(void)n;
	if (rte_mempool_avail_count(rig->pool) < 100)
		return 0;
	frame[0] = rig_udp4(rig, 0, RIG_DST4(3), 100);
	rig->samples++;
	memcpy(rig_l3(frame[0]) + 40, &rig->samples, sizeof(rig->samples));
	return 1;
}

/* The flow leaves in the order in which it came, however often it had to wait. */
static uint16_t transmit_numbered(void *arg, struct rte_mbuf **frame, uint16_t n)
{
	struct rig *rig = arg;

	for (uint16_t i = 0; i < n; i++) {
		unsigned int number;

		memcpy(&number, rig_l3(frame[i]) + 40, sizeof(number));
		rig->reports += number <= rig->traced;
		rig->traced = number;
	}
	rte_pktmbuf_free_bulk(frame, n);
	return n;
}

static void *run(void *arg)
{
	worker_run(arg, true);
	return NULL;
}

static void publication_under_load(void **state)
{
	struct rig *rig = *state;
	struct worker_queues *q = calloc(1, sizeof(*q) + sizeof(q->queue[0]));
	struct port_counters c;
	pthread_t thread;

	assert_non_null(q);
	q->count = 1;
	q->queue[0].rxq = (struct rxq){ receive_numbered, rig, 0 };
	worker_set_transmit(rig->w, 1, 1, (struct txq){ transmit_numbered, rig });
	worker_set_queues(rig->w, q);
	assert_int_equal(pthread_create(&thread, NULL, run, rig->w), 0);
	for (int i = 0; i < 2000; i++) {
		const uint64_t loops = worker_load(rig->w).loops;

		if (i % 2)
			resolved(rig);
		else
			snapshot_publish(rig->dp, &edition_create(rig)->snapshot);
		snapshot_reclaim(rig->dp);
		while (i % 3 && worker_load(rig->w).loops == loops)
			sched_yield();
	}
	worker_stop(rig->w);
	pthread_join(thread, NULL);
	assert_int_equal(snapshot_reclaim(rig->dp), 0);
	c = rig_counters(rig, 0);
	assert_int_equal(c.received.packets, rig->samples);
	assert_true(c.forwarded.packets > 100);
	assert_int_equal(c.forwarded.packets + unresolved(rig, 0), rig->samples);
	assert_int_equal(rig->reports, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(held_packets_leave_in_order),
		TEST(a_next_hop_holds_a_few),
		TEST(packets_are_held_again),
		TEST(senders_are_told_of_failure),
		TEST(a_scan_leaves_room),
		TEST(a_port_leaves_room),
		TEST(waiting_ends),
		TEST(nothing_waits_for_a_link),
		TEST(a_port_goes),
		TEST(routes_change_meanwhile),
		TEST(later_stages_judge_them),
		TEST(the_end_of_a_worker_counts_them),
		TEST(publication_under_load),
		cmocka_unit_test(replay_waits_for_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
