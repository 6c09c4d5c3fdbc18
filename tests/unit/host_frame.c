// SPDX-License-Identifier: BSD-3-Clause
/* What the host may send, what of it napd answers, and the answers. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ip.h>

#include "host_frame.h"

/* 198.51.100.1/24, 192.0.2.1/31, 2001:db8:a::1/64, fe80::1 */
static const uint32_t own4[] = { RTE_BE32(0xc6336401), RTE_BE32(0xc0000201) };
static const struct ipv6_key own6[] = { { 0x20010db8000a0000, 1 } };
static const struct subnet subnets4[] = {
	{ { { UINT64_C(0xc633640000000000), 0 }, 24 } },
	{ { { UINT64_C(0xc000020000000000), 0 }, 31 } },
};
static const struct subnet subnets6[] = { { { { 0x20010db8000a0000, 0 }, 64 } } };
static const struct snapshot_port port = {
	.name = "pa",
	.mac = { { 0x02, 0x4e, 0x41, 0, 0, 1 } },
	.mtu = 1500,
	.address4 = own4,
	.address4_count = 2,
	.address6 = own6,
	.address6_count = 1,
	.subnet4 = subnets4,
	.subnet4_count = 2,
	.subnet6 = subnets6,
	.subnet6_count = 1,
	.link_local = { 0xfe80000000000000, 1 },
};

