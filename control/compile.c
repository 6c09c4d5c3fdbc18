// SPDX-License-Identifier: BSD-3-Clause
/* Compiles the model into a snapshot that stands alone: it outlives the model. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_common.h>

#include "address.h"
#include "model_state.h"

#define CACHE_LINE_BYTES 64
#define ETHERNET_BYTES   14
#define VLAN_TAG_BYTES   4

/* Memory that is freed as one. */
struct block {
	struct block *next;
	uint8_t data[];
};

/*
 * Ports, devices, and the addresses that are special at them. Next hops change often and these do
 * not: snapshots share them, so that a neighbour or a link costs a table of next hops and no more.
 */
struct interfaces {
	unsigned int references;
	struct block *blocks;
	uint32_t ports, devices;
	struct snapshot_port *port;
	struct snapshot_device *device;
	bool tagged, polices, polices_egress; /* some port does */
	struct mac_slot **mac_slot;           /* of each port */
	struct address_set special4, special6;
};

struct compiled {
	struct snapshot snapshot;
	struct nexthop_table nexthops;
	struct table *routes[2], *sources;
	struct interfaces *interfaces;
	struct block *blocks;
};

/* Zeroed memory, aligned to cache lines, that lives as long as blocks. NULL without memory. */
static void *take(struct block **blocks, size_t n, size_t bytes)
{
	struct block *block = calloc(1, sizeof(*block) + CACHE_LINE_BYTES + n * bytes);

	if (!block)
		return NULL;
	block->next = *blocks;
	*blocks = block;
	return (void *)RTE_ALIGN_CEIL((uintptr_t)block->data, CACHE_LINE_BYTES);
}

static void free_blocks(struct block *blocks)
{
	while (blocks) {
		struct block *next = blocks->next;

		free(blocks);
		blocks = next;
	}
}

void interfaces_unref(struct interfaces *to)
{
	if (!to || __atomic_sub_fetch(&to->references, 1, __ATOMIC_ACQ_REL))
		return;
	address_set_release(&to->special4);
	address_set_release(&to->special6);
	for (uint32_t i = 0; to->mac_slot && i < to->ports; i++)
		free(to->mac_slot[i]);
	free_blocks(to->blocks);
	free(to);
}

static void release(struct snapshot *snapshot)
{
	struct compiled *c = snapshot->owner;

	free_blocks(c->blocks);
	interfaces_unref(c->interfaces);
	table_unref(c->routes[0]);
	table_unref(c->routes[1]);
	table_unref(c->sources);
	free(c);
}

/* ---- next hops ---- */

/* The frame's header, right-aligned; rewrite writes the EtherType. */
static void write_l2(struct nexthop *to, const struct rte_ether_addr *destination,
		     const struct rte_ether_addr *source, uint16_t vlan)
{
	uint8_t *l2;

	to->l2_bytes = ETHERNET_BYTES + (vlan ? VLAN_TAG_BYTES : 0);
	l2 = to->l2 + sizeof(to->l2) - to->l2_bytes;
	memcpy(l2, destination, 6);
	memcpy(l2 + 6, source, 6);
	if (!vlan)
		return;
	l2[12] = 0x81;
	l2[13] = 0x00;
	l2[14] = (uint8_t)(vlan >> 8);
	l2[15] = (uint8_t)vlan;
}

static struct nexthop compile_hop(const struct model *model, const struct hop *hop)
{
	const struct config_port *config = model->port[hop->key.port].config;
	const bool subnet = (hop->key.gateway.key.hi | hop->key.gateway.key.lo) == 0;
	struct nexthop to = { .port = hop->key.port,
			      .party = hop->party,
			      .kind = hop->resolved ? NEXTHOP_FORWARD
				      : hop->failed ? NEXTHOP_FAILED
				      : subnet      ? NEXTHOP_SUBNET
						    : NEXTHOP_UNRESOLVED };

	write_l2(&to, &hop->mac, &model->port[hop->key.port].mac, config->vlan);
	to.mtu = hop->resolved ? config->mtu : 0;
	if (hop->key.via_default)
		to.kind |= NEXTHOP_VIA_DEFAULT;
	return to;
}

