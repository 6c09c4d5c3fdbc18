// SPDX-License-Identifier: BSD-3-Clause
/* Files of BGP updates played into the tables of a running exchange. */
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "feed/play.h"
#include "tables.h"

static const char text[] = "dataplane: {capacity: {ipv4: 200k, ipv6: 1k}}\n"
			   "ports:\n"
			   "  - {name: pa, device: net_a, addresses: [198.51.100.1/28]}\n"
			   "  - {name: pb, device: net_b, addresses: [192.0.2.1/28]}\n";

struct fixture {
	struct config *config;
	struct model *model;
	struct tables *tables;
	struct play *play;
	char path[64];
	FILE *file;
	struct problems problems;
};

static void on_change(void *arg)
{
	(void)arg;
}

static int setup(void **state)
{
	const struct model_options options = { 0 };
	struct fixture *f = calloc(1, sizeof(*f));

	f->config = config_parse(text, strlen(text), "napd.yaml", &f->problems);
	f->model = model_create(f->config, &options, &f->problems);
	assert_non_null(f->model);
	assert_int_equal(model_prepare(f->model), 0);
	f->tables = tables_start(f->model, on_change, f);
	f->play = play_create(f->model, f->tables);
	assert_non_null(f->tables);
	assert_non_null(f->play);
	snprintf(f->path, sizeof(f->path), "/tmp/napd-play-%d.mrt", (int)getpid());
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	play_free(f->play);
	tables_free(f->tables);
	model_free(f->model);
	config_free(f->config);
	problems_release(&f->problems);
	unlink(f->path);
	free(f);
	return 0;
}

/* ---- files ---- */

/* Which peer says it: the last octet of its address, and of the next hop that it gives. */
enum peer { NEAR = 2, FAR = 3, STRANGER = 200 };

static void put(struct fixture *f, const void *octets, size_t n)
{
	assert_int_equal(fwrite(octets, 1, n, f->file), n);
}

static void put_u16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* A BGP4MP_ET MESSAGE_AS4 of so many /24s from 10.first on; FAR's path is longer by one. */
static void say(struct fixture *f, unsigned int ms, enum peer peer, bool withdraw,
		unsigned int first, unsigned int n)
{
	const unsigned int path = peer == FAR ? 2 : 1, paths = 5 + 4 * path;
	const unsigned int attributes = withdraw ? 0 : 4 + paths + 7;
	const unsigned int bgp = 19 + 4 + attributes + 4 * n;
	uint8_t head[16] = { 0, 0, 0x27, 0x10, 0, 17, 0, 4 }, of[20] = { 0 };
	uint8_t session[20] = {
		0, 0, 0xfb, 0xf4, 0, 0, 0xfb, 0xf4, 0, 0, 0, 1, 198, 51, 100, peer
	};
	uint8_t body[23] = { 0 };
	uint8_t a[64] = { 0x40, 1, 1, 0, 0x40, 2, (uint8_t)(2 + 4 * path), 2, (uint8_t)path };
	const uint8_t hop[7] = { 0x40, 3, 4, 198, 51, 100, peer };

	put_u16(head + 2, 10000 + ms / 1000);
	put_u16(head + 10, 4 + 20 + bgp);
	put_u16(of + 2, (ms % 1000 * 1000) & 0xffff);
	of[1] = (uint8_t)((ms % 1000 * 1000) >> 16);
	memcpy(head + 12, of, 4);
	put(f, head, 16);
	put(f, session, 20);
	memset(body, 0xff, 16);
	put_u16(body + 16, bgp);
	body[18] = 2;
	put_u16(body + 19, withdraw ? 4 * n : 0);
	put_u16(body + 21, attributes); /* of an announcement */
	memcpy(a + 4 + 5 + 4 * path, hop, 7);
	put(f, body, withdraw ? 21 : 23);
	if (!withdraw)
		put(f, a, attributes);
	for (unsigned int i = first; i < first + n; i++)
		put(f, (uint8_t[]){ 24, 10, (uint8_t)(i >> 8), (uint8_t)i }, 4);
	if (withdraw)
		put(f, (uint8_t[]){ 0, 0 }, 2);
}

static void begin_file(struct fixture *f)
{
	f->file = fopen(f->path, "wb");
	assert_non_null(f->file);
}

static int open_file(struct fixture *f)
{
	if (f->file)
		assert_int_equal(fclose(f->file), 0);
	f->file = NULL;
	return play_open(f->play, f->path, &f->problems);
}

static void nap(void)
{
	const struct timespec ms = { .tv_nsec = 1000000 };

	nanosleep(&ms, NULL);
}

