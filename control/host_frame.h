/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the host's kernel sends into a port's TAP: which of it may leave, which
 * napd answers, and the answers. Pure, any thread; nothing is read beyond the bytes given.
 */
#ifndef NAPD_HOST_FRAME_H
#define NAPD_HOST_FRAME_H

#include "config.h"
#include "snapshot.h"

enum host_verdict {
	HOST_UNWANTED, /* never reaches a member */
	HOST_PACKET,   /* unicast IP from an address of the port: leaves */
	HOST_QUESTION, /* for a neighbour's MAC, by ARP or neighbour discovery: napd answers */
};

struct host_frame {
	enum host_verdict verdict;
	/* PACKET */
	struct rte_ether_addr next_hop; /* the MAC the host has for its next hop */
	uint16_t l3_offset, l3_bytes;   /* of the IP packet, padding left out */
	bool on_link;                   /* the destination is itself the next hop */
	/* PACKET: the destination; QUESTION: whose MAC, and who wants to know */
	struct ip_address target, asker;
};

struct host_frame host_frame_judge(const struct snapshot_port *port, const uint8_t *frame,
				   size_t bytes);

/*
 * The frame that tells the host: target is at mac. Returns its length, at most
 * HOST_ANSWER_MAX.
 */
#define HOST_ANSWER_MAX 86
size_t host_answer(const struct snapshot_port *port, const struct ip_address *target,
		   const struct ip_address *asker, const struct rte_ether_addr *mac,
		   uint8_t answer[HOST_ANSWER_MAX]);

#endif
