/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is sent back to zebra: each route that is in force, as it came, with RTM_F_OFFLOAD. Not
 * before workers forward by it, and never more than there is room for. The tables thread adds,
 * control says when, zebra's reader writes.
 */
#ifndef NAPD_FEED_FPM_ACKS_H
#define NAPD_FEED_FPM_ACKS_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/netlink.h>

struct fpm_acks;

/* Returns to the caller, or NULL without memory. */
struct fpm_acks *fpm_acks_create(void);
void fpm_acks_free(struct fpm_acks *acks); /* NULL is allowed */

/* A route that was applied: flags (RTM_F_OFFLOAD or RTM_F_OFFLOAD_FAILED) are added to it. */
void fpm_acks_add(struct fpm_acks *acks, const struct nlmsghdr *route, uint32_t flags);

/* The tables of all that was added are made. */
void fpm_acks_built(struct fpm_acks *acks);
/* They are in force. True: there is something to write. */
bool fpm_acks_published(struct fpm_acks *acks);

bool fpm_acks_ready(struct fpm_acks *acks);
/* Write what fd takes without waiting. 0, or a negative errno; *routes: that it has wholly taken.
 */
int fpm_acks_write(struct fpm_acks *acks, int fd, uint64_t *routes);
/* How many found no room, ever: zebra does not read. */
uint64_t fpm_acks_lost(struct fpm_acks *acks);

#endif
