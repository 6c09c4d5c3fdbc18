/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Neighbour unreachability detection: which neighbours are known and in which
 * state (RFC 4861 7.3 for both families, with RFC 7048's patience), when to ask
 * for whom, and how many may be asked for at once. Pure: time comes in, questions and
 * changes go out by calls. One thread.
 *
 *            wanted                  answer
 *   (none) ---------> INCOMPLETE -------------> REACHABLE <---------- answer ---+
 *     |                   | no answer              | nearly too old             |
 *     | says its MAC      v                        v                            |
 *     |                FAILED <-- no answer -- PROBE (asked, then everybody) ---+
 *     v                                            ^
 *   STALE (its MAC is used) --> DELAY (5 s) -------+
 *
 * Every neighbour counts as used: nobody tells control which ones workers send to.
 */
#ifndef NAPD_NUD_H
#define NAPD_NUD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_ether.h>

#include "config.h"

#define NUD_SECOND_NS UINT64_C(1000000000)

#define NUD_ENTRIES_MAX  65536
#define NUD_PORT_MAX     4096 /* of a port, besides preferred ones */
#define NUD_UNHEARD_MAX  1024 /* asked for and never heard of, in all and of a port (RFC 6583) */
#define NUD_UNHEARD_PORT 512
/* Questions a second, in all and of a port; as many at once. A quarter is kept for preferred ones.
 */
#define NUD_ASK_RATE      2000
#define NUD_ASK_RATE_PORT 500

enum neighbour_state {
	NEIGHBOUR_PERMANENT, /* its only MAC is listed */
	NEIGHBOUR_INCOMPLETE,
	NEIGHBOUR_REACHABLE,
	NEIGHBOUR_STALE,
	NEIGHBOUR_DELAY,
	NEIGHBOUR_PROBE,
	NEIGHBOUR_FAILED,
	NEIGHBOUR_STATES
};
extern const char *const neighbour_state_name[NEIGHBOUR_STATES];

/* Who it is, and how much is known of it beforehand. */
struct nud_key {
	uint16_t port;
	struct ip_address address;
};

struct nud_entry {
	struct nud_key key;
	struct rte_ether_addr mac; /* zero before it is known */
	uint8_t state;             /* enum neighbour_state */
	uint8_t asked;             /* questions since the state began */
	bool used;                 /* the slot is not free */
	bool preferred; /* a listed router or a route's next hop: no limits but the table's */
	bool watched;   /* one of several MACs: looked after closely, for it may be swapped silently
			 */
	bool heard;     /* it has said a MAC: it is no scan's invention */
	bool answered;  /* a question: it is nobody's invention */
	uint32_t next;  /* of the same hash, or free */
	uint64_t confirmed_ns; /* its last answer, else when its MAC was learned */
	uint64_t next_ns;      /* when to look at it */
	uint64_t interval_ns;  /* between questions, PROBE */
};

/* What became known, for those who forward. */
enum nud_news { NUD_FORGOTTEN, NUD_RESOLVED, NUD_FAILED };

struct nud_calls {
	void *ctx;
	/* Ask for a neighbour, mac alone or (NULL) everybody. */
	void (*ask)(void *ctx, const struct nud_key *key, const struct rte_ether_addr *mac);
	void (*news)(void *ctx, const struct nud_entry *e, enum nud_news news);
	/* Its MAC is another than before; e has the new one. */
	void (*moved)(void *ctx, const struct nud_entry *e, const struct rte_ether_addr *before);
};

struct nud_times {
	uint64_t lifetime_ns; /* since the last answer; 4 hours */
	uint64_t watched_ns;  /* the same of watched ones; 20 s */
};

struct nud;

/* Returns to the caller; NULL without memory. */
struct nud *nud_create(const struct nud_calls *calls, const struct nud_times *times);
void nud_free(struct nud *n);

/* Traffic wants it. False: too many are asked for already. */
bool nud_want(struct nud *n, const struct nud_key *key, bool preferred, bool watched,
	      uint64_t now_ns);

/*
 * It said its MAC: in answer to a question (solicited) or of its own accord; override: also
 * instead of another that is known. False: there is no room for it.
 */
struct nud_heard {
	struct nud_key key;
	struct rte_ether_addr mac;
	bool solicited, override, preferred, watched;
};
bool nud_hear(struct nud *n, const struct nud_heard *heard, uint64_t now_ns);

/* A neighbour whose MAC is listed; nothing changes it. 0 or -ENOMEM. */
int nud_add_permanent(struct nud *n, const struct nud_key *key, const struct rte_ether_addr *mac);

/* The port's link came up: who is there now? */
void nud_link_up(struct nud *n, uint16_t port, uint64_t now_ns);

/* Repeat, refresh, fail, forget; every 100 ms or so. */
void nud_tick(struct nud *n, uint64_t now_ns);

/* Forget one that was learned. -ENOENT, or -EPERM for permanent ones. */
int nud_clear(struct nud *n, const struct nud_key *key);

/* Every entry, in no order; visit may change none but by returning false: forget it, silently. */
void nud_walk(struct nud *n, bool (*visit)(void *ctx, struct nud_entry *e), void *ctx);

size_t nud_count(const struct nud *n);
/* Preferred or watched may change with the configuration: in visit of nud_walk(). */
void nud_set_rank(struct nud *n, struct nud_entry *e, bool preferred, bool watched);

#endif
