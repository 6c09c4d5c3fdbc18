// SPDX-License-Identifier: BSD-3-Clause
/* Sparse tables from anonymous maps, without a promise of swap. */
#include "mapped.h"

#include <sys/mman.h>

void *map_alloc(size_t bytes)
{
	void *map = mmap(NULL, bytes ? bytes : 1, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return map == MAP_FAILED ? NULL : map;
}

void map_free(void *map, size_t bytes)
{
	if (map)
		munmap(map, bytes ? bytes : 1);
}
