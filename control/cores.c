// SPDX-License-Identifier: BSD-3-Clause
/* Decides which CPUs control and workers run on. */
#include "cores.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Receive queues that a NIC is worth with auto: more need `queues` of its port, or `workers`. */
#define NIC_QUEUES 4
#define NO_CPU     UINT16_MAX

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

int cores_missing(const struct host *host, const char *list, char missing[CORES_ERROR_MAX])
{
	size_t n = 0;
	int count = 0;
	cpu_set_t set;

	missing[0] = '\0';
	if (parse_list(list, &set) != 0)
		return -EINVAL;
	for (int cpu = 0, last; cpu < CPU_SETSIZE; cpu = last + 1) {
		last = cpu;
		if (!CPU_ISSET(cpu, &set) || CPU_ISSET(cpu, &host->usable))
			continue;
		while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, &set) &&
		       !CPU_ISSET(last + 1, &host->usable))
			last++;
		count += last - cpu + 1;
		if (n + 16 < CORES_ERROR_MAX)
			n += (size_t)snprintf(missing + n, CORES_ERROR_MAX - n,
					      last > cpu ? "%s%d-%d" : "%s%d", n ? "," : "", cpu,
					      last);
	}
	return count;
}

/* While CPUs are given out. */
struct placing {
	const struct host *host;
	cpu_set_t free;                /* may become a worker's */
	cpu_set_t cores;               /* physical ones that somebody runs on, by their number */
	unsigned int wanted[NODE_MAX]; /* queues on each node */
	unsigned int given[NODE_MAX];  /* workers on each node */
	bool whole_cores;              /* the second thread of a core is not given */
	bool automatic;                /* no more on a node than it wants */
};

/* The next CPU of a node (-1: of any): on a core of its own if there is one. */
static uint16_t next_cpu(const struct placing *p, int16_t node)
{
	uint16_t second = NO_CPU;

	for (uint16_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &p->free) || (node >= 0 && p->host->node[cpu] != node))
			continue;
		if (!CPU_ISSET(p->host->core[cpu], &p->cores))
			return cpu;
		if (second == NO_CPU && !p->whole_cores)
			second = cpu;
	}
	return second;
}

/* The node that lacks a worker most, by queues a worker (D'Hondt), and has a CPU; -1: any. */
static int16_t neediest(const struct placing *p)
{
	int16_t best = -1;

	for (int16_t node = 0; node < NODE_MAX; node++) {
		if (!p->wanted[node] || (p->automatic && p->given[node] >= p->wanted[node]) ||
		    next_cpu(p, node) == NO_CPU)
			continue;
		if (best < 0 ||
		    p->wanted[node] * (p->given[best] + 1) > p->wanted[best] * (p->given[node] + 1))
			best = node;
	}
	return best;
}

/* Queues that may be anywhere, or whose node has no CPU, go where most CPUs are free. */
static void want_anywhere(struct placing *p, unsigned int queues)
{
	unsigned int cpus[NODE_MAX] = { 0 };
	int16_t most = 0;

	for (uint16_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &p->free) && p->host->node[cpu] >= 0)
			cpus[p->host->node[cpu]]++;
	for (int16_t node = 0; node < NODE_MAX; node++) {
		if (cpus[node] > cpus[most])
			most = node;
		if (cpus[node] == 0) {
			queues += p->wanted[node];
			p->wanted[node] = 0;
		}
	}
	p->wanted[most] += queues;
}

static void give(struct placing *p, cpu_set_t *workers, uint16_t cpu)
{
	CPU_CLR(cpu, &p->free);
	CPU_SET(p->host->core[cpu], &p->cores);
	CPU_SET(cpu, workers);
	if (p->host->node[cpu] >= 0)
		p->given[p->host->node[cpu]]++;
}

static bool any_given(const struct placing *p)
{
	for (int16_t node = 0; node < NODE_MAX; node++)
		if (p->given[node])
			return true;
	return false;
}

/* Give out at most so many. */
static void place_workers(struct placing *p, unsigned int most, struct cores *cores)
{
	cpu_set_t workers;

	CPU_ZERO(&workers);
	for (unsigned int n = 0; n < most; n++) {
		const int16_t node = neediest(p);
		const uint16_t cpu = next_cpu(p, node);

		/* on other nodes they would find nothing to do, while there is one on theirs */
		if (cpu == NO_CPU || (node < 0 && p->automatic && any_given(p)))
			break;
		give(p, &workers, cpu);
	}
	for (uint16_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &workers))
			continue;
		cores->node[cores->workers] = p->host->node[cpu];
		cores->worker[cores->workers++] = cpu;
	}
}

