// SPDX-License-Identifier: BSD-3-Clause
/*
 * Routes of a daemon, told by netlink messages: single messages as they are read, random ones
 * against a naive table, and frames. Streams that FRR wrote are in tests/stress/fpm_streams.c.
 */
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>

#include "address.h"
#include "feed/fpm.h"
#include "feed/learned.h"
#include "model_state.h"

static uint64_t random_state = 9;

static uint32_t random_below(uint32_t n)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((random_state ^ random_state >> 29) >> 8) % n;
}

/* ---- an exchange: interface 11 is pa's TAP, 12 pb's ---- */

static const char exchange[] =
	"ports:\n"
	"  - {name: pa, device: x, addresses: [192.0.2.1/25, \"2001:db8:a::1/64\"]}\n"
	"  - {name: pb, device: y, addresses: [192.0.2.129/25, \"2001:db8:b::1/64\"]}\n";

static size_t port_of(void *ctx, uint32_t interface)
{
	(void)ctx;
	return interface == 11 ? 0 : interface == 12 ? 1 : SIZE_MAX;
}

struct bench {
	struct config *config;
	struct model *model;
	struct learned *learned;
};

static struct bench make_bench(bool kernel)
{
	const struct model_options options = { 0 };
	struct problems problems = { 0 };
	struct bench b;

	b.config = config_parse(exchange, strlen(exchange), "exchange", &problems);
	assert_non_null(b.config);
	b.model = model_create(b.config, &options, &problems);
	assert_non_null(b.model);
	b.learned = learned_create(&(struct learned_options){ .model = b.model,
							      .source = ROUTE_KERNEL,
							      .table = 100,
							      .kernel = kernel,
							      .port_of = port_of });
	assert_non_null(b.learned);
	return b;
}

static void free_bench(struct bench *b)
{
	learned_free(b->learned);
	model_free(b->model);
	config_free(b->config);
}

/* ---- messages ---- */

static _Alignas(8) uint8_t space[4096];

static struct nlmsghdr *route_message(uint16_t type, const char *prefix, uint8_t kind,
				      uint32_t metric)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(space);
	struct rtmsg *rt = mnl_nlmsg_put_extra_header(h, sizeof(*rt));
	struct ip_prefix p;
	uint8_t octets[16];

	assert_int_equal(ip_prefix_parse(prefix, &p), 0);
	for (int i = 0; i < 16; i++)
		octets[i] = (uint8_t)((i < 8 ? p.key.address.hi : p.key.address.lo) >>
				      (56 - i % 8 * 8));
	h->nlmsg_type = type;
	rt->rtm_family = p.ipv6 ? AF_INET6 : AF_INET;
	rt->rtm_dst_len = p.key.length;
	rt->rtm_table = 100;
	rt->rtm_type = kind;
	mnl_attr_put(h, RTA_DST, p.ipv6 ? 16 : 4, octets);
	mnl_attr_put_u32(h, RTA_PRIORITY, metric);
	return h;
}

static void put_gateway(struct nlmsghdr *h, uint16_t attribute, const char *text)
{
	struct ip_address a;
	uint8_t octets[18] = { 0 }, *at = octets;
	const uint16_t family = strchr(text, ':') ? AF_INET6 : AF_INET;

	assert_int_equal(ip_address_parse(text, &a), 0);
	if (attribute == RTA_VIA) {
		memcpy(at, &family, 2);
		at += 2;
	}
	for (int i = 0; i < (a.ipv6 ? 16 : 4); i++)
		*at++ = (uint8_t)((i < 8 ? a.key.hi : a.key.lo) >> (56 - i % 8 * 8));
	mnl_attr_put(h, attribute, (size_t)(at - octets), octets);
}

struct via {
	const char *gateway;
	int interface;
	uint8_t weight;
	uint8_t flags;
};

static void put_multipath(struct nlmsghdr *h, const struct via *via, int n)
{
	struct nlattr *nest = mnl_attr_nest_start(h, RTA_MULTIPATH);

	for (int i = 0; i < n; i++) {
		struct rtnexthop *next = mnl_nlmsg_get_payload_tail(h);

		memset(next, 0, sizeof(*next));
		next->rtnh_ifindex = via[i].interface;
		next->rtnh_hops = (uint8_t)(via[i].weight - 1);
		next->rtnh_flags = via[i].flags;
		h->nlmsg_len += sizeof(*next);
		put_gateway(h, strchr(via[i].gateway, ':') ? RTA_VIA : RTA_GATEWAY, via[i].gateway);
		next->rtnh_len =
			(uint16_t)((uint8_t *)mnl_nlmsg_get_payload_tail(h) - (uint8_t *)next);
	}
	mnl_attr_nest_end(h, nest);
}

static struct netlink_message read_message(const struct nlmsghdr *h)
{
	struct netlink_message m;
	const char *wrong = "nothing";

