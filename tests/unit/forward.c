// SPDX-License-Identifier: BSD-3-Clause
/* Forwarding as a whole: rewrite, fragments, queues that refuse, links that go down, hooks. */
#include "test.h"

#include "ask.h"
#include "rig.h"

#include <stdlib.h>

#include <rte_ether.h>
#include <rte_ip.h>

static void count_drop(void *ctx, const struct drop_event *event)
{
	((struct rig *)ctx)->drops[event->reason]++;
}

static void count_report(void *ctx, const struct drop_event *event)
{
	assert_int_equal(event->reason, DROP_SOURCE_CHECK);
	((struct rig *)ctx)->reports++;
}

static void count_trace(void *ctx, const struct trace_event *event)
{
	assert_non_null(event->stage);
	/* what is traced can be read: the frame has not gone yet */
	assert_true(rte_pktmbuf_pkt_len(event->frame) >= 14);
	((struct rig *)ctx)->traced++;
}

static void count_sample(void *ctx, const struct sample_event *event)
{
	assert_int_equal(event->nexthop->port, 1);
	((struct rig *)ctx)->samples++;
}

static int setup(void **state)
{
	const struct hooks hooks = { .drop = count_drop, .report = count_report };

	*state = rig_create(&hooks);
	return 0;
}

static int teardown(void **state)
{
	rig_destroy(*state);
	return 0;
}

/* RFC 1624: for every TTL and checksum the rewritten header is what summing it anew gives. */
static void checksum_is_as_computed_anew(void **state)
{
	struct rig *rig = *state;

	for (uint32_t id = 0; id < 65536; id += 7) {
		struct rte_mbuf *in = rig_udp4(rig, 0, RIG_DST4(1), 46), *out;
		uint8_t *ip = rig_l3(in);
		uint16_t got;

		ip[4] = id >> 8;
		ip[5] = id & 0xff;
		ip[8] = 2 + id % 254;
		rig_checksum4(ip);
		out = rig_forward(rig, 0, in, 1);
		assert_non_null(out);
		ip = rig_l3(out);
		assert_int_equal(ip[8], 1 + id % 254);
		memcpy(&got, ip + 10, sizeof(got));
		rig_checksum4(ip);
		assert_memory_equal(&got, ip + 10, sizeof(got));
	}
}

/* RFC 1624 section 3: a sender may write minus zero; it must not turn into a wrong checksum. */
static void checksum_sent_as_minus_zero(void **state)
{
	struct rig *rig = *state;
	unsigned int seen = 0;

	for (uint32_t id = 0; id < 65536; id++) {
		struct rte_mbuf *in = rig_udp4(rig, 0, RIG_DST4(1), 46), *out;
		uint8_t *ip = rig_l3(in);

		ip[4] = id >> 8;
		ip[5] = id & 0xff;
		rig_checksum4(ip);
		if (ip[10] || ip[11]) {
			rte_pktmbuf_free(in);
			continue;
		}
		ip[10] = ip[11] = 0xff;
		out = rig_forward(rig, 0, in, 1);
		assert_non_null(out);
		assert_int_equal(rte_raw_cksum(rig_l3(out), 20), 0xffff);
		seen++;
	}
	assert_int_equal(seen, 1);
}

static void tags_come_and_go(void **state)
{
	struct rig *rig = *state;
	struct rte_mbuf *out = rig_forward(rig, 0, rig_udp4(rig, 0, RIG_DST4(2), 100), 2);
	const uint8_t tagged[6] = { 0x81, 0, 0, 100, 8, 0 }, plain[2] = { 0x86, 0xdd };

	assert_non_null(out);
	assert_int_equal(rte_pktmbuf_pkt_len(out), 118);
	assert_memory_equal(rte_pktmbuf_mtod_offset(out, uint8_t *, 12), tagged, 6);
	out = rig_forward(rig, 2, rig_udp6(rig, 2, RIG_DST6(1), 100), 1);
	assert_non_null(out);
	assert_int_equal(rte_pktmbuf_pkt_len(out), 114);
	assert_memory_equal(rte_pktmbuf_mtod_offset(out, uint8_t *, 12), plain, 2);
	assert_int_equal(rig_l3(out)[7], 63);
}

