// SPDX-License-Identifier: BSD-3-Clause
/* Walks attributes with libmnl, which bounds them; lengths of values are checked here. */
#include "netlink.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>

#include "../address.h"

static int fail(const char **wrong, const char *text)
{
	*wrong = text;
	return -EINVAL;
}

/* ---- values ---- */

/* An address of network byte order: 4 or 16 octets. False: neither. */
static bool read_address(const void *from, size_t bytes, struct ip_address *address)
{
	const uint8_t *octet = from;
	uint64_t half[2] = { 0, 0 };

	if (bytes != 4 && bytes != 16)
		return false;
	for (size_t i = 0; i < bytes; i++)
		half[i / 8] = half[i / 8] << 8 | octet[i];
	*address = (struct ip_address){ { bytes == 4 ? half[0] << 32 : half[0], half[1] },
					bytes == 16 };
	return true;
}

static bool read_32(const struct nlattr *a, uint32_t *to)
{
	if (mnl_attr_get_payload_len(a) != sizeof(*to))
		return false;
	memcpy(to, mnl_attr_get_payload(a), sizeof(*to));
	return true;
}

/* struct rtvia: family, then the address. */
static bool read_via(const struct nlattr *a, struct netlink_hop *hop)
{
	const uint8_t *payload = mnl_attr_get_payload(a);
	uint16_t family;

	if (mnl_attr_get_payload_len(a) < sizeof(family))
		return false;
	memcpy(&family, payload, sizeof(family));
	hop->has_gateway = true;
	return read_address(payload + sizeof(family), mnl_attr_get_payload_len(a) - sizeof(family),
			    &hop->gateway) &&
	       hop->gateway.ipv6 == (family == AF_INET6) &&
	       (family == AF_INET || family == AF_INET6);
}

static bool read_gateway(const struct nlattr *a, struct netlink_hop *hop)
{
	hop->has_gateway = true;
	return read_address(mnl_attr_get_payload(a), mnl_attr_get_payload_len(a), &hop->gateway);
}

/* What of a hop its attributes say. */
static bool read_hop_attribute(const struct nlattr *a, struct netlink_hop *hop)
{
	switch (mnl_attr_get_type(a)) {
	case RTA_GATEWAY:
		return read_gateway(a, hop);
	case RTA_VIA:
		return read_via(a, hop);
	case RTA_OIF:
		return read_32(a, &hop->interface);
	default:
		return true;
	}
}

/* ---- routes ---- */

static enum netlink_kind kind_of(uint8_t type)
{
	switch (type) {
	case RTN_UNICAST:
		return TOLD_VIA;
	case RTN_BLACKHOLE:
		return TOLD_BLACKHOLE;
	case RTN_UNREACHABLE:
		return TOLD_UNREACHABLE;
	case RTN_PROHIBIT:
		return TOLD_PROHIBIT;
	default:
		return TOLD_UNUSED;
	}
}

static void add_hop(struct netlink_message *m, const struct netlink_hop *hop)
{
	if (m->hops < NETLINK_HOPS_MAX)
		m->hop[m->hops++] = *hop;
	else
		m->beyond++;
}

/* A list of struct rtnexthop, each with attributes of its own. */
static int read_multipath(const struct nlattr *multipath, struct netlink_message *m,
			  const char **wrong)
{
	const uint8_t *at = mnl_attr_get_payload(multipath);
	size_t left = mnl_attr_get_payload_len(multipath);

	while (left >= sizeof(struct rtnexthop)) {
		const struct rtnexthop *next = (const void *)at;
		const size_t length = next->rtnh_len, whole = RTNH_ALIGN(length);
		struct netlink_hop hop = { .interface = (uint32_t)next->rtnh_ifindex,
					   .weight = next->rtnh_hops + 1u };
		const struct nlattr *attr;

		if (length < sizeof(*next) || length > left)
			return fail(wrong, "a next hop of RTA_MULTIPATH is not as long as it says");
		mnl_attr_for_each_payload((const void *)(at + sizeof(*next)), length - sizeof(*next)) if (
			!read_hop_attribute(
				attr,
				&hop)) return fail(wrong,
						   "a next hop of RTA_MULTIPATH has an odd address");
		if (!(next->rtnh_flags & RTNH_F_DEAD))
			add_hop(m, &hop);
		at += whole < left ? whole : left;
		left -= whole < left ? whole : left;
	}
	return left ? fail(wrong, "RTA_MULTIPATH is cut off") : 0;
}

struct route_attributes {
	struct ip_address destination;
	bool has_destination;
	const struct nlattr *multipath;
	struct netlink_hop hop;
	bool has_hop;
};

