/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The paths that BGP peers offer for each prefix, and the best of them: what tables are
 * made from when a dump is read, and Adj-RIB-In when updates follow. One thread.
 */
#ifndef NAPD_FEED_PATHS_H
#define NAPD_FEED_PATHS_H

#include "bgp.h"

#define PATHS_OF_PREFIX_MAX 4096 /* one prefix has no more: they are searched one by one */

struct paths;

/* Who offers a path. */
struct path_peer {
	uint32_t bgp_id;
	uint32_t as;
	struct ip_address address;
};

/* Where a path leads, and what decides. */
struct path {
	struct bgp_path bgp;
	size_t port; /* on which its next hop lies; SIZE_MAX: on none, it cannot be the best */
};

/* What became of a prefix: its owner's business. */
enum path_use { PATH_NONE, PATH_USED, PATH_UNRESOLVED, PATH_REFUSED };

/*
 * all: keep every path, so that any may go again; else only those that no other path of the
 * prefix outdoes before MED is looked at, which is exact as long as none is withdrawn.
 * Capacities in prefixes. Returns to the caller, or NULL without memory.
 */
struct paths *paths_create(bool all, uint64_t capacity_ipv4, uint64_t capacity_ipv6);
void paths_free(struct paths *paths);

/* The number of a peer, a new one if need be. 0 or -ENOMEM. */
int paths_peer(struct paths *paths, const struct path_peer *peer, uint32_t *number);

/* The number of the peer of an address, preferably of that AS; false: none. */
bool paths_find_peer(const struct paths *paths, const struct ip_address *address, uint32_t as,
		     uint32_t *number);

/* A peer said who it is (OPEN). */
void paths_set_bgp_id(struct paths *paths, uint32_t number, uint32_t bgp_id);
const struct path_peer *paths_peer_of(const struct paths *paths, uint32_t number);
uint32_t paths_peers(const struct paths *paths);

/*
 * The index of a prefix, which it keeps; a new one if need be. 0; -ENOSPC: the family's capacity is
 * used up; -ENOMEM.
 */
int paths_prefix(struct paths *paths, const struct ip_prefix *prefix, uint32_t *index);
uint32_t paths_prefixes(const struct paths *paths);
struct ip_prefix paths_prefix_of(const struct paths *paths, uint32_t index);

/* PATH_NONE at first; borrowed until a prefix is added. */
enum path_use *paths_use(struct paths *paths, uint32_t index);

/* Has it any path, usable or not? */
bool paths_any(const struct paths *paths, uint32_t index);

/* Add the path of a peer, or replace it. 0, -ENOMEM, or -E2BIG: the prefix has too many. */
int paths_set(struct paths *paths, uint32_t index, uint32_t peer, uint32_t path_id,
	      const struct path *path);

/* Take it back. False: there was none. */
bool paths_remove(struct paths *paths, uint32_t index, uint32_t peer, uint32_t path_id);

/* Take all of a peer's paths of a prefix back. */
bool paths_remove_peer(struct paths *paths, uint32_t index, uint32_t peer);

/*
 * The best path of a prefix (the contract's section 5, RFC 4271 9.1.2.2); borrowed until paths
 * change. NULL: it has none.
 */
const struct path *paths_best(struct paths *paths, uint32_t index);

#endif
