/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Plays files of BGP updates into the tables of a running exchange, at their times: what peers
 * offer is kept here, and what becomes of a prefix is posted to the tables thread.
 */
#ifndef NAPD_FEED_PLAY_H
#define NAPD_FEED_PLAY_H

#include <stdbool.h>
#include <stdint.h>

struct model;
struct play;
struct problems;
struct tables;

#define PLAY_SPEED_MAX 1e6 /* times as fast as it was recorded */

/*
 * What is needed of a model is copied: its dumps' names and its subnets. Borrows tables. Control
 * thread. Returns to the caller, or NULL without memory.
 */
struct play *play_create(const struct model *model, struct tables *tables);
void play_free(struct play *play); /* NULL is allowed */

/* Of the dumps and subnets that it was made for: feed_dump_identity(). */
uint64_t play_identity(const struct play *play);

/*
 * Read a file from end to end, and, the first time, the configuration's dumps. Borrows file
 * until play_run() returns. On any thread, as play_run(). 0; -EINVAL: problems say why;
 * -ENOMEM.
 */
int play_open(struct play *play, const char *file, struct problems *problems);

/*
 * Play what was opened, so many times as fast as it was recorded; 0: as fast as it can be. Waits
 * while a million changes wait. 0: to its end, or until it was stopped; else why no more can be
 * played, ever: -ENOMEM, -E2BIG, or the errno of a file that changed meanwhile.
 */
int play_run(struct play *play, double speed);

/* Have play_run() return soon, all that it took posted; at_once: whatever waits. Any thread. */
void play_stop(struct play *play, bool at_once);
bool play_stopped(const struct play *play);

struct play_view {
	uint64_t messages, messages_in_all; /* of the file in hand */
	uint64_t changes;                   /* posted, of that file */
	uint64_t first_ns, last_ns, at_ns;  /* since 1970 */
};
struct play_view play_view(const struct play *play); /* any thread */

#endif
