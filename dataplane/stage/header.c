// SPDX-License-Identifier: BSD-3-Clause
/*
 * Stage header: the checks of RFC 1812 5.2.2 and RFC 8200 3 on the IP header.
 * From here on l3_bytes is the packet's own length: what follows is padding.
 */
#include "bytes.h"
#include "worker.h"

/* The ones' complement sum of a right header is all ones. */
static bool checksum_is_right(const uint8_t *ip, uint32_t header_bytes)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < header_bytes; i += 4) {
		uint32_t word;

		memcpy(&word, ip + i, sizeof(word));
		sum += word;
	}
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

static enum reason judge4(const uint8_t *ip, uint32_t bytes, uint32_t *total_bytes)
{
	uint32_t header_bytes;

	if (bytes < 20)
		return DROP_IPV4_TRUNCATED;
	if (ip[0] >> 4 != 4)
		return DROP_IPV4_VERSION;
	header_bytes = (ip[0] & 0xf) * 4;
	if (header_bytes < 20 || header_bytes > bytes)
		return DROP_IPV4_HEADER_LENGTH;
	*total_bytes = load_be16(ip + 2);
	if (*total_bytes < header_bytes || *total_bytes > bytes)
		return DROP_IPV4_TOTAL_LENGTH;
	return checksum_is_right(ip, header_bytes) ? REASON_NONE : DROP_IPV4_CHECKSUM;
}

static enum reason judge6(const uint8_t *ip, uint32_t bytes, uint32_t *total_bytes)
{
	if (bytes < 40)
		return DROP_IPV6_TRUNCATED;
	if (ip[0] >> 4 != 6)
		return DROP_IPV6_VERSION;
	*total_bytes = 40u + load_be16(ip + 4);
	return *total_bytes <= bytes ? REASON_NONE : DROP_IPV6_PAYLOAD_LENGTH;
}

void stage_header(struct burst *b, struct worker *w)
{
	(void)w;
	for (uint64_t judge = b->sets.unproven; judge; judge &= judge - 1) {
		const uint32_t i = __builtin_ctzll(judge);
		uint32_t total = b->l3_bytes[i];
		const enum reason reason =
			b->ipv6 ? judge6(b->l3[i], total, &total) : judge4(b->l3[i], total, &total);

		if (unlikely(reason != REASON_NONE))
			burst_drop(b, i, reason);
		else
			b->l3_bytes[i] = total;
	}
}
