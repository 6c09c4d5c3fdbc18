// SPDX-License-Identifier: BSD-3-Clause
/*
 * Stage rewrite: the only one that writes into frames. TTL and checksum, the
 * prepared Ethernet header, padding; then the frame waits for transmission.
 */
#include <rte_ether.h>
#include <rte_ip_frag.h>

#include "bytes.h"
#include "depart.h"

#define FRAME_MIN_BYTES 60 /* without FCS */
/* 65,515 bytes of payload in pieces of at least (1280 - 60) bytes */
#define FRAGMENTS_MAX 64

/*
 * The prepared header ends where the IP header begins; its EtherType is 0 and written here.
 * Not a byte before it is written: it begins a cache line in most buffers, and the line before
 * it nobody else touches.
 */
static inline void write_ethernet(uint8_t *l3, const struct nexthop *nh, bool ipv6)
{
	const uint64_t type = RTE_BE16(ipv6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4);
	const uint8_t *end = nh->l2 + sizeof(nh->l2);
	uint64_t last;

	/* the first bytes of a header with a tag; without one, once more what follows */
	memcpy(l3 - nh->l2_bytes, end - nh->l2_bytes, 4);
	memcpy(l3 - RTE_ETHER_HDR_LEN, end - RTE_ETHER_HDR_LEN, sizeof(last));
	memcpy(&last, end - sizeof(last), sizeof(last));
	last |= type << 48;
	memcpy(l3 - sizeof(last), &last, sizeof(last));
}

/* The same for a frame whose header had no tag and gets none: its EtherType stands there. */
static inline void write_macs(uint8_t *l3, const struct nexthop *nh)
{
	const uint8_t *from = nh->l2 + sizeof(nh->l2) - RTE_ETHER_HDR_LEN;

	memcpy(l3 - RTE_ETHER_HDR_LEN, from, 8);
	memcpy(l3 - RTE_ETHER_HDR_LEN + 8, from + 8, 4);
}

static void pad(struct rte_mbuf *frame)
{
	const uint16_t bytes = rte_pktmbuf_data_len(frame);

	memset(rte_pktmbuf_mtod_offset(frame, uint8_t *, bytes), 0, FRAME_MIN_BYTES - bytes);
	frame->data_len = FRAME_MIN_BYTES;
	frame->pkt_len = FRAME_MIN_BYTES;
}

/* Cut a frame of several segments to its new length; they are rare (jumbo captures). */
static void trim_segments(struct rte_mbuf *frame, uint32_t bytes)
{
	struct rte_mbuf *segment = frame;
	uint32_t left = bytes;
	uint16_t segments = 1;

	for (; left > segment->data_len; segments++) {
		left -= segment->data_len;
		segment = segment->next;
	}
	rte_pktmbuf_free(segment->next);
	segment->next = NULL;
	segment->data_len = left;
	frame->nb_segs = segments;
	frame->pkt_len = bytes;
}

/*
 * Fit a frame around the bytes from l2 on: cut what stands behind them, pad where they are few.
 * Returns its length.
 */
static __attribute__((noinline)) uint32_t frame_fit(struct rte_mbuf *frame, const uint8_t *l2,
						    uint32_t bytes)
{
	const int32_t shift = l2 - rte_pktmbuf_mtod(frame, const uint8_t *);

	frame->data_off += shift;
	if (likely(frame->nb_segs == 1)) {
		frame->data_len = bytes;
		frame->pkt_len = bytes;
	} else {
		frame->data_len -= shift;
		trim_segments(frame, bytes);
	}
	if (bytes < FRAME_MIN_BYTES)
		pad(frame);
	return RTE_MAX(bytes, (uint32_t)FRAME_MIN_BYTES);
}

/* Whether the bytes from l2 on, and they alone, are in the frame, and are enough. */
static inline bool frame_fits(struct rte_mbuf *frame, uint32_t frame_bytes, const uint8_t *l2,
			      uint32_t bytes)
{
	return (l2 == rte_pktmbuf_mtod(frame, const uint8_t *)) & (bytes == frame_bytes) &
	       (bytes >= FRAME_MIN_BYTES);
}

/* ---- fragmentation: RFC 791 3.2 ---- */

/* The IP packet alone, as the library wants it: no Ethernet header, no padding. */
struct bared {
	struct rte_mbuf *last, *next;
	uint32_t pkt_len;
	uint16_t l2_bytes, last_len;
};

static struct bared frame_bare(struct rte_mbuf *frame, const uint8_t *l3, uint32_t l3_bytes)
{
	struct bared saved = { .last = frame, .pkt_len = frame->pkt_len };
	uint32_t left = l3_bytes;

	saved.l2_bytes = l3 - rte_pktmbuf_mtod(frame, const uint8_t *);
	frame->data_off += saved.l2_bytes;
	frame->data_len -= saved.l2_bytes;
	frame->pkt_len = l3_bytes;
	for (; left > saved.last->data_len; saved.last = saved.last->next)
		left -= saved.last->data_len;
	saved.last_len = saved.last->data_len;
	saved.next = saved.last->next;
	saved.last->data_len = left;
	saved.last->next = NULL;
	return saved;
}

