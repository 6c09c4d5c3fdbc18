/* SPDX-License-Identifier: BSD-3-Clause */
/* Sparse tables: zeroed address space whose pages exist once they are written. */
#ifndef NAPD_MAPPED_H
#define NAPD_MAPPED_H

#include <stddef.h>

/* Page-aligned, zeroed; bytes 0 counts as 1. Returns to the caller, or NULL. Control thread. */
void *map_alloc(size_t bytes);
/* Takes a map of that size; NULL is allowed. */
void map_free(void *map, size_t bytes);

#endif
