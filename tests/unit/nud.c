// SPDX-License-Identifier: BSD-3-Clause
/* The states of neighbours by a clock of the test's own: what is asked, told, kept and limited. */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "nud.h"

#define S     NUD_SECOND_NS
#define START (1000 * S)

/* What came out of it since the last look. */
struct bench {
	struct nud *nud;
	uint64_t now_ns;
	unsigned int unicast, everybody, resolved, failed, forgotten, moved;
	struct rte_ether_addr mac; /* of the last news or question */
};

static void on_ask(void *ctx, const struct nud_key *key, const struct rte_ether_addr *mac)
{
	struct bench *b = ctx;

	(void)key;
	if (mac)
		b->mac = *mac;
	b->unicast += mac != NULL;
	b->everybody += mac == NULL;
}

static void on_news(void *ctx, const struct nud_entry *e, enum nud_news news)
{
	struct bench *b = ctx;

	b->mac = e->mac;
	b->resolved += news == NUD_RESOLVED;
	b->failed += news == NUD_FAILED;
	b->forgotten += news == NUD_FORGOTTEN;
}

static void on_moved(void *ctx, const struct nud_entry *e, const struct rte_ether_addr *before)
{
	struct bench *b = ctx;

	assert_false(rte_is_same_ether_addr(&e->mac, before));
	b->moved++;
}

static int setup(void **state)
{
	static struct bench bench;
	const struct nud_calls calls = { &bench, on_ask, on_news, on_moved };
	const struct nud_times times = { 4 * 3600 * S, 20 * S };

	bench = (struct bench){ .now_ns = START, .nud = nud_create(&calls, &times) };
	assert_non_null(bench.nud);
	*state = &bench;
	return 0;
}

static int teardown(void **state)
{
	nud_free(((struct bench *)*state)->nud);
	return 0;
}

/* Let time pass in ticks of 100 ms, and forget what came out of it before. */
static void pass(struct bench *b, uint64_t ns)
{
	const uint64_t end = b->now_ns + ns;

	b->unicast = b->everybody = b->resolved = b->failed = b->forgotten = b->moved = 0;
	while (b->now_ns < end) {
		b->now_ns += S / 10;
		nud_tick(b->nud, b->now_ns);
	}
}

static struct nud_key key(uint16_t port, uint32_t host)
{
	return (struct nud_key){ port, { .key = { (UINT64_C(0xc6000000) + host) << 32 } } };
}

static struct nud_key key6(uint16_t port, uint64_t host)
{
	return (struct nud_key){ port, { .key = { 0x20010db800640000, host }, .ipv6 = true } };
}

static bool want(struct bench *b, struct nud_key k, bool preferred)
{
	return nud_want(b->nud, &k, preferred, false, b->now_ns);
}

static struct rte_ether_addr mac(uint8_t last)
{
	return (struct rte_ether_addr){ { 2, 0, 0, 0, 0, last } };
}

enum { SOLICITED = 1, OVERRIDE = 2, WATCHED = 4 };

static bool hear(struct bench *b, struct nud_key k, uint8_t last, int flags)
{
	const struct nud_heard heard = {
		.key = k,
		.mac = mac(last),
		.solicited = flags & SOLICITED,
		.override = flags & OVERRIDE,
		.watched = flags & WATCHED,
	};

	return nud_hear(b->nud, &heard, b->now_ns);
}

static struct {
	struct nud_key key;
	struct nud_entry found;
} wanted;

static bool find(void *ctx, struct nud_entry *e)
{
	(void)ctx;
	if (e->key.port == wanted.key.port && e->key.address.key.hi == wanted.key.address.key.hi &&
	    e->key.address.key.lo == wanted.key.address.key.lo)
		wanted.found = *e;
	return true;
}

/* Its state; NEIGHBOUR_STATES: it is not known. */
static enum neighbour_state state_of(struct bench *b, struct nud_key k)
{
	wanted.key = k;
	wanted.found = (struct nud_entry){ .state = NEIGHBOUR_STATES };
	nud_walk(b->nud, find, NULL);
	return wanted.found.state;
}

