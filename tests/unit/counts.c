// SPDX-License-Identifier: BSD-3-Clause
/* Counters as people see them: a newcomer under an old number begins at 0, the others go on. */
#include "test.h"

#include "counts.h"
#include "rig.h"

static int setup(void **state)
{
	*state = rig_create_live();
	return 0;
}

static int teardown(void **state)
{
	rig_destroy(*state);
	return 0;
}

/* A packet from pa to pb, and one that is dropped. */
static void traffic(struct rig *rig)
{
	rig_input(rig, rig_udp4(rig, 0, RIG_DST4(1), 100));
	rig_input(rig, rig_udp4(rig, 0, RIG_DST4(7), 100));
	rig_poll(rig, rig->port[0].device);
}

static void ports_begin_at_zero(void **state)
{
	struct rig *rig = *state;
	struct counts *counts = counts_create(rig->dp, rig->dp->config.parties);
	struct port_counters c;
	struct drop_record record[4];

	assert_non_null(counts);
	traffic(rig);
	counts_port(counts, 0, &c);
	assert_int_equal(c.received.packets, 2);
	assert_int_equal(c.drop[DROP_BLACKHOLE].packets, 1);
	assert_int_equal(counts_drops(counts, 0, record, 4), 1);
	counts_start_port(counts, 0);
	counts_port(counts, 0, &c);
	assert_int_equal(c.received.packets, 0);
	assert_int_equal(c.received.bytes, 0);
	assert_int_equal(c.drop[DROP_BLACKHOLE].packets, 0);
	assert_int_equal(counts_drops(counts, 0, record, 4), 0);
	counts_port(counts, 1, &c);
	assert_int_equal(c.transmitted.packets, 1); /* another port's goes on */
	traffic(rig);
	counts_port(counts, 0, &c);
	assert_int_equal(c.received.packets, 2);
	assert_int_equal(c.forwarded.packets, 1);
	assert_int_equal(counts_drops(counts, 0, record, 4), 1);
	counters_port(rig->dp, 0, &c); /* what workers count is never reset */
	assert_int_equal(c.received.packets, 4);
	counts_free(counts);
}

static void parties_begin_at_zero(void **state)
{
	struct rig *rig = *state;
	const uint16_t in = rig->port[0].party, out = rig->table.nexthop[RIG_LEAF_PB].party;
	struct counts *counts = counts_create(rig->dp, rig->dp->config.parties);

	assert_int_not_equal(in, out);
	traffic(rig);
	assert_int_equal(counts_matrix(counts, in, out, 0).packets, 1);
	counts_start_party(counts, in); /* its row */
	assert_int_equal(counts_matrix(counts, in, out, 0).packets, 0);
	assert_int_equal(counts_matrix(counts, in, out, 0).bytes, 0);
	traffic(rig);
	assert_int_equal(counts_matrix(counts, in, out, 0).packets, 1);
	counts_start_party(counts, out); /* its column */
	assert_int_equal(counts_matrix(counts, in, out, 0).packets, 0);
	traffic(rig);
	traffic(rig);
	assert_int_equal(counts_matrix(counts, in, out, 0).packets, 2);
	assert_int_equal(counts_matrix(counts, out, in, 0).packets, 0);
	counts_start_party(counts, rig->dp->config.parties - 1); /* a third: nothing changes */
	assert_int_equal(counts_matrix(counts, in, out, 0).packets, 2);
	assert_int_equal(counters_matrix(rig->dp, in, out, 0).packets, 4);
	counts_free(counts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ports_begin_at_zero, setup, teardown),
		cmocka_unit_test_setup_teardown(parties_begin_at_zero, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
