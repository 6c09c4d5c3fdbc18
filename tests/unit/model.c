// SPDX-License-Identifier: BSD-3-Clause
/* What workers get of a configuration: ports, next hops, tables, groups, source classes. */
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>

#include "address.h"
#include "model.h"
#include "out_of_memory.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- configurations by hand ---- */

static struct ip_address address(const char *text)
{
	struct ip_address a;

	assert_int_equal(ip_address_parse(text, &a), 0);
	return a;
}

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p;

	assert_int_equal(ip_prefix_parse(text, &p), 0);
	return p;
}

static struct interface_address on(const char *text)
{
	struct interface_address a = { 0 };

	assert_int_equal(ip_address_length_parse(text, &a.address, &a.length), 0);
	return a;
}

static struct rte_ether_addr mac(uint8_t last)
{
	return (struct rte_ether_addr){ { 2, 0, 0, 0, 0, last } };
}

/*
 * Ports pa (Alpha alone), pb (Beta and Gamma), pc (nobody; VLAN 7 on pb's
 * device), pd (Delta, disabled). Alpha has a static router, one without a MAC, a link-local one.
 */
struct exchange {
	struct config config;
	struct config_port port[4];
	struct interface_address addresses[8];
	struct config_member member[4];
	struct config_router router[8];
	struct rte_ether_addr macs[8];
	struct ip_address router_addresses[10];
	struct ip_prefix prefixes[8];
	struct config_route route[16];
	struct config_nexthop via[32];
	size_t vias;
};

static void add_port(struct exchange *x, const char *name, char *device, uint16_t vlan,
		     struct interface_address *addresses, size_t n)
{
	x->port[x->config.port_count++] = (struct config_port){
		.name = (char *)(uintptr_t)name,
		.description = (char *)(uintptr_t) "",
		.enabled = true,
		.device = device,
		.vlan = vlan,
		.mtu = 1500,
		.addresses = addresses,
		.address_count = n,
		.icmp_rate = 1000,
		.icmp_burst = 100,
	};
}

static void add_router(struct exchange *x, struct config_router *r, size_t port, uint8_t mac_last,
		       struct ip_address *addresses, size_t n)
{
	*r = (struct config_router){ .addresses = addresses, .address_count = n, .port = port };
	if (!mac_last)
		return;
	x->macs[mac_last] = mac(mac_last);
	r->macs = &x->macs[mac_last];
	r->mac_count = 1;
}

static void add_member(struct exchange *x, const char *name, struct config_router *routers,
		       size_t n, size_t port)
{
	x->member[x->config.member_count++] = (struct config_member){
		.name = (char *)(uintptr_t)name,
		.description = (char *)(uintptr_t) "",
		.routers = routers,
		.router_count = n,
		.port = port,
	};
}

static void make_exchange(struct exchange *x)
{
	static const char *own[] = { "198.51.100.1/31", "2001:db8:64:a::/127", "192.0.2.1/29",
				     "2001:db8:64:b::1/64", "192.0.2.9/30" };
	static const char *routers[] = { "198.51.100.0", "2001:db8:64:a::1", "fe80::a",
					 "192.0.2.2",    "2001:db8:64:b::2", "192.0.2.3",
					 "192.0.2.4",    "203.0.113.200" };

	memset(x, 0, sizeof(*x));
	x->config.ports = x->port;
	x->config.members = x->member;
	x->config.routes = x->route;
	x->config.dataplane.capacity_ipv4 = 100;
	x->config.dataplane.capacity_ipv6 = 100;
	for (size_t i = 0; i < COUNT(own); i++)
		x->addresses[i] = on(own[i]);
	for (size_t i = 0; i < COUNT(routers); i++)
		x->router_addresses[i] = address(routers[i]);
	add_port(x, "pa", (char *)(uintptr_t) "net_a", 0, x->addresses, 2);
	add_port(x, "pb", (char *)(uintptr_t) "net_b", 7, x->addresses + 2, 2);
	add_port(x, "pc", (char *)(uintptr_t) "net_b", 0, x->addresses + 4, 1);
	add_port(x, "pd", NULL, 0, NULL, 0);
	x->port[0].has_mac = true;
	x->port[0].mac = (struct rte_ether_addr){ { 0x02, 0x4e, 0x41, 0, 0, 1 } };
	x->port[1].mtu = 9000;
	x->port[3].enabled = false;
	add_router(x, &x->router[0], 0, 1, x->router_addresses, 3);     /* Alpha */
	add_router(x, &x->router[1], 1, 2, x->router_addresses + 3, 2); /* Beta */
	add_router(x, &x->router[2], 1, 3, x->router_addresses + 5, 1); /* Gamma */
	add_router(x, &x->router[3], 1, 0, x->router_addresses + 6, 1); /* Gamma, by ARP */
	add_router(x, &x->router[4], 3, 4, x->router_addresses + 7, 1); /* Delta, on no subnet */
	add_member(x, "Alpha", &x->router[0], 1, 0);
	add_member(x, "Beta", &x->router[1], 1, 1);
	add_member(x, "Gamma", &x->router[2], 2, 1);
	add_member(x, "Delta", &x->router[4], 1, 3);
}

static struct config_route *add_route(struct exchange *x, const char *text,
				      enum config_route_kind kind)
{
	struct config_route *r = &x->route[x->config.route_count++];

	*r = (struct config_route){ .prefix = prefix(text), .kind = kind, .via = &x->via[x->vias] };
	return r;
}

