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
#define MS    UINT64_C(1000000)

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
	b.rt.workers = 1;
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

static struct since *ask(const struct bench *b, unsigned int seconds, enum since_kind kind)
{
	struct since *since = samples_since(b->samples, seconds * S, kind);

	assert_non_null(since);
	return since;
}

/* What pa forwarded in the last seconds; *real: how many they were. */
static uint64_t forwarded(struct bench *b, unsigned int seconds, double *real)
{
	struct since *since = ask(b, seconds, SINCE_COUNTS);
	const uint64_t n = since_port(since, 0, SAMPLE_FORWARDED);

	assert_int_equal(since_port(since, 0, SAMPLE_RX_PACKETS), n);
	assert_int_equal(since_port(since, 0, SAMPLE_RX_BYTES), 114 * n);
	assert_int_equal(since_port(since, 1, SAMPLE_TX_PACKETS), n);
	if (real)
		*real = since->seconds;
	since_free(since);
	since = ask(b, seconds, SINCE_PARTIES);
	assert_int_equal(since_party(since, 0, SAMPLE_SENT_PACKETS), n);
	assert_int_equal(since_party(since, 1, SAMPLE_RECEIVED_BYTES), 114 * n);
	since_free(since);
	since = ask(b, seconds, SINCE_PAIRS);
	assert_int_equal(since_pair(since, 0, 1, 0).packets, n);
	assert_int_equal(since_pair(since, 0, 1, 0).bytes, 114 * n);
	assert_int_equal(since_pair(since, 1, 0, 0).packets, 0);
	assert_int_equal(since_pair(since, 0, 1, 1).packets, 0);
	since_free(since);
	return n;
}

static void seconds(void **state)
{
	struct bench *b = *state;
	struct since *since;
	double real;

	b->rig->w->load.received = 26; /* as its loop would count */
	b->rig->w->load.busy_ns = S / 2;
	b->rig->w->load.punts_lost = 1;
	traffic(b, 5);
	assert_int_equal(forwarded(b, 1, &real), 0); /* no sample has it yet */
	assert_true(real == 0.0);
	pass(b, 1);
	traffic(b, 7);
	pass(b, 1);
	assert_int_equal(forwarded(b, 1, &real), 7);
	traffic(b, 11);
	pass(b, 1);
	assert_int_equal(forwarded(b, 2, &real), 7 + 11);
	assert_true(real == 2.0);
	b->now_ns += S / 2;
	assert_int_equal(forwarded(b, 1, &real), 11); /* to the last sample */
	assert_true(real == 1.0);
	assert_int_equal(forwarded(b, 3600, &real), 5 + 7 + 11); /* since the start */
	assert_true(real == 3.0);
	since = ask(b, 60, SINCE_COUNTS);
	assert_int_equal(since_port(since, 2, SAMPLE_DROPS + DROP_BLACKHOLE), 3);
	assert_int_equal(since_port(since, 2, SAMPLE_DROPS + DROP_NO_ROUTE), 0);
	assert_int_equal(since_worker(since, 0, SAMPLE_WORKER_RECEIVED), 26);
	assert_int_equal(since_worker(since, 0, SAMPLE_BUSY_NS), S / 2);
	assert_int_equal(since_worker(since, 0, SAMPLE_PUNTS_LOST), 1);
	since_free(since);
}

static void minutes_and_what_is_too_old(void **state)
{
	struct bench *b = *state;
	double real;

	traffic(b, 3);
	pass(b, 290);
	traffic(b, 4);
	assert_int_equal(forwarded(b, 300, &real), 3);
	pass(b, 1);
	assert_int_equal(forwarded(b, 300, &real), 7);
	pass(b, 19);
	assert_int_equal(forwarded(b, 300, &real), 4);
	assert_true(real == 300);
	/* beyond five minutes by the minute, but for the last one */
	assert_int_equal(forwarded(b, 305, &real), 7);
	assert_true(real == 310);
	traffic(b, 2);
	pass(b, 3);
	assert_int_equal(forwarded(b, 305, &real), 9);
	assert_true(real == 313);
	pass(b, 3600);
	assert_int_equal(forwarded(b, 300, NULL), 0);
	assert_int_equal(forwarded(b, 1800, &real), 0);
	assert_in_range((int)real, 1800, 1860);
	assert_int_equal(forwarded(b, 7200, &real), 9);
	/* a day later it is forgotten */
	pass(b, 86400);
	assert_int_equal(forwarded(b, 86400, &real), 0);
	assert_in_range((int)real, 86400, 86460);
}

