// SPDX-License-Identifier: BSD-3-Clause
/*
 * Sends the replies that a burst called for, in the order in which its frames
 * arrived: token buckets then give the same answers whatever stage a packet
 * died in, and however frames fell into bursts.
 */
#include "worker.h"

/*
 * Two exchanges that have the same address would answer each other's announcements for ever:
 * RFC 5227 2.4 (c) allows one in a while.
 */
static bool defence_has_token(struct worker *w, const struct pending_answer *a, uint64_t now)
{
	const struct received r = {
		.frame = a->frame,
		.l2 = rte_pktmbuf_mtod(a->frame, const uint8_t *),
		.l3 = a->l3,
		.l3_bytes = a->l3_bytes,
		.port = &w->snapshot->port[a->port],
	};

	return !arp_judge(&r).conflict ||
	       meter_take(&worker_meters(w, a->port, now)->defence, &w->dp->defence, now, 1, true);
}

/* Replies that have a rate: ICMP of three classes, and announcements that defend an address. */
static bool answer_has_token(struct worker *w, const struct pending_answer *a)
{
	const struct snapshot_port *port = &w->snapshot->port[a->port];
	const uint64_t now = frame_time(w, a->frame);
	struct port_meters *m = worker_meters(w, a->port, now);

	switch (a->answer) {
	case ANSWER_ARP:
		return defence_has_token(w, a, now);
	case ANSWER_ND:
		return true;
	case ANSWER_ECHO:
		return meter_take(&m->icmp_echo, &port->icmp_echo, now, 1, false);
	case ANSWER_TOO_BIG:
		return meter_take(&m->icmp_too_big, &port->icmp_too_big, now, 1, false);
	default:
		return meter_take(&m->icmp_error, &port->icmp_error, now, 1, false);
	}
}

/* May this be answered at all? An error about an error takes no token. */
static bool answer_allowed(const struct pending_answer *a)
{
	if (a->answer == ANSWER_ECHO || a->answer == ANSWER_ARP || a->answer == ANSWER_ND)
		return true;
	return a->ipv6 ? icmp_error_allowed6(a->l3, a->l3_bytes)
		       : icmp_error_allowed4(a->l3, a->l3_bytes);
}

static struct rte_mbuf *answer_arp(const struct received *r, struct rte_mempool *pool)
{
	const struct arp_verdict verdict = arp_judge(r);
	struct rte_mbuf *reply;

	if (!verdict.conflict)
		return arp_reply(r, pool);
	reply = arp_announcement(r->port, verdict.sender, pool);
	if (reply)
		frame_inherit(reply, r->frame);
	return reply;
}

static struct rte_mbuf *answer_make(const struct pending_answer *a, const struct received *r,
				    struct rte_mempool *pool)
{
	switch (a->answer) {
	case ANSWER_ARP:
		return answer_arp(r, pool);
	case ANSWER_ND:
		return nd_advertisement(r, pool);
	case ANSWER_ECHO:
		return a->ipv6 ? echo_reply6(r, pool) : echo_reply4(r, pool);
	default:
		return a->ipv6 ? icmp_error6(r, a->answer, a->mtu, pool)
			       : icmp_error4(r, a->answer, a->mtu, pool);
	}
}

static void answer_send(struct worker *w, const struct pending_answer *a)
{
	const struct received r = {
		.frame = a->frame,
		.l2 = rte_pktmbuf_mtod(a->frame, const uint8_t *),
		.l3 = a->l3,
		.l3_bytes = a->l3_bytes,
		.port = &w->snapshot->port[a->port],
	};
	struct transmit_run run = { .in_port = PORT_NONE, .out_port = a->port, .frames = 1 };
	struct rte_mbuf *reply;

	if (!answer_allowed(a))
		return;
	if (!answer_has_token(w, a)) {
		counter_add(&w->counters[a->port].answers_limited, 1);
		return;
	}
	reply = answer_make(a, &r, w->pool);
	if (!reply)
		return;
	run.tx_bytes = rte_pktmbuf_pkt_len(reply);
	w->active |= transmit(w->port_queue, reply, run);
}

void answers_send(struct worker *w)
{
	struct pending_answer *a = w->answers;

	/* nearly sorted: each stage kept the order, and there are few */
	for (unsigned int i = 1; i < w->answer_count; i++) {
		const struct pending_answer moving = a[i];
		unsigned int k = i;

		for (; k > 0 && a[k - 1].order > moving.order; k--)
			a[k] = a[k - 1];
		a[k] = moving;
	}
	for (unsigned int i = 0; i < w->answer_count; i++) {
		answer_send(w, &a[i]);
		rte_pktmbuf_free(a[i].frame);
	}
	w->answer_count = 0;
}
