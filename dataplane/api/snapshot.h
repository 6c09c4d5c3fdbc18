/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What workers forward by: one immutable snapshot of ports, members, next hops,
 * tables and policy. Control fills one and publishes it (publish.h); from then
 * on nobody writes it. All indices in it are valid by construction.
 */
#ifndef NAPD_SNAPSHOT_H
#define NAPD_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>
#include <rte_meter.h>

#include "fib.h"

#define PORT_MAX   4096
#define DEVICE_MAX 32
#define VLAN_MAX   4096
#define PORT_NONE  UINT16_MAX
#define PARTY_NONE UINT16_MAX

/*
 * Part of everything that workers may still read after control replaced it:
 * publish.c keeps it until they have moved on.
 */
struct retiree {
	struct retiree *next;
	uint64_t token;
	void (*release)(struct retiree *retiree);
};

/*
 * A party is whom traffic is attributed to: a member, or a port for frames of
 * no known member. Party numbers index the matrix and live as long as their object.
 */

/* ---- next hops ---- */

/* Why a next hop with mtu 0 does not forward. */
enum nexthop_kind {
	NEXTHOP_FORWARD,
	NEXTHOP_NO_ROUTE,
	NEXTHOP_UNREACHABLE,
	NEXTHOP_PROHIBIT,
	NEXTHOP_BLACKHOLE,
	NEXTHOP_LOCAL,      /* one of the exchange's own addresses */
	NEXTHOP_UNRESOLVED, /* its MAC is not known; port says where it is */
	NEXTHOP_SUBNET,     /* a connected subnet: whoever has the packet's destination */
	NEXTHOP_FAILED,     /* as unresolved, and it did not answer: senders are told */
	NEXTHOP_INTERNAL,   /* unused slot */
	NEXTHOP_KINDS,
};
#define NEXTHOP_VIA_DEFAULT \
	0x80 /* or'ed to kind: reached by a default route (loose source check) */

/*
 * 32 bytes, aligned. The Ethernet header stands right-aligned in l2, so that
 * one store of 24 bytes that ends at the IP header writes it, tag or no tag.
 * The EtherType in it is 0; rewrite writes it.
 */
struct nexthop {
	uint8_t l2[24];
	uint16_t port;    /* output port; PORT_NONE for special ones */
	uint16_t mtu;     /* IP MTU of the output in bytes; 0: does not forward, kind says why */
	uint16_t party;   /* whom the traffic goes to */
	uint8_t l2_bytes; /* 14, or 18 with a tag */
	uint8_t kind;     /* enum nexthop_kind, or'ed with NEXTHOP_VIA_DEFAULT */
} __attribute__((aligned(32)));

/* A leaf of the FIBs is the index of a next hop, or this bit and the index of a group. */
#define LEAF_GROUP 0x40000000u

/* The first next hops are the special ones; leaf 0 is "no route". */
enum {
	LEAF_NO_ROUTE = 0,
	LEAF_UNREACHABLE,
	LEAF_PROHIBIT,
	LEAF_BLACKHOLE,
	LEAF_LOCAL,
	LEAF_INTERNAL,
	LEAF_FIRST_FREE = 16
};

/* An ECMP group: bucket[first + (hash & mask)] is an index of a next hop. */
struct nexthop_group {
	uint32_t first;
	uint32_t mask; /* number of buckets - 1, a power of two minus 1 */
	uint32_t
		members_first; /* its distinct next hops, resolved or not: group_members[first..] */
	uint32_t members;
};

/*
 * The next-hop table: published alone on failover, whatever the FIB's size.
 * Owned by its snapshot or by the publisher of the replacement.
 */
struct nexthop_table {
	uint32_t nexthops; /* number of entries; unused ones are NEXTHOP_INTERNAL */
	uint32_t groups;
	uint32_t buckets;
	uint32_t group_members_size;
	struct nexthop *nexthop; /* 32-byte aligned */
	struct nexthop_group *group;
	uint32_t *bucket;
	uint32_t *group_members;
};

/* ---- addresses that are special at every port ---- */

enum address_kind {
	ADDRESS_OWN = 1,   /* the exchange's own; port is where it is configured */
	ADDRESS_BROADCAST, /* IPv4: network or broadcast address of a connected subnet */
};