static void add_via(struct exchange *x, const char *text, size_t port)
{
	x->via[x->vias++] = (struct config_nexthop){ address(text), port, 1 };
	x->route[x->config.route_count - 1].via_count++;
}

/* ---- a model and its snapshot ---- */

struct built {
	struct problems problems;
	struct model *model;
	struct snapshot *snapshot;
};

static void build(struct built *b, const struct exchange *x)
{
	const struct model_options options = { 0 };

	*b = (struct built){ 0 };
	b->model = model_create(&x->config, &options, &b->problems);
	assert_non_null(b->model);
	b->snapshot = model_snapshot(b->model);
	assert_non_null(b->snapshot);
}

/* The snapshot goes last: it may outlive the model. */
static void demolish(struct built *b)
{
	model_free(b->model);
	b->snapshot->release(b->snapshot);
	problems_release(&b->problems);
}

static uint32_t leaf_of(const struct snapshot *s, const char *text)
{
	struct ip_address a = address(text);
	uint32_t leaf[16], v4[16] = { (uint32_t)(a.key.hi >> 32) };
	uint64_t hi[16] = { a.key.hi }, lo[16] = { a.key.lo };

	if (a.ipv6)
		fib6_lookup(s->fib6, hi, lo, leaf, 1);
	else
		fib4_lookup(s->fib4, v4, leaf, 1);
	return leaf[0];
}

static const struct nexthop *hop_of(const struct snapshot *s, const char *text)
{
	uint32_t leaf = leaf_of(s, text);

	assert_false(leaf & LEAF_GROUP);
	assert_true(leaf < s->nexthops->nexthops);
	return &s->nexthops->nexthop[leaf];
}

/* ---- claims ---- */

static void ports_and_devices(void **state)
{
	struct exchange x;
	struct built b;
	const struct snapshot *s;

	(void)state;
	make_exchange(&x);
	x.port[0].has_link_local = true;
	x.port[0].link_local = address("fe80::1");
	x.port[1].rate_limit_bps = 8000000;
	x.port[1].burst_bytes = 10000;
	build(&b, &x);
	s = b.snapshot;
	assert_int_equal(s->ports, 4);
	assert_int_equal(s->devices, 3);
	assert_int_equal(model_devices(b.model), 3);
	assert_int_equal(model_port_device(b.model, 2), 1);
	assert_int_equal(model_port_device(b.model, 3), 2);
	assert_int_equal(s->device[0].port[0], 0);
	assert_int_equal(s->device[0].port[7], PORT_NONE);
	assert_int_equal(s->device[1].port[7], 1);
	assert_int_equal(s->device[1].port[0], 2);
	assert_int_equal(s->device[1].fallback_port, 2); /* untagged, though not the first */
	assert_int_equal(s->device[2].fallback_port, 3);
	assert_string_equal(s->port[1].name, "pb");
	assert_int_equal(s->port[1].mtu, 9000);
	assert_int_equal(s->port[1].vlan, 7);
	assert_true(s->port[2].enabled);
	assert_false(s->port[3].enabled);
	assert_int_equal(s->port[0].mac.addr_bytes[1], 0x4e);
	assert_int_equal(s->port[0].link_local.lo, 1);
	/* made from the name: unicast, local, each its own, the link-local to match */
	assert_int_equal(s->port[1].mac.addr_bytes[0], 0x02);
	assert_memory_not_equal(&s->port[1].mac, &s->port[2].mac, 6);
	assert_int_equal(s->port[1].link_local.hi, 0xfe80ull << 48);
	assert_int_equal(s->port[1].link_local.lo >> 24 & 0xffff, 0xfffe);
	assert_int_equal(s->port[1].link_local.lo >> 56, 0);
	assert_int_equal(s->port[1].link_local.lo & 0xff, s->port[1].mac.addr_bytes[5]);
	assert_true(s->port[1].ingress.enabled);
	assert_int_equal(s->port[1].ingress.profile.cbs, 10000);
	assert_int_equal(s->port[1].ingress.profile.cir_period, 1000); /* 1 byte a microsecond */
	assert_false(s->port[0].ingress.enabled);
	assert_true(s->port[0].icmp_echo.enabled);
	demolish(&b);
}

static void parties(void **state)
{
	struct exchange x;
	struct built b;

	(void)state;
	make_exchange(&x);
	build(&b, &x);
	assert_int_equal(model_parties(b.model), 8);
	assert_string_equal(model_party_name(b.model, 2), "Gamma");
	assert_string_equal(model_party_name(b.model, 5), "pb");
	assert_int_equal(b.snapshot->port[0].party, 0); /* Alpha alone */
	assert_int_equal(b.snapshot->port[1].party, 5); /* two members: the port itself */
	assert_int_equal(b.snapshot->port[2].party, 6); /* nobody */
	assert_int_equal(b.snapshot->port[3].party, 3);
	demolish(&b);
}

