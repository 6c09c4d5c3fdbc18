// SPDX-License-Identifier: BSD-3-Clause
/* The RIB's longest match is the truth; the FIB of the last snapshot must say the same. */
#include "audit.h"

#include "address.h"
#include "model_state.h"

struct auditing {
	struct model *model;
	struct audit *audit;
	bool ipv6;
	void (*tell)(void *arg, const struct audit_difference *difference);
	void *arg;
};

static uint32_t look_up(const struct model *model, const struct ip_address *address)
{
	uint32_t leaf[16], address4[16] = { (uint32_t)(address->key.hi >> 32) };
	uint64_t hi[16] = { address->key.hi }, lo[16] = { address->key.lo };

	if (address->ipv6)
		fib6_lookup(model->routes[1]->fib6, hi, lo, leaf, 1);
	else
		fib4_lookup(model->routes[0]->fib4, address4, leaf, 1);
	return leaf[0];
}

/* Does the RIB have a change there that no table has yet? */
static bool is_on_its_way(const struct model *model, const struct ip_address *address)
{
	size_t n;
	const struct prefix_key *dirty = rib_dirty(model->rib, address->ipv6, &n);

	for (size_t i = 0; i < n; i++)
		if (ip_prefix_contains(&(struct ip_prefix){ dirty[i], address->ipv6 }, address))
			return true;
	return false;
}

static void check_address(struct auditing *a, const struct prefix_key *prefix,
			  struct ip_address address)
{
	const struct ip_prefix host = ip_prefix_of(&address, ip_bits(&address));
	struct rib_route route = { 0 };
	struct audit_difference d = { .prefix = *prefix, .address = address, .ipv6 = a->ipv6 };

	if (!rib_cover(a->model->rib, &host, &route))
		route.leaf = LEAF_NO_ROUTE;
	d.rib_leaf = route.leaf;
	d.fib_leaf = look_up(a->model, &address);
	if (d.rib_leaf == d.fib_leaf || is_on_its_way(a->model, &address))
		return;
	a->audit->differences++;
	/* all that the route covers; where there is none, the whole family */
	model_touch(a->model, &(struct ip_prefix){ route.prefix, a->ipv6 });
	a->tell(a->arg, &d);
}

/* One before or behind; wraps around, which is as good an address as any. */
static struct ip_address neighbour_of(struct ip_address address, bool behind)
{
	const uint64_t step = address.ipv6 ? 1 : 1ull << 32;
	uint64_t *half = address.ipv6 ? &address.key.lo : &address.key.hi;
	const uint64_t was = *half;

	*half += behind ? step : -step;
	if (address.ipv6 && behind)
		address.key.hi += *half < was;
	else if (address.ipv6)
		address.key.hi -= *half > was;
	return address;
}

/* Some address in it, another for each prefix, always the same. */
static struct ip_address inside(const struct ip_prefix *prefix)
{
	struct ip_address first = { prefix->key.address, prefix->ipv6 };
	const struct ip_address last = ip_prefix_last(prefix);
	const uint64_t noise =
		(first.key.hi ^ first.key.lo ^ prefix->key.length) * 0x9e3779b97f4a7c15;

	first.key.hi |= (first.key.hi ^ last.key.hi) & (noise ^ noise >> 29);
	first.key.lo |= (first.key.lo ^ last.key.lo) & noise;
	return first;
}

static void check_prefix(void *arg, const struct rib_route *route)
{
	struct auditing *a = arg;
	const struct ip_prefix prefix = { route->prefix, a->ipv6 };
	const struct ip_address first = { route->prefix.address, a->ipv6 };
	const struct ip_address last = ip_prefix_last(&prefix);

	a->audit->prefixes++;
	check_address(a, &route->prefix, first);
	check_address(a, &route->prefix, last);
	check_address(a, &route->prefix, inside(&prefix));
	check_address(a, &route->prefix, neighbour_of(first, false));
	check_address(a, &route->prefix, neighbour_of(last, true));
}

bool model_audit(struct model *model, struct audit *audit, size_t most,
		 void (*tell)(void *arg, const struct audit_difference *difference), void *arg)
{
	struct auditing a = { .model = model, .audit = audit, .tell = tell, .arg = arg };

	for (a.ipv6 = audit->resumed && audit->after.ipv6;; a.ipv6 = true) {
		const struct ip_prefix all = { .ipv6 = a.ipv6 };
		const bool behind = audit->resumed && audit->after.ipv6 == a.ipv6;
		const struct prefix_key after = audit->after.key;
		struct prefix_key last;
		bool more;

		model_lock(model);
		more = rib_walk_part(model->rib, &all, behind ? &after : NULL, most, check_prefix,
				     &a, &last);
		model_unlock(model);
		if (more) {
			audit->after = (struct ip_prefix){ last, a.ipv6 };
			audit->resumed = true;
			return true;
		}
		if (a.ipv6)
			return false;
	}
}
