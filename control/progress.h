/* SPDX-License-Identifier: BSD-3-Clause */
/* A line on stderr that says how far a replay is, where somebody can see it. */
#ifndef NAPD_PROGRESS_H
#define NAPD_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool on, shown;
	unsigned int skipped; /* calls since the clock was looked at */
	uint64_t start_ns, next_ns;
};

/* Shows nothing unless stderr is a terminal. */
void progress_start(struct progress *p);

/* Whether it is time to show it again, a few times a second. Cheap. */
bool progress_due(struct progress *p);

/* size 0: not known. */
void progress_show(struct progress *p, uint64_t packets, uint64_t offset, uint64_t size);

/* Leave an empty line. */
void progress_clear(struct progress *p);

#endif
