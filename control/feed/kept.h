/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Routes in a file, for a warm start. All numbers in network byte order:
 *
 *	"napdkept", version (4 bytes), CRC-32 of all that follows it (4), length of that (8)
 *	how many ports (2), and of each: length of its name (1), the name
 *	how many routes (8), then records until the end:
 *	  1  a target, numbered 3 and on: how many next hops (1), and of each: its port by its
 *	     place above (2), its weight (4), 4 or 6 (1), its address
 *	  2  a route: source (1), 4 or 6 (1), length of the prefix (1), as many bytes of it as that
 *	     needs, target (4): 0 blackhole, 1 unreachable, 2 prohibit, or one told before
 *
 * Pure; one thread.
 */
#ifndef NAPD_FEED_KEPT_H
#define NAPD_FEED_KEPT_H

#include "../rib.h"
#include "octets.h"

#define KEPT_HOPS_MAX 64

struct kept_hop {
	uint16_t port; /* place in the file's list */
	uint32_t weight;
	struct ip_address address;
};

/* ---- writing ---- */

struct kept_writer {
	uint8_t *data; /* the caller's to free */
	size_t bytes, allocated;
	size_t routes_at;
	uint32_t targets;
	uint64_t routes;
	bool failed; /* no memory: kept_end() says so */
};

/* Names of at most 255 bytes, borrowed for the call. */
void kept_begin(struct kept_writer *w, const char *const *port, uint16_t ports);
/* Returns its number. n is 1 to 64. */
uint32_t kept_target(struct kept_writer *w, const struct kept_hop *hop, size_t n);
/* kind VIA: target is one that kept_target() returned. */
void kept_route(struct kept_writer *w, enum route_source source, const struct ip_prefix *prefix,
		enum config_route_kind kind, uint32_t target);
/* The file is data, bytes. 0 or -ENOMEM. */
int kept_end(struct kept_writer *w);

/* Write the header of a file of bytes bytes, of which KEPT_HEADER_BYTES are its. */
#define KEPT_HEADER_BYTES 24
void kept_seal(uint8_t *data, size_t bytes);

/* ---- reading ---- */

struct kept {
	struct octets records; /* what is left of them */
	uint16_t ports;
	const uint8_t **port;   /* each: length, name */
	const uint8_t **target; /* each: how many next hops, they */
	uint32_t targets, targets_allocated;
	uint64_t routes;
};

struct kept_route {
	enum route_source source;
	struct ip_prefix prefix;
	enum config_route_kind kind;
	size_t hops; /* when kind is VIA */
	struct kept_hop hop[KEPT_HOPS_MAX];
};

/*
 * Look the whole file over: after that, every route of it can be read. Borrows data until
 * kept_close(), which is the caller's to call, also after an error. 0; -EBADMSG: error says what is
 * wrong and where; -ENOMEM.
 */
int kept_open(struct kept *k, const uint8_t *data, size_t bytes, struct octets_error *error);
/* The next route. False: that was all. */
bool kept_next(struct kept *k, struct kept_route *route);
void kept_close(struct kept *k);
/* The name of a port, terminated, in name of 256 bytes. */
void kept_port_name(const struct kept *k, uint16_t port, char *name);

#endif