static void frame_restore(struct rte_mbuf *frame, const struct bared *saved)
{
	saved->last->next = saved->next;
	saved->last->data_len = saved->last_len;
	frame->data_off -= saved->l2_bytes;
	frame->data_len += saved->l2_bytes;
	frame->pkt_len = saved->pkt_len;
}

/*
 * Cut the packet at l3 into fragments that fit. The frame stays as received,
 * for those who look at drops. Returns how many, or 0 without buffers.
 */
static int fragment(struct rte_mbuf *frame, const uint8_t *l3, uint32_t l3_bytes, uint16_t mtu,
		    struct rte_mempool *pool, struct rte_mbuf **piece)
{
	struct bared saved;
	int n;

	/* the library copies mtu bytes behind the headroom without asking for room */
	if (rte_pktmbuf_data_room_size(pool) < RTE_PKTMBUF_HEADROOM + mtu)
		return 0;
	saved = frame_bare(frame, l3, l3_bytes);
	n = rte_ipv4_fragment_copy_nonseg_packet(frame, piece, FRAGMENTS_MAX, mtu, pool);
	frame_restore(frame, &saved);
	return n < 0 ? 0 : n;
}

static void fragment_finish(struct rte_mbuf *piece, const struct rte_mbuf *frame,
			    const struct nexthop *nh)
{
	uint8_t *ip = rte_pktmbuf_mtod(piece, uint8_t *);
	rte_be16_t checksum;

	ip[8]--;
	memset(ip + 10, 0, sizeof(checksum));
	checksum = ~rte_raw_cksum(ip, (ip[0] & 0xf) * 4);
	memcpy(ip + 10, &checksum, sizeof(checksum));
	write_ethernet(ip, nh, false);
	frame_fit(piece, ip - nh->l2_bytes, rte_pktmbuf_pkt_len(piece) + nh->l2_bytes);
	frame_inherit(piece, frame);
}

/* Send the fragments at once, behind what already waits: all of them, or the packet was dropped. */
static void fragments_send(struct burst *b, uint32_t i, struct worker *w, const struct nexthop *nh,
			   struct rte_mbuf **piece, uint16_t n)
{
	struct transmit_queue *q = w->port_queue[nh->port];
	struct port_counters *out = &w->counters[nh->port];
	struct matrix_cell *cell =
		&w->matrix[matrix_index(w->party_bits, b->party[i], nh->party, false)];
	uint32_t bytes[FRAGMENTS_MAX];
	uint64_t sent_bytes = 0;
	uint16_t sent;

	for (uint16_t k = 0; k < n; k++)
		bytes[k] = rte_pktmbuf_pkt_len(piece[k]);
	transmit_flush_queue(w, q);
	sent = q->n ? 0 : q->txq.transmit(q->txq.arg, piece, n);
	if (unlikely(sent == TRANSMIT_BUSY))
		sent = 0;
	for (uint16_t k = 0; k < sent; k++)
		sent_bytes += bytes[k];
	tally_add(&out->transmitted, sent, sent_bytes);
	if (sent < n) {
		rte_pktmbuf_free_bulk(piece + sent, n - sent);
		tally_add(&out->stray, sent, sent_bytes);
		tally_add(&out->egress_drop[DROP_TX_FULL], 1, b->bytes[i]);
		burst_drop(b, i, DROP_TX_FULL);
		return;
	}
	tally_add(&out->fragments, n - 1, sent_bytes - bytes[0]);
	tally_add(&w->counters[b->port[i]].forwarded, 1, b->bytes[i]);
	counter_add(&cell->packets, 1);
	counter_add(&cell->bytes, b->bytes[i]);
	rte_pktmbuf_free(b->frame[i]);
}

static void forward_fragments(struct burst *b, uint32_t i, struct worker *w,
			      const struct nexthop *nh)
{
	struct rte_mbuf *piece[FRAGMENTS_MAX];
	const int n = fragment(b->frame[i], b->l3[i], b->l3_bytes[i], nh->mtu, w->pool, piece);

	if (n == 0) {
		burst_drop(b, i, DROP_NO_BUFFER);
		return;
	}
	for (int k = 0; k < n; k++)
		fragment_finish(piece[k], b->frame[i], nh);
	fragments_send(b, i, w, nh, piece, n);
}

/* ---- */

static void sample(const struct burst *b, uint32_t i, struct worker *w, const struct nexthop *nh)
{
	const struct hooks *hooks = &w->dp->config.hooks;
	const struct sample_event event = { b->frame[i], b->port[i], b->bytes[i], nh };

	w->sample_countdown = hooks->sample_interval;
	hooks->sample(hooks->ctx, &event);
}

