// SPDX-License-Identifier: BSD-3-Clause
/* Starts EAL once a test program, without anything that a bare machine lacks. */
#include "eal.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include "api/dataplane.h"

static void fail(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, rte_strerror(error));
	exit(1);
}

static void eal_start(void)
{
	static bool started;
	char lcores[32];
	char *argv[] = { "unit-test",
			 "--no-huge",
			 "-m",
			 "64",
			 "--no-pci",
			 "--no-shconf",
			 "--no-telemetry",
			 "--log-level=error",
			 "--lcores",
			 lcores,
			 NULL };
	cpu_set_t affinity;

	if (started)
		return;
	/* EAL pins the calling thread: to a CPU it may use, and then undone. */
	if (sched_getaffinity(0, sizeof(affinity), &affinity))
		fail("sched_getaffinity", errno);
	snprintf(lcores, sizeof(lcores), "0@%d", sched_getcpu());
	if (rte_eal_init(sizeof(argv) / sizeof(argv[0]) - 1, argv) < 0)
		fail("rte_eal_init", rte_errno);
	if (sched_setaffinity(0, sizeof(affinity), &affinity))
		fail("sched_setaffinity", errno);
	started = true;
}

struct rte_mempool *test_eal_pool(unsigned int n, uint16_t data_room)
{
	static unsigned int pools;
	struct rte_mempool *pool;
	char name[24];

	eal_start();
	snprintf(name, sizeof(name), "test-%u", pools++);
	pool = rte_pktmbuf_pool_create(name, n, 0, sizeof(struct frame_origin), data_room, 0);
	if (!pool)
		fail("rte_pktmbuf_pool_create", rte_errno);
	return pool;
}