static void families_of_one_burst_all_arrive(void **state)
{
	struct rig *rig = *state;
	struct port_counters c;

	for (uint32_t i = 0; i < BURST_MAX; i++) {
		if (i % 3 == 0)
			rig_input(rig, rig_udp6(rig, 0, RIG_DST6(1), 60 + i));
		else if (i % 7 == 0)
			rig_input(rig, rig_frame(rig, 0, RTE_ETHER_TYPE_ARP, 28));
		else
			rig_input(rig, rig_udp4(rig, 0, RIG_DST4(i % 2), 46 + i));
	}
	rig_poll(rig, 0);
	rig_assert_conserved(rig);
	c = rig_counters(rig, 0);
	assert_int_equal(c.received.packets, 64);
	assert_int_equal(c.drop[DROP_ARP_INVALID].packets, 6);
	assert_int_equal(c.forwarded.packets, 58);
	assert_int_equal(counters_matrix(rig->dp, 0, 1, 1).packets, 22);
	assert_int_equal(rig->queue[0].n + rig->queue[1].n, 58);
}

static void full_output_drops_what_it_refuses(void **state)
{
	struct rig *rig = *state;
	struct port_counters in, out;

	rig->queue[1].room = 3;
	for (uint32_t i = 0; i < 10; i++)
		rig_input(rig, rig_udp4(rig, 0, RIG_DST4(1), 100));
	rig_poll(rig, 0);
	rig_assert_conserved(rig);
	in = rig_counters(rig, 0);
	out = rig_counters(rig, 1);
	assert_int_equal(in.forwarded.packets, 3);
	assert_int_equal(in.forwarded.bytes, 342);
	assert_int_equal(in.drop[DROP_TX_FULL].packets, 7);
	assert_int_equal(out.egress_drop[DROP_TX_FULL].packets, 7);
	assert_int_equal(out.transmitted.packets, 3);
	assert_int_equal(rig->drops[DROP_TX_FULL], 7);
	assert_int_equal(counters_matrix(rig->dp, 0, 1, 0).packets, 3);
}

/*
 * A burst to two ports, one of them with little room, on every path of code: all
 * frames keep their order, and each is counted where it went, with its own length.
 */
static void burst_to_several_ports(struct rig *rig, enum cpu_path path)
{
	const unsigned int room = 5;
	uint64_t forwarded = 0, to_member = 0;
	unsigned int taken = 0;

	if (cpu_path_set(path) != path)
		return;
	rig->snapshot.tagged = false;
	rig->queue[1].room = room;
	for (uint32_t i = 0; i < 40; i++) {
		const uint32_t bytes = 60 + i;
		const uint16_t out = i % 3 == 0;

		rig_input(rig, rig_udp4(rig, 0, RIG_DST4(out), bytes));
		if (out && taken++ >= room)
			continue;
		forwarded += bytes + 14;
		to_member += out ? bytes + 14 : 0;
	}
	rig_poll(rig, 0);
	rig_assert_conserved(rig);
	assert_int_equal(rig->queue[0].n, 26);
	assert_int_equal(rig->queue[1].n, room);
	for (uint16_t out = 0; out < 2; out++)
		for (uint32_t i = 1; i < rig->queue[out].n; i++)
			assert_true(rte_pktmbuf_pkt_len(rig->queue[out].frame[i]) >
				    rte_pktmbuf_pkt_len(rig->queue[out].frame[i - 1]));
	assert_int_equal(rig_counters(rig, 0).forwarded.bytes, forwarded);
	assert_int_equal(rig_counters(rig, 1).transmitted.bytes, to_member);
	assert_int_equal(counters_matrix(rig->dp, 0, 1, 0).bytes, to_member);
	assert_int_equal(counters_matrix(rig->dp, 0, 0, 0).packets, 26);
}