static int compile_hops(struct compiled *c, const struct model *model)
{
	static const uint8_t special[LEAF_FIRST_FREE] = {
		[LEAF_NO_ROUTE] = NEXTHOP_NO_ROUTE, [LEAF_UNREACHABLE] = NEXTHOP_UNREACHABLE,
		[LEAF_PROHIBIT] = NEXTHOP_PROHIBIT, [LEAF_BLACKHOLE] = NEXTHOP_BLACKHOLE,
		[LEAF_LOCAL] = NEXTHOP_LOCAL,       [LEAF_INTERNAL] = NEXTHOP_INTERNAL,
	};
	const struct hops *hops = &model->hops;
	struct nexthop_table *t = &c->nexthops;

	t->nexthops = hops->hop_count;
	t->nexthop = take(&c->blocks, t->nexthops, sizeof(*t->nexthop));
	if (!t->nexthop)
		return -ENOMEM;
	for (uint32_t i = 0; i < t->nexthops; i++) {
		if (i >= LEAF_FIRST_FREE && hops->hop[i].used)
			t->nexthop[i] = compile_hop(model, &hops->hop[i]);
		else
			t->nexthop[i] = (struct nexthop){ .port = PORT_NONE,
							  .party = PARTY_NONE,
							  .l2_bytes = ETHERNET_BYTES,
							  .kind = i < LEAF_FIRST_FREE && special[i]
									  ? special[i]
									  : NEXTHOP_INTERNAL };
	}
	return 0;
}

static int compile_groups(struct compiled *c, const struct hops *hops)
{
	struct nexthop_table *t = &c->nexthops;
	uint32_t bucket = 1, member = 1;

	for (uint32_t i = 1; i < hops->group_count; i++) {
		t->buckets += hops->group[i].buckets;
		t->group_members_size += hops->group[i].choices;
	}
	t->groups = hops->group_count;
	t->buckets++;
	t->group_members_size++;
	t->group = take(&c->blocks, t->groups, sizeof(*t->group));
	t->bucket = take(&c->blocks, t->buckets, sizeof(*t->bucket));
	t->group_members = take(&c->blocks, t->group_members_size, sizeof(*t->group_members));
	if (!t->group || !t->bucket || !t->group_members)
		return -ENOMEM;
	/* groups not in use have one bucket, which must not be reached */
	t->bucket[0] = t->group_members[0] = LEAF_INTERNAL;
	for (uint32_t i = 0; i < t->groups; i++) {
		const struct hop_group *g = &hops->group[i];

		t->group[i] = (struct nexthop_group){ .members = 1 };
		if (!g->choice)
			continue;
		t->group[i] = (struct nexthop_group){ bucket, g->buckets - 1, member, g->choices };
		for (uint32_t k = 0; k < g->buckets; k++)
			t->bucket[bucket++] = g->choice[g->owner[k]].hop;
		for (uint32_t k = 0; k < g->choices; k++)
			t->group_members[member++] = g->choice[k].hop;
	}
	return 0;
}

/* ---- ports ---- */

/* Addresses and subnets of a port, both families, in configuration order. */
static int compile_addresses(struct interfaces *all, const struct config_port *from,
			     struct snapshot_port *to)
{
	size_t n = from->address_count;
	struct subnet *subnet4 = take(&all->blocks, n, sizeof(*subnet4));
	struct subnet *subnet6 = take(&all->blocks, n, sizeof(*subnet6));
	uint32_t *address4 = take(&all->blocks, n, sizeof(*address4));
	struct ipv6_key *address6 = take(&all->blocks, n, sizeof(*address6));

	if (!subnet4 || !subnet6 || !address4 || !address6)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct interface_address *a = &from->addresses[i];
		struct ip_prefix subnet = ip_prefix_of(&a->address, a->length);