	if (netlink_parse(h, &m, &wrong))
		fail_msg("%s", wrong);
	return m;
}

static void messages_as_they_are_read(void **state)
{
	static const struct via two[] = { { "192.0.2.2", 11, 1, 0 },
					  { "192.0.2.130", 12, 200, 0 } };
	static const struct via dead[] = { { "192.0.2.2", 11, 1, RTNH_F_DEAD },
					   { "fe80::2", 12, 256 - 256, 0 } };
	struct netlink_message m;
	struct nlmsghdr *h;

	(void)state;
	h = route_message(RTM_NEWROUTE, "198.18.0.0/15", RTN_UNICAST, 32);
	put_gateway(h, RTA_GATEWAY, "192.0.2.2");
	mnl_attr_put_u32(h, RTA_OIF, 11);
	mnl_attr_put_u32(h, RTA_TABLE, 70000);
	m = read_message(h);
	assert_int_equal(m.what, TOLD_ROUTE);
	assert_false(m.gone);
	assert_int_equal(m.kind, TOLD_VIA);
	assert_int_equal(m.table, 70000);
	assert_int_equal(m.metric, 32);
	assert_int_equal(m.prefix.key.length, 15);
	assert_int_equal(m.hops, 1);
	assert_int_equal(m.hop[0].interface, 11);
	assert_int_equal(m.hop[0].gateway.key.hi, 0xc0000202ull << 32);

	h = route_message(RTM_DELROUTE, "::/0", RTN_UNICAST, 0);
	m = read_message(h);
	assert_true(m.gone);
	assert_true(m.prefix.ipv6);

	h = route_message(RTM_NEWROUTE, "198.18.0.0/15", RTN_UNICAST, 0);
	put_multipath(h, two, 2);
	m = read_message(h);
	assert_int_equal(m.hops, 2);
	assert_int_equal(m.hop[0].weight, 1);
	assert_int_equal(m.hop[1].weight, 200);

	h = route_message(RTM_NEWROUTE, "198.18.0.0/15", RTN_UNICAST, 0);
	put_multipath(h, dead, 2); /* RFC 8950 by RTA_VIA, weight 256 */
	m = read_message(h);
	assert_int_equal(m.hops, 1);
	assert_true(m.hop[0].gateway.ipv6);
	assert_int_equal(m.hop[0].weight, 256);
	for (int kind = 0; kind < 20; kind++) {
		m = read_message(route_message(RTM_NEWROUTE, "10.0.0.0/8", (uint8_t)kind, 0));
		assert_int_equal(m.kind, kind == RTN_UNICAST       ? TOLD_VIA
					 : kind == RTN_BLACKHOLE   ? TOLD_BLACKHOLE
					 : kind == RTN_UNREACHABLE ? TOLD_UNREACHABLE
					 : kind == RTN_PROHIBIT    ? TOLD_PROHIBIT
								   : TOLD_UNUSED);
	}
}

static void messages_that_are_wrong(void **state)
{
	struct netlink_message m;
	const char *wrong;
	struct nlmsghdr *h;

	(void)state;
	h = route_message(RTM_NEWROUTE, "198.18.0.0/15", RTN_UNICAST, 0);
	((struct rtmsg *)mnl_nlmsg_get_payload(h))->rtm_dst_len = 33;
	assert_int_equal(netlink_parse(h, &m, &wrong), -EINVAL);
	((struct rtmsg *)mnl_nlmsg_get_payload(h))->rtm_dst_len = 16;
	assert_int_equal(netlink_parse(h, &m, &wrong), 0);
	((struct rtmsg *)mnl_nlmsg_get_payload(h))->rtm_dst_len = 8;
	assert_int_equal(netlink_parse(h, &m, &wrong), -EINVAL);
	assert_string_equal(wrong, "the prefix of a route has host bits set");
	h = route_message(RTM_NEWROUTE, "198.18.0.0/15", RTN_UNICAST, 0);
	mnl_attr_put(h, RTA_GATEWAY, 5, "12345");
	assert_int_equal(netlink_parse(h, &m, &wrong), -EINVAL);
	h = route_message(RTM_NEWROUTE, "198.18.0.0/15", RTN_UNICAST, 0);
	mnl_attr_put(h, RTA_MULTIPATH, 7, "1234567");
	assert_int_equal(netlink_parse(h, &m, &wrong), -EINVAL);
	h = mnl_nlmsg_put_header(space);
	h->nlmsg_type = RTM_NEWNEXTHOP;
	mnl_nlmsg_put_extra_header(h, sizeof(struct nhmsg));
	assert_int_equal(netlink_parse(h, &m, &wrong), -EINVAL);
	mnl_attr_put_u32(h, NHA_ID, 7);
	mnl_attr_put(h, NHA_GROUP, 7, "1234567");
	assert_int_equal(netlink_parse(h, &m, &wrong), -EINVAL);
}

