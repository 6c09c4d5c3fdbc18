// SPDX-License-Identifier: BSD-3-Clause
/* The tables thread: batches become tables, while control publishes and neighbours change. */
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tables.h"

/*
 * Gateways of each port, 0 pa, 1 pb: link-local ones, which have no host routes, so that their next
 * hops come and go with the routes that use them.
 */
#define GATEWAYS 5
static const char text[] = "dataplane: {capacity: {ipv4: 100k, ipv6: 1k}}\n"
			   "ports:\n"
			   "  - {name: pa, device: net_a, addresses: [198.51.100.1/28]}\n"
			   "  - {name: pb, device: net_b, addresses: [192.0.2.1/28]}\n";

struct fixture {
	struct config *config;
	struct model *model;
	struct tables *tables;
	unsigned int changes; /* how often there were new tables */
};

static struct ip_address gateway(unsigned int port, unsigned int i)
{
	return (struct ip_address){ .key = { 0xfe80ull << 48, 2 + 2 * i + port }, .ipv6 = true };
}

static void on_change(void *arg)
{
	struct fixture *f = arg;

	__atomic_add_fetch(&f->changes, 1, __ATOMIC_RELEASE);
}

static void add_gateways(struct fixture *f)
{
	for (unsigned int i = 0; i < 2 * GATEWAYS; i++) {
		const struct ip_address a = gateway(i % 2, i / 2);
		const struct rte_ether_addr mac = { { 2, 0, 0, 0, (uint8_t)(i % 2), (uint8_t)i } };

		assert_int_equal(model_set_neighbour(f->model, (uint16_t)(i % 2), &a,
						     MODEL_NEIGHBOUR_RESOLVED, &mac),
				 0);
	}
}

static int setup(void **state)
{
	const struct model_options options = { 0 };
	struct problems problems = { 0 };
	struct fixture *f = calloc(1, sizeof(*f));

	f->config = config_parse(text, strlen(text), "napd.yaml", &problems);
	f->model = model_create(f->config, &options, &problems);
	assert_non_null(f->model);
	problems_release(&problems);
	add_gateways(f);
	assert_int_equal(model_prepare(f->model), 0);
	f->tables = tables_start(f->model, on_change, f);
	assert_non_null(f->tables);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	tables_free(f->tables);
	model_free(f->model);
	config_free(f->config);
	free(f);
	return 0;
}

static void nap(void)
{
	const struct timespec ms = { .tv_nsec = 1000000 };

	nanosleep(&ms, NULL);
}

/* All that was posted is in the tables. */
static void settle(struct fixture *f)
{
	for (int i = 0; i < 60000; i++) {
		if (tables_view(f->tables).resting)
			return;
		nap();
	}
	fail_msg("the tables thread does not come to rest");
}

static struct ip_prefix prefix(unsigned int i)
{
	return (struct ip_prefix){ .key = { { .hi = (uint64_t)(0x0a000000 + (i << 8)) << 32 },
					    24 } };
}

/* Prefix i leads over port i % 2; some to two gateways there. */
static void set(struct route_batch *b, unsigned int i, unsigned int g)
{
	const struct config_nexthop via[2] = { { gateway(i % 2, g % GATEWAYS), i % 2, 1 },
					       { gateway(i % 2, (g + 1) % GATEWAYS), i % 2, 1 } };
	const struct route route = { prefix(i), CONFIG_ROUTE_VIA, via, i % 3 ? 1 : 2 };

	assert_true(route_batch_set(b, ROUTE_FPM, &route));
}

static const struct nexthop *look_up(const struct snapshot *s, uint32_t address)
{
	uint32_t leaf[16], to[16] = { address };

	fib4_lookup(s->fib4, to, leaf, 1);
	if (leaf[0] & LEAF_GROUP) {
		const struct nexthop_group *g;

		assert_true((leaf[0] & ~LEAF_GROUP) < s->nexthops->groups);
		g = &s->nexthops->group[leaf[0] & ~LEAF_GROUP];
		leaf[0] = s->nexthops->bucket[g->first + (address & g->mask)];
	}
	assert_true(leaf[0] < s->nexthops->nexthops);
	return &s->nexthops->nexthop[leaf[0]];
}

