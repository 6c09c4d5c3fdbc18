// SPDX-License-Identifier: BSD-3-Clause
/* ARP: what each packet means to its port, and the bytes of replies and announcements. */
#include "answer.h"

#define ARP(operation, sender_mac, sender, target_mac, target) \
	"00 01 08 00 06 04 " operation " " sender_mac sender target_mac target
#define REQUEST "00 01"
#define REPLY   "00 02"

#define HIS_MAC   "02 00 00 00 0a 01 "
#define PORT_MAC  "02 4e 41 00 00 01 "
#define ZERO_MAC  "00 00 00 00 00 00 "
#define BROADCAST "ff ff ff ff ff ff "
#define OWN_1     "c6 33 64 01 " /* 198.51.100.1/31 */
#define PEER_1    "c6 33 64 00 "
#define OWN_2     "c0 00 02 01 " /* 192.0.2.1/24 */
#define PEER_2    "c0 00 02 63 "
#define STRANGER  "cb 00 71 07 "
#define NOBODY    "00 00 00 00 "

/* To 60 bytes; a tag takes four of them. */
#define PADDING_TAGGED "00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
#define PADDING        PADDING_TAGGED "00 00 00 00 "

struct judge_row {
	const char *name;
	const char *arp;
	enum reason reason;
	enum answer answer;
	bool conflict, announcement;
	rte_be32_t sender;
};

#define IS_PEER_1   .sender = RTE_BE32(0xc6336400)
#define IS_PEER_2   .sender = RTE_BE32(0xc0000263)
#define IS_STRANGER .sender = RTE_BE32(0xcb007107)

