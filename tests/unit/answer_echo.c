// SPDX-License-Identifier: BSD-3-Clause
/* Echo: which requests are answered, and the bytes of the replies. */
#include "answer.h"

#include "answer/checksum.h"

/* 198.51.100.0 > 198.51.100.1, TOS 0xbb (ECN 3), id 0xbeef, DF, TTL 5; id 0x1a2b, sequence 7,
 * "napd!" */
#define REQUEST4                                                       \
	"45 bb 00 21 be ef 40 00 05 01 61 c9 c6 33 64 00 c6 33 64 01 " \
	"08 00 de 07 1a 2b 00 07 6e 61 70 64 21 "
#define REPLY4                                                         \
	"45 b8 00 21 00 00 00 00 40 01 25 bc c6 33 64 01 c6 33 64 00 " \
	"00 00 e6 07 1a 2b 00 07 6e 61 70 64 21 "
/* The same with a record route option. */
#define REQUEST4_OPTIONS                                                                       \
	"47 bb 00 29 be ef 40 00 05 01 54 b9 c6 33 64 00 c6 33 64 01 07 07 04 00 00 00 00 01 " \
	"08 00 de 07 1a 2b 00 07 6e 61 70 64 21 "
#define REQUEST4_EMPTY \
	"45 bb 00 1c be ef 40 00 05 01 61 ce c6 33 64 00 c6 33 64 01 08 00 dd cd 1a 2b 00 07 "
#define REPLY4_EMPTY \
	"45 b8 00 1c 00 00 00 00 40 01 25 c1 c6 33 64 01 c6 33 64 00 00 00 e5 cd 1a 2b 00 07 "

/* 2001:db8:64:a::2 > 2001:db8:64:a::1, traffic class 0xbb (ECN 3), flow label, hop limit 5 */
#define REQUEST6                                                                   \
	"6b b1 23 45 00 0d 3a 05 20 01 0d b8 00 64 00 0a 00 00 00 00 00 00 00 02 " \
	"20 01 0d b8 00 64 00 0a 00 00 00 00 00 00 00 01 80 00 09 6f 1a 2b 00 07 6e 61 70 64 21 "
#define REPLY6                                                                     \
	"6b 80 00 00 00 0d 3a 40 20 01 0d b8 00 64 00 0a 00 00 00 00 00 00 00 01 " \
	"20 01 0d b8 00 64 00 0a 00 00 00 00 00 00 00 02 81 00 08 6f 1a 2b 00 07 6e 61 70 64 21 "
/* To the subnet-router anycast address of the port's /64: the reply is REPLY6. */
#define REQUEST6_ANYCAST                                                           \
	"6b b1 23 45 00 0d 3a 05 20 01 0d b8 00 64 00 0a 00 00 00 00 00 00 00 02 " \
	"20 01 0d b8 00 64 00 0a 00 00 00 00 00 00 00 00 80 00 09 70 1a 2b 00 07 6e 61 70 64 21 "
/* fe80::a > fe80::1 */
#define REQUEST6_LINK_LOCAL                                                        \
	"6b b1 23 45 00 08 3a 05 fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 0a " \
	"fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 01 80 00 68 7e 1a 2b 00 07 "
#define REPLY6_LINK_LOCAL                                                          \
	"6b 80 00 00 00 08 3a 40 fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 01 " \
	"fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 0a 81 00 67 7e 1a 2b 00 07 "
/* To 2001:db8:64:c::1, an address of another port. */
#define REQUEST6_OTHER_PORT                                                        \
	"6b b1 23 45 00 08 3a 05 20 01 0d b8 00 64 00 0a 00 00 00 00 00 00 00 02 " \
	"20 01 0d b8 00 64 00 0c 00 00 00 00 00 00 00 01 80 00 09 38 1a 2b 00 07 "
#define REPLY6_OTHER_PORT                                                          \
	"6b 80 00 00 00 08 3a 40 20 01 0d b8 00 64 00 0c 00 00 00 00 00 00 00 01 " \
	"20 01 0d b8 00 64 00 0a 00 00 00 00 00 00 00 02 81 00 08 38 1a 2b 00 07 "

