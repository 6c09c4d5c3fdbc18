// SPDX-License-Identifier: BSD-3-Clause
/* Stage ttl: packets with no hop left stop here (RFC 1812 5.3.1, RFC 8200 3). */
#include "worker.h"

void stage_ttl(struct burst *b, struct worker *w)
{
	const uint32_t offset = b->ipv6 ? 7 : 8;

	(void)w;
	for (uint32_t i = 0; i < b->n; i++)
		if (unlikely(b->l3[i][offset] <= 1))
			burst_answer(b, i, DROP_TTL_EXPIRED, ANSWER_TTL);
}
