// SPDX-License-Identifier: BSD-3-Clause
/* What a running exchange changes in its model: neighbours come and go, devices say their MACs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "model_state.h"

const struct config *model_config(const struct model *model)
{
	return model->config;
}

/* ---- devices ---- */

void model_set_device_mac(struct model *model, uint16_t device, struct rte_ether_addr mac)
{
	for (uint16_t i = 0; i < model->port_numbers.count; i++) {
		struct model_port *port = &model->port[i];

		if (!port->config || port->device != device || port->config->has_mac)
			continue;
		port->mac = mac;
		if (!port->config->has_link_local)
			port->link_local = model_link_local(&mac);
	}
}

void model_enable_port(struct model *model, uint16_t port, bool enabled)
{
	model->port[port].enabled = enabled;
}

void model_attach_port(struct model *model, uint16_t port, bool attached)
{
	model->port[port].detached = !attached;
}

/* ---- neighbours ---- */

static bool same_address(const struct ip_address *a, const struct ip_address *b)
{
	return a->ipv6 == b->ipv6 && ip_key_compare(a->key, b->key) == 0;
}

static bool is_link_local(const struct ip_address *a)
{
	return a->ipv6 && a->key.hi >> 54 == 0xfe80 >> 6;
}

/* A place for a neighbour that was not known; the list stays sorted. NULL without memory. */
static struct neighbour *insert(struct model *model, uint16_t port,
				const struct ip_address *address)
{
	struct neighbour key = { .address = *address, .port = port };
	size_t at = 0;

	if (model->neighbours == model->neighbours_allocated) {
		const size_t size = 2 * model->neighbours_allocated;
		struct neighbour *larger = realloc(model->neighbour, size * sizeof(*larger));

		if (!larger)
			return NULL;
		model->neighbour = larger;
		model->neighbours_allocated = size;
	}
	while (at < model->neighbours && model_neighbour_order(&model->neighbour[at], &key) < 0)
		at++;
	memmove(&model->neighbour[at + 1], &model->neighbour[at],
		(model->neighbours - at) * sizeof(*model->neighbour));
	model->neighbours++;
	key.party = model->port[port].party;
	model->neighbour[at] = key;
	return &model->neighbour[at];
}

static void forget(struct model *model, struct neighbour *n)
{
	const size_t at = n - model->neighbour;

	memmove(n, n + 1, (--model->neighbours - at) * sizeof(*n));
}

/* Every next hop through the neighbour, the default's copy too, is as the neighbour is. */
static void update_hops(struct model *model, const struct neighbour *n)
{
	struct hop_key key = { .gateway = n->address, .port = n->port };

	for (int copy = 0; copy < 2; copy++) {
		uint32_t index;

		key.via_default = copy;
		index = hops_find(&model->hops, &key);
		if (!index)
			continue;
		model->hops.hop[index].resolved = n->resolved;
		model->hops.hop[index].failed = n->failed;
		model->hops.hop[index].mac = n->mac;
		model->relayout = true;
	}
}

int model_set_neighbour(struct model *model, uint16_t port, const struct ip_address *address,
			enum model_neighbour what, const struct rte_ether_addr *mac)
{
	const size_t where = model_config_port(model, port);
	struct neighbour *n;
	int rc = 0;

	if (where == SIZE_MAX || model_is_own(model, address) ||
	    (!is_link_local(address) && model_port_of(model, address) != where))
		return -EINVAL;
	n = model_find_neighbour(model, port, address);
	if (n && n->fixed)
		return -EEXIST;
	if (!n && what == MODEL_NEIGHBOUR_NONE)
		return 0;
	if (!n)
		n = insert(model, port, address);
	if (!n)
		return -ENOMEM;
	n->resolved = what == MODEL_NEIGHBOUR_RESOLVED;
	n->failed = what == MODEL_NEIGHBOUR_FAILED;
	n->mac = n->resolved ? *mac : (struct rte_ether_addr){ 0 };
	update_hops(model, n);
	if (what == MODEL_NEIGHBOUR_NONE && !n->listed) {
		model_drop_adjacency(model, n);
		forget(model, n);
	} else if (!n->listed) {
		rc = model_add_adjacency(model, n);
	}
	return rc;
}

bool model_nexthop_gateway(const struct model *model, uint32_t nexthop, uint16_t *port,
			   struct ip_address *gateway)
{
	const struct hop *hop;

	if (nexthop < LEAF_FIRST_FREE || nexthop >= model->hops.hop_count)
		return false;
	hop = &model->hops.hop[nexthop];
	if (!hop->references || (hop->key.gateway.key.hi | hop->key.gateway.key.lo) == 0)
		return false;
	*port = hop->key.port;
	*gateway = hop->key.gateway;
	return true;
}

const struct config_router *model_router(const struct model *model, uint16_t port,
					 const struct ip_address *address)
{
	const struct config *config = model->config;
	const size_t where = model_config_port(model, port);

	for (size_t m = 0; m < config->member_count; m++) {
		for (size_t r = 0; r < config->members[m].router_count; r++) {
			const struct config_router *router = &config->members[m].routers[r];

			for (size_t i = 0; router->port == where && i < router->address_count; i++)
				if (same_address(&router->addresses[i], address))
					return router;
		}
	}
	return NULL;
}