static bool is_ipv4(const struct received *r)
{
	return r->l3[0] >> 4 == 4;
}

static bool answerable(const struct received *r)
{
	return is_ipv4(r) ? echo_answerable4(r) : echo_answerable6(r);
}

static struct rte_mbuf *reply_from(const struct received *r, struct rte_mempool *from)
{
	return is_ipv4(r) ? echo_reply4(r, from) : echo_reply6(r, from);
}

static void replies_are_right_to_the_byte(void **state)
{
	static const struct {
		const char *name, *in, *out;
	} row[] = {
		{ "IPv4", TO_PORT TYPE_IPV4 REQUEST4,
		  FROM_PORT TYPE_IPV4 REPLY4 "00 00 00 00 00 00 "
					     "00 00 00 00 00 00 00" },
		{ "IPv4, options stripped", TO_PORT TYPE_IPV4 REQUEST4_OPTIONS,
		  FROM_PORT TYPE_IPV4 REPLY4 "00 00 00 00 00 00 00 00 00 00 00 00 00" },
		{ "IPv4, no payload", TO_PORT TYPE_IPV4 REQUEST4_EMPTY,
		  FROM_PORT TYPE_IPV4 REPLY4_EMPTY
		  "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00" },
		{ "IPv6", TO_PORT TYPE_IPV6 REQUEST6, FROM_PORT TYPE_IPV6 REPLY6 },
		{ "IPv6, anycast", TO_PORT TYPE_IPV6 REQUEST6_ANYCAST, FROM_PORT TYPE_IPV6 REPLY6 },
		{ "IPv6, link-local", TO_PORT TYPE_IPV6 REQUEST6_LINK_LOCAL,
		  FROM_PORT TYPE_IPV6 REPLY6_LINK_LOCAL },
		{ "IPv6, another port's address", TO_PORT TYPE_IPV6 REQUEST6_OTHER_PORT,
		  FROM_PORT TYPE_IPV6 REPLY6_OTHER_PORT },
		{ "IPv4, tag", TO_PORT TAG_100 TYPE_IPV4 REQUEST4,
		  FROM_PORT TAG_100 TYPE_IPV4 REPLY4 "00 00 00 00 00 00 00 00 00" },
		{ "IPv6, tag", TO_PORT TAG_100 TYPE_IPV6 REQUEST6,
		  FROM_PORT TAG_100 TYPE_IPV6 REPLY6 },
	};
	const struct snapshot_port port = test_port(0), tagged = test_port(100);

	(void)state;
	for (size_t i = 0; i < RTE_DIM(row); i++) {
		struct bytes in = from_hex(row[i].in, ""), out = from_hex(row[i].out, "");
		struct received r = receive(in.at[12] == 0x81 ? &tagged : &port, &in);

		print_message("%s\n", row[i].name);
		assert_true(answerable(&r));
		expect_reply(reply_from(&r, pool), &out);
		rte_pktmbuf_free(r.frame);
	}
}

/* Make the ICMP checksum of the packet at ip right, where its header length is. */
static void mend_checksum(uint8_t *ip, uint32_t bytes)
{
	uint32_t header = ip[0] >> 4 == 4 ? 20 : 40;
	uint16_t sum;

	memset(ip + header + 2, 0, 2);
	sum = header == 20 ? slow_checksum(0, ip + 20, bytes - 20)
			   : slow_checksum_icmp6(ip, bytes - 40);
	ip[header + 2] = (uint8_t)(sum >> 8);
	ip[header + 3] = (uint8_t)sum;
}

