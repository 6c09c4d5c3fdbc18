/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the tests of answers share: a port, frames from hex in buffers of
 * exactly their size (so that AddressSanitizer sees every byte too far), and
 * checks that owe nothing to the code under test.
 */
#ifndef NAPD_TEST_ANSWER_H
#define NAPD_TEST_ANSWER_H

#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ip.h>

#include "eal.h"

#include "answer/answer.h"

#define FRAME_BYTES_MAX 10240

/* To the port, from its neighbour. */
#define TO_PORT       "02 4e 41 00 00 01 02 00 00 00 0a 01 "
#define FROM_PORT     "02 00 00 00 0a 01 02 4e 41 00 00 01 "
#define TAG_100       "81 00 00 64 "
#define TYPE_IPV4     "08 00 "
#define TYPE_ARP      "08 06 "
#define TYPE_IPV6     "86 dd "
#define ORIGIN_NUMBER 4711
#define ORIGIN_NS     1234567890123456789

struct bytes {
	uint32_t n;
	uint8_t at[FRAME_BYTES_MAX];
};

/* Where replies come from: the number of buffers tells whether one was lost. */
static struct rte_mempool *pool;

static const uint32_t own4[] = { RTE_BE32(RTE_IPV4(198, 51, 100, 1)),
				 RTE_BE32(RTE_IPV4(192, 0, 2, 1)) };
static const struct ipv6_key own6[] = { { 0x20010db80064000a, 1 }, { 0x20010db80064000b, 1 } };
static const struct subnet subnets4[] = { { { { 0xc633640000000000, 0 }, 31 } },
					  { { { 0xc000020000000000, 0 }, 24 } } };
static const struct subnet subnets6[] = { { { { 0x20010db80064000a, 0 }, 64 } },
					  { { { 0x20010db80064000b, 0 }, 127 } } };

/* 02:4e:41:00:00:01: 198.51.100.1/31, 192.0.2.1/24, 2001:db8:64:a::1/64, 2001:db8:64:b::1/127,
 * fe80::1 */
static inline struct snapshot_port test_port(uint16_t vlan)
{
	return (struct snapshot_port){
		.mac.addr_bytes = { 0x02, 0x4e, 0x41, 0, 0, 1 },
		.vlan = vlan,
		.mtu = 1500,
		.used = true,
		.enabled = true,
		.subnet4 = subnets4,
		.subnet4_count = 2,
		.subnet6 = subnets6,
		.subnet6_count = 2,
		.address4 = own4,
		.address4_count = 2,
		.address6 = own6,
		.address6_count = 2,
		.link_local = { 0xfe80000000000000, 1 },
		.error_source4 = own4[0],
		.error_source6 = own6[0],
	};
}

static inline void append_hex(struct bytes *to, const char *hex)
{
	int used;

	for (unsigned int byte; sscanf(hex, "%2x%n", &byte, &used) == 1; hex += used) {
		assert_true(to->n < FRAME_BYTES_MAX);
		to->at[to->n++] = (uint8_t)byte;
	}
}

static inline struct bytes from_hex(const char *l2, const char *l3)
{
	struct bytes b = { .n = 0 };

	append_hex(&b, l2);
	append_hex(&b, l3);
	return b;
}

static inline void free_segment(void *address, void *shinfo)
{
	free(address);
	free(shinfo);
}

/* A segment over a buffer of exactly n bytes. */
static inline struct rte_mbuf *exact_segment(const uint8_t *bytes, uint16_t n)
{
	struct rte_mbuf_ext_shared_info *shinfo = malloc(sizeof(*shinfo));
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	uint8_t *buffer = malloc(n);

	assert_non_null(m);
	assert_true(shinfo && buffer);
	memcpy(buffer, bytes, n);
	shinfo->free_cb = free_segment;
	shinfo->fcb_opaque = shinfo;
	rte_mbuf_ext_refcnt_set(shinfo, 1);
	rte_pktmbuf_attach_extbuf(m, buffer, 0, n, shinfo);
	assert_non_null(rte_pktmbuf_append(m, n));
	return m;
}

/*
 * A frame of n bytes (the Ethernet header at least), in segments: the first of
 * first bytes, the others of rest each; first 0: one segment. All after the
 * Ethernet header and tag is the packet.
 */
