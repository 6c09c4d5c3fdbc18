/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A warm start: the routes of live feeds are kept in a file (tables.kept) while napd runs, and are
 * in force again, stale, before anything is forwarded after the next start. Control thread.
 */
#ifndef NAPD_FEED_KEEP_H
#define NAPD_FEED_KEEP_H

#include <stdbool.h>
#include <stdint.h>

struct keeper;
struct runtime;

/* Borrows rt, whose feeds and tables thread are there. Returns to the caller; NULL without memory.
 */
struct keeper *keeper_create(struct runtime *rt);
/* NULL is allowed. Not while the tables thread works on what keeper_tick() began. */
void keeper_free(struct keeper *keeper);

/*
 * Put the file's routes in force, and wait for that: before feeds_update() starts the feeds. What
 * cannot be read is told once and ignored.
 */
void keeper_restore(struct keeper *keeper);

/* Every 100 ms: keep what has changed, when it is time. */
void keeper_tick(struct keeper *keeper);

/*
 * napd ends in good order. First, while feeds are still there to ask: have they told everything?
 * Then, when they have stopped, the tables thread lives and nothing is at work in the background:
 * keep what is in force now, if they had. NULL is allowed.
 */
void keeper_end(struct keeper *keeper);
void keeper_finish(struct keeper *keeper);

struct keeper_view {
	const char *file;  /* NULL: nothing is kept */
	uint64_t routes;   /* in it, since it was written last; 0 with written_s 0 */
	int64_t written_s; /* when, of CLOCK_REALTIME; 0: not yet since napd started */
	uint64_t restored; /* at the start, and how many were not */
	uint64_t left_out;
	bool failing; /* the last attempt to write failed; the log says why */
};
void keeper_view(const struct keeper *keeper, struct keeper_view *view);

#endif