static void packets_of_a_burst_leave_by_their_ports(void **state)
{
	(void)state;
	for (int path = CPU_SCALAR; path <= CPU_BEST; path++) {
		struct rig *rig = rig_create(NULL);

		burst_to_several_ports(rig, path);
		rig_destroy(rig);
	}
	cpu_path_set(CPU_BEST);
}

/* Two members behind one port: each has a cell of the matrix of its own. */
static void members_of_a_port_are_counted_apart(void **state)
{
	struct rig *rig = *state;

	rig->snapshot.tagged = false;
	rig->table.nexthop[RIG_LEAF_PB].port = 0;
	for (uint32_t i = 0; i < 30; i++)
		rig_input(rig, rig_udp4(rig, 0, RIG_DST4(i % 5 == 0), 60 + i));
	rig_poll(rig, 0);
	rig_assert_conserved(rig);
	assert_int_equal(rig->queue[0].n, 30);
	assert_int_equal(counters_matrix(rig->dp, 0, 0, 0).packets, 24);
	assert_int_equal(counters_matrix(rig->dp, 0, 1, 0).packets, 6);
	assert_int_equal(counters_matrix(rig->dp, 0, 1, 0).bytes, 6 * 74 + 5 * (1 + 2 + 3 + 4 + 5));
	rig->table.nexthop[RIG_LEAF_PB].port = 1;
}

static void refused_reply_counts_as_unsent(void **state)
{
	struct rig *rig = *state;
	struct rte_mbuf *frame = rig_udp4(rig, 0, RIG_DST4(1), 100);
	struct port_counters c;

	rig_l3(frame)[8] = 1;
	rig_checksum4(rig_l3(frame));
	rig->queue[0].room = 0;
	rig_input(rig, frame);
	rig_poll(rig, 0);
	rig_assert_conserved(rig);
	c = rig_counters(rig, 0);
	assert_int_equal(c.drop[DROP_TTL_EXPIRED].packets, 1);
	assert_int_equal(c.unsent.packets, 1);
	assert_int_equal(c.originated.packets, 0);
}

static void fragments_fit_and_carry_everything(void **state)
{
	struct rig *rig = *state;
	struct rte_mbuf *frame = rig_udp4(rig, 2, RIG_DST4(1), 4000);
	uint8_t sent[3980];
	uint32_t seen = 0;

	memcpy(sent, rig_l3(frame) + 20, sizeof(sent));
	frame_origin(frame)->number = 77;
	assert_non_null(rig_forward(rig, 2, frame, 1));
	assert_int_equal(rig->queue[1].n, 3);
	for (uint32_t i = 0; i < rig->queue[1].n; i++) {
		const uint8_t *ip = rig_l3(rig->queue[1].frame[i]);
		const uint32_t bytes = ip[2] << 8 | ip[3];
		const uint32_t offset = ((ip[6] << 8 | ip[7]) & 0x1fff) * 8;

		assert_true(bytes <= 1500);
		assert_int_equal(rte_raw_cksum(ip, 20), 0xffff);
		assert_int_equal(ip[8], 63);
		assert_int_equal((ip[6] & 0x20) != 0, i < 2);
		assert_memory_equal(ip + 20, sent + offset, bytes - 20);
		assert_int_equal(frame_origin(rig->queue[1].frame[i])->number, 77);
		seen += bytes - 20;
	}
	assert_int_equal(seen, sizeof(sent));
	assert_int_equal(rig_counters(rig, 2).forwarded.packets, 1);
	assert_int_equal(rig_counters(rig, 1).fragments.packets, 2);
}

static void fragments_half_taken_are_strays(void **state)
{
	struct rig *rig = *state;
	struct port_counters in, out;

	rig->queue[1].room = 2;
	rig_input(rig, rig_udp4(rig, 2, RIG_DST4(1), 4000));
	rig_poll(rig, 1);
	rig_assert_conserved(rig);
	in = rig_counters(rig, 2);
	out = rig_counters(rig, 1);
	assert_int_equal(in.drop[DROP_TX_FULL].packets, 1);
	assert_int_equal(in.forwarded.packets, 0);
	assert_int_equal(out.stray.packets, 2);
	assert_int_equal(out.transmitted.packets, 2);
	assert_int_equal(out.egress_drop[DROP_TX_FULL].packets, 1);
}