/* ---- against a naive table ---- */

#define PREFIXES 6
#define METRICS  2
#define IDS      6

struct naive {
	bool kernel;
	bool there[PREFIXES][METRICS];
	struct netlink_message route[PREFIXES][METRICS];
	bool known[IDS + 1];
	struct netlink_message object[IDS + 1];
};

static const char *const prefixes[PREFIXES] = { "10.0.0.0/8",      "10.1.0.0/16",  "0.0.0.0/0",
						"2001:db8:7::/48", "192.0.2.0/26", "::/0" };

static struct ip_address address(const char *text)
{
	struct ip_address a;

	assert_int_equal(ip_address_parse(text, &a), 0);
	return a;
}

static struct netlink_hop random_hop(bool ipv6)
{
	static const char *const four[] = { "192.0.2.2", "192.0.2.3", "192.0.2.130", "203.0.113.1",
					    "192.0.2.1" };
	static const char *const six[] = { "2001:db8:a::2", "2001:db8:b::2", "fe80::2",
					   "2001:db8:c::2" };
	const bool over6 = ipv6 || !random_below(4);

	return (struct netlink_hop){ .gateway = address(over6 ? six[random_below(4)]
							      : four[random_below(5)]),
				     .has_gateway = random_below(8),
				     .interface = 11 + random_below(3),
				     .weight = 1 };
}

static struct netlink_message random_route(uint32_t prefix, uint32_t metric)
{
	struct netlink_message m = { .what = TOLD_ROUTE, .table = 100, .metric = metric };

	assert_int_equal(ip_prefix_parse(prefixes[prefix], &m.prefix), 0);
	m.gone = random_below(3) == 0;
	m.kind = random_below(6) ? TOLD_VIA : TOLD_BLACKHOLE + random_below(4);
	if (m.kind == TOLD_VIA && random_below(2))
		m.object = 1 + random_below(IDS);
	else if (m.kind == TOLD_VIA)
		for (m.hops = 0; m.hops < random_below(4); m.hops++)
			m.hop[m.hops] = random_hop(m.prefix.ipv6);
	return m;
}

static struct netlink_message random_object(void)
{
	struct netlink_message m = { .what = TOLD_OBJECT, .id = 1 + random_below(IDS) };

	m.gone = random_below(3) == 0;
	m.kind = random_below(8) ? TOLD_VIA : TOLD_BLACKHOLE;
	m.group = m.kind == TOLD_VIA && random_below(3) == 0;
	if (m.group) {
		for (m.hops = 0; m.hops < 1 + random_below(3); m.hops++)
			m.hop[m.hops] =
				(struct netlink_hop){ .id = random_below(IDS + 1), .weight = 1 };
	} else if (m.kind == TOLD_VIA) {
		m.hop[m.hops++] = random_hop(true);
	}
	return m;
}

/* All but that hop; false: the route goes. */
static bool naive_delete_hop(struct netlink_message *route, const struct netlink_message *m)
{
	const struct netlink_message was = *route;

	if (!m->prefix.ipv6 || was.object || was.hops < 2 || m->hops != 1)
		return false;
	for (uint32_t i = route->hops = 0; i < was.hops; i++)
		if (was.hop[i].interface != m->hop[0].interface ||
		    was.hop[i].has_gateway != m->hop[0].has_gateway ||
		    (m->hop[0].has_gateway &&
		     !ip_address_equal(&was.hop[i].gateway, &m->hop[0].gateway)))
			route->hop[route->hops++] = was.hop[i];
	return route->hops > 0;
}

static void naive_apply(struct naive *n, const struct netlink_message *m, uint32_t prefix)
{
	const uint32_t metric = n->kernel ? m->metric : 0;

	if (m->what == TOLD_ROUTE) {
		if (n->kernel && m->gone && n->there[prefix][metric] &&
		    naive_delete_hop(&n->route[prefix][metric], m))
			return;
		n->there[prefix][metric] = !m->gone && m->kind != TOLD_UNUSED;
		n->route[prefix][metric] = *m;
		return;
	}
	n->known[m->id] = !m->gone;
	n->object[m->id] = *m;
	for (int i = 0; n->kernel && m->gone && i < PREFIXES * METRICS; i++)
		if (n->route[i / METRICS][i % METRICS].object == m->id)
			n->there[i / METRICS][i % METRICS] = false;
}

struct expected {
	uint32_t leaf; /* special, or 0 */
	struct hop_key hop[8];
	uint32_t n;
};

static void expect_hop(const struct bench *b, const struct netlink_hop *hop, bool is_default,
		       struct expected *e)
{
	const size_t port = port_of(NULL, hop->interface);
	struct hop_key key = { hop->gateway, (uint16_t)port, is_default };

