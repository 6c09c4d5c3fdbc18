// SPDX-License-Identifier: BSD-3-Clause
/* The exchange that tests of the dataplane run on. */
#include "test.h"

#include "rig.h"

#include <stdlib.h>

#include <rte_ether.h>
#include <rte_ip.h>

#include "eal.h"

#define HOST 10

static const uint32_t port_net4[RIG_PORTS] = { 0xc6336400, 0xcb007100, 0xc0000200 };
static const uint64_t port_net6[RIG_PORTS] = { 0x20010db8000a0000, 0x20010db8000b0000,
					       0x20010db8000c0000 };

struct rig_route {
	struct prefix_key prefix;
	bool ipv6;
	uint32_t leaf;
};

#define V4(a, l, leaf)                                         \
	{                                                      \
		{ { (uint64_t)(a) << 32, 0 }, l }, false, leaf \
	}
#define V6(hi, l, leaf)                      \
	{                                    \
		{ { hi, 0 }, l }, true, leaf \
	}

#define OWN6(hi)                                     \
	{                                            \
		{ { hi, 1 }, 128 }, true, LEAF_LOCAL \
	}

static const struct rig_route rig_routes[] = {
	V4(0x00000000, 0, RIG_LEAF_DEFAULT),
	V4(0xc0000201, 32, LEAF_LOCAL),
	V4(0xc6120000, 24, RIG_LEAF_PA),
	V4(0xc6120100, 24, RIG_LEAF_PB),
	V4(0xc6120200, 24, RIG_LEAF_PC),
	V4(0xc6120300, 24, RIG_LEAF_UNRESOLVED),
	V4(0xc6120400, 24, RIG_LEAF_GROUP),
	V4(0xc6120500, 24, LEAF_UNREACHABLE),
	V4(0xc6120600, 24, LEAF_PROHIBIT),
	V4(0xc6120700, 24, LEAF_BLACKHOLE),
	V4(0xc6120800, 24, LEAF_INTERNAL),
	V4(0xc6336401, 32, LEAF_LOCAL),
	V4(0xcb007101, 32, LEAF_LOCAL),
	V6(0x20010db800010000, 48, RIG_LEAF_PB),
	V6(0x20010db800020000, 48, RIG_LEAF_PC),
	V6(0x20010db800030000, 48, RIG_LEAF_GROUP),
	OWN6(0x20010db8000a0000),
	OWN6(0x20010db8000b0000),
	OWN6(0x20010db8000c0000),
};
#define RIG_ROUTES (sizeof(rig_routes) / sizeof(rig_routes[0]))

static bool covers(struct prefix_key a, struct ipv6_key address)
{
	if (a.length == 0)
		return true;
	return (a.address.hi ^ address.hi) >> (64 - RTE_MIN(a.length, 64)) == 0 &&
	       (a.length <= 64 || (a.address.lo ^ address.lo) >> (128 - a.length) == 0);
}

static uint32_t source_cover(void *ctx, struct prefix_key range)
{
	const bool ipv6 = *(const bool *)ctx;
	uint32_t leaf = 0;
	int best = -1;

	for (size_t i = 0; i < RIG_ROUTES; i++) {
		const struct rig_route *r = &rig_routes[i];

		if (r->ipv6 == ipv6 && r->prefix.length <= range.length &&
		    r->prefix.length > best && covers(r->prefix, range.address)) {
			best = r->prefix.length;
			leaf = r->leaf;
		}
	}
	return leaf;
}

/* rig_routes are in ascending order already. */
static void source_walk(void *ctx, struct prefix_key range,
			void (*visit)(void *arg, struct prefix_key prefix, uint32_t leaf),
			void *arg)
{
	const bool ipv6 = *(const bool *)ctx;

	for (size_t i = 0; i < RIG_ROUTES; i++)
		if (rig_routes[i].ipv6 == ipv6 && rig_routes[i].prefix.length > range.length &&
		    covers(range, rig_routes[i].prefix.address))
			visit(arg, rig_routes[i].prefix, rig_routes[i].leaf);
}

static uint16_t queue_transmit(void *arg, struct rte_mbuf **frame, uint16_t n)
{
	struct rig_queue *q = arg;
	uint16_t taken = RTE_MIN(n, RTE_MIN(q->room, RIG_SENT_MAX - q->n));

	if (q->busy)
		return TRANSMIT_BUSY;
	memcpy(&q->frame[q->n], frame, taken * sizeof(*frame));
	q->n += taken;
	q->room -= taken;
	return taken;
}

static uint16_t input_receive(void *arg, struct rte_mbuf **frame, uint16_t n)
{
	struct rig *rig = arg;
	uint16_t given = RTE_MIN(n, rig->input_count);

	memcpy(frame, rig->input, given * sizeof(*frame));
	rig->input_count = 0;
	return given;
}