static void addresses_and_error_sources(void **state)
{
	struct exchange x;
	struct built b;
	const struct snapshot *s;

	(void)state;
	make_exchange(&x);
	build(&b, &x);
	s = b.snapshot;
	assert_int_equal(s->port[0].subnet4_count, 1);
	assert_int_equal(s->port[0].subnet6_count, 1);
	assert_int_equal(s->port[0].subnet4[0].prefix.length, 31);
	assert_int_equal(s->port[1].subnet6[0].prefix.address.lo, 0);
	assert_int_equal(s->port[0].address4[0], rte_cpu_to_be_32(0xc6336401));
	assert_int_equal(s->port[1].address6[0].lo, 1);
	assert_int_equal(s->port[0].error_source4, s->port[0].address4[0]);
	assert_int_equal(s->port[2].error_source4, rte_cpu_to_be_32(0xc0000209));
	assert_int_equal(s->port[3].error_source4, s->port[0].address4[0]); /* of any port */
	assert_int_equal(s->port[2].error_source6.hi, s->port[0].address6[0].hi);
	demolish(&b);
	for (int i = 0; i < 4; i++)
		x.port[i].address_count = 0;
	build(&b, &x);
	s = b.snapshot;
	assert_int_equal(s->port[1].error_source4, rte_cpu_to_be_32(0xc0000008));
	assert_int_equal(s->port[1].error_source6.lo, s->port[1].link_local.lo);
	demolish(&b);
}

static const struct address_entry *special(const struct snapshot *s, const char *text)
{
	struct ip_address a = address(text);

	return address_set_find(a.ipv6 ? &s->special6 : &s->special4, a.key);
}

static void special_addresses(void **state)
{
	static const struct {
		const char *address;
		uint8_t kind; /* 0: nothing special */
		uint16_t port;
	} rows[] = {
		{ "198.51.100.1", ADDRESS_OWN, 0 },
		{ "198.51.100.0", 0, 0 }, /* a /31 has no network address */
		{ "192.0.2.1", ADDRESS_OWN, 1 },
		{ "192.0.2.0", ADDRESS_BROADCAST, 1 },
		{ "192.0.2.7", ADDRESS_BROADCAST, 1 },
		{ "192.0.2.6", 0, 0 },
		{ "192.0.2.8", ADDRESS_BROADCAST, 2 },
		{ "192.0.2.11", ADDRESS_BROADCAST, 2 },
		{ "2001:db8:64:a::", ADDRESS_OWN, 0 },
		{ "2001:db8:64:a::1", 0, 0 },
		{ "2001:db8:64:b::1", ADDRESS_OWN, 1 },
		{ "2001:db8:64:b::", ADDRESS_OWN, 1 }, /* subnet-router anycast */
		{ "2001:db8:64:b::2", 0, 0 },
	};
	struct exchange x;
	struct built b;

	(void)state;
	make_exchange(&x);
	build(&b, &x);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct address_entry *e = special(b.snapshot, rows[i].address);

		assert_int_equal(e ? e->kind : 0, rows[i].kind);
		if (e) {
			assert_int_equal(e->port, rows[i].port);
			if (rows[i].kind == ADDRESS_OWN)
				assert_int_equal(leaf_of(b.snapshot, rows[i].address), LEAF_LOCAL);
		}
	}
	demolish(&b);
}

static void neighbours_are_next_hops(void **state)
{
	static const uint8_t tagged[18] = { 2, 0, 0, 0, 0, 2, [12] = 0x81, 0x00, 0x00, 0x07 };
	struct exchange x;
	struct built b;
	const struct snapshot *s;
	const struct nexthop *nh;

	(void)state;
	make_exchange(&x);
	build(&b, &x);
	s = b.snapshot;
	nh = hop_of(s, "198.51.100.0");
	assert_int_equal(nh->kind, NEXTHOP_FORWARD);
	assert_int_equal(nh->port, 0);
	assert_int_equal(nh->mtu, 1500);
	assert_int_equal(nh->party, 0);
	assert_int_equal(nh->l2_bytes, 14);
	assert_memory_equal(nh->l2 + 10, mac(1).addr_bytes, 6);
	assert_memory_equal(nh->l2 + 16, &s->port[0].mac, 6);
	nh = hop_of(s, "192.0.2.2"); /* Beta, behind a tag */
	assert_int_equal(nh->l2_bytes, 18);
	assert_int_equal(nh->mtu, 9000);
	assert_int_equal(nh->party, 1);
	assert_memory_equal(nh->l2 + 6, tagged, 6);
	assert_memory_equal(nh->l2 + 12, &s->port[1].mac, 6);
	assert_memory_equal(nh->l2 + 18, tagged + 12, 6);
	nh = hop_of(s, "192.0.2.4"); /* Gamma's without a MAC */
	assert_int_equal(nh->kind, NEXTHOP_UNRESOLVED);
	assert_int_equal(nh->mtu, 0);
	assert_int_equal(nh->party, 2);
	nh = hop_of(s, "192.0.2.5"); /* nobody that we know, on a connected subnet */
	assert_int_equal(nh->kind, NEXTHOP_SUBNET);
	assert_int_equal(nh->port, 1);
	assert_int_equal(nh->party, 5);
	assert_int_equal(hop_of(s, "2001:db8:64:b::99")->kind, NEXTHOP_SUBNET);
	assert_int_equal(hop_of(s, "2001:db8:64:b::2")->party, 1);
	assert_int_equal(leaf_of(s, "fe80::a"), LEAF_NO_ROUTE);
	assert_int_equal(leaf_of(s, "203.0.113.200"), LEAF_NO_ROUTE);
	for (uint32_t i = LEAF_FIRST_FREE - 1; i >= LEAF_INTERNAL; i--)
		assert_int_equal(s->nexthops->nexthop[i].kind, NEXTHOP_INTERNAL);
	assert_int_equal(s->nexthops->nexthop[LEAF_PROHIBIT].kind, NEXTHOP_PROHIBIT);
	demolish(&b);
}