struct address_entry {
	struct ipv6_key address; /* IPv4 in the top 32 bits of hi, lo 0 */
	uint16_t port;
	uint8_t kind; /* enum address_kind; 0: free slot */
};

#define SIEVE_WORDS 32

/*
 * A set of addresses for one family: a bit filter that says "surely not" for
 * nearly all traffic, and an open-addressed table behind it. Before both a sieve, small enough
 * for two registers of vector code, for sets of up to some 50 addresses: of larger ones it
 * says nothing. Made by address_set_init().
 */
struct address_set {
	uint32_t sieve[SIEVE_WORDS]; /* two bits an address */
	uint64_t *filter;            /* 2^(64 - filter_shift) bits */
	uint32_t filter_shift;
	uint32_t slot_mask;
	struct address_entry *slot;
};

/* ---- ports ---- */

enum source_check {
	SOURCE_CHECK_NONE,
	SOURCE_CHECK_LOOSE,
	SOURCE_CHECK_STRICT,
	SOURCE_CHECK_PREFIXES
};

/* A token bucket. Time is in nanoseconds everywhere. Made by meter_profile(). */
struct meter {
	struct rte_meter_srtcm_profile profile;
	bool enabled;
};

/* One router MAC, found by one probe: table[(mac * multiplier) >> shift]. */
struct mac_slot {
	uint64_t mac;   /* 48 bits as loaded from a frame (little-endian); 0: free slot */
	uint16_t party; /* its member */
};

struct subnet {
	struct prefix_key prefix;
};

/* Bits of snapshot_port.tap_accept. */
enum { TAP_ACCEPT_BGP = 1, TAP_ACCEPT_BFD = 2, TAP_ACCEPT_ICMP = 4, TAP_ACCEPT_ALL = 8 };

struct snapshot_port {
	char name[16];
	struct rte_ether_addr mac;
	uint16_t device; /* which device its frames come from */
	uint16_t vlan;   /* 0: untagged */
	uint16_t mtu;    /* IP MTU in bytes */
	uint16_t party;  /* of frames whose router is not known: the only member, or the port itself
			  */
	bool used;       /* false: a free slot, never an ingress port */
	bool enabled;
	bool mac_lock;
	bool any_mac; /* replay --accept-any-mac: any unicast destination is the port's, no locks */
	bool source_check_drop; /* else report: count and forward */
	uint8_t tap_accept; /* TAP_ACCEPT_*: what of the packets to own addresses the host takes; 0
			       without a TAP */
	enum source_check source_check;

	/* router MACs -> members; empty: mac_slot of one free slot */
	const struct mac_slot *mac_slot;
	uint64_t mac_multiplier;
	uint8_t mac_shift;

	/* connected subnets, both families */
	const struct subnet *subnet4, *subnet6;
	uint16_t subnet4_count, subnet6_count;

	/* own addresses in configuration order (network order), for ARP, ND, source of errors */
	const uint32_t *address4;        /* network order */
	const struct ipv6_key *address6; /* global ones, host order */
	uint16_t address4_count, address6_count;
	struct ipv6_key link_local;

	/* source of ICMP errors: this port's first, else any port's first, else fallback */
	uint32_t error_source4; /* network order */
	struct ipv6_key error_source6;

	uint32_t meter_generation;    /* changes when any parameter below does: buckets refill */
	struct meter ingress, egress; /* bytes of frames */
	struct meter icmp_too_big, icmp_error, icmp_echo; /* packets */
};

/* Per device: which port a tag belongs to. */
struct snapshot_device {
	uint16_t fallback_port;  /* untagged port, else the first: frames of no port are counted
				    there; PORT_NONE: unused device */
	uint16_t port[VLAN_MAX]; /* by VID; 0 is untagged; PORT_NONE: none */
};

/* ---- the whole ---- */

struct snapshot {
	uint64_t generation;
	uint32_t hash_seed;

	uint32_t ports;
	const struct snapshot_port *port;
	uint32_t devices;
	const struct snapshot_device *device;

	const struct nexthop_table *nexthops;
	const struct fib4 *fib4;
	const struct fib6 *fib6;

