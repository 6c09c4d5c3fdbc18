// SPDX-License-Identifier: BSD-3-Clause
/* Stage route: routes that do not lead on. */
#include "worker.h"

void stage_route(struct burst *b, struct worker *w)
{
	(void)w;
	for (uint64_t special = b->sets.special; special; special &= special - 1) {
		const uint32_t i = __builtin_ctzll(special);

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
