// SPDX-License-Identifier: BSD-3-Clause
/*
 * Counts what a thread executes, instruction by instruction: bench-steps THREAD STEPS ENTRY
 * lets it go so many single steps and prints, for each address it was at between the first
 * and the last time at ENTRY, how often: "ADDRESS COUNT" a line, hexadecimal and decimal. Exact
 * where the machine has no counters, and for AVX-512, which valgrind does not know. The
 * thread goes on afterwards.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Step a stopped thread on; returns how many steps it went. */
static size_t step(pid_t thread, uint64_t *at, size_t steps)
{
	struct user_regs_struct registers;
	int status;

	for (size_t i = 0; i < steps; i++) {
		if (ptrace(PTRACE_GETREGS, thread, NULL, &registers) != 0 ||
		    ptrace(PTRACE_SINGLESTEP, thread, NULL, NULL) != 0 ||
		    waitpid(thread, &status, __WALL) != thread || !WIFSTOPPED(status))
			return i;
		at[i] = registers.rip;
	}
	return steps;
}

/* From the first time at entry up to the last. */
static void print(uint64_t *at, size_t n, uint64_t entry)
{
	size_t from = 0;

	while (n > 0 && at[n - 1] != entry)
		n--;
	n -= n > 0;
	while (from < n && at[from] != entry)
		from++;
	qsort(at + from, n - from, sizeof(*at), compare);
	for (size_t i = from; i < n;) {
		size_t same = 1;

		while (i + same < n && at[i + same] == at[i])
			same++;
		printf("%jx %zu\n", (uintmax_t)at[i], same);
		i += same;
	}
}

int main(int argc, char **argv)
{
	const pid_t thread = argc == 4 ? atoi(argv[1]) : 0;
	const size_t steps = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
	uint64_t *at = steps ? calloc(steps, sizeof(*at)) : NULL;
	size_t done;
	int status;

	if (!at) {
		fprintf(stderr, "usage: bench-steps THREAD STEPS ENTRY\n");
		return 2;
	}
	if (ptrace(PTRACE_SEIZE, thread, NULL, NULL) != 0 ||
	    ptrace(PTRACE_INTERRUPT, thread, NULL, NULL) != 0 ||
	    waitpid(thread, &status, __WALL) != thread) {
		fprintf(stderr, "bench-steps: %s\n", strerror(errno));
		return 1;
	}
	done = step(thread, at, steps);
	ptrace(PTRACE_DETACH, thread, NULL, NULL);
	print(at, done, strtoull(argv[3], NULL, 16));
	free(at);
	return done == steps ? 0 : 1;
}
