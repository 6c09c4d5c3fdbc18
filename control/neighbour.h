/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Neighbours: who is on the other side of each port, by ARP and neighbour
 * discovery. Static ones come from the model's members; the others are asked for
 * when traffic wants them, learned from what they say, refreshed and forgotten.
 * Control thread.
 */
#ifndef NAPD_NEIGHBOUR_H
#define NAPD_NEIGHBOUR_H

#include "config.h"
#include "live.h"
#include "model.h"

struct neighbours;

enum neighbour_state {
	NEIGHBOUR_STATIC,
	NEIGHBOUR_INCOMPLETE, /* asked, no answer yet */
	NEIGHBOUR_REACHABLE,
	NEIGHBOUR_STALE, /* older than its time, being asked again */
	NEIGHBOUR_FAILED,
	NEIGHBOUR_STATES
};
extern const char *const neighbour_state_name[NEIGHBOUR_STATES];

struct neighbour_view {
	uint16_t port;
	struct ip_address address;
	struct rte_ether_addr mac; /* zero when not known */
	enum neighbour_state state;
	uint64_t age_ns; /* since it was last confirmed */
};

struct neighbours *neighbours_create(struct dataplane *dp, struct rte_mempool *pool);
void neighbours_free(struct neighbours *n);

/* Ports and static neighbours are now those of model (start, reload). Learned ones stay where they
 * fit. */
int neighbours_set_model(struct neighbours *n, struct model *model);

/* A worker's event. */
void neighbours_punt(struct neighbours *n, const struct punt *punt, uint64_t now_ns);

/* Ask, repeat, expire; every 100 ms or so. */
void neighbours_tick(struct neighbours *n, uint64_t now_ns);

/* Announce every address of a port: start, link up, change of addresses. */
void neighbours_announce(struct neighbours *n, uint16_t port);

/* True once after the model was changed, so that its snapshot has to be published. */
bool neighbours_changed(struct neighbours *n);

/* All of them, by port and address; returns how many were written. */
size_t neighbours_list(const struct neighbours *n, struct neighbour_view *list, size_t max,
		       uint64_t now_ns);
size_t neighbours_count(const struct neighbours *n, enum neighbour_state state, bool ipv6);

#endif
