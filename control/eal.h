/* SPDX-License-Identifier: BSD-3-Clause */
/* Starting and ending DPDK's environment (EAL), once a process. */
#ifndef NAPD_EAL_H
#define NAPD_EAL_H

#include "config.h"

#define EAL_ERROR_MAX 256

/*
 * Start EAL for work without devices: no hugepages, no privileges, nothing
 * shared with other processes. The calling thread becomes the worker's and
 * keeps its CPU affinity. 0, or a negative errno with a sentence in error.
 */
int eal_start_offline(char error[EAL_ERROR_MAX]);

struct cores;

/*
 * Start EAL for a running exchange: the calling thread becomes control on its CPU,
 * each worker gets an lcore (1, 2, ...) on its own. Hugepages as the configuration
 * says; PCI only when a device needs it, and then only those. 0, or a negative errno
 * with a sentence in error.
 */
int eal_start_live(const struct config *config, const struct cores *cores,
		   char error[EAL_ERROR_MAX]);

/* Undo it; every packet buffer pool must be gone. */
void eal_stop(void);

#endif