/* Hexadecimal digits; blanks are for the eye. Returns the bytes, in exactly their size. */
static uint8_t *bytes_of(const char *hex, size_t *n)
{
	uint8_t list[2048];
	char pair[3] = "";

	for (*n = 0; *hex; hex++) {
		if (*hex == ' ')
			continue;
		pair[0] = hex[0];
		pair[1] = *++hex;
		list[(*n)++] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return memcpy(malloc(*n + 1), list, *n);
}

#define TO       "0200 0000 0a01 024e 4100 0001 "
#define ALL      "ffff ffff ffff 024e 4100 0001 "
#define GROUP    "3333 ff00 0001 024e 4100 0001 "
#define V4       "0800 4500 001c 0000 0000 4011 0000 "
#define V6       "86dd 6000 0000 0008 1140 "
#define A4       "c633 6401 " /* 198.51.100.1 */
#define A6       "2001 0db8 000a 0000 0000 0000 0000 0001 "
#define LL       "fe80 0000 0000 0000 0000 0000 0000 0001 "
#define N6       "2001 0db8 000a 0000 0000 0000 0000 0002 "
#define F6       "2001 0db8 00ff 0000 0000 0000 0000 0002 "
#define NLL      "fe80 0000 0000 0000 0000 0000 0000 0002 "
#define UDP      "1234 5678 0008 0000 "
#define ARP      "0806 0001 0800 0604 0001 024e 4100 0001 "
#define ND(type) "86dd 6000 0000 0018 3aff " type
#define NS       "8700 0000 0000 0000 "

static const struct {
	const char *name;
	enum host_verdict verdict;
	const char *frame;
} rows[] = {
	{ "to a neighbour", HOST_PACKET, TO V4 A4 "c633 640a" UDP },
	{ "from its second address", HOST_PACKET, TO V4 "c000 0201 c000 0200" UDP },
	{ "beyond a neighbour", HOST_PACKET, TO V4 A4 "cb00 710a" UDP },
	{ "padded", HOST_PACKET, TO V4 A4 "c633 640a" UDP "0000 0000 0000" },
	{ "from somebody else's address", HOST_UNWANTED, TO V4 "0a00 0001 c633 640a" UDP },
	{ "from no address", HOST_UNWANTED, TO V4 "0000 0000 c633 640a" UDP },
	{ "to itself", HOST_UNWANTED, TO V4 A4 "c000 0201" UDP },
	{ "to all, in a frame for one", HOST_UNWANTED, TO V4 A4 "ffff ffff" UDP },
	{ "to its subnet's broadcast address", HOST_UNWANTED, TO V4 A4 "c633 64ff" UDP },
	{ "to its subnet's network address", HOST_UNWANTED, TO V4 A4 "c633 6400" UDP },
	{ "to a group", HOST_UNWANTED, TO V4 A4 "e000 0005" UDP },
	{ "to 127/8", HOST_UNWANTED, TO V4 A4 "7f00 0001" UDP },
	{ "to 0/8", HOST_UNWANTED, TO V4 A4 "0000 0001" UDP },
	{ "to 169.254/16", HOST_UNWANTED, TO V4 A4 "a9fe 0001" UDP },
	{ "to 240/4", HOST_UNWANTED, TO V4 A4 "f000 0001" UDP },
	{ "to one, in a frame for all", HOST_UNWANTED, ALL V4 A4 "c633 640a" UDP },
	{ "longer than the frame", HOST_UNWANTED,
	  TO "0800 4500 001d 0000 0000 4011 0000 " A4 "c633 640a" UDP },
	{ "shorter than its header", HOST_UNWANTED,
	  TO "0800 4500 0013 0000 0000 4011 0000 " A4 "c633 640a" UDP },
	{ "a header of 4 words", HOST_UNWANTED,
	  TO "0800 4400 001c 0000 0000 4011 0000 " A4 "c633 640a" UDP },
	{ "IPv6 that says it is IPv4", HOST_UNWANTED,
	  TO "0800 6500 001c 0000 0000 4011 0000 " A4 "c633 640a" UDP },
	{ "19 bytes of IPv4", HOST_UNWANTED, TO V4 A4 "c633 64" },
	{ "IPv6 to a neighbour", HOST_PACKET, TO V6 A6 N6 UDP },
	{ "IPv6 beyond a neighbour", HOST_PACKET, TO V6 A6 F6 UDP },
	{ "link-local to link-local", HOST_PACKET, TO V6 LL NLL UDP },
	{ "link-local to a neighbour", HOST_PACKET, TO V6 LL N6 UDP },
	{ "link-local to beyond", HOST_UNWANTED, TO V6 LL F6 UDP },
	{ "from another link-local address", HOST_UNWANTED, TO V6 NLL N6 UDP },
	{ "from ::", HOST_UNWANTED, TO V6 "0000 0000 0000 0000 0000 0000 0000 0000 " N6 UDP },
	{ "to a multicast group", HOST_UNWANTED,
	  TO V6 A6 "ff02 0000 0000 0000 0000 0000 0000 0001 " UDP },
	{ "to ::1", HOST_UNWANTED, TO V6 A6 "0000 0000 0000 0000 0000 0000 0000 0001 " UDP },
	{ "to an IPv4-mapped address", HOST_UNWANTED,
	  TO V6 A6 "0000 0000 0000 0000 0000 ffff c633 640a " UDP },
	{ "payload cut off", HOST_UNWANTED, TO V6 A6 N6 "1234 5678 0008 00" },
	{ "39 bytes of IPv6", HOST_UNWANTED, TO V6 A6 "2001 0db8 000a 0000 0000 0000 0000 00" },
	{ "an ARP request", HOST_QUESTION, ALL ARP A4 "0000 0000 0000 c633 640a" },
	{ "an ARP request to one alone", HOST_QUESTION, TO ARP A4 "0200 0000 0a01 c633 640a" },
	{ "an ARP request, cut", HOST_UNWANTED, ALL ARP A4 "0000 0000 0000 c633 64" },
	{ "an ARP reply", HOST_UNWANTED,
	  TO "0806 0001 0800 0604 0002 024e 4100 0001 " A4 "0200 0000 0a01 c633 640a" },
	{ "an ARP announcement", HOST_UNWANTED, ALL ARP A4 "0000 0000 0000 c633 6401" },
	{ "an ARP probe", HOST_UNWANTED, ALL ARP "0000 0000 0000 0000 0000 c633 6401" },
	{ "an ARP request in another's name", HOST_UNWANTED,
	  ALL ARP "c633 6409 0000 0000 0000 c633 640a" },
	{ "a solicitation", HOST_QUESTION,
	  GROUP ND(A6) "ff02 0000 0000 0000 0000 0001 ff00 0002 " NS N6 },
	{ "a solicitation from the link-local address", HOST_QUESTION,
	  GROUP ND(LL) "ff02 0000 0000 0000 0000 0001 ff00 0002 " NS N6 },
	{ "a solicitation to one alone", HOST_QUESTION, TO ND(A6) N6 NS N6 },
	{ "a solicitation, cut", HOST_UNWANTED,
	  TO "86dd 6000 0000 0017 3aff " A6 N6 NS "2001 0db8 000a 0000 0000 0000 0000 00" },
	{ "a solicitation from elsewhere", HOST_UNWANTED,
	  TO "86dd 6000 0000 0018 3afe " A6 N6 NS N6 },
	{ "duplicate address detection", HOST_UNWANTED,
	  GROUP ND(
		  "0000 0000 0000 0000 0000 0000 0000 0000 ") "ff02 0000 0000 0000 0000 0001 ff00 0001 " NS
		  A6 },
	{ "an advertisement", HOST_UNWANTED, TO ND(A6) N6 "8800 0000 6000 0000 " A6 },
	{ "a router solicitation", HOST_UNWANTED,
	  GROUP ND(LL) "ff02 0000 0000 0000 0000 0000 0000 0002 "
		       "8500 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 " },
	{ "a router solicitation to one alone", HOST_UNWANTED,
	  TO ND(A6) N6 "8500 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 " },
	{ "a redirect", HOST_UNWANTED, TO ND(A6) N6 "8900 0000 0000 0000 " A6 },
	{ "MLD", HOST_UNWANTED,
	  "3333 0000 0016 024e 4100 0001 86dd 6000 0000 0008 0001 " LL
	  "ff02 0000 0000 0000 0000 0000 0000 0016 3a00 0502 0000 0000" },
	{ "LLDP", HOST_UNWANTED, "0180 c200 000e 024e 4100 0001 88cc 0207 0402 4e41 0000 01" },
	{ "a tagged frame", HOST_UNWANTED, TO "8100 0064 " V4 A4 "c633 640a" UDP },
	{ "an echo reply of ICMPv6", HOST_PACKET,
	  TO "86dd 6000 0000 0008 3a40 " A6 N6 "8100 0000 0001 0001" },
	{ "nothing but a MAC", HOST_UNWANTED, "0200 0000 0a01" },
};

static void only_what_may_leaves(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t n;
		uint8_t *frame = bytes_of(rows[i].frame, &n);
		const struct host_frame f = host_frame_judge(&port, frame, n);

		free(frame);
		if (f.verdict != rows[i].verdict)
			fail_msg("%s: %d", rows[i].name, f.verdict);
	}
}

