/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a worker's time goes, stage by stage, for scripts/bench --stages. Only in builds
 * with -Dstages=true; in all others STAGE_CLOCK() is just the work it is around.
 */
#ifndef NAPD_STAGE_CLOCK_H
#define NAPD_STAGE_CLOCK_H

#include <stdint.h>

/* The queues' own functions come before and after the stages of pipeline.def. */
enum stage_id {
	STAGE_ID_queue_in,
#define FRAME_STAGE(name, text) STAGE_ID_##name,
#define STAGE(name, text)       STAGE_ID_##name,
#include "pipeline.def"
	STAGE_ID_queue_out,
	STAGE_IDS
};

#ifdef NAPD_STAGES
#include <rte_cycles.h>

/* One writer, the worker; read at any time. */
struct stage_clock {
	uint64_t ticks, packets;
};

/* A stage of a burst takes microseconds; what takes longer was put off its core meanwhile. */
#define STAGE_TICKS_MAX 100000

/* Do work, and charge its time to stage name of worker w for n packets (evaluated before it). */
#define STAGE_CLOCK(w, name, n, work)                                            \
	do {                                                                     \
		struct stage_clock *const clock_ = &(w)->stage[STAGE_ID_##name]; \
		const uint64_t packets_ = (n), start_ = rte_rdtsc();             \
		uint64_t ticks_;                                                 \
		work;                                                            \
		ticks_ = rte_rdtsc() - start_;                                   \
		if (ticks_ < STAGE_TICKS_MAX) {                                  \
			counter_add(&clock_->ticks, ticks_);                     \
			counter_add(&clock_->packets, packets_);                 \
		}                                                                \
	} while (0)
#else
#define STAGE_CLOCK(w, name, n, work) work
#endif

#endif