static void router_macs_lead_to_members(void **state)
{
	struct exchange x;
	struct built b;
	const struct snapshot_port *p;

	(void)state;
	make_exchange(&x);
	build(&b, &x);
	p = &b.snapshot->port[1];
	for (uint8_t i = 1; i < 5; i++) {
		uint64_t number = mac_number(mac(i).addr_bytes);
		const struct mac_slot *slot =
			&p->mac_slot[(number * p->mac_multiplier) >> p->mac_shift];

		if (i == 2 || i == 3) {
			assert_int_equal(slot->mac, number);
			assert_int_equal(slot->party, i - 1);
		} else {
			assert_int_not_equal(slot->mac, number);
		}
	}
	assert_int_equal(b.snapshot->port[2].mac_slot[0].mac, 0);
	demolish(&b);
}

static void static_routes(void **state)
{
	struct exchange x;
	struct model_routes routes;
	struct built b;
	const struct snapshot *s;

	(void)state;
	make_exchange(&x);
	add_route(&x, "10.0.0.0/8", CONFIG_ROUTE_VIA);
	add_via(&x, "192.0.2.3", 1);
	add_route(&x, "10.1.0.0/16", CONFIG_ROUTE_BLACKHOLE);
	add_route(&x, "10.2.0.0/16", CONFIG_ROUTE_UNREACHABLE);
	add_route(&x, "2001:db8:f::/48", CONFIG_ROUTE_PROHIBIT);
	add_route(&x, "10.3.0.0/16", CONFIG_ROUTE_VIA); /* RFC 8950 */
	add_via(&x, "fe80::a", 0);
	add_route(&x, "0.0.0.0/0", CONFIG_ROUTE_VIA);
	add_via(&x, "192.0.2.3", 1);
	add_route(&x, "192.0.2.4/32",
		  CONFIG_ROUTE_BLACKHOLE); /* the operator's word on a neighbour */
	add_route(&x, "10.4.0.0/16", CONFIG_ROUTE_VIA);
	add_via(&x, "172.16.0.1", SIZE_MAX);
	build(&b, &x);
	s = b.snapshot;
	assert_int_equal(hop_of(s, "10.9.9.9")->party, 2);
	assert_ptr_equal(hop_of(s, "10.9.9.9"), hop_of(s, "192.0.2.3")); /* one of a kind */
	assert_int_equal(leaf_of(s, "10.1.2.3"), LEAF_BLACKHOLE);
	assert_int_equal(leaf_of(s, "10.2.2.3"), LEAF_UNREACHABLE);
	assert_int_equal(leaf_of(s, "2001:db8:f::1"), LEAF_PROHIBIT);
	assert_int_equal(hop_of(s, "10.3.2.3")->port, 0);
	assert_int_equal(hop_of(s, "10.3.2.3")->kind, NEXTHOP_FORWARD);
	assert_int_equal(hop_of(s, "8.8.8.8")->kind, NEXTHOP_FORWARD | NEXTHOP_VIA_DEFAULT);
	assert_int_equal(leaf_of(s, "192.0.2.4"), LEAF_BLACKHOLE);
	assert_ptr_equal(hop_of(s, "10.4.0.1"), hop_of(s, "10.9.9.9")); /* its /16 is not used */
	model_routes(b.model, &routes);
	assert_int_equal(routes.ipv4, 3 + 6);
	assert_int_equal(routes.ipv6, 2 + 1);
	assert_int_equal(routes.unresolved, 1);
	assert_int_equal(b.problems.count, 1);
	demolish(&b);
}

/* Buckets of the group that leads to an address, by party. */
static void count_buckets(const struct snapshot *s, const char *text, unsigned int by_party[8])
{
	uint32_t leaf = leaf_of(s, text);
	const struct nexthop_group *g;

	assert_true(leaf & LEAF_GROUP);
	g = &s->nexthops->group[leaf & ~LEAF_GROUP];
	assert_true((leaf & ~LEAF_GROUP) < s->nexthops->groups);
	assert_true(g->first + g->mask < s->nexthops->buckets);
	memset(by_party, 0, 8 * sizeof(*by_party));
	for (uint32_t i = 0; i <= g->mask; i++)
		by_party[s->nexthops->nexthop[s->nexthops->bucket[g->first + i]].party]++;
}