	if (port == SIZE_MAX || !hop->has_gateway)
		return;
	if (!ip_is_link_local(&hop->gateway) && (model_port_of(b->model, &hop->gateway) != port ||
						 model_is_own(b->model, &hop->gateway)))
		return;
	for (uint32_t i = 0; i < e->n; i++)
		if (e->hop[i].port == port && ip_address_equal(&e->hop[i].gateway, &hop->gateway))
			return;
	e->hop[e->n++] = key;
}

static struct expected expect(const struct bench *b, const struct naive *n, uint32_t prefix)
{
	const struct netlink_message *m = NULL, *o;
	struct expected e = { 0 };
	bool is_default;

	for (int metric = METRICS; metric-- > 0;)
		if (n->there[prefix][metric])
			m = &n->route[prefix][metric];
	if (!m || prefix == 4) /* inside a connected subnet */
		return e;
	is_default = m->prefix.key.length == 0;
	if (m->kind != TOLD_VIA) {
		e.leaf = m->kind == TOLD_BLACKHOLE     ? LEAF_BLACKHOLE
			 : m->kind == TOLD_UNREACHABLE ? LEAF_UNREACHABLE
						       : LEAF_PROHIBIT;
		return e;
	}
	o = m->object ? &n->object[m->object] : m;
	if (m->object && !n->known[m->object])
		return e;
	if (m->object && o->kind == TOLD_BLACKHOLE)
		e.leaf = LEAF_BLACKHOLE;
	for (uint32_t i = 0; i < o->hops; i++) {
		const struct netlink_message *member = o->group ? &n->object[o->hop[i].id] : NULL;

		if (!member)
			expect_hop(b, &o->hop[i], is_default, &e);
		else if (n->known[o->hop[i].id] && !member->group && member->hops)
			expect_hop(b, &member->hop[0], is_default, &e);
		else if (n->known[o->hop[i].id] && member->kind == TOLD_BLACKHOLE && o->hops == 1)
			e.leaf = LEAF_BLACKHOLE;
	}
	return e;
}

static void check_prefix(const struct bench *b, const struct naive *n, uint32_t prefix)
{
	const struct expected e = expect(b, n, prefix);
	const struct hops *hops = &b->model->hops;
	const struct hop_group *g;
	struct ip_prefix p;
	uint32_t leaf;

	assert_int_equal(ip_prefix_parse(prefixes[prefix], &p), 0);
	leaf = rib_get(b->model->rib, &p, ROUTE_KERNEL);
	if (e.leaf || !e.n) {
		assert_int_equal(leaf, e.leaf);
		return;
	}
	g = leaf & LEAF_GROUP ? &hops->group[leaf & ~LEAF_GROUP] : NULL;
	assert_int_equal(g ? g->choices : leaf >= LEAF_FIRST_FREE, e.n);
	for (uint32_t i = 0; i < e.n; i++) {
		bool there = false;

		for (uint32_t k = 0; k < e.n; k++) {
			const struct hop_key *key = &hops->hop[g ? g->choice[k].hop : leaf].key;

			there |= key->port == e.hop[i].port &&
				 ip_address_equal(&key->gateway, &e.hop[i].gateway);
		}
		assert_true(there);
	}
}

static void check_counts(const struct bench *b, const struct naive *n)
{
	struct learned_counts counts;
	uint64_t routes = 0, told = 0;

	learned_counts(b->learned, &counts);
	for (int i = 0; i < LEARNED_STATES; i++)
		told += counts.routes[i];
	for (int i = 0; i < PREFIXES * METRICS; i++)
		routes += n->there[i / METRICS][i % METRICS];
	assert_int_equal(told, routes);
	assert_int_equal(b->model->refused, counts.routes[LEARNED_REFUSED]);
	assert_int_equal(counts.routes[LEARNED_USED],
			 rib_routes_of(b->model->rib, false, ROUTE_KERNEL) +
				 rib_routes_of(b->model->rib, true, ROUTE_KERNEL));
	assert_true(counts.objects <= IDS);
}

static void random_messages(bool kernel)
{
	struct bench b = make_bench(kernel);
	struct naive n = { .kernel = kernel };

	for (int round = 0; round < 30000; round++) {
		const uint32_t prefix = random_below(PREFIXES);
		struct netlink_message m = random_below(2)
						   ? random_route(prefix, random_below(METRICS))
						   : random_object();

		naive_apply(&n, &m, prefix);
		assert_int_equal(learned_apply(b.learned, &m), 0);
		for (uint32_t i = 0; i < PREFIXES; i++)
			check_prefix(&b, &n, i);
		check_counts(&b, &n);
	}
	free_bench(&b);
}

static void one_route_a_prefix(void **state)
{
	(void)state;
	random_messages(false);
}