static const struct judge_row judged[] = {
	{ "request", ARP(REQUEST, HIS_MAC, PEER_1, ZERO_MAC, OWN_1), REASON_CONSUMED, ANSWER_ARP,
	  IS_PEER_1 },
	{ "request for another own address", ARP(REQUEST, HIS_MAC, PEER_2, ZERO_MAC, OWN_2),
	  REASON_CONSUMED, ANSWER_ARP, IS_PEER_2 },
	{ "request from off the subnet", ARP(REQUEST, HIS_MAC, STRANGER, ZERO_MAC, OWN_1),
	  REASON_CONSUMED, ANSWER_ARP, IS_STRANGER },
	{ "request with a target MAC", ARP(REQUEST, HIS_MAC, PEER_1, BROADCAST, OWN_1),
	  REASON_CONSUMED, ANSWER_ARP, IS_PEER_1 },
	{ "probe of an own address", ARP(REQUEST, HIS_MAC, NOBODY, ZERO_MAC, OWN_1),
	  REASON_CONSUMED, ANSWER_ARP },
	{ "reply", ARP(REPLY, HIS_MAC, PEER_1, PORT_MAC, OWN_1), REASON_CONSUMED, ANSWER_NONE,
	  IS_PEER_1 },
	{ "announcement of an own address", ARP(REQUEST, HIS_MAC, OWN_1, ZERO_MAC, OWN_1),
	  REASON_CONSUMED, ANSWER_ARP, .conflict = true, .sender = RTE_BE32(0xc6336401) },
	{ "announcement of an own address by reply", ARP(REPLY, HIS_MAC, OWN_2, HIS_MAC, OWN_2),
	  REASON_CONSUMED, ANSWER_ARP, .conflict = true, .sender = RTE_BE32(0xc0000201) },
	{ "request from an own address", ARP(REQUEST, HIS_MAC, OWN_1, ZERO_MAC, PEER_1),
	  REASON_CONSUMED, ANSWER_ARP, .conflict = true, .sender = RTE_BE32(0xc6336401) },
	{ "request from one own address for another", ARP(REQUEST, HIS_MAC, OWN_1, ZERO_MAC, OWN_2),
	  REASON_CONSUMED, ANSWER_ARP, .conflict = true, .sender = RTE_BE32(0xc6336401) },
	{ "reply from an own address", ARP(REPLY, HIS_MAC, OWN_1, HIS_MAC, STRANGER),
	  REASON_CONSUMED, ANSWER_ARP, .conflict = true, .sender = RTE_BE32(0xc6336401) },
	{ "announcement in the first subnet", ARP(REQUEST, HIS_MAC, PEER_1, ZERO_MAC, PEER_1),
	  REASON_CONSUMED, ANSWER_NONE, .announcement = true, IS_PEER_1 },
	{ "announcement in the second subnet", ARP(REQUEST, HIS_MAC, PEER_2, ZERO_MAC, PEER_2),
	  REASON_CONSUMED, ANSWER_NONE, .announcement = true, IS_PEER_2 },
	{ "announcement by reply", ARP(REPLY, HIS_MAC, PEER_2, BROADCAST, PEER_2), REASON_CONSUMED,
	  ANSWER_NONE, .announcement = true, IS_PEER_2 },
	{ "announcement from off the subnets", ARP(REQUEST, HIS_MAC, STRANGER, ZERO_MAC, STRANGER),
	  DROP_ARP_OTHER, ANSWER_NONE, IS_STRANGER },
	{ "announcement just beyond the /31",
	  ARP(REQUEST, HIS_MAC, "c6 33 64 02 ", ZERO_MAC, "c6 33 64 02 "), DROP_ARP_OTHER,
	  ANSWER_NONE, .sender = RTE_BE32(0xc6336402) },
	{ "request for a neighbour", ARP(REQUEST, HIS_MAC, PEER_2, ZERO_MAC, "c0 00 02 64 "),
	  DROP_ARP_OTHER, ANSWER_NONE, IS_PEER_2 },
	{ "request for a stranger: no proxy ARP", ARP(REQUEST, HIS_MAC, PEER_1, ZERO_MAC, STRANGER),
	  DROP_ARP_OTHER, ANSWER_NONE, IS_PEER_1 },
	{ "probe of a neighbour's address", ARP(REQUEST, HIS_MAC, NOBODY, ZERO_MAC, PEER_1),
	  DROP_ARP_OTHER, ANSWER_NONE },
	{ "nobody announces nothing", ARP(REQUEST, HIS_MAC, NOBODY, ZERO_MAC, NOBODY),
	  DROP_ARP_OTHER, ANSWER_NONE },
	{ "hardware other than Ethernet", "00 06 08 00 06 04 00 01 " HIS_MAC PEER_1 ZERO_MAC OWN_1,
	  DROP_ARP_INVALID },
	{ "protocol other than IPv4", "00 01 86 dd 06 04 00 01 " HIS_MAC PEER_1 ZERO_MAC OWN_1,
	  DROP_ARP_INVALID },
	{ "hardware size 8", "00 01 08 00 08 04 00 01 " HIS_MAC PEER_1 ZERO_MAC OWN_1,
	  DROP_ARP_INVALID },
	{ "protocol size 16", "00 01 08 00 06 10 00 01 " HIS_MAC PEER_1 ZERO_MAC OWN_1,
	  DROP_ARP_INVALID },
	{ "operation 0", ARP("00 00", HIS_MAC, PEER_1, ZERO_MAC, OWN_1), DROP_ARP_INVALID },
	{ "operation 3, reverse ARP", ARP("00 03", HIS_MAC, PEER_1, ZERO_MAC, OWN_1),
	  DROP_ARP_INVALID },
	{ "operation 257", ARP("01 01", HIS_MAC, PEER_1, ZERO_MAC, OWN_1), DROP_ARP_INVALID },
};

static void check_verdict(const struct judge_row *row, const struct received *r)
{
	static const struct rte_ether_addr his = { { 2, 0, 0, 0, 0x0a, 1 } };
	struct arp_verdict got = arp_judge(r);

	if (got.reason != row->reason || got.answer != row->answer ||
	    got.conflict != row->conflict || got.announcement != row->announcement)
		fail_msg("%s: reason %d answer %d conflict %d announcement %d", row->name,
			 got.reason, got.answer, got.conflict, got.announcement);
	if (row->reason == DROP_ARP_INVALID)
		return;
	if (got.sender != row->sender || !rte_is_same_ether_addr(&got.sender_mac, &his))
		fail_msg("%s: sender %08x", row->name, got.sender);
}

