// SPDX-License-Identifier: BSD-3-Clause
/* Holds packets for neighbours that are being asked for (RFC 1122 2.3.2.2, RFC 4861 7.2.2). */
#include "hold.h"

#include "worker.h"

#define LOOK_EVERY_NS UINT64_C(100000000)

/* Where a next hop is counted: the neighbour is the destination, or stands behind the index. */
static uint16_t load_index(const struct burst *b, uint32_t i, uint32_t nexthop, bool subnet)
{
	struct ipv6_key key = { nexthop, 0 };

	if (subnet)
		key = b->ipv6 ? burst_dst6(b, i) : (struct ipv6_key){ b->dst4[i], 1 };
	return address_hash(key) % HOLD_NEXTHOPS;
}

static bool has_room(const struct worker *w, uint16_t port, uint16_t nexthop, bool subnet)
{
	const struct hold *h = w->hold;

	return h->count < HOLD_PACKETS && h->load[nexthop] < HOLD_EACH &&
	       (!subnet || h->subnets < HOLD_SUBNETS) && w->counters[port].pending < HOLD_PORT;
}

/* One more is held, or (n -1) one less. */
static void account(struct worker *w, const struct held *p, int n)
{
	struct hold *h = w->hold;

	h->count += n;
	h->subnets += p->subnet ? n : 0;
	h->load[p->nexthop] += n;
	counter_add(&w->counters[p->port].pending, n);
}

bool hold_packet(struct burst *b, uint32_t i, struct worker *w, uint32_t nexthop, bool subnet)
{
	struct hold *h = w->hold;
	struct held *p;
	uint16_t index;

	if (!h)
		return false;
	index = load_index(b, i, nexthop, subnet);
	if (!has_room(w, b->port[i], index, subnet))
		return false;
	if (!h->count)
		h->look_ns = w->now_ns + LOOK_EVERY_NS;
	h->publication = w->snapshot->publication;
	p = &h->packet[h->count];
	*p = (struct held){
		.frame = b->frame[i],
		.l3 = b->l3[i],
		.until_ns = h->until_ns ? h->until_ns : w->now_ns + HOLD_NS,
		.bytes = b->bytes[i],
		.l3_bytes = b->l3_bytes[i],
		.port = b->port[i],
		.party = b->party[i],
		.nexthop = index,
		.ipv6 = b->ipv6,
		.subnet = subnet,
	};
	account(w, p, 1);
	burst_leave(b, i);
	return true;
}

bool hold_is_resuming(const struct worker *w)
{
	return w->hold && w->hold->until_ns;
}

static void end_packet(struct worker *w, const struct held *p)
{
	const struct drop_event event = { p->frame, p->port, DROP_NEIGHBOUR_UNRESOLVED, p->bytes };

	worker_count_drop(w, &event);
	rte_pktmbuf_free(p->frame);
}

/* A port that is gone, or is another device's now, sends nothing any more. */
static bool port_is_there(const struct snapshot *s, uint16_t port)
{
	return port < s->ports && s->port[port].used && s->port[port].enabled;
}

/* Packets from p on of one family and one deadline, as many as a burst takes. Returns how many. */
static uint32_t resume_some(struct worker *w, const struct held *p, uint32_t n)
{
	struct burst *b = &w->ip[p->ipv6];
	uint32_t taken = 0;

	burst_reset(b, p->ipv6);
	w->hold->until_ns = p->until_ns;
	for (; taken < n && taken < BURST_MAX; taken++) {
		const struct held *q = &p[taken];
		const uint32_t k = b->n;

		if (q->ipv6 != p->ipv6 || q->until_ns != p->until_ns)
			break;
		if (!port_is_there(w->snapshot, q->port)) {
			end_packet(w, q);
			continue;
		}
		b->frame[k] = q->frame;
		b->l3[k] = q->l3;
		b->bytes[k] = q->bytes;
		b->l3_bytes[k] = q->l3_bytes;
		b->port[k] = q->port;
		b->party[k] = q->party;
		b->order[k] = k;
		b->n++;
	}
	w->answer_count = 0;
	if (b->n)
		pipeline_resume(b, w);
	answers_send(w);
	transmit_flush(w);
	return taken;
}

void hold_resume(struct worker *w, const struct snapshot *snapshot)
{
	struct hold *h = w->hold;
	const uint32_t n = h->count;

	memcpy(h->again, h->packet, n * sizeof(*h->again));
	for (uint32_t i = 0; i < n; i++)
		account(w, &h->again[i], -1);
	w->snapshot = snapshot;
	h->publication = snapshot->publication;
	for (uint32_t i = 0; i < n;)
		i += resume_some(w, &h->again[i], n - i);
	h->until_ns = 0;
}

/* Those whose time is over end; the others keep their order. */
static void expire(struct worker *w)
{
	struct hold *h = w->hold;
	const uint32_t n = h->count;
	uint32_t kept = 0;

	h->look_ns = w->now_ns + LOOK_EVERY_NS;
	for (uint32_t i = 0; i < n; i++) {
		const struct held p = h->packet[i];

		if (p.until_ns > w->now_ns) {
			h->packet[kept++] = p;
			continue;
		}
		account(w, &p, -1);
		end_packet(w, &p);
	}
}

void hold_poll(struct worker *w)
{
	const struct snapshot *snapshot = __atomic_load_n(&w->dp->snapshot, __ATOMIC_ACQUIRE);

	if (snapshot && snapshot->publication != w->hold->publication)
		hold_resume(w, snapshot);
	if (w->now_ns >= w->hold->look_ns)
		expire(w);
}

void hold_end(struct worker *w)
{
	struct hold *h = w->hold;

	for (uint32_t i = 0, n = h ? h->count : 0; i < n; i++) {
		account(w, &h->packet[i], -1);
		end_packet(w, &h->packet[i]);
	}
}
