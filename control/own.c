// SPDX-License-Identifier: BSD-3-Clause
/* Probes, announces and defends the exchange's own addresses. */
#include "own.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"

#define MS UINT64_C(1000000)

/*
 * RFC 5227 wants three probes within some six seconds, RFC 4862 one and a second. An exchange
 * that comes back shall be announced within a second: three ARP probes in it.
 */
#define PROBES4         3
#define PROBE4_NS       (300 * MS)
#define PROBES6         1 /* DupAddrDetectTransmits */
#define PROBE6_NS       (900 * MS)
#define ANNOUNCEMENTS   2            /* ANNOUNCE_NUM */
#define ANNOUNCEMENT_NS (2000 * MS)  /* ANNOUNCE_INTERVAL */
#define DEFEND_NS       (10000 * MS) /* DEFEND_INTERVAL */

struct own {
	struct own_calls calls;
	struct own_address *list;
	size_t n;
};

struct own *own_create(const struct own_calls *calls)
{
	struct own *own = calloc(1, sizeof(*own));

	if (own)
		own->calls = *calls;
	return own;
}

void own_free(struct own *own)
{
	if (own)
		free(own->list);
	free(own);
}

const struct own_address *own_list(const struct own *own, size_t *n)
{
	*n = own->n;
	return own->list;
}

static struct own_address *find(const struct own *own, uint16_t port,
				const struct ip_address *address)
{
	for (size_t i = 0; i < own->n; i++)
		if (own->list[i].port == port && ip_address_equal(&own->list[i].address, address))
			return &own->list[i];
	return NULL;
}

int own_set(struct own *own, const struct own_address *list, size_t n)
{
	struct own_address *next = calloc(n + 1, sizeof(*next));

	if (!next)
		return -ENOMEM;
	for (size_t i = 0, from = 0; i < n; i++) {
		/* mostly the same list as before: look where the last one was found first */
		const struct own_address *old = NULL;

		if (from < own->n && own->list[from].port == list[i].port &&
		    ip_address_equal(&own->list[from].address, &list[i].address))
			old = &own->list[from];
		else
			old = find(own, list[i].port, &list[i].address);
		next[i] = (struct own_address){ .port = list[i].port,
						.address = list[i].address,
						.mac = list[i].mac };
		if (!old)
			continue;
		from = old - own->list + 1;
		if (rte_is_same_ether_addr(&old->mac, &list[i].mac))
			next[i] = *old;
	}
	free(own->list);
	own->list = next;
	own->n = n;
	return 0;
}

void own_link(struct own *own, uint16_t port, bool again, uint64_t now_ns)
{
	for (size_t i = 0; i < own->n; i++) {
		struct own_address *a = &own->list[i];

		if (a->port != port || (!again && a->state != OWN_IDLE))
			continue;
		a->state = OWN_PROBING;
		a->sent = 0;
		a->next_ns = now_ns;
	}
}

static void probe(struct own *own, struct own_address *a, uint64_t now_ns)
{
	if (a->sent == (a->address.ipv6 ? PROBES6 : PROBES4)) {
		a->state = OWN_ANNOUNCING;
		a->sent = 0;
		return;
	}
	a->sent++;
	a->next_ns = now_ns + (a->address.ipv6 ? PROBE6_NS : PROBE4_NS);
	own->calls.probe(own->calls.ctx, a);
}

static void announce(struct own *own, struct own_address *a, uint64_t now_ns)
{
	own->calls.announce(own->calls.ctx, a);
	a->next_ns = now_ns + ANNOUNCEMENT_NS;
	if (++a->sent == ANNOUNCEMENTS)
		a->state = OWN_SETTLED;
}

void own_tick(struct own *own, uint64_t now_ns)
{
	for (size_t i = 0; i < own->n; i++) {
		struct own_address *a = &own->list[i];

		if (a->state == OWN_PROBING && now_ns >= a->next_ns)
			probe(own, a, now_ns);
		if (a->state == OWN_ANNOUNCING && now_ns >= a->next_ns)
			announce(own, a, now_ns);
	}
}

const struct own_address *own_conflict(struct own *own, uint16_t port,
				       const struct ip_address *address,
				       const struct rte_ether_addr *mac, uint64_t now_ns)
{
	struct own_address *a = find(own, port, address);

	if (!a)
		return NULL;
	a->conflicts++;
	a->conflict_ns = now_ns;
	a->other = *mac;
	if (address->ipv6 && a->state != OWN_PROBING &&
	    (!a->defended_ns || now_ns - a->defended_ns >= DEFEND_NS)) {
		a->defended_ns = now_ns;
		own->calls.announce(own->calls.ctx, a);
	}
	return a;
}
