// SPDX-License-Identifier: BSD-3-Clause
/* Stage police: what a port may send in, in bytes of frames a second. */
#include "worker.h"

void stage_police(struct burst *b, struct worker *w)
{
	if (likely(!w->snapshot->polices))
		return;
	for (uint32_t i = 0; i < b->n; i++) {
		const struct meter *meter = &w->snapshot->port[b->port[i]].ingress;
		uint64_t now;

		if (!meter->enabled)
			continue;
		now = frame_time(w, b->frame[i]);
		if (!meter_take(&worker_meters(w, b->port[i], now)->ingress, meter, now,
				b->bytes[i], true))
			burst_drop(b, i, DROP_POLICED);
	}
}