static struct route_batch *found_by_address(void)
{
	const struct config_nexthop via = { { .key.hi = UINT64_C(0xc0000205) << 32 }, SIZE_MAX, 1 };
	const struct route route = {
		{ .key = { { .hi = UINT64_C(9) << 56 }, 8 } }, CONFIG_ROUTE_VIA, &via, 1
	};
	struct route_batch *b = route_batch_create(1, 1);

	assert_true(route_batch_set(b, ROUTE_KERNEL, &route));
	return b;
}

static void batches_become_tables(void **state)
{
	enum { N = 2000 };
	struct fixture *f = *state;
	struct route_batch *b = route_batch_create(N, 2 * N);
	struct model_routes routes;
	struct snapshot *s;

	for (unsigned int i = 0; i < N; i++)
		set(b, i, 0);
	assert_false(route_batch_delete(b, ROUTE_FPM, &(struct ip_prefix){ 0 })); /* full */
	assert_int_equal(tables_post(f->tables, b), 0);
	settle(f);
	/* a hop without a port is on whose subnet it lies */
	assert_int_equal(tables_post(f->tables, found_by_address()), 0);
	settle(f);
	assert_true(__atomic_load_n(&f->changes, __ATOMIC_ACQUIRE) > 0);
	s = model_snapshot(f->model);
	for (unsigned int i = 0; i < N; i++) {
		const struct nexthop *nh = look_up(s, 0x0a000001 + (i << 8));

		assert_int_equal(nh->kind, NEXTHOP_FORWARD);
		assert_int_equal(nh->port, i % 2);
	}
	assert_int_equal(look_up(s, 0x09000001)->port, 1);
	s->release(s);
	b = route_batch_create(N, 0);
	for (unsigned int i = 0; i < N; i += 2) {
		const struct ip_prefix p = prefix(i);

		assert_true(route_batch_delete(b, ROUTE_FPM, &p));
		assert_true(route_batch_delete(b, ROUTE_MRT, &p)); /* there is none */
	}
	assert_int_equal(tables_post(f->tables, b), 0);
	settle(f);
	s = model_snapshot(f->model);
	assert_int_equal(look_up(s, 0x0a000001)->kind, NEXTHOP_NO_ROUTE);
	assert_int_equal(look_up(s, 0x0a000101)->kind, NEXTHOP_FORWARD);
	s->release(s);
	model_routes(f->model, &routes);
	assert_int_equal(routes.ipv4, N / 2 + 3);
	assert_int_equal(tables_view(f->tables).applied, 2 * N + 1);
	assert_int_equal(tables_view(f->tables).refused, N / 2);
}

/*
 * Every prefix changes its gateway again and again, next hops come and go, and control publishes
 * all the while: a packet finds a next hop that was its prefix's, never a hole, never another's.
 */