static void packets_mean_what_the_contract_says(void **state)
{
	const struct snapshot_port port = test_port(0);

	(void)state;
	for (size_t i = 0; i < RTE_DIM(judged); i++) {
		struct bytes in = from_hex(BROADCAST HIS_MAC TYPE_ARP, judged[i].arp);
		struct received r = receive(&port, &in);

		check_verdict(&judged[i], &r);
		rte_pktmbuf_free(r.frame);
		append_hex(&in, PADDING);
		r = receive(&port, &in);
		check_verdict(&judged[i], &r);
		rte_pktmbuf_free(r.frame);
	}
}

static void every_subnet_length_is_compared(void **state)
{
	struct snapshot_port port = test_port(0);
	struct bytes in = from_hex(BROADCAST HIS_MAC TYPE_ARP,
				   ARP(REQUEST, HIS_MAC, STRANGER, ZERO_MAC, STRANGER));
	struct received r = receive(&port, &in);

	(void)state;
	port.subnet4_count = 1;
	for (uint8_t length = 0; length <= 32; length++) {
		uint64_t mask = length ? UINT64_MAX << (64 - length) : 0;
		struct subnet subnet = { { { 0xcb00710700000000 & mask, 0 }, length } };

		port.subnet4 = &subnet;
		assert_int_equal(arp_judge(&r).reason, REASON_CONSUMED);
		if (length == 0)
			continue;
		subnet.prefix.address.hi ^= UINT64_C(1) << (64 - length);
		assert_int_equal(arp_judge(&r).reason, DROP_ARP_OTHER);
	}
	rte_pktmbuf_free(r.frame);
}

static void a_port_without_addresses_is_asked_nothing(void **state)
{
	struct snapshot_port port = test_port(0);
	struct bytes in =
		from_hex(BROADCAST HIS_MAC TYPE_ARP, ARP(REQUEST, HIS_MAC, OWN_1, ZERO_MAC, OWN_1));
	struct received r = receive(&port, &in);

	(void)state;
	port.address4_count = port.subnet4_count = 0;
	assert_int_equal(arp_judge(&r).reason, DROP_ARP_OTHER);
	rte_pktmbuf_free(r.frame);
}

static void cut_packets_are_invalid(void **state)
{
	const struct snapshot_port port = test_port(0);
	struct bytes in = from_hex(BROADCAST HIS_MAC TYPE_ARP,
				   ARP(REQUEST, HIS_MAC, PEER_1, ZERO_MAC, OWN_1));
	uint32_t whole = in.n;

	(void)state;
	for (in.n = 14; in.n <= whole; in.n++) {
		struct received r = receive(&port, &in);

		assert_int_equal(arp_judge(&r).reason,
				 in.n < whole ? DROP_ARP_INVALID : REASON_CONSUMED);
		rte_pktmbuf_free(r.frame);
	}
}