static void rig_mac(uint8_t mac[6], uint16_t port, uint8_t host)
{
	const uint8_t bytes[6] = { 2, 0, 0, 0, port, host };

	memcpy(mac, bytes, sizeof(bytes));
}

static void fill_port(struct rig *rig, uint16_t i)
{
	static uint32_t address4[RIG_PORTS];
	static struct ipv6_key address6[RIG_PORTS];
	static struct subnet subnet4[RIG_PORTS], subnet6[RIG_PORTS];
	static const char *name[RIG_PORTS] = { "pa", "pb", "pc" };
	struct snapshot_port *p = &rig->port[i];
	struct mac_slot router = { .party = i };
	uint8_t mac[6];

	rig_mac(p->mac.addr_bytes, i, 0xff);
	rig_mac(mac, i, 0);
	router.mac = mac_number(mac);
	p->mac_slot = mac_slots_init(&router, 1, &p->mac_multiplier, &p->mac_shift);
	assert_non_null(p->mac_slot);
	snprintf(p->name, sizeof(p->name), "%s", name[i]);
	p->device = i == 0 ? 0 : 1;
	p->vlan = i == 2 ? 100 : 0;
	rig->snapshot.tagged = true;
	p->mtu = i == 2 ? 9000 : 1500;
	p->party = i;
	p->used = true;
	p->enabled = true;
	address4[i] = rte_cpu_to_be_32(port_net4[i] | 1);
	address6[i] = (struct ipv6_key){ port_net6[i], 1 };
	subnet4[i].prefix = (struct prefix_key){ { (uint64_t)port_net4[i] << 32, 0 }, 24 };
	subnet6[i].prefix = (struct prefix_key){ { port_net6[i], 0 }, 64 };
	p->address4 = &address4[i];
	p->address6 = &address6[i];
	p->subnet4 = &subnet4[i];
	p->subnet6 = &subnet6[i];
	p->address4_count = p->address6_count = p->subnet4_count = p->subnet6_count = 1;
	p->link_local = (struct ipv6_key){ 0xfe80000000000000, 0x100 + i };
	p->error_source4 = address4[i];
	p->error_source6 = address6[i];
	p->meter_generation = 1;
	meter_init(&p->icmp_too_big, 1000, 100);
	meter_init(&p->icmp_error, 1000, 100);
	meter_init(&p->icmp_echo, 1000, 100);
}

static struct nexthop nexthop_to(const struct rig *rig, uint16_t port)
{
	const struct snapshot_port *p = &rig->port[port];
	struct nexthop nh = { .port = port, .mtu = p->mtu, .party = port, .l2_bytes = 14 };
	uint8_t *l2 = nh.l2 + sizeof(nh.l2) - 14;

	if (p->vlan) {
		nh.l2_bytes = 18;
		l2 -= 4;
		l2[12] = 0x81;
		l2[15] = p->vlan;
	}
	rig_mac(l2, port, 0);
	memcpy(l2 + 6, p->mac.addr_bytes, 6);
	return nh;
}

static void fill_nexthops(struct rig *rig)
{
	static struct nexthop nexthop[RIG_NEXTHOPS];
	static struct nexthop_group group = { .mask = 63, .members = RIG_PORTS };
	static uint32_t bucket[64], members[RIG_PORTS] = { RIG_LEAF_PA, RIG_LEAF_PB, RIG_LEAF_PC };

	for (uint32_t i = 0; i < LEAF_FIRST_FREE; i++)
		nexthop[i] = (struct nexthop){ .port = PORT_NONE, .kind = NEXTHOP_INTERNAL };
	for (uint16_t i = 0; i < RIG_PORTS; i++)
		nexthop[RIG_LEAF_PA + i] = nexthop_to(rig, i);
	nexthop[RIG_LEAF_UNRESOLVED] = (struct nexthop){ .port = 1, .kind = NEXTHOP_UNRESOLVED };
	nexthop[RIG_LEAF_DEFAULT] = nexthop_to(rig, 1);
	nexthop[RIG_LEAF_DEFAULT].kind |= NEXTHOP_VIA_DEFAULT;
	for (uint32_t i = 0; i < 64; i++)
		bucket[i] = members[i % RIG_PORTS];
	rig->table = (struct nexthop_table){ .nexthops = RIG_NEXTHOPS,
					     .groups = 1,
					     .buckets = 64,
					     .group_members_size = RIG_PORTS,
					     .nexthop = nexthop,
					     .group = &group,
					     .bucket = bucket,
					     .group_members = members };
}

static void release(struct snapshot *snapshot)
{
	((struct rig *)snapshot->owner)->released++;
}

