// SPDX-License-Identifier: BSD-3-Clause
/* ICMP errors: when there is one, and its bytes. */
#include "answer.h"

/* 203.0.113.7 > 198.18.9.9, TTL 1, UDP 40000 > 33434, 4 bytes */
#define UDP4                                                                                   \
	"45 2e 00 20 12 34 00 00 01 11 9c 48 cb 00 71 07 c6 12 09 09 9c 40 82 9a 00 0c 00 00 " \
	"6e 61 70 64 "
/* 198.51.100.1 > 203.0.113.7, CS6, TTL 64, 60 bytes in all */
#define ERROR4 "45 c0 00 3c 00 00 00 00 40 01 13 c5 c6 33 64 01 cb 00 71 07 "

/* 2001:db8:a::7 > 2001:db8:b::9, hop limit 1, UDP 40000 > 33434, 4 bytes */
#define UDP6                                                                       \
	"62 e1 23 45 00 0c 11 01 20 01 0d b8 00 0a 00 00 00 00 00 00 00 00 00 07 " \
	"20 01 0d b8 00 0b 00 00 00 00 00 00 00 00 00 09 9c 40 82 9a 00 0c 00 00 6e 61 70 64 "
/* 2001:db8:64:a::1 > 2001:db8:a::7, CS6, hop limit 64, 60 bytes of payload */
#define ERROR6                                                                     \
	"6c 00 00 00 00 3c 3a 40 20 01 0d b8 00 64 00 0a 00 00 00 00 00 00 00 01 " \
	"20 01 0d b8 00 0a 00 00 00 00 00 00 00 00 00 07 "

#define IP4(flags, protocol, source, destination) \
	"45 00 00 1c 00 01 " flags " 40 " protocol " 00 00 " source " " destination " "
#define IP6(next, source, destination) "60 00 00 00 00 08 " next " 40 " source " " destination " "
#define A4                             "cb 00 71 07"
#define B4                             "c6 12 09 09"
#define A6                             "20 01 0d b8 00 0a 00 00 00 00 00 00 00 00 00 07"
#define B6                             "20 01 0d b8 00 0b 00 00 00 00 00 00 00 00 00 09"

struct allowed_row {
	const char *name;
	const char *packet;
	bool allowed;
};