static void asked_three_times_then_failed(void **state)
{
	struct bench *b = *state;
	const struct nud_key k = key(1, 4);

	assert_true(want(b, k, false));
	assert_int_equal(b->everybody, 1); /* at once */
	assert_int_equal(state_of(b, k), NEIGHBOUR_INCOMPLETE);
	assert_true(want(b, k, false)); /* more traffic asks no more */
	assert_int_equal(b->everybody, 1);
	pass(b, 2 * S);
	assert_int_equal(b->everybody, 2);
	assert_int_equal(b->failed, 0);
	pass(b, S);
	assert_int_equal(b->everybody, 0);
	assert_int_equal(b->failed, 1);
	assert_int_equal(state_of(b, k), NEIGHBOUR_FAILED);
	/* nobody wants it: forgotten */
	pass(b, 10 * S);
	assert_int_equal(b->forgotten, 1);
	assert_int_equal(state_of(b, k), NEIGHBOUR_STATES);
}

static void failed_ones_are_tried_again_when_wanted(void **state)
{
	struct bench *b = *state;
	const struct nud_key k = key(1, 4);

	want(b, k, false);
	pass(b, 3 * S);
	want(b, k, false);
	assert_int_equal(b->everybody, 2); /* not at once */
	pass(b, 5 * S);
	want(b, k, false);
	assert_int_equal(b->everybody, 1);
	assert_int_equal(state_of(b, k), NEIGHBOUR_INCOMPLETE);
	assert_true(hear(b, k, 1, SOLICITED | OVERRIDE));
	assert_int_equal(b->resolved, 1);
	assert_int_equal(state_of(b, k), NEIGHBOUR_REACHABLE);
}

static void an_answer_holds_for_four_hours(void **state)
{
	struct bench *b = *state;
	const struct nud_key k = key(1, 4);

	want(b, k, false);
	hear(b, k, 1, SOLICITED | OVERRIDE);
	assert_int_equal(b->resolved, 1);
	pass(b, (4 * 3600 - 121) * S);
	assert_int_equal(b->unicast + b->everybody, 0);
	assert_int_equal(state_of(b, k), NEIGHBOUR_REACHABLE);
	/* refreshed by a question to it alone, before it is too old */
	for (int i = 0; i < 61 && !b->unicast; i++)
		pass(b, S);
	assert_int_equal(b->unicast, 1);
	assert_int_equal(b->everybody + b->failed, 0);
	assert_int_equal(b->mac.addr_bytes[5], 1);
	assert_int_equal(state_of(b, k), NEIGHBOUR_PROBE);
	hear(b, k, 1, SOLICITED | OVERRIDE);
	assert_int_equal(state_of(b, k), NEIGHBOUR_REACHABLE);
	assert_int_equal(b->resolved, 0); /* nothing new for those who forward */
	pass(b, (4 * 3600 - 121) * S);
	assert_int_equal(b->unicast + b->everybody, 0);
}

static void one_that_is_gone_fails_when_it_is_too_old(void **state)
{
	struct bench *b = *state;
	const struct nud_key k = key6(1, 4);

	want(b, k, false);
	hear(b, k, 1, SOLICITED | OVERRIDE);
	pass(b, (4 * 3600 - 121) * S);
	pass(b, 122 * S);
	assert_int_equal(b->unicast, 3);
	assert_int_equal(b->everybody, 3);
	assert_int_equal(b->failed, 1);
}

static void who_speaks_of_itself_is_used_and_asked(void **state)
{
	struct bench *b = *state;
	const struct nud_key k = key6(1, 4);

	assert_true(hear(b, k, 1, OVERRIDE)); /* a solicitation for an address of ours */
	assert_int_equal(b->resolved, 1);
	assert_int_equal(state_of(b, k), NEIGHBOUR_STALE);
	pass(b, S);
	assert_int_equal(state_of(b, k), NEIGHBOUR_DELAY);
	assert_int_equal(b->unicast, 0);
	pass(b, 5 * S);
	assert_int_equal(b->unicast, 1);
	assert_int_equal(state_of(b, k), NEIGHBOUR_PROBE);
	hear(b, k, 1, SOLICITED);
	assert_int_equal(state_of(b, k), NEIGHBOUR_REACHABLE);
	/* one that then does not answer is not believed for hours */
	hear(b, key6(1, 5), 5, OVERRIDE);
	pass(b, 13 * S);
	assert_int_equal(b->failed, 1);
}

