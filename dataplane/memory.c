// SPDX-License-Identifier: BSD-3-Clause
/* Owns how table memory is mapped, and when an arena moves. */
#include "memory.h"

#include "api/fib.h"
#include "mapped.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LARGE_PAGE_BYTES ((size_t)2 << 20)
#define SMALL_PAGE_BYTES ((size_t)4096)

/* So much garbage is never worth a move. */
#define ARENA_SLACK_BYTES ((size_t)4 << 20)

/* Where tables shall lie: set once, before the first one is made. */
static int16_t table_node = -1;

void fib_prefer_node(int16_t node)
{
	table_node = node;
}

static size_t round_up(size_t bytes, size_t unit)
{
	return (bytes + unit - 1) / unit * unit;
}

static size_t mapping_bytes(size_t bytes)
{
	return round_up(bytes, bytes >= LARGE_PAGE_BYTES ? LARGE_PAGE_BYTES : SMALL_PAGE_BYTES);
}

static void *map(size_t bytes, int flags)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	map_prefer_node(memory, bytes, table_node);
	return memory;
}

/* Transparent large pages need the alignment: map more and cut the ends off. */
static void *map_aligned(size_t bytes)
{
	unsigned char *memory = map(bytes + LARGE_PAGE_BYTES, 0);

	if (!memory)
		return NULL;
	size_t head = round_up((uintptr_t)memory, LARGE_PAGE_BYTES) - (uintptr_t)memory;

	if (head > 0)
		munmap(memory, head);
	munmap(memory + head + bytes, LARGE_PAGE_BYTES - head);
	madvise(memory + head, bytes, MADV_HUGEPAGE);
	return memory + head;
}

void *table_alloc(size_t bytes)
{
	if (bytes == 0 || bytes > SIZE_MAX / 4)
		return NULL;
	bytes = mapping_bytes(bytes);
	if (bytes < LARGE_PAGE_BYTES)
		return map(bytes, 0);
	/* Reserves its pages now, so that a later touch cannot fail. */
	void *memory = map(bytes, MAP_HUGETLB);

	return memory ? memory : map_aligned(bytes);
}

void table_free(void *memory, size_t bytes)
{
	if (memory)
		munmap(memory, mapping_bytes(bytes));
}

struct arena *arena_new(size_t element_bytes, size_t capacity)
{
	struct arena *arena = calloc(1, sizeof(*arena));

	if (!arena)
		return NULL;
	arena->base = table_alloc(element_bytes * capacity);
	if (!arena->base) {
		free(arena);
		return NULL;
	}
	arena->element_bytes = element_bytes;
	arena->capacity = capacity;
	arena->references = 1;
	return arena;
}

struct arena *arena_ref(struct arena *arena)
{
	__atomic_add_fetch(&arena->references, 1, __ATOMIC_RELAXED);
	return arena;
}

void arena_unref(struct arena *arena)
{
	if (!arena || __atomic_sub_fetch(&arena->references, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	table_free(arena->base, arena->element_bytes * arena->capacity);
	free(arena);
}

bool arena_reserve(struct arena **arena, size_t n, size_t limit)
{
	struct arena *from = *arena;

	if (n <= from->capacity - from->used)
		return true;
	if (n > limit || from->used > limit - n)
		return false;
	size_t capacity = from->capacity;

	while (capacity < from->used + n)
		capacity *= 2;
	struct arena *to = arena_new(from->element_bytes, capacity);

	if (!to)
		return false;
	memcpy(to->base, from->base, from->used * from->element_bytes);
	to->used = from->used;
	to->baseline = from->baseline;
	arena_unref(from);
	*arena = to;
	return true;
}

void arena_settle(struct arena *arena)
{
	if (arena->baseline == 0)
		arena->baseline = arena->used;
}

/* Elements at which an arena counts as stale. */
static size_t stale_at(const struct arena *arena)
{
	return 2 * arena->baseline + ARENA_SLACK_BYTES / arena->element_bytes;
}

bool arena_is_stale(const struct arena *arena)
{
	return arena->used > stale_at(arena);
}

struct arena *arena_new_after(const struct arena *stale)
{
	return arena_new(stale->element_bytes, stale_at(stale));
}
