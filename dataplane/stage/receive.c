// SPDX-License-Identifier: BSD-3-Clause
/* Stage receive: which port a frame came in by, counted; frames cut by a capture end here. */
#include <rte_ether.h>

#include "bytes.h"
#include "worker.h"

#define ETHERTYPE_VLAN    0x8100
#define ETHERTYPE_SERVICE 0x88a8
#define ETHER_BYTES       14
#define TAG_BYTES         4

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
		const uint16_t port = b->port[i];
		uint64_t packets = 0, bytes = 0;

		for (; i < b->n && b->port[i] == port; i++) {
			packets++;
			bytes += b->bytes[i];
		}
		tally_add(&w->counters[port].received, packets, bytes);
	}
}

void stage_receive(struct burst *b, struct worker *w)
{
	const struct snapshot_device *device = &w->snapshot->device[b->device];
	const bool offline = w->dp->config.offline;

	for (uint32_t i = 0; i < b->n; i++) {
		struct rte_mbuf *frame = b->frame[i];
		const uint8_t *l2 = rte_pktmbuf_mtod(frame, const uint8_t *);
		uint32_t bytes = rte_pktmbuf_pkt_len(frame), l2_bytes;
		uint16_t port = frame_port(device, l2, rte_pktmbuf_data_len(frame), &l2_bytes);

		b->order[i] = i;
		b->l3[i] = port == PORT_NONE ? NULL : l2 + l2_bytes;
		b->l3_bytes[i] = bytes - l2_bytes;
		b->port[i] = port == PORT_NONE ? device->fallback_port : port;
		b->bytes[i] = bytes;
		if (offline && unlikely(frame_origin(frame)->wire_bytes > bytes)) {
			b->bytes[i] = frame_origin(frame)->wire_bytes;
			burst_drop(b, i, DROP_TRUNCATED_CAPTURE);
		}
	}
	count_received(b, w);
}
