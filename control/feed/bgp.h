/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * BGP's path attributes, UPDATE messages and the choice of the best path (RFC 4271,
 * 4760, 6793, 7911, 8950): what decides where packets go, and no more. Pure.
 */
#ifndef NAPD_FEED_BGP_H
#define NAPD_FEED_BGP_H

#include "config.h"
#include "octets.h"

/* What of a path's attributes decides. */
struct bgp_path {
	struct ip_address next_hop; /* of two the global one */
	bool has_next_hop;
	uint8_t origin;
	uint32_t local_pref;   /* 100 where the message has none */
	uint32_t med;          /* 0 likewise: RFC 4271 9.1.2.2 */
	uint32_t path_length;  /* RFC 4271 9.1.2.2 a, RFC 5065 5.3 */
	uint32_t neighbour_as; /* the first of the path; 0: it has none */
};

/* How attributes were written. */
struct bgp_format {
	bool as4;  /* AS numbers of 4 octets */
	bool dump; /* TABLE_DUMP: MP_REACH_NLRI may be no more than its next hop (RFC 6396 4.3.4) */
	bool add_path; /* prefixes have path identifiers */
};

/* Prefixes as a message lists them. */
struct bgp_prefixes {
	struct octets octets;
	bool ipv6, add_path;
};

/* An UPDATE. MP prefixes of families other than IPv4 and IPv6 unicast are not there. */
struct bgp_update {
	struct bgp_prefixes withdrawn, announced;       /* IPv4, RFC 4271 */
	struct bgp_prefixes mp_withdrawn, mp_announced; /* RFC 4760 */
	struct bgp_path path;                           /* of announced */
	struct ip_address mp_next_hop; /* of mp_announced, whose path is else the same */
	bool has_mp_next_hop;
};

/* Read attributes of a dumped path. 0, or -1 with error filled in. */
int bgp_attributes_parse(struct octets attributes, const struct bgp_format *format, bool ipv6,
			 struct bgp_path *path, struct octets_error *error);

/* Read the body of an UPDATE, behind BGP's header; all of it is checked. */
int bgp_update_parse(struct octets body, const struct bgp_format *format, struct bgp_update *update,
		     struct octets_error *error);

/*
 * Take the next prefix off a list: 1, or 0 at its end, or -1 with error filled in. Bits behind the
 * prefix are cleared, RFC 4271 4.3; where that is no matter of indifference, dirty says whether any
 * were set. dirty may be NULL.
 */
int bgp_prefix_next(struct bgp_prefixes *list, struct ip_prefix *prefix, uint32_t *path_id,
		    bool *dirty, struct octets_error *error);

/* A prefix in its length and octets, without a path identifier. As above. */
int bgp_prefix_parse(struct octets *from, bool ipv6, struct ip_prefix *prefix, bool *dirty,
		     struct octets_error *error);

/* Four or sixteen octets, of which enough are left. */
struct ip_address bgp_address(struct octets *from, bool ipv6);

#endif
