// SPDX-License-Identifier: BSD-3-Clause
/* Stage parse: addresses from frames into columns; headers cut short leave zeros. */
#include "bytes.h"
#include "worker.h"

static void parse4(struct burst *b)
{
	for (uint32_t i = 0; i < b->n; i++) {
		const bool whole = likely(b->l3_bytes[i] >= 20);

		b->src4[i] = whole ? load_be32(b->l3[i] + 12) : 0;
		b->dst4[i] = whole ? load_be32(b->l3[i] + 16) : 0;
	}
}

static void parse6(struct burst *b)
{
	for (uint32_t i = 0; i < b->n; i++) {
		static const uint8_t nothing[40];
		const uint8_t *ip = likely(b->l3_bytes[i] >= 40) ? b->l3[i] : nothing;

		b->src_hi[i] = load_be64(ip + 8);
		b->src_lo[i] = load_be64(ip + 16);
		b->dst_hi[i] = load_be64(ip + 24);
		b->dst_lo[i] = load_be64(ip + 32);
	}
}

void stage_parse(struct burst *b, struct worker *w)
{
	(void)w;
	if (b->ipv6)
		parse6(b);
	else
		parse4(b);
}