static void answers_to_nobody_are_not_learned(void **state)
{
	struct bench *b = *state;

	assert_true(hear(b, key(1, 4), 1, SOLICITED | OVERRIDE));
	assert_int_equal(nud_count(b->nud), 0);
}

static void moves(void **state)
{
	struct bench *b = *state;
	const struct nud_key k = key(1, 4);

	want(b, k, true);
	hear(b, k, 1, SOLICITED | OVERRIDE);
	/* of two that answer one question the first counts */
	hear(b, k, 2, SOLICITED | OVERRIDE);
	assert_int_equal(b->moved, 0);
	/* but whoever announces itself is another matter */
	hear(b, k, 2, OVERRIDE);
	assert_int_equal(b->moved, 1);
	hear(b, k, 1, SOLICITED | OVERRIDE);
	assert_int_equal(b->moved, 2);
	pass(b, 2 * S);
	/* a tentative advertisement changes nothing but the trust: RFC 4861 7.2.5 */
	hear(b, k, 2, 0);
	assert_int_equal(b->moved + b->resolved, 0);
	assert_int_equal(state_of(b, k), NEIGHBOUR_STALE);
	hear(b, k, 2, OVERRIDE);
	assert_int_equal(b->moved, 1);
	assert_int_equal(b->resolved, 1);
	assert_int_equal(b->mac.addr_bytes[5], 2);
	assert_int_equal(state_of(b, k), NEIGHBOUR_STALE);
	/* the same again is no move */
	pass(b, 2 * S);
	hear(b, k, 2, OVERRIDE);
	assert_int_equal(b->moved, 0);
	/* one that failed comes back elsewhere */
	pass(b, 15 * S);
	assert_int_equal(b->failed, 1);
	pass(b, 3 * S);
	want(b, k, true);
	pass(b, S);
	hear(b, k, 3, SOLICITED | OVERRIDE);
	assert_int_equal(b->moved + b->resolved, 2);
}

/* Of several listed MACs one may take over without a word. */
static void silent_swaps_are_found(void **state)
{
	struct bench *b = *state;
	const struct nud_key k = key(1, 4);

	nud_want(b->nud, &k, true, true, b->now_ns);
	hear(b, k, 1, SOLICITED | OVERRIDE | WATCHED);
	pass(b, 13 * S);
	assert_int_equal(b->unicast + b->everybody, 0);
	pass(b, 4 * S);
	assert_int_equal(b->unicast, 3);
	assert_int_equal(b->everybody, 1); /* everybody is asked: the other one answers */
	hear(b, k, 2, SOLICITED | OVERRIDE | WATCHED);
	assert_int_equal(b->moved, 1);
	assert_int_equal(state_of(b, k), NEIGHBOUR_REACHABLE);
	assert_int_equal(b->failed, 0);
}

static void links_that_come_up_are_checked(void **state)
{
	struct bench *b = *state;
	const struct nud_key here = key(1, 4), there = key(2, 4), listed = key(1, 5);
	const struct rte_ether_addr its = mac(9);

	want(b, here, false);
	hear(b, here, 1, SOLICITED);
	want(b, there, false);
	hear(b, there, 1, SOLICITED);
	assert_int_equal(nud_add_permanent(b->nud, &listed, &its), 0);
	nud_link_up(b->nud, 1, b->now_ns);
	pass(b, S / 2);
	assert_int_equal(b->unicast, 0);
	assert_int_equal(b->everybody, 1); /* it may be another box */
	assert_int_equal(state_of(b, here), NEIGHBOUR_PROBE);
	assert_int_equal(state_of(b, there), NEIGHBOUR_REACHABLE);
	assert_int_equal(state_of(b, listed), NEIGHBOUR_PERMANENT);
	hear(b, here, 2, SOLICITED | OVERRIDE);
	assert_int_equal(b->moved, 1);
}

static void permanent_ones_stay(void **state)
{
	struct bench *b = *state;
	const struct nud_key k = key(1, 4);
	const struct rte_ether_addr its = mac(9);

	assert_int_equal(nud_add_permanent(b->nud, &k, &its), 0);
	hear(b, k, 1, SOLICITED | OVERRIDE);
	want(b, k, true);
	pass(b, 5 * 3600 * S);
	assert_int_equal(state_of(b, k), NEIGHBOUR_PERMANENT);
	assert_int_equal(b->unicast + b->everybody + b->resolved + b->moved, 0);
	assert_int_equal(nud_clear(b->nud, &k), -EPERM);
	/* a second time, as reloads do, with another MAC */
	assert_int_equal(nud_add_permanent(b->nud, &k, &its), 0);
	assert_int_equal(nud_count(b->nud), 1);
}