static const struct allowed_row allowed4[] = {
	{ "UDP", IP4("00 00", "11", A4, B4) "9c 40 82 9a 00 08 00 00", true },
	{ "nothing after the header", IP4("00 00", "11", A4, B4), true },
	{ "first fragment", IP4("20 00", "11", A4, B4) "9c 40 82 9a 00 08 00 00", true },
	{ "do not fragment", IP4("40 00", "11", A4, B4) "9c 40 82 9a 00 08 00 00", true },
	{ "second fragment", IP4("20 01", "11", A4, B4) "9c 40 82 9a 00 08 00 00", false },
	{ "last fragment", IP4("00 b9", "11", A4, B4) "9c 40 82 9a 00 08 00 00", false },
	{ "far fragment", IP4("10 00", "11", A4, B4) "9c 40 82 9a 00 08 00 00", false },
	{ "19 bytes", "45 00 00 1c 00 01 00 00 40 11 00 00 cb 00 71 07 c6 12 09", false },
	{ "echo reply", IP4("00 00", "01", A4, B4) "00 00 00 00 00 00 00 00", true },
	{ "unreachable", IP4("00 00", "01", A4, B4) "03 00 00 00 00 00 00 00", false },
	{ "source quench", IP4("00 00", "01", A4, B4) "04 00 00 00 00 00 00 00", false },
	{ "redirect", IP4("00 00", "01", A4, B4) "05 00 00 00 00 00 00 00", false },
	{ "type 6", IP4("00 00", "01", A4, B4) "06 00 00 00 00 00 00 00", true },
	{ "echo request", IP4("00 00", "01", A4, B4) "08 00 00 00 00 00 00 00", true },
	{ "router solicitation", IP4("00 00", "01", A4, B4) "0a 00 00 00 00 00 00 00", true },
	{ "time exceeded", IP4("00 00", "01", A4, B4) "0b 00 00 00 00 00 00 00", false },
	{ "parameter problem", IP4("00 00", "01", A4, B4) "0c 00 00 00 00 00 00 00", false },
	{ "timestamp", IP4("00 00", "01", A4, B4) "0d 00 00 00 00 00 00 00", true },
	{ "ICMP without its type", IP4("00 00", "01", A4, B4), false },
	{ "unreachable after options",
	  "46 00 00 1c 00 01 00 00 40 01 00 00 cb 00 71 07 c6 12 09 09 08 01 01 01 03 00", false },
	{ "echo request after options",
	  "46 00 00 1c 00 01 00 00 40 01 00 00 cb 00 71 07 c6 12 09 09 03 01 01 01 08 00", true },
	{ "ICMP cut in the options",
	  "46 00 00 1c 00 01 00 00 40 01 00 00 cb 00 71 07 c6 12 09 09 08 01 01 01", false },
	{ "UDP that looks like an error", IP4("00 00", "11", A4, B4) "03 00 82 9a 00 08 00 00",
	  true },
	{ "from nobody", IP4("00 00", "11", "00 00 00 00", B4), false },
	{ "from multicast", IP4("00 00", "11", "e0 00 00 01", B4), false },
	{ "from the last multicast", IP4("00 00", "11", "ef ff ff ff", B4), false },
	{ "from below multicast", IP4("00 00", "11", "df ff ff ff", B4), true },
	{ "from above multicast", IP4("00 00", "11", "f0 00 00 00", B4), true },
	{ "from broadcast", IP4("00 00", "11", "ff ff ff ff", B4), false },
	{ "to nobody", IP4("00 00", "11", A4, "00 00 00 00"), false },
	{ "to multicast", IP4("00 00", "11", A4, "e0 00 00 05"), false },
	{ "to broadcast", IP4("00 00", "11", A4, "ff ff ff ff"), false },
	{ "to the last before broadcast", IP4("00 00", "11", A4, "ff ff ff fe"), true },
};

static const struct allowed_row allowed6[] = {
	{ "UDP", IP6("11", A6, B6) "9c 40 82 9a 00 08 00 00", true },
	{ "nothing after the header", IP6("3b", A6, B6), true },
	{ "39 bytes", "60 00 00 00 00 08 11 40 " A6 " 20 01 0d b8 00 0b 00 00 00 00 00 00 00 00 00",
	  false },
	{ "unreachable", IP6("3a", A6, B6) "01 00 00 00 00 00 00 00", false },
	{ "type 127", IP6("3a", A6, B6) "7f 00 00 00 00 00 00 00", false },
	{ "echo request", IP6("3a", A6, B6) "80 00 00 00 00 00 00 00", true },
	{ "advertisement", IP6("3a", A6, B6) "88 00 00 00 00 00 00 00", true },
	{ "redirect", IP6("3a", A6, B6) "89 00 00 00 00 00 00 00", false },
	{ "type 138", IP6("3a", A6, B6) "8a 00 00 00 00 00 00 00", true },
	{ "ICMPv6 without its type", IP6("3a", A6, B6), false },
	{ "UDP that looks like an error", IP6("11", A6, B6) "01 00 82 9a 00 08 00 00", true },
	{ "error in a first fragment", IP6("2c", A6, B6) "3a 00 00 01 00 00 00 01 01 00", false },
	{ "echo in a first fragment", IP6("2c", A6, B6) "3a 00 00 01 00 00 00 01 80 00", true },
	{ "error in an atomic fragment", IP6("2c", A6, B6) "3a 00 00 06 00 00 00 01 01 00", false },
	{ "second fragment of ICMPv6", IP6("2c", A6, B6) "3a 00 00 08 00 00 00 01 01 00", true },
	{ "first fragment without the type", IP6("2c", A6, B6) "3a 00 00 01 00 00 00 01", false },
	{ "UDP in a first fragment", IP6("2c", A6, B6) "11 00 00 01 00 00 00 01 01 00", true },
	{ "cut fragment header", IP6("2c", A6, B6) "3a 00 00 01 00 00 00", true },
	{ "from nobody", IP6("11", "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", B6), false },
	{ "from ::1", IP6("11", "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01", B6), true },
	{ "from multicast", IP6("11", "ff 0e 00 00 00 00 00 00 00 00 00 00 00 00 00 01", B6),
	  false },
	{ "from below multicast", IP6("11", "fe ff 00 00 00 00 00 00 00 00 00 00 00 00 00 01", B6),
	  true },
	{ "to nobody", IP6("11", A6, "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"), false },
	{ "to multicast", IP6("11", A6, "ff 02 00 00 00 00 00 00 00 00 00 00 00 00 00 01"), false },
};

