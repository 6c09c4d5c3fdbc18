/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From prefixes to pieces: what a range of addresses looks like once longer
 * prefixes have been painted over shorter ones.
 */
#ifndef NAPD_FIB_PAINT_H
#define NAPD_FIB_PAINT_H

#include "api/fib.h"

/* The first and last address of a prefix, IPv4 in the top 32 bits. */
static inline unsigned __int128 prefix_first(struct prefix_key prefix)
{
	return (unsigned __int128)prefix.address.hi << 64 | prefix.address.lo;
}

static inline unsigned __int128 prefix_last(struct prefix_key prefix)
{
	unsigned __int128 host = prefix.length < 128 ? ~(unsigned __int128)0 >> prefix.length : 0;

	return prefix_first(prefix) | host;
}

/*
 * Call put for pieces of range in ascending order, without gaps: all addresses
 * from first to last have that leaf, as source says now.
 */
void fib_paint(const struct fib_source *source, struct prefix_key range,
	       void (*put)(void *sink, unsigned __int128 first, unsigned __int128 last,
			   uint32_t leaf),
	       void *sink);

/*
 * The same ranges, ascending, none inside another; *n becomes their number.
 * Returns to the caller (free), or NULL when there is no memory.
 */
struct prefix_key *fib_ranges(const struct prefix_key *ranges, size_t *n);

#endif
