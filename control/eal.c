// SPDX-License-Identifier: BSD-3-Clause
/* Starts DPDK's environment so that it leaves no trace on the host. */
#include "eal.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>

/*
 * EAL makes a directory even when it has nothing to keep there: in /run for
 * root, else one in /tmp that all users share and only the first may enter. So
 * it gets one of its own for as long as it starts.
 */
struct private_dir {
	char path[32];
	char *before; /* what the environment said */
	bool made;
};

#define DIR_VARIABLE "RUNTIME_DIRECTORY"

static void private_dir_enter(struct private_dir *dir)
{
	const char *before = getenv(DIR_VARIABLE);

	*dir = (struct private_dir){ .path = "/tmp/napd-XXXXXX" };
	dir->made = mkdtemp(dir->path) != NULL;
	if (!dir->made)
		return; /* EAL may find another place */
	dir->before = before ? strdup(before) : NULL;
	setenv(DIR_VARIABLE, dir->path, 1);
}

static void private_dir_leave(struct private_dir *dir)
{
	char path[64];

	if (!dir->made)
		return;
	if (dir->before)
		setenv(DIR_VARIABLE, dir->before, 1);
	else
		unsetenv(DIR_VARIABLE);
	free(dir->before);
	snprintf(path, sizeof(path), "%s/dpdk/rte", dir->path);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/dpdk", dir->path);
	rmdir(path);
	rmdir(dir->path);
}

int eal_start_offline(char error[EAL_ERROR_MAX])
{
	char lcores[32];
	char *argv[] = { "napd",           "--no-huge",       "-m",       "128",
			 "--no-pci",       "--no-shconf",     "--lcores", lcores,
			 "--no-telemetry", "--log-level=*:1", NULL };
	struct private_dir dir;
	cpu_set_t affinity;
	int rc;

	/* EAL pins the calling thread: to the CPU it is on, and then undone. */
	CPU_ZERO(&affinity);
	rc = sched_getaffinity(0, sizeof(affinity), &affinity);
	snprintf(lcores, sizeof(lcores), "0@%d", sched_getcpu());
	private_dir_enter(&dir);
	if (rte_eal_init(sizeof(argv) / sizeof(argv[0]) - 1, argv) < 0) {
		snprintf(error, EAL_ERROR_MAX, "DPDK did not start: %s", rte_strerror(rte_errno));
		private_dir_leave(&dir);
		return -rte_errno;
	}
	private_dir_leave(&dir);
	if (rc == 0)
		sched_setaffinity(0, sizeof(affinity), &affinity);
	return 0;
}

void eal_stop(void)
{
	rte_eal_cleanup();
}
