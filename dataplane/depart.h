/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How the packets of a burst go to the queues of their ports: port by port, all of one port at
 * once. A packet at a time each would wait for the count of frames that the one before it has
 * left in the same queue.
 */
#ifndef NAPD_DEPART_H
#define NAPD_DEPART_H

#include "worker.h"

/* Where the packets of a burst go, from their next hops. */
struct departures {
	uint16_t port[BURST_MAX] __attribute__((aligned(64)));
	uint16_t party[BURST_MAX] __attribute__((aligned(64)));
};

/* Queue all packets of a burst, which leave as long as they came. */
void depart_by_port(struct worker *w, const struct burst *b, const struct departures *d);

/* The same for CPUs that have AVX-512. */
void depart_avx512(struct worker *w, const struct burst *b, const struct departures *d);

#endif