static void groups_use_resolved_hops(void **state)
{
	struct exchange x;
	struct built b;
	const struct snapshot *s;
	const struct nexthop_group *g;
	unsigned int n[8];

	(void)state;
	make_exchange(&x);
	add_route(&x, "10.0.0.0/8", CONFIG_ROUTE_VIA);
	add_via(&x, "192.0.2.2", 1);
	add_via(&x, "198.51.100.0", 0);
	add_route(&x, "11.0.0.0/8", CONFIG_ROUTE_VIA); /* the same set, told backwards */
	add_via(&x, "198.51.100.0", 0);
	add_via(&x, "192.0.2.2", 1);
	add_route(&x, "12.0.0.0/8", CONFIG_ROUTE_VIA); /* one of three is not resolved */
	add_via(&x, "192.0.2.4", 1);
	add_via(&x, "198.51.100.0", 0);
	add_via(&x, "192.0.2.2", 1);
	add_route(&x, "13.0.0.0/8", CONFIG_ROUTE_VIA); /* none is */
	add_via(&x, "192.0.2.4", 1);
	add_via(&x, "192.0.2.5", 1);
	add_route(&x, "14.0.0.0/8", CONFIG_ROUTE_VIA); /* one twice is one */
	add_via(&x, "192.0.2.2", 1);
	add_via(&x, "192.0.2.2", 1);
	add_route(&x, "0.0.0.0/0", CONFIG_ROUTE_VIA);
	add_via(&x, "192.0.2.2", 1);
	add_via(&x, "198.51.100.0", 0);
	build(&b, &x);
	s = b.snapshot;
	count_buckets(s, "10.1.1.1", n);
	assert_int_equal(n[0], 64);
	assert_int_equal(n[1], 64);
	assert_int_equal(leaf_of(s, "10.1.1.1"), leaf_of(s, "11.1.1.1"));
	count_buckets(s, "12.1.1.1", n);
	assert_int_equal(n[0], 64);
	assert_int_equal(n[1], 64);
	assert_int_equal(n[2], 0);
	g = &s->nexthops->group[leaf_of(s, "12.1.1.1") & ~LEAF_GROUP];
	assert_int_equal(g->members, 3); /* the strict source check knows all */
	for (uint32_t i = 0; i < g->members; i++)
		assert_true(s->nexthops->group_members[g->members_first + i] >= LEAF_FIRST_FREE);
	count_buckets(s, "13.1.1.1", n);
	assert_int_equal(n[2], 64);
	assert_int_equal(n[5], 64); /* a stranger on pb, whose party is the port's */
	assert_int_equal(hop_of(s, "14.1.1.1")->party, 1);
	g = &s->nexthops->group[leaf_of(s, "9.9.9.9") & ~LEAF_GROUP];
	for (uint32_t i = 0; i < g->members; i++)
		assert_true(s->nexthops->nexthop[s->nexthops->group_members[g->members_first + i]]
				    .kind &
			    NEXTHOP_VIA_DEFAULT);
	demolish(&b);
}

static bool may_send(const struct snapshot *s, const char *text, uint16_t party)
{
	struct ip_address a = address(text);
	uint32_t class[16], v4[16] = { (uint32_t)(a.key.hi >> 32) };
	uint64_t hi[16] = { a.key.hi }, lo[16] = { a.key.lo };

	if (a.ipv6)
		fib6_lookup(s->source6, hi, lo, class, 1);
	else
		fib4_lookup(s->source4, v4, class, 1);
	return s->allowed[(size_t) class[0] * s -> allowed_words + party / 64] >> party % 64 & 1;
}

static void source_classes(void **state)
{
	struct exchange x;
	struct built b;
	const struct snapshot *s;

	(void)state;
	make_exchange(&x);
	x.prefixes[0] = prefix("203.0.113.0/24");
	x.prefixes[1] = prefix("2001:db8:a::/48");
	x.prefixes[2] = prefix("203.0.113.0/24");
	x.prefixes[3] = prefix("203.0.113.128/25");
	x.member[0].prefixes = x.prefixes;
	x.member[0].prefix_count = 2;
	x.member[1].prefixes = x.prefixes + 2;
	x.member[1].prefix_count = 2;
	x.port[0].source_check = CONFIG_SOURCE_PREFIXES;
	build(&b, &x);
	s = b.snapshot;
	assert_int_equal(s->port[0].source_check, SOURCE_CHECK_PREFIXES);
	assert_true(may_send(s, "203.0.113.1", 0));
	assert_true(may_send(s, "203.0.113.1", 1));
	assert_false(may_send(s, "203.0.113.1", 2));
	assert_false(may_send(s, "203.0.113.129", 0)); /* the longest match decides */
	assert_true(may_send(s, "203.0.113.129", 1));
	assert_true(may_send(s, "2001:db8:a::5", 0));
	assert_false(may_send(s, "2001:db8:a::5", 1));
	assert_false(may_send(s, "2001:db8:b::5", 0));
	assert_false(may_send(s, "9.9.9.9", 0));
	demolish(&b);
	x.port[0].source_check = CONFIG_SOURCE_STRICT; /* nobody asks: empty tables */
	build(&b, &x);
	assert_false(may_send(b.snapshot, "203.0.113.1", 0));
	demolish(&b);
}

static void capacity_warns(void **state)
{
	struct exchange x;
	struct model_routes routes;
	struct built b;

	(void)state;
	make_exchange(&x);
	x.config.dataplane.capacity_ipv4 = 4;
	add_route(&x, "10.1.0.0/16", CONFIG_ROUTE_BLACKHOLE);
	add_route(&x, "10.2.0.0/16", CONFIG_ROUTE_BLACKHOLE);
	build(&b, &x);
	model_routes(b.model, &routes);
	assert_int_equal(routes.ipv4, 4);
	assert_int_equal(routes.refused, 1);
	assert_int_equal(b.problems.count, 1);
	assert_int_equal(b.problems.errors, 0);
	assert_int_equal(leaf_of(b.snapshot, "10.1.0.1"), LEAF_BLACKHOLE);
	assert_int_equal(leaf_of(b.snapshot, "10.2.0.1"), LEAF_NO_ROUTE);
	assert_int_equal(model_fill_level(b.model, false, 0), 100);
	demolish(&b);
	x.config.dataplane.capacity_ipv4 = 5; /* nothing is refused, but it is full */
	build(&b, &x);
	assert_int_equal(b.problems.count, 1);
	assert_non_null(strstr(b.problems.list[0].text, "5 IPv4 prefixes are nine tenths"));
	demolish(&b);
	x.config.dataplane.capacity_ipv4 = 6;
	build(&b, &x);
	assert_int_equal(b.problems.count, 0);
	assert_int_equal(model_fill_level(b.model, false, 0), 0);
	assert_int_equal(model_fill_level(b.model, false, 90), 0); /* 83 % */
	demolish(&b);
}