static void errors_are_allowed_as_the_rfcs_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < RTE_DIM(allowed4) + RTE_DIM(allowed6); i++) {
		bool v4 = i < RTE_DIM(allowed4);
		const struct allowed_row *row =
			v4 ? &allowed4[i] : &allowed6[i - RTE_DIM(allowed4)];
		struct bytes b = from_hex("", row->packet);
		uint8_t *exact = malloc(b.n);
		bool allowed;

		assert_non_null(exact);
		memcpy(exact, b.at, b.n);
		allowed = v4 ? icmp_error_allowed4(exact, b.n) : icmp_error_allowed6(exact, b.n);
		free(exact);
		if (allowed != row->allowed)
			fail_msg("IPv%d, %s: %d", v4 ? 4 : 6, row->name, allowed);
	}
}

/* Nothing is read beyond what is there, wherever a packet is cut. */
static void cut_packets_are_judged_by_what_is_there(void **state)
{
	(void)state;
	for (size_t i = 0; i < RTE_DIM(allowed4) + RTE_DIM(allowed6); i++) {
		bool v4 = i < RTE_DIM(allowed4);
		const struct allowed_row *row =
			v4 ? &allowed4[i] : &allowed6[i - RTE_DIM(allowed4)];
		struct bytes b = from_hex("", row->packet);

		for (uint32_t n = 0; n < b.n; n++) {
			uint8_t *exact = malloc(n);
			bool allowed;

			assert_non_null(exact);
			memcpy(exact, b.at, n);
			allowed =
				v4 ? icmp_error_allowed4(exact, n) : icmp_error_allowed6(exact, n);
			free(exact);
			assert_false(allowed && n < (v4 ? 20 : 40));
		}
	}
}

struct error_row {
	const char *name;
	enum answer what;
	const char *icmp4, *icmp6; /* up to the quoted packet */
};

static const struct error_row errors[] = {
	{ "no route", ANSWER_NO_ROUTE, "03 00 ff 52 00 00 00 00 ", "01 00 b2 1f 00 00 00 00 " },
	{ "prohibited", ANSWER_PROHIBITED, "03 0d ff 45 00 00 00 00 ", "01 01 b2 1e 00 00 00 00 " },
	{ "TTL", ANSWER_TTL, "0b 00 f7 52 00 00 00 00 ", "03 00 b0 1f 00 00 00 00 " },
	{ "host", ANSWER_HOST, "03 01 ff 51 00 00 00 00 ", "01 03 b2 1c 00 00 00 00 " },
	{ "too big", ANSWER_TOO_BIG, "03 04 f9 d6 00 00 05 78 ", "02 00 ab a7 00 00 05 78 " },
	{ "port", ANSWER_PORT, "03 03 ff 4f 00 00 00 00 ", "01 04 b2 1b 00 00 00 00 " },
};

