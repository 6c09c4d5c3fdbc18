// SPDX-License-Identifier: BSD-3-Clause
/* Neighbour discovery: the checks of RFC 4861 7.1, what packets mean, the bytes of advertisements.
 */
#include "answer.h"

#define OWN      "20 01 0d b8 00 64 00 0a 00 00 00 00 00 00 00 01 " /* 2001:db8:64:a::1 */
#define OWN_127  "20 01 0d b8 00 64 00 0b 00 00 00 00 00 00 00 01 "
#define OWN_LINK "fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 01 "
#define ANYCAST  "20 01 0d b8 00 64 00 0a 00 00 00 00 00 00 00 00 "
#define ANYCAST_127                                                                  \
	"20 01 0d b8 00 64 00 0b 00 00 00 00 00 00 00 00 " /* the peer's: no anycast \
							    */
#define OTHER_PORT  "20 01 0d b8 00 64 00 0c 00 00 00 00 00 00 00 01 "
#define PEER        "20 01 0d b8 00 64 00 0a 00 00 00 00 00 00 00 02 "
#define PEER_LINK   "fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 0a "
#define STRANGER    "20 01 0d b8 00 0b 00 00 00 00 00 00 00 00 00 09 "
#define NOBODY      "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
#define ALL_NODES   "ff 02 00 00 00 00 00 00 00 00 00 00 00 00 00 01 "
#define ALL_ROUTERS "ff 02 00 00 00 00 00 00 00 00 00 00 00 00 00 02 "
#define SOLICITED_1 "ff 02 00 00 00 00 00 00 00 00 00 01 ff 00 00 01 "
#define SOLICITED_0 "ff 02 00 00 00 00 00 00 00 00 00 01 ff 00 00 00 "
#define NEAR_NODE_1 "ff 02 00 00 00 00 00 00 00 00 00 01 fe 00 00 01 "
#define NEAR_NODE_2 "ff 05 00 00 00 00 00 00 00 00 00 01 ff 00 00 01 "

/* Payload 24 or 32; "cs cs" is written by mend_checksum(). */
#define IP_24(source, destination) "60 00 00 00 00 18 3a ff " source destination
#define IP_32(source, destination) "60 00 00 00 00 20 3a ff " source destination
#define IP_40(source, destination) "60 00 00 00 00 28 3a ff " source destination
#define NS(target)                 "87 00 00 00 00 00 00 00 " target
#define NA(flags, target)          "88 00 00 00 " flags " 00 00 00 " target
#define SOURCE_OPTION              "01 01 02 00 00 00 0a 01 "
#define TARGET_OPTION              "02 01 02 00 00 00 0a 01 "
#define NONCE_OPTION               "0e 01 01 02 03 04 05 06 "
#define MULTICAST_TO_1             "33 33 ff 00 00 01 02 00 00 00 0a 01 "

/* The exchange's: the port's own, its anycast address, and one of another port. */
static struct address_set special6;

static int start_nd(void **state)
{
	static const struct address_entry entry[] = {
		{ { 0x20010db80064000a, 1 }, 0, ADDRESS_OWN },
		{ { 0x20010db80064000a, 0 }, 0, ADDRESS_OWN },
		{ { 0x20010db80064000b, 1 }, 0, ADDRESS_OWN },
		{ { 0x20010db80064000c, 1 }, 1, ADDRESS_OWN },
	};

	return start(state) || address_set_init(&special6, entry, RTE_DIM(entry));
}

static int end_nd(void **state)
{
	address_set_release(&special6);
	return no_buffer_is_lost(state);
}

static void mend_checksum(uint8_t *ip, uint32_t bytes)
{
	uint16_t sum;

	memset(ip + 42, 0, 2);
	sum = slow_checksum_icmp6(ip, bytes - 40);
	ip[42] = (uint8_t)(sum >> 8);
	ip[43] = (uint8_t)sum;
}

struct judge_row {
	const char *name;
	const char *packet;
	enum reason reason;
	enum answer answer;
	bool conflict;
	bool has_link_layer;
};

