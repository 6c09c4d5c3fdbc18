// SPDX-License-Identifier: BSD-3-Clause
/* Judges frames of the host by the contract's section 6, and answers its ARP and ND. */
#include "host_frame.h"

#include <string.h>

#include <rte_byteorder.h>
#include <rte_ip.h>

#include "address.h"

enum {
	ETHERNET_BYTES = 14,
	ARP_BYTES = 28,
	IPV4_BYTES = 20,
	IPV6_BYTES = 40,
	SOLICITATION_BYTES = 24,  /* RFC 4861 4.3, without options */
	ADVERTISEMENT_BYTES = 32, /* RFC 4861 4.4, with one option */
	PROTOCOL_ICMPV6 = 58,
	SOLICITATION = 135,
	ADVERTISEMENT = 136,
};

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, uint16_t value)
{
	p[0] = value >> 8;
	p[1] = value & 0xff;
}

static struct ip_address get_ipv4(const uint8_t *p)
{
	rte_be32_t address;

	memcpy(&address, p, sizeof(address));
	return (struct ip_address){ .key = { (uint64_t)rte_be_to_cpu_32(address) << 32, 0 } };
}

static struct ip_address get_ipv6(const uint8_t *p)
{
	rte_be64_t half[2];

	memcpy(half, p, sizeof(half));
	return (struct ip_address){ .key = { rte_be_to_cpu_64(half[0]), rte_be_to_cpu_64(half[1]) },
				    .ipv6 = true };
}

static void put_address(uint8_t *p, const struct ip_address *address)
{
	const rte_be64_t half[2] = { rte_cpu_to_be_64(address->key.hi),
				     rte_cpu_to_be_64(address->key.lo) };

	memcpy(p, half, address->ipv6 ? 16 : 4);
}

/* ---- addresses ---- */

static bool is_own(const struct snapshot_port *port, const struct ip_address *a)
{
	if (a->ipv6) {
		for (uint16_t i = 0; i < port->address6_count; i++)
			if (ip_key_compare(port->address6[i], a->key) == 0)
				return true;
		return ip_key_compare(port->link_local, a->key) == 0;
	}
	for (uint16_t i = 0; i < port->address4_count; i++)
		if (rte_be_to_cpu_32(port->address4[i]) == a->key.hi >> 32)
			return true;
	return false;
}

/* The port's subnet on which an address lies, or false. */
static bool subnet_of(const struct snapshot_port *port, const struct ip_address *a,
		      struct ip_prefix *prefix)
{
	const struct subnet *list = a->ipv6 ? port->subnet6 : port->subnet4;
	const uint16_t n = a->ipv6 ? port->subnet6_count : port->subnet4_count;

	for (uint16_t i = 0; i < n; i++) {
		*prefix = (struct ip_prefix){ .key = list[i].prefix, .ipv6 = a->ipv6 };
		if (ip_prefix_contains(prefix, a))
			return true;
	}
	return false;
}

/* A subnet's own network or broadcast address is nobody's (IPv4, /30 or shorter). */
static bool is_broadcast(const struct ip_prefix *prefix, const struct ip_address *a)
{
	const struct ip_address last = ip_prefix_last(prefix);

	return !a->ipv6 && prefix->key.length <= 30 &&
	       (ip_key_compare(prefix->key.address, a->key) == 0 || ip_address_equal(&last, a));
}

/* One that a neighbour, or somebody behind one, can have. */
static bool is_unicast(const struct ip_address *a)
{
	const uint32_t v4 = a->key.hi >> 32;

	if (!a->ipv6)
		return v4 >> 24 != 0 && v4 >> 24 != 127 && v4 >> 29 != 7 && v4 >> 16 != 0xa9fe;
	return a->key.hi >> 56 != 0xff && a->key.hi != 0; /* ::, ::1 and IPv4-mapped have hi 0 */
}

/* ---- packets ---- */

/* What leaves: the addresses are right, and the host knows a MAC for the next hop. */
static void judge_addresses(const struct snapshot_port *port, const struct ip_address *source,
			    struct host_frame *f)
{
	struct ip_prefix subnet;
	const bool connected = subnet_of(port, &f->target, &subnet);

	f->on_link = connected || ip_is_link_local(&f->target);
	if (!is_own(port, source) || !is_unicast(&f->target) || is_own(port, &f->target) ||
	    (connected && is_broadcast(&subnet, &f->target)) ||
	    (ip_is_link_local(source) && !f->on_link))
		return;
	f->verdict = HOST_PACKET;
}

static void judge_ipv4(const struct snapshot_port *port, const uint8_t *ip, size_t bytes,
		       struct host_frame *f)
{
	struct ip_address source;
	uint16_t header, total;

	if (bytes < IPV4_BYTES || ip[0] >> 4 != 4)
		return;
	header = (ip[0] & 0xf) * 4;
	total = get16(ip + 2);
	if (header < IPV4_BYTES || total < header || total > bytes || total > port->mtu)
		return;
	f->l3_bytes = total;
	source = get_ipv4(ip + 12);
	f->target = get_ipv4(ip + 16);
	judge_addresses(port, &source, f);
}

/* A question for a neighbour; all other neighbour discovery stays here. */
static void judge_solicitation(const struct snapshot_port *port, const uint8_t *ip,
			       struct host_frame *f)
{
	const uint8_t *icmp = ip + IPV6_BYTES;

