/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the files of the configuration's reader; nobody else includes this. */
#ifndef NAPD_CONFIG_PRIVATE_H
#define NAPD_CONFIG_PRIVATE_H

#include "address.h"
#include "config.h"
#include "config_yaml.h"
#include "settings.h"

/* A value's path, "members[2].routers[0].mac", as a chain on the stack. */
struct where {
	const struct where *parent; /* NULL: the file itself */
	const char *key;            /* NULL: an index */
	size_t index;
	const struct document *document;
	const struct node *node; /* whose place is told; NULL: the file's beginning */
};

/* Where a port, member or route stands: its file and its number in that file's list. */
struct item {
	const struct document *document;
	const struct node *node;
	size_t index;
};

struct item_list {
	struct item *item;
	size_t count;
};

struct reader {
	struct config *config;
	struct problems *problems;
	struct document **document; /* [0] the file itself, then what it includes */
	size_t document_count;
	struct item_list ports, members, routes; /* parallel to the config's */
	size_t *port_by_name;                    /* indices, sorted by name, then index */
	bool unreadable; /* a file could not be read: others may look wrong without it */
	bool no_memory;
};

/* Report what is wrong at where. */
void where_error(struct reader *r, const struct where *where, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void where_warning(struct reader *r, const struct where *where, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The path alone, cut at size. Returns text. */
const char *where_text(const struct where *where, char *text, size_t size);

/* The value of a key, or if it is not there, the mapping. Borrows parent. */
struct where where_key(const struct where *parent, const char *key);
struct where where_index(const struct where *parent, size_t index, const struct node *node);

/* The chain of an item: "ports[1]". */
struct item_where {
	struct where file, list, item;
};
void item_where(struct item_where *w, const char *list, const struct item *item);

/*
 * Read text as a value of setting s into dest (of s->size bytes, zeroed). Reports and returns
 * -EINVAL when it is none; dest then keeps what was legible of names, else nothing.
 */
int value_read(struct reader *r, const struct setting *s, const char *text, void *dest,
	       const struct where *where);

/* path as seen from the folder of file. Returns to the caller; NULL: no memory. */
char *config_path_join(const char *file, const char *path);

/* Text in quotes for messages: cut, control characters replaced. */
#define QUOTE_MAX 72
const char *quote(const char *text, char quoted[QUOTE_MAX]);

/* Of names (count of them, name(i) may be NULL) the one most like text, or NULL when none is close.
 */
const char *nearest(const char *text, const char *(*name)(const void *ctx, size_t i),
		    const void *ctx, size_t count);

/* The index of the port so named, the first if there are several, or SIZE_MAX. */
size_t port_by_name(const struct reader *r, const char *name);

/* "ports[1]", or when from is another file, "ports[1] of other.yaml". */
#define REFERENCE_MAX 160
const char *item_reference(const struct document *from, const char *list, const struct item *item,
			   char text[REFERENCE_MAX]);

/* After ports are read: names, subnets, devices. Before members are. */
void check_ports(struct reader *r);
/* After all is read: members, routes, and defaults that depend on them. */
void check_members(struct reader *r);
void check_routes(struct reader *r);
void resolve_defaults(struct reader *r);
/* Once it is known which ports have TAPs: no device is on one. */
void check_taps(struct reader *r);

/* Find the port of a next hop of routes[].via and say what is wrong with it. */
void check_hop(struct reader *r, struct config_nexthop *hop, const struct where *where);

/*
 * Which special address of a subnet this is: "the network address", "the broadcast
 * address", "the subnet-router anycast address"; NULL: none.
 */
const char *special_address(const struct ip_prefix *subnet, const struct ip_address *address);

/* An address that a router or next hop has on a subnet: not ours, not everybody's. */
void check_neighbour(struct reader *r, const struct config_subnet *subnet,
		     const struct ip_address *address, const struct where *where);

/* Something that may be given only once; where it stands is found again when it is not. */
struct claim {
	struct ipv6_key key;
	uint32_t space; /* claims of different spaces do not meet */
	size_t port;
	size_t item, router, index; /* members[item].routers[router].addresses[index] */
};

struct claims {
	struct claim *list;
	size_t count;
};

/* In functions that compare: return when x and y differ. */
#define ORDER(x, y)                                \
	do {                                       \
		if ((x) != (y))                    \
			return (x) < (y) ? -1 : 1; \
	} while (0)

/* Add one; copies it. */
void claim_add(struct reader *r, struct claims *claims, const struct claim *claim);

/* Call twice(r, first, other) for every claim after the first of its kind, and free them. */
typedef void (*claim_twice_fn)(struct reader *r, const struct claim *first,
			       const struct claim *other);
void claims_check(struct reader *r, struct claims *claims, claim_twice_fn twice);

/* The i-th of the values that were read from a list; or of a value alone, that. */
struct where list_where(const struct where *list, size_t i);

/* members[m].routers, and [i] of it: mappings of the list are routers one by one. */
struct router_where {
	struct item_where member;
	struct where list, router;
};

void router_where(struct router_where *w, struct reader *r, size_t member, size_t router);

#endif
