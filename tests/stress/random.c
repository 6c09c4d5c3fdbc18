// SPDX-License-Identifier: BSD-3-Clause
/* Decides what random routes look like. */
#include "random.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

uint64_t random_bits(struct random *random)
{
	random->state += 0x9e3779b97f4a7c15ull;
	uint64_t x = random->state;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

uint32_t random_below(struct random *random, uint32_t n)
{
	return (uint32_t)((random_bits(random) >> 32) * n >> 32);
}

/* Few different values: so that routes meet. */
static uint64_t sparse_bits(struct random *random)
{
	uint64_t x = random_bits(random);

	switch (random_below(random, 4)) {
	case 0:
		return 0;
	case 1:
		return UINT64_MAX;
	case 2:
		return x & random_bits(random) & random_bits(random) & random_bits(random);
	default:
		return x;
	}
}

static unsigned int random_length(struct random *random, unsigned int bits)
{
	static const uint8_t borders4[] = { 0,  8,  14, 16, 17, 18, 19, 22, 23,
					    24, 24, 24, 25, 26, 27, 31, 32, 32 };
	static const uint8_t borders6[] = { 0,  3,  11, 12, 13, 23, 24, 25, 32,  40,  47,
					    48, 48, 56, 63, 64, 64, 65, 96, 127, 128, 128 };

	if (random_below(random, 3) == 0)
		return random_below(random, bits + 1);
	return bits == 32 ? borders4[random_below(random, COUNT(borders4))]
			  : borders6[random_below(random, COUNT(borders6))];
}

static struct prefix_key random_prefix4(struct random *random)
{
	static const uint32_t bases[] = { 0, 0x0a000000, 0x0a003fc0, 0xc0a8ff00, 0xffffc000 };
	uint64_t sparse = sparse_bits(random);
	uint32_t address = bases[random_below(random, COUNT(bases))];

	switch (random_below(random, 4)) {
	case 0: /* anywhere */
		address = (uint32_t)random_bits(random);
		break;
	case 1: /* a few nodes */
		address ^= (uint32_t)sparse & 0xffff;
		break;
	case 2: /* a few /24s */
		address ^= (uint32_t)sparse & 0x3ff;
		break;
	default: /* the borders of a /8 */
		address ^= (uint32_t)sparse & 0xffffff;
	}
	return prefix4(address, random_length(random, 32));
}

static struct prefix_key random_prefix6(struct random *random)
{
	static const uint64_t bases[] = { 0,
					  0x20010db800000000ull,
					  0x200fffff00000000ull,
					  0x2a00000000ffffffull,
					  0xfe80000000000000ull,
					  UINT64_MAX };
	static const uint64_t masks[] = { UINT64_MAX, 0xffffffffull,  0xffff0000ull,
					  0xffull,    0xf0000ff00ull, 0x1ull,
					  0 };
	uint64_t hi = bases[random_below(random, COUNT(bases))];
	uint64_t lo = sparse_bits(random);

	hi ^= sparse_bits(random) & masks[random_below(random, COUNT(masks))];
	if (random_below(random, 2) == 0)
		lo &= 0xf000000000000ff1ull;
	return prefix6(hi, lo, random_length(random, 128));
}

struct prefix_key random_prefix(struct random *random, unsigned int bits)
{
	return bits == 32 ? random_prefix4(random) : random_prefix6(random);
}

struct ipv6_key random_address_near(struct random *random, struct prefix_key prefix)
{
	unsigned __int128 first = (unsigned __int128)prefix.address.hi << 64 | prefix.address.lo;
	unsigned __int128 host = prefix.length < 128 ? ~(unsigned __int128)0 >> prefix.length : 0;
	unsigned __int128 bits = (unsigned __int128)random_bits(random) << 64 | random_bits(random);
	unsigned __int128 at;

	switch (random_below(random, 8)) {
	case 0:
		at = first - 1;
		break;
	case 1:
		at = first;
		break;
	case 2:
		at = first + host;
		break;
	case 3:
		at = first + host + 1;
		break;
	case 4: /* anything */
		at = bits;
		break;
	default:
		at = first + (bits & host);
	}
	return (struct ipv6_key){ (uint64_t)(at >> 64), (uint64_t)at };
}
