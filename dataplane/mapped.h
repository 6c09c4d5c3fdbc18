/* SPDX-License-Identifier: BSD-3-Clause */
/* Sparse tables: zeroed address space whose pages exist once they are written. */
#ifndef NAPD_MAPPED_H
#define NAPD_MAPPED_H

#include <stddef.h>
#include <stdint.h>

/*
 * Page-aligned, zeroed; bytes 0 counts as 1; its pages on a NUMA node where it has room (-1:
 * wherever they are written first). Returns to the caller, or NULL. Control thread.
 */
void *map_alloc(size_t bytes, int16_t node);
/* Takes a map of that size; NULL is allowed. */
void map_free(void *map, size_t bytes);

/* Have what is mapped, and not yet touched, on a node if it has room; -1: nothing is done. */
void map_prefer_node(void *map, size_t bytes, int16_t node);

#endif
