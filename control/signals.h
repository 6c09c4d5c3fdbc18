/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What SIGTERM, SIGINT and SIGHUP do to napd run before and after its loop has them. The main
 * thread; threads that it starts meanwhile never get them.
 */
#ifndef NAPD_SIGNALS_H
#define NAPD_SIGNALS_H

#include <stdbool.h>

/* Files are read, and nothing is made yet: TERM and INT end the process (0), HUP is remembered. */
void signals_begin(void);
/* From now on there is something to undo: they wait. */
void signals_hold(void);
/* Is napd to end? While they wait. */
bool signals_end_waits(void);
/* The loop has its handlers: what waited comes. Returns whether a HUP was remembered. */
bool signals_release(void);

#endif
