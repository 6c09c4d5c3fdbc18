/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Work that takes longer than a step of control's loop may: done by a thread of low
 * priority, and told to control when it is over. Control thread, but for the work itself.
 */
#ifndef NAPD_BACKGROUND_H
#define NAPD_BACKGROUND_H

#include <stdbool.h>

struct background;
struct event_base;

/* Returns to the caller; NULL without memory. */
struct background *background_create(struct event_base *base);

/*
 * Waits up to wait_ms for what is at work; each done() is called with cancelled. Returns whether
 * all has ended; if not, it and what that work shares stay where they are until the process ends.
 * NULL is allowed.
 */
bool background_free(struct background *background, unsigned int wait_ms);

/*
 * Call work(arg) on another thread, and when it has returned done(arg, false) on this one. The
 * thread must share nothing with control that either writes meanwhile. 0, or a negative errno:
 * then neither is called.
 */
int background_run(struct background *background, void (*work)(void *arg),
		   void (*done)(void *arg, bool cancelled), void *arg);

#endif
