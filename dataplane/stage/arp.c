// SPDX-License-Identifier: BSD-3-Clause
/* Stage arp: every ARP frame ends here, answered or not. */
#include "punt.h"
#include "worker.h"

/* What an ARP packet says of its sender, for control to learn or to worry about. */
static void tell_control(struct worker *w, uint16_t port, const struct arp_verdict *verdict)
{
	const struct punt punt = {
		.kind = verdict->conflict ? PUNT_CONFLICT : PUNT_LEARN,
		.solicited = !verdict->announcement && verdict->answer == ANSWER_NONE,
		.override = true,
		.port = port,
		.mac = verdict->sender_mac,
		.address.hi = (uint64_t)rte_be_to_cpu_32(verdict->sender) << 32,
	};

	if (verdict->sender != 0) /* a probe says nothing */
		punt_send(w, &punt);
}

void stage_arp(struct burst *b, struct worker *w)
{
	for (uint64_t arp = b->sets.arp; arp; arp &= arp - 1) {
		const uint32_t i = __builtin_ctzll(arp);
		const struct received r = burst_received(b, i, w->snapshot);
		const struct arp_verdict verdict = arp_judge(&r);

		burst_answer(b, i, verdict.reason, verdict.answer);
		if (verdict.reason == REASON_CONSUMED)
			tell_control(w, b->port[i], &verdict);
		if (verdict.conflict)
			counter_add(&w->counters[b->port[i]].arp_conflicts, 1);
	}
}
