// SPDX-License-Identifier: BSD-3-Clause
/* Keeps differences of counters in a ring of samples. */
#include "series.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define FRESH_FIRST 1024

void *sparse_alloc(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void sparse_free(void *memory, size_t bytes)
{
	if (memory)
		munmap(memory, bytes);
}

int series_init(struct series *s, uint32_t size, size_t values, size_t bytes_max)
{
	*s = (struct series){ .size = size, .values = values, .bytes_max = bytes_max };
	s->sample = calloc(size, sizeof(*s->sample));
	s->last = sparse_alloc(values * sizeof(*s->last));
	return s->sample && s->last ? 0 : -ENOMEM;
}

static void drop_oldest(struct series *s)
{
	struct sample *oldest = &s->sample[s->first];

	s->bytes -= oldest->count * sizeof(*oldest->growth);
	free(oldest->growth);
	s->first = (s->first + 1) % s->size;
	s->count--;
}

void series_fini(struct series *s)
{
	while (s->count)
		drop_oldest(s);
	free(s->sample);
	free(s->fresh);
	sparse_free(s->last, s->values * sizeof(*s->last));
	*s = (struct series){ 0 };
}

/* No sample is larger than a quarter of all. */
static bool make_room(struct series *s)
{
	const uint32_t room = s->fresh_room ? 2 * s->fresh_room : FRESH_FIRST;
	struct growth *larger;

	if (s->fresh_count < s->fresh_room)
		return true;
	if (room > s->bytes_max / 4 / sizeof(*larger))
		return false;
	larger = realloc(s->fresh, room * sizeof(*larger));
	if (!larger)
		return false;
	s->fresh = larger;
	s->fresh_room = room;
	return true;
}

uint64_t series_see(struct series *s, size_t index, uint64_t now, bool anew)
{
	const uint64_t last = anew ? 0 : s->last[index];

	if (anew && s->last[index])
		s->last[index] = 0;
	/* it is at less only if it began anew */
	if (now == last || !make_room(s))
		return 0;
	s->fresh[s->fresh_count++] = (struct growth){
		.index = index,
		.by = now > last ? now - last : now,
	};
	s->last[index] = now;
	return s->fresh[s->fresh_count - 1].by;
}

void series_restart(struct series *s, size_t index, size_t n)
{
	memset(&s->last[index], 0, n * sizeof(*s->last));
}

void series_close(struct series *s, uint64_t begin_ns, uint64_t end_ns, uint64_t mark)
{
	const size_t bytes = s->fresh_count * sizeof(*s->fresh);
	struct growth *kept = bytes ? realloc(s->fresh, bytes) : NULL;

	while (s->count && (s->count == s->size || s->bytes + bytes > s->bytes_max))
		drop_oldest(s);
	s->sample[(s->first + s->count++) % s->size] = (struct sample){
		.begin_ns = begin_ns,
		.end_ns = end_ns,
		.mark = mark,
		.count = s->fresh_count,
		.growth = bytes && !kept ? s->fresh : kept, /* it did not shrink, no harm */
	};
	s->bytes += bytes;
	if (bytes)
		s->fresh = NULL;
	s->fresh_room = bytes ? 0 : s->fresh_room;
	s->fresh_count = 0;
}

const struct sample *series_at(const struct series *s, uint32_t i)
{
	return &s->sample[(s->first + i) % s->size];
}
