// SPDX-License-Identifier: BSD-3-Clause
/* Stage receive: which port a frame came in by, counted; frames cut by a capture end here. */
#include <rte_ether.h>

#include "bytes.h"
#include "receive.h"

#define ETHERTYPE_VLAN    0x8100
#define ETHERTYPE_SERVICE 0x88a8
#define ETHER_BYTES       14
#define TAG_BYTES         4

/* The place of each packet in a burst as received. */
static const uint8_t burst_order[BURST_MAX] = {
	0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
	22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
	44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63,
};

/*
 * The port of a frame and where its network header starts; PORT_NONE without
 * one. VID 0 is a priority tag and counts as untagged.
 */
static uint16_t frame_port(const struct snapshot_device *device, const uint8_t *l2, uint32_t bytes,
			   uint32_t *l2_bytes)
{
	uint16_t type;

	*l2_bytes = ETHER_BYTES;
	if (bytes < ETHER_BYTES)
		return PORT_NONE;
	type = load_be16(l2 + 12);
	if (likely(type != ETHERTYPE_VLAN))
		return type == ETHERTYPE_SERVICE ? PORT_NONE : device->port[0];
	*l2_bytes = ETHER_BYTES + TAG_BYTES;
	if (bytes < ETHER_BYTES + TAG_BYTES)
		return PORT_NONE;
	return device->port[load_be16(l2 + 14) & 0xfff];
}

/* Received counters are added once a run of frames of one port. */
static void count_received(const struct burst *b, struct worker *w)
{
	for (uint32_t i = 0; i < b->n;) {
		const uint32_t first = i;
		const uint16_t port = b->port[i];
		uint64_t bytes = 0;

		for (; i < b->n && b->port[i] == port; i++)
			bytes += b->bytes[i];
		tally_add(&w->counters[port].received, i - first, bytes);
	}
}

/* Fill the columns as for frames without a tag; no frame is touched yet. */
static void take_frames(struct burst *b, struct likeness *like)
{
	const uint32_t n = b->n;
	uint32_t sum = 0; /* 64 frames of 64 kilobytes */
	int32_t least = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct rte_mbuf *frame = b->frame[i];
		const uint8_t *l2 = rte_pktmbuf_mtod(frame, const uint8_t *);
		const uint32_t bytes = rte_pktmbuf_pkt_len(frame);

		b->l3[i] = l2 + ETHER_BYTES;
		b->bytes[i] = bytes;
		b->l3_bytes[i] = bytes - ETHER_BYTES;
		sum += bytes;
		least |= rte_pktmbuf_data_len(frame) - ETHER_BYTES;
	}
	like->bytes = sum;
	like->headers = least >= 0;
}

/* Whose EtherType is that of IPv4 or IPv6. */
static void compare_types(const struct burst *b, struct likeness *like)
{
	const uint32_t n = b->n;
	uint64_t ipv6 = 0, other = 0;

	for (uint32_t i = 0; i < n; i++) {
		const uint16_t type = load_be16(b->l3[i] - 2);
		const bool is_ipv6 = type == RTE_ETHER_TYPE_IPV6;

		other |= !(is_ipv6 | (type == RTE_ETHER_TYPE_IPV4));
		ipv6 |= (uint64_t)is_ipv6 << i;
	}
	like->ip = !other;
	like->ipv6 = ipv6;
}

/*
 * Compare all frames, which have Ethernet headers, with the first one. Few instructions, so that
 * the frames' first lines, which the device may have left in a far cache, arrive together.
 */
static void compare_frames(const struct burst *b, struct likeness *like)
{
	const uint64_t destination = load_64(b->l3[0] - ETHER_BYTES);
	const uint64_t source_type = load_64(b->l3[0] - sizeof(uint64_t));
	const uint16_t type = load_be16(b->l3[0] - 2);
	const uint32_t n = b->n;
	uint64_t differ = 0, differ_end = 0;

	for (uint32_t i = 1; i < n; i++) {
		differ |= load_64(b->l3[i] - ETHER_BYTES) ^ destination;
		differ_end |= load_64(b->l3[i] - sizeof(uint64_t)) ^ source_type;
	}
	like->macs = !(differ | differ_end << 16);
	like->types = !(differ_end >> 48);
	if (unlikely(!like->types)) {
		compare_types(b, like);
		return;
	}
	like->ip = type == RTE_ETHER_TYPE_IPV4 || type == RTE_ETHER_TYPE_IPV6;
	like->ipv6 = type == RTE_ETHER_TYPE_IPV6 ? burst_all(b) : 0;
}

static struct likeness find_likeness(struct burst *b)
{
	struct likeness like = { 0 };

	if (cpu_path() >= CPU_AVX512)
		return receive_avx512(b);
	if (cpu_path() >= CPU_AVX2)
		return receive_avx2(b);
	take_frames(b, &like);
	if (like.headers)
		compare_frames(b, &like);
	return like;
}

/* The port of each frame, tag by tag; those that a capture cut end here. */
static void judge(struct burst *b, uint32_t i, const struct snapshot_device *device, bool offline)
{
	struct rte_mbuf *frame = b->frame[i];
	const uint8_t *l2 = rte_pktmbuf_mtod(frame, const uint8_t *);
	const uint32_t bytes = rte_pktmbuf_pkt_len(frame);
	uint32_t l2_bytes;
	const uint16_t port = frame_port(device, l2, rte_pktmbuf_data_len(frame), &l2_bytes);

	b->l3[i] = port == PORT_NONE ? NULL : l2 + l2_bytes;
	b->l3_bytes[i] = bytes - l2_bytes;
	b->port[i] = port == PORT_NONE ? device->fallback_port : port;
	if (offline && unlikely(frame_origin(frame)->wire_bytes > bytes)) {
		b->bytes[i] = frame_origin(frame)->wire_bytes;
		burst_drop(b, i, DROP_TRUNCATED_CAPTURE);
	}
}

/* Offline: whether captures hold all frames in full. */
static bool are_whole(const struct burst *b)
{
	for (uint32_t i = 0; i < b->n; i++)
		if (frame_origin(b->frame[i])->wire_bytes > b->bytes[i])
			return false;
	return true;
}

/*
 * Whether the judgement of the first frame will do for all: those with its Ethernet header, and
 * those of a router that sends both families.
 */
static bool are_alike(const struct burst *b, const struct likeness *like)
{
	uint16_t type;

	if (!like->headers || !like->macs)
		return false;
	if (like->ip)
		return true;
	type = load_be16(b->l3[0] - 2);
	return like->types && type != ETHERTYPE_VLAN && type != ETHERTYPE_SERVICE;
}

void stage_receive(struct burst *b, struct worker *w)
{
	const struct snapshot_device *device = &w->snapshot->device[b->device];
	const uint16_t untagged = device->port[0];
	const struct likeness like = find_likeness(b);

	memcpy(b->order, burst_order, sizeof(b->order));
	b->alike = untagged != PORT_NONE && are_alike(b, &like) &&
		   (!w->dp->config.offline || are_whole(b));
	b->sets.ipv6 = b->alike ? like.ipv6 : 0;
	b->one_port = b->alike;
	if (likely(b->alike)) {
		for (uint32_t i = 0; i < BURST_MAX; i++)
			b->port[i] = untagged;
		tally_add(&w->counters[untagged].received, b->n, like.bytes);
	} else {
		for (uint32_t i = 0; i < b->n; i++)
			judge(b, i, device, w->dp->config.offline);
		count_received(b, w);
	}
}
