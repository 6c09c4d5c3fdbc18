/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What stage receive asks of a burst as a whole: columns for frames without a tag, and whether
 * the first frame can speak for all.
 */
#ifndef NAPD_RECEIVE_H
#define NAPD_RECEIVE_H

#include "worker.h"

/* What all frames of a burst have in common. */
struct likeness {
	bool headers;   /* each has an Ethernet header; without, nothing else is said */
	bool macs;      /* the first one's MACs */
	bool types;     /* the first one's EtherType */
	bool ip;        /* IPv4 or IPv6, each one's own */
	uint64_t ipv6;  /* whose EtherType is IPv6's */
	uint32_t bytes; /* of all of them */
};

/*
 * Fill l3, bytes and l3_bytes as for frames without a tag, and compare. Reads 16 bytes of each
 * frame if all have a header of Ethernet. For CPUs that have AVX-512, or AVX2.
 */
struct likeness receive_avx512(struct burst *b);
struct likeness receive_avx2(struct burst *b);

#endif
