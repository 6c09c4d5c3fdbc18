// SPDX-License-Identifier: BSD-3-Clause
/* Which CPUs control and workers get, on hosts of many shapes. */
#include "test.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cores.h"

#define ANYWHERE NODE_MAX

/* A host of CPUs that are spread over nodes one block after the other. */
struct shape {
	unsigned int cpus;
	unsigned int nodes;   /* 0: the kernel knows of none */
	unsigned int threads; /* a core; siblings are cpus / threads apart, as Linux numbers them */
};

static void make_host(struct host *host, const struct shape *shape)
{
	const unsigned int cores = shape->cpus / shape->threads;

	CPU_ZERO(&host->usable);
	for (unsigned int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		host->node[cpu] = -1;
		host->core[cpu] = cpu;
		if (cpu >= shape->cpus)
			continue;
		CPU_SET(cpu, &host->usable);
		host->core[cpu] = cpu % cores;
		if (shape->nodes)
			host->node[cpu] = cpu % cores / (cores / shape->nodes);
	}
}

static const struct row {
	const char *name;
	struct shape shape;
	struct cores_wish wish;
	int control;
	int workers[10]; /* ends with 0, which is never a worker's here; -1: CPU 0 is */
	bool warns;
} rows[] = {
	{ "two CPUs: one worker, one control", { 2, 1, 1 }, { .queues = { 3 } }, 0, { 1 }, false },
	{ "two threads of one core, too", { 2, 1, 2 }, { .queues = { 3 } }, 0, { 1 }, false },
	{ "one CPU is shared, with a warning", { 1, 1, 1 }, { .queues = { 3 } }, 0, { -1 }, true },
	{ "no more workers than queues", { 8, 1, 1 }, { .queues = { 3 } }, 0, { 1, 2, 3 }, false },
	{ "no queue at all is one worker", { 8, 1, 1 }, { .queues = { 0 } }, 0, { 1 }, false },
	{ "nodes may be unknown",
	  { 4, 0, 1 },
	  { .queues = { [ANYWHERE] = 8 } },
	  0,
	  { 1, 2, 3 },
	  false },
	{ "second threads stay idle", { 8, 1, 2 }, { .queues = { 8 } }, 0, { 1, 2, 3 }, false },
	{ "unless so many are asked for, control's thread mate never",
	  { 8, 1, 2 },
	  { .workers = 5, .queues = { 8 } },
	  0,
	  { 1, 2, 3, 5, 6 },
	  false },
	{ "more than there are: a warning",
	  { 4, 1, 1 },
	  { .workers = 5, .queues = { 8 } },
	  0,
	  { 1, 2, 3 },
	  true },
	{ "workers go to the node of the NIC",
	  { 16, 2, 1 },
	  { .queues = { 0, 4 } },
	  0,
	  { 8, 9, 10, 11 },
	  false },
	{ "and to no other, though that one is full",
	  { 8, 2, 1 },
	  { .queues = { 0, 8 } },
	  0,
	  { 4, 5, 6, 7 },
	  false },
	{ "nor more on a node than it has queues",
	  { 8, 2, 1 },
	  { .queues = { 1, 8 } },
	  0,
	  { 1, 4, 5, 6, 7 },
	  false },
	{ "a node without CPUs is served by another",
	  { 4, 1, 1 },
	  { .queues = { [3] = 2 } },
	  0,
	  { 1, 2 },
	  false },
	{ "to two nodes by what they need",
	  { 16, 2, 1 },
	  { .workers = 3, .queues = { 2, 4 } },
	  0,
	  { 1, 8, 9 },
	  false },
	{ "devices of no node go where CPUs are",
	  { 8, 2, 1 },
	  { .queues = { [ANYWHERE] = 2 } },
	  0,
	  { 4, 5 },
	  false },
	{ "a list is for workers, control takes another",
	  { 8, 1, 1 },
	  { .list = "0-2,6" },
	  3,
	  { -1, 1, 2, 6 },
	  false },
	{ "a list of all: control takes its first",
	  { 4, 1, 1 },
	  { .list = "0-3" },
	  0,
	  { 1, 2, 3 },
	  false },
	{ "a list with a number",
	  { 8, 1, 1 },
	  { .list = "4-7", .workers = 2 },
	  0,
	  { 4, 5 },
	  false },
	{ "second threads when listed", { 8, 1, 2 }, { .list = "4,5" }, 0, { 4, 5 }, false },
	{ "CPUs that are not there are not used", { 4, 1, 1 }, { .list = "3-9" }, 0, { 3 }, false },
};