static void fill_snapshot(struct rig *rig)
{
	static const struct prefix_key everything;
	static bool families[2] = { false, true };
	const struct fib_source source4 = { source_cover, source_walk, &families[0] };
	const struct fib_source source6 = { source_cover, source_walk, &families[1] };
	struct address_entry own4[RIG_PORTS + 1], own6[RIG_PORTS];
	struct snapshot *s = &rig->snapshot;

	for (uint16_t i = 0; i < RIG_PORTS; i++) {
		fill_port(rig, i);
		own4[i] = (struct address_entry){ { (uint64_t)(port_net4[i] | 1) << 32, 0 },
						  i,
						  ADDRESS_OWN };
		own6[i] = (struct address_entry){ { port_net6[i], 1 }, i, ADDRESS_OWN };
	}
	own4[RIG_PORTS] = (struct address_entry){ { (uint64_t)(port_net4[0] | 0xff) << 32, 0 },
						  0,
						  ADDRESS_BROADCAST };
	fill_nexthops(rig);
	for (int d = 0; d < 2; d++) {
		for (int v = 0; v < VLAN_MAX; v++)
			rig->device[d].port[v] = PORT_NONE;
		rig->device[d].port[0] = rig->device[d].fallback_port = d;
	}
	rig->device[1].port[100] = 2;
	s->ports = RIG_PORTS;
	s->port = rig->port;
	s->devices = 2;
	s->device = rig->device;
	s->nexthops = &rig->table;
	s->fib4 = fib4_apply(NULL, &everything, 1, &source4);
	s->fib6 = fib6_apply(NULL, &everything, 1, &source6);
	assert_int_equal(address_set_init(&s->special4, own4, RIG_PORTS + 1), 0);
	assert_int_equal(address_set_init(&s->special6, own6, RIG_PORTS), 0);
	assert_true(s->fib4 && s->fib6);
	s->release = release;
	s->owner = rig;
}

static struct rig *rig_start(const struct hooks *hooks, bool offline, unsigned int workers)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	struct dataplane_config config = { .workers = workers,
					   .offline = offline,
					   .parties = RIG_PORTS,
					   .transmit_queues = RIG_PORTS };

	assert_non_null(rig);
	rig->pool = test_eal_pool(1023, 9600 + 188);
	if (hooks) {
		config.hooks = *hooks;
		config.hooks.ctx = rig;
	}
	rig->dp = dataplane_create(&config);
	assert_non_null(rig->dp);
	rig->w = dataplane_worker(rig->dp, 0);
	for (unsigned int i = 0; i < workers; i++)
		worker_set_pool(dataplane_worker(rig->dp, i), rig->pool);
	for (uint16_t i = 0; i < RIG_PORTS; i++) {
		rig->queue[i].room = UINT32_MAX;
		worker_set_transmit(rig->w, i, i, (struct txq){ queue_transmit, &rig->queue[i] });
	}
	fill_snapshot(rig);
	worker_online(rig->w);
	snapshot_publish(rig->dp, &rig->snapshot);
	return rig;
}

struct rig *rig_create(const struct hooks *hooks)
{
	return rig_start(hooks, true, 1);
}

struct rig *rig_create_live(void)
{
	return rig_start(NULL, false, 1);
}

struct rig *rig_create_workers(unsigned int workers)
{
	return rig_start(NULL, false, workers);
}

void rig_destroy(struct rig *rig)
{
	rig_clear(rig);
	dataplane_destroy(rig->dp);
	/* every frame found its way back, whatever became of it */
	assert_int_equal(rte_mempool_in_use_count(rig->pool), 0);
	for (uint16_t i = 0; i < RIG_PORTS; i++)
		free((void *)(uintptr_t)rig->port[i].mac_slot);
	fib4_free((struct fib4 *)(uintptr_t)rig->snapshot.fib4);
	fib6_free((struct fib6 *)(uintptr_t)rig->snapshot.fib6);
	address_set_release(&rig->snapshot.special4);
	address_set_release(&rig->snapshot.special6);
	rte_mempool_free(rig->pool);
	free(rig);
}

struct rte_mbuf *rig_frame(struct rig *rig, uint16_t in, uint16_t ether_type, uint32_t l3_bytes)
{
	const uint32_t l2_bytes = rig->port[in].vlan ? 18 : 14;
	struct rte_mbuf *frame = rte_pktmbuf_alloc(rig->pool);
	uint8_t *l2;

	assert_non_null(frame);
	l2 = (uint8_t *)rte_pktmbuf_append(frame, l2_bytes + l3_bytes);
	assert_non_null(l2);
	memset(l2, 0, l2_bytes + l3_bytes);
	memcpy(l2, rig->port[in].mac.addr_bytes, 6);
	rig_mac(l2 + 6, in, 0);
	if (rig->port[in].vlan) {
		l2[12] = 0x81;
		l2[15] = rig->port[in].vlan;
	}
	l2[l2_bytes - 2] = ether_type >> 8;
	l2[l2_bytes - 1] = ether_type & 0xff;
	*frame_origin(frame) = (struct frame_origin){ .wire_bytes = l2_bytes + l3_bytes };
	return frame;
}

