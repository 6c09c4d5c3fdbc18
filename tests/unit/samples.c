// SPDX-License-Identifier: BSD-3-Clause
/* What was counted since, by a clock of the test's own: seconds, minutes, what is too long ago. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "counts.h"
#include "rig.h"
#include "samples.h"

#define S     UINT64_C(1000000000)
#define START (50 * S)

struct bench {
	struct rig *rig;
	struct runtime rt;
	struct samples *samples;
	uint64_t now_ns;
};

static const char text[] = "ports:\n"
			   "  - {name: pa, device: d0, addresses: [198.51.100.1/24]}\n"
			   "  - {name: pb, device: d1, addresses: [203.0.113.1/24]}\n"
			   "  - {name: pc, device: d1, vlan: 100, addresses: [192.0.2.1/24]}\n";

static int setup(void **state)
{
	static struct bench b;
	const struct model_options options = { 0 };
	struct problems problems = { 0 };

	b = (struct bench){ .rig = rig_create_live(), .now_ns = START };
	b.rt.dp = b.rig->dp;
	b.rt.config = config_parse(text, strlen(text), "test", &problems);
	assert_non_null(b.rt.config);
	b.rt.model = model_create(b.rt.config, &options, &problems);
	b.rt.counts = counts_create(b.rig->dp, b.rig->dp->config.parties);
	b.samples = samples_create(RIG_PORTS);
	assert_true(b.rt.model && b.rt.counts && b.samples);
	problems_release(&problems);
	samples_tick(b.samples, &b.rt, b.now_ns);
	*state = &b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	samples_free(b->samples);
	counts_free(b->rt.counts);
	model_free(b->rt.model);
	config_free(b->rt.config);
	rig_destroy(b->rig);
	return 0;
}

/* n packets from pa to pb, and one that pc drops. */
static void traffic(struct bench *b, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		rig_input(b->rig, rig_udp4(b->rig, 0, RIG_DST4(1), 100));
	rig_poll(b->rig, 0);
	rig_input(b->rig, rig_udp4(b->rig, 2, RIG_DST4(7), 100));
	rig_poll(b->rig, 1);
	rig_clear(b->rig);
}

static void pass(struct bench *b, unsigned int seconds)
{
	for (unsigned int i = 0; i < seconds; i++) {
		b->now_ns += S;
		samples_tick(b->samples, &b->rt, b->now_ns);
	}
}

/* What pa forwarded in the last seconds; *real: how many they were. */
static uint64_t forwarded(struct bench *b, unsigned int seconds, double *real)
{
	struct since *since = samples_since(b->samples, &b->rt, seconds * S, b->now_ns);
	uint64_t n;

	assert_non_null(since);
	n = since_port(since, 0, SAMPLE_FORWARDED);
	assert_int_equal(since_port(since, 0, SAMPLE_RX_PACKETS), n);
	assert_int_equal(since_port(since, 0, SAMPLE_RX_BYTES), 114 * n);
	assert_int_equal(since_port(since, 1, SAMPLE_TX_PACKETS), n);
	assert_int_equal(since_party(since, 0, SAMPLE_SENT_PACKETS), n);
	assert_int_equal(since_party(since, 1, SAMPLE_RECEIVED_BYTES), 114 * n);
	if (real)
		*real = since->seconds;
	since_free(since);
	return n;
}

static void seconds(void **state)
{
	struct bench *b = *state;
	struct since *since;
	double real;

	traffic(b, 5);
	assert_int_equal(forwarded(b, 1, &real), 5); /* no sample has it yet */
	pass(b, 1);
	traffic(b, 7);
	pass(b, 1);
	traffic(b, 11);
	assert_int_equal(forwarded(b, 1, &real), 7 + 11);
	assert_true(real == 1.0);
	b->now_ns += S / 2;
	assert_int_equal(forwarded(b, 1, &real), 7 + 11); /* from a sample on */
	assert_true(real == 1.5);
	assert_int_equal(forwarded(b, 60, &real), 5 + 7 + 11); /* since the start */
	assert_true(real == 2.5);
	since = samples_since(b->samples, &b->rt, 60 * S, b->now_ns);
	assert_int_equal(since_port(since, 2, SAMPLE_DROPS + DROP_BLACKHOLE), 3);
	assert_int_equal(since_port(since, 2, SAMPLE_DROPS + DROP_NO_ROUTE), 0);
	since_free(since);
}

static void minutes_and_what_is_too_old(void **state)
{
	struct bench *b = *state;
	double real;

	traffic(b, 3);
	pass(b, 290);
	traffic(b, 4);
	assert_int_equal(forwarded(b, 300, &real), 7);
	pass(b, 20);
	assert_int_equal(forwarded(b, 300, &real), 4);
	assert_in_range((int)real, 300, 301);
	/* beyond five minutes by the minute */
	assert_int_equal(forwarded(b, 310, &real), 7);
	pass(b, 3600);
	assert_int_equal(forwarded(b, 300, NULL), 0);
	assert_int_equal(forwarded(b, 1800, &real), 0);
	assert_in_range((int)real, 1800, 1860);
	assert_int_equal(forwarded(b, 7200, &real), 7);
	/* a day later it is forgotten */
	pass(b, 86400);
	assert_int_equal(forwarded(b, 86400, &real), 0);
	assert_in_range((int)real, 86400, 86460);
}

/* A number that another port has now: what was before is not its. */
static void newcomers_begin_at_zero(void **state)
{
	struct bench *b = *state;

	traffic(b, 9);
	pass(b, 2);
	counts_start_port(b->rt.counts, 0);
	traffic(b, 2);
	pass(b, 1);
	{
		struct since *since = samples_since(b->samples, &b->rt, S, b->now_ns);

		assert_int_equal(since_port(since, 0, SAMPLE_FORWARDED), 2);
		since_free(since);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(seconds),
		TEST(minutes_and_what_is_too_old),
		TEST(newcomers_begin_at_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
