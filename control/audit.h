/* SPDX-License-Identifier: BSD-3-Clause */
/* Compares the FIB that workers look up with the RIB, address by address. */
#ifndef NAPD_AUDIT_H
#define NAPD_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

struct model;

/* How far an audit has come; zero-initialised is the beginning. */
struct audit {
	struct ip_prefix after; /* the last one seen, if resumed */
	bool resumed;
	uint64_t prefixes, differences;
};

struct audit_difference {
	struct prefix_key prefix; /* at whose edge, or inside which it was found */
	struct ip_address address;
	bool ipv6;
	uint32_t rib_leaf, fib_leaf;
};

/*
 * Look up the first and last address of each prefix, those before and behind it and one inside, for
 * at most so many nodes of the RIB. What differs is told, and mended by the next tables. True:
 * there is more. Changes of the RIB that no table has yet are no differences. Control thread.
 */
bool model_audit(struct model *model, struct audit *audit, size_t most,
		 void (*tell)(void *arg, const struct audit_difference *difference), void *arg);

#endif