	/* source -> class of members who may send from it; leaf 0: nobody */
	const struct fib4 *source4;
	const struct fib6 *source6;
	/* bit party of allowed[class * allowed_words ..] */
	const uint64_t *allowed;
	uint32_t allowed_words;

	/* whether any port has an ingress or egress meter: else those stages look at nothing */
	bool polices, polices_egress;
	bool tagged; /* whether any port has a VLAN tag */

	struct address_set special4; /* own addresses, network and broadcast addresses */
	struct address_set special6; /* own global and subnet-router anycast addresses */

	/* Called once when no worker can read it any more; control thread. Owner's business. */
	void (*release)(struct snapshot *);
	void *owner;
	struct retiree retiree; /* publish.c */
	uint64_t publication;   /* publish.c: counts what was published, from 1 */
};

/* ---- helpers to fill one; control thread; all return 0 or -ENOMEM ---- */

/* Make a set of n entries; copies them. Later duplicates of an address are ignored. */
int address_set_init(struct address_set *set, const struct address_entry *entry, uint32_t n);
void address_set_release(struct address_set *set);

/* Where an address stands in the slots: every bit of it counts in every bit. */
static inline uint32_t address_hash(struct ipv6_key address)
{
	uint64_t x = address.hi ^ address.lo * 0x9e3779b97f4a7c15;

	x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93;
	return (uint32_t)((x ^ (x >> 32)) * 0xd6e8feb86659fd93 >> 32);
}

/*
 * The filter's hash: the top bits of this product. Of an IPv4 address, whose lower half is 0,
 * it is a product of 32 bits. Vector code computes the same (parse_*.c).
 */
#define FILTER_MIX_LO UINT64_C(0x9e3779b97f4a7c15)
#define FILTER_MIX    UINT64_C(0xd6e8feb89e3779b1)

static inline uint64_t address_filter_hash(struct ipv6_key address)
{
	return (address.hi ^ address.lo * FILTER_MIX_LO) * FILTER_MIX;
}

static inline uint32_t address_filter_bit(const struct address_set *set, struct ipv6_key address)
{
	return address_filter_hash(address) >> set->filter_shift;
}

/* Of the upper half of this hash, the top 20 bits are two words of the sieve and bits in them. */
#define SIEVE_WORD1 27
#define SIEVE_BIT1  22
#define SIEVE_WORD2 17
#define SIEVE_BIT2  12

/* False: surely not in the set. For tests; vector code does the same. Any thread. */
static inline bool address_sieve_maybe(const struct address_set *set, struct ipv6_key address)
{
	const uint32_t hash = address_filter_hash(address) >> 32;

	return set->sieve[hash >> SIEVE_WORD1] >> (hash >> SIEVE_BIT1 & 31) &
	       set->sieve[hash >> SIEVE_WORD2 & 31] >> (hash >> SIEVE_BIT2 & 31) & 1;
}

/* False: surely not in the set. One load; for the fast path. Any thread. */
static inline bool address_set_maybe(const struct address_set *set, struct ipv6_key address)
{
	uint32_t bit = address_filter_bit(set, address);

	return set->filter[bit / 64] >> (bit % 64) & 1;
}

/* The entry of an address, or NULL. Any thread. */
const struct address_entry *address_set_find(const struct address_set *set,
					     struct ipv6_key address);

/*
 * A bucket that fills with rate tokens a second up to burst, exact to a
 * millionth, in nanosecond time. rate 0: not enabled.
 */
void meter_init(struct meter *meter, uint64_t rate_per_s, uint64_t burst);

/*
 * Find multiplier and size so that every MAC has a slot of its own. Returns the
 * table (malloc, returns to the caller), or NULL when there is no memory. n may be 0.
 */
struct mac_slot *mac_slots_init(const struct mac_slot *list, uint32_t n, uint64_t *multiplier,
				uint8_t *shift);

/* A MAC address as a number, as mac_slot.mac holds it. */
static inline uint64_t mac_number(const uint8_t *mac)
{
	return (uint64_t)mac[0] | (uint64_t)mac[1] << 8 | (uint64_t)mac[2] << 16 |
	       (uint64_t)mac[3] << 24 | (uint64_t)mac[4] << 32 | (uint64_t)mac[5] << 40;
}

#endif
