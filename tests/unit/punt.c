// SPDX-License-Identifier: BSD-3-Clause
/* Frames for the host: their classes, policers and rings; and frames that control sends. */
#include "test.h"

#include "rig.h"

#include "punt.h"

enum { TCP = 6, UDP = 17, ICMP = 1, ICMPV6 = 58, OSPF = 89 };

#define OWN4(port) (rig_own4[port])
static const uint32_t rig_own4[RIG_PORTS] = { 0xc6336401, 0xcb007101, 0xc0000201 };
static const struct ipv6_key rig_own6[RIG_PORTS] = { { 0x20010db8000a0000, 1 },
						     { 0x20010db8000b0000, 1 },
						     { 0x20010db8000c0000, 1 } };

static int setup(void **state)
{
	struct rig *rig = rig_create_live();

	for (uint16_t i = 0; i < RIG_PORTS; i++)
		rig->port[i].tap_accept = TAP_ACCEPT_BGP | TAP_ACCEPT_BFD | TAP_ACCEPT_ICMP;
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	rig_destroy(*state);
	return 0;
}

static void put_ports(uint8_t *l4, uint16_t source, uint16_t destination)
{
	l4[0] = source >> 8;
	l4[1] = source & 0xff;
	l4[2] = destination >> 8;
	l4[3] = destination & 0xff;
}

/* 200 bytes for an address of the exchange, from a host outside. */
static struct rte_mbuf *packet4(struct rig *rig, uint16_t in, uint8_t protocol, uint16_t source,
				uint16_t destination)
{
	struct rte_mbuf *frame = rig_udp4(rig, in, OWN4(in), 200);
	uint8_t *ip = rig_l3(frame);

	ip[9] = protocol;
	put_ports(ip + 20, source, destination);
	rig_checksum4(ip);
	return frame;
}

static struct rte_mbuf *packet6(struct rig *rig, uint16_t in, uint8_t protocol, uint16_t source,
				uint16_t destination)
{
	struct rte_mbuf *frame = rig_udp6(rig, in, rig_own6[in], 200);
	uint8_t *ip = rig_l3(frame);

	ip[6] = protocol;
	put_ports(ip + 40, source, destination);
	return frame;
}

static void poll_one(struct rig *rig, uint16_t in, struct rte_mbuf *frame)
{
	rig_input(rig, frame);
	rig_poll(rig, rig->port[in].device);
	rig_assert_conserved(rig);
}

static unsigned int take(struct rig *rig, enum punt_class which, struct punt_frame *last)
{
	struct punt_frame list[64];
	unsigned int n, all = 0;

	while ((n = punt_receive_frames(rig->dp, 0, which, list, 64))) {
		for (unsigned int i = 0; i < n; i++)
			rte_pktmbuf_free(list[i].frame);
		if (last)
			*last = list[n - 1];
		all += n;
	}
	return all;
}

static void what_the_tap_accepts_comes_in_its_class(void **state)
{
	enum { NOBODY = PUNT_CLASSES };
	static const struct {
		const char *name;
		uint8_t protocol;
		uint16_t source, destination;
		uint8_t accept;
		unsigned int which;
	} rows[] = {
		{ "BGP to us", TCP, 40000, 179, TAP_ACCEPT_BGP, PUNT_ROUTING },
		{ "BGP that we opened", TCP, 179, 40000, TAP_ACCEPT_BGP, PUNT_ROUTING },
		{ "other TCP", TCP, 40000, 22, TAP_ACCEPT_BGP, NOBODY },
		{ "BGP where only BFD is taken", TCP, 40000, 179, TAP_ACCEPT_BFD, NOBODY },
		{ "BFD, single hop", UDP, 49152, 3784, TAP_ACCEPT_BFD, PUNT_ROUTING },
		{ "BFD, multihop", UDP, 49152, 4784, TAP_ACCEPT_BFD, PUNT_ROUTING },
		{ "BFD's port as the source", UDP, 3784, 49152, TAP_ACCEPT_BFD, NOBODY },
		{ "BFD where only BGP is taken", UDP, 49152, 3784, TAP_ACCEPT_BGP, NOBODY },
		{ "UDP to BGP's port", UDP, 179, 179, TAP_ACCEPT_BGP, NOBODY },
		{ "ICMP", ICMP, 0, 0, TAP_ACCEPT_ICMP, PUNT_ICMP },
		{ "ICMPv6", ICMPV6, 0, 0, TAP_ACCEPT_ICMP, PUNT_ICMP },
		{ "ICMP where only BGP is taken", ICMP, 0, 0, TAP_ACCEPT_BGP, NOBODY },
		{ "anything where all is taken", OSPF, 0, 0, TAP_ACCEPT_ALL, PUNT_REST },
		{ "SSH where all is taken", TCP, 40000, 22, TAP_ACCEPT_ALL, PUNT_REST },
		{ "BGP where all is taken", TCP, 40000, 179, TAP_ACCEPT_ALL, PUNT_ROUTING },
		{ "ICMP where all is taken", ICMP, 0, 0, TAP_ACCEPT_ALL, PUNT_ICMP },
		{ "nothing without a TAP", TCP, 40000, 179, 0, NOBODY },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int ipv6 = 0; ipv6 < 2; ipv6++) {
			const uint64_t had = rig_counters(rig, 0).consumed.packets;

			rig->port[0].tap_accept = rows[i].accept;
			poll_one(rig, 0,
				 (ipv6 ? packet6 : packet4)(rig, 0, rows[i].protocol,
							    rows[i].source, rows[i].destination));
			for (unsigned int c = 0; c < PUNT_CLASSES; c++)
				if (take(rig, c, NULL) != (c == rows[i].which))
					fail_msg("%s: class %u", rows[i].name, c);
			assert_int_equal(rig_counters(rig, 0).consumed.packets - had,
					 rows[i].which != NOBODY);
		}
	}
}

