// SPDX-License-Identifier: BSD-3-Clause
/*
 * That adding workers shares no written cache line: each of two workers forwards,
 * drops and answers, and what either changed in the process's memory is held against
 * what the other did. A write that leaves a byte as it was goes unseen; counters change.
 * Packet buffers and rings are DPDK's memory and are left out, so are stack and thread-local
 * storage.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_memory.h>

#include "rig.h"

/* Shadows of all memory, and counters of lines run, are memory of the process too. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define INSTRUMENTED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define INSTRUMENTED 1
#endif
#endif

#define LINE_BYTES         64
#define THREAD_LOCAL_BYTES 4096
#define REGIONS_MAX        512
#define LINES_MAX          65536
#define ROUNDS             8
#define FRAMES             16

struct region {
	uint8_t *start, *copy;
	size_t bytes;
};

/* One worker's ends, on pages of its own. */
struct end {
	struct rte_mbuf *frame[ROUNDS][FRAMES];
	uint32_t round;
	uint64_t sent;
};

struct lines {
	size_t n;
	const uint8_t *line[LINES_MAX]; /* ascending */
};

static struct region *region; /* REGIONS_MAX of them, mapped after the regions were listed */
static size_t regions;

static void *pages(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(p != MAP_FAILED);
	return p;
}

static bool is_dpdk(const uint8_t *start)
{
	return rte_mem_virt2memseg_list(start) != NULL;
}

/*
 * Around the thread pointer lies what each thread has for itself. Both workers run on one
 * thread here, and the kernel writes into it the CPU that it is on (rseq).
 */
static bool is_thread_local(const uint8_t *line)
{
	const uint8_t *own = __builtin_thread_pointer();

	return line >= own - THREAD_LOCAL_BYTES && line < own + THREAD_LOCAL_BYTES;
}

/* What the process may write: its own data, the heap and anonymous memory; no libraries, no stack.
 */
static size_t list_regions(struct region *list)
{
	char line[512], self[256] = "", path[256];
	FILE *maps = fopen("/proc/self/maps", "r");
	bool after_self = false;
	size_t n = 0;

	assert_non_null(maps);
	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	while (fgets(line, sizeof(line), maps)) {
		unsigned long start, end;
		char mode[5];

		path[0] = '\0';
		assert_true(sscanf(line, "%lx-%lx %4s %*s %*s %*s %255s", &start, &end, mode,
				   path) >= 3);
		/* the anonymous part behind a library's data is the library's */
		after_self = path[0] ? strcmp(path, self) == 0 || path[0] == '[' ||
					       strcmp(path, "/anon_hugepage") == 0
				     : after_self;
		if (mode[1] != 'w' || !after_self || strcmp(path, "[stack]") == 0 ||
		    is_dpdk((void *)start))
			continue;
		assert_true(n < REGIONS_MAX);
		list[n++] = (struct region){ .start = (void *)start, .bytes = end - start };
	}
	fclose(maps);
	return n;
}

static void remember(void)
{
	for (size_t i = 0; i < regions; i++)
		memcpy(region[i].copy, region[i].start, region[i].bytes);
}

/* The lines that are not as they were remembered. */
static void compare(struct lines *changed)
{
	for (size_t i = 0; i < regions; i++)
		for (size_t at = 0; at < region[i].bytes; at += LINE_BYTES) {
			if (memcmp(region[i].start + at, region[i].copy + at, LINE_BYTES) == 0 ||
			    is_thread_local(region[i].start + at))
				continue;
			assert_true(changed->n < LINES_MAX);
			changed->line[changed->n++] = region[i].start + at;
		}
}

static uint16_t give(void *arg, struct rte_mbuf **frame, uint16_t n)
{
	struct end *end = arg;

	assert_true(n >= FRAMES && end->round < ROUNDS);
	memcpy(frame, end->frame[end->round++], sizeof(end->frame[0]));
	return FRAMES;
}

static uint16_t take(void *arg, struct rte_mbuf **frame, uint16_t n)
{
	struct end *end = arg;

	rte_pktmbuf_free_bulk(frame, n);
	end->sent += n;
	return n;
}

/* Of every kind: forwarded, dropped, answered, policed by nothing, to a group, both families. */
static void fill(struct rig *rig, struct end *end)
{
	for (int round = 0; round < ROUNDS; round++)
		for (int i = 0; i < FRAMES; i++) {
			struct rte_mbuf *frame =
				i % 4 == 3 ? rig_udp6(rig, 0, RIG_DST6(1 + i % 3), 100)
					   : rig_udp4(rig, 0, RIG_DST4(i % 9), 100);

			if (i == 1)
				rig_l3(frame)[8] = 1;
			if (i < 3)
				rig_checksum4(rig_l3(frame));
			end->frame[round][i] = frame;
		}
}

static void work(struct rig *rig, unsigned int number, struct end *end, struct lines *changed)
{
	struct worker *w = dataplane_worker(rig->dp, number);
	const struct rxq q = { give, end, 0 };

	remember();
	for (int round = 0; round < ROUNDS; round++)
		assert_int_equal(worker_poll(w, &q), FRAMES);
	compare(changed);
	assert_true(end->sent > 0);
}

static void compare_two_workers(void)
{
	struct rig *rig = rig_create_workers(2);
	struct end *end[2] = { pages(sizeof(struct end)), pages(sizeof(struct end)) };
	struct lines *changed[2];
	size_t common = 0, at = 0;

	for (unsigned int i = 0; i < 2; i++) {
		worker_set_pool(dataplane_worker(rig->dp, i), rig->pool);
		for (uint16_t port = 0; port < RIG_PORTS; port++)
			worker_set_transmit(dataplane_worker(rig->dp, i), port, port,
					    (struct txq){ take, end[i] });
		worker_online(dataplane_worker(rig->dp, i));
		fill(rig, end[i]);
	}
	region = pages(REGIONS_MAX * sizeof(*region));
	regions = list_regions(region);
	for (size_t i = 0; i < regions; i++)
		region[i].copy = pages(region[i].bytes);
	for (unsigned int i = 0; i < 2; i++) {
		changed[i] = pages(sizeof(*changed[i]));
		work(rig, i, end[i], changed[i]);
	}
	for (size_t i = 0; i < changed[0]->n; i++) {
		while (at < changed[1]->n && changed[1]->line[at] < changed[0]->line[i])
			at++;
		if (at == changed[1]->n || changed[1]->line[at] != changed[0]->line[i])
			continue;
		print_message("# both write the line at %p\n", (const void *)changed[0]->line[i]);
		common++;
	}
	print_message("# worker 0 changed %zu lines, worker 1 %zu\n", changed[0]->n, changed[1]->n);
	assert_true(changed[0]->n > 10 && changed[1]->n > 10);
	assert_int_equal(common, 0);
	for (unsigned int i = 0; i < 2; i++)
		worker_offline(dataplane_worker(rig->dp, i));
	rig_destroy(rig);
}

#ifndef INSTRUMENTED
static void two_workers_write_no_line_in_common(void **state)
{
	(void)state;
	compare_two_workers();
}
#endif

int main(void)
{
#ifdef INSTRUMENTED
	(void)compare_two_workers;
	puts("1..0 # SKIP an instrumented build has memory of its own, that all threads write");
	return 0;
#else
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_workers_write_no_line_in_common),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
#endif
}
