// SPDX-License-Identifier: BSD-3-Clause
/*
 * Routes replaced under churn, as packets meet it: the tables thread makes tables of batches,
 * control publishes them and next hops besides, and a worker forwards all the while. Every packet
 * leaves by a next hop that was its prefix's at some instant of its stay: never by that of the
 * shorter prefix around it (a hole), never by a third.
 */
#include "../unit/test.h"

#include "../unit/eal.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_ether.h>

#include "dataplane.h"
#include "snapshot.h"
#include "tables.h"
#include "worker.h"

#define GATEWAYS 61  /* more than rounds are ever under way */
#define PREFIXES 600 /* even ones IPv4, odd ones IPv6 */
#define ROUNDS   800
#define SECONDS  20 /* no more rounds then, under a sanitizer */
#define LEAST    30
#define AHEAD    4 /* rounds under way at once */
#define EACH     100
#define BURST    32
#define COVER    200 /* the gateway of what is around */

static const char text[] =
	"dataplane: {capacity: {ipv4: 10k, ipv6: 10k}}\n"
	"ports:\n"
	"  - {name: pa, device: net_a, mac: \"02:00:00:00:00:0a\", addresses: [198.51.100.1/24]}\n"
	"  - {name: pb, device: net_b, mac: \"02:00:00:00:00:0b\", addresses: [192.0.2.1/24, "
	"\"2001:db8:64:b::1/64\"]}\n";

struct fixture {
	struct config *config;
	struct model *model;
	struct tables *tables;
	struct dataplane *dp;
	struct rte_mempool *pool;
	pthread_t thread;
	/* control writes, the worker's thread reads */
	uint64_t posted;   /* rounds that began */
	uint64_t in_force; /* rounds that every snapshot from now on knows */
	bool stop;
	/* the worker's thread */
	uint64_t least; /* in_force before the burst in hand */
	uint32_t next;
	uint64_t received, sent, wrong, overlapped;
	uint64_t seen[PREFIXES]; /* the latest round that a packet of it saw */
	char first_wrong[160];
};

static struct ip_address gateway(unsigned int g)
{
	return (struct ip_address){ .key = { 0xfe80ull << 48, 1 + g }, .ipv6 = true };
}

static unsigned int gateway_of(uint64_t round, unsigned int i)
{
	return (unsigned int)((round + i) % GATEWAYS);
}

static bool is_group(unsigned int i)
{
	return i % 6 < 2;
}

static struct ip_prefix prefix_of(unsigned int i)
{
	if (i % 2)
		return (struct ip_prefix){
			{ { 0x20010db800000000ull | (0x1000ull + i) << 16, 0 }, 48 }, true
		};
	return (struct ip_prefix){ { { (uint64_t)(0x0a000000 + (i << 8)) << 32, 0 }, 24 }, false };
}

/* ---- the worker ---- */

static void fill4(uint8_t *l3, unsigned int i)
{
	const uint8_t head[20] = { 0x45,       0, 0, 46,  0, 0, 0, 0,  64,
				   17,         0, 0, 192, 0, 2, 9, 10, (uint8_t)(i >> 8),
				   (uint8_t)i, 7 };
	uint32_t sum = 0;

	memcpy(l3, head, sizeof(head));
	for (int k = 0; k < 20; k += 2)
		sum += (uint32_t)(l3[k] << 8 | l3[k + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	l3[10] = (uint8_t)(sum >> 8);
	l3[11] = (uint8_t)sum;
}

static void fill6(uint8_t *l3, unsigned int i)
{
	const uint8_t head[40] = { 0x60,
				   0,
				   0,
				   0,
				   0,
				   20,
				   17,
				   64,
				   0x20,
				   0x01,
				   0x0d,
				   0xb8,
				   0,
				   0x64,
				   0,
				   0x0b,
				   0,
				   0,
				   0,
				   0,
				   0,
				   0,
				   0,
				   9,
				   0x20,
				   0x01,
				   0x0d,
				   0xb8,
				   (uint8_t)((0x1000 + i) >> 8),
				   (uint8_t)(0x1000 + i) };

	memcpy(l3, head, sizeof(head));
	l3[39] = 7;
}

/* Which prefix a frame is for stands in its last octets. */
static void fill(struct rte_mbuf *m, unsigned int i)
{
	const unsigned int bytes = i % 2 ? 14 + 60 : 60;
	uint8_t *frame = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)bytes);
	const uint8_t head[14] = {
		2, 0, 0, 0, 0, 0x0b, 2, 0, 0, 0, 9, 9, i % 2 ? 0x86 : 8, i % 2 ? 0xdd : 0
	};

	memset(frame, 0, bytes);
	memcpy(frame, head, sizeof(head));
	if (i % 2)
		fill6(frame + 14, i);
	else
		fill4(frame + 14, i);
	frame[bytes - 2] = (uint8_t)(i >> 8);
	frame[bytes - 1] = (uint8_t)i;
	*frame_origin(m) = (struct frame_origin){ .wire_bytes = bytes };
}

