// SPDX-License-Identifier: BSD-3-Clause
/* Chooses CPUs: control keeps the first, workers get cores of their own. */
#include "cores.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A list such as "2-7,10" as a set. 0 or -EINVAL. */
static int parse_list(const char *text, cpu_set_t *set)
{
	const char *at = text;

	CPU_ZERO(set);
	while (*at) {
		char *end;
		unsigned long first = strtoul(at, &end, 10), last = first;

		if (end == at)
			return -EINVAL;
		if (*end == '-') {
			at = end + 1;
			last = strtoul(at, &end, 10);
			if (end == at)
				return -EINVAL;
		}
		if (last < first || last >= CPU_SETSIZE)
			return -EINVAL;
		for (unsigned long cpu = first; cpu <= last; cpu++)
			CPU_SET(cpu, set);
		if (*end == ',')
			end++;
		else if (*end)
			return -EINVAL;
		at = end;
	}
	return CPU_COUNT(set) ? 0 : -EINVAL;
}

/* The CPU's core-mate must not disturb control: with auto the second thread of core 0 is left
 * alone. */
static bool is_sibling(uint16_t a, uint16_t b)
{
	char path[96], mates[64] = "";
	cpu_set_t set;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/topology/thread_siblings_list",
		 a);
	f = fopen(path, "r");
	if (!f)
		return false;
	if (!fgets(mates, sizeof(mates), f))
		mates[0] = '\0';
	fclose(f);
	mates[strcspn(mates, "\n")] = '\0';
	return a != b && parse_list(mates, &set) == 0 && CPU_ISSET(b, &set);
}

static void collect(const cpu_set_t *wanted, const cpu_set_t *usable, const struct cores *cores,
		    bool skip_sibling, unsigned int most, struct cores *out)
{
	for (uint16_t cpu = 0; cpu < CPU_SETSIZE && out->workers < most; cpu++) {
		if (!CPU_ISSET(cpu, wanted) || !CPU_ISSET(cpu, usable) || cpu == cores->control)
			continue;
		if (skip_sibling && is_sibling(cores->control, cpu))
			continue;
		out->worker[out->workers++] = cpu;
	}
}

int cores_choose(const struct config *config, unsigned int devices, struct cores *cores,
		 char error[160])
{
	const bool listed = config->dataplane.cores != NULL;
	unsigned int most = config->dataplane.workers;
	cpu_set_t usable, wanted;

	*cores = (struct cores){ 0 };
	memset(cores->node, -1, sizeof(cores->node));
	CPU_ZERO(&usable);
	if (sched_getaffinity(0, sizeof(usable), &usable) != 0)
		CPU_SET(0, &usable);
	wanted = usable;
	if (listed && parse_list(config->dataplane.cores, &wanted) != 0) {
		snprintf(error, 160, "dataplane.cores: %.60s is no list such as 2-7,10",
			 config->dataplane.cores);
		return -EINVAL;
	}
	while (cores->control < CPU_SETSIZE - 1 && !CPU_ISSET(cores->control, &usable))
		cores->control++;
	/* listed cores are for workers; control takes another where there is one */
	for (uint16_t cpu = 0; listed && cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &usable) && !CPU_ISSET(cpu, &wanted)) {
			cores->control = cpu;
			break;
		}
	}
	if (most == 0)
		most = listed ? WORKER_MAX : (devices < 1 ? 1 : devices);
	if (most > WORKER_MAX)
		most = WORKER_MAX;
	collect(&wanted, &usable, cores, !listed && CPU_COUNT(&usable) > 2, most, cores);
	if (cores->workers == 0) {
		cores->worker[cores->workers++] = cores->control;
		snprintf(cores->warning, sizeof(cores->warning),
			 "control and the worker share CPU %u: packets will wait for control",
			 cores->control);
	} else if (config->dataplane.workers > cores->workers) {
		snprintf(cores->warning, sizeof(cores->warning),
			 "%u workers were asked for, but only %u CPUs are there for them",
			 config->dataplane.workers, cores->workers);
	}
	return 0;
}