static void fragments_wait_behind_earlier_packets(void **state)
{
	struct rig *rig = *state;

	rig_input(rig, rig_udp4(rig, 2, RIG_DST4(1), 100));
	rig_input(rig, rig_udp4(rig, 2, RIG_DST4(1), 2000));
	rig_input(rig, rig_udp4(rig, 2, RIG_DST4(1), 101));
	rig_poll(rig, 1);
	rig_assert_conserved(rig);
	assert_int_equal(rig->queue[1].n, 4);
	assert_int_equal(rte_pktmbuf_pkt_len(rig->queue[1].frame[0]), 114);
	assert_int_equal(rte_pktmbuf_pkt_len(rig->queue[1].frame[3]), 115);
}

/* Without buffers the packet is dropped whole, as received, and the pool is as before. */
static void no_buffer_for_fragments(void **state)
{
	struct rig *rig = *state;
	struct rte_mbuf *hoard[1100];
	struct rte_mbuf *frame = rig_udp4(rig, 2, RIG_DST4(1), 4000);
	unsigned int n = 0;

	while (n < 1100 && (hoard[n] = rte_pktmbuf_alloc(rig->pool)))
		n++;
	rig_input(rig, frame);
	rig_poll(rig, 1);
	rte_pktmbuf_free_bulk(hoard, n);
	rig_assert_conserved(rig);
	assert_int_equal(rig_counters(rig, 2).drop[DROP_NO_BUFFER].packets, 1);
	assert_int_equal(rig->drops[DROP_NO_BUFFER], 1);
}

/* Without buffers a reply is not sent; the packet keeps its own reason. */
static void no_buffer_for_a_reply(void **state)
{
	struct rig *rig = *state;
	struct rte_mbuf *hoard[1100];
	struct rte_mbuf *frame = rig_udp4(rig, 0, RIG_DST4(5), 100);
	unsigned int n = 0;

	while (n < 1100 && (hoard[n] = rte_pktmbuf_alloc(rig->pool)))
		n++;
	rig_input(rig, frame);
	rig_poll(rig, 0);
	rte_pktmbuf_free_bulk(hoard, n);
	rig_assert_conserved(rig);
	assert_int_equal(rig_counters(rig, 0).drop[DROP_UNREACHABLE].packets, 1);
	assert_int_equal(rig_counters(rig, 0).originated.packets, 0);
}

/* A frame in several segments leaves with exactly the packet in it. */
static void segments_are_forwarded_and_trimmed(void **state)
{
	struct rig *rig = *state;

	for (uint32_t extra = 0; extra <= 400; extra += 100) {
		struct rte_mbuf *frame = rig_udp4(rig, 2, RIG_DST4(2), 300), *out;
		struct rte_mbuf *second = rte_pktmbuf_alloc(rig->pool);
		struct rte_mbuf *third = rte_pktmbuf_alloc(rig->pool);
		uint8_t whole[300], got[400];

		memcpy(whole, rig_l3(frame), sizeof(whole));
		/* 300 bytes of packet: 200 in the first segment, 60 and 40 behind, then padding */
		memcpy(rte_pktmbuf_append(second, 60), whole + 200, 60);
		memcpy(rte_pktmbuf_append(third, 40 + extra), whole + 260, 40);
		rte_pktmbuf_trim(frame, 100);
		assert_int_equal(rte_pktmbuf_chain(frame, second), 0);
		assert_int_equal(rte_pktmbuf_chain(frame, third), 0);
		frame_origin(frame)->wire_bytes = 0;
		out = rig_forward(rig, 2, frame, 2);
		assert_non_null(out);
		assert_int_equal(rte_pktmbuf_pkt_len(out), 318);
		rte_mbuf_sanity_check(out, 1);
		assert_memory_equal(rte_pktmbuf_read(out, 18 + 12, 288, got), whole + 12, 288);
	}
}

