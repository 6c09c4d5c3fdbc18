// SPDX-License-Identifier: BSD-3-Clause
/* Sparse tables from anonymous maps, without a promise of swap. */
#include "mapped.h"

#include <numaif.h>
#include <sys/mman.h>

void map_prefer_node(void *map, size_t bytes, int16_t node)
{
	const unsigned long nodes = node >= 0 ? 1ul << node : 0;

	/* a wish: where the kernel refuses (containers), memory lies where it lies */
	if (node >= 0 && bytes)
		mbind(map, bytes, MPOL_PREFERRED, &nodes, 8 * sizeof(nodes), 0);
}

void *map_alloc(size_t bytes, int16_t node)
{
	void *map = mmap(NULL, bytes ? bytes : 1, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (map == MAP_FAILED)
		return NULL;
	map_prefer_node(map, bytes, node);
	return map;
}

void map_free(void *map, size_t bytes)
{
	if (map)
		munmap(map, bytes ? bytes : 1);
}
