// SPDX-License-Identifier: BSD-3-Clause
/* Decides when to show a replay's progress, and what of it. */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "report.h"

#define INTERVAL_NS    250000000u
#define CALLS_PER_LOOK 64
#define SECOND_NS      1000000000u

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

void progress_start(struct progress *p)
{
	*p = (struct progress){ .on = isatty(STDERR_FILENO) };
	if (p->on) {
		p->start_ns = now_ns();
		p->next_ns = p->start_ns + INTERVAL_NS;
	}
}

bool progress_due(struct progress *p)
{
	uint64_t now;

	if (!p->on || ++p->skipped < CALLS_PER_LOOK)
		return false;
	p->skipped = 0;
	now = now_ns();
	if (now < p->next_ns)
		return false;
	p->next_ns = now + INTERVAL_NS;
	return true;
}

void progress_show(struct progress *p, uint64_t packets, uint64_t offset, uint64_t size)
{
	double elapsed_s = (now_ns() - p->start_ns) / (double)SECOND_NS;
	char number[NUMBER_TEXT_MAX];

	fprintf(stderr, "\r\033[K%s packets", number_text(packets, number));
	if (elapsed_s > 0)
		fprintf(stderr, ", %s/s", number_text(packets / elapsed_s, number));
	if (size > 0 && offset > 0 && offset <= size) {
		uint64_t left_s = elapsed_s * (size - offset) / offset + 0.5;

		fprintf(stderr, ", %.0f %%, %" PRIu64 ":%02" PRIu64 " left", 100.0 * offset / size,
			left_s / 60, left_s % 60);
	}
	fflush(stderr);
	p->shown = true;
}

void progress_clear(struct progress *p)
{
	if (p->shown)
		fprintf(stderr, "\r\033[K");
	p->shown = false;
}
