/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory of the tables that workers read: large pages where the host has them,
 * and arenas that generations of a table share.
 */
#ifndef NAPD_MEMORY_H
#define NAPD_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Zeroed memory, page-aligned, or NULL. Returns to the caller, who gives it back
 * with the same size. Any thread.
 */
void *table_alloc(size_t bytes);
void table_free(void *memory, size_t bytes);

/*
 * A growing array whose filled part never changes: generations hold references
 * and read what they know of, while their one writer appends behind it. When it
 * is full it moves to a larger copy, and the old one lives as long as the
 * generations that read it. Elements keep their index.
 *
 * One thread (the writer) calls all of these, but references come and go on any; readers only have
 * base.
 */
struct arena {
	unsigned char *base;
	size_t element_bytes;
	size_t used; /* elements */
	size_t capacity;
	size_t baseline; /* used, when nothing in it was garbage */
	unsigned int references;
};

/* An empty arena with one reference, or NULL. */
struct arena *arena_new(size_t element_bytes, size_t capacity);
struct arena *arena_ref(struct arena *arena);
/* NULL is allowed. */
void arena_unref(struct arena *arena);

/*
 * Make room for n more elements behind used, of at most limit in all; may put
 * a larger arena into *arena and drop the reference to the former. The caller
 * then fills them and adds n to used. False: no memory, *arena is as it was.
 */
bool arena_reserve(struct arena **arena, size_t n, size_t limit);

/* Say that a whole table stands in it; the first one has no garbage in it. */
void arena_settle(struct arena *arena);

/* Whether it is probably more than half garbage, and large enough to care. */
bool arena_is_stale(const struct arena *arena);

/* An empty arena for what is not garbage in a stale one, or NULL. */
struct arena *arena_new_after(const struct arena *stale);

#endif
