// SPDX-License-Identifier: BSD-3-Clause
/* Names, subnets and devices of ports: nothing twice, nothing that overlaps or disagrees. */
#include "config_private.h"

#include <stdlib.h>
#include <string.h>

static int port_name_order(const void *left, const void *right, void *arg)
{
	const struct config *config = arg;
	const size_t *a = left, *b = right;
	int order = strcmp(config->ports[*a].name, config->ports[*b].name);

	return order ? order : *a < *b ? -1 : *a > *b;
}

size_t port_by_name(const struct reader *r, const char *name)
{
	size_t low = 0, high = r->config->port_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (strcmp(r->config->ports[r->port_by_name[middle]].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < r->config->port_count &&
	    strcmp(r->config->ports[r->port_by_name[low]].name, name) == 0)
		return r->port_by_name[low];
	return SIZE_MAX;
}

static void check_port_names(struct reader *r)
{
	struct config *config = r->config;
	size_t first = 0;

	r->port_by_name = calloc(config->port_count, sizeof(*r->port_by_name));
	if (!r->port_by_name) {
		r->no_memory = true;
		return;
	}
	for (size_t i = 0; i < config->port_count; i++) {
		struct config_port *port = &config->ports[i];

		if (!port->name) /* wrong, which was said */
			port->name = strdup("");
		if (!port->name) {
			r->no_memory = true;
			return;
		}
		r->port_by_name[i] = i;
	}
	qsort_r(r->port_by_name, config->port_count, sizeof(*r->port_by_name), port_name_order,
		config);
	for (size_t i = 1; i < config->port_count; i++) {
		const char *name = config->ports[r->port_by_name[i]].name;
		const char *before = config->ports[r->port_by_name[first]].name;
		char text[REFERENCE_MAX], quoted[QUOTE_MAX];
		struct item_where at;
		struct where where;

		if (!*name || strcmp(name, before) != 0) {
			first = i;
			continue;
		}
		item_where(&at, "ports", &r->ports.item[r->port_by_name[i]]);
		where = where_key(&at.item, "name");
		where_error(r, &where, "'%s' is the name of %s already", quote(name, quoted),
			    item_reference(at.item.document, "ports",
					   &r->ports.item[r->port_by_name[first]], text));
	}
}

static int subnet_order(const void *left, const void *right)
{
	const struct config_subnet *a = left, *b = right;
	int order;

	ORDER(a->prefix.ipv6, b->prefix.ipv6);
	order = ip_key_compare(a->prefix.key.address, b->prefix.key.address);
	if (order)
		return order;
	ORDER(a->prefix.key.length, b->prefix.key.length);
	ORDER(a->port, b->port);
	return 0;
}

const struct config_subnet *config_subnet_of(const struct config *config,
					     const struct ip_address *address)
{
	size_t low = 0, high = config->subnet_count;

	while (low < high) { /* the first that begins beyond the address */
		size_t middle = (low + high) / 2;
		const struct config_subnet *s = &config->subnets[middle];

		if (s->prefix.ipv6 != address->ipv6
			    ? s->prefix.ipv6 < address->ipv6
			    : ip_key_compare(s->prefix.key.address, address->key) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low > 0 && ip_prefix_contains(&config->subnets[low - 1].prefix, address))
		return &config->subnets[low - 1];
	return NULL;
}

size_t config_port_of(const struct config *config, const struct ip_address *address)
{
	const struct config_subnet *subnet = config_subnet_of(config, address);

	return subnet ? subnet->port : SIZE_MAX;
}

/* Where a port's address stands that made this subnet. */
static struct where subnet_where(struct reader *r, const struct config_subnet *subnet,
				 struct where *list)
{
	const struct config_port *port = &r->config->ports[subnet->port];
	size_t i = 0;

	while (i + 1 < port->address_count &&
	       !(ip_address_equal(&port->addresses[i].address, &subnet->own) &&
		 port->addresses[i].length == subnet->prefix.key.length))
		i++;
	return list_where(list, i);
}

static void subnets_overlap(struct reader *r, const struct config_subnet *a,
			    const struct config_subnet *b)
{
	const struct config_subnet *first = a->port <= b->port ? a : b;
	const struct config_subnet *later = first == a ? b : a;
	char one[IP_TEXT_MAX], other[IP_TEXT_MAX], text[REFERENCE_MAX];
	struct where list, where;
	struct item_where at;

	item_where(&at, "ports", &r->ports.item[later->port]);
	list = where_key(&at.item, "addresses");
	where = subnet_where(r, later, &list);
	where_error(r, &where, "the subnet %s overlaps %s of %s",
		    ip_prefix_text(&later->prefix, one), ip_prefix_text(&first->prefix, other),
		    a->port == b->port ? "the same port"
				       : item_reference(at.item.document, "ports",
							&r->ports.item[first->port], text));
}

static void check_subnets(struct reader *r)
{
	struct config *config = r->config;
	const struct config_subnet *widest = NULL;
	size_t count = 0;

	for (size_t i = 0; i < config->port_count; i++)
		count += config->ports[i].address_count;
	if (count == 0)
		return;
	config->subnets = calloc(count, sizeof(*config->subnets));
	if (!config->subnets) {
		r->no_memory = true;
		return;
	}
	for (size_t i = 0; i < config->port_count; i++) {
		for (size_t j = 0; j < config->ports[i].address_count; j++) {
			const struct interface_address *own = &config->ports[i].addresses[j];

			config->subnets[config->subnet_count++] = (struct config_subnet){
				.prefix = ip_prefix_of(&own->address, own->length),
				.own = own->address,
				.port = i,
			};
		}
	}
	qsort(config->subnets, count, sizeof(*config->subnets), subnet_order);
	for (size_t i = 0; i < count; i++) {
		const struct config_subnet *s = &config->subnets[i];
		struct ip_address start = { .key = s->prefix.key.address, .ipv6 = s->prefix.ipv6 };

		if (widest && ip_prefix_contains(&widest->prefix, &start))
			subnets_overlap(r, widest, s);
		else
			widest = s;
	}
}

static int device_order(const void *left, const void *right, void *arg)
{
	const struct config *config = arg;
	const struct config_port *a = &config->ports[*(const size_t *)left];
	const struct config_port *b = &config->ports[*(const size_t *)right];
	int order = strcmp(a->device ? a->device : "", b->device ? b->device : "");

	if (order)
		return order;
	ORDER(a->vlan, b->vlan);
	ORDER(a, b); /* the order of the configuration */
	return 0;
}

static struct where port_key_where(struct reader *r, size_t port, const char *key,
				   struct item_where *at)
{
	item_where(at, "ports", &r->ports.item[port]);
	return where_key(&at->item, key);
}

static void vlan_taken(struct reader *r, size_t first, size_t other)
{
	char text[REFERENCE_MAX];
	struct item_where at;
	unsigned int vlan = r->config->ports[other].vlan;
	struct where where = port_key_where(r, other, vlan ? "vlan" : "device", &at);
	const char *reference =
		item_reference(at.item.document, "ports", &r->ports.item[first], text);

	if (!vlan && node_get(at.item.node, "vlan"))
		return; /* it is wrong, which was said */
	if (vlan)
		where_error(r, &where, "%u is the tag of %s on the same device already", vlan,
			    reference);
	else
		where_error(r, &where,
			    "%s on the same device is untagged already; give this a `vlan`",
			    reference);
}

static void port_disagrees(struct reader *r, size_t first, size_t other, const char *key)
{
	char text[REFERENCE_MAX];
	struct item_where at;
	struct where where = port_key_where(r, other, key, &at);

	where_error(r, &where, "differs from that of %s, which shares the device",
		    item_reference(at.item.document, "ports", &r->ports.item[first], text));
}

/* What one port of a device says of it holds for all; what two say must agree. */
static void check_shared(struct reader *r, const size_t *order, size_t count)
{
	struct config_port *ports = r->config->ports;
	size_t mac = SIZE_MAX, speed = SIZE_MAX, queues = SIZE_MAX;

	for (size_t i = 0; i < count; i++) {
		size_t p = order[i];

		if (ports[p].has_mac && p < mac)
			mac = p;
		if (ports[p].speed_bps && p < speed)
			speed = p;
		if (ports[p].queues && p < queues)
			queues = p;
	}
	for (size_t i = 0; i < count; i++) {
		struct config_port *port = &ports[order[i]];

		if (port->has_mac && memcmp(&port->mac, &ports[mac].mac, sizeof(port->mac)) != 0)
			port_disagrees(r, mac, order[i], "mac");
		if (port->speed_bps && port->speed_bps != ports[speed].speed_bps)
			port_disagrees(r, speed, order[i], "speed");
		if (port->queues && port->queues != ports[queues].queues)
			port_disagrees(r, queues, order[i], "queues");
		if (mac != SIZE_MAX) {
			port->has_mac = true;
			port->mac = ports[mac].mac;
		}
		if (speed != SIZE_MAX)
			port->speed_bps = ports[speed].speed_bps;
		if (queues != SIZE_MAX)
			port->queues = ports[queues].queues;
	}
}

/* DPDK knows a device by its name alone: other arguments do not make it another. */
static void check_name(struct reader *r, size_t one, size_t two)
{
	const size_t first = one < two ? one : two, other = one < two ? two : one;
	const char *a = r->config->ports[first].device, *b = r->config->ports[other].device;
	const size_t length = strcspn(b, ",");
	char text[REFERENCE_MAX];
	struct item_where at;
	struct where where;

	if (strcspn(a, ",") != length || strncmp(a, b, length) != 0)
		return;
	where = port_key_where(r, other, "device", &at);
	where_error(r, &where,
		    "%.*s is the device of %s already, with other arguments; "
		    "each device needs a name (number) of its own",
		    (int)length, b,
		    item_reference(at.item.document, "ports", &r->ports.item[first], text));
}

/* ---- kernel interfaces ---- */

/* The interface of the kernel that a device string takes or makes; its length, 0: none. */
static size_t kernel_interface(const char *device, const char **name)
{
	static const char *const drivers[] = { "net_af_packet", "net_af_xdp", "net_tap" };
	bool known = false;

	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		known |= strncmp(device, drivers[i], strlen(drivers[i])) == 0;
	*name = known ? strstr(device, ",iface=") : NULL;
	if (!*name)
		return 0;
	*name += strlen(",iface=");
	return strcspn(*name, ",");
}

static void interface_twice(struct reader *r, size_t first, size_t other)
{
	char text[REFERENCE_MAX];
	struct item_where at;
	struct where where = port_key_where(r, other, "device", &at);
	const char *name;
	const size_t length = kernel_interface(r->config->ports[other].device, &name);

	where_error(r, &where,
		    "the interface %.*s is that of %s already; ports that share one have the same "
		    "device, and tags",
		    (int)length, name,
		    item_reference(at.item.document, "ports", &r->ports.item[first], text));
}

#define DEVICES_MAX 32

/* Two devices on one interface would both get every frame, and forward it twice. */
static void check_interfaces(struct reader *r)
{
	const struct config_port *ports = r->config->ports;
	size_t owner[DEVICES_MAX], n = 0;

	for (size_t p = 0; p < r->config->port_count; p++) {
		const char *name, *taken;
		size_t length = ports[p].device ? kernel_interface(ports[p].device, &name) : 0;
		bool known = false;

		for (size_t i = 0; length && !known && i < n; i++) {
			known = strcmp(ports[owner[i]].device, ports[p].device) == 0;
			if (known || kernel_interface(ports[owner[i]].device, &taken) != length ||
			    memcmp(taken, name, length) != 0)
				continue;
			interface_twice(r, owner[i], p);
			known = true;
		}
		if (length && !known && n < DEVICES_MAX)
			owner[n++] = p;
	}
}

void check_taps(struct reader *r)
{
	for (size_t p = 0; p < r->config->port_count; p++) {
		const char *device = r->config->ports[p].device, *name;
		const size_t length = device ? kernel_interface(device, &name) : 0;
		char *copy = length ? strndup(name, length) : NULL;
		const size_t of = copy ? port_by_name(r, copy) : SIZE_MAX;

		if (length && !copy)
			r->no_memory = true;
		if (of != SIZE_MAX && r->config->ports[of].tap) {
			char text[REFERENCE_MAX];
			struct item_where at;
			struct where where = port_key_where(r, p, "device", &at);

			where_error(r, &where,
				    "the interface %s is the TAP of %s, which has that name (tap: "
				    "true); rename one",
				    copy,
				    item_reference(at.item.document, "ports", &r->ports.item[of],
						   text));
		}
		free(copy);
	}
}

/* ---- devices ---- */

static void check_devices(struct reader *r)
{
	struct config *config = r->config;
	size_t *order = calloc(config->port_count, sizeof(*order));
	size_t n = 0, devices = 0;

	if (!order) {
		r->no_memory = true;
		return;
	}
	for (size_t i = 0; i < config->port_count; i++)
		if (config->ports[i].device)
			order[n++] = i;
	qsort_r(order, n, sizeof(*order), device_order, config);
	for (size_t first = 0, end; first < n; first = end) {
		const char *device = config->ports[order[first]].device;

		if (first > 0)
			check_name(r, order[first - 1], order[first]);
		end = first + 1;
		for (; end < n && strcmp(config->ports[order[end]].device, device) == 0; end++)
			if (config->ports[order[end]].vlan == config->ports[order[end - 1]].vlan)
				vlan_taken(r, order[end - 1], order[end]);
		check_shared(r, order + first, end - first);
		if (++devices == DEVICES_MAX + 1) {
			struct item_where at;
			struct where where = port_key_where(r, order[first], "device", &at);

			where_error(r, &where, "one device more than the %d that napd can have",
				    DEVICES_MAX);
		}
	}
	free(order);
}

void check_ports(struct reader *r)
{
	if (r->no_memory || r->config->port_count == 0)
		return;
	check_port_names(r);
	if (!r->no_memory)
		check_subnets(r);
	if (!r->no_memory)
		check_devices(r);
	if (!r->no_memory)
		check_interfaces(r);
}

const char *special_address(const struct ip_prefix *subnet, const struct ip_address *address)
{
	struct ip_address last = ip_prefix_last(subnet);

	if (subnet->key.length >= (address->ipv6 ? 127 : 31))
		return NULL;
	if (ip_key_compare(address->key, subnet->key.address) == 0)
		return address->ipv6 ? "the subnet-router anycast address" : "the network address";
	if (!address->ipv6 && ip_key_compare(address->key, last.key) == 0)
		return "the broadcast address";
	return NULL;
}

void check_neighbour(struct reader *r, const struct config_subnet *subnet,
		     const struct ip_address *address, const struct where *where)
{
	const char *special = special_address(&subnet->prefix, address);
	char text[IP_TEXT_MAX], prefix[IP_TEXT_MAX];

	if (ip_address_equal(&subnet->own, address))
		where_error(r, where, "%s is the address of port %s itself",
			    ip_address_text(address, text), r->config->ports[subnet->port].name);
	else if (special)
		where_error(r, where, "%s is %s of %s", ip_address_text(address, text), special,
			    ip_prefix_text(&subnet->prefix, prefix));
}