static void the_frame_comes_whole_with_its_place(void **state)
{
	struct rig *rig = *state;
	struct punt_frame got;
	struct rte_mbuf *frame = packet4(rig, 2, TCP, 40000, 179);

	/* a tag before it and padding behind */
	rte_pktmbuf_append(frame, 9);
	poll_one(rig, 2, frame);
	assert_int_equal(punt_receive_frames(rig->dp, 0, PUNT_ROUTING, &got, 1), 1);
	assert_ptr_equal(got.frame, frame);
	assert_int_equal(got.port, 2);
	assert_int_equal(got.l3_offset, 18);
	assert_int_equal(got.l3_bytes, 200);
	assert_false(got.ipv6);
	assert_int_equal(rte_pktmbuf_mtod(got.frame, uint8_t *)[18], 0x45);
	rte_pktmbuf_free(got.frame);
	poll_one(rig, 1, packet6(rig, 1, ICMPV6, 0x8100, 0));
	assert_int_equal(punt_receive_frames(rig->dp, 0, PUNT_ICMP, &got, 1), 1);
	assert_int_equal(got.port, 1);
	assert_int_equal(got.l3_offset, 14);
	assert_true(got.ipv6);
	rte_pktmbuf_free(got.frame);
}

/* RFC 6192: who floods one class at one port, starves no other class and no other port. */
static void floods_starve_nobody_else(void **state)
{
	struct rig *rig = *state;
	unsigned int icmp;
	uint64_t policed;

	for (int i = 0; i < 1000; i++)
		poll_one(rig, 0, packet4(rig, 0, ICMP, 0, 0));
	policed = rig_counters(rig, 0).drop[DROP_PUNT_POLICED].packets;
	assert_in_range(policed, 1, 800);
	poll_one(rig, 0, packet4(rig, 0, TCP, 40000, 179));
	poll_one(rig, 1, packet4(rig, 1, ICMP, 0, 0));
	assert_int_equal(rig_counters(rig, 0).drop[DROP_PUNT_POLICED].packets, policed);
	assert_int_equal(rig_counters(rig, 1).drop[DROP_PUNT_POLICED].packets, 0);
	icmp = take(rig, PUNT_ICMP, NULL);
	assert_in_range(icmp, 201, 255); /* the ring's room is more than a port's burst */
	assert_int_equal(take(rig, PUNT_ROUTING, NULL), 1);
	assert_int_equal(icmp - 1 + policed + rig_counters(rig, 0).drop[DROP_PUNT_FULL].packets,
			 1000);
}

static void a_full_ring_is_counted_by_itself(void **state)
{
	struct rig *rig = *state;
	struct punt_frame last;
	unsigned int taken;

	for (int i = 0; i < 300; i++) /* of three ports, so that no port's bucket is empty */
		poll_one(rig, i % 3, packet4(rig, i % 3, ICMP, 0, 0));
	assert_int_equal(rig_counters(rig, 0).drop[DROP_PUNT_POLICED].packets, 0);
	taken = take(rig, PUNT_ICMP, &last);
	assert_int_equal(taken, 255);
	assert_int_equal(rig_counters(rig, 0).drop[DROP_PUNT_FULL].packets +
				 rig_counters(rig, 1).drop[DROP_PUNT_FULL].packets +
				 rig_counters(rig, 2).drop[DROP_PUNT_FULL].packets,
			 45);
	poll_one(rig, 0, packet4(rig, 0, ICMP, 0, 0));
	assert_int_equal(take(rig, PUNT_ICMP, NULL), 1);
}

