// SPDX-License-Identifier: BSD-3-Clause
/* Stage arp: every ARP frame ends here, answered or not. */
#include "worker.h"

void stage_arp(struct burst *b, struct worker *w)
{
	for (uint32_t i = 0; i < b->n; i++) {
		struct received r;
		struct arp_verdict verdict;

		if (likely(b->family[i] != FAMILY_ARP))
			continue;
		r = burst_received(b, i, w->snapshot);
		verdict = arp_judge(&r);
		burst_answer(b, i, verdict.reason, verdict.answer);
		if (verdict.conflict)
			counter_add(&w->counters[b->port[i]].arp_conflicts, 1);
	}
}