static inline struct received receive_segments(const struct snapshot_port *port,
					       const uint8_t *bytes, uint32_t n, uint32_t first,
					       uint32_t rest)
{
	uint32_t l2_bytes = bytes[12] == 0x81 && bytes[13] == 0 ? 18 : 14;
	struct received r = { .port = port, .l3_bytes = n - l2_bytes };
	uint32_t here = first ? RTE_MIN(first, n) : n;
	struct frame_origin *origin;

	r.frame = exact_segment(bytes, (uint16_t)here);
	for (uint32_t done = here; done < n; done += here) {
		here = RTE_MIN(rest, n - done);
		assert_int_equal(
			rte_pktmbuf_chain(r.frame, exact_segment(bytes + done, (uint16_t)here)), 0);
	}
	r.l2 = rte_pktmbuf_mtod(r.frame, const uint8_t *);
	r.l3 = r.l2 + l2_bytes;
	origin = rte_mbuf_to_priv(r.frame);
	*origin = (struct frame_origin){ ORIGIN_NUMBER, ORIGIN_NS, n };
	return r;
}

static inline struct received receive(const struct snapshot_port *port, const struct bytes *b)
{
	return receive_segments(port, b->at, b->n, 0, 0);
}

/* Check a reply byte for byte and free it. */
static inline void expect_frame(struct rte_mbuf *reply, const struct bytes *expected)
{
	assert_non_null(reply);
	assert_int_equal(reply->nb_segs, 1);
	assert_int_equal(rte_pktmbuf_headroom(reply), RTE_PKTMBUF_HEADROOM);
	assert_int_equal(rte_pktmbuf_pkt_len(reply), expected->n);
	assert_int_equal(rte_pktmbuf_data_len(reply), expected->n);
	assert_memory_equal(rte_pktmbuf_mtod(reply, const uint8_t *), expected->at, expected->n);
	rte_pktmbuf_free(reply);
}

/* The same of a reply to a frame of receive(), whose number and time it must carry. */
static inline void expect_reply(struct rte_mbuf *reply, const struct bytes *expected)
{
	const struct frame_origin *origin;

	assert_non_null(reply);
	origin = rte_mbuf_to_priv(reply);
	assert_int_equal(origin->number, ORIGIN_NUMBER);
	assert_int_equal(origin->time_ns, ORIGIN_NS);
	assert_int_equal(origin->wire_bytes, expected->n);
	expect_frame(reply, expected);
}

/* RFC 1071, the slow way; a right packet gives 0. */
static inline uint16_t slow_checksum(uint32_t sum, const uint8_t *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* Of the ICMPv6 message directly after the IPv6 header at ip. */
static inline uint16_t slow_checksum_icmp6(const uint8_t *ip, uint32_t icmp_bytes)
{
	uint16_t addresses = (uint16_t)~slow_checksum(0, ip + 8, 32);

	return slow_checksum(addresses + icmp_bytes + 58, ip + 40, icmp_bytes);
}

/* Before and after all tests of a program. Buffers start full of what was there before. */
static inline int start(void **state)
{
	struct rte_mbuf *used[255];

	(void)state;
	pool = test_eal_pool(RTE_DIM(used), RTE_PKTMBUF_HEADROOM + FRAME_BYTES_MAX);
	if (rte_pktmbuf_alloc_bulk(pool, used, RTE_DIM(used)))
		return -1;
	for (size_t i = 0; i < RTE_DIM(used); i++)
		memset(used[i]->buf_addr, 0xa5, used[i]->buf_len);
	rte_pktmbuf_free_bulk(used, RTE_DIM(used));
	return 0;
}

static inline int no_buffer_is_lost(void **state)
{
	(void)state;
	return rte_mempool_in_use_count(pool) == 0 ? 0 : -1;
}

/* What every builder must do with pools that are empty or too small: give NULL, lose nothing. */
static inline struct rte_mempool *empty_pool(void)
{
	static struct rte_mempool *empty;

	if (!empty) {
		empty = test_eal_pool(1, RTE_PKTMBUF_HEADROOM + FRAME_BYTES_MAX);
		assert_non_null(rte_pktmbuf_alloc(empty));
	}
	return empty;
}

/* Holds frames of 60 bytes, no more. */
static inline struct rte_mempool *small_pool(void)
{
	static struct rte_mempool *small;

	if (!small)
		small = test_eal_pool(1, RTE_PKTMBUF_HEADROOM + 60);
	return small;
}

#endif