/* clang-format off */
static const struct judge_row judged[] = {
	/* solicitations */
	{ "NS", IP_32(PEER, SOLICITED_1) NS(OWN) SOURCE_OPTION, REASON_CONSUMED, ANSWER_ND,
	  .has_link_layer = true },
	{ "NS, unicast", IP_32(PEER, OWN) NS(OWN) SOURCE_OPTION, REASON_CONSUMED, ANSWER_ND,
	  .has_link_layer = true },
	{ "NS without option", IP_24(PEER, OWN) NS(OWN), REASON_CONSUMED, ANSWER_ND },
	{ "NS to all nodes", IP_24(PEER, ALL_NODES) NS(OWN), REASON_CONSUMED, ANSWER_ND },
	{ "NS for the link-local", IP_24(PEER_LINK, OWN_LINK) NS(OWN_LINK), REASON_CONSUMED,
	  ANSWER_ND },
	{ "NS for a global to the link-local", IP_24(PEER_LINK, OWN_LINK) NS(OWN_127),
	  REASON_CONSUMED, ANSWER_ND },
	{ "NS for the anycast address", IP_24(PEER, SOLICITED_0) NS(ANYCAST), REASON_CONSUMED,
	  ANSWER_ND },
	{ "NS for the other end of a /127", IP_24(PEER, SOLICITED_0) NS(ANYCAST_127),
	  REASON_CONSUMED, ANSWER_NONE },
	{ "NS for another port's address", IP_24(PEER, OTHER_PORT) NS(OTHER_PORT), REASON_CONSUMED,
	  ANSWER_NONE },
	{ "NS for a neighbour", IP_32(PEER_LINK, SOLICITED_1) NS(PEER) SOURCE_OPTION,
	  REASON_CONSUMED, ANSWER_NONE, .has_link_layer = true },
	{ "NS to a stranger's link-local", IP_24(PEER_LINK, PEER_LINK) NS(OWN), REASON_CONSUMED,
	  ANSWER_ND },
	{ "NS to a stranger: a packet like any other", IP_24(PEER, STRANGER) NS(OWN), REASON_NONE },
	{ "NS to a stranger, invalid as it may be", "60 00 00 00 00 18 3a 40 " PEER STRANGER NS(OWN),
	  REASON_NONE },
	{ "NS from our link-local", IP_24(OWN_LINK, SOLICITED_1) NS(OWN), REASON_CONSUMED,
	  ANSWER_ND, .conflict = true },
	{ "DAD", IP_24(NOBODY, SOLICITED_1) NS(OWN), REASON_CONSUMED, ANSWER_ND, .conflict = true },
	{ "DAD of the link-local with a nonce", IP_32(NOBODY, SOLICITED_1) NS(OWN_LINK) NONCE_OPTION,
	  REASON_CONSUMED, ANSWER_ND, .conflict = true },
	{ "DAD of the anycast address", IP_24(NOBODY, SOLICITED_0) NS(ANYCAST), REASON_CONSUMED,
	  ANSWER_ND },
	{ "DAD of a neighbour", IP_24(NOBODY, SOLICITED_1) NS(PEER), REASON_CONSUMED, ANSWER_NONE },
	{ "DAD with a source option", IP_32(NOBODY, SOLICITED_1) NS(OWN) SOURCE_OPTION,
	  DROP_ND_INVALID },
	{ "DAD with a source option behind another",
	  IP_40(NOBODY, SOLICITED_1) NS(OWN) NONCE_OPTION SOURCE_OPTION, DROP_ND_INVALID },
	{ "DAD to all nodes", IP_24(NOBODY, ALL_NODES) NS(OWN), DROP_ND_INVALID },
	{ "DAD to our unicast", IP_24(NOBODY, OWN) NS(OWN), DROP_ND_INVALID },
	{ "DAD near solicited-node", IP_24(NOBODY, NEAR_NODE_1) NS(OWN), DROP_ND_INVALID },
	{ "DAD beyond the link", IP_24(NOBODY, NEAR_NODE_2) NS(OWN), DROP_ND_INVALID },
	{ "NS, hop limit 254", "60 00 00 00 00 18 3a fe " PEER OWN NS(OWN), DROP_ND_INVALID },
	{ "NS, hop limit 0", "60 00 00 00 00 18 3a 00 " PEER OWN NS(OWN), DROP_ND_INVALID },
	{ "NS, code 1", IP_24(PEER, OWN) "87 01 00 00 00 00 00 00 " OWN, DROP_ND_INVALID },
	{ "NS for a multicast target", IP_24(PEER, SOLICITED_1) NS(SOLICITED_1), DROP_ND_INVALID },
	{ "NS, reserved bits", IP_24(PEER, OWN) "87 00 00 00 ff ff ff ff " OWN, REASON_CONSUMED,
	  ANSWER_ND },
	/* options */
	{ "two options", IP_40(PEER, OWN) NS(OWN) NONCE_OPTION SOURCE_OPTION, REASON_CONSUMED,
	  ANSWER_ND, .has_link_layer = true },
	{ "of two source options the first", IP_40(PEER, OWN) NS(OWN) SOURCE_OPTION
	  "01 01 02 00 00 00 0b 02", REASON_CONSUMED, ANSWER_ND, .has_link_layer = true },
	{ "option of 16 bytes", IP_40(PEER, OWN) NS(OWN) "01 02 02 00 00 00 0a 01 00 00 00 00 00 00 00 00",
	  REASON_CONSUMED, ANSWER_ND },
	{ "target option in a solicitation", IP_32(PEER, OWN) NS(OWN) TARGET_OPTION,
	  REASON_CONSUMED, ANSWER_ND },
	{ "option of length 0", IP_32(PEER, OWN) NS(OWN) "01 00 02 00 00 00 0a 01", DROP_ND_INVALID },
	{ "second option of length 0", IP_40(PEER, OWN) NS(OWN) SOURCE_OPTION
	  "0e 00 02 00 00 00 0a 01", DROP_ND_INVALID },
	{ "option beyond the packet", IP_32(PEER, OWN) NS(OWN) "01 02 02 00 00 00 0a 01",
	  DROP_ND_INVALID },
	{ "longest option beyond the packet", IP_32(PEER, OWN) NS(OWN) "0e ff 02 00 00 00 0a 01",
	  DROP_ND_INVALID },
	{ "an option's first byte", "60 00 00 00 00 19 3a ff " PEER OWN NS(OWN) "01", DROP_ND_INVALID },
	{ "an option's first two bytes", "60 00 00 00 00 1a 3a ff " PEER OWN NS(OWN) "01 01",
	  DROP_ND_INVALID },
	{ "an option but its last byte", "60 00 00 00 00 1f 3a ff " PEER OWN NS(OWN)
	  "01 01 02 00 00 00 0a", DROP_ND_INVALID },
	/* advertisements */
	{ "NA", IP_32(PEER, OWN) NA("60", PEER) TARGET_OPTION, REASON_CONSUMED, ANSWER_NONE,
	  .has_link_layer = true },
	{ "NA without option", IP_24(PEER, OWN) NA("40", PEER), REASON_CONSUMED, ANSWER_NONE },
	{ "NA with a source option", IP_32(PEER, OWN) NA("60", PEER) SOURCE_OPTION, REASON_CONSUMED,
	  ANSWER_NONE },
	{ "NA to all nodes", IP_32(PEER_LINK, ALL_NODES) NA("a0", PEER) TARGET_OPTION,
	  REASON_CONSUMED, ANSWER_NONE, .has_link_layer = true },
	{ "NA, solicited, to all nodes", IP_32(PEER, ALL_NODES) NA("60", PEER) TARGET_OPTION,
	  DROP_ND_INVALID },
	{ "NA for our address", IP_32(PEER_LINK, ALL_NODES) NA("20", OWN) TARGET_OPTION,
	  REASON_CONSUMED, ANSWER_NONE, .conflict = true, .has_link_layer = true },
	{ "NA for our link-local", IP_24(PEER, OWN) NA("60", OWN_LINK), REASON_CONSUMED,
	  ANSWER_NONE, .conflict = true },
	{ "NA from our link-local", IP_24(OWN_LINK, ALL_NODES) NA("20", PEER), REASON_CONSUMED,
	  ANSWER_NONE, .conflict = true },
	{ "NA for our anycast address", IP_24(PEER, OWN) NA("40", ANYCAST), REASON_CONSUMED,
	  ANSWER_NONE },
	{ "NA for another port's address", IP_24(PEER, OWN) NA("40", OTHER_PORT), REASON_CONSUMED,
	  ANSWER_NONE },
	{ "NA to a stranger: a packet like any other", IP_24(PEER, STRANGER) NA("40", OWN),
	  REASON_NONE },
	{ "NA, hop limit 254", "60 00 00 00 00 18 3a fe " PEER OWN NA("40", PEER), DROP_ND_INVALID },
	{ "NA, code 1", IP_24(PEER, OWN) "88 01 00 00 40 00 00 00 " PEER, DROP_ND_INVALID },
	{ "NA for a multicast target", IP_24(PEER, OWN) NA("40", ALL_NODES), DROP_ND_INVALID },
	{ "NA with an option of length 0", IP_32(PEER, OWN) NA("40", PEER) "02 00 02 00 00 00 0a 01",
	  DROP_ND_INVALID },
	/* what has no business here */
	{ "RS to all routers", IP_24(PEER_LINK, ALL_ROUTERS) "85 00 00 00 00 00 00 00 " NOBODY,
	  DROP_ND_FORBIDDEN },
	{ "RA to all nodes", IP_24(PEER_LINK, ALL_NODES) "86 00 00 00 00 00 00 00 " NOBODY,
	  DROP_ND_FORBIDDEN },
	{ "redirect to us", IP_24(PEER_LINK, OWN) "89 00 00 00 00 00 00 00 " NOBODY,
	  DROP_ND_FORBIDDEN },
	{ "RS to our link-local, invalid as it may be",
	  "60 00 00 00 00 18 3a 01 " PEER OWN_LINK "85 07 00 00 00 00 00 00 " NOBODY,
	  DROP_ND_FORBIDDEN },
	{ "RA to another port's address", IP_24(PEER_LINK, OTHER_PORT) "86 00 00 00 00 00 00 00 " NOBODY,
	  DROP_ND_FORBIDDEN },
	{ "RA to a stranger", IP_24(PEER, STRANGER) "86 00 00 00 00 00 00 00 " NOBODY, REASON_NONE },
	{ "redirect to a stranger", IP_24(PEER, STRANGER) "89 00 00 00 00 00 00 00 " NOBODY,
	  REASON_NONE },
	/* not neighbour discovery */
	{ "type 132", IP_24(PEER_LINK, ALL_NODES) "84 00 00 00 00 00 00 00 " NOBODY, REASON_NONE },
	{ "type 138", IP_24(PEER_LINK, ALL_NODES) "8a 00 00 00 00 00 00 00 " NOBODY, REASON_NONE },
	{ "UDP", "60 00 00 00 00 18 11 ff " PEER OWN NS(OWN), REASON_NONE },
	{ "behind a hop-by-hop header",
	  "60 00 00 00 00 20 00 ff " PEER OWN "3a 00 05 02 00 00 01 00 " NS(OWN), REASON_NONE },
};
/* clang-format on */