static void settle(struct fixture *f)
{
	for (int i = 0; i < 60000; i++) {
		if (tables_view(f->tables).resting)
			return;
		nap();
	}
	fail_msg("the tables thread does not come to rest");
}

/* The last octet of the gateway of 10.i; 0: no route. */
static unsigned int leads_to(struct fixture *f, unsigned int i)
{
	const struct ip_prefix p = { .key = { { .hi = (uint64_t)(0x0a000000 + (i << 8)) << 32 },
					      24 } };
	unsigned int to = 0;
	uint32_t leaf;

	model_lock(f->model);
	leaf = rib_get(f->model->rib, &p, ROUTE_MRT);
	if (leaf)
		to = (f->model->hops.hop[leaf].key.gateway.key.hi >> 32) & 0xff;
	model_unlock(f->model);
	return to;
}

/* ---- tests ---- */

static void the_best_of_what_was_said_is_in_force(void **state)
{
	struct fixture *f = *state;
	struct play_view v;

	begin_file(f);
	say(f, 0, FAR, false, 0, 100);
	say(f, 0, NEAR, false, 50, 100);
	say(f, 0, STRANGER, false, 0, 200); /* its next hop is nobody's */
	say(f, 60000, NEAR, true, 140, 10);
	assert_int_equal(open_file(f), 0);
	assert_int_equal(play_run(f->play, 0), 0); /* a minute in no time */
	settle(f);
	assert_int_equal(leads_to(f, 0), FAR);
	assert_int_equal(leads_to(f, 49), FAR);
	assert_int_equal(leads_to(f, 50), NEAR);
	assert_int_equal(leads_to(f, 139), NEAR);
	assert_int_equal(leads_to(f, 140), 0);
	assert_int_equal(leads_to(f, 150), 0);
	v = play_view(f->play);
	assert_int_equal(v.messages, 4);
	assert_int_equal(v.messages_in_all, 4);
	assert_int_equal(v.last_ns - v.first_ns, UINT64_C(60000000000));
	/* what only the stranger says is never posted; what it adds to others is posted again */
	assert_int_equal(tables_view(f->tables).refused, 0);
	assert_int_equal(v.changes, tables_view(f->tables).applied);
}

static void the_next_file_goes_on_from_there(void **state)
{
	struct fixture *f = *state;

	begin_file(f);
	say(f, 0, FAR, false, 0, 10);
	say(f, 0, NEAR, false, 0, 10);
	assert_int_equal(open_file(f), 0);
	assert_int_equal(play_run(f->play, 0), 0);
	settle(f);
	assert_int_equal(leads_to(f, 5), NEAR);
	begin_file(f);
	say(f, 0, NEAR, true, 0, 10);
	assert_int_equal(open_file(f), 0);
	assert_int_equal(play_run(f->play, 0), 0);
	settle(f);
	assert_int_equal(leads_to(f, 5), FAR);
}