static void any_mac_opens_locks(void **state)
{
	const struct model_options options = { .any_mac = true };
	struct problems problems = { 0 };
	struct exchange x;
	struct model *model;
	struct snapshot *s;

	(void)state;
	make_exchange(&x);
	x.port[0].mac_lock = true;
	model = model_create(&x.config, &options, &problems);
	s = model_snapshot(model);
	assert_true(s->port[0].any_mac);
	assert_false(s->port[0].mac_lock);
	s->release(s);
	model_free(model);
}

/* ---- over reloads ---- */

/* The same exchange told in the opposite order. */
static void reverse(struct exchange *x)
{
	const size_t ports = x->config.port_count, members = x->config.member_count;
	struct exchange old = *x;

	for (size_t i = 0; i < ports; i++)
		x->port[i] = old.port[ports - 1 - i];
	for (size_t i = 0; i < members; i++) {
		x->member[i] = old.member[members - 1 - i];
		x->member[i].port = ports - 1 - x->member[i].port;
	}
	for (size_t i = 0; i < COUNT(x->router); i++)
		x->router[i].port = ports - 1 - x->router[i].port;
	for (size_t i = 0; i < x->vias; i++)
		x->via[i].port = ports - 1 - x->via[i].port;
}

/* An exchange with a route each way, a group, and prefixes. */
static void make_full(struct exchange *x)
{
	make_exchange(x);
	add_route(x, "10.0.0.0/8", CONFIG_ROUTE_VIA);
	add_via(x, "192.0.2.3", 1);
	add_route(x, "11.0.0.0/8", CONFIG_ROUTE_VIA);
	add_via(x, "192.0.2.2", 1);
	add_via(x, "198.51.100.0", 0);
	x->prefixes[0] = prefix("203.0.113.0/24");
	x->member[1].prefixes = x->prefixes;
	x->member[1].prefix_count = 1;
	x->port[1].source_check = CONFIG_SOURCE_PREFIXES;
}

static void build_after(struct built *b, const struct exchange *x, const struct built *previous)
{
	const struct model_options options = { .previous = previous->model, .parties_max = 20 };

	*b = (struct built){ 0 };
	b->model = model_create(&x->config, &options, &b->problems);
	assert_non_null(b->model);
	b->snapshot = model_snapshot(b->model);
	assert_non_null(b->snapshot);
}

static void assert_same_port(const struct snapshot_port *a, const struct snapshot_port *b)
{
	const uint64_t number = mac_number(mac(3).addr_bytes); /* Gamma's */

	assert_string_equal(a->name, b->name);
	assert_memory_equal(&a->mac, &b->mac, 6);
	assert_int_equal(a->device, b->device);
	assert_int_equal(a->vlan, b->vlan);
	assert_int_equal(a->mtu, b->mtu);
	assert_int_equal(a->party, b->party);
	assert_int_equal(a->enabled, b->enabled);
	assert_int_equal(a->source_check, b->source_check);
	assert_int_equal(a->address4_count, b->address4_count);
	assert_int_equal(a->meter_generation, b->meter_generation);
	assert_int_equal(a->mac_slot[(number * a->mac_multiplier) >> a->mac_shift].party,
			 b->mac_slot[(number * b->mac_multiplier) >> b->mac_shift].party);
}

/* What is counted, and by what frames leave, does not move when lines of the file do. */
static void numbers_stay_when_the_order_changes(void **state)
{
	static const char *const looked_up[] = { "198.51.100.0", "192.0.2.2", "192.0.2.5",
						 "192.0.2.10",   "10.1.1.1",  "2001:db8:64:b::99" };
	struct exchange x, y;
	struct built a, b;
	unsigned int n[8], m[8];

	(void)state;
	make_full(&x);
	make_full(&y);
	reverse(&y);
	build(&a, &x);
	build_after(&b, &y, &a);
	assert_int_equal(b.snapshot->ports, 4);
	for (uint16_t i = 0; i < 4; i++) {
		assert_int_equal(model_port_number(b.model, i), 3 - i);
		assert_int_equal(model_config_port(b.model, i), 3 - i);
		assert_false(model_port_is_new(b.model, i));
		assert_same_port(&a.snapshot->port[i], &b.snapshot->port[i]);
	}
	for (uint16_t i = 0; i < 8; i++)
		assert_string_equal(model_party_name(a.model, i), model_party_name(b.model, i));
	for (size_t i = 0; i < COUNT(looked_up); i++) {
		const struct nexthop *was = hop_of(a.snapshot, looked_up[i]);
		const struct nexthop *is = hop_of(b.snapshot, looked_up[i]);

		assert_int_equal(was->port, is->port);
		assert_int_equal(was->party, is->party);
		assert_int_equal(was->kind, is->kind);
		assert_memory_equal(was->l2, is->l2, sizeof(is->l2));
	}
	count_buckets(a.snapshot, "11.1.1.1", n);
	count_buckets(b.snapshot, "11.1.1.1", m);
	assert_memory_equal(n, m, sizeof(n));
	assert_int_equal(special(b.snapshot, "192.0.2.1")->port, 1);
	assert_int_equal(special(b.snapshot, "192.0.2.11")->port, 2);
	assert_true(may_send(b.snapshot, "203.0.113.1", 1));
	assert_false(may_send(b.snapshot, "203.0.113.1", 2));
	assert_int_equal(b.snapshot->device[1].port[7], 1);
	assert_int_equal(b.snapshot->device[1].fallback_port, 2);
	/* "the first such address of any port" is the first in the file */
	assert_int_equal(a.snapshot->port[3].error_source4, rte_cpu_to_be_32(0xc6336401));
	assert_int_equal(b.snapshot->port[3].error_source4, rte_cpu_to_be_32(0xc0000209));
	demolish(&b);
	demolish(&a);
}