static void only_whole_and_right_requests_are_answered(void **state)
{
	/* One byte of REQUEST4 or REQUEST6, from the IP header on, is another. */
	static const struct {
		const char *name, *packet;
		uint32_t at;
		uint8_t value;
		bool mend; /* the checksum is right all the same */
		bool answerable;
	} row[] = {
		{ "IPv4", REQUEST4, 0, 0x45, true, true },
		{ "IPv4 that may be fragmented", REQUEST4, 6, 0x00, true, true },
		{ "IPv4, first fragment", REQUEST4, 6, 0x20, true, false },
		{ "IPv4, later fragment", REQUEST4, 7, 0x01, true, false },
		{ "IPv4, far fragment", REQUEST4, 6, 0x10, true, false },
		{ "IPv4, UDP", REQUEST4, 9, 17, true, false },
		{ "IPv4, header too short", REQUEST4, 0, 0x44, true, false },
		{ "IPv4, header longer than the packet", REQUEST4, 0, 0x4f, true, false },
		{ "IPv4, no room for ICMP", REQUEST4, 0, 0x47, true, false },
		{ "IPv4, echo reply", REQUEST4, 20, 0, true, false },
		{ "IPv4, timestamp", REQUEST4, 20, 13, true, false },
		{ "IPv4, code 1", REQUEST4, 21, 1, true, false },
		{ "IPv4, wrong checksum", REQUEST4, 23, 0x08, false, false },
		{ "IPv4, wrong last byte", REQUEST4, 32, 0x20, false, false },
		{ "IPv6", REQUEST6, 0, 0x6b, true, true },
		{ "IPv6, fragment header", REQUEST6, 6, 44, true, false },
		{ "IPv6, hop-by-hop header", REQUEST6, 6, 0, true, false },
		{ "IPv6, echo reply", REQUEST6, 40, 129, true, false },
		{ "IPv6, unreachable", REQUEST6, 40, 1, true, false },
		{ "IPv6, code 1", REQUEST6, 41, 1, true, false },
		{ "IPv6, wrong checksum", REQUEST6, 43, 0x70, false, false },
		{ "IPv6, wrong source", REQUEST6, 23, 3, false, false },
		{ "IPv6, wrong last byte", REQUEST6, 52, 0x20, false, false },
	};
	const struct snapshot_port port = test_port(0);

	(void)state;
	for (size_t i = 0; i < RTE_DIM(row); i++) {
		bool v4 = row[i].packet[0] == '4';
		struct bytes in =
			from_hex(v4 ? TO_PORT TYPE_IPV4 : TO_PORT TYPE_IPV6, row[i].packet);
		struct received r;
		bool got;

		in.at[14 + row[i].at] = row[i].value;
		if (row[i].mend)
			mend_checksum(in.at + 14, in.n - 14);
		r = receive(&port, &in);
		got = v4 ? echo_answerable4(&r) : echo_answerable6(&r);
		rte_pktmbuf_free(r.frame);
		if (got != row[i].answerable)
			fail_msg("%s: %d", row[i].name, got);
	}
}

/* A right request of bytes in all, whose payload makes carries. */
static void make_request(struct bytes *b, bool v4, uint32_t bytes)
{
	uint32_t length = v4 ? bytes : bytes - 40;

	*b = v4 ? from_hex(TO_PORT TYPE_IPV4, REQUEST4) : from_hex(TO_PORT TYPE_IPV6, REQUEST6);
	b->at[14 + (v4 ? 2 : 4)] = (uint8_t)(length >> 8);
	b->at[14 + (v4 ? 3 : 5)] = (uint8_t)length;
	for (; b->n < 14 + bytes; b->n++)
		b->at[b->n] = (uint8_t) ~(b->n * 3 + (b->n >> 8));
	mend_checksum(b->at + 14, bytes);
}

static void expect_whole_reply(const struct received *r, const struct bytes *in)
{
	struct rte_mbuf *reply = reply_from(r, pool);
	uint32_t header = is_ipv4(r) ? 20 : 40;
	const uint8_t *ip;

	assert_non_null(reply);
	assert_int_equal(reply->nb_segs, 1);
	assert_int_equal(rte_pktmbuf_pkt_len(reply), in->n);
	ip = rte_pktmbuf_mtod_offset(reply, const uint8_t *, 14);
	assert_memory_equal(ip + header + 4, in->at + 14 + header + 4, in->n - 14 - header - 4);
	if (header == 20) {
		assert_int_equal(slow_checksum(0, ip, 20), 0);
		assert_int_equal(slow_checksum(0, ip + 20, in->n - 34), 0);
	} else {
		assert_int_equal(slow_checksum_icmp6(ip, in->n - 54), 0);
	}
	rte_pktmbuf_free(reply);
}