static uint16_t control_cpu(const struct host *host, const cpu_set_t *listed)
{
	uint16_t first = NO_CPU;

	for (uint16_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &host->usable))
			continue;
		if (!listed || !CPU_ISSET(cpu, listed))
			return cpu;
		if (first == NO_CPU)
			first = cpu;
	}
	return first == NO_CPU ? 0 : first;
}

/* What workers may get: not control's CPU, and with auto, where others are left, not its core. */
static void leave_control_alone(struct placing *p, uint16_t control, bool automatic)
{
	cpu_set_t others;

	CPU_CLR(control, &p->free);
	CPU_SET(p->host->core[control], &p->cores);
	if (!automatic)
		return;
	others = p->free;
	for (uint16_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &others) && p->host->core[cpu] == p->host->core[control])
			CPU_CLR(cpu, &others);
	if (CPU_COUNT(&others))
		p->free = others;
	else
		p->whole_cores = false; /* there is only this core */
}

static unsigned int sum(const unsigned int queues[NODE_MAX + 1])
{
	unsigned int n = 0;

	for (int node = 0; node <= NODE_MAX; node++)
		n += queues[node];
	return n ? n : 1;
}

int cores_place(const struct host *host, const struct cores_wish *wish, struct cores *cores,
		char error[CORES_ERROR_MAX])
{
	struct placing p = { .host = host, .free = host->usable };
	unsigned int most = wish->workers;
	cpu_set_t listed;

	*cores = (struct cores){ 0 };
	if (wish->list && parse_list(wish->list, &listed) != 0) {
		snprintf(error, CORES_ERROR_MAX, "dataplane.cores: %.60s is no list such as 2-7,10",
			 wish->list);
		return -EINVAL;
	}
	if (wish->list)
		CPU_AND(&p.free, &p.free, &listed);
	if (most == 0)
		most = wish->list ? WORKER_MAX : sum(wish->queues);
	p.whole_cores = p.automatic = !wish->list && !wish->workers;
	cores->control = control_cpu(host, wish->list ? &listed : NULL);
	leave_control_alone(&p, cores->control, !wish->list);
	memcpy(p.wanted, wish->queues, sizeof(p.wanted));
	want_anywhere(&p, wish->queues[NODE_MAX]);
	place_workers(&p, most < WORKER_MAX ? most : WORKER_MAX, cores);
	if (cores->workers == 0) {
		cores->node[0] = host->node[cores->control];
		cores->worker[cores->workers++] = cores->control;
		snprintf(cores->warning, sizeof(cores->warning),
			 "control and the worker share CPU %u: packets will wait for control",
			 cores->control);
	} else if (wish->workers > cores->workers) {
		snprintf(cores->warning, sizeof(cores->warning),
			 "%u workers were asked for, but only %u CPUs are there for them",
			 wish->workers, cores->workers);
	}
	return 0;
}

unsigned int cores_on_node(const struct cores *cores, int16_t node)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < cores->workers; i++)
		n += cores->node[i] == node;
	return n;
}

int16_t cores_main_node(const struct cores *cores)
{
	int16_t most = -1;
	unsigned int workers = 0;

	for (int16_t node = 0; node < NODE_MAX; node++) {
		if (cores_on_node(cores, node) <= workers)
			continue;
		workers = cores_on_node(cores, node);
		most = node;
	}
	return most;
}

/* ---- this host ---- */

/* Is the device one of an earlier port, too? */
static bool is_repeated(const struct config *config, size_t port)
{
	for (size_t i = 0; i < port; i++)
		if (strcmp(config->ports[i].device, config->ports[port].device) == 0)
			return true;
	return false;
}

int cores_choose(const struct config *config, struct cores *cores, char error[CORES_ERROR_MAX])
{
	struct cores_wish wish = { .list = config->dataplane.cores,
				   .workers = config->dataplane.workers };
	struct host *host = malloc(sizeof(*host));
	int rc;

	if (!host) {
		snprintf(error, CORES_ERROR_MAX, "no memory");
		return -ENOMEM;
	}
	host_read(host);
	for (size_t i = 0; i < config->port_count; i++) {
		const struct config_port *port = &config->ports[i];
		const int16_t node = host_device_node(port->device);

		if (is_repeated(config, i))
			continue;
		wish.queues[node < 0 ? NODE_MAX : node] += port->queues ? port->queues
							   : host_is_pci(port->device) ? NIC_QUEUES
										       : 1;
	}
	rc = cores_place(host, &wish, cores, error);
	free(host);
	return rc;
}