/* Neighbours, next hops and routers are asked for by number, not by place. */
static void what_is_learned_goes_by_number(void **state)
{
	const struct ip_address gateway = address("192.0.2.4"), stranger = address("192.0.2.5");
	const struct rte_ether_addr learned = mac(9);
	struct ip_address found;
	struct exchange x, y;
	struct built a, b;
	struct snapshot *s;
	uint16_t port = 9;

	(void)state;
	make_full(&x);
	make_full(&y);
	reverse(&y);
	build(&a, &x);
	build_after(&b, &y, &a);
	assert_int_equal(
		model_set_neighbour(b.model, 1, &gateway, MODEL_NEIGHBOUR_RESOLVED, &learned), 0);
	assert_int_equal(
		model_set_neighbour(b.model, 1, &stranger, MODEL_NEIGHBOUR_RESOLVED, &learned), 0);
	assert_int_equal(
		model_set_neighbour(b.model, 2, &gateway, MODEL_NEIGHBOUR_RESOLVED, &learned),
		-EINVAL);
	assert_int_equal(
		model_set_neighbour(b.model, 7, &gateway, MODEL_NEIGHBOUR_RESOLVED, &learned),
		-EINVAL);
	s = model_snapshot(b.model);
	assert_int_equal(hop_of(s, "192.0.2.4")->kind, NEXTHOP_FORWARD);
	assert_int_equal(hop_of(s, "192.0.2.4")->party, 2);
	assert_int_equal(hop_of(s, "192.0.2.5")->port, 1);
	assert_int_equal(hop_of(s, "192.0.2.5")->party, 5);
	assert_true(model_nexthop_gateway(b.model, leaf_of(s, "192.0.2.4"), &port, &found));
	assert_int_equal(port, 1);
	assert_ptr_equal(model_router(b.model, 1, &gateway), &y.router[3]);
	assert_null(model_router(b.model, 2, &gateway));
	model_set_device_mac(b.model, 1, mac(8));
	s->release(s);
	s = model_snapshot(b.model);
	assert_memory_equal(&s->port[1].mac, mac(8).addr_bytes, 6);
	assert_memory_equal(&s->port[2].mac, mac(8).addr_bytes, 6);
	s->release(s);
	demolish(&b);
	demolish(&a);
}

/* pb and its members go, pe comes; then pb is back. */
static void who_goes_leaves_a_gap_and_who_returns_fills_it(void **state)
{
	struct exchange x, y;
	struct built a, b, c;
	const struct snapshot_port *p;

	(void)state;
	make_exchange(&x);
	make_exchange(&y);
	reverse(&y); /* pd pc pb pa; Delta Gamma Beta Alpha */
	y.port[2].name = (char *)(uintptr_t) "pe";
	y.port[2].device = (char *)(uintptr_t) "net_e";
	y.config.member_count = 4;
	y.member[1] = y.member[3]; /* Alpha for Gamma */
	y.member[2].name = (char *)(uintptr_t) "Epsilon";
	y.config.member_count = 3;
	build(&a, &x);
	build_after(&b, &y, &a);
	assert_int_equal(model_port_numbers(b.model), 5);
	assert_int_equal(b.snapshot->ports, 5);
	assert_int_equal(model_config_port(b.model, 1), SIZE_MAX);
	assert_false(b.snapshot->port[1].used);
	p = &b.snapshot->port[4];
	assert_string_equal(p->name, "pe");
	assert_true(model_port_is_new(b.model, 4));
	assert_false(model_port_is_new(b.model, 0));
	assert_int_equal(p->device, 3);
	assert_int_equal(b.snapshot->device[3].port[7], 4);
	assert_int_equal(b.snapshot->device[1].port[7], PORT_NONE);
	assert_int_equal(b.snapshot->device[1].port[0], 2);
	/* members first, then ports: Epsilon 8, pe 9; Beta, Gamma and pb are gone */
	assert_int_equal(model_parties(b.model), 10);
	assert_string_equal(model_party_name(b.model, 8), "Epsilon");
	assert_string_equal(model_party_name(b.model, 9), "pe");
	assert_null(model_party_name(b.model, 1));
	assert_null(model_party_name(b.model, 2));
	assert_null(model_party_name(b.model, 5));
	assert_null(model_party_name(b.model, 10));
	assert_false(model_party_is_reused(b.model, 8)); /* nobody had it */
	assert_int_equal(p->party, 8);
	assert_int_equal(hop_of(b.snapshot, "192.0.2.2")->party, 8);
	assert_int_equal(hop_of(b.snapshot, "198.51.100.0")->party, 0);
	build_after(&c, &x, &b);
	for (uint16_t i = 0; i < 4; i++)
		assert_same_port(&a.snapshot->port[i], &c.snapshot->port[i]);
	assert_false(c.snapshot->port[4].used);
	assert_false(model_port_is_new(c.model, 1));
	assert_string_equal(model_party_name(c.model, 1), "Beta");
	assert_null(model_party_name(c.model, 8));
	demolish(&c);
	demolish(&b);
	demolish(&a);
}