static void metrics_and_objects_of_the_kernel(void **state)
{
	(void)state;
	random_messages(true);
}

static void what_is_not_ours_is_counted(void **state)
{
	struct bench b = make_bench(false);
	struct netlink_message m = { .what = TOLD_ROUTE, .table = 254 };
	struct learned_counts counts;

	(void)state;
	assert_int_equal(ip_prefix_parse("10.0.0.0/8", &m.prefix), 0);
	assert_int_equal(learned_apply(b.learned, &m), 0);
	m.table = 100;
	m.kind = TOLD_UNUSED;
	assert_int_equal(learned_apply(b.learned, &m), 0);
	m.kind = TOLD_VIA;
	m.hop[m.hops++] = (struct netlink_hop){ .interface = 99, .weight = 1 };
	assert_int_equal(learned_apply(b.learned, &m), 0);
	assert_int_equal(ip_prefix_parse("fe80::/64", &m.prefix), 0);
	assert_int_equal(learned_apply(b.learned, &m), 0);
	learned_counts(b.learned, &counts);
	assert_int_equal(counts.other_table, 1);
	assert_int_equal(counts.other_kind, 1);
	assert_int_equal(counts.link_local, 1);
	assert_int_equal(counts.routes[LEARNED_FOREIGN], 1);
	free_bench(&b);
}

static void a_group_that_names_itself(void **state)
{
	struct bench b = make_bench(false);
	struct netlink_message m = { .what = TOLD_OBJECT, .id = 9, .group = true, .hops = 1 };
	struct learned_counts counts;

	(void)state;
	m.hop[0] = (struct netlink_hop){ .id = 9, .weight = 1 };
	assert_int_equal(learned_apply(b.learned, &m), 0);
	assert_int_equal(learned_apply(b.learned, &m), 0);
	learned_mark(b.learned); /* did not come to an end */
	learned_counts(b.learned, &counts);
	assert_int_equal(counts.objects, 0);
	assert_int_equal(learned_apply(b.learned, &m), 0);
	m.gone = true;
	assert_int_equal(learned_apply(b.learned, &m), 0);
	learned_counts(b.learned, &counts);
	assert_int_equal(counts.objects, 0);
	free_bench(&b);
}

/* ---- what changes around routes ---- */

static uint32_t leaf_of(const struct bench *b, const char *prefix)
{
	struct ip_prefix p;

	assert_int_equal(ip_prefix_parse(prefix, &p), 0);
	return rib_get(b->model->rib, &p, ROUTE_KERNEL);
}

static struct netlink_message via(const char *prefix, const char *gateway, uint32_t interface)
{
	struct netlink_message m = { .what = TOLD_ROUTE, .table = 100, .hops = 1 };

	assert_int_equal(ip_prefix_parse(prefix, &m.prefix), 0);
	m.hop[0] = (struct netlink_hop){ .has_gateway = true, .interface = interface, .weight = 1 };
	assert_int_equal(ip_address_parse(gateway, &m.hop[0].gateway), 0);
	return m;
}

/* ---- from before the start ---- */

static int restore(const struct bench *b, const char *prefix, const char *gateway, size_t port)
{
	struct config_nexthop hop = { .port = port, .weight = 1 };
	struct route route = { .kind = CONFIG_ROUTE_VIA, .via = &hop, .via_count = 1 };

	assert_int_equal(ip_prefix_parse(prefix, &route.prefix), 0);
	assert_int_equal(ip_address_parse(gateway, &hop.address), 0);
	return learned_restore(b->learned, &route);
}

static bool is_stale(const struct bench *b, const char *prefix)
{
	struct ip_prefix p;

	assert_int_equal(ip_prefix_parse(prefix, &p), 0);
	return learned_is_stale(b->learned, &p);
}

