// SPDX-License-Identifier: BSD-3-Clause
/* Knows the host's CPUs and which NUMA node a device is on, by libnuma and sysfs. */
#include <stdio.h>
#include <string.h>

#include <numa.h>

#include "cores.h"

/* The first number of a file of sysfs; fallback without it. */
static int first_number(const char *path, int fallback)
{
	FILE *f = fopen(path, "r");
	int number;

	if (!f)
		return fallback;
	if (fscanf(f, "%d", &number) != 1)
		number = fallback;
	fclose(f);
	return number;
}

void host_read(struct host *host)
{
	const bool numa = numa_available() >= 0;

	CPU_ZERO(&host->usable);
	if (sched_getaffinity(0, sizeof(host->usable), &host->usable) != 0)
		CPU_SET(0, &host->usable);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		char path[96];

		host->node[cpu] = -1;
		host->core[cpu] = cpu;
		if (!CPU_ISSET(cpu, &host->usable))
			continue;
		if (numa)
			host->node[cpu] = numa_node_of_cpu(cpu);
		if (host->node[cpu] >= NODE_MAX)
			host->node[cpu] = -1;
		/* a list in ascending order: its first CPU names the core */
		snprintf(path, sizeof(path),
			 "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
		host->core[cpu] = first_number(path, cpu);
	}
}

bool host_is_pci(const char *device)
{
	unsigned int domain, bus, slot, function;

	return sscanf(device, "%4x:%2x:%2x.%1x", &domain, &bus, &slot, &function) == 4;
}

int16_t host_device_node(const char *device)
{
	const char *interface = strstr(device, ",iface=");
	char path[128];
	int node;

	if (host_is_pci(device))
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%.16s/numa_node", device);
	else if (interface)
		snprintf(path, sizeof(path), "/sys/class/net/%.*s/device/numa_node",
			 (int)strcspn(interface + 7, ","), interface + 7);
	else
		return -1;
	node = first_number(path, -1);
	return node >= 0 && node < NODE_MAX ? node : -1;
}
