// SPDX-License-Identifier: BSD-3-Clause
/* The state machine of neighbours, the table they are in, and the limits on both. */
#include "nud.h"

#include <errno.h>
#include <stdlib.h>

#include "address.h"
#include "snapshot.h"

#define HASH_SIZE 16384
#define NONE      UINT32_MAX

#define RETRANS_NS UINT64_C(1000000000) /* RFC 4861 RETRANS_TIMER */
#define DELAY_NS   (5 * NUD_SECOND_NS)  /* DELAY_FIRST_PROBE_TIME */
#define LOCK_NS    NUD_SECOND_NS        /* of two answers to one question the first counts */
#define RETRY_NS   (5 * NUD_SECOND_NS)  /* one that failed may be asked for again */
#define FORGET_NS  (10 * NUD_SECOND_NS) /* one that failed and that nobody wants */
#define ASK_TIMES  3                    /* MAX_MULTICAST_SOLICIT, MAX_UNICAST_SOLICIT */
/* Of its lifetime, from when on an answer is asked for; then as often as six questions fit. */
#define REFRESH_NS(lifetime) ((lifetime) / 240 > 6 * RETRANS_NS ? (lifetime) / 240 : 6 * RETRANS_NS)

const char *const neighbour_state_name[NEIGHBOUR_STATES] = {
	[NEIGHBOUR_PERMANENT] = "permanent", [NEIGHBOUR_INCOMPLETE] = "incomplete",
	[NEIGHBOUR_REACHABLE] = "reachable", [NEIGHBOUR_STALE] = "stale",
	[NEIGHBOUR_DELAY] = "delay",         [NEIGHBOUR_PROBE] = "probe",
	[NEIGHBOUR_FAILED] = "failed",
};

/* Tokens in billionths. */
struct bucket {
	uint64_t tokens, filled_ns;
};

struct nud {
	struct nud_calls calls;
	struct nud_times times;
	struct nud_entry *entry;
	uint32_t slots, allocated; /* slots were in use once */
	uint32_t free;
	uint32_t count, unheard;
	uint32_t head[HASH_SIZE];
	uint16_t of_port[PORT_MAX];         /* entries that are not preferred */
	uint16_t unheard_of_port[PORT_MAX]; /* of them, those never heard of */
	struct bucket all, port[PORT_MAX];
};

struct nud *nud_create(const struct nud_calls *calls, const struct nud_times *times)
{
	struct nud *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->calls = *calls;
	n->times = *times;
	n->free = NONE;
	for (size_t i = 0; i < HASH_SIZE; i++)
		n->head[i] = NONE;
	return n;
}

void nud_free(struct nud *n)
{
	if (n)
		free(n->entry);
	free(n);
}

size_t nud_count(const struct nud *n)
{
	return n->count;
}

/* ---- the table ---- */

static uint32_t *chain(struct nud *n, const struct nud_key *key)
{
	const struct ipv6_key mixed = { key->address.key.hi,
					key->address.key.lo + key->port * 2u + key->address.ipv6 };

	return &n->head[address_hash(mixed) % HASH_SIZE];
}

static bool same_key(const struct nud_key *a, const struct nud_key *b)
{
	return a->port == b->port && ip_address_equal(&a->address, &b->address);
}

static struct nud_entry *find(struct nud *n, const struct nud_key *key)
{
	uint32_t i = *chain(n, key);

	while (i != NONE && !same_key(&n->entry[i].key, key))
		i = n->entry[i].next;
	return i == NONE ? NULL : &n->entry[i];
}

/* Counts by which the limits go; n is 1 or -1. */
static void account(struct nud *n, const struct nud_entry *e, int by)
{
	n->count += by;
	if (e->preferred || e->state == NEIGHBOUR_PERMANENT)
		return;
	n->of_port[e->key.port] += by;
	if (e->heard)
		return;
	n->unheard += by;
	n->unheard_of_port[e->key.port] += by;
}

static bool has_room(const struct nud *n, uint16_t port, bool preferred)
{
	return n->count < NUD_ENTRIES_MAX && (preferred || n->of_port[port] < NUD_PORT_MAX);
}

