// SPDX-License-Identifier: BSD-3-Clause
/* Stage egress: what may leave by a port, in bytes of frames a second; fragments count as one
 * packet. */
#include "worker.h"

void stage_egress(struct burst *b, struct worker *w)
{
	if (likely(!w->snapshot->polices_egress))
		return;
	for (uint32_t i = 0; i < b->n; i++) {
		const struct nexthop *nh = &w->snapshot->nexthops->nexthop[b->nexthop[i]];
		const struct meter *meter = &w->snapshot->port[nh->port].egress;
		uint32_t bytes;
		uint64_t now;

		if (!meter->enabled)
			continue;
		now = frame_time(w, b->frame[i]);
		bytes = RTE_MAX(b->l3_bytes[i] + nh->l2_bytes, 60u);
		if (meter_take(&worker_meters(w, nh->port, now)->egress, meter, now, bytes, true))
			continue;
		burst_drop(b, i, DROP_EGRESS_POLICED);
		tally_add(&w->counters[nh->port].egress_drop[DROP_EGRESS_POLICED], 1, b->bytes[i]);
	}
}