	if (f->l3_bytes < IPV6_BYTES + SOLICITATION_BYTES || icmp[0] != SOLICITATION ||
	    icmp[1] != 0 || ip[7] != 255)
		return;
	f->asker = get_ipv6(ip + 8);
	f->target = get_ipv6(icmp + 8);
	if (is_own(port, &f->asker) && is_unicast(&f->target) && !is_own(port, &f->target))
		f->verdict = HOST_QUESTION;
}

static void judge_ipv6(const struct snapshot_port *port, const uint8_t *ip, size_t bytes,
		       struct host_frame *f)
{
	struct ip_address source;
	uint32_t total;

	if (bytes < IPV6_BYTES || ip[0] >> 4 != 6)
		return;
	total = IPV6_BYTES + get16(ip + 4);
	if (total > bytes || total > port->mtu)
		return;
	f->l3_bytes = total;
	if (ip[6] == PROTOCOL_ICMPV6 && total > IPV6_BYTES && ip[IPV6_BYTES] >= 133 &&
	    ip[IPV6_BYTES] <= 137) {
		judge_solicitation(port, ip, f);
		return;
	}
	source = get_ipv6(ip + 8);
	f->target = get_ipv6(ip + 24);
	judge_addresses(port, &source, f);
}

static void judge_arp(const struct snapshot_port *port, const uint8_t *arp, size_t bytes,
		      struct host_frame *f)
{
	static const uint8_t request[8] = { 0, 1, 8, 0, 6, 4, 0, 1 };

	if (bytes < ARP_BYTES || memcmp(arp, request, sizeof(request)) != 0)
		return;
	f->asker = get_ipv4(arp + 14);
	f->target = get_ipv4(arp + 24);
	if (is_own(port, &f->asker) && is_unicast(&f->target) && !is_own(port, &f->target))
		f->verdict = HOST_QUESTION;
}

struct host_frame host_frame_judge(const struct snapshot_port *port, const uint8_t *frame,
				   size_t bytes)
{
	struct host_frame f = { .verdict = HOST_UNWANTED, .l3_offset = ETHERNET_BYTES };
	const uint8_t *l3 = frame + ETHERNET_BYTES;

	if (bytes < ETHERNET_BYTES)
		return f;
	memcpy(&f.next_hop, frame, sizeof(f.next_hop));
	switch (get16(frame + 12)) {
	case RTE_ETHER_TYPE_ARP:
		judge_arp(port, l3, bytes - ETHERNET_BYTES, &f);
		break;
	case RTE_ETHER_TYPE_IPV4:
		judge_ipv4(port, l3, bytes - ETHERNET_BYTES, &f);
		break;
	case RTE_ETHER_TYPE_IPV6:
		judge_ipv6(port, l3, bytes - ETHERNET_BYTES, &f);
		break;
	}
	/* whatever its addresses: a frame for several is for nobody outside */
	if (f.verdict == HOST_PACKET && !rte_is_unicast_ether_addr(&f.next_hop))
		f.verdict = HOST_UNWANTED;
	return f;
}

/* ---- answers ---- */

static size_t answer_arp(const struct snapshot_port *port, const struct ip_address *target,
			 const struct ip_address *asker, const struct rte_ether_addr *mac,
			 uint8_t *arp)
{
	static const uint8_t reply[8] = { 0, 1, 8, 0, 6, 4, 0, 2 };

	memcpy(arp, reply, sizeof(reply));
	memcpy(arp + 8, mac, RTE_ETHER_ADDR_LEN);
	put_address(arp + 14, target);
	memcpy(arp + 18, &port->mac, RTE_ETHER_ADDR_LEN);
	put_address(arp + 24, asker);
	return ARP_BYTES;
}

static size_t answer_nd(const struct ip_address *target, const struct ip_address *asker,
			const struct rte_ether_addr *mac, uint8_t *l3)
{
	/* header and advertisement start on no boundary in the frame */
	struct rte_ipv6_hdr ip = { .vtc_flow = rte_cpu_to_be_32(0x60000000),
				   .payload_len = rte_cpu_to_be_16(ADVERTISEMENT_BYTES),
				   .proto = PROTOCOL_ICMPV6,
				   .hop_limits = 255 };
	uint8_t icmp[ADVERTISEMENT_BYTES] = { ADVERTISEMENT, 0, 0, 0,
					      0x60 }; /* solicited, override */
	uint16_t sum;

	put_address((uint8_t *)&ip.src_addr, target);
	put_address((uint8_t *)&ip.dst_addr, asker);
	put_address(icmp + 8, target);
	icmp[24] = 2; /* target link-layer address, of 8 bytes */
	icmp[25] = 1;
	memcpy(icmp + 26, mac, RTE_ETHER_ADDR_LEN);
	sum = rte_ipv6_udptcp_cksum(&ip, icmp);
	memcpy(icmp + 2, &sum, sizeof(sum));
	memcpy(l3, &ip, IPV6_BYTES);
	memcpy(l3 + IPV6_BYTES, icmp, sizeof(icmp));
	return IPV6_BYTES + ADVERTISEMENT_BYTES;
}

size_t host_answer(const struct snapshot_port *port, const struct ip_address *target,
		   const struct ip_address *asker, const struct rte_ether_addr *mac,
		   uint8_t answer[HOST_ANSWER_MAX])
{
	uint8_t *l3 = answer + ETHERNET_BYTES;

	memcpy(answer, &port->mac, RTE_ETHER_ADDR_LEN);
	memcpy(answer + 6, mac, RTE_ETHER_ADDR_LEN);
	put16(answer + 12, target->ipv6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_ARP);
	return ETHERNET_BYTES + (target->ipv6 ? answer_nd(target, asker, mac, l3)
					      : answer_arp(port, target, asker, mac, l3));
}