static bool has_room_unheard(const struct nud *n, uint16_t port, bool preferred)
{
	return has_room(n, port, preferred) &&
	       (preferred ||
		(n->unheard < NUD_UNHEARD_MAX && n->unheard_of_port[port] < NUD_UNHEARD_PORT));
}

static bool grow(struct nud *n)
{
	const uint32_t size = n->allocated ? 2 * n->allocated : 256;
	struct nud_entry *larger;

	if (n->free != NONE || n->slots < n->allocated)
		return true;
	larger = realloc(n->entry, size * sizeof(*larger));
	if (!larger)
		return false;
	n->entry = larger;
	n->allocated = size;
	return true;
}

/* A new entry as in from; NULL without memory. */
static struct nud_entry *add(struct nud *n, const struct nud_entry *from)
{
	uint32_t *head = chain(n, &from->key), at = n->free;
	struct nud_entry *e;

	if (!grow(n))
		return NULL;
	if (at == NONE)
		at = n->slots++;
	else
		n->free = n->entry[at].next;
	e = &n->entry[at];
	*e = *from;
	e->used = true;
	e->next = *head;
	*head = at;
	account(n, e, 1);
	return e;
}

static void erase(struct nud *n, struct nud_entry *e)
{
	const uint32_t at = e - n->entry;
	uint32_t *link = chain(n, &e->key);

	account(n, e, -1);
	while (*link != at)
		link = &n->entry[*link].next;
	*link = e->next;
	*e = (struct nud_entry){ .next = n->free };
	n->free = at;
}

void nud_set_rank(struct nud *n, struct nud_entry *e, bool preferred, bool watched)
{
	account(n, e, -1);
	e->preferred = preferred;
	e->watched = watched;
	account(n, e, 1);
}

/* ---- questions ---- */

static void refill(struct bucket *b, uint64_t rate, uint64_t now_ns)
{
	const uint64_t most = rate * NUD_SECOND_NS, passed = now_ns - b->filled_ns;

	b->tokens = !b->filled_ns || passed >= NUD_SECOND_NS ? most : b->tokens + passed * rate;
	b->tokens = b->tokens > most ? most : b->tokens;
	b->filled_ns = now_ns;
}

static bool has_token(const struct bucket *b, uint64_t rate, bool preferred)
{
	return b->tokens >= NUD_SECOND_NS + (preferred ? 0 : rate / 4 * NUD_SECOND_NS);
}

/* Ask, if there are questions left to ask; else it is tried at the next tick. */
static bool ask(struct nud *n, struct nud_entry *e, bool unicast, uint64_t now_ns)
{
	struct bucket *port = &n->port[e->key.port];
	const bool first = e->preferred || e->answered;

	refill(&n->all, NUD_ASK_RATE, now_ns);
	refill(port, NUD_ASK_RATE_PORT, now_ns);
	if (!has_token(&n->all, NUD_ASK_RATE, first) || !has_token(port, NUD_ASK_RATE_PORT, first))
		return false;
	n->all.tokens -= NUD_SECOND_NS;
	port->tokens -= NUD_SECOND_NS;
	e->asked++;
	n->calls.ask(n->calls.ctx, &e->key, unicast ? &e->mac : NULL);
	return true;
}

static void enter(struct nud_entry *e, enum neighbour_state state, uint64_t next_ns)
{
	e->state = state;
	e->asked = 0;
	e->next_ns = next_ns;
}

static uint64_t lifetime(const struct nud *n, const struct nud_entry *e)
{
	return e->watched ? n->times.watched_ns : n->times.lifetime_ns;
}

/* It answered. Refreshes of many that were found together spread. */
static void reach(struct nud *n, struct nud_entry *e, uint64_t now_ns)
{
	const uint64_t life = lifetime(n, e), refresh = REFRESH_NS(life);
	const uint64_t spread = life > 4 * refresh ? refresh : 0;
	const uint64_t early = spread * (address_hash(e->key.address.key) % 256) / 256;

	e->answered = true;
	e->confirmed_ns = now_ns;
	enter(e, NEIGHBOUR_REACHABLE, now_ns + life - refresh - early);
	e->interval_ns = refresh / (2 * ASK_TIMES);
}