static void restored_routes_are_stale_until_told(void **state)
{
	struct bench b = make_bench(true);
	struct netlink_message m = via("10.1.0.0/16", "192.0.2.3", 11);
	struct learned_counts counts;
	uint32_t leaf;

	(void)state;
	assert_int_equal(restore(&b, "10.1.0.0/16", "192.0.2.2", 0), 0);
	assert_int_equal(restore(&b, "10.2.0.0/16", "fe80::2", 1), 0);
	assert_int_equal(restore(&b, "10.3.0.0/16", "192.0.2.2", 0), 0);
	assert_int_equal(restore(&b, "10.3.0.0/16", "192.0.2.3", 0), -EEXIST);
	assert_true(is_stale(&b, "10.1.0.0/16"));
	leaf = leaf_of(&b, "10.1.0.0/16");
	assert_int_not_equal(leaf, 0);
	learned_resolve_again(b.learned); /* it has no interface to look up */
	assert_false(learned_resolve(b.learned, 1000));
	assert_int_equal(leaf_of(&b, "10.1.0.0/16"), leaf);

	/* with a metric, though nobody knows what it was: it is that route */
	m.metric = 77;
	assert_int_equal(learned_apply(b.learned, &m), 0);
	assert_false(is_stale(&b, "10.1.0.0/16"));
	assert_int_not_equal(leaf_of(&b, "10.1.0.0/16"), leaf);
	/* and another metric is another route */
	m = via("10.1.0.0/16", "192.0.2.4", 11);
	m.metric = 99;
	assert_int_equal(learned_apply(b.learned, &m), 0);
	m.gone = true;
	m.metric = 77;
	assert_int_equal(learned_apply(b.learned, &m), 0);
	assert_int_not_equal(leaf_of(&b, "10.1.0.0/16"), 0);
	m.metric = 99;
	assert_int_equal(learned_apply(b.learned, &m), 0);
	assert_int_equal(leaf_of(&b, "10.1.0.0/16"), 0);

	/* a deletion means it as well */
	m = via("10.2.0.0/16", "192.0.2.3", 11);
	m.gone = true;
	m.metric = 5;
	assert_int_equal(learned_apply(b.learned, &m), 0);
	assert_int_equal(leaf_of(&b, "10.2.0.0/16"), 0);

	learned_mark(b.learned); /* the connection is lost meanwhile */
	assert_int_not_equal(leaf_of(&b, "10.3.0.0/16"), 0);
	assert_false(learned_sweep(b.learned, 1000));
	assert_int_equal(leaf_of(&b, "10.3.0.0/16"), 0);
	learned_counts(b.learned, &counts);
	assert_int_equal(counts.stale, 0);
	for (int i = 0; i < LEARNED_STATES; i++)
		assert_int_equal(counts.routes[i], 0);
	free_bench(&b);
}

static void what_has_no_place_is_not_restored(void **state)
{
	struct bench b = make_bench(true);
	struct learned_counts counts;
	struct model_routes routes;

	(void)state;
	assert_int_equal(restore(&b, "10.1.0.0/16", "192.0.2.2", SIZE_MAX), -ENETUNREACH);
	assert_int_equal(restore(&b, "10.1.0.0/16", "192.0.2.2", 1), -ENETUNREACH);
	assert_int_equal(restore(&b, "10.1.0.0/16", "192.0.2.1", 0), -ENETUNREACH);
	assert_int_equal(restore(&b, "192.0.2.0/26", "192.0.2.2", 0), -EADDRINUSE);
	assert_int_equal(restore(&b, "fe80::/64", "192.0.2.2", 0), -EADDRNOTAVAIL);
	learned_counts(b.learned, &counts);
	for (int i = 0; i < LEARNED_STATES; i++)
		assert_int_equal(counts.routes[i], 0);
	model_routes(b.model, &routes);
	assert_int_equal(routes.refused, 0);
	assert_int_equal(routes.unresolved, 0);
	free_bench(&b);
}

/* Of an IPv6 route with several next hops: told of one, the kernel means that one. */
static void a_next_hop_of_several_goes(void **state)
{
	struct bench b = make_bench(true);
	struct netlink_message m = via("2001:db8:1::/48", "2001:db8:a::2", 11);
	uint32_t one, two;

	(void)state;
	assert_int_equal(learned_apply(b.learned, &m), 0);
	one = leaf_of(&b, "2001:db8:1::/48");
	assert_int_not_equal(one, 0);
	m.hops = 2;
	m.hop[1] = via("::/0", "2001:db8:b::2", 12).hop[0];
	assert_int_equal(learned_apply(b.learned, &m), 0);
	two = leaf_of(&b, "2001:db8:1::/48");
	assert_int_not_equal(two, one);
	m = via("2001:db8:1::/48", "2001:db8:b::2", 12);
	m.gone = true;
	assert_int_equal(learned_apply(b.learned, &m), 0);
	assert_int_equal(leaf_of(&b, "2001:db8:1::/48"), one);
	m = via("2001:db8:1::/48", "2001:db8:a::2", 11);
	m.gone = true;
	assert_int_equal(learned_apply(b.learned, &m), 0);
	assert_int_equal(leaf_of(&b, "2001:db8:1::/48"), 0);
	free_bench(&b);
}

static bool taps_there; /* of port_later() */

static size_t port_later(void *ctx, uint32_t interface)
{
	return taps_there ? port_of(ctx, interface) : SIZE_MAX;
}