static void link_down_moves_only_its_flows(void **state)
{
	struct rig *rig = *state;
	uint16_t before[64], moved = 0;

	for (int down = 0; down < 2; down++) {
		dataplane_set_link(rig->dp, 1, !down);
		dataplane_set_link(rig->dp, 1, !down); /* twice is once */
		for (uint32_t i = 0; i < 64; i++) {
			uint16_t out = 0;

			rig_clear(rig);
			rig_input(rig, rig_udp4(rig, 0, RIG_DST4(4) + i, 100));
			rig_poll(rig, 0);
			while (out < RIG_PORTS && !rig->queue[out].n)
				out++;
			assert_in_range(out, 0, RIG_PORTS - 1);
			if (!down) {
				before[i] = out;
				continue;
			}
			assert_int_not_equal(out, 1);
			if (before[i] != 1)
				assert_int_equal(out, before[i]);
			moved += before[i] == 1;
		}
	}
	assert_in_range(moved, 5, 40);
	assert_false(dataplane_link(rig->dp, 1));
	rig_assert_conserved(rig);
}

static void link_down_without_another_next_hop(void **state)
{
	struct rig *rig = *state;

	for (uint16_t i = 0; i < RIG_PORTS; i++)
		dataplane_set_link(rig->dp, i, false);
	rig_input(rig, rig_udp4(rig, 0, RIG_DST4(1), 100));
	rig_input(rig, rig_udp4(rig, 0, RIG_DST4(4), 100));
	rig_poll(rig, 0);
	rig_assert_conserved(rig);
	assert_int_equal(rig_counters(rig, 0).drop[DROP_LINK_DOWN].packets, 2);
	assert_in_range(rig_counters(rig, 1).egress_drop[DROP_LINK_DOWN].packets, 1, 2);
	dataplane_set_link(rig->dp, 1, true);
	assert_non_null(rig_forward(rig, 0, rig_udp4(rig, 0, RIG_DST4(1), 100), 1));
}

static void special_leaves_end_as_their_reason(void **state)
{
	static const struct {
		uint32_t third_octet;
		enum reason reason;
		unsigned int replies;
	} rows[] = {
		{ 3, DROP_NEIGHBOUR_UNRESOLVED, 0 },
		{ 5, DROP_UNREACHABLE, 1 },
		{ 6, DROP_PROHIBITED, 1 },
		{ 7, DROP_BLACKHOLE, 0 },
		{ 8, DROP_INTERNAL, 0 },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		rig_forward(rig, 0, rig_udp4(rig, 0, RIG_DST4(rows[i].third_octet), 100), 0);
		assert_int_equal(rig->drops[rows[i].reason], 1);
		assert_int_equal(rig->queue[0].n, rows[i].replies);
	}
}

static void source_check_by_route(void **state)
{
	static const struct {
		enum source_check check;
		uint32_t source; /* third octet of 198.18 */
		bool passes;
	} rows[] = {
		{ SOURCE_CHECK_LOOSE, 1, true },   { SOURCE_CHECK_LOOSE, 7, false },
		{ SOURCE_CHECK_LOOSE, 9, false }, /* only the default route */
		{ SOURCE_CHECK_LOOSE, 4, true },   { SOURCE_CHECK_STRICT, 0, true },
		{ SOURCE_CHECK_STRICT, 1, false }, { SOURCE_CHECK_STRICT, 4, true },
		{ SOURCE_CHECK_STRICT, 5, false }, { SOURCE_CHECK_STRICT, 9, false },
	};
	struct rig *rig = *state;

	for (int drop = 0; drop < 2; drop++) {
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			struct rte_mbuf *frame = rig_udp4(rig, 0, RIG_DST4(1), 100);
			const uint32_t source = rte_cpu_to_be_32(RIG_DST4(rows[i].source));
			const unsigned int reports = rig->reports;
			const bool forwarded = rows[i].passes || !drop;

			rig->port[0].source_check = rows[i].check;
			rig->port[0].source_check_drop = drop;
			memcpy(rig_l3(frame) + 12, &source, sizeof(source));
			rig_checksum4(rig_l3(frame));
			rig_forward(rig, 0, frame, 1);
			assert_int_equal(rig->queue[1].n, forwarded);
			assert_int_equal(rig->reports - reports, !rows[i].passes && !drop);
		}
	}
	rig->port[0].source_check = SOURCE_CHECK_NONE;
	assert_int_equal(rig_counters(rig, 0).reported.packets, rig->reports);
}

