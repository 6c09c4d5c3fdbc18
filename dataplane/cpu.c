// SPDX-License-Identifier: BSD-3-Clause
/* Decides which instruction sets this process uses. */
#include "api/fib.h"

#include <stdlib.h>
#include <string.h>

#define PATH_UNKNOWN (-1)

/* Written by cpu_path_set() and at first use, read by all threads. */
static int path_in_use = PATH_UNKNOWN;

static const char *const path_names[] = {
	[CPU_SCALAR] = "scalar",
	[CPU_AVX2] = "avx2",
	[CPU_AVX512] = "avx512",
};

const char *cpu_path_name(enum cpu_path path)
{
	return path_names[path];
}

/* What the environment allows: NAPD_CPU names the best path to use. */
static enum cpu_path path_allowed(void)
{
	const char *name = getenv("NAPD_CPU");

	for (int path = CPU_SCALAR; name && path <= CPU_BEST; path++)
		if (strcmp(name, path_names[path]) == 0)
			return path;
	return CPU_BEST;
}

static bool runs_avx2(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
	       __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
}

static bool runs_avx512(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
	       __builtin_cpu_supports("avx512vpopcntdq");
}

static enum cpu_path path_best(void)
{
	enum cpu_path allowed = path_allowed();

	__builtin_cpu_init();
	if (!runs_avx2() || allowed < CPU_AVX2)
		return CPU_SCALAR;
	if (!runs_avx512() || allowed < CPU_AVX512)
		return CPU_AVX2;
	return CPU_AVX512;
}

enum cpu_path cpu_path_set(enum cpu_path path)
{
	enum cpu_path best = path_best();

	if (path > best)
		path = best;
	__atomic_store_n(&path_in_use, (int)path, __ATOMIC_RELAXED);
	return path;
}

enum cpu_path cpu_path(void)
{
	int path = __atomic_load_n(&path_in_use, __ATOMIC_RELAXED);

	return __builtin_expect(path == PATH_UNKNOWN, 0) ? cpu_path_set(CPU_BEST)
							 : (enum cpu_path)path;
}
