// SPDX-License-Identifier: BSD-3-Clause
/*
 * Fuzz target: any bytes as a configuration. It is either refused, with at least one
 * error in it that has a place, or what it became holds all that the rest of napd
 * builds on.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool true_claim, const char *claim)
{
	if (true_claim)
		return;
	fprintf(stderr, "not true: %s\n", claim);
	abort();
}

static void check_port(const struct config *config, const struct config_port *port)
{
	size_t length = strlen(port->name);

	require(length >= 1 && length <= 15 && islower((unsigned char)port->name[0]),
		"ports have names");
	require(port->description && port->device && *port->device, "ports have a device");
	require(port->mtu >= 1280 && port->mtu <= 9600, "the MTU is in range");
	require(port->vlan <= 4094, "the tag is in range");
	require((port->rate_limit_bps == 0 || port->burst_bytes > 0) &&
			(port->egress_rate_limit_bps == 0 || port->egress_burst_bytes > 0),
		"a rate has a burst");
	require(!port->has_link_local || ip_is_link_local(&port->link_local),
		"link-local is link-local");
	require(!port->has_mac || ((port->mac.addr_bytes[0] & 1) == 0), "the MAC is unicast");
	for (size_t i = 0; i < port->address_count; i++) {
		const struct config_subnet *subnet =
			config_subnet_of(config, &port->addresses[i].address);

		require(subnet && subnet->port == (size_t)(port - config->ports),
			"an address is found on its port");
		require(port->addresses[i].place.line > 0, "an address has a place");
	}
}

static void check_subnets(const struct config *config)
{
	for (size_t i = 1; i < config->subnet_count; i++) {
		const struct config_subnet *a = &config->subnets[i - 1], *b = &config->subnets[i];
		struct ip_address last = ip_prefix_last(&a->prefix);

		require(a->prefix.ipv6 < b->prefix.ipv6 ||
				(a->prefix.ipv6 == b->prefix.ipv6 &&
				 ip_key_compare(last.key, b->prefix.key.address) < 0),
			"subnets ascend and are disjoint");
	}
}

static void check_member(const struct config *config, const struct config_member *member)
{
	require(member->name && *member->name && member->description, "members have names");
	require(member->port == SIZE_MAX || member->port < config->port_count,
		"a member's port is there");
	for (size_t i = 0; i < member->router_count; i++) {
		const struct config_router *router = &member->routers[i];

		require(router->port < config->port_count, "a router has a port");
		for (size_t a = 0; a < router->address_count; a++)
			require(ip_is_link_local(&router->addresses[a]) ||
					config_port_of(config, &router->addresses[a]) ==
						router->port,
				"a router is on its port's subnet");
		for (size_t m = 0; m < router->mac_count; m++)
			require((router->macs[m].addr_bytes[0] & 1) == 0,
				"router MACs are unicast");
	}
}

static void check_route(const struct config *config, const struct config_route *route)
{
	require((route->kind == CONFIG_ROUTE_VIA) == (route->via_count > 0),
		"next hops come with via");
	require(route->via_count <= 64, "next hops are bounded");
	for (size_t i = 0; i < route->via_count; i++) {
		require(route->via[i].port < config->port_count, "a next hop has a port");
		require(route->via[i].weight >= 1 && route->via[i].weight <= 256,
			"the weight is in range");
		require(!route->prefix.ipv6 || route->via[i].address.ipv6,
			"an IPv6 prefix goes by IPv6");
	}
}

static void check_config(const struct config *config)
{
	require(config->port_count >= 1 && config->port_count <= 4096, "there are ports");
	require(config->exchange.name && config->log.level && config->metrics.listen &&
			config->control.socket && config->control.readonly_socket &&
			config->control.group && config->tables.fpm_listen,
		"what has a default is there");
	for (size_t i = 0; i < config->port_count; i++)
		check_port(config, &config->ports[i]);
	check_subnets(config);
	for (size_t i = 0; i < config->member_count; i++)
		check_member(config, &config->members[i]);
	for (size_t i = 0; i < config->route_count; i++)
		check_route(config, &config->routes[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct problems problems = { 0 };
	struct config *config;
	char *text;

	if (memmem(data, size, "include", 7))
		return 0;            /* would read whatever files this machine has */
	text = malloc(size + !size); /* of exactly its size */
	require(text != NULL, "there is memory");
	memcpy(text, data, size);
	config = config_parse(text, size, "fuzz.yaml", &problems);
	free(text);
	require((config != NULL) == (problems.errors == 0),
		"errors refuse the file, and nothing else");
	for (size_t i = 0; i < problems.count; i++)
		require(problems.list[i].place.file && problems.list[i].place.line > 0 &&
				problems.list[i].text[0] && !strchr(problems.list[i].text, '\n'),
			"a problem has a place and is one line");
	if (config)
		check_config(config);
	config_free(config);
	problems_release(&problems);
	return 0;
}
