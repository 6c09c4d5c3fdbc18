/* SPDX-License-Identifier: BSD-3-Clause */
/* Both tables behind one face, for tests that do the same with either. */
#ifndef NAPD_TEST_FAMILY_H
#define NAPD_TEST_FAMILY_H

#include "api/fib.h"

struct family {
	const char *name;
	unsigned int bits;
	void *(*apply)(void *old, const struct prefix_key *ranges, size_t n,
		       const struct fib_source *source);
	void (*free)(void *fib);
	/* n at most 64 */
	void (*lookup)(const void *fib, const struct ipv6_key *address, uint32_t *leaf,
		       unsigned int n);
};

extern const struct family family4, family6;

#endif