		if (a->address.ipv6) {
			subnet6[to->subnet6_count++].prefix = subnet.key;
			address6[to->address6_count++] = a->address.key;
		} else {
			subnet4[to->subnet4_count++].prefix = subnet.key;
			address4[to->address4_count++] =
				rte_cpu_to_be_32((uint32_t)(a->address.key.hi >> 32));
		}
	}
	to->subnet4 = subnet4;
	to->subnet6 = subnet6;
	to->address4 = address4;
	to->address6 = address6;
	return 0;
}

/* The MACs of all routers on a port of the configuration, with their members; list NULL: only how
 * many.
 */
static uint32_t list_macs(const struct model *model, size_t port, struct mac_slot *list)
{
	const struct config *config = model->config;
	uint32_t n = 0;

	for (size_t m = 0; m < config->member_count; m++) {
		const struct config_member *member = &config->members[m];

		for (size_t r = 0; r < member->router_count; r++) {
			const struct config_router *router = &member->routers[r];

			if (router->port != port)
				continue;
			for (size_t i = 0; list && i < router->mac_count; i++)
				list[n + i] =
					(struct mac_slot){ mac_number(router->macs[i].addr_bytes),
							   model_member_party(model, m) };
			n += (uint32_t)router->mac_count;
		}
	}
	return n;
}

static int compile_macs(struct interfaces *all, const struct model *model, uint16_t number,
			struct snapshot_port *to)
{
	const size_t port = model_config_port(model, number);
	uint32_t n = list_macs(model, port, NULL);
	struct mac_slot *list = take(&all->blocks, n, sizeof(*list));

	if (!list)
		return -ENOMEM;
	list_macs(model, port, list);
	all->mac_slot[number] = mac_slots_init(list, n, &to->mac_multiplier, &to->mac_shift);
	to->mac_slot = all->mac_slot[number];
	return to->mac_slot ? 0 : -ENOMEM;
}

/* Another number for other parameters, and for another port; never 0. */
static uint32_t meter_generation(const struct config_port *from, uint64_t name_hash)
{
	const uint64_t parameter[] = {
		from->rate_limit_bps,     from->burst_bytes, from->egress_rate_limit_bps,
		from->egress_burst_bytes, from->icmp_rate,   from->icmp_burst
	};
	uint64_t h = name_hash;

	for (size_t i = 0; i < RTE_DIM(parameter); i++) {
		h = (h ^ parameter[i]) * 0x9e3779b97f4a7c15;
		h ^= h >> 29;
	}
	return (uint32_t)h | 1;
}

static void compile_meters(const struct config_port *from, struct snapshot_port *to,
			   uint64_t name_hash)
{
	to->meter_generation = meter_generation(from, name_hash);
	meter_init(&to->ingress, from->rate_limit_bps / 8, from->burst_bytes);
	meter_init(&to->egress, from->egress_rate_limit_bps / 8, from->egress_burst_bytes);
	meter_init(&to->icmp_too_big, from->icmp_rate, from->icmp_burst);
	meter_init(&to->icmp_error, from->icmp_rate, from->icmp_burst);
	meter_init(&to->icmp_echo, from->icmp_rate, from->icmp_burst);
}

/* The configuration's bits are the worker's, but each side has its own names for them. */
static uint8_t tap_accept(unsigned int from)
{
	return (from & CONFIG_TAP_BGP ? TAP_ACCEPT_BGP : 0) |
	       (from & CONFIG_TAP_BFD ? TAP_ACCEPT_BFD : 0) |
	       (from & CONFIG_TAP_ICMP ? TAP_ACCEPT_ICMP : 0) |
	       (from & CONFIG_TAP_ALL ? TAP_ACCEPT_ALL : 0);
}

static int compile_port(struct interfaces *all, const struct model *model, uint16_t number,
			struct snapshot_port *to)
{
	static const enum source_check checks[] = {
		[CONFIG_SOURCE_NONE] = SOURCE_CHECK_NONE,
		[CONFIG_SOURCE_LOOSE] = SOURCE_CHECK_LOOSE,
		[CONFIG_SOURCE_STRICT] = SOURCE_CHECK_STRICT,
		[CONFIG_SOURCE_PREFIXES] = SOURCE_CHECK_PREFIXES,
	};
	const struct model_port *port = &model->port[number];
	const struct config_port *from = port->config;

