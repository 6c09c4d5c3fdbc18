/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames that control sends of its own accord, through inject(): questions for
 * neighbours and announcements of the exchange's own addresses.
 *
 * Each borrows its arguments and returns a whole Ethernet frame without FCS to
 * the caller, or NULL: no buffer was free, or the port has no address to ask from.
 * Any thread, as long as the port's snapshot lives.
 */
#ifndef NAPD_ASK_H
#define NAPD_ASK_H

#include <rte_byteorder.h>

#include "dataplane.h"

/* An ARP request (RFC 826) for target, to everybody, or to mac alone to see whether it is still
 * there. */
struct rte_mbuf *arp_request(const struct snapshot_port *port, rte_be32_t target,
			     const uint8_t *mac, struct rte_mempool *pool);

/* A neighbour solicitation (RFC 4861 4.3) for target, to its solicited-node address, or to mac
 * alone. */
struct rte_mbuf *nd_solicitation(const struct snapshot_port *port, struct ipv6_key target,
				 const uint8_t *mac, struct rte_mempool *pool);

/*
 * Is address, which is to be the port's, somebody's? An ARP probe (RFC 5227 2.1.1) or a
 * solicitation as of duplicate address detection (RFC 4862 5.4.2), from no address.
 */
struct rte_mbuf *arp_probe(const struct snapshot_port *port, rte_be32_t address,
			   struct rte_mempool *pool);
struct rte_mbuf *nd_probe(const struct snapshot_port *port, struct ipv6_key address,
			  struct rte_mempool *pool);

/*
 * The announcement of one of the port's addresses to everybody, a request as
 * RFC 5227 2.3 has it. A caller that sends it because of a frame calls
 * frame_inherit() itself.
 */
struct rte_mbuf *arp_announcement(const struct snapshot_port *port, rte_be32_t address,
				  struct rte_mempool *pool);

/*
 * The unsolicited advertisement of one of the port's addresses to all nodes.
 * A caller that sends it because of a frame calls frame_inherit() itself.
 */
struct rte_mbuf *nd_announcement(const struct snapshot_port *port, struct ipv6_key address,
				 struct rte_mempool *pool);

/* The port as the snapshot in force has it; NULL: none. Control thread; valid until the next
 * publication. */
const struct snapshot_port *dataplane_port(const struct dataplane *dp, uint16_t port);

/*
 * What becomes of every packet to an address before routes are asked: dropped for that reason,
 * consumed (the link-local address of a port), or REASON_NONE: routes decide. Control thread.
 */
enum reason dataplane_judge_destination(const struct dataplane *dp, struct ipv6_key address,
					bool ipv6);

#endif