static uint16_t receive(void *arg, struct rte_mbuf **frame, uint16_t n)
{
	struct fixture *f = arg;

	(void)n;
	if (rte_pktmbuf_alloc_bulk(f->pool, frame, BURST) != 0)
		return 0;
	for (int k = 0; k < BURST; k++) {
		fill(frame[k], f->next);
		f->next = (f->next + 1) % PREFIXES;
	}
	f->received += BURST;
	return BURST;
}

/* Did prefix i lead to gateway g in some round between least and most? */
static bool was_right(struct fixture *f, unsigned int i, unsigned int g, uint64_t most)
{
	for (uint64_t round = f->least; round <= most; round++) {
		const unsigned int is = gateway_of(round, i);

		if (is_group(i)) {
			if (g == is || g == (is + 1) % GATEWAYS)
				return true;
		} else if (g == is) {
			/* nor does it go back in time */
			if (round < f->seen[i])
				return false;
			f->seen[i] = round;
			return true;
		}
	}
	return false;
}

static uint16_t take(void *arg, struct rte_mbuf **frame, uint16_t n)
{
	struct fixture *f = arg;
	const uint64_t most = __atomic_load_n(&f->posted, __ATOMIC_ACQUIRE);

	for (uint16_t k = 0; k < n; k++) {
		const uint8_t *at = rte_pktmbuf_mtod(frame[k], const uint8_t *);
		const uint8_t *end = at + rte_pktmbuf_data_len(frame[k]);
		const unsigned int i = (unsigned int)(end[-2] << 8 | end[-1]);

		f->overlapped += most > f->least;
		if (was_right(f, i, at[5], most))
			continue;
		if (!f->wrong++)
			snprintf(f->first_wrong, sizeof(f->first_wrong),
				 "prefix %u went to gateway %u in rounds %llu to %llu, seen %llu",
				 i, at[5], (unsigned long long)f->least, (unsigned long long)most,
				 (unsigned long long)f->seen[i]);
	}
	f->sent += n;
	rte_pktmbuf_free_bulk(frame, n);
	return n;
}

static uint16_t take_nothing(void *arg, struct rte_mbuf **frame, uint16_t n)
{
	struct fixture *f = arg;

	f->wrong += n;
	rte_pktmbuf_free_bulk(frame, n);
	return n;
}

static void *forward(void *arg)
{
	struct fixture *f = arg;
	struct worker *w = dataplane_worker(f->dp, 0);
	struct rxq rxq = { receive, f, model_port_device(f->model, 1) };

	worker_online(w);
	while (!__atomic_load_n(&f->stop, __ATOMIC_ACQUIRE)) {
		f->least = __atomic_load_n(&f->in_force, __ATOMIC_ACQUIRE);
		worker_poll(w, &rxq);
		sched_yield(); /* where cores are few, control is what is waited for */
	}
	worker_offline(w);
	return NULL;
}

/* ---- control ---- */

static void on_change(void *arg)
{
	(void)arg; /* control publishes all the time */
}

static void publish(struct fixture *f)
{
	struct snapshot *s = model_snapshot(f->model);

	assert_non_null(s);
	snapshot_publish(f->dp, s);
	snapshot_reclaim(f->dp);
}

static void resolve(struct fixture *f, unsigned int g)
{
	const struct ip_address a = gateway(g);
	const struct rte_ether_addr mac = { { 2, 0, 0, 0, 1, (uint8_t)g } };

	assert_int_equal(model_set_neighbour(f->model, 0, &a, MODEL_NEIGHBOUR_RESOLVED, &mac), 0);
}

/* Another neighbour comes and goes: next hops alone are published. */
static void disturb(struct fixture *f, uint64_t turn)
{
	const struct ip_address stranger = { .key.hi = UINT64_C(0xc633640e) << 32 };
	const struct rte_ether_addr mac = { { 2, 9 } };

	assert_int_equal(
		model_set_neighbour(f->model, 0, &stranger,
				    turn % 2 ? MODEL_NEIGHBOUR_FAILED : MODEL_NEIGHBOUR_RESOLVED,
				    &mac),
		0);
}

