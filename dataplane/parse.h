/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What stage parse does, for each instruction set: fills the columns of addresses, of IPv4 that of
 * words with one hop less, and the sets last_hop and unproven. Vector code proves of many packets
 * at once that stages header, address and option have nothing against them; who fails any
 * comparison is unproven, and judged by those stages in the contract's order. So vector code
 * decides nothing: it spares work. Of proven packets l3_bytes is the packet's own length from here
 * on.
 */
#ifndef NAPD_PARSE_H
#define NAPD_PARSE_H

#include "worker.h"

/* Also asks memory for what the lookup of the destinations in fib reads first. */
void parse4_avx512(struct burst *b, const struct address_set *special, const struct fib4 *fib);
void parse6_avx512(struct burst *b, const struct address_set *special);
void parse4_avx2(struct burst *b, const struct address_set *special, const struct fib4 *fib);
void parse6_avx2(struct burst *b, const struct address_set *special);

#endif
