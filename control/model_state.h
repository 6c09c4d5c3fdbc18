/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the model holds, for model.c, which fills it, compile.c, which reads
 * it, and the feeds, which bring routes. One thread.
 */
#ifndef NAPD_MODEL_STATE_H
#define NAPD_MODEL_STATE_H

#include <pthread.h>

#include "hops.h"
#include "model.h"
#include "numbers.h"
#include "rib.h"

/* FIB generations that snapshots share; freed with their last user, on whatever thread. */
struct table {
	unsigned int references;
	struct fib4 *fib4;
	struct fib6 *fib6;
	uint64_t *allowed; /* of source tables: the parties of each class */
	uint32_t allowed_words;
};

/* Returns to the caller with one reference; NULL without memory. */
struct table *table_create(void);
struct table *table_ref(struct table *table);
void table_unref(struct table *table); /* NULL is allowed */

/* The prefixes that members may send from, as tables. Pure. NULL without memory. */
struct table *source_table_create(const struct model *model);

/* A router's address on a port, or a neighbour that was learned there. */
struct neighbour {
	struct ip_address address;
	uint16_t port; /* its number */
	uint16_t party;
	bool listed; /* by the configuration */
	bool fixed;  /* the configuration gives its MAC */
	bool resolved;
	bool failed;
	bool adjacent; /* a host route to it is in the RIB, or on its way there */
	struct rte_ether_addr mac;
	const struct config_router *router; /* when listed */
};

/* What control wants done to the RIB, by the thread that owns it. */
struct errand {
	enum errand_kind {
		ERRAND_ADJACENT, /* a neighbour's host route comes */
		ERRAND_GONE,     /* and goes */
		ERRAND_TOUCH,    /* the tables of a prefix are to be made anew */
	} kind;
	struct ip_prefix prefix;
	uint16_t port;
};

/* What a port's configuration leaves to be worked out. */
struct model_port {
	const struct config_port *config; /* NULL: nobody has this number */
	struct rte_ether_addr mac;
	struct ipv6_key link_local;
	uint16_t device;
	uint16_t party; /* its only member, or the port itself */
	uint64_t name_hash;
	bool enabled, detached;
};

struct interfaces;

/*
 * With a tables thread (tables.c), that thread alone changes the RIB and makes tables of it;
 * control alone changes neighbours and ports. What each reads of the other's is under the lock,
 * which nobody holds for longer than a route or a table of next hops takes: RIB, next hops,
 * neighbours, the tables in force, errands.
 */
struct model {
	const struct config *config;
	struct model_options options;
	struct numbers port_numbers, party_numbers, device_numbers;
	uint16_t *port_number;       /* of each port of the configuration */
	uint16_t *port_device;       /* of each port of the configuration: its device's */
	uint16_t *party_number;      /* of each member of the configuration, then of each port */
	struct model_port *port;     /* by number; as many as port_numbers has */
	size_t *port_by_name;        /* indices of the configuration, ascending by name */
	struct neighbour *neighbour; /* ascending by port and address */
	size_t neighbours, neighbours_allocated;
	struct hops hops;
	bool relayout; /* next hops came or went: groups share their buckets anew */
	struct rib *rib;
	struct rib *connected; /* subnets; their leaf is the port's number + 1 */
	struct table *routes[2], *sources;
	pthread_mutex_t lock;
	unsigned int control_waits; /* for the lock: the tables thread lets it go first */
	/* NULL: there is no tables thread, and whoever has the model does its work */
	void (*wake)(void *arg);
	void *wake_arg;
	struct errand *errand; /* to be done by the tables thread, oldest first */
	size_t errands, errands_allocated;
	struct dumps *dumps;           /* paths kept for updates; NULL: none */
	uint64_t mrt_identity;         /* feed_dump_identity() when its dumps were read */
	bool mrt_changed;              /* by updates since; the tables thread's */
	struct interfaces *interfaces; /* as compiled last; NULL: ports have changed since */
	uint64_t generation;
	uint64_t unresolved, refused; /* see struct model_routes */
};

/* What a feed says of a prefix; via is borrowed. A hop on no port is left out. */
struct route {
	struct ip_prefix prefix;
	enum config_route_kind kind;
	const struct config_nexthop *via;
	size_t via_count; /* 1..64 when kind is VIA */
};

/* Control's side of the lock, and the tables thread's. */
void model_lock(const struct model *model);
void model_lock_politely(const struct model *model);
void model_unlock(const struct model *model);

/*
 * Put into a model that nobody uses yet what old has and no configuration tells: routes of
 * live feeds, over ports by their numbers, and neighbours' host routes. Tables thread, of old. 0 or
 * -ENOMEM.
 */
int model_carry(struct model *next, const struct model *old);

/* Do what control asked for meanwhile. Tables thread. 0 or -ENOMEM. */
int model_run_errands(struct model *model);
/* Has the RIB changed since the tables in force were made of it? Tables thread. */
bool model_is_dirty(const struct model *model);

/*
 * Add or replace the route of a source. Routes that are not used are counted:
 * -EADDRINUSE: inside a connected subnet; -EADDRNOTAVAIL: link-local; -ENOSPC:
 * beyond the capacity; -ENETUNREACH: no next hop is on a port's subnet. -ENOMEM.
 */
int model_route_set(struct model *model, enum route_source source, const struct route *route);

/* Take the route of a source back. -ENOENT: there was none. */
int model_route_delete(struct model *model, enum route_source source,
		       const struct ip_prefix *prefix);

/* The port of a name, or on whose subnet an address lies, as the configuration counts; SIZE_MAX:
 * none. */
size_t model_port_by_name(const struct model *model, const char *name);
size_t model_port_of(const struct model *model, const struct ip_address *address);

/* Is it an address of the exchange itself? */
bool model_is_own(const struct model *model, const struct ip_address *address);

/* Of model.c, for model_live.c. */
int model_neighbour_order(const struct neighbour *a, const struct neighbour *b);
struct ipv6_key model_link_local(const struct rte_ether_addr *mac);
struct neighbour *model_find_neighbour(const struct model *model, uint16_t port,
				       const struct ip_address *address);
/* Make the tables of a prefix anew, though its route has not changed. Under the lock. */
int model_touch(struct model *model, const struct ip_prefix *prefix);

/* A neighbour's host route, under the lock; with a tables thread that does it. 0 or -ENOMEM. */
int model_add_adjacency(struct model *model, const struct neighbour *neighbour);
int model_drop_adjacency(struct model *model, const struct neighbour *neighbour);

/* model_numbers.c: number ports, parties and devices, those of previous (or NULL) as there. 0,
 * -ENOSPC (problems say of what) or -ENOMEM. */
int model_assign_numbers(struct model *model, const struct model *previous,
			 struct problems *problems);

/* compile.c. Returns to the caller; NULL without memory. Keeps what the next one will share. */
struct snapshot *compile(struct model *model);
void interfaces_unref(struct interfaces *interfaces); /* NULL is allowed */

#endif