/* ---- what happens ---- */

static void start_asking(struct nud *n, struct nud_entry *e, uint64_t now_ns)
{
	enter(e, NEIGHBOUR_INCOMPLETE, now_ns);
	if (ask(n, e, false, now_ns))
		e->next_ns = now_ns + RETRANS_NS;
}

bool nud_want(struct nud *n, const struct nud_key *key, bool preferred, bool watched,
	      uint64_t now_ns)
{
	struct nud_entry *e = find(n, key);

	if (e) {
		if (preferred && !e->preferred)
			nud_set_rank(n, e, preferred, watched);
		/* those who want one that failed have been told; now and then it is tried again */
		if (e->state == NEIGHBOUR_FAILED && now_ns - (e->next_ns - FORGET_NS) >= RETRY_NS)
			start_asking(n, e, now_ns);
		return true;
	}
	if (!has_room_unheard(n, key->port, preferred))
		return false;
	e = add(n, &(struct nud_entry){ .key = *key,
					.state = NEIGHBOUR_INCOMPLETE,
					.preferred = preferred,
					.watched = watched });
	if (e)
		start_asking(n, e, now_ns);
	return e != NULL;
}

static void learn(struct nud *n, struct nud_entry *e, const struct nud_heard *heard,
		  uint64_t now_ns)
{
	account(n, e, -1);
	e->heard = true;
	account(n, e, 1);
	e->mac = heard->mac;
	e->confirmed_ns = now_ns;
	if (heard->solicited)
		reach(n, e, now_ns);
	else
		enter(e, NEIGHBOUR_STALE, now_ns);
	n->calls.news(n->calls.ctx, e, NUD_RESOLVED);
}

/* One that had no MAC any more has one, perhaps the one that it had. */
static void learn_anew(struct nud *n, struct nud_entry *e, const struct nud_heard *heard,
		       uint64_t now_ns)
{
	const struct rte_ether_addr before = e->mac;
	const bool moved = e->heard && !rte_is_same_ether_addr(&before, &heard->mac);

	learn(n, e, heard, now_ns);
	if (moved)
		n->calls.moved(n->calls.ctx, e, &before);
}

/* Another MAC than the one that is known. */
static void hear_another(struct nud *n, struct nud_entry *e, const struct nud_heard *heard,
			 uint64_t now_ns)
{
	const struct rte_ether_addr before = e->mac;

	if (heard->solicited && e->state == NEIGHBOUR_REACHABLE &&
	    now_ns - e->confirmed_ns < LOCK_NS)
		return;
	if (!heard->override) { /* RFC 4861 7.2.5: doubt, but no change */
		if (e->state == NEIGHBOUR_REACHABLE)
			enter(e, NEIGHBOUR_STALE, now_ns);
		return;
	}
	learn(n, e, heard, now_ns);
	n->calls.moved(n->calls.ctx, e, &before);
}

bool nud_hear(struct nud *n, const struct nud_heard *heard, uint64_t now_ns)
{
	struct nud_entry *e = find(n, &heard->key);

	if (!e) {
		if (heard->solicited) /* nobody asked, or it was forgotten: RFC 4861 7.2.5 */
			return true;
		/* who speaks of itself is likely to be sent to: RFC 826, RFC 4861 7.2.3 */
		if (!has_room(n, heard->key.port, heard->preferred))
			return false;
		e = add(n, &(struct nud_entry){ .key = heard->key,
						.state = NEIGHBOUR_STALE,
						.preferred = heard->preferred,
						.watched = heard->watched });
		if (!e)
			return false;
		learn(n, e, heard, now_ns);
		return true;
	}
	switch (e->state) {
	case NEIGHBOUR_PERMANENT:
		break;
	case NEIGHBOUR_INCOMPLETE:
	case NEIGHBOUR_FAILED:
		learn_anew(n, e, heard, now_ns);
		break;
	default:
		if (!rte_is_same_ether_addr(&e->mac, &heard->mac))
			hear_another(n, e, heard, now_ns);
		else if (heard->solicited)
			reach(n, e, now_ns);
	}
	return true;
}