	if (!from) {
		to->device = DEVICE_MAX;
		to->party = PARTY_NONE;
		return 0;
	}
	strncpy(to->name, from->name, sizeof(to->name) - 1);
	to->mac = port->mac;
	to->device = port->device;
	to->vlan = from->vlan;
	to->mtu = from->mtu;
	to->party = port->party;
	to->used = true;
	to->enabled = port->enabled;
	to->any_mac = model->options.any_mac;
	to->mac_lock = from->mac_lock && !to->any_mac;
	to->source_check = checks[from->source_check];
	to->source_check_drop = from->source_check_drop;
	to->tap_accept = from->tap ? tap_accept(from->tap_accept) : 0;
	to->link_local = port->link_local;
	compile_meters(from, to, port->name_hash);
	if (compile_addresses(all, from, to))
		return -ENOMEM;
	return compile_macs(all, model, number, to);
}

/* Whence ICMP errors come: the port's first address, else the first of any port. */
static void compile_error_sources(const struct model *model, struct snapshot_port *port)
{
	uint32_t any4 = RTE_BE32(0xc0000008); /* 192.0.0.8, RFC 7600 */
	const struct ipv6_key *any6 = NULL;

	for (size_t i = model->config->port_count; i-- > 0;) {
		const struct snapshot_port *p = &port[model->port_number[i]];

		if (p->address4_count)
			any4 = p->address4[0];
		if (p->address6_count)
			any6 = &p->address6[0];
	}
	for (size_t i = 0; i < model->config->port_count; i++) {
		struct snapshot_port *p = &port[model->port_number[i]];

		p->error_source4 = p->address4_count ? p->address4[0] : any4;
		p->error_source6 = p->address6_count ? p->address6[0]
				   : any6            ? *any6
						     : p->link_local;
	}
}

static int compile_ports(struct interfaces *all, const struct model *model)
{
	all->ports = model->port_numbers.count;
	all->port = take(&all->blocks, all->ports, sizeof(*all->port));
	all->mac_slot = take(&all->blocks, all->ports, sizeof(*all->mac_slot));
	if (!all->port || !all->mac_slot)
		return -ENOMEM;
	for (uint16_t i = 0; i < all->ports; i++) {
		if (compile_port(all, model, i, &all->port[i]))
			return -ENOMEM;
		all->tagged |= all->port[i].vlan != 0;
		all->polices |= all->port[i].ingress.enabled;
		all->polices_egress |= all->port[i].egress.enabled;
	}
	compile_error_sources(model, all->port);
	return 0;
}

static int compile_devices(struct interfaces *all, const struct model *model)
{
	const uint16_t devices = model_devices(model);
	struct snapshot_device *device = take(&all->blocks, devices, sizeof(*device));

	if (!device)
		return -ENOMEM;
	all->devices = devices;
	all->device = device;
	for (uint16_t i = 0; i < devices; i++) {
		device[i].fallback_port = PORT_NONE;
		for (int vlan = 0; vlan < VLAN_MAX; vlan++)
			device[i].port[vlan] = PORT_NONE;
	}
	for (size_t i = 0; i < model->config->port_count; i++) {
		const uint16_t number = model->port_number[i];
		const struct snapshot_port *port = &all->port[number];
		struct snapshot_device *d = &device[port->device];

		if (model->port[number].detached)
			continue;
		d->port[port->vlan] = number;
		if (d->fallback_port == PORT_NONE || !port->vlan)
			d->fallback_port = number;
	}
	return 0;
}

/* ---- addresses that are special at every port ---- */

struct entries {
	struct address_entry *list[2]; /* IPv4, IPv6 */
	uint32_t n[2];
};

static void add_entry(struct entries *e, const struct ip_address *address, uint16_t port,
		      enum address_kind kind)
{
	e->list[address->ipv6][e->n[address->ipv6]++] =
		(struct address_entry){ address->key, port, (uint8_t)kind };
}

