/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The exchange as control knows it: ports, members, parties, next hops, ECMP
 * groups and the RIB; hands out indices that live as long as their object and
 * compiles the snapshots that workers forward by.
 */
#ifndef NAPD_MODEL_H
#define NAPD_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "snapshot.h"

struct dump_options;
struct model;

struct model_options {
	bool any_mac; /* replay --accept-any-mac */
	/*
	 * Reload: ports, parties and devices of the same name keep their numbers, so
	 * that counters stay theirs, and have them again when they come back; a newcomer gets
	 * one that was never in use, while there are any. NULL: none before. Only its numbers
	 * are read, which never change, so another thread may be at work on it.
	 */
	const struct model *previous;
	uint16_t parties_max; /* how many numbers of parties there are; 0: as many as can be */
	const struct dump_options *dumps; /* replay --rib, while the model is made; NULL: none */
};

struct model_routes {
	uint64_t ipv4, ipv6; /* prefixes in force, connected ones included */
	uint64_t unresolved; /* routes whose next hops are on no port's subnet: not used */
	uint64_t refused;    /* table routes inside a connected subnet, and beyond capacity */
	uint64_t narrowed;   /* times a set of next hops got but one of them: too many sets */
};

/*
 * Build the model of a configuration and load its static routes and table
 * files. Borrows config for the model's life. Returns to the caller, or NULL:
 * problems say why, or if they hold no error, there was no memory.
 */
struct model *model_create(const struct config *config, const struct model_options *options,
			   struct problems *problems);
void model_free(struct model *model);

/*
 * Make the tables that workers look up, so that model_snapshot() finds the work done: a
 * million routes take a while. 0 or -ENOMEM. On any thread, as model_create() and model_free(),
 * as long as nobody else uses the model.
 */
int model_prepare(struct model *model);

/* Compile what is in force now. Returns to the caller, who publishes it; NULL without memory. */
struct snapshot *model_snapshot(struct model *model);

void model_routes(const struct model *model, struct model_routes *routes);

/*
 * How full a family is: 0, or 90 from nine tenths of its capacity on, or 100 where it is used up.
 * It falls back from 90 at 85 only; level is what it was.
 */
int model_fill_level(const struct model *model, bool ipv6, int level);

/*
 * How many numbers of parties there are, free ones included: members first, then ports, then
 * whoever came by a reload. A party's number lives as long as its name is in force.
 */
uint16_t model_parties(const struct model *model);
uint16_t model_member_party(const struct model *model, size_t config_member);
/* NULL: a number that no party has now. */
const char *model_party_name(const struct model *model, uint16_t party);
/* Did nobody or another have this number in the model before? */
bool model_port_is_new(const struct model *model, uint16_t port);
/* Did another, so that what was counted under it is not its? */
bool model_party_is_reused(const struct model *model, uint16_t party);
bool model_port_is_reused(const struct model *model, uint16_t port);
bool model_reuses_numbers(const struct model *model);

/*
 * The number of port i of the configuration in snapshots; without a previous
 * model it is i. And back: SIZE_MAX for a number that no port has.
 */
uint16_t model_port_number(const struct model *model, size_t config_port);
size_t model_config_port(const struct model *model, uint16_t port);
/* The configuration it was built from. */
const struct config *model_config(const struct model *model);
/* How many port numbers snapshots have (free ones included). */
uint16_t model_port_numbers(const struct model *model);

/* ---- live ---- */

/* The MAC that a device turned out to have: of its ports whose configuration names none. */
void model_set_device_mac(struct model *model, uint16_t device, struct rte_ether_addr mac);

enum model_neighbour { MODEL_NEIGHBOUR_NONE, MODEL_NEIGHBOUR_RESOLVED, MODEL_NEIGHBOUR_FAILED };

/*
 * What became known of a neighbour on a port; mac matters when resolved. NONE forgets it.
 * Static neighbours do not change (-EEXIST). Takes effect with the next snapshot. 0 or
 * negative errno.
 */
int model_set_neighbour(struct model *model, uint16_t port, const struct ip_address *address,
			enum model_neighbour what, const struct rte_ether_addr *mac);

/* The gateway that next hop index of the current snapshot stands for; false: a connected subnet, or
 * special. */
bool model_nexthop_gateway(const struct model *model, uint32_t nexthop, uint16_t *port,
			   struct ip_address *gateway);

/* Can it be a neighbour at all: on the port's subnets or link-local, and not the exchange itself?
 */
bool model_may_have_neighbour(const struct model *model, uint16_t port,
			      const struct ip_address *address);

/* The MAC of port i of the configuration, and its link-local address. */
void model_port_identity(const struct model *model, size_t config_port, struct rte_ether_addr *mac,
			 struct ip_address *link_local);

/* Do routes lead through it? */
bool model_is_gateway(const struct model *model, uint16_t port, const struct ip_address *address);

/* Whom a known neighbour's traffic goes to; PARTY_NONE: it is not known. */
uint16_t model_neighbour_party(const struct model *model, uint16_t port,
			       const struct ip_address *address);

/* The routers listed on a port with that address; NULL: none. Their MACs are the ones to believe.
 */
const struct config_router *model_router(const struct model *model, uint16_t port,
					 const struct ip_address *address);

/* Whether a port forwards, whatever the configuration says; from the next snapshot on. */
void model_enable_port(struct model *model, uint16_t port, bool enabled);

/* The MAC of a neighbour, if it is known. */
bool model_neighbour_mac(const struct model *model, uint16_t port, const struct ip_address *address,
			 struct rte_ether_addr *mac);
/* Does some neighbour of a port have that MAC? */
bool model_has_neighbour_at(const struct model *model, uint16_t port,
			    const struct rte_ether_addr *mac);

/*
 * A detached port takes no frames from its device, from the next snapshot on: for as long as
 * workers may send what they answer by another device.
 */
void model_attach_port(struct model *model, uint16_t port, bool attached);

uint16_t model_devices(const struct model *model);
uint16_t model_port_device(const struct model *model, uint16_t port);

#endif
