// SPDX-License-Identifier: BSD-3-Clause
/* Own addresses: probed, then announced, again when a link comes up; conflicts are kept and told.
 */
#include "test.h"

#include "own.h"

#define MS UINT64_C(1000000)

struct bench {
	struct own *own;
	uint64_t now_ns;
	unsigned int probes[2], announcements[2];
	uint64_t first_announcement_ns;
};

static void on_probe(void *ctx, const struct own_address *a)
{
	((struct bench *)ctx)->probes[a->address.ipv6]++;
}

static void on_announce(void *ctx, const struct own_address *a)
{
	struct bench *b = ctx;

	if (!b->announcements[0] && !b->announcements[1])
		b->first_announcement_ns = b->now_ns;
	b->announcements[a->address.ipv6]++;
}

static const struct own_address list[] = {
	{ .port = 0, .address = { .key = { UINT64_C(0xc6336401) << 32, 0 } }, .mac = { { 2, 1 } } },
	{ .port = 0,
	  .address = { .key = { 0x20010db8000a0000, 1 }, .ipv6 = true },
	  .mac = { { 2, 1 } } },
	{ .port = 1, .address = { .key = { UINT64_C(0xc6336403) << 32, 0 } }, .mac = { { 2, 2 } } },
};

static int setup(void **state)
{
	static struct bench bench;
	const struct own_calls calls = { &bench, on_probe, on_announce };

	bench = (struct bench){ .own = own_create(&calls), .now_ns = 5000 * MS };
	assert_non_null(bench.own);
	assert_int_equal(own_set(bench.own, list, 3), 0);
	*state = &bench;
	return 0;
}

static int teardown(void **state)
{
	own_free(((struct bench *)*state)->own);
	return 0;
}

static void pass(struct bench *b, uint64_t ms)
{
	for (uint64_t i = 0; i < ms; i += 100) {
		own_tick(b->own, b->now_ns);
		b->now_ns += 100 * MS;
	}
}

static void forget(struct bench *b)
{
	b->probes[0] = b->probes[1] = b->announcements[0] = b->announcements[1] = 0;
}

static void probed_before_announced(void **state)
{
	struct bench *b = *state;
	const uint64_t start = b->now_ns;

	pass(b, 3000);
	assert_int_equal(b->probes[0] + b->probes[1], 0); /* no link yet */
	own_link(b->own, 0, true, b->now_ns);
	pass(b, 800);
	assert_int_equal(b->probes[0], 3);
	assert_int_equal(b->probes[1], 1);
	assert_int_equal(b->announcements[0] + b->announcements[1], 0);
	pass(b, 300);
	assert_int_equal(b->announcements[0], 1);
	assert_int_equal(b->announcements[1], 1);
	assert_int_equal(b->first_announcement_ns - start, 3900 * MS);
	pass(b, 5000);
	assert_int_equal(b->announcements[0], 2);
	assert_int_equal(b->announcements[1], 2);
	assert_int_equal(b->probes[0], 3);
}

static void links_begin_anew(void **state)
{
	struct bench *b = *state;

	own_link(b->own, 0, true, b->now_ns);
	pass(b, 5000);
	forget(b);
	own_link(b->own, 0, false, b->now_ns); /* nothing new there */
	pass(b, 5000);
	assert_int_equal(b->probes[0] + b->probes[1] + b->announcements[0], 0);
	own_link(b->own, 0, true, b->now_ns);
	pass(b, 5000);
	assert_int_equal(b->probes[0], 3);
	assert_int_equal(b->announcements[1], 2);
}

static void changes_are_announced(void **state)
{
	struct bench *b = *state;
	struct own_address next[2] = { list[1], list[0] };
	const struct own_address *now;
	size_t n;

	own_link(b->own, 0, true, b->now_ns);
	pass(b, 5000);
	forget(b);
	/* one is gone, the order is another, one has another MAC */
	next[1].mac.addr_bytes[1] = 7;
	assert_int_equal(own_set(b->own, next, 2), 0);
	now = own_list(b->own, &n);
	assert_int_equal(n, 2);
	assert_int_equal(now[0].state, OWN_SETTLED);
	assert_int_equal(now[1].state, OWN_IDLE);
	own_link(b->own, 0, false, b->now_ns);
	pass(b, 5000);
	assert_int_equal(b->probes[1] + b->announcements[1], 0);
	assert_int_equal(b->announcements[0], 2);
}

static void conflicts_are_kept_and_told(void **state)
{
	struct bench *b = *state;
	const struct rte_ether_addr other = { { 2, 9 } };
	const struct own_address *a;

	assert_null(own_conflict(b->own, 1, &list[0].address, &other, b->now_ns));
	own_link(b->own, 0, true, b->now_ns);
	pass(b, 200);
	a = own_conflict(b->own, 0, &list[0].address, &other, b->now_ns);
	assert_non_null(a);
	assert_int_equal(a->conflicts, 1);
	assert_int_equal(a->other.addr_bytes[1], 9);
	own_conflict(b->own, 0, &list[1].address, &other, b->now_ns);
	/* it is announced all the same: the exchange keeps its addresses */
	pass(b, 5000);
	assert_int_equal(b->announcements[0], 2);
	assert_int_equal(b->announcements[1], 2);
	/* and the IPv6 one defended, now and then */
	forget(b);
	for (int i = 0; i < 250; i++) {
		own_conflict(b->own, 0, &list[0].address, &other, b->now_ns);
		own_conflict(b->own, 0, &list[1].address, &other, b->now_ns);
		pass(b, 100);
	}
	assert_int_equal(b->announcements[0], 0); /* workers do */
	assert_int_equal(b->announcements[1], 3);
	assert_int_equal(a->conflicts, 251);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(probed_before_announced),
		TEST(links_begin_anew),
		TEST(changes_are_announced),
		TEST(conflicts_are_kept_and_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