static inline __attribute__((always_inline)) void one_hop_less(const struct burst *b, uint32_t i,
							       uint8_t *l3, bool ipv6)
{
	if (ipv6)
		l3[7]--;
	else
		memcpy(l3 + 8, &b->ttl4[i], sizeof(b->ttl4[i]));
}

/* What does not change from packet to packet, where no store is feared to have changed it. */
struct forwarder {
	const struct nexthop *nexthop;
	struct transmit_queue *const *port_queue;
	uint8_t party_bits;
	bool ipv6;
};

static inline struct forwarder forwarder(const struct burst *b, const struct worker *w)
{
	return (struct forwarder){
		.nexthop = w->snapshot->nexthops->nexthop,
		.port_queue = w->port_queue,
		.party_bits = w->party_bits,
		.ipv6 = b->ipv6,
	};
}

/* Returns the bit of the queue. */
static inline __attribute__((always_inline)) uint64_t forward(const struct burst *b, uint32_t i,
							      const struct forwarder *f)
{
	const struct nexthop *nh = &f->nexthop[b->nexthop[i]];
	uint8_t *l3 = (uint8_t *)(uintptr_t)b->l3[i];
	const uint8_t *l2 = l3 - nh->l2_bytes;
	const uint32_t bytes = b->l3_bytes[i] + nh->l2_bytes;
	struct transmit_run run = {
		.cell = matrix_index(f->party_bits, b->party[i], nh->party, f->ipv6),
		.in_port = b->port[i],
		.out_port = nh->port,
		.frames = 1,
		.rx_bytes = b->bytes[i],
		.tx_bytes = b->bytes[i],
	};

	one_hop_less(b, i, l3, f->ipv6);
	write_ethernet(l3, nh, f->ipv6);
	if (unlikely(!frame_fits(b->frame[i], b->bytes[i], l2, bytes)))
		run.tx_bytes = frame_fit(b->frame[i], l2, bytes);
	return transmit(f->port_queue, b->frame[i], run);
}

/* One text, compiled for each family: bursts whose frames all fit. */
static inline __attribute__((always_inline)) void forward_fitting(const struct burst *b,
								  struct worker *w, bool ipv6)
{
	const struct nexthop *nexthop = w->snapshot->nexthops->nexthop;
	const uint32_t n = b->n;
	struct departures to;

	for (uint32_t i = 0; i < n; i++) {
		const struct nexthop *nh = &nexthop[b->nexthop[i]];
		uint8_t *l3 = (uint8_t *)(uintptr_t)b->l3[i];

		one_hop_less(b, i, l3, ipv6);
		write_macs(l3, nh);
		to.port[i] = nh->port;
		to.party[i] = nh->party;
	}
	depart_by_port(w, b, &to);
}

static void forward_unfitting(const struct burst *b, struct worker *w)
{
	const struct forwarder f = forwarder(b, w);
	const uint32_t n = b->n;
	uint64_t active = 0;

	for (uint32_t i = 0; i < n; i++)
		active |= forward(b, i, &f);
	w->active |= active;
}

/* Whether all frames leave as long as they came: no tag comes or goes, nothing is cut or padded. */
static bool all_fit(const struct burst *b, const struct snapshot *s)
{
	const uint32_t n = b->n;
	uint32_t differ = 0;

	if (s->tagged)
		return false;
	for (uint32_t i = 0; i < n; i++)
		differ |= (b->bytes[i] - b->l3_bytes[i]) ^ RTE_ETHER_HDR_LEN;
	for (uint32_t i = 0; i < n; i++)
		differ |= b->bytes[i] < FRAME_MIN_BYTES;
	return !differ;
}

static void forward_all(const struct burst *b, struct worker *w)
{
	const bool fitting = all_fit(b, w->snapshot);

	if (fitting && b->ipv6)
		forward_fitting(b, w, true);
	else if (fitting)
		forward_fitting(b, w, false);
	else
		forward_unfitting(b, w);
}

/* Some are to be cut up: those between leave in their order. */
static void forward_some(struct burst *b, struct worker *w)
{
	const struct forwarder f = forwarder(b, w);

	for (uint32_t i = 0; i < b->n; i++) {
		if (b->sets.oversize >> i & 1)
			forward_fragments(b, i, w, &f.nexthop[b->nexthop[i]]);
		else
			w->active |= forward(b, i, &f);
	}
}

static void sample_some(const struct burst *b, struct worker *w)
{
	for (uint32_t i = 0; i < b->n; i++)
		if (--w->sample_countdown == 0)
			sample(b, i, w, &w->snapshot->nexthops->nexthop[b->nexthop[i]]);
}

/* Forwarded packets belong to their queues now: what is left in the burst are the dead. */
void stage_rewrite(struct burst *b, struct worker *w)
{
	if (unlikely(w->dp->config.hooks.sample))
		sample_some(b, w);
	if (likely(!b->sets.oversize))
		forward_all(b, w);
	else
		forward_some(b, w);
	burst_keep(b, b->dead);
	b->dead = burst_all(b);
}
