/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The exchange's own addresses on its ports: asked for before they are announced
 * (RFC 5227, RFC 4862), announced when a link comes up or they change, and watched for
 * others who use them. The exchange never gives one up: it is what members' routes point to. A
 * conflict is told and counted, and the address defended. Pure, as nud.h. One thread.
 */
#ifndef NAPD_OWN_H
#define NAPD_OWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_ether.h>

#include "config.h"

enum own_state {
	OWN_IDLE,    /* its port has no link */
	OWN_PROBING, /* is it somebody's? */
	OWN_ANNOUNCING,
	OWN_SETTLED,
};

struct own_address {
	uint16_t port;
	struct ip_address address;
	struct rte_ether_addr mac; /* of the port: another one is announced anew */
	uint8_t state;             /* enum own_state */
	uint8_t sent;              /* in this state */
	uint64_t next_ns;
	uint64_t conflicts;          /* how often somebody was heard to use it */
	uint64_t conflict_ns;        /* when last */
	uint64_t defended_ns;        /* when last */
	struct rte_ether_addr other; /* who */
};

struct own_calls {
	void *ctx;
	void (*probe)(void *ctx, const struct own_address *a);
	void (*announce)(void *ctx, const struct own_address *a);
};

struct own;

/* Returns to the caller; NULL without memory. */
struct own *own_create(const struct own_calls *calls);
void own_free(struct own *own);

/*
 * From now on these are the addresses (port, address, mac of each; copied). Those that were there
 * before stay as they are; new ones start with own_link(). 0 or -ENOMEM.
 */
int own_set(struct own *own, const struct own_address *list, size_t n);

/* The link of a port is up: probe and announce what is not yet, or (again) everything. */
void own_link(struct own *own, uint16_t port, bool again, uint64_t now_ns);

/* Every 100 ms or so. */
void own_tick(struct own *own, uint64_t now_ns);

/*
 * Somebody uses an address. Returns it (until own_set()), or NULL if it is none of ours.
 * IPv6 ones are announced again now, at most every ten seconds; for IPv4 workers do.
 */
const struct own_address *own_conflict(struct own *own, uint16_t port,
				       const struct ip_address *address,
				       const struct rte_ether_addr *mac, uint64_t now_ns);

/* All of them, by port as they were set. */
const struct own_address *own_list(const struct own *own, size_t *n);

#endif