static void errors_are_right_to_the_byte(void **state)
{
	const struct snapshot_port port = test_port(0), tagged = test_port(100);

	(void)state;
	for (size_t i = 0; i < RTE_DIM(errors); i++) {
		struct bytes in4 = from_hex(TO_PORT TYPE_IPV4, UDP4);
		struct bytes in6 = from_hex(TO_PORT TYPE_IPV6, UDP6);
		struct bytes out4 = from_hex(FROM_PORT TYPE_IPV4, ERROR4);
		struct bytes out6 = from_hex(FROM_PORT TYPE_IPV6, ERROR6);
		struct received r;

		append_hex(&out4, errors[i].icmp4);
		append_hex(&out4, UDP4);
		r = receive(&port, &in4);
		expect_reply(icmp_error4(&r, errors[i].what, 1400, pool), &out4);
		rte_pktmbuf_free(r.frame);

		append_hex(&out6, errors[i].icmp6);
		append_hex(&out6, UDP6);
		r = receive(&port, &in6);
		expect_reply(icmp_error6(&r, errors[i].what, 1400, pool), &out6);
		rte_pktmbuf_free(r.frame);

		/* As received with a tag and sent with one; another priority is not returned. */
		in4 = from_hex(TO_PORT "81 00 a0 64 " TYPE_IPV4, UDP4);
		out4 = from_hex(FROM_PORT TAG_100 TYPE_IPV4, ERROR4);
		append_hex(&out4, errors[i].icmp4);
		append_hex(&out4, UDP4);
		r = receive(&tagged, &in4);
		expect_reply(icmp_error4(&r, errors[i].what, 1400, pool), &out4);
		rte_pktmbuf_free(r.frame);
	}
}

static void padding_is_not_quoted(void **state)
{
	const struct snapshot_port port = test_port(0);
	struct bytes in =
		from_hex(TO_PORT TYPE_IPV4, UDP4 "00 00 00 00 00 00 00 00 00 00 00 00 00 00");
	struct bytes out = from_hex(FROM_PORT TYPE_IPV4, ERROR4 "0b 00 f7 52 00 00 00 00 " UDP4);
	struct received r = receive(&port, &in);

	(void)state;
	r.l3_bytes = 32;
	expect_reply(icmp_error4(&r, ANSWER_TTL, 0, pool), &out);
	rte_pktmbuf_free(r.frame);
}

/* A packet of bytes in all, with a payload that shows where each byte stood. */
static void make_packet(struct bytes *b, bool v4, uint32_t bytes)
{
	uint32_t length = v4 ? bytes : bytes - 40;
	uint32_t ip = 14;

	*b = v4 ? from_hex(TO_PORT TYPE_IPV4, UDP4) : from_hex(TO_PORT TYPE_IPV6, UDP6);
	b->at[ip + (v4 ? 2 : 4)] = (uint8_t)(length >> 8);
	b->at[ip + (v4 ? 3 : 5)] = (uint8_t)length;
	for (; b->n < ip + bytes; b->n++)
		b->at[b->n] = (uint8_t)(b->n * 7 + (b->n >> 8));
	b->n = ip + bytes;
}

static void expect_error(bool v4, const struct received *r, const struct bytes *in, uint32_t bytes)
{
	struct rte_mbuf *reply =
		v4 ? icmp_error4(r, ANSWER_TTL, 0, pool) : icmp_error6(r, ANSWER_TTL, 0, pool);
	uint32_t header = v4 ? 20 : 40;
	const uint8_t *ip;

	assert_non_null(reply);
	ip = rte_pktmbuf_mtod_offset(reply, const uint8_t *, 14);
	assert_int_equal(rte_pktmbuf_pkt_len(reply), 14 + bytes);
	assert_int_equal(v4 ? ip[2] << 8 | ip[3] : (ip[4] << 8 | ip[5]) + 40, bytes);
	assert_memory_equal(ip + header + 8, in->at + 14, bytes - header - 8);
	if (v4) {
		assert_int_equal(slow_checksum(0, ip, 20), 0);
		assert_int_equal(slow_checksum(0, ip + 20, bytes - 20), 0);
	} else {
		assert_int_equal(slow_checksum_icmp6(ip, bytes - 40), 0);
	}
	rte_pktmbuf_free(reply);
}