uint8_t *rig_l3(struct rte_mbuf *frame)
{
	uint8_t *l2 = rte_pktmbuf_mtod(frame, uint8_t *);

	return l2 + (l2[12] == 0x81 ? 18 : 14);
}

void rig_checksum4(uint8_t *ip)
{
	ip[10] = ip[11] = 0;
	*(uint16_t *)(ip + 10) = ~rte_raw_cksum(ip, (ip[0] & 0xf) * 4);
}

struct rte_mbuf *rig_udp4(struct rig *rig, uint16_t in, uint32_t dst, uint32_t l3_bytes)
{
	struct rte_mbuf *frame = rig_frame(rig, in, RTE_ETHER_TYPE_IPV4, l3_bytes);
	uint8_t *ip = rig_l3(frame);
	const uint32_t addresses[2] = { rte_cpu_to_be_32(0xc6130005), rte_cpu_to_be_32(dst) };

	ip[0] = 0x45;
	ip[2] = l3_bytes >> 8;
	ip[3] = l3_bytes & 0xff;
	ip[8] = 64;
	ip[9] = 17;
	memcpy(ip + 12, addresses, sizeof(addresses));
	for (uint32_t i = 28; i < l3_bytes; i++)
		ip[i] = i;
	rig_checksum4(ip);
	return frame;
}

struct rte_mbuf *rig_udp6(struct rig *rig, uint16_t in, struct ipv6_key dst, uint32_t l3_bytes)
{
	struct rte_mbuf *frame = rig_frame(rig, in, RTE_ETHER_TYPE_IPV6, l3_bytes);
	uint8_t *ip = rig_l3(frame);
	const uint64_t addresses[4] = { rte_cpu_to_be_64(0x20010db800ff0000), rte_cpu_to_be_64(5),
					rte_cpu_to_be_64(dst.hi), rte_cpu_to_be_64(dst.lo) };

	ip[0] = 0x60;
	ip[4] = (l3_bytes - 40) >> 8;
	ip[5] = (l3_bytes - 40) & 0xff;
	ip[6] = 17;
	ip[7] = 64;
	memcpy(ip + 8, addresses, sizeof(addresses));
	return frame;
}

void rig_input(struct rig *rig, struct rte_mbuf *frame)
{
	assert_true(rig->input_count < RIG_BURST_MAX);
	rig->input[rig->input_count++] = frame;
}

void rig_poll(struct rig *rig, uint16_t device)
{
	const struct rxq q = { input_receive, rig, device };
	const unsigned int n = rig->input_count;

	assert_int_equal(worker_poll(rig->w, &q), n);
}

struct rte_mbuf *rig_forward(struct rig *rig, uint16_t in, struct rte_mbuf *frame, uint16_t out)
{
	rig_clear(rig);
	rig_input(rig, frame);
	rig_poll(rig, rig->port[in].device);
	rig_assert_conserved(rig);
	return rig->queue[out].n ? rig->queue[out].frame[0] : NULL;
}

void rig_clear(struct rig *rig)
{
	for (uint16_t i = 0; i < RIG_PORTS; i++) {
		for (uint32_t k = 0; k < rig->queue[i].n; k++)
			rte_pktmbuf_free(rig->queue[i].frame[k]);
		rig->queue[i].n = 0;
	}
}

struct port_counters rig_counters(const struct rig *rig, uint16_t port)
{
	struct port_counters c;

	counters_port(rig->dp, port, &c);
	return c;
}

void rig_assert_conserved(const struct rig *rig)
{
	uint64_t forwarded = 0, fragments = 0, stray = 0, originated = 0, transmitted = 0;

	for (uint16_t i = 0; i < RIG_PORTS; i++) {
		const struct port_counters c = rig_counters(rig, i);
		uint64_t dropped = 0;

		for (int r = 0; r < REASON_COUNT; r++)
			dropped += c.drop[r].packets;
		assert_int_equal(c.drop[REASON_NONE].packets + c.drop[REASON_CONSUMED].packets, 0);
		assert_int_equal(c.received.packets,
				 c.forwarded.packets + c.consumed.packets + dropped + c.pending);
		forwarded += c.forwarded.packets;
		fragments += c.fragments.packets;
		stray += c.stray.packets;
		originated += c.originated.packets;
		transmitted += c.transmitted.packets;
	}
	assert_int_equal(transmitted, forwarded + fragments + stray + originated);
}
