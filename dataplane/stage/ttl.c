// SPDX-License-Identifier: BSD-3-Clause
/* Stage ttl: packets with no hop left stop here (RFC 1812 5.3.1, RFC 8200 3). */
#include "worker.h"

void stage_ttl(struct burst *b, struct worker *w)
{
	(void)w;
	for (uint64_t last = b->sets.last_hop; last; last &= last - 1)
		burst_answer(b, __builtin_ctzll(last), DROP_TTL_EXPIRED, ANSWER_TTL);
}