static void frames_nobody_took_are_freed(void **state)
{
	struct rig *rig = *state;

	poll_one(rig, 0, packet4(rig, 0, TCP, 40000, 179)); /* rig_destroy() looks for it */
	assert_int_equal(punt_receive_frames(rig->dp, 7, PUNT_ROUTING, NULL, 1), 0);
}

/* Offline nobody is there to take it: consumed, and no more. */
static void replay_only_consumes(void **state)
{
	struct rig *rig = rig_create(NULL);
	struct punt_frame got;

	(void)state;
	rig->port[0].tap_accept = TAP_ACCEPT_ALL;
	poll_one(rig, 0, packet4(rig, 0, OSPF, 0, 0));
	assert_int_equal(rig_counters(rig, 0).consumed.packets, 1);
	assert_int_equal(punt_receive_frames(rig->dp, 0, PUNT_REST, &got, 1), 0);
	rig_destroy(rig);
}

/* ---- inject ---- */

/* A frame that is told by its length. */
static void inject_numbered(struct rig *rig, uint16_t port, uint32_t number)
{
	assert_int_equal(inject(rig->dp, 0, port, rig_udp4(rig, port, RIG_DST4(1), 100 + number)),
			 0);
}

static uint32_t number_of(const struct rig_queue *q, uint32_t i)
{
	return rte_pktmbuf_pkt_len(q->frame[i]) - 114;
}

static void a_full_device_is_tried_again_in_order(void **state)
{
	struct rig *rig = *state;

	rig->w->now_ns = 1000;
	rig->queue[0].room = 1;
	for (uint32_t i = 0; i < 3; i++)
		inject_numbered(rig, 0, i);
	inject_numbered(rig, 1, 7);
	inject_send(rig->w);
	/* port 1 does not wait for port 0 */
	assert_int_equal(rig->queue[0].n, 1);
	assert_int_equal(rig->queue[1].n, 1);
	inject_numbered(rig, 0, 3);
	inject_send(rig->w);
	assert_int_equal(rig->queue[0].n, 1);
	rig->queue[0].room = UINT32_MAX;
	inject_send(rig->w);
	assert_int_equal(rig->queue[0].n, 4);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(number_of(&rig->queue[0], i), i);
	assert_int_equal(rig_counters(rig, 0).originated.packets, 4);
	assert_int_equal(rig_counters(rig, 0).unsent.packets, 0);
	rig_assert_conserved(rig);
}

static void patience_ends(void **state)
{
	struct rig *rig = *state;

	rig->w->now_ns = 1000;
	rig->queue[0].room = 0;
	rig->queue[1].busy = true;
	for (uint32_t i = 0; i < 100; i++)
		inject_numbered(rig, i % 2, i);
	inject_send(rig->w);
	rig->w->now_ns += 5000000;
	inject_send(rig->w); /* no room for more: they wait in the ring */
	assert_int_equal(rig_counters(rig, 0).unsent.packets, 0);
	rig->w->now_ns += 6000000;
	inject_send(rig->w);
	assert_int_equal(rig_counters(rig, 0).unsent.packets, 32);
	assert_int_equal(rig_counters(rig, 1).unsent.packets, 32);
	rig->queue[0].room = UINT32_MAX;
	rig->queue[1].busy = false;
	inject_send(rig->w);
	assert_int_equal(rig->queue[0].n, 18);
	assert_int_equal(rig->queue[1].n, 18);
	rig_assert_conserved(rig);
}

/* A queue that another worker held: what control sends overtakes the transit that waits there. */
static void before_transit_that_waits(void **state)
{
	struct rig *rig = *state;

	rig->queue[1].busy = true;
	rig_input(rig, rig_udp4(rig, 0, RIG_DST4(1), 300));
	rig_poll(rig, 0);
	rig->queue[1].busy = false;
	inject_numbered(rig, 1, 0);
	inject_send(rig->w);
	transmit_flush(rig->w);
	assert_int_equal(rig->queue[1].n, 2);
	assert_int_equal(number_of(&rig->queue[1], 0), 0);
	assert_int_equal(number_of(&rig->queue[1], 1), 200);
	rig_assert_conserved(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(what_the_tap_accepts_comes_in_its_class),
		TEST(the_frame_comes_whole_with_its_place),
		TEST(floods_starve_nobody_else),
		TEST(a_full_ring_is_counted_by_itself),
		TEST(frames_nobody_took_are_freed),
		cmocka_unit_test(replay_only_consumes),
		TEST(a_full_device_is_tried_again_in_order),
		TEST(patience_ends),
		TEST(before_transit_that_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