/* zebra is there before the TAPs: routes wait for their ports, with objects and without. */
static void routes_find_ports_that_come_later(void **state)
{
	struct bench b = make_bench(false);
	struct netlink_message m = via("10.0.0.0/8", "192.0.2.2", 11);
	struct learned_counts counts;

	(void)state;
	learned_free(b.learned);
	b.learned = learned_create(&(struct learned_options){
		.model = b.model, .source = ROUTE_KERNEL, .table = 100, .port_of = port_later });
	taps_there = false;
	assert_int_equal(learned_apply(b.learned, &m), 0);
	m.what = TOLD_OBJECT;
	m.id = 7;
	assert_int_equal(learned_apply(b.learned, &m), 0);
	m = via("11.0.0.0/8", "192.0.2.2", 11);
	m.object = 7;
	m.hops = 0;
	assert_int_equal(learned_apply(b.learned, &m), 0);
	learned_counts(b.learned, &counts);
	assert_int_equal(counts.routes[LEARNED_FOREIGN], 2);
	taps_there = true;
	learned_resolve_again(b.learned);
	while (learned_resolve(b.learned, 1))
		;
	learned_counts(b.learned, &counts);
	assert_int_equal(counts.routes[LEARNED_USED], 2);
	assert_int_not_equal(leaf_of(&b, "10.0.0.0/8"), 0);
	assert_int_equal(leaf_of(&b, "10.0.0.0/8"), leaf_of(&b, "11.0.0.0/8"));
	taps_there = false;
	learned_resolve_again(b.learned);
	while (learned_resolve(b.learned, 1))
		;
	assert_int_equal(leaf_of(&b, "10.0.0.0/8"), 0);
	free_bench(&b);
}

/* A route that is told again before its object stays as it was till that comes. */
static void a_stale_route_stays_until_it_is_known_anew(void **state)
{
	struct bench b = make_bench(false);
	struct netlink_message m = via("10.0.0.0/8", "192.0.2.2", 11), o;
	struct learned_counts counts;
	uint32_t leaf;

	(void)state;
	assert_int_equal(learned_apply(b.learned, &m), 0);
	leaf = leaf_of(&b, "10.0.0.0/8");
	learned_mark(b.learned);
	assert_true(learned_is_stale(b.learned, &m.prefix));
	learned_resolve_again(b.learned);
	while (learned_resolve(b.learned, 1))
		;
	assert_int_equal(leaf_of(&b, "10.0.0.0/8"), leaf);
	m.object = 7;
	m.hops = 0;
	assert_int_equal(learned_apply(b.learned, &m), 0);
	assert_false(learned_is_stale(b.learned, &m.prefix));
	assert_int_equal(learned_state_of(b.learned, &m.prefix), LEARNED_WAITING);
	assert_int_equal(leaf_of(&b, "10.0.0.0/8"), leaf);
	o = via("0.0.0.0/0", "192.0.2.3", 11);
	o.what = TOLD_OBJECT;
	o.id = 7;
	assert_int_equal(learned_apply(b.learned, &o), 0);
	assert_int_not_equal(leaf_of(&b, "10.0.0.0/8"), leaf);
	assert_int_equal(learned_state_of(b.learned, &m.prefix), LEARNED_USED);
	while (learned_sweep(b.learned, 1))
		;
	learned_counts(b.learned, &counts);
	assert_int_equal(counts.routes[LEARNED_USED], 1);
	free_bench(&b);
}

/* A reload: what was refused or foreign is counted by the next model, and looked at again. */
static void routes_move_to_the_next_model(void **state)
{
	static const char other[] =
		"ports:\n"
		"  - {name: pa, device: x, addresses: [192.0.2.1/25]}\n"
		"  - {name: pb, device: y, addresses: [192.0.2.129/25, 10.1.0.1/16]}\n";
	struct bench b = make_bench(false);
	struct netlink_message inside = via("192.0.2.0/26", "192.0.2.2", 11);
	struct netlink_message later = via("10.1.2.0/24", "192.0.2.2", 11);
	const struct model_options options = { .previous = b.model };
	struct problems problems = { 0 };
	struct config *config = config_parse(other, strlen(other), "other", &problems);
	struct model *next = model_create(config, &options, &problems);

	(void)state;
	assert_non_null(next);
	assert_int_equal(learned_apply(b.learned, &inside), 0);
	assert_int_equal(learned_apply(b.learned, &later), 0);
	assert_int_equal(b.model->refused, 1);
	assert_int_equal(model_carry(next, b.model), 0);
	learned_move(b.learned, next);
	assert_int_equal(next->refused, 1);
	while (learned_resolve(b.learned, 1))
		;
	assert_int_equal(next->refused, 2); /* 10.1/16 is connected now */
	assert_int_equal(rib_get(next->rib, &later.prefix, ROUTE_KERNEL), 0);
	model_free(b.model);
	config_free(b.config);
	b.model = next;
	b.config = config;
	free_bench(&b);
	problems_release(&problems);
}

/* ---- frames ---- */

