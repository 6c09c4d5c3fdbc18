// SPDX-License-Identifier: BSD-3-Clause
/* Owns the failing allocator of tests (ld --wrap). */
#include "out_of_memory.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/types.h>

static bool limited;
static unsigned int left;

void out_of_memory_after(unsigned int n)
{
	limited = true;
	left = n;
}

void out_of_memory_never(void)
{
	limited = false;
}

static bool refused(void)
{
	if (!limited)
		return false;
	if (left > 0) {
		left--;
		return false;
	}
	errno = ENOMEM;
	return true;
}

/* The names are the linker's; meson makes off_t 64 bits, so that mmap is mmap64. */
void *__real_malloc(size_t bytes);
void *__real_calloc(size_t n, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
void *__real_mmap64(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t n, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);
void *__wrap_mmap64(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);

void *__wrap_malloc(size_t bytes)
{
	return refused() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t n, size_t bytes)
{
	return refused() ? NULL : __real_calloc(n, bytes);
}

void *__wrap_realloc(void *memory, size_t bytes)
{
	return refused() ? NULL : __real_realloc(memory, bytes);
}

void *__wrap_mmap64(void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
	/* large pages of hugetlb are a wish, not a need */
	if (flags & MAP_HUGETLB)
		return MAP_FAILED;
	return refused() ? MAP_FAILED : __real_mmap64(at, bytes, protection, flags, fd, offset);
}
