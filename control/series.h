/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How much numbered counters grew from one moment to the next, for many moments: only what
 * grew is kept, in bounded memory, and the oldest goes first. Pure; one thread at a time.
 */
#ifndef NAPD_SERIES_H
#define NAPD_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct growth {
	uint64_t index;
	uint64_t by;
};

struct sample {
	uint64_t begin_ns, end_ns;
	uint64_t mark; /* the caller's */
	uint32_t count;
	struct growth *growth;
};

struct series {
	struct sample *sample; /* a ring of size */
	uint32_t size, first, count;
	size_t bytes, bytes_max;
	uint64_t *last; /* by index: what was seen last */
	size_t values;
	struct growth *fresh; /* of the sample that is being taken */
	uint32_t fresh_count, fresh_room;
};

/* values: how many counters. 0, or -ENOMEM: series_fini() is due all the same. */
int series_init(struct series *s, uint32_t size, size_t values, size_t bytes_max);
void series_fini(struct series *s);

/*
 * A counter is at now. anew: it began at 0 since it was seen last. What there is no room for
 * in this sample is in the next. Returns by how much it grew.
 */
uint64_t series_see(struct series *s, size_t index, uint64_t now, bool anew);

/* Counters index to index + n begin at 0 now. */
void series_restart(struct series *s, size_t index, size_t n);

/* The sample is complete. */
void series_close(struct series *s, uint64_t begin_ns, uint64_t end_ns, uint64_t mark);

/* Sample i, from the oldest on; i < count. */
const struct sample *series_at(const struct series *s, uint32_t i);

/* Zeroed memory that costs only what is touched of it; NULL: none. */
void *sparse_alloc(size_t bytes);
void sparse_free(void *memory, size_t bytes);

#endif