static void requests_up_to_the_mtu_are_answered_whole(void **state)
{
	static const uint16_t mtu[] = { 1280, 1499, 1500, 9000, 9600 };
	struct snapshot_port port = test_port(0);
	struct bytes in;

	(void)state;
	for (size_t i = 0; i < RTE_DIM(mtu) * 2; i++) {
		bool v4 = i % 2;
		struct received r;

		port.mtu = mtu[i / 2];
		make_request(&in, v4, port.mtu);
		r = receive(&port, &in);
		assert_true(answerable(&r));
		expect_whole_reply(&r, &in);
		rte_pktmbuf_free(r.frame);
		/* Odd segments: bytes change places in the sums. */
		r = receive_segments(&port, in.at, in.n, 201, 97);
		assert_true(answerable(&r));
		expect_whole_reply(&r, &in);
		rte_pktmbuf_free(r.frame);

		/* The last byte counts, wherever it lies. */
		in.at[in.n - 1]++;
		r = receive_segments(&port, in.at, in.n, 201, 97);
		assert_false(answerable(&r));
		rte_pktmbuf_free(r.frame);

		make_request(&in, v4, port.mtu + 1u);
		r = receive(&port, &in);
		assert_false(answerable(&r));
		rte_pktmbuf_free(r.frame);
	}
}

/* A header length below 5 words, and all right if ICMP began there. */
static void a_header_too_short_holds_no_request(void **state)
{
	const struct snapshot_port port = test_port(0);
	struct bytes in = from_hex(TO_PORT TYPE_IPV4, REQUEST4);
	uint8_t *icmp = in.at + 14 + 16;
	struct received r;
	uint16_t sum;

	(void)state;
	in.at[14] = 0x44;
	memcpy(icmp, (uint8_t[]){ 8, 0, 0, 0 }, 4);
	sum = slow_checksum(0, icmp, in.n - 30);
	icmp[2] = (uint8_t)(sum >> 8);
	icmp[3] = (uint8_t)sum;
	r = receive(&port, &in);
	assert_false(echo_answerable4(&r));
	rte_pktmbuf_free(r.frame);
}

static void padding_is_not_returned(void **state)
{
	const struct snapshot_port port = test_port(0);
	struct bytes in =
		from_hex(TO_PORT TYPE_IPV4 REQUEST4, "01 02 03 04 05 06 07 08 09 0a 0b 0c 0d");
	struct bytes out =
		from_hex(FROM_PORT TYPE_IPV4 REPLY4, "00 00 00 00 00 00 00 00 00 00 00 00 00");
	struct received r = receive(&port, &in);

	(void)state;
	r.l3_bytes = 33;
	assert_true(echo_answerable4(&r));
	expect_reply(echo_reply4(&r, pool), &out);
	rte_pktmbuf_free(r.frame);
}

static void cut_requests_are_not_answered(void **state)
{
	static const char *const packet[] = { TO_PORT TYPE_IPV4 REQUEST4,
					      TO_PORT TYPE_IPV4 REQUEST4_OPTIONS,
					      TO_PORT TAG_100 TYPE_IPV4 REQUEST4_EMPTY,
					      TO_PORT TYPE_IPV6 REQUEST6,
					      TO_PORT TYPE_IPV6 REQUEST6_LINK_LOCAL };
	const struct snapshot_port port = test_port(0);

	(void)state;
	for (size_t i = 0; i < RTE_DIM(packet); i++) {
		struct bytes in = from_hex(packet[i], "");
		uint32_t whole = in.n;

		for (in.n = in.at[12] == 0x81 ? 18 : 14; in.n < whole; in.n++) {
			struct received r = receive(&port, &in);

			assert_false(echo_answerable4(&r));
			assert_false(echo_answerable6(&r));
			rte_pktmbuf_free(r.frame);
		}
	}
}

