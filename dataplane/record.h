/* SPDX-License-Identifier: BSD-3-Clause */
/* The last drops of every port, kept by each worker for whoever asks. */
#ifndef NAPD_RECORD_H
#define NAPD_RECORD_H

#include "api/live.h"

/*
 * A slot is written by its worker alone; sequence is odd while it writes, so that
 * readers on other threads know a torn copy.
 */
struct record_slot {
	uint32_t sequence;
	struct drop_record record;
};

struct record_ring {
	uint32_t next; /* the worker's */
	struct record_slot slot[DROP_RECORDS];
} __attribute__((aligned(64)));

/* Note a drop. Worker's thread. */
void record_drop(struct worker *w, const struct drop_event *event);

#endif
