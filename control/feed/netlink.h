/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What rtnetlink messages say of routes and next-hop objects, as the kernel and FRR's
 * dplane_fpm_nl write them. Pure.
 */
#ifndef NAPD_FEED_NETLINK_H
#define NAPD_FEED_NETLINK_H

#include <linux/netlink.h>

#include "config.h"

#define NETLINK_HOPS_MAX 64

struct netlink_hop {
	struct ip_address gateway;
	bool has_gateway;
	uint32_t interface; /* index; 0: none */
	uint32_t weight;    /* 1..256 */
	uint32_t id;        /* of a group: the next-hop object; else 0 */
};

enum netlink_what {
	TOLD_OTHER, /* nothing that changes routes */
	TOLD_ROUTE,
	TOLD_OBJECT /* a next-hop object, or a group of them */
};

/* How packets by a route or an object go on. */
enum netlink_kind {
	TOLD_VIA,
	TOLD_BLACKHOLE,
	TOLD_UNREACHABLE,
	TOLD_PROHIBIT,
	TOLD_UNUSED /* local, broadcast, multicast, throw and the like */
};

struct netlink_message {
	enum netlink_what what;
	bool gone; /* it is deleted */
	enum netlink_kind kind;
	/* of a route */
	struct ip_prefix prefix;
	uint32_t table, metric;
	uint32_t object; /* by which it goes; 0: by hop */
	/* of an object */
	uint32_t id;
	bool group; /* hop has ids */
	/* of both; dead ones are left out */
	struct netlink_hop hop[NETLINK_HOPS_MAX];
	uint32_t hops;
	uint32_t beyond; /* how many did not fit */
};

/* Is a message whole within the bytes that are left? (mnl_nlmsg_ok() takes lengths beyond 2 GB for
 * negative ones.) */
static inline bool netlink_whole(const struct nlmsghdr *header, int left)
{
	return left >= (int)sizeof(*header) && header->nlmsg_len >= sizeof(*header) &&
	       header->nlmsg_len <= (uint32_t)left;
}

/*
 * Read a message that is whole, with room for its aligned end behind it. 0, or -EINVAL with what is
 * wrong, a static text.
 */
int netlink_parse(const struct nlmsghdr *header, struct netlink_message *message,
		  const char **wrong);

#endif
