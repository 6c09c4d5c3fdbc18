/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Neighbours: who is on the other side of each port, by ARP and neighbour
 * discovery. Brings nud.h, own.h, the workers' events and the model together, and
 * sends the questions. Control thread.
 */
#ifndef NAPD_NEIGHBOUR_H
#define NAPD_NEIGHBOUR_H

#include "live.h"
#include "model.h"
#include "nud.h"
#include "own.h"

struct neighbours;

struct neighbour_view {
	uint16_t port;
	struct ip_address address;
	struct rte_ether_addr mac; /* zero when not known */
	enum neighbour_state state;
	uint64_t age_ns; /* since it was last confirmed */
};

/* Of a port since the start. */
struct neighbour_counters {
	uint64_t moves;   /* a neighbour had another MAC than before */
	uint64_t refused; /* a MAC that is not listed spoke for a router whose MACs are */
	uint64_t asked;   /* questions sent */
	uint64_t limited; /* neighbours that were not asked for, because too many are */
};

struct neighbours *neighbours_create(struct dataplane *dp, struct rte_mempool *pool);
void neighbours_free(struct neighbours *n);

/*
 * Ports, static neighbours and own addresses are now those of model (start, reload). Learned
 * ones stay where they fit. The snapshot that has new addresses must be published before the
 * next tick. 0 or -ENOMEM.
 */
int neighbours_set_model(struct neighbours *n, struct model *model);

/* A worker's event. */
void neighbours_punt(struct neighbours *n, const struct punt *punt, uint64_t now_ns);

/* Ask, repeat, expire, probe and announce; every 100 ms or so. */
void neighbours_tick(struct neighbours *n, uint64_t now_ns);

/* A device was opened, whose MAC its ports may take. */
void neighbours_devices_changed(struct neighbours *n);

/* After the snapshot of a new model was published: probe and announce addresses that are new. */
void neighbours_start_new(struct neighbours *n, uint64_t now_ns);

/* A port's link came up: probe and announce its addresses, see who of its neighbours is there. */
void neighbours_link_up(struct neighbours *n, uint16_t port, uint64_t now_ns);

/*
 * Whether the model was changed, so that its snapshot has to be published: at once, but at
 * most fifty times a second, so that many changes make one. True once.
 */
bool neighbours_changed(struct neighbours *n, uint64_t now_ns);

/* Forget what was learned of an address, on one port or (PORT_NONE) any. How many, or -EPERM:
 * listed. */
int neighbours_clear(struct neighbours *n, uint16_t port, const struct ip_address *address);

/* All of them, by port and address: malloc, returns to the caller; NULL without memory. */
struct neighbour_view *neighbours_list(const struct neighbours *n, size_t *count, uint64_t now_ns);
size_t neighbours_count(const struct neighbours *n, enum neighbour_state state, bool ipv6);

struct neighbour_counters neighbours_counters(const struct neighbours *n, uint16_t port);

/* The exchange's own addresses and their conflicts. */
const struct own_address *neighbours_own(const struct neighbours *n, size_t *count);

#endif