static bool read_route_attribute(const struct nlattr *a, struct netlink_message *m,
				 struct route_attributes *r)
{
	switch (mnl_attr_get_type(a)) {
	case RTA_DST:
		r->has_destination = true;
		return read_address(mnl_attr_get_payload(a), mnl_attr_get_payload_len(a),
				    &r->destination);
	case RTA_TABLE:
		return read_32(a, &m->table);
	case RTA_PRIORITY:
		return read_32(a, &m->metric);
	case RTA_NH_ID:
		return read_32(a, &m->object);
	case RTA_MULTIPATH:
		r->multipath = a;
		return true;
	case RTA_GATEWAY:
	case RTA_VIA:
	case RTA_OIF:
		r->has_hop = true;
		return read_hop_attribute(a, &r->hop);
	default:
		return true;
	}
}

static int read_route(const struct nlmsghdr *header, struct netlink_message *m, const char **wrong)
{
	const struct rtmsg *rt = mnl_nlmsg_get_payload(header);
	struct route_attributes r = { .hop = { .weight = 1 } };
	const struct nlattr *a;

	if (mnl_nlmsg_get_payload_len(header) < sizeof(*rt))
		return fail(wrong, "a message of a route is cut off");
	if (rt->rtm_family != AF_INET && rt->rtm_family != AF_INET6)
		return 0; /* MPLS, multicast routing */
	if (rt->rtm_flags & RTM_F_CLONED)
		return 0; /* the kernel's cache */
	r.destination.ipv6 = rt->rtm_family == AF_INET6;
	m->table = rt->rtm_table;
	m->kind = kind_of(rt->rtm_type);
	mnl_attr_for_each(a, header, sizeof(*rt)) if (!read_route_attribute(a, m, &r)) return fail(
		wrong, "an attribute of a route has an odd length");
	if (r.destination.ipv6 != (rt->rtm_family == AF_INET6) ||
	    rt->rtm_dst_len > ip_bits(&r.destination))
		return fail(wrong, "the prefix of a route is out of range");
	m->prefix = ip_prefix_of(&r.destination, rt->rtm_dst_len);
	if (!ip_address_equal(&r.destination,
			      &(struct ip_address){ m->prefix.key.address, r.destination.ipv6 }))
		return fail(wrong, "the prefix of a route has host bits set");
	m->what = TOLD_ROUTE;
	if (r.multipath)
		return read_multipath(r.multipath, m, wrong);
	if (r.has_hop && !(rt->rtm_flags & RTNH_F_DEAD))
		add_hop(m, &r.hop);
	return 0;
}

/* ---- next-hop objects ---- */

static int read_group(const struct nlattr *a, struct netlink_message *m, const char **wrong)
{
	const uint8_t *at = mnl_attr_get_payload(a);
	size_t left = mnl_attr_get_payload_len(a);
	struct nexthop_grp entry;

	if (left % sizeof(entry) || !left)
		return fail(wrong, "a group of next hops is not as long as its members");
	m->group = true;
	for (; left; left -= sizeof(entry), at += sizeof(entry)) {
		struct netlink_hop hop = { 0 };

		memcpy(&entry, at, sizeof(entry));
		hop.id = entry.id;
		hop.weight = entry.weight + 1u;
		add_hop(m, &hop);
	}
	return 0;
}

static int read_object(const struct nlmsghdr *header, struct netlink_message *m, const char **wrong)
{
	const struct nhmsg *nh = mnl_nlmsg_get_payload(header);
	struct netlink_hop hop = { .weight = 1 };
	const struct nlattr *a;
	bool right = true;

	if (mnl_nlmsg_get_payload_len(header) < sizeof(*nh))
		return fail(wrong, "a message of a next hop is cut off");
	m->kind = TOLD_VIA;
	mnl_attr_for_each(a, header, sizeof(*nh))
	{
		switch (mnl_attr_get_type(a)) {
		case NHA_ID:
			right &= read_32(a, &m->id);
			break;
		case NHA_GROUP:
			if (read_group(a, m, wrong))
				return -EINVAL;
			break;
		case NHA_BLACKHOLE:
			m->kind = TOLD_BLACKHOLE;
			break;
		case NHA_OIF:
			right &= read_32(a, &hop.interface);
			break;
		case NHA_GATEWAY:
			right &= read_gateway(a, &hop);
			break;
		}
	}
	if (!right || !m->id)
		return fail(wrong, "an attribute of a next hop has an odd length, or it has no ID");
	m->what = TOLD_OBJECT;
	if (!m->group && m->kind == TOLD_VIA && !(nh->nh_flags & RTNH_F_DEAD))
		add_hop(m, &hop);
	return 0;
}

int netlink_parse(const struct nlmsghdr *header, struct netlink_message *m, const char **wrong)
{
	m->what = TOLD_OTHER;
	m->table = m->metric = m->object = m->id = m->hops = m->beyond = 0;
	m->group = false;
	m->gone = header->nlmsg_type == RTM_DELROUTE || header->nlmsg_type == RTM_DELNEXTHOP;
	switch (header->nlmsg_type) {
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return read_route(header, m, wrong);
	case RTM_NEWNEXTHOP:
	case RTM_DELNEXTHOP:
		return read_object(header, m, wrong);
	default:
		return 0;
	}
}
