/* SPDX-License-Identifier: BSD-3-Clause */
/* Which CPUs control and the workers run on. */
#ifndef NAPD_CORES_H
#define NAPD_CORES_H

#include <stdint.h>

#include "config.h"
#include "dataplane.h"

struct cores {
	uint16_t control;
	unsigned int workers;
	uint16_t worker[WORKER_MAX];
	int16_t node[WORKER_MAX]; /* of each worker's CPU, -1: unknown */
	char warning[160];        /* "" or one sentence */
};

/*
 * Choose among the CPUs this process may use: as the configuration says, or the
 * first for control and the rest for workers. With auto no more workers than there
 * are devices' queues to share (devices, at least 1). 0 or -EINVAL with error.
 */
int cores_choose(const struct config *config, unsigned int devices, struct cores *cores,
		 char error[160]);

#endif