static void no_longer_than_the_mtu(void **state)
{
	static const char head[] = TO "0800 4500 05dc 0000 0000 4011 0000 " A4 "c633 640a";
	uint8_t *start, frame[1600] = { 0 };
	size_t n;

	(void)state;
	start = bytes_of(head, &n);
	memcpy(frame, start, n);
	free(start);
	assert_int_equal(host_frame_judge(&port, frame, 1514).verdict, HOST_PACKET);
	frame[17]++; /* 1501 */
	assert_int_equal(host_frame_judge(&port, frame, 1515).verdict, HOST_UNWANTED);
}

static void a_packet_says_where_it_goes(void **state)
{
	size_t n;
	uint8_t *frame = bytes_of(TO V4 A4 "cb00 710a" UDP "0000 0000", &n);
	struct host_frame f = host_frame_judge(&port, frame, n);

	(void)state;
	free(frame);
	assert_int_equal(f.l3_offset, 14);
	assert_int_equal(f.l3_bytes, 28);
	assert_false(f.on_link);
	assert_int_equal(f.target.key.hi >> 32, 0xcb00710a);
	assert_int_equal(f.next_hop.addr_bytes[4], 0x0a);
	frame = bytes_of(TO V6 LL NLL UDP, &n);
	f = host_frame_judge(&port, frame, n);
	free(frame);
	assert_true(f.on_link);
	assert_true(f.target.ipv6);
	assert_int_equal(f.l3_bytes, 48);
}

static const struct rte_ether_addr there = { { 2, 0, 0, 0, 0x0a, 1 } };

static void an_arp_question_gets_its_reply(void **state)
{
	uint8_t answer[HOST_ANSWER_MAX], *want;
	size_t n, want_n;
	uint8_t *frame = bytes_of(ALL ARP A4 "0000 0000 0000 c633 640a", &n);
	const struct host_frame f = host_frame_judge(&port, frame, n);

	(void)state;
	free(frame);
	n = host_answer(&port, &f.target, &f.asker, &there, answer);
	want = bytes_of("024e 4100 0001 0200 0000 0a01 0806 0001 0800 0604 0002"
			"0200 0000 0a01 c633 640a 024e 4100 0001 c633 6401",
			&want_n);
	assert_int_equal(n, want_n);
	assert_memory_equal(answer, want, n);
	free(want);
}

static void a_solicitation_gets_its_advertisement(void **state)
{
	uint8_t answer[HOST_ANSWER_MAX], *want;
	size_t n, want_n;
	uint8_t *frame =
		bytes_of(GROUP ND(LL) "ff02 0000 0000 0000 0000 0001 ff00 0002 " NS N6, &n);
	const struct host_frame f = host_frame_judge(&port, frame, n);
	uint32_t sum = 0;

	(void)state;
	free(frame);
	n = host_answer(&port, &f.target, &f.asker, &there, answer);
	assert_int_equal(n, HOST_ANSWER_MAX);
	/* its checksum is right: the sum over pseudo-header and message has all bits set */
	for (int i = 22; i < 54; i += 2)
		sum += (uint32_t)answer[i] << 8 | answer[i + 1];
	sum += 32 + 58;
	for (int i = 54; i < 86; i += 2)
		sum += (uint32_t)answer[i] << 8 | answer[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	assert_int_equal((sum & 0xffff) + (sum >> 16), 0xffff);
	answer[56] = answer[57] = 0;
	want = bytes_of("024e 4100 0001 0200 0000 0a01 86dd 6000 0000 0020 3aff" N6 LL
			"8800 0000 6000 0000" N6 "0201 0200 0000 0a01",
			&want_n);
	assert_int_equal(n, want_n);
	assert_memory_equal(answer, want, n);
	free(want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_may_leaves),
		cmocka_unit_test(no_longer_than_the_mtu),
		cmocka_unit_test(a_packet_says_where_it_goes),
		cmocka_unit_test(an_arp_question_gets_its_reply),
		cmocka_unit_test(a_solicitation_gets_its_advertisement),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
