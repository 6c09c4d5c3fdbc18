// SPDX-License-Identifier: BSD-3-Clause
/* Stage mtu: what does not fit the output is marked for fragmentation or answered (RFC 1191, 8201).
 */
#include "worker.h"

#define FLAG_DF 0x40 /* in byte 6 of the IPv4 header */

void stage_mtu(struct burst *b, struct worker *w)
{
	const struct nexthop *nexthop = w->snapshot->nexthops->nexthop;

	for (uint32_t i = 0; i < b->n; i++) {
		const uint16_t mtu = nexthop[b->nexthop[i]].mtu;

		b->fragment[i] = false;
		if (likely(b->l3_bytes[i] <= mtu))
			continue;
		if (b->ipv6 || b->l3[i][6] & FLAG_DF) {
			burst_answer(b, i, DROP_MTU_EXCEEDED, ANSWER_TOO_BIG);
			b->answer_mtu[i] = mtu;
		} else {
			b->fragment[i] = true;
		}
	}
}
