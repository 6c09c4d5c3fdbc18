// SPDX-License-Identifier: BSD-3-Clause
/*
 * Stage source: may this packet come from where it came from (BCP 38, RFC 3704)?
 * By a route back to its source, or by the list of its member's prefixes.
 */
#include "ipv6.h"
#include "worker.h"

static bool leaf_is_special(uint32_t leaf)
{
	return leaf < LEAF_FIRST_FREE;
}

/* Is there a route back that is no default route? */
static bool passes_loose(const struct nexthop_table *t, uint32_t leaf)
{
	uint32_t first = leaf;

	if (leaf_is_special(leaf))
		return false;
	if (leaf & LEAF_GROUP)
		first = t->group_members[t->group[leaf & ~LEAF_GROUP].members_first];
	return !(t->nexthop[first].kind & NEXTHOP_VIA_DEFAULT);
}

/* Does one of the route's next hops, resolved or not, lie on this port? */
static bool passes_strict(const struct nexthop_table *t, uint32_t leaf, uint16_t port)
{
	const struct nexthop_group *group;

	if (leaf_is_special(leaf))
		return false;
	if (!(leaf & LEAF_GROUP))
		return t->nexthop[leaf].port == port;
	group = &t->group[leaf & ~LEAF_GROUP];
	for (uint32_t i = 0; i < group->members; i++)
		if (t->nexthop[t->group_members[group->members_first + i]].port == port)
			return true;
	return false;
}

static bool passes_prefixes(const struct snapshot *s, uint32_t class, uint16_t party)
{
	return s->allowed[(size_t) class * s->allowed_words + party / 64] >> party % 64 & 1;
}

static bool inside(struct prefix_key prefix, struct ipv6_key a)
{
	if (prefix.length == 0)
		return true;
	if (prefix.length <= 64)
		return (a.hi ^ prefix.address.hi) >> (64 - prefix.length) == 0;
	return a.hi == prefix.address.hi &&
	       (a.lo ^ prefix.address.lo) >> (128 - prefix.length) == 0;
}

/* Link-local sources and the port's own subnets are never checked. */
static bool is_exempt(const struct burst *b, uint32_t i, const struct snapshot_port *port)
{
	struct ipv6_key src = { 0, 0 };
	const struct subnet *subnet = port->subnet4;
	uint16_t count = port->subnet4_count;

	if (b->ipv6) {
		src = burst_src6(b, i);
		if (ipv6_is_link_local(src))
			return true;
		subnet = port->subnet6;
		count = port->subnet6_count;
	} else {
		src.hi = (uint64_t)b->src4[i] << 32;
	}
	for (uint16_t k = 0; k < count; k++)
		if (inside(subnet[k].prefix, src))
			return true;
	return false;
}

static void fail(struct burst *b, uint32_t i, struct worker *w)
{
	const struct hooks *hooks = &w->dp->config.hooks;

	if (w->snapshot->port[b->port[i]].source_check_drop) {
		burst_drop(b, i, DROP_SOURCE_CHECK);
		return;
	}
	tally_add(&w->counters[b->port[i]].reported, 1, b->bytes[i]);
	if (hooks->report) {
		const struct drop_event event = { b->frame[i], b->port[i], DROP_SOURCE_CHECK,
						  b->bytes[i] };

		hooks->report(hooks->ctx, &event);
	}
}

/* Look the sources of the burst up, in the routes or in the members' prefixes. */
static void look_up(const struct burst *b, const struct snapshot *s, bool prefixes, uint32_t *leaf)
{
	if (b->ipv6)
		fib6_lookup(prefixes ? s->source6 : s->fib6, b->src_hi, b->src_lo, leaf, b->n);
	else
		fib4_lookup(prefixes ? s->source4 : s->fib4, b->src4, leaf, b->n);
}

static bool passes(const struct snapshot *s, const struct burst *b, uint32_t i, uint32_t leaf)
{
	const struct snapshot_port *port = &s->port[b->port[i]];

	switch (port->source_check) {
	case SOURCE_CHECK_LOOSE:
		return passes_loose(s->nexthops, leaf);
	case SOURCE_CHECK_STRICT:
		return passes_strict(s->nexthops, leaf, b->port[i]);
	case SOURCE_CHECK_PREFIXES:
		return passes_prefixes(s, leaf, b->party[i]);
	default:
		return true;
	}
}

/* The parties, of the 64 that a word holds, whom n classes allow all; words: from class to class.
 */
static inline __attribute__((always_inline)) uint64_t allowed_by_all(const uint64_t *allowed,
								     const uint32_t *leaf,
								     uint32_t n, size_t words)
{
	uint64_t pass = UINT64_MAX;
	size_t i = 0;

	for (; i + 4 <= n; i += 4)
		pass &= allowed[leaf[i] * words] & allowed[leaf[i + 1] * words] &
			allowed[leaf[i + 2] * words] & allowed[leaf[i + 3] * words];
	for (; i < n; i++)
		pass &= allowed[leaf[i] * words];
	return pass;
}

/* Whether every packet's class of senders holds its party: the usual case, without a branch. */
static bool all_pass_prefixes(const struct snapshot *s, const struct burst *b, const uint32_t *leaf)
{
	const uint16_t party = b->party[0];
	const uint64_t *allowed = s->allowed + party / 64;
	uint64_t pass;

	if (!b->one_port)
		return false;
	/* up to 64 parties: no multiplication a packet */
	pass = s->allowed_words == 1 ? allowed_by_all(allowed, leaf, b->n, 1)
				     : allowed_by_all(allowed, leaf, b->n, s->allowed_words);
	return pass >> party % 64 & 1;
}

static void judge(struct burst *b, struct worker *w, const uint32_t *leaf, uint32_t wanted)
{
	const struct snapshot *s = w->snapshot;

	for (uint32_t i = 0; i < b->n; i++) {
		const struct snapshot_port *port = &s->port[b->port[i]];

		if (wanted >> port->source_check & 1 && unlikely(!passes(s, b, i, leaf[i])) &&
		    !is_exempt(b, i, port))
			fail(b, i, w);
	}
}

/* Which modes of the check the ports of the burst want, a bit each. */
static uint32_t modes_of(const struct burst *b, const struct snapshot *s)
{
	const uint32_t n = b->one_port ? 1 : b->n;
	uint32_t modes = 0;

	for (uint32_t i = 0; i < n; i++)
		modes |= 1u << s->port[b->port[i]].source_check;
	return modes;
}

void stage_source(struct burst *b, struct worker *w)
{
	const struct snapshot *s = w->snapshot;
	const uint32_t modes = modes_of(b, s);
	uint32_t leaf[BURST_MAX];

	if (modes & 1u << SOURCE_CHECK_PREFIXES) {
		look_up(b, s, true, leaf);
		if (unlikely(modes != 1u << SOURCE_CHECK_PREFIXES ||
			     !all_pass_prefixes(s, b, leaf)))
			judge(b, w, leaf, 1u << SOURCE_CHECK_PREFIXES);
	}
	if (modes & (1u << SOURCE_CHECK_LOOSE | 1u << SOURCE_CHECK_STRICT)) {
		look_up(b, s, false, leaf);
		judge(b, w, leaf, 1u << SOURCE_CHECK_LOOSE | 1u << SOURCE_CHECK_STRICT);
	}
}