static void set(struct route_batch *b, const struct ip_prefix *prefix, unsigned int g, size_t hops)
{
	const struct config_nexthop via[2] = { { gateway(g), 0, 1 },
					       { gateway((g + 1) % GATEWAYS), 0, 1 } };
	const struct route route = { *prefix, CONFIG_ROUTE_VIA, via, hops };

	assert_true(route_batch_set(b, ROUTE_FPM, &route));
}

/* One round: every prefix leads to its next gateway. */
static void post(struct fixture *f, uint64_t round)
{
	for (unsigned int i = 0; i < PREFIXES; i += EACH) {
		struct route_batch *b = route_batch_create(EACH, 2 * EACH);

		assert_non_null(b);
		for (unsigned int k = i; k < i + EACH; k++) {
			const struct ip_prefix prefix = prefix_of(k);

			set(b, &prefix, gateway_of(round, k), is_group(k) ? 2 : 1);
		}
		while (tables_post(f->tables, b) != 0)
			sched_yield();
	}
}

static void settle(struct fixture *f)
{
	const struct timespec nap = { .tv_nsec = 200000 };

	do {
		publish(f);
		nanosleep(&nap, NULL);
	} while (!tables_view(f->tables).resting);
	publish(f);
}

static void post_covers(struct fixture *f)
{
	const struct ip_prefix covers[2] = { { { { UINT64_C(0x0a) << 56, 0 }, 8 }, false },
					     { { { UINT64_C(0x20010db8) << 32, 0 }, 32 }, true } };
	struct route_batch *b = route_batch_create(2, 4);

	for (int ipv6 = 0; ipv6 < 2; ipv6++)
		set(b, &covers[ipv6], COVER, 1);
	assert_int_equal(tables_post(f->tables, b), 0);
}

static void start(struct fixture *f)
{
	const struct model_options options = { 0 };
	struct problems problems = { 0 };
	struct dataplane_config config = { .workers = 1, .offline = true, .transmit_queues = 2 };
	struct worker *w;

	f->pool = test_eal_pool(1023, 512);
	f->config = config_parse(text, strlen(text), "napd.yaml", &problems);
	f->model = model_create(f->config, &options, &problems);
	assert_non_null(f->model);
	problems_release(&problems);
	for (unsigned int g = 0; g < GATEWAYS; g++)
		resolve(f, g);
	resolve(f, COVER);
	assert_int_equal(model_prepare(f->model), 0);
	config.parties = model_parties(f->model);
	f->dp = dataplane_create(&config);
	assert_non_null(f->dp);
	w = dataplane_worker(f->dp, 0);
	worker_set_pool(w, f->pool);
	worker_set_transmit(w, 0, 0, (struct txq){ take, f });
	worker_set_transmit(w, 1, 1, (struct txq){ take_nothing, f });
	dataplane_set_link(f->dp, 0, true);
	dataplane_set_link(f->dp, 1, true);
	f->tables = tables_start(f->model, on_change, f);
	assert_non_null(f->tables);
	post_covers(f);
	post(f, 0);
	settle(f);
}

static time_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void every_packet_took_a_right_way(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct port_counters c;
	time_t end;

	(void)state;
	start(f);
	end = now_s() + SECONDS;
	assert_int_equal(pthread_create(&f->thread, NULL, forward, f), 0);
	for (uint64_t round = 1; round <= ROUNDS && (round < LEAST || now_s() < end); round++) {
		__atomic_store_n(&f->posted, round, __ATOMIC_RELEASE);
		post(f, round);
		disturb(f, round);
		publish(f);
		if (round % AHEAD)
			continue;
		settle(f);
		__atomic_store_n(&f->in_force, round, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&f->stop, true, __ATOMIC_RELEASE);
	pthread_join(f->thread, NULL);
	if (f->wrong)
		fail_msg("%llu of %llu packets: %s", (unsigned long long)f->wrong,
			 (unsigned long long)f->sent, f->first_wrong);
	/* none was dropped, and enough of them met a change */
	assert_int_equal(f->sent, f->received);
	counters_port(f->dp, 1, &c);
	assert_int_equal(c.received.packets, f->sent);
	assert_int_equal(c.forwarded.packets, f->sent);
	print_message("# %llu packets, %llu while their prefix changed, %llu tables\n",
		      (unsigned long long)f->sent, (unsigned long long)f->overlapped,
		      (unsigned long long)tables_view(f->tables).builds);
	assert_true(f->overlapped > 1000);
	tables_free(f->tables);
	dataplane_destroy(f->dp);
	model_free(f->model);
	config_free(f->config);
	free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_packet_took_a_right_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
