// SPDX-License-Identifier: BSD-3-Clause
/* Starts DPDK's environment so that it leaves no trace on the host. */
#include "eal.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_errno.h>

#include "cores.h"
#include "log.h"

/* EAL complains in its own words when what never began ends. */
static bool started;

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
	started = true;
	private_dir_leave(&dir);
	if (rc == 0)
		sched_setaffinity(0, sizeof(affinity), &affinity);
	return 0;
}

/* ---- live ---- */

#define ARGS_MAX 256

struct args {
	char *list[ARGS_MAX + 1];
	int count;
	bool failed;
};

static void args_add(struct args *args, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void args_add(struct args *args, const char *format, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	if (!text || args->count == ARGS_MAX) {
		free(text);
		args->failed = true;
		return;
	}
	args->list[args->count++] = text;
}

static void args_free(struct args *args)
{
	for (int i = 0; i < args->count; i++)
		free(args->list[i]);
}

/* Memory in free hugepages of all sizes, of a node or (-1) of all; 0 without the kernel's word. */
static uint64_t free_hugepage_bytes(int16_t node)
{
	char place[64] = "/sys/kernel/mm/hugepages";
	DIR *folder;
	struct dirent *size;
	uint64_t bytes = 0;

	if (node >= 0)
		snprintf(place, sizeof(place), "/sys/devices/system/node/node%d/hugepages", node);
	folder = opendir(place);
	while (folder && (size = readdir(folder))) {
		char path[sizeof(place) + sizeof(size->d_name) + sizeof("/free_hugepages")];
		uint64_t kilobytes, pages = 0;
		FILE *f;

		if (sscanf(size->d_name, "hugepages-%" SCNu64 "kB", &kilobytes) != 1)
			continue;
		snprintf(path, sizeof(path), "%s/%s/free_hugepages", place, size->d_name);
		f = fopen(path, "r");
		if (f && fscanf(f, "%" SCNu64, &pages) == 1)
			bytes += pages * kilobytes << 10;
		if (f)
			fclose(f);
	}
	if (folder)
		closedir(folder);
	return bytes;
}

/* Are there enough, or does the configuration insist? */
static bool wants_hugepages(const struct config *config)
{
	const enum config_hugepages wish = config->dataplane.hugepages;

	return wish == CONFIG_HUGEPAGES_REQUIRED ||
	       (wish == CONFIG_HUGEPAGES_AUTO &&
		free_hugepage_bytes(-1) >= config->dataplane.memory_bytes);
}

/* Does an earlier port name the same device? */
static bool is_repeated(const struct config *config, size_t port)
{
	for (size_t i = 0; i < port; i++)
		if (config->ports[i].device &&
		    strcmp(config->ports[i].device, config->ports[port].device) == 0)
			return true;
	return false;
}

static void args_devices(struct args *args, const struct config *config)
{
	bool pci = false;

	for (size_t i = 0; i < config->port_count; i++) {
		if (!config->ports[i].device || !host_is_pci(config->ports[i].device) ||
		    is_repeated(config, i))
			continue;
		args_add(args, "-a");
		args_add(args, "%s", config->ports[i].device);
		pci = true;
	}
	if (!pci)
		args_add(args, "--no-pci");
}

/*
 * Where memory shall be by node: as much for each that workers run on. Empty when that is node 0
 * alone, which EAL finds out by itself, or when a node has too little.
 */
static void memory_by_node(const struct cores *cores, uint64_t megabytes, char *text, size_t size)
{
	bool used[NODE_MAX] = { false };
	unsigned int nodes = 0, at = 0;

	text[0] = '\0';
	for (unsigned int i = 0; i < cores->workers; i++) {
		if (cores->node[i] < 0)
			return;
		nodes += !used[cores->node[i]];
		used[cores->node[i]] = true;
	}
	if (nodes == 1 && used[0])
		return;
	for (int16_t node = 0; node < NODE_MAX; node++) {
		const uint64_t share = used[node] ? RTE_MAX(megabytes / nodes, UINT64_C(1)) : 0;

		if (free_hugepage_bytes(node) >> 20 < share) {
			log_warning("run",
				    "NUMA node %d has %" PRIu64
				    "M in free hugepages, of the %" PRIu64
				    "M for it; memory may lie on other nodes",
				    node, free_hugepage_bytes(node) >> 20, share);
			text[0] = '\0';
			return;
		}
		at += snprintf(text + at, size - at, "%s%" PRIu64, node ? "," : "", share);
	}
}

static void args_memory(struct args *args, const struct config *config, const struct cores *cores)
{
	const uint64_t megabytes = RTE_MAX(config->dataplane.memory_bytes >> 20, UINT64_C(1));
	char by_node[NODE_MAX * 24] = "";

	if (!wants_hugepages(config)) {
		args_add(args, "-m");
		args_add(args, "%" PRIu64, megabytes);
		args_add(args, "--no-huge");
		return;
	}
	memory_by_node(cores, megabytes, by_node, sizeof(by_node));
	args_add(args, by_node[0] ? "--socket-mem" : "-m");
	if (by_node[0])
		args_add(args, "%s", by_node);
	else
		args_add(args, "%" PRIu64, megabytes);
	/* nothing is left behind that could hinder the next start */
	args_add(args, "--in-memory");
	args_add(args, "--single-file-segments");
}

static void args_fill(struct args *args, const struct config *config, const struct cores *cores)
{
	char lcores[32 + 16 * WORKER_MAX];
	int at = snprintf(lcores, sizeof(lcores), "0@%u", cores->control);

	for (unsigned int i = 0; i < cores->workers; i++)
		at += snprintf(lcores + at, sizeof(lcores) - at, ",%u@%u", i + 1, cores->worker[i]);
	args_add(args, "napd");
	args_add(args, "--lcores");
	args_add(args, "%s", lcores);
	args_memory(args, config, cores);
	args_devices(args, config);
	args_add(args, "--no-shconf");
	args_add(args, "--no-telemetry");
	args_add(args, "--file-prefix=napd%d", (int)getpid());
	args_add(args, "--force-max-simd-bitwidth=512");
	args_add(args, "--log-level=*:%d", strcmp(config->log.level, "debug") == 0 ? 7 : 4);
	for (size_t i = 0; i < config->dataplane.eal_count; i++)
		args_add(args, "%s", config->dataplane.eal[i]);
}

int eal_start_live(const struct config *config, const struct cores *cores,
		   char error[EAL_ERROR_MAX])
{
	struct args args = { .count = 0 };
	struct private_dir dir;
	char *argv[ARGS_MAX + 1] = { 0 };
	int rc = 0;

	args_fill(&args, config, cores);
	if (args.failed) {
		snprintf(error, EAL_ERROR_MAX, "dataplane.eal: too many arguments for DPDK");
		args_free(&args);
		return -E2BIG;
	}
	memcpy(argv, args.list, args.count * sizeof(argv[0])); /* EAL reorders its argv */
	private_dir_enter(&dir);
	if (rte_eal_init(args.count, argv) < 0) {
		snprintf(error, EAL_ERROR_MAX,
			 "DPDK did not start: %s (memory %" PRIu64 "M, %" PRIu64
			 "M in free hugepages); see dataplane in the configuration",
			 rte_strerror(rte_errno), config->dataplane.memory_bytes >> 20,
			 free_hugepage_bytes(-1) >> 20);
		rc = rte_errno ? -rte_errno : -EIO;
	} else {
		started = true;
	}
	private_dir_leave(&dir);
	args_free(&args);
	return rc;
}

void eal_stop(void)
{
	if (started)
		rte_eal_cleanup();
}
