/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which CPUs control and the workers run on: as the configuration says, else by what the
 * devices need on each NUMA node. Deciding is pure (cores_place); finding out what the host
 * has is apart (host.c).
 */
#ifndef NAPD_CORES_H
#define NAPD_CORES_H

#include <sched.h>
#include <stdint.h>

#include "config.h"
#include "dataplane.h"

#define CORES_ERROR_MAX 160
#define NODE_MAX        8 /* NUMA nodes; DPDK 22.11 knows no more */

/* The CPUs of a host. */
struct host {
	cpu_set_t usable;           /* by this process */
	int16_t node[CPU_SETSIZE];  /* NUMA node of a CPU, 0 to NODE_MAX - 1; -1: unknown */
	uint16_t core[CPU_SETSIZE]; /* equal for the threads of one physical core */
};

/* What the configuration wants. */
struct cores_wish {
	const char *list;     /* "2-7,10"; NULL: auto */
	unsigned int workers; /* 0: auto */
	/* queues that may come to be, by the device's node; [NODE_MAX]: of devices without one */
	unsigned int queues[NODE_MAX + 1];
};

struct cores {
	uint16_t control;
	unsigned int workers;
	uint16_t worker[WORKER_MAX]; /* CPU of each, ascending */
	int16_t node[WORKER_MAX];    /* and its NUMA node, -1: unknown */
	char warning[160];           /* "" or one sentence */
};

/*
 * Control gets the first CPU, or with a list the first that is not on it; with auto the second
 * thread of its core stays idle. Workers get cores of their own on the nodes whose devices
 * need them most: with auto one a queue that may come to be, as far as there are cores. 0 or
 * -EINVAL with error.
 */
int cores_place(const struct host *host, const struct cores_wish *wish, struct cores *cores,
		char error[CORES_ERROR_MAX]);

/*
 * CPUs of a list that workers cannot have, as text "2-7,10", cut where it is long. Returns their
 * number, or -EINVAL: it is no list.
 */
int cores_missing(const struct host *host, const char *list, char missing[CORES_ERROR_MAX]);

/* Place what a configuration wants on this host. */
int cores_choose(const struct config *config, struct cores *cores, char error[CORES_ERROR_MAX]);

/* How many workers run on a node. */
unsigned int cores_on_node(const struct cores *cores, int16_t node);
/* The node that most workers are on; -1: unknown. */
int16_t cores_main_node(const struct cores *cores);

/* host.c: what this host is. */
void host_read(struct host *host);
/* The NUMA node of a device string's NIC or kernel interface; -1: none, or unknown. */
int16_t host_device_node(const char *device);
/* Is it a PCI address? */
bool host_is_pci(const char *device);

#endif