static void cleared_ones_are_forgotten(void **state)
{
	struct bench *b = *state;
	const struct nud_key k = key(1, 4);

	assert_int_equal(nud_clear(b->nud, &k), -ENOENT);
	want(b, k, false);
	hear(b, k, 1, SOLICITED);
	assert_int_equal(nud_clear(b->nud, &k), 0);
	assert_int_equal(b->forgotten, 1);
	assert_int_equal(nud_count(b->nud), 0);
}

/* RFC 6583: a scan of a /64 fills its own room, and real neighbours are not disturbed. */
static void a_scan_disturbs_nobody(void **state)
{
	struct bench *b = *state;
	unsigned int refused = 0, asked = 0;

	for (uint32_t i = 0; i < 100; i++) {
		want(b, key6(1, 0x100 + i), false);
		hear(b, key6(1, 0x100 + i), i, SOLICITED);
	}
	pass(b, S);
	/* ten thousand inventions a second, for twenty seconds */
	for (uint64_t i = 0; i < 200000; i++) {
		refused += !want(b, key6(1, 0x10000 + i), false);
		if (i % 1000 == 0) {
			asked += b->everybody;
			pass(b, S / 10);
		}
	}
	assert_true(refused > 190000);
	assert_true(asked <= 21 * NUD_ASK_RATE_PORT);
	assert_true(nud_count(b->nud) <= 100 + NUD_UNHEARD_PORT);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(state_of(b, key6(1, 0x100 + i)), NEIGHBOUR_REACHABLE);
	/* a next hop of a route is asked for at once, one who speaks is learned, other ports go on
	 */
	b->everybody = 0;
	assert_true(want(b, key6(1, 0x200), true));
	assert_int_equal(b->everybody, 1);
	assert_true(hear(b, key6(1, 0x201), 7, OVERRIDE));
	assert_true(want(b, key6(2, 0x200), false));
	assert_int_equal(b->everybody, 2);
	/* and when it ends all of it is gone */
	pass(b, 30 * S);
	assert_true(nud_count(b->nud) <= 102);
}

static void questions_have_a_rate(void **state)
{
	struct bench *b = *state;

	for (uint32_t port = 0; port < 8; port++)
		for (uint32_t i = 0; i < NUD_UNHEARD_PORT; i++)
			want(b, key(port, i), false);
	assert_true(b->everybody <= NUD_ASK_RATE);
	assert_true(nud_count(b->nud) <= NUD_UNHEARD_MAX);
	for (uint32_t i = 0; i < 2000; i++)
		want(b, key(9, i), true); /* many routers at once */
	pass(b, 30 * S);
	assert_int_equal(b->failed, NUD_UNHEARD_MAX + 2000); /* each had its three questions */
}

static void speakers_have_limits_too(void **state)
{
	struct bench *b = *state;
	unsigned int learned = 0;

	for (uint32_t i = 0; i < 2 * NUD_PORT_MAX; i++)
		learned += hear(b, key(1, i), 1, OVERRIDE);
	assert_int_equal(learned, NUD_PORT_MAX);
	assert_true(hear(b, key(2, 1), 1, OVERRIDE));
	/* those that were not true are gone after a while */
	pass(b, 120 * S);
	assert_int_equal(nud_count(b->nud), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(asked_three_times_then_failed),
		TEST(failed_ones_are_tried_again_when_wanted),
		TEST(an_answer_holds_for_four_hours),
		TEST(one_that_is_gone_fails_when_it_is_too_old),
		TEST(who_speaks_of_itself_is_used_and_asked),
		TEST(answers_to_nobody_are_not_learned),
		TEST(moves),
		TEST(silent_swaps_are_found),
		TEST(links_that_come_up_are_checked),
		TEST(permanent_ones_stay),
		TEST(cleared_ones_are_forgotten),
		TEST(a_scan_disturbs_nobody),
		TEST(questions_have_a_rate),
		TEST(speakers_have_limits_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
