/* SPDX-License-Identifier: BSD-3-Clause */
/* Random routes for tests of the FIBs: seeded, and near every border their structures have. */
#ifndef NAPD_TEST_RANDOM_H
#define NAPD_TEST_RANDOM_H

#include "routes.h"

struct random {
	uint64_t state;
};

uint64_t random_bits(struct random *random);
/* Below n. */
uint32_t random_below(struct random *random, uint32_t n);

/* bits: 32 or 128. Many nest, many lie beside each other. */
struct prefix_key random_prefix(struct random *random, unsigned int bits);

/* At, before, behind or inside prefix. */
struct ipv6_key random_address_near(struct random *random, struct prefix_key prefix);

#endif