static void replacements_leave_no_hole(void **state)
{
	enum { N = 3000, ROUNDS = 150, EACH = 500 };
	const struct ip_address stranger = { .key.hi = UINT64_C(0xc633640e) << 32 };
	const struct rte_ether_addr mac = { { 2, 9 } };
	struct fixture *f = *state;
	unsigned int published = 0;

	for (unsigned int round = 0; round <= ROUNDS; round++) {
		for (unsigned int i = 0; i < N; i += EACH) {
			struct route_batch *b = route_batch_create(EACH, 2 * EACH);

			for (unsigned int k = i; k < i + EACH; k++)
				set(b, k, round);
			assert_int_equal(tables_post(f->tables, b), 0);
		}
		if (!round)
			settle(f);
		for (int look = 0; look < 5; look++) {
			struct snapshot *s;

			nap();

			assert_int_equal(model_set_neighbour(f->model, 0, &stranger,
							     look % 2 ? MODEL_NEIGHBOUR_FAILED
								      : MODEL_NEIGHBOUR_RESOLVED,
							     &mac),
					 0);
			s = model_snapshot(f->model);
			assert_non_null(s);
			for (unsigned int i = look; i < N; i += 7) {
				const struct nexthop *nh =
					look_up(s, 0x0a000000 + (i << 8) + (uint32_t)look);

				assert_int_equal(nh->kind, NEXTHOP_FORWARD);
				assert_int_equal(nh->port, i % 2);
				/* its own port's gateways, and nothing learned for others */
				assert_int_equal(nh->l2[24 - 14 + 4], i % 2);
			}
			s->release(s);
			published++;
		}
	}
	settle(f);
	assert_int_equal(published, 5 * (ROUNDS + 1));
	assert_int_equal(tables_view(f->tables).refused, 0);
	assert_true(tables_view(f->tables).builds > 10);
	assert_true(f->model->hops.hop_count < LEAF_FIRST_FREE + 100); /* indices are used again */
}

/* The next hop is right with the next snapshot; the host route comes with the next tables. */
static void neighbours_become_host_routes(void **state)
{
	const struct ip_address who = { .key.hi = UINT64_C(0xc633640d) << 32 };
	const struct rte_ether_addr mac = { { 2, 7 } };
	struct fixture *f = *state;
	struct snapshot *s;

	assert_int_equal(model_set_neighbour(f->model, 0, &who, MODEL_NEIGHBOUR_RESOLVED, &mac), 0);
	settle(f);
	s = model_snapshot(f->model);
	assert_int_equal(look_up(s, 0xc633640d)->kind, NEXTHOP_FORWARD);
	s->release(s);
	assert_int_equal(model_set_neighbour(f->model, 0, &who, MODEL_NEIGHBOUR_NONE, NULL), 0);
	s = model_snapshot(f->model);
	assert_int_not_equal(look_up(s, 0xc633640d)->kind, NEXTHOP_FORWARD);
	s->release(s);
	settle(f);
	s = model_snapshot(f->model);
	assert_int_equal(look_up(s, 0xc633640d)->kind, NEXTHOP_SUBNET);
	s->release(s);
}

/* Who feeds faster than the thread applies is told to wait; nothing is lost of what was taken. */
static void a_backlog_is_refused(void **state)
{
	enum { N = 600000 };
	struct fixture *f = *state;
	const struct ip_prefix p = prefix(1);
	struct route_batch *b[2];

	for (int i = 0; i < 2; i++) {
		b[i] = route_batch_create(N, 0);
		for (unsigned int k = 0; k < N; k++)
			route_batch_delete(b[i], ROUTE_FPM, &p);
	}
	model_lock(f->model); /* the thread stands */
	assert_int_equal(tables_post(f->tables, b[0]), 0);
	assert_int_equal(tables_post(f->tables, b[1]), -EAGAIN);
	model_unlock(f->model);
	while (tables_view(f->tables).waiting)
		nap();
	assert_int_equal(tables_post(f->tables, b[1]), 0);
	/* and it ends in the middle of a batch */
}