/* A number that another port has now: what was before is not its. */
static void newcomers_begin_at_zero(void **state)
{
	struct bench *b = *state;
	struct since *since;

	traffic(b, 9);
	pass(b, 2);
	counts_start_port(b->rt.counts, 0);
	samples_start_port(b->samples, 0, b->now_ns);
	traffic(b, 20);
	pass(b, 1);
	since = ask(b, 60, SINCE_COUNTS);
	assert_int_equal(since_port(since, 0, SAMPLE_FORWARDED), 20);
	assert_int_equal(since_port(since, 1, SAMPLE_TX_PACKETS), 9 + 20);
	since_free(since);
}

/* n packets from pc to pb. */
static void other_traffic(struct bench *b, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		rig_input(b->rig, rig_udp4(b->rig, 2, RIG_DST4(1), 100));
	rig_poll(b->rig, 1);
	rig_clear(b->rig);
}

static uint64_t received_by(struct bench *b, uint16_t party, unsigned int seconds)
{
	struct since *since = ask(b, seconds, SINCE_PARTIES);
	const uint64_t n = since_party(since, party, SAMPLE_RECEIVED_PACKETS);

	since_free(since);
	return n;
}

/* Who had to do with a number before it was another's has no part of that a second time. */
static void a_newcomer_is_no_spike_of_others(void **state)
{
	struct bench *b = *state;
	struct since *since;

	traffic(b, 9);
	other_traffic(b, 50);
	pass(b, 70); /* a minute, too, has it */
	counts_start_party(b->rt.counts, 0);
	samples_start_party(b->samples, 0, b->now_ns);
	traffic(b, 2);
	pass(b, 1);
	assert_int_equal(received_by(b, 1, 1), 2);
	traffic(b, 12);
	other_traffic(b, 3);
	pass(b, 1);
	assert_int_equal(received_by(b, 1, 1), 12 + 3);
	pass(b, 60);
	assert_int_equal(received_by(b, 1, 60), 0);
	assert_int_equal(received_by(b, 1, 3600), 9 + 50 + 2 + 12 + 3);
	since = ask(b, 3600, SINCE_PARTIES);
	assert_int_equal(since_party(since, 0, SAMPLE_SENT_PACKETS), 2 + 12);
	since_free(since);
	since = ask(b, 3600, SINCE_PAIRS);
	assert_int_equal(since_pair(since, 0, 1, 0).packets, 2 + 12);
	assert_int_equal(since_pair(since, 2, 1, 0).packets, 50 + 3);
	since_free(since);
}

/* ---- thousands of ports, by counters that are made up (ld --wrap) ---- */

void __real_counters_port(const struct dataplane *dp, uint16_t port, struct port_counters *sum);
void __wrap_counters_port(const struct dataplane *dp, uint16_t port, struct port_counters *sum);
struct matrix_cell __real_counters_matrix(const struct dataplane *dp, uint16_t in, uint16_t out,
					  int ipv6);
struct matrix_cell __wrap_counters_matrix(const struct dataplane *dp, uint16_t in, uint16_t out,
					  int ipv6);

#define MANY 4096
static struct {
	bool made_up;
	uint64_t ports, cells; /* read so far */
	uint64_t received;     /* by every port, and sent by party 4000 to the next, IPv6 */
	uint64_t base;         /* what of that came before the party was this one */
} fake;

void __wrap_counters_port(const struct dataplane *dp, uint16_t port, struct port_counters *sum)
{
	fake.ports++;
	if (fake.made_up)
		*sum = (struct port_counters){ .received.packets = fake.received };
	else
		__real_counters_port(dp, port, sum);
}

struct matrix_cell __wrap_counters_matrix(const struct dataplane *dp, uint16_t in, uint16_t out,
					  int ipv6)
{
	const uint64_t n = fake.received - fake.base;

	fake.cells++;
	if (!fake.made_up)
		return __real_counters_matrix(dp, in, out, ipv6);
	if (in != 4000 || out != 4001 || !ipv6)
		return (struct matrix_cell){ 0, 0 };
	return (struct matrix_cell){ n, 64 * n };
}