static void inside_a_subnet_nothing_is_posted(void **state)
{
	struct fixture *f = *state;
	static const char wide[] = "ports:\n"
				   "  - {name: pa, device: net_a, addresses: [198.51.100.1/28]}\n"
				   "  - {name: pb, device: net_b, addresses: [10.0.1.1/24]}\n";
	const struct model_options options = { 0 };
	struct config *config = config_parse(wide, strlen(wide), "napd.yaml", &f->problems);
	struct model *model = model_create(config, &options, &f->problems);

	play_free(f->play);
	f->play = play_create(model, f->tables);
	begin_file(f);
	say(f, 0, NEAR, false, 0, 2);
	assert_int_equal(open_file(f), 0);
	assert_int_equal(play_run(f->play, 0), 0);
	assert_int_equal(play_view(f->play).changes, 1);
	model_free(model);
	config_free(config);
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void times_are_kept(void **state)
{
	struct fixture *f = *state;
	double begin;

	begin_file(f);
	for (unsigned int i = 0; i < 10; i++)
		say(f, 200 * i, i % 2 ? FAR : NEAR, false, i, 1);
	assert_int_equal(open_file(f), 0);
	begin = now_s();
	assert_int_equal(play_run(f->play, 6), 0); /* 1.8 s */
	assert_true(now_s() - begin >= 0.3);
	assert_true(now_s() - begin < 1.7); /* also where others keep the machine busy */
}

struct player {
	struct play *play;
	int rc;
};

static void *play_slowly(void *arg)
{
	struct player *p = arg;

	p->rc = play_run(p->play, 1);
	return NULL;
}

static void it_can_be_stopped(void **state)
{
	struct fixture *f = *state;
	struct player player = { f->play, -1 };
	pthread_t thread;

	begin_file(f);
	say(f, 0, NEAR, false, 0, 10);
	say(f, 3600000, NEAR, true, 0, 10); /* in an hour */
	assert_int_equal(open_file(f), 0);
	assert_int_equal(pthread_create(&thread, NULL, play_slowly, &player), 0);
	while (play_view(f->play).messages < 1)
		nap();
	play_stop(f->play, false);
	pthread_join(thread, NULL);
	assert_int_equal(player.rc, 0);
	assert_int_equal(play_view(f->play).messages, 1);
	settle(f);
	assert_int_equal(leads_to(f, 5), NEAR); /* routes stay */
}

/* While a million changes wait it waits too; to be over at once it leaves some behind. */
static void a_backlog_is_waited_for(void **state)
{
	struct fixture *f = *state;
	struct player player = { f->play, -1 };
	pthread_t thread;

	begin_file(f);
	for (unsigned int i = 0; i < 1200; i++)
		say(f, 0, i % 2 ? FAR : NEAR, false, i % 50 * 1000, 1000);
	assert_int_equal(open_file(f), 0);
	model_lock(f->model); /* the tables thread stands */
	assert_int_equal(pthread_create(&thread, NULL, play_slowly, &player), 0);
	while (tables_view(f->tables).waiting < 990000)
		nap();
	for (int i = 0; i < 20; i++)
		nap();
	assert_true(tables_view(f->tables).waiting <= 1000000);
	play_stop(f->play, true);
	pthread_join(thread, NULL);
	assert_true(play_view(f->play).messages < 1200);
	model_unlock(f->model);
	settle(f);
	assert_int_equal(leads_to(f, 7), NEAR);
}

static void a_malformed_file_changes_nothing(void **state)
{
	struct fixture *f = *state;

	begin_file(f);
	say(f, 0, NEAR, false, 0, 10);
	say(f, 0, NEAR, false, 10, 10);
	fflush(f->file);
	assert_int_equal(ftruncate(fileno(f->file), ftell(f->file) - 1), 0);
	assert_int_equal(open_file(f), -EINVAL);
	assert_int_equal(f->problems.errors, 1);
	assert_int_equal(f->problems.list[0].place.offset, 119);
	assert_int_equal(tables_view(f->tables).applied, 0);
	/* and the next is as if nothing had been */
	begin_file(f);
	say(f, 0, NEAR, false, 0, 10);
	assert_int_equal(open_file(f), 0);
	assert_int_equal(play_run(f->play, 0), 0);
	settle(f);
	assert_int_equal(leads_to(f, 5), NEAR);
}

/* A reload that leaves dumps and subnets as they were keeps what updates made of the tables. */
static void a_reload_keeps_what_was_played(void **state)
{
	struct fixture *f = *state;
	static const char same[] = "ports:\n"
				   "  - {name: pb, device: net_b, addresses: [192.0.2.1/28]}\n"
				   "  - {name: pa, device: net_a, addresses: [198.51.100.1/28]}\n"
				   "routes:\n  - {prefix: 11.0.0.0/8, blackhole: true}\n";
	static const char other[] = "ports:\n"
				    "  - {name: pa, device: net_a, addresses: [198.51.100.1/28]}\n";
	const char *const texts[] = { same, other };

	begin_file(f);
	say(f, 0, NEAR, false, 0, 10);
	assert_int_equal(open_file(f), 0);
	assert_int_equal(play_run(f->play, 0), 0);
	settle(f);
	for (int i = 0; i < 2; i++) {
		struct model_options options = { .previous = f->model };
		struct config *config =
			config_parse(texts[i], strlen(texts[i]), "napd.yaml", &f->problems);
		struct model *next = model_create(config, &options, &f->problems);

		assert_non_null(next);
		assert_int_equal(model_prepare(next), 0);
		tables_switch(f->tables, next);
		while (tables_model(f->tables) != next)
			nap();
		model_free(f->model);
		config_free(f->config);
		f->model = next;
		f->config = config;
		assert_int_equal(leads_to(f, 5), i == 0 ? NEAR : 0);
		assert_int_equal(play_identity(f->play) == next->mrt_identity, i == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_best_of_what_was_said_is_in_force, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_next_file_goes_on_from_there, setup, teardown),
		cmocka_unit_test_setup_teardown(inside_a_subnet_nothing_is_posted, setup, teardown),
		cmocka_unit_test_setup_teardown(times_are_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(it_can_be_stopped, setup, teardown),
		cmocka_unit_test_setup_teardown(a_backlog_is_waited_for, setup, teardown),
		cmocka_unit_test_setup_teardown(a_malformed_file_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_reload_keeps_what_was_played, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
