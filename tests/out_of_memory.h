/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Makes allocations fail in a test that links out_of_memory_dep, which puts
 * itself before malloc, calloc, realloc and mmap of the code under test.
 */
#ifndef NAPD_TEST_OUT_OF_MEMORY_H
#define NAPD_TEST_OUT_OF_MEMORY_H

/* After n more allocations all fail. */
void out_of_memory_after(unsigned int n);
void out_of_memory_never(void);

#endif
