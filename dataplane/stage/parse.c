// SPDX-License-Identifier: BSD-3-Clause
/* Stage parse: addresses from frames into columns; headers cut short leave zeros. */
#include "parse.h"

#include "bytes.h"
#include "fib4.h"

/*
 * TTL, protocol and checksum with one hop less, and a checksum that covers it (RFC 1624 equation
 * 3): in this word the checksum grows by one, around the end, and what would be 0xffff is 0.
 */
static uint32_t one_hop_less(const uint8_t *ip)
{
	uint32_t word;

	memcpy(&word, ip + 8, sizeof(word));
	return word + 0x0000ffff + (word >= 0xfffe0000 ? 0x00010000 : 0);
}

/* Scalar code proves nothing: later stages judge every packet. */
static void parse4(struct burst *b, const struct fib4 *fib)
{
	uint64_t last_hop = 0;

	for (uint32_t i = 0; i < b->n; i++) {
		static const uint8_t nothing[20];
		const uint8_t *ip = likely(b->l3_bytes[i] >= 20) ? b->l3[i] : nothing;

		b->src4[i] = load_be32(ip + 12);
		b->dst4[i] = load_be32(ip + 16);
		b->ttl4[i] = one_hop_less(ip);
		fib4_prefetch(fib, &b->dst4[i], 1);
		last_hop |= (uint64_t)(ip[8] <= 1) << i;
	}
	b->sets.last_hop = last_hop;
	b->sets.unproven = burst_all(b);
}

static void parse6(struct burst *b)
{
	uint64_t last_hop = 0;

	for (uint32_t i = 0; i < b->n; i++) {
		static const uint8_t nothing[40];
		const uint8_t *ip = likely(b->l3_bytes[i] >= 40) ? b->l3[i] : nothing;

		b->src_hi[i] = load_be64(ip + 8);
		b->src_lo[i] = load_be64(ip + 16);
		b->dst_hi[i] = load_be64(ip + 24);
		b->dst_lo[i] = load_be64(ip + 32);
		last_hop |= (uint64_t)(ip[7] <= 1) << i;
	}
	b->sets.last_hop = last_hop;
	b->sets.unproven = burst_all(b);
}

void stage_parse(struct burst *b, struct worker *w)
{
	const struct snapshot *s = w->snapshot;
	const enum cpu_path path = cpu_path();

	if (b->ipv6) {
		if (path >= CPU_AVX512)
			parse6_avx512(b, &s->special6);
		else if (path >= CPU_AVX2)
			parse6_avx2(b, &s->special6);
		else
			parse6(b);
	} else {
		if (path >= CPU_AVX512)
			parse4_avx512(b, &s->special4, s->fib4);
		else if (path >= CPU_AVX2)
			parse4_avx2(b, &s->special4, s->fib4);
		else
			parse4(b, s->fib4);
		/* what the lookup in stage local reads arrives during the source check */
		fib4_ask(s->fib4, b->dst4, b->leaf, b->n);
	}
}
