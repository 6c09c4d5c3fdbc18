// SPDX-License-Identifier: BSD-3-Clause
/* Who polls what: by node first, by load second. */
#include "test.h"

#include "balance.h"

#define QUEUES 8

static const int16_t one_node[4] = { 0, 0, 0, 0 }, two_nodes[4] = { 0, 0, 1, 1 },
		     unknown[4] = { -1, -1, -1, -1 };

static unsigned int polled_by(const struct balance *b, uint16_t worker)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < b->queues; i++)
		n += b->queue[i].worker == worker;
	return n;
}

static void queues_are_spread_evenly(void **state)
{
	struct balance_queue queue[QUEUES];
	struct balance b = { 4, one_node, QUEUES, queue };

	(void)state;
	for (unsigned int i = 0; i < QUEUES; i++)
		queue[i] = (struct balance_queue){ BALANCE_NOBODY, i % 2 ? 0 : -1, false, 0 };
	balance_place(&b);
	for (uint16_t w = 0; w < 4; w++)
		assert_int_equal(polled_by(&b, w), 2);
}

static void queues_stay_on_their_node(void **state)
{
	struct balance_queue queue[QUEUES];
	struct balance b = { 4, two_nodes, QUEUES, queue };

	(void)state;
	/* six of node 1, two of anywhere: these go where there is less to do */
	for (unsigned int i = 0; i < QUEUES; i++)
		queue[i] = (struct balance_queue){ BALANCE_NOBODY, i < 2 ? -1 : 1, false, 0 };
	balance_place(&b);
	for (unsigned int i = 0; i < QUEUES; i++)
		assert_int_equal(queue[i].worker / 2, i < 2 ? 0 : 1);
	assert_int_equal(polled_by(&b, 2), 3);
	assert_int_equal(polled_by(&b, 0), 1);
	assert_false(balance_crosses(&b, 1));
	assert_false(balance_crosses(&b, -1));
}

static void a_node_without_workers_is_served_by_others(void **state)
{
	struct balance_queue queue[2] = { { BALANCE_NOBODY, 2, false, 0 },
					  { BALANCE_NOBODY, 2, false, 0 } };
	struct balance b = { 4, two_nodes, 2, queue };

	(void)state;
	assert_true(balance_crosses(&b, 2));
	balance_place(&b);
	assert_int_equal(queue[0].worker, 0);
	assert_int_equal(queue[1].worker, 1);
	b.worker_node = unknown;
	assert_false(balance_crosses(&b, 2));
}

static void newcomers_go_to_who_has_least_to_do(void **state)
{
	struct balance_queue queue[4] = { { 0, 0, false, 0.5 },
					  { 1, 0, false, 0.2 },
					  { 1, 0, false, 0.2 },
					  { BALANCE_NOBODY, 0, false, 0 } };
	struct balance b = { 2, one_node, 4, queue };

	(void)state;
	balance_place(&b);
	assert_int_equal(queue[3].worker, 1);
	assert_int_equal(queue[0].worker, 0);
}

static void the_best_move_is_found(void **state)
{
	static const struct {
		const char *name;
		unsigned int workers, queues;
		const int16_t *node;
		struct balance_queue queue[QUEUES];
		int move; /* -1: none */
		uint16_t to;
	} rows[] = {
		{ "the one that evens out",
		  2,
		  3,
		  one_node,
		  { { 0, 0, false, 0.50 }, { 0, 0, false, 0.45 }, { 1, 0, false, 0.10 } },
		  1,
		  1 },
		{ "a queue alone stays, whatever its load",
		  2,
		  2,
		  one_node,
		  { { 0, 0, false, 0.99 }, { 1, 0, false, 0.10 } },
		  -1,
		  0 },
		{ "trading places gains nothing",
		  2,
		  3,
		  one_node,
		  { { 0, 0, false, 0.80 }, { 0, 0, false, 0 }, { 1, 0, false, 0.79 } },
		  -1,
		  0 },
		{ "not across nodes",
		  4,
		  3,
		  two_nodes,
		  { { 0, 0, false, 0.50 }, { 0, 0, false, 0.45 }, { 1, 0, false, 0.90 } },
		  -1,
		  0 },
		{ "any node when the device has none",
		  4,
		  3,
		  two_nodes,
		  { { 0, -1, false, 0.50 }, { 0, 0, false, 0.45 }, { 1, 0, false, 0.90 } },
		  0,
		  2 },
		{ "not one that is moving",
		  2,
		  3,
		  one_node,
		  { { 0, 0, false, 0.50 }, { 0, 0, true, 0.45 }, { 1, 0, false, 0.10 } },
		  0,
		  1 },
		{ "idle queues are evened out by number",
		  2,
		  4,
		  one_node,
		  { { 1, 0, false, 0 },
		    { 1, 0, false, 0 },
		    { 1, 0, false, 0 },
		    { 0, 0, false, 0 } },
		  0,
		  0 },
		{ "to the least busy of several",
		  3,
		  4,
		  one_node,
		  { { 0, 0, false, 0.40 },
		    { 0, 0, false, 0.40 },
		    { 1, 0, false, 0.30 },
		    { 2, 0, false, 0.10 } },
		  0,
		  2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct balance_queue queue[QUEUES];
		const struct balance b = { rows[i].workers, rows[i].node, rows[i].queues, queue };
		unsigned int moved = QUEUES;
		uint16_t to = BALANCE_NOBODY;

		memcpy(queue, rows[i].queue, sizeof(queue));
		if (balance_improve(&b, &moved, &to) != (rows[i].move >= 0))
			fail_msg("%s: queue %u to %u", rows[i].name, moved, to);
		if (rows[i].move >= 0 && ((int)moved != rows[i].move || to != rows[i].to))
			fail_msg("%s: queue %u to %u", rows[i].name, moved, to);
	}
}

/* Whatever the loads, improving ends, and each move makes the busiest less busy. */
static void improving_ends(void **state)
{
	struct balance_queue queue[QUEUES];
	const struct balance b = { 3, one_node, QUEUES, queue };
	unsigned int seed = 1, moved;
	uint16_t to;

	(void)state;
	for (int round = 0; round < 1000; round++) {
		double most = 3;
		int moves = 0;

		for (unsigned int i = 0; i < QUEUES; i++) {
			seed = seed * 1103515245 + 12345;
			queue[i] = (struct balance_queue){ seed / 65536 % 3, 0, false,
							   seed / 65536 % 1000 / 4000.0 };
		}
		while (balance_improve(&b, &moved, &to)) {
			double load[3] = { 0 }, now;

			for (unsigned int i = 0; i < QUEUES; i++)
				load[queue[i].worker] += queue[i].load;
			now = load[queue[moved].worker];
			assert_true(now <= most + 0.01); /* a poll counts for 0.001 */
			assert_true(load[to] + queue[moved].load < now + 0.01);
			most = now;
			queue[moved].worker = to;
			assert_true(++moves < 100);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queues_are_spread_evenly),
		cmocka_unit_test(queues_stay_on_their_node),
		cmocka_unit_test(a_node_without_workers_is_served_by_others),
		cmocka_unit_test(newcomers_go_to_who_has_least_to_do),
		cmocka_unit_test(the_best_move_is_found),
		cmocka_unit_test(improving_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
