// SPDX-License-Identifier: BSD-3-Clause
/* Stage route: routes that do not lead on. */
#include "worker.h"

void stage_route(struct burst *b, struct worker *w)
{
	(void)w;
	for (uint32_t i = 0; i < b->n; i++) {
		if (likely(b->leaf[i] >= LEAF_FIRST_FREE))
			continue;
		switch (b->leaf[i]) {
		case LEAF_NO_ROUTE:
			burst_answer(b, i, DROP_NO_ROUTE, ANSWER_NO_ROUTE);
			break;
		case LEAF_UNREACHABLE:
			burst_answer(b, i, DROP_UNREACHABLE, ANSWER_NO_ROUTE);
			break;
		case LEAF_PROHIBIT:
			burst_answer(b, i, DROP_PROHIBITED, ANSWER_PROHIBITED);
			break;
		case LEAF_BLACKHOLE:
			burst_drop(b, i, DROP_BLACKHOLE);
			break;
		default:
			burst_drop(b, i, DROP_INTERNAL);
		}
	}
}