static void check_verdict(const struct judge_row *row, const struct received *r)
{
	static const struct rte_ether_addr his = { { 2, 0, 0, 0, 0x0a, 1 } };
	struct nd_verdict got = nd_judge(r, &special6);
	const uint8_t *target = r->l3 + 48;
	uint64_t half;

	if (got.reason != row->reason || got.answer != row->answer ||
	    got.conflict != row->conflict || got.has_link_layer != row->has_link_layer)
		fail_msg("%s: reason %d answer %d conflict %d link layer %d", row->name, got.reason,
			 got.answer, got.conflict, got.has_link_layer);
	if (got.has_link_layer)
		assert_memory_equal(&got.link_layer, &his, sizeof(his));
	if (got.reason != REASON_CONSUMED)
		return;
	assert_int_equal(got.advertisement, r->l3[40] == 136);
	assert_int_equal(got.flags, got.advertisement ? r->l3[44] : 0);
	memcpy(&half, target, 8);
	assert_int_equal(got.target.hi, rte_be_to_cpu_64(half));
	memcpy(&half, target + 8, 8);
	assert_int_equal(got.target.lo, rte_be_to_cpu_64(half));
	memcpy(&half, r->l3 + 16, 8);
	assert_int_equal(got.source.lo, rte_be_to_cpu_64(half));
}

