// SPDX-License-Identifier: BSD-3-Clause
/* Fills the parts of a snapshot that have a layout of their own: address sets, meters, MAC tables.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "snapshot.h"

#define NS_A_SECOND 1000000000u
#define PERIOD_LONGEST_NS \
	1000000u /* of an exact rate; longer periods make a bucket visibly lumpy */

/* ---- address sets ---- */

/* One hash decides, so bits are spent: less than one stranger in 64 gets past the filter. */
#define FILTER_BITS_PER_ENTRY 64u
#define FILTER_BITS_LEAST     4096u
#define ADDRESS_SET_MOST      (1u << 24)

static bool same_address(struct ipv6_key a, struct ipv6_key b)
{
	return a.hi == b.hi && a.lo == b.lo;
}

static void sieve_add(struct address_set *set, struct ipv6_key address)
{
	const uint32_t hash = address_filter_hash(address) >> 32;

	set->sieve[hash >> SIEVE_WORD1] |= 1u << (hash >> SIEVE_BIT1 & 31);
	set->sieve[hash >> SIEVE_WORD2 & 31] |= 1u << (hash >> SIEVE_BIT2 & 31);
}

int address_set_init(struct address_set *set, const struct address_entry *entry, uint32_t n)
{
	uint32_t bits, slots;

	*set = (struct address_set){ 0 };
	if (n > ADDRESS_SET_MOST)
		return -ENOMEM;
	bits = rte_align32pow2(RTE_MAX(n * FILTER_BITS_PER_ENTRY, FILTER_BITS_LEAST));
	slots = rte_align32pow2(2 * n + 2);
	set->filter = calloc(bits / 64, sizeof(*set->filter));
	set->slot = calloc(slots, sizeof(*set->slot));
	if (!set->filter || !set->slot) {
		address_set_release(set);
		return -ENOMEM;
	}
	set->filter_shift = 64 - rte_log2_u32(bits);
	set->slot_mask = slots - 1;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = address_hash(entry[i].address) & set->slot_mask, bit;

		while (set->slot[at].kind && !same_address(set->slot[at].address, entry[i].address))
			at = (at + 1) & set->slot_mask;
		if (set->slot[at].kind)
			continue;
		set->slot[at] = entry[i];
		bit = address_filter_bit(set, entry[i].address);
		set->filter[bit / 64] |= 1ull << (bit % 64);
		sieve_add(set, entry[i].address);
	}
	return 0;
}

void address_set_release(struct address_set *set)
{
	free(set->filter);
	free(set->slot);
	*set = (struct address_set){ 0 };
}

const struct address_entry *address_set_find(const struct address_set *set, struct ipv6_key address)
{
	uint32_t at;

	if (likely(!address_set_maybe(set, address)))
		return NULL;
	/* half of the slots at least are free: the search ends */
	for (at = address_hash(address) & set->slot_mask; set->slot[at].kind;
	     at = (at + 1) & set->slot_mask)
		if (same_address(set->slot[at].address, address))
			return &set->slot[at];
	return NULL;
}

/* ---- meters ---- */

struct fraction {
	uint64_t tokens;
	uint64_t period;
};

static uint64_t greatest_common_divisor(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* What f is off by from rate, times the period times NS_A_SECOND. */
static unsigned __int128 fraction_error(struct fraction f, uint64_t rate_per_s)
{
	unsigned __int128 have = (unsigned __int128)f.tokens * NS_A_SECOND;
	unsigned __int128 want = (unsigned __int128)f.period * rate_per_s;

	return have > want ? have - want : want - have;
}

/* The fraction nearest to rate whose smaller term is n. */
static struct fraction fraction_of(uint64_t n, uint64_t rate_per_s)
{
	struct fraction f = { n, n };

	if (rate_per_s < NS_A_SECOND)
		f.period = (n * NS_A_SECOND + rate_per_s / 2) / rate_per_s;
	else
		f.tokens = ((unsigned __int128)n * rate_per_s + NS_A_SECOND / 2) / NS_A_SECOND;
	return f;
}

/*
 * Tokens a period: the rate exact or within a millionth, in lumps that the
 * bucket does not feel. A bucket too small for that comes as near as it can.
 */
static struct fraction meter_fraction(uint64_t rate_per_s, uint64_t burst)
{
	uint64_t divisor = greatest_common_divisor(NS_A_SECOND, rate_per_s);
	struct fraction exact = { rate_per_s / divisor, NS_A_SECOND / divisor };
	struct fraction best = fraction_of(1, rate_per_s);

	if (exact.tokens == 1 || (exact.period <= PERIOD_LONGEST_NS && exact.tokens <= burst / 16))
		return exact;
	/* a larger term of half a million is near enough whatever the rate: this ends */
	for (uint64_t n = 1;; n++) {
		struct fraction f = fraction_of(n, rate_per_s);

		if (n > 1 && f.tokens > burst)
			return best;
		if (fraction_error(f, rate_per_s) * best.period <
		    fraction_error(best, rate_per_s) * f.period)
			best = f;
		if (fraction_error(best, rate_per_s) * 1000000 <=
		    (unsigned __int128)best.period * rate_per_s)
			return best;
	}
}

void meter_init(struct meter *meter, uint64_t rate_per_s, uint64_t burst)
{
	struct fraction f;

	*meter = (struct meter){ 0 };
	/* a profile that divides by nothing is harmless even where nobody looks at enabled */
	meter->profile.cir_period = 1;
	if (!rate_per_s)
		return;
	f = meter_fraction(rate_per_s, burst);
	meter->profile.cir_period = f.period;
	meter->profile.cir_bytes_per_period = f.tokens;
	meter->profile.cbs = burst;
	meter->enabled = true;
}

/* ---- router MACs ---- */

#define MAC_TRIES 64 /* multipliers for a size before it is doubled */

/* Splitmix64: any stream of well mixed numbers does, as long as it is always the same. */
static uint64_t next_multiplier(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return (x ^ (x >> 31)) | 1;
}

/* Place every MAC; false if two want the same slot. */
static bool mac_slots_fill(struct mac_slot *slot, const struct mac_slot *list, uint32_t n,
			   uint64_t multiplier, uint8_t shift)
{
	for (uint32_t i = 0; i < n; i++) {
		struct mac_slot *at = &slot[(list[i].mac * multiplier) >> shift];

		if (at->mac == list[i].mac)
			continue; /* named twice: the first counts */
		if (at->mac)
			return false;
		*at = list[i];
	}
	return true;
}

struct mac_slot *mac_slots_init(const struct mac_slot *list, uint32_t n, uint64_t *multiplier,
				uint8_t *shift)
{
	uint64_t state = 0;
	unsigned int bits = 1;

	*shift = 63;
	if (n <= 1) { /* every MAC leads to the only slot */
		struct mac_slot *only = calloc(1, sizeof(*only));

		*multiplier = 0;
		if (only && n)
			*only = list[0];
		return only;
	}
	while ((1ull << bits) < n)
		bits++;
	for (; bits < 32; bits++) {
		size_t bytes = sizeof(struct mac_slot) << bits;
		struct mac_slot *slot = malloc(bytes);

		if (!slot)
			return NULL;
		*shift = (uint8_t)(64 - bits);
		for (int try = 0; try < MAC_TRIES; try++) {
			*multiplier = next_multiplier(&state);
			memset(slot, 0, bytes);
			if (mac_slots_fill(slot, list, n, *multiplier, *shift))
				return slot;
		}
		free(slot);
	}
	return NULL;
}