/* A reload reads what is configured; what feeds brought goes over, by the numbers of ports. */
static void a_reload_carries_what_feeds_brought(void **state)
{
	enum { N = 300 };
	static const char reordered[] =
		"ports:\n"
		"  - {name: pc, device: net_c, addresses: [203.0.113.1/30]}\n"
		"  - {name: pb, device: net_b, addresses: [192.0.2.1/28]}\n"
		"  - {name: pa, device: net_a, addresses: [198.51.100.1/28]}\n"
		"routes:\n"
		"  - {prefix: 11.0.0.0/8, blackhole: true}\n";
	const struct ip_address who = { .key.hi = UINT64_C(0xc633640d) << 32 };
	const struct route mrt = { prefix(N), CONFIG_ROUTE_BLACKHOLE, NULL, 0 };
	const struct route fpm = { prefix(N + 1), CONFIG_ROUTE_PROHIBIT, NULL, 0 };
	struct fixture *f = *state;
	struct model_options options = { .previous = f->model };
	struct config *config = NULL;
	struct problems problems = { 0 };
	struct route_batch *b = route_batch_create(N + 2, 2 * N);
	struct model *next;
	struct snapshot *s;

	for (unsigned int i = 0; i < N; i++)
		set(b, i, 1);
	assert_true(route_batch_set(b, ROUTE_MRT, &mrt));
	assert_true(route_batch_set(b, ROUTE_FPM, &fpm));
	assert_int_equal(tables_post(f->tables, b), 0);
	assert_int_equal(model_set_neighbour(f->model, 0, &who, MODEL_NEIGHBOUR_RESOLVED,
					     &(struct rte_ether_addr){ { 2, 7 } }),
			 0);
	settle(f); /* what waits would go to the new one */
	config = config_parse(reordered, strlen(reordered), "napd.yaml", &problems);
	next = model_create(config, &options, &problems);
	assert_non_null(next);
	assert_int_equal(model_prepare(next), 0);
	tables_switch(f->tables, next);
	while (tables_model(f->tables) != next)
		nap();
	model_free(f->model);
	config_free(f->config);
	f->model = next;
	f->config = config;
	add_gateways(f); /* as control tells them */
	assert_int_equal(model_set_neighbour(next, 0, &who, MODEL_NEIGHBOUR_RESOLVED,
					     &(struct rte_ether_addr){ { 2, 7 } }),
			 0);
	s = model_snapshot(next); /* at once, before anything else is built */
	for (unsigned int i = 0; i < N; i++) {
		assert_int_equal(look_up(s, 0x0a000001 + (i << 8))->kind, NEXTHOP_FORWARD);
		assert_int_equal(look_up(s, 0x0a000001 + (i << 8))->port, i % 2);
	}
	assert_int_equal(look_up(s, 0xc633640d)->kind, NEXTHOP_FORWARD);
	assert_int_equal(look_up(s, 0x0a000001 + (N << 8))->kind, NEXTHOP_NO_ROUTE);
	assert_int_equal(look_up(s, 0x0a000001 + ((N + 1) << 8))->kind, NEXTHOP_PROHIBIT);
	assert_int_equal(look_up(s, 0x0b000001)->kind, NEXTHOP_BLACKHOLE);
	s->release(s);
	b = route_batch_create(1, 2); /* the thread goes on with the new one */
	set(b, N, 2);
	assert_int_equal(tables_post(f->tables, b), 0);
	settle(f);
	s = model_snapshot(next);
	assert_int_equal(look_up(s, 0x0a000001 + (N << 8))->port, N % 2);
	s->release(s);
	problems_release(&problems);
}

/* Work of four steps; it notes what the RIB and the model were at each. */
struct steps {
	struct tables_work work;
	struct fixture *f;
	uint64_t routes[4];
	struct model *model;
	unsigned int runs, freed;
	bool block; /* it does not end */
};

static bool step(struct tables_work *work, struct model *model)
{
	struct steps *s = (struct steps *)work;

	if (s->runs < 4)
		s->routes[s->runs] = rib_routes_of(model->rib, false, ROUTE_FPM);
	s->model = model;
	__atomic_add_fetch(&s->runs, 1, __ATOMIC_RELEASE);
	return s->runs < 4 || __atomic_load_n(&s->block, __ATOMIC_ACQUIRE);
}

static void steps_free(struct tables_work *work)
{
	__atomic_add_fetch(&((struct steps *)work)->freed, 1, __ATOMIC_RELEASE);
}