static void packets_mean_what_the_contract_says(void **state)
{
	const struct snapshot_port port = test_port(0);

	(void)state;
	for (size_t i = 0; i < RTE_DIM(judged); i++) {
		struct bytes in = from_hex(MULTICAST_TO_1 TYPE_IPV6, judged[i].packet);
		struct received r;

		mend_checksum(in.at + 14, in.n - 14);
		r = receive(&port, &in);
		check_verdict(&judged[i], &r);
		rte_pktmbuf_free(r.frame);
		/* With padding behind the packet. */
		append_hex(&in, "00 00 00 00");
		r = receive(&port, &in);
		r.l3_bytes -= 4;
		check_verdict(&judged[i], &r);
		rte_pktmbuf_free(r.frame);
	}
}

static void every_wrong_bit_is_seen_by_the_checksum(void **state)
{
	const struct snapshot_port port = test_port(0);
	struct bytes in =
		from_hex(MULTICAST_TO_1 TYPE_IPV6, IP_32(PEER, OWN) NS(OWN) SOURCE_OPTION);

	(void)state;
	mend_checksum(in.at + 14, in.n - 14);
	/* Of the source address and of all that follows the type, the destination left out. */
	for (uint32_t bit = (14 + 8) * 8; bit < in.n * 8; bit++) {
		uint32_t at = bit / 8 - 14;
		struct received r;

		if (at >= 24 && at <= 40)
			continue;
		in.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
		r = receive(&port, &in);
		assert_int_equal(nd_judge(&r, &special6).reason, DROP_ND_INVALID);
		rte_pktmbuf_free(r.frame);
		in.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

/* Whole or cut, packets are judged by what is there and nothing beyond is read. */
static void cut_packets_are_invalid(void **state)
{
	static const char *const packet[] = {
		IP_32(PEER, SOLICITED_1) NS(OWN) SOURCE_OPTION,
		IP_32(PEER, OWN) NA("60", PEER) TARGET_OPTION,
	};
	const struct snapshot_port port = test_port(0), tagged = test_port(100);

	(void)state;
	for (size_t i = 0; i < RTE_DIM(packet) * 2; i++) {
		bool tag = i % 2;
		struct bytes in = from_hex(tag ? TO_PORT TAG_100 TYPE_IPV6 : TO_PORT TYPE_IPV6,
					   packet[i / 2]);
		uint32_t l2_bytes = tag ? 18 : 14, whole = in.n;

		for (in.n = l2_bytes; in.n <= whole; in.n++) {
			uint32_t bytes = in.n - l2_bytes;
			enum reason expected = bytes <= 40                    ? REASON_NONE
					       : bytes == 64 || in.n == whole ? REASON_CONSUMED
									      : DROP_ND_INVALID;
			struct received r;

			if (bytes >= 44)
				mend_checksum(in.at + l2_bytes, bytes);
			r = receive(tag ? &tagged : &port, &in);
			assert_int_equal(nd_judge(&r, &special6).reason, expected);
			rte_pktmbuf_free(r.frame);
		}
	}
}

static void options_lie_in_any_segment(void **state)
{
	const struct snapshot_port port = test_port(0);
	struct bytes in = from_hex(TO_PORT TYPE_IPV6, "60 00 00 00 05 b0 3a ff " PEER OWN NS(OWN));

	(void)state;
	/* 1456 bytes of ICMPv6: 179 options, the last one with the address */
	for (int i = 0; i < 178; i++)
		append_hex(&in, NONCE_OPTION);
	append_hex(&in, SOURCE_OPTION);
	mend_checksum(in.at + 14, in.n - 14);
	for (uint32_t rest = 7; rest < 20; rest++) {
		struct received r = receive_segments(&port, in.at, in.n, 200 + rest % 3, rest);
		struct nd_verdict got = nd_judge(&r, &special6);

		assert_int_equal(got.reason, REASON_CONSUMED);
		assert_true(got.has_link_layer);
		assert_int_equal(got.link_layer.addr_bytes[5], 1);
		rte_pktmbuf_free(r.frame);
	}
	in.at[in.n - 7] = 0;
	mend_checksum(in.at + 14, in.n - 14);
	for (uint32_t rest = 7; rest < 20; rest++) {
		struct received r = receive_segments(&port, in.at, in.n, 200, rest);

		assert_int_equal(nd_judge(&r, &special6).reason, DROP_ND_INVALID);
		rte_pktmbuf_free(r.frame);
	}
}

static void a_packet_longer_than_its_frame_is_invalid(void **state)
{
	const struct snapshot_port port = test_port(0);
	struct bytes in = from_hex(TO_PORT TYPE_IPV6, IP_24(PEER, OWN) NS(OWN));
	struct received r;

	(void)state;
	mend_checksum(in.at + 14, in.n - 14);
	r = receive(&port, &in);
	r.l3_bytes += 8;
	assert_int_equal(nd_judge(&r, &special6).reason, DROP_ND_INVALID);
	rte_pktmbuf_free(r.frame);
}

#define PORT_OPTION "02 01 02 4e 41 00 00 01 "
#define TO_ALL      "33 33 00 00 00 01 02 4e 41 00 00 01 "

static void advertisements_are_right_to_the_byte(void **state)
{
	/* Checksums of expected packets by another implementation. */
	static const struct {
		const char *name, *in, *out;
	} row[] = {
		{ "solicitation",
		  MULTICAST_TO_1 TYPE_IPV6 IP_32(PEER, SOLICITED_1) NS(OWN) SOURCE_OPTION,
		  FROM_PORT TYPE_IPV6 IP_32(OWN, PEER) "88 00 c7 da e0 00 00 00 " OWN PORT_OPTION },
		{ "link-local", TO_PORT TYPE_IPV6 IP_24(PEER_LINK, OWN_LINK) NS(OWN_LINK),
		  FROM_PORT TYPE_IPV6 IP_32(
			  OWN_LINK, PEER_LINK) "88 00 56 c5 e0 00 00 00 " OWN_LINK PORT_OPTION },
		{ "DAD", MULTICAST_TO_1 TYPE_IPV6 IP_32(NOBODY, SOLICITED_1) NS(OWN) NONCE_OPTION,
		  FROM_PORT TYPE_IPV6 IP_32(OWN,
					    ALL_NODES) "88 00 37 00 a0 00 00 00 " OWN PORT_OPTION },
		{ "anycast", MULTICAST_TO_1 TYPE_IPV6 IP_24(PEER, SOLICITED_0) NS(ANYCAST),
		  FROM_PORT TYPE_IPV6 IP_32(OWN,
					    PEER) "88 00 e7 db c0 00 00 00 " ANYCAST PORT_OPTION },
		{ "tag", MULTICAST_TO_1 TAG_100 TYPE_IPV6 IP_24(PEER, SOLICITED_1) NS(OWN),
		  FROM_PORT TAG_100 TYPE_IPV6 IP_32(
			  OWN, PEER) "88 00 c7 da e0 00 00 00 " OWN PORT_OPTION },
	};
	const struct snapshot_port port = test_port(0), tagged = test_port(100);

	(void)state;
	for (size_t i = 0; i < RTE_DIM(row); i++) {
		struct bytes in = from_hex(row[i].in, ""), out = from_hex(row[i].out, "");
		bool tag = in.at[12] == 0x81;
		struct received r;

		print_message("%s\n", row[i].name);
		mend_checksum(in.at + (tag ? 18 : 14), in.n - (tag ? 18 : 14));
		r = receive(tag ? &tagged : &port, &in);
		assert_int_equal(nd_judge(&r, &special6).answer, ANSWER_ND);
		expect_reply(nd_advertisement(&r, pool), &out);
		assert_null(nd_advertisement(&r, empty_pool()));
		assert_null(nd_advertisement(&r, small_pool()));
		rte_pktmbuf_free(r.frame);
	}
}

static void announcements_are_right_to_the_byte(void **state)
{
	const struct snapshot_port port = test_port(0), tagged = test_port(100);
	struct bytes out = from_hex(
		TO_ALL TYPE_IPV6,
		IP_32(OWN_LINK, ALL_NODES) "88 00 96 4c a0 00 00 00 " OWN_LINK PORT_OPTION);

	(void)state;
	expect_frame(nd_announcement(&port, port.link_local, pool), &out);
	out = from_hex(TO_ALL TAG_100 TYPE_IPV6,
		       IP_32(OWN, ALL_NODES) "88 00 37 00 a0 00 00 00 " OWN PORT_OPTION);
	expect_frame(nd_announcement(&tagged, own6[0], pool), &out);
	assert_null(nd_announcement(&port, own6[0], empty_pool()));
}

/* Mend the checksum of what is expected, and compare. */
static void expect_question(struct rte_mbuf *frame, const char *hex)
{
	struct bytes out = from_hex(hex, "");

	mend_checksum(out.at + 14, out.n - 14);
	expect_frame(frame, &out);
}

static void questions_are_right_to_the_byte(void **state)
{
	const struct snapshot_port port = test_port(0);
	const struct ipv6_key peer = { 0x20010db80064000a, 2 };
	const uint8_t mac[6] = { 2, 0, 0, 0, 0x0a, 1 };

	(void)state;
	/* to everybody who may have the address, to one alone */
	expect_question(nd_solicitation(&port, peer, NULL, pool),
			"33 33 ff 00 00 02 02 4e 41 00 00 01 " TYPE_IPV6 IP_32(
				OWN_LINK, "ff 02 00 00 00 00 00 00 00 00 00 01 ff 00 00 02 ")
				NS(PEER) "01 01 02 4e 41 00 00 01 ");
	expect_question(nd_solicitation(&port, peer, mac, pool),
			FROM_PORT TYPE_IPV6 IP_32(OWN_LINK, PEER)
				NS(PEER) "01 01 02 4e 41 00 00 01 ");
	/* is our own address anybody's: from no address, so without a MAC (RFC 4861 4.3) */
	expect_question(nd_probe(&port, port.link_local, pool),
			"33 33 ff 00 00 01 02 4e 41 00 00 01 " TYPE_IPV6 IP_24(NOBODY, SOLICITED_1)
				NS(OWN_LINK));
	assert_null(nd_probe(&port, port.link_local, empty_pool()));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_mean_what_the_contract_says),
		cmocka_unit_test(every_wrong_bit_is_seen_by_the_checksum),
		cmocka_unit_test(cut_packets_are_invalid),
		cmocka_unit_test(options_lie_in_any_segment),
		cmocka_unit_test(a_packet_longer_than_its_frame_is_invalid),
		cmocka_unit_test(advertisements_are_right_to_the_byte),
		cmocka_unit_test(announcements_are_right_to_the_byte),
		cmocka_unit_test(questions_are_right_to_the_byte),
	};

	return cmocka_run_group_tests(tests, start_nd, end_nd);
}
