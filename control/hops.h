/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Next hops and ECMP groups: one of each kind, however many routes use it,
 * with an index that lives as long as its last user. One thread.
 */
#ifndef NAPD_HOPS_H
#define NAPD_HOPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_ether.h>

#include "config.h"
#include "snapshot.h"

#define HOPS_MAX (1u << 24)
#define GROUPS_MAX                                                                    \
	(1u << 16) /* 32 MB of buckets at least; beyond, sets use their best next hop \
		    */

/* What makes a next hop that one. */
struct hop_key {
	struct ip_address gateway; /* all zero: whoever is on the port's subnets */
	uint16_t port;
	bool via_default; /* a copy for default routes, see NEXTHOP_VIA_DEFAULT */
};

struct hop {
	struct hop_key key;
	uint32_t references; /* of routes; 0: none is left */
	bool used;           /* by a table that workers have or will get: until hops_settle() */
	uint32_t next;       /* of the same hash, or free */
	uint64_t identity; /* a hash that does not know indices; the same for the default's copy */
	/* written by the model */
	bool resolved;
	bool failed;               /* asked for in vain: senders are told */
	struct rte_ether_addr mac; /* when resolved */
	uint16_t party;
};

struct hop_choice {
	uint32_t hop;
	uint32_t weight;
};

struct hop_group {
	struct hop_choice *choice; /* ascending by hop, each once; NULL: not used, as of a hop */
	uint32_t choices;
	uint32_t buckets;
	uint8_t *owner; /* of each bucket: which choice */
	uint32_t references;
	uint32_t next;
};

/* Index 0 of either array is never in use; hops begin at LEAF_FIRST_FREE. */
struct hops {
	struct hop *hop;
	uint32_t hop_count, hop_allocated, hop_free;
	uint32_t hop_released; /* a list: see hops_settle() */
	struct hop_group *group;
	uint32_t group_count, group_allocated, group_free;
	uint32_t group_released;
	uint32_t *hop_table, *group_table; /* hash -> first index */
	uint32_t hop_table_mask, group_table_mask;
	uint32_t group_limit; /* how many groups there may be */
	uint64_t narrowed;    /* sets that got one next hop instead of a group */
};

/* 0 or -ENOMEM. */
int hops_init(struct hops *hops);
void hops_fini(struct hops *hops);

/*
 * The next hop of a key, one reference more. identity matters when it is new,
 * which fresh then says; the caller writes what it knows of it. 0, -ENOSPC or -ENOMEM.
 */
int hops_take(struct hops *hops, const struct hop_key *key, uint64_t identity, uint32_t *index,
	      bool *fresh);

/* The next hop of a key; 0: nobody uses any. Takes no reference. */
uint32_t hops_find(const struct hops *hops, const struct hop_key *key);

/*
 * The leaf of a set: its only next hop, or a group. Takes the references in
 * choice, also when it fails; sorts choice and merges what is in it twice. The leaf is
 * one reference, given back by hops_release(). n is 1 to 64. 0 or -ENOMEM.
 */
int hops_leaf(struct hops *hops, struct hop_choice *choice, uint32_t n, uint32_t *leaf);

/* Give back a leaf; special ones need no references and are allowed. */
void hops_release(struct hops *hops, uint32_t leaf);

/* Indices released so far may be used again: no table that workers get from now on has them. */
void hops_settle(struct hops *hops);

/* Share the buckets of every group anew among the next hops that are resolved now. */
void hops_relayout(struct hops *hops);

#endif
