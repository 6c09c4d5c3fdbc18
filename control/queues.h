/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who polls which receive queue, and how a queue goes from one worker to another while
 * packets come: the new one waits until the old one has sent all that it took from the queue, so
 * that none is lost and none overtakes another. Control thread only; nothing here waits.
 */
#ifndef NAPD_QUEUES_H
#define NAPD_QUEUES_H

#include <stdbool.h>
#include <stdint.h>

#include "live.h"

struct queues;

/* How a queue of a device is polled: device_rxq(), or a test's own. */
typedef struct rxq (*queue_handle_fn)(uint16_t device, uint16_t queue);

/*
 * Returns to the caller; NULL: no memory. node: the NUMA node of each worker of dp, -1 unknown;
 * borrowed, as dp, for life.
 */
struct queues *queues_create(struct dataplane *dp, unsigned int workers, const int16_t *node,
			     queue_handle_fn handle);
/* Takes q; NULL is allowed. No worker may run any more. */
void queues_free(struct queues *q);

/*
 * A device has so many receive queues now (0: none, it is gone), on a NUMA node (-1: any). Takes
 * effect with queues_share().
 */
void queues_set_device(struct queues *q, uint16_t device, uint16_t count, int16_t node);

/* Place what nobody polls yet and tell workers. What cannot be done now is done by a tick. */
void queues_share(struct queues *q);

/* Does nobody work on this node, so that packets of its devices cross nodes? */
bool queues_cross_nodes(const struct queues *q, int16_t node);

/* A queue that moves, or has just begun to. */
struct queue_move {
	uint16_t device, queue;
	uint16_t from, to;
};

/* Move one queue. 0, or -EAGAIN while it moves, -EINVAL: no such queue or worker. */
int queues_move(struct queues *q, uint16_t device, uint16_t queue, uint16_t worker);

/*
 * Every 100 ms or so: measures load, ends moves, and when a worker has been over 90 % busy and
 * another under 60 % for 10 s moves a queue, if that helps. Returns whether it did; which, in move.
 */
bool queues_tick(struct queues *q, uint64_t now_ns, struct queue_move *move);

/* Move queues until no move helps, by the load of the last second. Returns how many, at most max.
 */
unsigned int queues_rebalance(struct queues *q, struct queue_move *list, unsigned int max);

/* A queue as it is polled. */
struct queue_view {
	uint16_t device, queue;
	uint16_t worker;
	bool moving;       /* worker waits for the one that had it */
	uint64_t received; /* frames, since the start */
	double load;       /* share of the worker's time, over the last second */
};

/* The queues of a worker, in order. Returns how many there are; at most n are filled in. */
unsigned int queues_of_worker(const struct queues *q, uint16_t worker, struct queue_view *list,
			      unsigned int n);

/* How many queues of a device are polled from another NUMA node than its own. */
unsigned int queues_across(const struct queues *q, uint16_t device);

/* Share of a worker's time with packets in its hands, over the last second: 0 to 1. */
double queues_busy(const struct queues *q, uint16_t worker);

#endif
