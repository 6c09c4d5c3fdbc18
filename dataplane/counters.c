// SPDX-License-Identifier: BSD-3-Clause
/* Reading what workers counted: sums over all of them, while they go on. */
#include "worker.h"

#include <string.h>

void counters_port(const struct dataplane *dp, uint16_t port, struct port_counters *sum)
{
	/* every field is a 64-bit counter, so the sum is one loop over them */
	uint64_t *to = (uint64_t *)sum;

	memset(sum, 0, sizeof(*sum));
	for (unsigned int i = 0; i < dp->worker_count; i++) {
		const uint64_t *from = (const uint64_t *)&dp->worker[i]->counters[port];

		for (size_t k = 0; k < sizeof(*sum) / sizeof(*to); k++)
			to[k] += __atomic_load_n(&from[k], __ATOMIC_RELAXED);
	}
}

struct matrix_cell counters_matrix(const struct dataplane *dp, uint16_t in, uint16_t out, int ipv6)
{
	struct matrix_cell sum = { 0, 0 };

	for (unsigned int i = 0; i < dp->worker_count; i++) {
		const struct worker *w = dp->worker[i];
		const struct matrix_cell *cell =
			&w->matrix[matrix_index(w->party_bits, in, out, ipv6)];

		sum.packets += __atomic_load_n(&cell->packets, __ATOMIC_RELAXED);
		sum.bytes += __atomic_load_n(&cell->bytes, __ATOMIC_RELAXED);
	}
	return sum;
}