static void quotes_end_where_the_error_is_full(void **state)
{
	static const struct {
		bool v4;
		uint32_t bytes, error_bytes;
	} row[] = {
		{ true, 28, 56 },      { true, 547, 575 },    { true, 548, 576 },
		{ true, 549, 576 },    { true, 9000, 576 },   { false, 48, 96 },
		{ false, 1231, 1279 }, { false, 1232, 1280 }, { false, 1233, 1280 },
		{ false, 9000, 1280 },
	};
	const struct snapshot_port port = test_port(0);
	struct bytes in;

	(void)state;
	for (size_t i = 0; i < RTE_DIM(row); i++) {
		struct received r;

		make_packet(&in, row[i].v4, row[i].bytes);
		r = receive(&port, &in);
		expect_error(row[i].v4, &r, &in, row[i].error_bytes);
		rte_pktmbuf_free(r.frame);
		r = receive_segments(&port, in.at, in.n, 200, 97);
		expect_error(row[i].v4, &r, &in, row[i].error_bytes);
		rte_pktmbuf_free(r.frame);
	}
}

static void expect_none(const struct received *r, enum answer what, struct rte_mempool *from)
{
	bool v4 = r->l3[0] >> 4 == 4;

	assert_null(v4 ? icmp_error4(r, what, 1400, from) : icmp_error6(r, what, 1400, from));
}

static void no_error_where_none_may_be(void **state)
{
	static const char *const in[] = {
		/* to a multicast and the broadcast MAC */
		"01 00 5e 00 00 01 02 00 00 00 0a 01 " TYPE_IPV4 UDP4,
		"ff ff ff ff ff ff 02 00 00 00 0a 01 " TYPE_IPV4 UDP4,
		"33 33 00 00 00 01 02 00 00 00 0a 01 " TYPE_IPV6 UDP6,
		TO_PORT TYPE_IPV4 IP4("00 00", "01", A4, B4) "03 00 00 00 00 00 00 00",
		TO_PORT TYPE_IPV6 IP6("3a", A6, B6) "01 00 00 00 00 00 00 00",
	};
	const struct snapshot_port port = test_port(0);

	(void)state;
	for (size_t i = 0; i < RTE_DIM(in); i++) {
		struct bytes b = from_hex(in[i], "");
		struct received r = receive(&port, &b);

		expect_none(&r, ANSWER_TTL, pool);
		rte_pktmbuf_free(r.frame);
	}
}

static void no_error_without_a_reason_or_a_buffer(void **state)
{
	static const char *const in[] = { TO_PORT TYPE_IPV4 UDP4, TO_PORT TYPE_IPV6 UDP6 };
	const struct snapshot_port port = test_port(0);

	(void)state;
	for (size_t i = 0; i < RTE_DIM(in); i++) {
		struct bytes b = from_hex(in[i], "");
		struct received r = receive(&port, &b);

		expect_none(&r, ANSWER_NONE, pool);
		expect_none(&r, ANSWER_ECHO, pool);
		expect_none(&r, ANSWER_ND, pool);
		expect_none(&r, ANSWER_TTL, empty_pool());
		expect_none(&r, ANSWER_TTL, small_pool());
		assert_int_equal(rte_mempool_in_use_count(small_pool()), 0);
		/* Says that it is longer than its frame. */
		r.l3_bytes++;
		expect_none(&r, ANSWER_TTL, pool);
		rte_pktmbuf_free(r.frame);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_are_allowed_as_the_rfcs_say),
		cmocka_unit_test(cut_packets_are_judged_by_what_is_there),
		cmocka_unit_test(errors_are_right_to_the_byte),
		cmocka_unit_test(padding_is_not_quoted),
		cmocka_unit_test(quotes_end_where_the_error_is_full),
		cmocka_unit_test(no_error_where_none_may_be),
		cmocka_unit_test(no_error_without_a_reason_or_a_buffer),
	};

	return cmocka_run_group_tests(tests, start, no_buffer_is_lost);
}