static int setup_many(void **state)
{
	const struct model_options options = { 0 };
	struct problems problems = { 0 };
	struct bench *b;
	size_t length;
	char *many;
	FILE *f = open_memstream(&many, &length);

	assert_non_null(f);
	fputs("ports:\n", f);
	for (unsigned int i = 0; i < MANY; i++)
		fprintf(f, "  - {name: p%u, device: d%u, vlan: %u, addresses: [10.%u.%u.0/31]}\n",
			i, i / 256, i % 256 + 1, i / 256, i % 256);
	fclose(f);
	setup(state);
	b = *state;
	model_free(b->rt.model);
	config_free(b->rt.config);
	samples_free(b->samples);
	counts_free(b->rt.counts);
	b->rt.config = config_parse(many, length, "many", &problems);
	assert_non_null(b->rt.config);
	b->rt.model = model_create(b->rt.config, &options, &problems);
	b->rt.counts = counts_create(b->rig->dp, MANY + 1);
	b->samples = samples_create(MANY + 1);
	assert_true(b->rt.model && b->rt.counts && b->samples);
	problems_release(&problems);
	free(many);
	memset(&fake, 0, sizeof(fake));
	fake.made_up = true;
	samples_tick(b->samples, &b->rt, b->now_ns);
	return 0;
}

static int teardown_many(void **state)
{
	fake.made_up = false;
	return teardown(state);
}

/* So many steps, 10 ms each. No step reads much. */
static void steps(struct bench *b, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		const uint64_t ports = fake.ports, all = fake.cells;

		b->now_ns += 10 * MS;
		samples_tick(b->samples, &b->rt, b->now_ns);
		assert_true(fake.ports - ports <= 256);
		assert_true(fake.cells - all <= 20000);
	}
}

static void no_step_is_long(void **state)
{
	struct bench *b = *state;
	struct since *since;

	fake.received = 1000;
	steps(b, 200);
	fake.received = 3000;
	steps(b, 200);
	/* ports by the second, whatever the pairs take */
	since = ask(b, 1, SINCE_COUNTS);
	assert_in_range((int)since->seconds, 1, 2);
	since_free(since);
	since = ask(b, 3600, SINCE_COUNTS);
	for (uint16_t i = 0; i < MANY; i++)
		assert_int_equal(since_port(since, i, SAMPLE_RX_PACKETS), 3000);
	since_free(since);
	/* 33 million pairs take more than ten */
	steps(b, 1900);
	since = ask(b, 3600, SINCE_PAIRS);
	assert_int_equal(since_pair(since, 4000, 4001, 1).packets, 3000);
	assert_int_equal(since_pair(since, 4000, 4001, 1).bytes, 64 * 3000);
	assert_true(fake.cells >= 2 * MANY * MANY);
	since_free(since);
}

/* A party's number becomes another's while the round is before its row, and once more behind it. */
static void a_newcomer_amid_a_round(void **state)
{
	struct bench *b = *state;
	struct since *since;

	fake.received = 1000;
	steps(b, 1900);
	assert_int_equal(received_by(b, 4001, 3600), 1000);
	for (unsigned int i = 0; i < 2; i++) {
		fake.base = fake.received;
		fake.received += 7000;
		samples_start_party(b->samples, 4000, b->now_ns);
		steps(b, i ? 1900 : 1678); /* a round is 1,679 */
	}
	assert_int_equal(received_by(b, 4001, 3600), 1000 + 7000 + 7000);
	since = ask(b, 3600, SINCE_PAIRS);
	assert_int_equal(since_pair(since, 4000, 4001, 1).packets, 7000);
	since_free(since);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(seconds),
		TEST(minutes_and_what_is_too_old),
		TEST(newcomers_begin_at_zero),
		TEST(a_newcomer_is_no_spike_of_others),
#define TEST_MANY(name) cmocka_unit_test_setup_teardown(name, setup_many, teardown_many)
		TEST_MANY(no_step_is_long),
		TEST_MANY(a_newcomer_amid_a_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
