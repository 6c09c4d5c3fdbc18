/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How the buckets of an ECMP group are shared among its next hops: by weight as
 * evenly as whole buckets allow, and so that a change moves only what it must. Pure.
 */
#ifndef NAPD_GROUP_H
#define NAPD_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#define GROUP_HOPS_MAX    64
#define GROUP_WEIGHT_MAX  (64 * 256) /* of all hops together */
#define GROUP_BUCKETS_MAX GROUP_WEIGHT_MAX
#define GROUP_NOBODY      UINT8_MAX /* owns a bucket that is to be given out */

struct group_hop {
	uint64_t identity; /* a hash of what the hop is, whatever its index; differs within a group
			    */
	uint32_t weight;   /* 1..256 */
	bool alive;
};

/* How many buckets a group of n hops has: a power of two, at least 128 and 16 a hop. */
unsigned int group_buckets(const struct group_hop *hop, unsigned int n);

/*
 * Share all buckets among all hops, alive or not: owner[bucket] = number of the
 * hop. Depends on identities and weights alone: the order of the hops does not
 * matter, and lists that differ by one hop give nearly the same owners.
 */
void group_layout(const struct group_hop *hop, unsigned int n, uint8_t *owner,
		  unsigned int buckets);

/*
 * Share the buckets among the hops that are alive. Hops keep what they own up
 * to their share; moves are as few as exact shares allow. Does nothing when no hop is alive.
 */
void group_relayout(const struct group_hop *hop, unsigned int n, uint8_t *owner,
		    unsigned int buckets);

#endif