int nud_add_permanent(struct nud *n, const struct nud_key *key, const struct rte_ether_addr *mac)
{
	struct nud_entry *e = find(n, key);

	if (e)
		erase(n, e);
	e = add(n, &(struct nud_entry){ .key = *key,
					.mac = *mac,
					.state = NEIGHBOUR_PERMANENT,
					.preferred = true });
	return e ? 0 : -ENOMEM;
}

static bool is_resolved(const struct nud_entry *e)
{
	return e->state == NEIGHBOUR_REACHABLE || e->state == NEIGHBOUR_STALE ||
	       e->state == NEIGHBOUR_DELAY || e->state == NEIGHBOUR_PROBE;
}

void nud_link_up(struct nud *n, uint16_t port, uint64_t now_ns)
{
	for (uint32_t i = 0; i < n->slots; i++) {
		struct nud_entry *e = &n->entry[i];

		if (!e->used || e->key.port != port || !is_resolved(e))
			continue;
		e->interval_ns = RETRANS_NS;
		enter(e, NEIGHBOUR_PROBE, now_ns);
		e->asked = ASK_TIMES; /* everybody: it may be another box */
	}
}

static void fail(struct nud *n, struct nud_entry *e, uint64_t now_ns)
{
	enter(e, NEIGHBOUR_FAILED, now_ns + FORGET_NS);
	n->calls.news(n->calls.ctx, e, NUD_FAILED);
}

/* Its MAC alone is asked three times, then everybody (RFC 7048): it may have another now. */
static void probe(struct nud *n, struct nud_entry *e, uint64_t now_ns)
{
	if (e->asked >= 2 * ASK_TIMES)
		fail(n, e, now_ns);
	else if (ask(n, e, e->asked < ASK_TIMES, now_ns))
		e->next_ns = now_ns + (e->interval_ns ? e->interval_ns : RETRANS_NS);
}

/* Its time has come. False: it is to be forgotten. */
static bool advance(struct nud *n, struct nud_entry *e, uint64_t now_ns)
{
	switch (e->state) {
	case NEIGHBOUR_INCOMPLETE:
		if (e->asked >= ASK_TIMES)
			fail(n, e, now_ns);
		else if (ask(n, e, false, now_ns))
			e->next_ns = now_ns + RETRANS_NS;
		break;
	case NEIGHBOUR_STALE:
		enter(e, NEIGHBOUR_DELAY, now_ns + DELAY_NS);
		break;
	case NEIGHBOUR_DELAY:
		e->interval_ns = RETRANS_NS;
		/* fall through */
	case NEIGHBOUR_REACHABLE:
		enter(e, NEIGHBOUR_PROBE, now_ns);
		probe(n, e, now_ns);
		break;
	case NEIGHBOUR_PROBE:
		probe(n, e, now_ns);
		break;
	case NEIGHBOUR_FAILED:
		return false;
	default:
		break;
	}
	return true;
}

void nud_tick(struct nud *n, uint64_t now_ns)
{
	for (uint32_t i = 0; i < n->slots; i++) {
		struct nud_entry *e = &n->entry[i];

		if (!e->used || e->state == NEIGHBOUR_PERMANENT || now_ns < e->next_ns ||
		    advance(n, e, now_ns))
			continue;
		n->calls.news(n->calls.ctx, e, NUD_FORGOTTEN);
		erase(n, e);
	}
}

int nud_clear(struct nud *n, const struct nud_key *key)
{
	struct nud_entry *e = find(n, key);

	if (!e)
		return -ENOENT;
	if (e->state == NEIGHBOUR_PERMANENT)
		return -EPERM;
	n->calls.news(n->calls.ctx, e, NUD_FORGOTTEN);
	erase(n, e);
	return 0;
}

void nud_walk(struct nud *n, bool (*visit)(void *ctx, struct nud_entry *e), void *ctx)
{
	for (uint32_t i = 0; i < n->slots; i++)
		if (n->entry[i].used && !visit(ctx, &n->entry[i]))
			erase(n, &n->entry[i]);
}