static void hooks_see_every_stage_and_samples(void **state)
{
	const struct hooks hooks = { .trace = count_trace,
				     .sample = count_sample,
				     .sample_interval = 10 };
	struct rig *rig = rig_create(&hooks);

	(void)state;
	for (uint32_t i = 0; i < 50; i++)
		rig_forward(rig, 0, rig_udp4(rig, 0, RIG_DST4(1), 100), 1);
	assert_int_equal(rig->samples, 5);
	/* each of the packets after each stage but rewrite, where they are gone */
	assert_int_equal(rig->traced % 50, 0);
	assert_true(rig->traced >= 50 * 10);
	rig_forward(rig, 0, rig_udp4(rig, 0, RIG_DST4(7), 100), 1);
	rig_destroy(rig);
}

static void frames_of_unknown_devices_stay_there(void **state)
{
	struct rig *rig = *state;
	const struct rxq q = { .device = 9 };

	assert_int_equal(worker_poll(rig->w, &q), 0);
	rig->device[0].fallback_port = PORT_NONE;
	assert_int_equal(worker_poll(rig->w, &(struct rxq){ .device = 0 }), 0);
	rig->device[0].fallback_port = 0;
}

static void frame_without_port_counts_on_the_fallback(void **state)
{
	struct rig *rig = *state;
	struct rte_mbuf *frame = rig_udp4(rig, 2, RIG_DST4(1), 100);

	rte_pktmbuf_mtod(frame, uint8_t *)[15] = 101;
	rig_forward(rig, 2, frame, 1);
	assert_int_equal(rig_counters(rig, 1).drop[DROP_L2_VLAN].packets, 1);
	rig->port[2].enabled = false;
	rig_forward(rig, 2, rig_udp4(rig, 2, RIG_DST4(1), 100), 1);
	assert_int_equal(rig_counters(rig, 2).drop[DROP_L2_VLAN].packets, 1);
	rig->port[2].enabled = true;
}

static void transmit_some(struct rig *rig, uint16_t in_port, uint16_t out_port, unsigned int n)
{
	const uint16_t party = in_port == PORT_NONE ? 0 : in_port;
	const uint32_t cell = matrix_index(rig->w->party_bits, party, out_port, false);

	for (unsigned int i = 0; i < n; i++)
		rig->w->active |=
			transmit(rig->w->port_queue, rte_pktmbuf_alloc(rig->pool),
				 (struct transmit_run){ cell, in_port, out_port, 1, 100, 96 });
}

static void frames_of_a_queue_count_for_their_ports(void **state)
{
	struct rig *rig = *state;

	rig->w->snapshot = &rig->snapshot;
	transmit_some(rig, 0, 1, 3);
	transmit_some(rig, 2, 1, 2);
	transmit_some(rig, PORT_NONE, 1, 4);
	transmit_some(rig, 0, 1, 1);
	transmit_flush(rig->w);
	assert_int_equal(rig->queue[1].n, 10);
	assert_int_equal(rig_counters(rig, 0).forwarded.packets, 4);
	assert_int_equal(rig_counters(rig, 0).forwarded.bytes, 400);
	assert_int_equal(rig_counters(rig, 2).forwarded.packets, 2);
	assert_int_equal(rig_counters(rig, 1).transmitted.packets, 10);
	assert_int_equal(rig_counters(rig, 1).transmitted.bytes, 960);
	assert_int_equal(rig_counters(rig, 1).originated.packets, 4);
	assert_int_equal(counters_matrix(rig->dp, 0, 1, 0).packets, 4);
	assert_int_equal(counters_matrix(rig->dp, 2, 1, 0).bytes, 200);
}

