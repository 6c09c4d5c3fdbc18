/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * FRR's Forwarding Plane Manager protocol (zebra -M dplane_fpm_nl): frames of rtnetlink messages
 * in a stream of bytes. One thread.
 */
#ifndef NAPD_FEED_FPM_H
#define NAPD_FEED_FPM_H

#include <stddef.h>
#include <stdint.h>

#include "learned.h"

struct fpm;

struct fpm_counts {
	uint64_t bytes, frames, messages;
	uint64_t frame_at; /* offset of the frame in hand, or of the next */
	uint64_t replaced; /* deletions that a new route of the same prefix in the frame made up for
			    */
};

/* A stream from its beginning. Borrows learned. Returns to the caller, or NULL without memory. */
struct fpm *fpm_create(struct learned *learned);
void fpm_free(struct fpm *fpm); /* NULL is allowed */

/*
 * Take what has come, in pieces of any size: the routes of whole frames change at once, what is
 * left waits for the rest. 0; -EINVAL: the stream is not what it should be, *wrong says why and it
 * cannot be gone on with; -ENOMEM.
 */
int fpm_receive(struct fpm *fpm, const void *data, size_t bytes, const char **wrong);

/* From now on called with each new route that was applied, and what has become of its prefix. */
struct nlmsghdr;
typedef void (*fpm_applied_fn)(void *arg, const struct nlmsghdr *route, enum learned_state state);
void fpm_on_applied(struct fpm *fpm, fpm_applied_fn applied, void *arg);

void fpm_counts(const struct fpm *fpm, struct fpm_counts *counts);

#endif