static void more_than_there_is_room_for_is_refused(void **state)
{
	struct model_options options = { .parties_max = 7 };
	struct problems problems = { 0 };
	struct exchange x;

	(void)state;
	make_exchange(&x);
	assert_null(model_create(&x.config, &options, &problems));
	assert_int_equal(problems.errors, 1);
	assert_non_null(strstr(problems.list[0].text, "8 are more than 7"));
	problems_release(&problems);
}

/* Buckets fill anew when their parameters change, and for another port. */
static void meters_begin_anew_when_they_change(void **state)
{
	struct exchange x;
	struct built a, b;

	(void)state;
	make_exchange(&x);
	build(&a, &x);
	x.port[1].rate_limit_bps = 8000000;
	x.port[1].burst_bytes = 10000;
	build_after(&b, &x, &a);
	assert_int_equal(a.snapshot->port[0].meter_generation,
			 b.snapshot->port[0].meter_generation);
	assert_int_not_equal(a.snapshot->port[1].meter_generation,
			     b.snapshot->port[1].meter_generation);
	assert_int_not_equal(a.snapshot->port[0].meter_generation,
			     a.snapshot->port[1].meter_generation);
	assert_int_not_equal(a.snapshot->port[0].meter_generation, 0);
	demolish(&b);
	demolish(&a);
}

/* A port that waits takes no frames from its device and is still who it is. */
static void detached_ports_take_nothing(void **state)
{
	struct exchange x;
	struct snapshot *s;
	struct built b;

	(void)state;
	make_exchange(&x);
	build(&b, &x);
	model_attach_port(b.model, 2, false);
	s = model_snapshot(b.model);
	assert_int_equal(s->device[1].port[0], PORT_NONE);
	assert_int_equal(s->device[1].fallback_port, 1);
	assert_true(s->port[2].used);
	s->release(s);
	model_attach_port(b.model, 2, true);
	s = model_snapshot(b.model);
	assert_int_equal(s->device[1].port[0], 2);
	s->release(s);
	demolish(&b);
}

/* Snapshots share the tables of the model and each other, and may be released in any order. */
static void snapshots_are_independent(void **state)
{
	struct exchange x;
	struct built b;
	struct snapshot *second;

	(void)state;
	make_exchange(&x);
	add_route(&x, "10.1.0.0/16", CONFIG_ROUTE_BLACKHOLE);
	build(&b, &x);
	second = model_snapshot(b.model);
	assert_non_null(second);
	assert_ptr_equal(second->fib4, b.snapshot->fib4);
	assert_true(second->generation > b.snapshot->generation);
	demolish(&b);
	assert_int_equal(leaf_of(second, "10.1.0.1"), LEAF_BLACKHOLE);
	second->release(second);
}

/* Without memory there is no model or no snapshot, nothing leaks (see ASan), and no error is
 * invented. */
static void no_memory_is_survived(void **state)
{
	const struct model_options options = { 0 };
	struct snapshot *s = NULL;
	unsigned int n = 0;
	struct exchange x;

	(void)state;
	make_exchange(&x);
	x.member[0].prefixes = x.prefixes;
	x.member[0].prefix_count = 1;
	x.prefixes[0] = prefix("203.0.113.0/24");
	x.port[0].source_check = CONFIG_SOURCE_PREFIXES;
	add_route(&x, "10.0.0.0/8", CONFIG_ROUTE_VIA);
	add_via(&x, "192.0.2.2", 1);
	add_via(&x, "198.51.100.0", 0);
	for (; !s; n++) {
		struct problems problems = { 0 };
		struct model *model;

		assert_true(n < 10000);
		out_of_memory_after(n);
		model = model_create(&x.config, &options, &problems);
		s = model ? model_snapshot(model) : NULL;
		out_of_memory_never();
		assert_int_equal(problems.errors, 0);
		if (model && !s) { /* a second try succeeds */
			struct snapshot *again = model_snapshot(model);

			assert_non_null(again);
			assert_int_equal(leaf_of(again, "198.51.100.1"), LEAF_LOCAL);
			again->release(again);
		}
		model_free(model);
		problems_release(&problems);
	}
	assert_true(n > 30);
	s->release(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_and_devices),
		cmocka_unit_test(parties),
		cmocka_unit_test(addresses_and_error_sources),
		cmocka_unit_test(special_addresses),
		cmocka_unit_test(neighbours_are_next_hops),
		cmocka_unit_test(router_macs_lead_to_members),
		cmocka_unit_test(static_routes),
		cmocka_unit_test(groups_use_resolved_hops),
		cmocka_unit_test(source_classes),
		cmocka_unit_test(capacity_warns),
		cmocka_unit_test(any_mac_opens_locks),
		cmocka_unit_test(numbers_stay_when_the_order_changes),
		cmocka_unit_test(what_is_learned_goes_by_number),
		cmocka_unit_test(who_goes_leaves_a_gap_and_who_returns_fills_it),
		cmocka_unit_test(more_than_there_is_room_for_is_refused),
		cmocka_unit_test(meters_begin_anew_when_they_change),
		cmocka_unit_test(detached_ports_take_nothing),
		cmocka_unit_test(snapshots_are_independent),
		cmocka_unit_test(no_memory_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