/* What an address makes special beside itself. */
static void add_subnet_entries(struct entries *e, const struct interface_address *a, uint16_t port)
{
	struct ip_prefix subnet = ip_prefix_of(&a->address, a->length);
	struct ip_address first = { subnet.key.address, a->address.ipv6 };
	struct ip_address last = ip_prefix_last(&subnet);

	if (a->address.ipv6) {
		if (a->length < 127) /* subnet-router anycast, RFC 4291 2.6.1; RFC 6164 has none */
			add_entry(e, &first, port, ADDRESS_OWN);
	} else if (a->length <= 30) {
		add_entry(e, &first, port, ADDRESS_BROADCAST);
		add_entry(e, &last, port, ADDRESS_BROADCAST);
	}
}

static int compile_special(struct interfaces *all, const struct model *model)
{
	const struct config *config = model->config;
	struct entries e = { 0 };
	size_t n = 0;
	int rc = -ENOMEM;

	for (size_t i = 0; i < config->port_count; i++)
		n += config->ports[i].address_count;
	e.list[0] = calloc(3 * n + 1, sizeof(*e.list[0]));
	e.list[1] = calloc(3 * n + 1, sizeof(*e.list[1]));
	if (!e.list[0] || !e.list[1])
		goto out;
	for (size_t i = 0; i < config->port_count; i++)
		for (size_t k = 0; k < config->ports[i].address_count; k++)
			add_entry(&e, &config->ports[i].addresses[k].address, model->port_number[i],
				  ADDRESS_OWN);
	for (size_t i = 0; i < config->port_count; i++)
		for (size_t k = 0; k < config->ports[i].address_count; k++)
			add_subnet_entries(&e, &config->ports[i].addresses[k],
					   model->port_number[i]);
	rc = address_set_init(&all->special4, e.list[0], e.n[0]);
	if (!rc)
		rc = address_set_init(&all->special6, e.list[1], e.n[1]);
out:
	free(e.list[0]);
	free(e.list[1]);
	return rc;
}

static struct interfaces *compile_interfaces(const struct model *model)
{
	struct interfaces *all = calloc(1, sizeof(*all));

	if (!all)
		return NULL;
	all->references = 1;
	if (compile_ports(all, model) || compile_devices(all, model) ||
	    compile_special(all, model)) {
		interfaces_unref(all);
		return NULL;
	}
	return all;
}

struct snapshot *compile(struct model *model)
{
	struct compiled *c;
	struct snapshot *snapshot;

	if (!model->interfaces)
		model->interfaces = compile_interfaces(model);
	c = model->interfaces ? calloc(1, sizeof(*c)) : NULL;
	if (!c)
		return NULL;
	snapshot = &c->snapshot;
	snapshot->owner = c;
	snapshot->release = release;
	snapshot->generation = model->generation;
	snapshot->hash_seed = model->config->dataplane.hash_seed;
	c->routes[0] = table_ref(model->routes[0]);
	c->routes[1] = table_ref(model->routes[1]);
	c->sources = table_ref(model->sources);
	snapshot->fib4 = c->routes[0]->fib4;
	snapshot->fib6 = c->routes[1]->fib6;
	snapshot->source4 = c->sources->fib4;
	snapshot->source6 = c->sources->fib6;
	snapshot->allowed = c->sources->allowed;
	snapshot->allowed_words = c->sources->allowed_words;
	c->interfaces = model->interfaces;
	__atomic_add_fetch(&c->interfaces->references, 1, __ATOMIC_RELAXED);
	snapshot->ports = c->interfaces->ports;
	snapshot->port = c->interfaces->port;
	snapshot->devices = c->interfaces->devices;
	snapshot->device = c->interfaces->device;
	snapshot->tagged = c->interfaces->tagged;
	snapshot->polices = c->interfaces->polices;
	snapshot->polices_egress = c->interfaces->polices_egress;
	snapshot->special4 = c->interfaces->special4;
	snapshot->special6 = c->interfaces->special6;
	snapshot->nexthops = &c->nexthops;
	if (compile_hops(c, model) || compile_groups(c, &model->hops)) {
		release(snapshot);
		return NULL;
	}
	return snapshot;
}
