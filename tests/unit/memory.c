// SPDX-License-Identifier: BSD-3-Clause
/* On which NUMA node memory shall lie. */
#include "test.h"

#include <numaif.h>
#include <stdlib.h>

#include "api/fib.h"
#include "mapped.h"
#include "memory.h"

/* What the kernel was asked for at an address; -1 where it tells nobody (containers). */
static int policy_at(void *memory, unsigned long *nodes)
{
	int mode = -1;

	*nodes = 0;
	if (get_mempolicy(&mode, nodes, 8 * sizeof(*nodes), memory, MPOL_F_ADDR) != 0)
		return -1;
	return mode;
}

static void check(void *memory, int mode, unsigned long nodes)
{
	unsigned long asked;
	const int found = policy_at(memory, &asked);

	if (found < 0)
		skip();
	assert_int_equal(found, mode);
	assert_int_equal(asked, nodes);
}

static void maps_prefer_a_node(void **state)
{
	const size_t bytes = 100000;
	unsigned char *there = map_alloc(bytes, 0), *anywhere = map_alloc(bytes, -1);

	(void)state;
	assert_true(there && anywhere);
	check(there, MPOL_PREFERRED, 1);
	check(there + bytes - 1, MPOL_PREFERRED, 1);
	check(anywhere, MPOL_DEFAULT, 0);
	there[bytes - 1] = 1; /* a node that has no room does not fail */
	map_free(there, bytes);
	map_free(anywhere, bytes);
}

static void tables_prefer_a_node(void **state)
{
	static const size_t sizes[] = { 4096, 3u << 20 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		unsigned char *table;

		fib_prefer_node(0);
		table = table_alloc(sizes[i]);
		assert_non_null(table);
		check(table + sizes[i] - 1, MPOL_PREFERRED, 1);
		table_free(table, sizes[i]);
		fib_prefer_node(-1);
		table = table_alloc(sizes[i]);
		assert_non_null(table);
		check(table, MPOL_DEFAULT, 0);
		table_free(table, sizes[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_prefer_a_node),
		cmocka_unit_test(tables_prefer_a_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
