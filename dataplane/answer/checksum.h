/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Internet checksums (RFC 1071) of whole packets. Sums are of 16-bit words as
 * they lie in memory, not inverted; a right packet, its checksum included,
 * sums to 0xffff.
 */
#ifndef NAPD_CHECKSUM_H
#define NAPD_CHECKSUM_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_ip.h>
#include <rte_mbuf.h>

static inline uint16_t checksum_fold(uint32_t sum)
{
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)((sum >> 16) + sum);
}

/*
 * The sum of bytes of a frame from offset on, over its segments; false if they
 * are not there. rte_raw_cksum_mbuf() of 22.11 is not used: after a segment of
 * odd length it loses the carries of the next one.
 */
static inline bool checksum_frame(const struct rte_mbuf *seg, uint32_t offset, uint32_t bytes,
				  uint16_t *sum)
{
	uint32_t total = 0;
	bool odd = false;

	for (; seg && bytes; seg = seg->next) {
		uint32_t here = rte_pktmbuf_data_len(seg);
		uint16_t part;

		if (offset >= here) {
			offset -= here;
			continue;
		}
		here = RTE_MIN(here - offset, bytes);
		part = rte_raw_cksum(rte_pktmbuf_mtod_offset(seg, const void *, offset), here);
		total += odd ? rte_bswap16(part) : part;
		odd ^= here & 1;
		bytes -= here;
		offset = 0;
	}
	*sum = checksum_fold(total);
	return bytes == 0;
}

/* The sum of the pseudo-header of ICMPv6 (RFC 8200 8.1) directly after the IPv6 header at ip. */
static inline uint16_t checksum_icmp6_pseudo(const uint8_t *ip, uint32_t icmp_bytes)
{
	uint32_t sum = rte_raw_cksum(ip + 8, 32);

	sum += rte_cpu_to_be_16(icmp_bytes >> 16);
	sum += rte_cpu_to_be_16(icmp_bytes & 0xffff);
	sum += RTE_BE16(IPPROTO_ICMPV6);
	return checksum_fold(sum);
}

#endif
