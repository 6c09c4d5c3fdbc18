// SPDX-License-Identifier: BSD-3-Clause
/* Decides who polls what. */
#include "balance.h"

#include <stddef.h>

/* A queue costs its poll even when nothing comes: so idle queues are spread evenly, too. */
#define POLL_LOAD 0.001
/* A move must gain so much of the busier worker's load, or load that fluctuates moves queues for
 * ever. */
#define WORTH 0.02

static double queue_load(const struct balance_queue *q)
{
	return q->load + POLL_LOAD;
}

static void worker_loads(const struct balance *b, double load[WORKER_MAX])
{
	for (unsigned int w = 0; w < b->workers; w++)
		load[w] = 0;
	for (unsigned int i = 0; i < b->queues; i++)
		if (b->queue[i].worker != BALANCE_NOBODY)
			load[b->queue[i].worker] += queue_load(&b->queue[i]);
}

bool balance_crosses(const struct balance *b, int16_t node)
{
	if (node < 0)
		return false;
	for (unsigned int w = 0; w < b->workers; w++)
		if (b->worker_node[w] < 0 || b->worker_node[w] == node)
			return false;
	return true;
}

static bool may_poll(const struct balance *b, uint16_t worker, int16_t node)
{
	return node < 0 || b->worker_node[worker] < 0 || b->worker_node[worker] == node ||
	       balance_crosses(b, node);
}

/* The worker with least to do of those that may poll a queue of node; the first of equals. */
static uint16_t least_busy(const struct balance *b, const double *load, int16_t node)
{
	uint16_t least = BALANCE_NOBODY;

	for (uint16_t w = 0; w < b->workers; w++)
		if (may_poll(b, w, node) && (least == BALANCE_NOBODY || load[w] < load[least]))
			least = w;
	return least;
}

void balance_place(struct balance *b)
{
	double load[WORKER_MAX];

	worker_loads(b, load);
	/* those that are tied to a node first: they would not find its workers free */
	for (int tied = 1; tied >= 0; tied--) {
		for (unsigned int i = 0; i < b->queues; i++) {
			struct balance_queue *q = &b->queue[i];

			if (q->worker != BALANCE_NOBODY || (q->node >= 0) != tied)
				continue;
			q->worker = least_busy(b, load, q->node);
			load[q->worker] += queue_load(q);
		}
	}
}

static uint16_t busiest(const struct balance *b, const double *load)
{
	uint16_t most = 0;

	for (uint16_t w = 1; w < b->workers; w++)
		if (load[w] > load[most])
			most = w;
	return most;
}

bool balance_improve(const struct balance *b, unsigned int *queue, uint16_t *worker)
{
	double load[WORKER_MAX], best;
	bool found = false;
	uint16_t from;

	worker_loads(b, load);
	from = busiest(b, load);
	best = load[from] * (1 - WORTH) - POLL_LOAD / 2;

	for (unsigned int i = 0; i < b->queues; i++) {
		const struct balance_queue *q = &b->queue[i];

		if (q->worker != from || q->fixed)
			continue;
		for (uint16_t to = 0; to < b->workers; to++) {
			const double left = load[from] - queue_load(q);
			const double there = load[to] + queue_load(q);
			const double after = left > there ? left : there;

			if (to == from || !may_poll(b, to, q->node) || after >= best)
				continue;
			best = after;
			*queue = i;
			*worker = to;
			found = true;
		}
	}
	return found;
}
