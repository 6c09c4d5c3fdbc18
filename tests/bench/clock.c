// SPDX-License-Identifier: BSD-3-Clause
/*
 * Prints the clock of a core in GHz: how many dependent additions it does in a
 * nanosecond of its own time. An addition takes one cycle on every x86-64 there is, so
 * this is the clock it really runs at, which no counter tells in a virtual machine.
 */
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ADDITIONS_A_TURN 100
#define TURNS            1000000

static uint64_t thread_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * UINT64_C(1000000000) + t.tv_nsec;
}

static uint64_t additions_ns(void)
{
	uint64_t start = thread_ns(), x = 1;

	for (int i = 0; i < TURNS; i++)
		__asm__ volatile(".rept 100\n\tadd %1, %0\n\t.endr" : "+r"(x) : "r"(start));
	return thread_ns() - start;
}

int main(int argc, char **argv)
{
	cpu_set_t set;
	uint64_t best = UINT64_MAX;

	if (argc != 2)
		return 2;
	CPU_ZERO(&set);
	CPU_SET(atoi(argv[1]), &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0) {
		perror("bench-clock");
		return 1;
	}
	for (int i = 0; i < 3; i++) {
		const uint64_t ns = additions_ns();

		best = ns < best ? ns : best;
	}
	printf("%.4f\n", (double)ADDITIONS_A_TURN * TURNS / best);
	return 0;
}
