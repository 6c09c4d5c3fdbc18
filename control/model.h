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

struct model;

struct model_options {
	bool any_mac; /* replay --accept-any-mac */
};

struct model_routes {
	uint64_t ipv4, ipv6; /* prefixes in force, connected ones included */
	uint64_t unresolved; /* routes whose next hops are on no port's subnet: not used */
	uint64_t refused;    /* table routes inside a connected subnet, and beyond capacity */
};

/*
 * Build the model of a configuration and load its static routes and table
 * files. Borrows config for the model's life. Returns to the caller, or NULL:
 * problems say why, or if they hold no error, there was no memory.
 */
struct model *model_create(const struct config *config, const struct model_options *options,
			   struct problems *problems);
void model_free(struct model *model);

/* Compile what is in force now. Returns to the caller, who publishes it; NULL without memory. */
struct snapshot *model_snapshot(struct model *model);

void model_routes(const struct model *model, struct model_routes *routes);

/* Parties: members first, then ports. A party's number never changes in a model's life. */
uint16_t model_parties(const struct model *model);
const char *model_party_name(const struct model *model, uint16_t party);

/* Ports keep the order of the configuration: port i of config is port i of the snapshot. */
uint16_t model_devices(const struct model *model);
uint16_t model_port_device(const struct model *model, uint16_t port);

#endif