static void work_is_done_in_order(void **state)
{
	struct fixture *f = *state;
	struct steps s = { .work = { .weight = 10, .run = step, .free = steps_free }, .f = f };

	for (int i = 0; i < 2; i++) {
		struct route_batch *b = route_batch_create(100, 200);

		for (unsigned int k = 0; k < 100; k++)
			set(b, 100 * (unsigned int)i + k, 1);
		assert_int_equal(tables_post(f->tables, b), 0);
		if (i == 0)
			assert_int_equal(tables_post_work(f->tables, &s.work), 0);
	}
	settle(f);
	assert_int_equal(s.runs, 4);
	assert_int_equal(s.freed, 1);
	for (int i = 0; i < 4; i++)
		assert_int_equal(s.routes[i], 100); /* of the batch before, not of the one behind */
	assert_int_equal(tables_view(f->tables).waiting, 0);
}

static void heavy_work_is_held_back(void **state)
{
	struct fixture *f = *state;
	struct steps first = { .work = { 0, 600000, step, steps_free }, .f = f, .block = true };
	struct steps second = { .work = { 0, 600000, step, steps_free }, .f = f };
	struct steps light = { .work = { 0, 0, step, steps_free }, .f = f };

	assert_int_equal(tables_post_work(f->tables, &first.work), 0);
	assert_int_equal(tables_post_work(f->tables, &second.work), -EAGAIN);
	assert_int_equal(tables_post_work(f->tables, &light.work), 0);
	assert_int_equal(tables_view(f->tables).waiting, 600000);
	__atomic_store_n(&first.block, false, __ATOMIC_RELEASE);
	settle(f);
	assert_int_equal(light.freed, 1);
	assert_int_equal(tables_post_work(f->tables, &second.work), 0);
	first = (struct steps){ .work = { 0, 1, step, steps_free }, .f = f, .block = true };
	assert_int_equal(tables_post_work(f->tables, &first.work), 0);
	light.freed = 0;
	assert_int_equal(tables_post_work(f->tables, &light.work), 0);
	tables_free(f->tables); /* in the middle of it, and before the one behind it */
	assert_int_equal(first.freed, 1);
	assert_int_equal(light.freed, 1);
	f->tables = NULL;
}

static void note_model(void *arg, struct model *next)
{
	((struct steps *)arg)->model = next;
}

static void a_follower_hears_of_the_next_model(void **state)
{
	struct fixture *f = *state;
	struct steps s = { .work = { 0, 0, step, NULL }, .f = f };
	const struct tables_follower follower = { .moved = note_model, .arg = &s };
	struct model_options options = { .previous = f->model };
	struct problems problems = { 0 };
	struct config *config = config_parse(text, strlen(text), "napd.yaml", &problems);
	struct model *next = model_create(config, &options, &problems);

	tables_follow(f->tables, &follower);
	tables_switch(f->tables, next);
	while (tables_model(f->tables) != next)
		nap();
	assert_ptr_equal(s.model, next);
	model_free(f->model);
	config_free(f->config);
	f->model = next;
	f->config = config;
	s.model = NULL;
	assert_int_equal(tables_post_work(f->tables, &s.work), 0);
	settle(f);
	assert_ptr_equal(s.model, next); /* and work is done on it */
	problems_release(&problems);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(batches_become_tables, setup, teardown),
		cmocka_unit_test_setup_teardown(replacements_leave_no_hole, setup, teardown),
		cmocka_unit_test_setup_teardown(neighbours_become_host_routes, setup, teardown),
		cmocka_unit_test_setup_teardown(a_backlog_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_reload_carries_what_feeds_brought, setup,
						teardown),
		cmocka_unit_test_setup_teardown(work_is_done_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(heavy_work_is_held_back, setup, teardown),
		cmocka_unit_test_setup_teardown(a_follower_hears_of_the_next_model, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
