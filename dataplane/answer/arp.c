// SPDX-License-Identifier: BSD-3-Clause
/* ARP: what a packet means to its port, replies and announcements. */
#include "answer/answer.h"

#include <rte_arp.h>

#include "answer/reply.h"

/* RFC 826 for Ethernet and IPv4. */
enum {
	ARP_HARDWARE = 0,
	ARP_PROTOCOL = 2,
	ARP_HARDWARE_BYTES = 4,
	ARP_PROTOCOL_BYTES = 5,
	ARP_OPERATION = 6,
	ARP_SENDER_MAC = 8,
	ARP_SENDER = 14,
	ARP_TARGET_MAC = 18,
	ARP_TARGET = 24,
	ARP_BYTES = 28
};
enum { ARP_REQUEST = 1, ARP_REPLY = 2 };

static bool arp_is_valid(const struct received *r)
{
	const uint8_t *arp = r->l3;
	uint16_t operation;

	if (r->l3_bytes < ARP_BYTES)
		return false;
	operation = load_be16(arp + ARP_OPERATION);
	return load_be16(arp + ARP_HARDWARE) == RTE_ARP_HRD_ETHER &&
	       load_be16(arp + ARP_PROTOCOL) == RTE_ETHER_TYPE_IPV4 &&
	       arp[ARP_HARDWARE_BYTES] == RTE_ETHER_ADDR_LEN &&
	       arp[ARP_PROTOCOL_BYTES] == sizeof(rte_be32_t) &&
	       (operation == ARP_REQUEST || operation == ARP_REPLY);
}

static bool port_owns_ipv4(const struct snapshot_port *port, rte_be32_t address)
{
	for (unsigned int i = 0; i < port->address4_count; i++)
		if (port->address4[i] == address)
			return true;
	return false;
}

static bool port_connects_ipv4(const struct snapshot_port *port, rte_be32_t address)
{
	uint64_t key = (uint64_t)rte_be_to_cpu_32(address) << 32;

	for (unsigned int i = 0; i < port->subnet4_count; i++) {
		const struct prefix_key *prefix = &port->subnet4[i].prefix;
		uint64_t differ = key ^ prefix->address.hi;

		if (prefix->length == 0 || differ >> (64 - prefix->length) == 0)
			return true;
	}
	return false;
}

struct arp_verdict arp_judge(const struct received *r)
{
	struct arp_verdict verdict = { .reason = DROP_ARP_INVALID };
	rte_be32_t target;

	if (!arp_is_valid(r))
		return verdict;
	verdict.sender = get_ipv4(r->l3 + ARP_SENDER);
	memcpy(&verdict.sender_mac, r->l3 + ARP_SENDER_MAC, RTE_ETHER_ADDR_LEN);
	target = get_ipv4(r->l3 + ARP_TARGET);
	verdict.reason = REASON_CONSUMED;
	/* First, because somebody who announces an address of ours has it as target, too. */
	if (port_owns_ipv4(r->port, verdict.sender)) {
		verdict.conflict = true;
		verdict.answer = ANSWER_ARP;
	} else if (port_owns_ipv4(r->port, target)) {
		if (load_be16(r->l3 + ARP_OPERATION) == ARP_REQUEST)
			verdict.answer = ANSWER_ARP;
	} else if (verdict.sender == target && port_connects_ipv4(r->port, target)) {
		verdict.announcement = true;
	} else {
		verdict.reason = DROP_ARP_OTHER;
	}
	return verdict;
}

static void write_arp(uint8_t *arp, uint16_t operation, const struct snapshot_port *port,
		      rte_be32_t sender, rte_be32_t target)
{
	put16(arp + ARP_HARDWARE, RTE_ARP_HRD_ETHER);
	put16(arp + ARP_PROTOCOL, RTE_ETHER_TYPE_IPV4);
	arp[ARP_HARDWARE_BYTES] = RTE_ETHER_ADDR_LEN;
	arp[ARP_PROTOCOL_BYTES] = sizeof(rte_be32_t);
	put16(arp + ARP_OPERATION, operation);
	memcpy(arp + ARP_SENDER_MAC, port->mac.addr_bytes, RTE_ETHER_ADDR_LEN);
	memcpy(arp + ARP_SENDER, &sender, sizeof(sender));
	memset(arp + ARP_TARGET_MAC, 0, RTE_ETHER_ADDR_LEN);
	memcpy(arp + ARP_TARGET, &target, sizeof(target));
}

struct rte_mbuf *arp_reply(const struct received *r, struct rte_mempool *pool)
{
	struct rte_mbuf *frame;
	uint8_t *arp;

	frame = reply_new(r->port, r->l2 + RTE_ETHER_ADDR_LEN, RTE_ETHER_TYPE_ARP, ARP_BYTES, pool,
			  &arp);
	if (!frame)
		return NULL;
	write_arp(arp, ARP_REPLY, r->port, get_ipv4(r->l3 + ARP_TARGET),
		  get_ipv4(r->l3 + ARP_SENDER));
	memcpy(arp + ARP_TARGET_MAC, r->l3 + ARP_SENDER_MAC, RTE_ETHER_ADDR_LEN);
	frame_inherit(frame, r->frame);
	return frame;
}

static const uint8_t everybody[RTE_ETHER_ADDR_LEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

/* A request from sender; mac NULL: to everybody. */
static struct rte_mbuf *request_new(const struct snapshot_port *port, rte_be32_t sender,
				    rte_be32_t target, const uint8_t *mac, struct rte_mempool *pool)
{
	struct rte_mbuf *frame;
	uint8_t *arp;

	frame = reply_new(port, mac ? mac : everybody, RTE_ETHER_TYPE_ARP, ARP_BYTES, pool, &arp);
	if (frame)
		write_arp(arp, ARP_REQUEST, port, sender, target);
	return frame;
}

struct rte_mbuf *arp_announcement(const struct snapshot_port *port, rte_be32_t address,
				  struct rte_mempool *pool)
{
	return request_new(port, address, address, NULL, pool);
}

struct rte_mbuf *arp_probe(const struct snapshot_port *port, rte_be32_t address,
			   struct rte_mempool *pool)
{
	return request_new(port, 0, address, NULL, pool);
}

/* The port's own address in the subnet of a neighbour. */
static bool sender_for(const struct snapshot_port *port, rte_be32_t target, rte_be32_t *sender)
{
	for (unsigned int s = 0; s < port->subnet4_count; s++) {
		const struct prefix_key *prefix = &port->subnet4[s].prefix;
		const uint32_t net = prefix->address.hi >> 32;
		const uint32_t mask = prefix->length ? UINT32_MAX << (32 - prefix->length) : 0;

		if ((rte_be_to_cpu_32(target) & mask) != net)
			continue;
		for (unsigned int i = 0; i < port->address4_count; i++) {
			*sender = port->address4[i];
			if ((rte_be_to_cpu_32(*sender) & mask) == net)
				return true;
		}
	}
	return false;
}

struct rte_mbuf *arp_request(const struct snapshot_port *port, rte_be32_t target,
			     const uint8_t *mac, struct rte_mempool *pool)
{
	rte_be32_t sender;

	if (!sender_for(port, target, &sender))
		return NULL;
	return request_new(port, sender, target, mac, pool);
}
