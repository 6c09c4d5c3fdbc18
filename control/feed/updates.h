/* SPDX-License-Identifier: BSD-3-Clause */
/* Files of BGP messages (BGP4MP, BGP4MP_ET) as a stream of changes in the order of their times. */
#ifndef NAPD_FEED_UPDATES_H
#define NAPD_FEED_UPDATES_H

#include <stddef.h>
#include <stdint.h>

struct dumps;
struct model;
struct problems;
struct updates;

/*
 * Read files from end to end, and say what is wrong in problems; then a stream of what they hold.
 * Borrows the paths. Returns to the caller, or NULL: problems say why, or if they hold no error,
 * there was no memory.
 */
struct updates *updates_open(char *const *file, size_t files, struct problems *problems);
void updates_close(struct updates *updates); /* NULL is allowed */

/* When the next message came, nanoseconds since 1970; UINT64_MAX: there is none. */
uint64_t updates_next_ns(const struct updates *updates);

/* How many messages there are in all, and when the last came (0: there is none). */
struct updates_extent {
	uint64_t messages;
	uint64_t last_ns;
};
struct updates_extent updates_extent(const struct updates *updates);

/*
 * Apply the messages up to a time, at most so many of them, to paths that are kept. How many there
 * were, or negative: -ENOMEM, -E2BIG, what the routes' taker says, or the errno of a file that
 * changed or cannot be read any more.
 */
long updates_play(struct updates *updates, struct dumps *dumps, uint64_t until_ns, long most);

/* The same to a model that keeps its paths. */
long updates_apply(struct updates *updates, struct model *model, uint64_t until_ns, long most);

#endif