/* What is said of a destination is what a packet to it meets. */
static void destinations_are_judged_as_packets_are(void **state)
{
	static const uint32_t list4[] = {
		0x00000000, 0x00ffffff, 0x01000000, 0x7effffff, 0x7f000001, 0x80000000,
		0xa9fdffff, 0xa9fe0000, 0xa9feffff, 0xaa000000, 0xc0000200, 0xc63364ff,
		0xc6120701, 0xdfffffff, 0xe0000005, 0xefffffff, 0xf0000000, 0xffffffff,
	};
	static const struct ipv6_key list6[] = {
		{ 0, 0 },
		{ 0, 1 },
		{ 0, 2 },
		{ 0, 0xffffc6120101 },
		{ 0x20010db800010000, 1 },
		{ 0xfe7fffffffffffff, 1 },
		{ 0xfe80000000000000, 0x77 },
		{ 0xfebf000000000000, 0x77 },
		{ 0xfec0000000000000, 1 },
		{ 0xff02000000000000, 1 },
		{ 0xff0e000000000000, 1 },
	};
	struct rig *rig = *state;
	unsigned int early = 0;

	for (size_t i = 0; i < RTE_DIM(list4) + RTE_DIM(list6); i++) {
		const bool ipv6 = i >= RTE_DIM(list4);
		const struct ipv6_key key = ipv6 ? list6[i - RTE_DIM(list4)]
						 : (struct ipv6_key){ (uint64_t)list4[i] << 32, 0 };
		const enum reason reason = dataplane_judge_destination(rig->dp, key, ipv6);
		const struct port_counters before = rig_counters(rig, 0);
		struct port_counters after;

		rig_input(rig, ipv6 ? rig_udp6(rig, 0, key, 100) : rig_udp4(rig, 0, list4[i], 100));
		rig_poll(rig, rig->port[0].device);
		after = rig_counters(rig, 0);
		for (unsigned int r = DROP_IPV4_MARTIAN_SOURCE; r <= DROP_IPV6_SCOPE; r++)
			assert_int_equal(after.drop[r].packets - before.drop[r].packets,
					 r == (unsigned int)reason);
		early += reason != REASON_NONE;
		rig_clear(rig);
	}
	assert_int_equal(early, 10 + 7);
	assert_int_equal(dataplane_judge_destination(rig->dp, rig->port[1].link_local, true),
			 REASON_CONSUMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(checksum_is_as_computed_anew),
		TEST(checksum_sent_as_minus_zero),
		TEST(tags_come_and_go),
		TEST(families_of_one_burst_all_arrive),
		TEST(full_output_drops_what_it_refuses),
		cmocka_unit_test(packets_of_a_burst_leave_by_their_ports),
		TEST(members_of_a_port_are_counted_apart),
		TEST(refused_reply_counts_as_unsent),
		TEST(fragments_fit_and_carry_everything),
		TEST(fragments_half_taken_are_strays),
		TEST(fragments_wait_behind_earlier_packets),
		TEST(no_buffer_for_fragments),
		TEST(no_buffer_for_a_reply),
		TEST(segments_are_forwarded_and_trimmed),
		TEST(link_down_moves_only_its_flows),
		TEST(link_down_without_another_next_hop),
		TEST(special_leaves_end_as_their_reason),
		TEST(destinations_are_judged_as_packets_are),
		TEST(source_check_by_route),
		TEST(frames_of_unknown_devices_stay_there),
		TEST(frame_without_port_counts_on_the_fallback),
		TEST(frames_of_a_queue_count_for_their_ports),
		cmocka_unit_test(hooks_see_every_stage_and_samples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