static size_t put_frame(uint8_t *to, const struct nlmsghdr *const *message, int n)
{
	size_t length = 4;

	for (int i = 0; i < n; i++) {
		memcpy(to + length, message[i], message[i]->nlmsg_len);
		length += MNL_ALIGN(message[i]->nlmsg_len);
	}
	to[0] = to[1] = 1;
	to[2] = (uint8_t)(length >> 8);
	to[3] = (uint8_t)length;
	return length;
}

static struct nlmsghdr *copy_message(const struct nlmsghdr *h)
{
	struct nlmsghdr *copy = calloc(1, MNL_ALIGN(h->nlmsg_len));

	memcpy(copy, h, h->nlmsg_len);
	return copy;
}

static struct nlmsghdr *route_by(const char *prefix, const char *gateway)
{
	struct nlmsghdr *h = route_message(RTM_NEWROUTE, prefix, RTN_UNICAST, 20);

	put_gateway(h, RTA_GATEWAY, gateway);
	mnl_attr_put_u32(h, RTA_OIF, 11);
	return copy_message(h);
}

static void a_change_in_one_frame_opens_no_hole(void **state)
{
	struct bench b = make_bench(false);
	struct fpm *fpm = fpm_create(b.learned);
	struct nlmsghdr *one = route_by("10.0.0.0/8", "192.0.2.2");
	struct nlmsghdr *two = route_by("10.0.0.0/8", "192.0.2.3");
	struct nlmsghdr *gone =
		copy_message(route_message(RTM_DELROUTE, "10.0.0.0/8", RTN_UNICAST, 20));
	const struct nlmsghdr *change[] = { gone, two }, *away[] = { two, gone };
	const struct nlmsghdr *first[] = { one };
	static uint8_t frame[1024];
	struct fpm_counts counts;
	const char *wrong;
	struct ip_prefix p;
	size_t n;

	(void)state;
	assert_int_equal(ip_prefix_parse("10.0.0.0/8", &p), 0);
	n = put_frame(frame, first, 1);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(rib_get(b.model->rib, &p, ROUTE_KERNEL), 0);
		assert_int_equal(fpm_receive(fpm, frame + i, 1, &wrong), 0);
	}
	assert_true(rib_get(b.model->rib, &p, ROUTE_KERNEL));
	n = put_frame(frame, change, 2);
	assert_int_equal(fpm_receive(fpm, frame, n, &wrong), 0);
	assert_true(rib_get(b.model->rib, &p, ROUTE_KERNEL));
	fpm_counts(fpm, &counts);
	assert_int_equal(counts.frames, 2);
	assert_int_equal(counts.messages, 3);
	assert_int_equal(counts.replaced, 1);
	n = put_frame(frame, away, 2);
	assert_int_equal(fpm_receive(fpm, frame, n, &wrong), 0);
	assert_int_equal(rib_get(b.model->rib, &p, ROUTE_KERNEL), 0);
	fpm_free(fpm);
	free_bench(&b);
	free(one);
	free(two);
	free(gone);
}

static void streams_that_are_none(void **state)
{
	static const struct {
		uint8_t bytes[20];
		const char *wrong;
	} rows[] = {
		{ { 2, 1, 0, 8 }, "it is not of FPM's version 1" },
		{ { 1, 2, 0, 8 }, "its messages are not netlink's (zebra needs -M dplane_fpm_nl)" },
		{ { 1, 1, 0, 3 }, "a frame is shorter than its header" },
		{ { 1, 1, 0, 8, 1, 2, 3, 4 }, "a frame ends inside a message" },
		/* libmnl takes this length for a negative one */
		{ { 1, 1, 0, 20, 0x87, 0x87, 0x87, 0x87 }, "a frame ends inside a message" },
	};
	struct bench b = make_bench(false);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fpm *fpm = fpm_create(b.learned);
		const char *wrong = "";

		assert_int_equal(fpm_receive(fpm, rows[i].bytes, 20, &wrong), -EINVAL);
		assert_string_equal(wrong, rows[i].wrong);
		fpm_free(fpm);
	}
	free_bench(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_as_they_are_read),
		cmocka_unit_test(messages_that_are_wrong),
		cmocka_unit_test(one_route_a_prefix),
		cmocka_unit_test(metrics_and_objects_of_the_kernel),
		cmocka_unit_test(what_is_not_ours_is_counted),
		cmocka_unit_test(a_next_hop_of_several_goes),
		cmocka_unit_test(restored_routes_are_stale_until_told),
		cmocka_unit_test(what_has_no_place_is_not_restored),
		cmocka_unit_test(routes_find_ports_that_come_later),
		cmocka_unit_test(a_stale_route_stays_until_it_is_known_anew),
		cmocka_unit_test(routes_move_to_the_next_model),
		cmocka_unit_test(a_group_that_names_itself),
		cmocka_unit_test(a_change_in_one_frame_opens_no_hole),
		cmocka_unit_test(streams_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
