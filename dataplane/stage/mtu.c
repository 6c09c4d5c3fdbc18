// SPDX-License-Identifier: BSD-3-Clause
/* Stage mtu: what does not fit the output is marked for fragmentation or answered (RFC 1191, 8201).
 */
#include "worker.h"

#define FLAG_DF 0x40 /* in byte 6 of the IPv4 header */

void stage_mtu(struct burst *b, struct worker *w)
{
	const struct nexthop *nexthop = w->snapshot->nexthops->nexthop;

	for (uint64_t oversize = b->sets.oversize; oversize; oversize &= oversize - 1) {
		const uint32_t i = __builtin_ctzll(oversize);

		if (b->ipv6 || b->l3[i][6] & FLAG_DF) {
			burst_answer(b, i, DROP_MTU_EXCEEDED, ANSWER_TOO_BIG);
			b->answer_mtu[i] = nexthop[b->nexthop[i]].mtu;
		}
	}
}
