/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which worker polls which receive queue: decided by NUMA node first, by load second.
 * Pure: what comes in decides what comes out.
 */
#ifndef NAPD_BALANCE_H
#define NAPD_BALANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane.h"

#define BALANCE_NOBODY UINT16_MAX

struct balance_queue {
	uint16_t worker; /* BALANCE_NOBODY: to be placed */
	int16_t node;    /* of its device; -1: any */
	bool fixed;      /* stays where it is */
	double load;     /* share of a worker's time */
};

struct balance {
	unsigned int workers;       /* 1 to WORKER_MAX */
	const int16_t *worker_node; /* [workers]; -1: unknown */
	unsigned int queues;
	struct balance_queue *queue;
};

/* Does nobody work on a device's node, so that its packets cross nodes? */
bool balance_crosses(const struct balance *b, int16_t node);

/* Place the queues that have nobody, each with the worker that has least to do. */
void balance_place(struct balance *b);

/*
 * The one move that relieves the busiest worker most. False: none is worth it; else queue (its
 * index) and worker are filled in.
 */
bool balance_improve(const struct balance *b, unsigned int *queue, uint16_t *worker);

#endif