static void check(const struct row *row)
{
	static struct host host;
	char error[CORES_ERROR_MAX] = "";
	struct cores cores;
	unsigned int n = 0;

	make_host(&host, &row->shape);
	if (cores_place(&host, &row->wish, &cores, error) != 0)
		fail_msg("%s: %s", row->name, error);
	if (cores.control != row->control || !cores.warning[0] == row->warns)
		fail_msg("%s: control on %u, %s", row->name, cores.control, cores.warning);
	for (; row->workers[n]; n++) {
		const int cpu = row->workers[n] < 0 ? 0 : row->workers[n];

		if (n >= cores.workers || cores.worker[n] != cpu || cores.node[n] != host.node[cpu])
			fail_msg("%s: worker %u of %u is on CPU %u", row->name, n, cores.workers,
				 cores.worker[n]);
	}
	if (n != cores.workers)
		fail_msg("%s: %u workers", row->name, cores.workers);
}

static void cpus_are_chosen(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i]);
}

static void a_list_that_is_none_is_refused(void **state)
{
	static const char *const lists[] = { "", "a", "3-", "5-3", "1,,2", "1;2", "99999" };
	static struct host host;
	const struct shape shape = { 4, 1, 1 };

	(void)state;
	make_host(&host, &shape);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		const struct cores_wish wish = { .list = lists[i] };
		char error[CORES_ERROR_MAX] = "";
		struct cores cores;

		assert_int_equal(cores_place(&host, &wish, &cores, error), -EINVAL);
		assert_non_null(strstr(error, "dataplane.cores"));
	}
}

static void cpus_that_are_not_there_are_told(void **state)
{
	static const struct {
		const char *list;
		int count;
		const char *missing;
	} list[] = {
		{ "0-3", 0, "" },
		{ "1,3", 0, "" },
		{ "4", 1, "4" },
		{ "2-7,10", 5, "4-7,10" },
		{ "1000,5,1001", 3, "5,1000-1001" },
		{ "", -EINVAL, "" },
		{ "1-", -EINVAL, "" },
	};
	static struct host host;
	const struct shape shape = { 4, 1, 1 };

	(void)state;
	make_host(&host, &shape);
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		char missing[CORES_ERROR_MAX];

		assert_int_equal(cores_missing(&host, list[i].list, missing), list[i].count);
		assert_string_equal(missing, list[i].missing);
	}
}

static void a_long_list_of_missing_cpus_is_cut(void **state)
{
	static struct host host;
	const struct shape shape = { 1, 1, 1 };
	char list[4096] = "1", missing[CORES_ERROR_MAX];

	(void)state;
	make_host(&host, &shape);
	for (int cpu = 3; cpu < 1000; cpu += 2)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), ",%d", cpu);
	assert_int_equal(cores_missing(&host, list, missing), 500);
	assert_in_range(strlen(missing), 100, CORES_ERROR_MAX - 1);
}

static void tables_lie_where_most_workers_are(void **state)
{
	struct cores cores = { .workers = 3, .node = { 0, 1, 1 } };

	(void)state;
	assert_int_equal(cores_main_node(&cores), 1);
	cores.workers = 2;
	assert_int_equal(cores_main_node(&cores), 0);
	cores.node[0] = cores.node[1] = -1;
	assert_int_equal(cores_main_node(&cores), -1);
}

static void this_host_has_cpus(void **state)
{
	static struct host host;
	int usable = 0;

	(void)state;
	host_read(&host);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		usable += CPU_ISSET(cpu, &host.usable) != 0;
		assert_in_range(host.node[cpu] + 1, 0, NODE_MAX);
	}
	assert_int_equal(usable, CPU_COUNT(&host.usable));
	assert_true(usable > 0);
	assert_true(host_is_pci("0000:3b:00.0"));
	assert_false(host_is_pci("net_null0"));
	assert_int_equal(host_device_node("net_null0"), -1);
	assert_int_equal(host_device_node("ffff:ff:1f.7"), -1);
	assert_int_equal(host_device_node("net_af_packet0,iface=lo"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cpus_are_chosen),
		cmocka_unit_test(a_list_that_is_none_is_refused),
		cmocka_unit_test(cpus_that_are_not_there_are_told),
		cmocka_unit_test(a_long_list_of_missing_cpus_is_cut),
		cmocka_unit_test(tables_lie_where_most_workers_are),
		cmocka_unit_test(this_host_has_cpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
