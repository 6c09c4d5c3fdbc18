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

/* ---- ports and devices ---- */

/* The next snapshot has ports of its own. */
static void ports_changed(struct model *model)
{
	interfaces_unref(model->interfaces);
	model->interfaces = NULL;
}

void model_set_device_mac(struct model *model, uint16_t device, struct rte_ether_addr mac)
{
	for (uint16_t i = 0; i < model->port_numbers.count; i++) {
		struct model_port *port = &model->port[i];

		if (!port->config || port->device != device || port->config->has_mac)
			continue;
		port->mac = mac;
		ports_changed(model);
		if (!port->config->has_link_local)
			port->link_local = model_link_local(&mac);
	}
}

void model_enable_port(struct model *model, uint16_t port, bool enabled)
{
	if (model->port[port].enabled != enabled)
		ports_changed(model);
	model->port[port].enabled = enabled;
}

void model_attach_port(struct model *model, uint16_t port, bool attached)
{
	model->port[port].detached = !attached;
	ports_changed(model);
}

void model_port_identity(const struct model *model, size_t config_port, struct rte_ether_addr *mac,
			 struct ip_address *link_local)
{
	const struct model_port *port = &model->port[model->port_number[config_port]];

	*mac = port->mac;
	*link_local = (struct ip_address){ .key = port->link_local, .ipv6 = true };
}

/* ---- neighbours ---- */

/* A place for a neighbour that was not known; the list stays sorted. NULL without memory. */
static struct neighbour *insert(struct model *model, uint16_t port,
				const struct ip_address *address)
{
	struct neighbour key = { .address = *address, .port = port };
	size_t at = 0, end = model->neighbours;

	if (model->neighbours == model->neighbours_allocated) {
		const size_t size = 2 * model->neighbours_allocated;
		struct neighbour *larger = realloc(model->neighbour, size * sizeof(*larger));

		if (!larger)
			return NULL;
		model->neighbour = larger;
		model->neighbours_allocated = size;
	}
	while (at < end) {
		const size_t middle = (at + end) / 2;

		if (model_neighbour_order(&model->neighbour[middle], &key) < 0)
			at = middle + 1;
		else
			end = middle;
	}
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

bool model_may_have_neighbour(const struct model *model, uint16_t port,
			      const struct ip_address *address)
{
	const size_t where = model_config_port(model, port);

	return where != SIZE_MAX && !model_is_own(model, address) &&
	       (ip_is_link_local(address) || model_port_of(model, address) == where);
}

bool model_neighbour_mac(const struct model *model, uint16_t port, const struct ip_address *address,
			 struct rte_ether_addr *mac)
{
	const struct neighbour *n = model_find_neighbour(model, port, address);

	if (!n || !n->resolved)
		return false;
	*mac = n->mac;
	return true;
}

bool model_has_neighbour_at(const struct model *model, uint16_t port,
			    const struct rte_ether_addr *mac)
{
	const struct neighbour first = { .port = port };
	size_t low = 0, high = model->neighbours;

	while (low < high) {
		const size_t middle = (low + high) / 2;

		if (model_neighbour_order(&model->neighbour[middle], &first) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < model->neighbours && model->neighbour[low].port == port; low++)
		if (model->neighbour[low].resolved &&
		    rte_is_same_ether_addr(&model->neighbour[low].mac, mac))
			return true;
	return false;
}

static int set_neighbour(struct model *model, uint16_t port, const struct ip_address *address,
			 enum model_neighbour what, const struct rte_ether_addr *mac)
{
	struct neighbour *n = model_find_neighbour(model, port, address);
	int rc = 0;

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
	if (n->listed)
		return 0;
	if (what == MODEL_NEIGHBOUR_NONE) {
		rc = n->adjacent ? model_drop_adjacency(model, n) : 0;
		if (!rc)
			forget(model, n);
	} else if (!n->adjacent) {
		rc = model_add_adjacency(model, n);
		n->adjacent = !rc;
	}
	return rc;
}

int model_set_neighbour(struct model *model, uint16_t port, const struct ip_address *address,
			enum model_neighbour what, const struct rte_ether_addr *mac)
{
	int rc;

	if (!model_may_have_neighbour(model, port, address))
		return -EINVAL;
	model_lock(model);
	rc = set_neighbour(model, port, address, what, mac);
	model_unlock(model);
	return rc;
}

bool model_nexthop_gateway(const struct model *model, uint32_t nexthop, uint16_t *port,
			   struct ip_address *gateway)
{
	const struct hop *hop = NULL;
	bool found = false;

	model_lock(model);
	if (nexthop >= LEAF_FIRST_FREE && nexthop < model->hops.hop_count)
		hop = &model->hops.hop[nexthop];
	if (hop && hop->used && (hop->key.gateway.key.hi | hop->key.gateway.key.lo) != 0) {
		*port = hop->key.port;
		*gateway = hop->key.gateway;
		found = true;
	}
	model_unlock(model);
	return found;
}

const struct config_router *model_router(const struct model *model, uint16_t port,
					 const struct ip_address *address)
{
	const struct neighbour *n = model_find_neighbour(model, port, address);

	return n ? n->router : NULL;
}

uint16_t model_neighbour_party(const struct model *model, uint16_t port,
			       const struct ip_address *address)
{
	const struct neighbour *n = model_find_neighbour(model, port, address);

	return n ? n->party : PARTY_NONE;
}

bool model_is_gateway(const struct model *model, uint16_t port, const struct ip_address *address)
{
	/* a neighbour's own host route is one reference; more are routes through it */
	const bool adjacent = model_port_of(model, address) == model_config_port(model, port) &&
			      model_find_neighbour(model, port, address) != NULL;

	for (int via_default = 0; via_default < 2; via_default++) {
		const struct hop_key key = { .gateway = *address,
					     .port = port,
					     .via_default = via_default };
		const uint32_t index = hops_find(&model->hops, &key);

		if (index && model->hops.hop[index].references > (adjacent && !via_default))
			return true;
	}
	return false;
}