static void replies_are_right_to_the_byte(void **state)
{
	static const struct {
		const char *name, *in, *out;
	} row[] = {
		{ "request",
		  BROADCAST HIS_MAC TYPE_ARP ARP(REQUEST, HIS_MAC, PEER_1, ZERO_MAC, OWN_1),
		  FROM_PORT TYPE_ARP ARP(REPLY, PORT_MAC, OWN_1, HIS_MAC, PEER_1) PADDING },
		{ "unicast request",
		  TO_PORT TYPE_ARP ARP(REQUEST, HIS_MAC, PEER_2, PORT_MAC, OWN_2),
		  FROM_PORT TYPE_ARP ARP(REPLY, PORT_MAC, OWN_2, HIS_MAC, PEER_2) PADDING },
		{ "probe",
		  BROADCAST HIS_MAC TYPE_ARP ARP(REQUEST, HIS_MAC, NOBODY, ZERO_MAC, OWN_2),
		  FROM_PORT TYPE_ARP ARP(REPLY, PORT_MAC, OWN_2, HIS_MAC, NOBODY) PADDING },
		{ "sent by another than it says: back to the sender of the frame",
		  BROADCAST HIS_MAC TYPE_ARP ARP(REQUEST, "02 00 00 00 0b 02 ", PEER_1, ZERO_MAC,
						 OWN_1),
		  FROM_PORT TYPE_ARP ARP(REPLY, PORT_MAC, OWN_1, "02 00 00 00 0b 02 ", PEER_1)
			  PADDING },
		{ "tag",
		  BROADCAST HIS_MAC TAG_100 TYPE_ARP ARP(REQUEST, HIS_MAC, PEER_1, ZERO_MAC, OWN_1),
		  FROM_PORT TAG_100 TYPE_ARP ARP(REPLY, PORT_MAC, OWN_1, HIS_MAC, PEER_1)
			  PADDING_TAGGED },
	};
	const struct snapshot_port port = test_port(0), tagged = test_port(100);

	(void)state;
	for (size_t i = 0; i < RTE_DIM(row); i++) {
		struct bytes in = from_hex(row[i].in, ""), out = from_hex(row[i].out, "");
		struct received r = receive(in.at[12] == 0x81 ? &tagged : &port, &in);

		print_message("%s\n", row[i].name);
		assert_int_equal(out.n, 60);
		expect_reply(arp_reply(&r, pool), &out);
		assert_null(arp_reply(&r, empty_pool()));
		rte_pktmbuf_free(r.frame);
	}
}

static void announcements_are_right_to_the_byte(void **state)
{
	const struct snapshot_port port = test_port(0), tagged = test_port(4095);
	struct bytes out = from_hex(BROADCAST PORT_MAC TYPE_ARP,
				    ARP(REQUEST, PORT_MAC, OWN_2, ZERO_MAC, OWN_2) PADDING);

	(void)state;
	expect_frame(arp_announcement(&port, own4[1], pool), &out);
	out = from_hex(BROADCAST PORT_MAC "81 00 0f ff " TYPE_ARP,
		       ARP(REQUEST, PORT_MAC, OWN_1, ZERO_MAC, OWN_1) PADDING_TAGGED);
	expect_frame(arp_announcement(&tagged, own4[0], pool), &out);
	assert_null(arp_announcement(&port, own4[0], empty_pool()));
}

static void questions_are_right_to_the_byte(void **state)
{
	const struct snapshot_port port = test_port(0);
	const uint8_t mac[6] = { 2, 0, 0, 0, 0x0a, 1 };
	struct bytes out;

	(void)state;
	/* from the port's address in the subnet of the neighbour */
	out = from_hex(BROADCAST PORT_MAC TYPE_ARP,
		       ARP(REQUEST, PORT_MAC, OWN_2, ZERO_MAC, PEER_2) PADDING);
	expect_frame(arp_request(&port, RTE_BE32(0xc0000263u), NULL, pool), &out);
	out = from_hex(FROM_PORT TYPE_ARP, ARP(REQUEST, PORT_MAC, OWN_1, ZERO_MAC, PEER_1) PADDING);
	expect_frame(arp_request(&port, RTE_BE32(0xc6336400u), mac, pool), &out);
	assert_null(arp_request(&port, RTE_BE32(0xcb007101u), NULL, pool));
	/* RFC 5227 2.1.1: a probe teaches nobody anything */
	out = from_hex(BROADCAST PORT_MAC TYPE_ARP,
		       ARP(REQUEST, PORT_MAC, NOBODY, ZERO_MAC, OWN_2) PADDING);
	expect_frame(arp_probe(&port, own4[1], pool), &out);
	assert_null(arp_probe(&port, own4[1], empty_pool()));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_mean_what_the_contract_says),
		cmocka_unit_test(every_subnet_length_is_compared),
		cmocka_unit_test(a_port_without_addresses_is_asked_nothing),
		cmocka_unit_test(cut_packets_are_invalid),
		cmocka_unit_test(replies_are_right_to_the_byte),
		cmocka_unit_test(announcements_are_right_to_the_byte),
		cmocka_unit_test(questions_are_right_to_the_byte),
	};

	return cmocka_run_group_tests(tests, start, no_buffer_is_lost);
}