static void no_reply_without_a_buffer(void **state)
{
	static const char *const in[] = { TO_PORT TYPE_IPV4 REQUEST4, TO_PORT TYPE_IPV6 REQUEST6 };
	const struct snapshot_port port = test_port(0);

	(void)state;
	for (size_t i = 0; i < RTE_DIM(in); i++) {
		struct bytes b = from_hex(in[i], "");
		struct received r = receive(&port, &b);

		assert_null(reply_from(&r, empty_pool()));
		/* Says that it is longer than its frame. */
		r.l3_bytes++;
		assert_false(answerable(&r));
		assert_null(reply_from(&r, pool));
		rte_pktmbuf_free(r.frame);
	}
}

static void sums_cross_segments_from_any_byte_to_any(void **state)
{
	const struct snapshot_port port = test_port(0);
	struct bytes in;

	(void)state;
	make_request(&in, true, 60);
	for (uint32_t segment = 1; segment < 20; segment++) {
		struct received r = receive_segments(&port, in.at, in.n, segment, segment);

		for (uint32_t from = 0; from <= in.n; from++) {
			uint16_t sum;

			for (uint32_t n = 0; from + n <= in.n; n++) {
				assert_true(checksum_frame(r.frame, from, n, &sum));
				assert_int_equal((uint16_t)~rte_be_to_cpu_16(sum),
						 slow_checksum(0, in.at + from, n));
			}
			assert_false(checksum_frame(r.frame, from, in.n - from + 1, &sum));
		}
		rte_pktmbuf_free(r.frame);
	}
}

static void only_frames_with_room_for_it_inherit_an_origin(void **state)
{
	struct rte_mempool *bare = rte_pktmbuf_pool_create("bare", 1, 0, 0, 256, 0);
	const struct snapshot_port port = test_port(0);
	struct bytes in = from_hex(TO_PORT TYPE_IPV4, REQUEST4_EMPTY);
	struct received r = receive(&port, &in);
	struct rte_mbuf *reply;

	(void)state;
	assert_non_null(bare);
	reply = echo_reply4(&r, bare);
	assert_non_null(reply);
	/* Without private area the buffer follows at once: it must not be taken for one. */
	assert_int_equal(rte_pktmbuf_pkt_len(reply), 60);
	assert_memory_not_equal(reply + 1, rte_mbuf_to_priv(r.frame),
				offsetof(struct frame_origin, wire_bytes));
	rte_pktmbuf_free(reply);
	rte_pktmbuf_free(r.frame);
	rte_mempool_free(bare);
}

static void a_reply_fits_its_buffer_or_is_none(void **state)
{
	const struct snapshot_port port = test_port(0);
	struct bytes in;

	(void)state;
	for (uint32_t bytes = 45; bytes < 49; bytes++) {
		struct rte_mbuf *reply;
		struct received r;

		make_request(&in, true, bytes);
		r = receive(&port, &in);
		reply = echo_reply4(&r, small_pool());
		assert_int_equal(reply != NULL, 14 + bytes <= 60);
		rte_pktmbuf_free(reply);
		rte_pktmbuf_free(r.frame);
		assert_int_equal(rte_mempool_in_use_count(small_pool()), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies_are_right_to_the_byte),
		cmocka_unit_test(only_whole_and_right_requests_are_answered),
		cmocka_unit_test(requests_up_to_the_mtu_are_answered_whole),
		cmocka_unit_test(a_header_too_short_holds_no_request),
		cmocka_unit_test(padding_is_not_returned),
		cmocka_unit_test(cut_requests_are_not_answered),
		cmocka_unit_test(no_reply_without_a_buffer),
		cmocka_unit_test(a_reply_fits_its_buffer_or_is_none),
		cmocka_unit_test(sums_cross_segments_from_any_byte_to_any),
		cmocka_unit_test(only_frames_with_room_for_it_inherit_an_origin),
	};

	return cmocka_run_group_tests(tests, start, no_buffer_is_lost);
}
