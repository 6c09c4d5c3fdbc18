// SPDX-License-Identifier: BSD-3-Clause
/*
 * Every bucket ranks the hops by a hash of both (rendezvous hashing), and every
 * hop takes its exact quota of those that want it most (deferred acceptance), which
 * has one outcome whatever the order of asking.
 */
#include "group.h"

#define GROUP_BUCKETS_USUAL 4096u

/* ---- quotas ---- */

/* Splitmix64's finish: every bit of x in every bit of the result. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

unsigned int group_buckets(const struct group_hop *hop, unsigned int n)
{
	uint64_t total = 0, want = 128;
	uint32_t least = UINT32_MAX;

	for (unsigned int i = 0; i < n; i++) {
		total += hop[i].weight;
		if (hop[i].weight < least)
			least = hop[i].weight;
	}
	/* 16 for the lightest hop as far as that goes, and one at any rate */
	while (want < 16 * n || want < total / least ||
	       (want < 16 * total / least && want < GROUP_BUCKETS_USUAL))
		want *= 2;
	return (unsigned int)want;
}

/* Does a deserve one more bucket before b: larger remainder, then who has it already? */
static bool deserves(const struct group_hop *hop, const uint32_t *rest, const uint32_t *more,
		     unsigned int a, unsigned int b)
{
	if (rest[a] != rest[b])
		return rest[a] > rest[b];
	if (more[a] != more[b])
		return more[a] > more[b];
	return hop[a].identity < hop[b].identity;
}

/*
 * The largest remainder method among the hops that count. owned: what each has now,
 * so that equal remainders move nothing.
 */
static void quotas(const struct group_hop *hop, unsigned int n, const bool *counts,
		   const uint32_t *owned, unsigned int buckets, uint32_t *quota)
{
	uint32_t rest[GROUP_HOPS_MAX], more[GROUP_HOPS_MAX];
	uint64_t total = 0;
	unsigned int left = buckets;

	for (unsigned int i = 0; i < n; i++)
		total += counts[i] ? hop[i].weight : 0;
	for (unsigned int i = 0; i < n; i++) {
		uint64_t share = counts[i] ? (uint64_t)buckets * hop[i].weight : 0;

		quota[i] = (uint32_t)(share / total);
		rest[i] = (uint32_t)(share % total);
		more[i] = owned[i] > quota[i];
		left -= quota[i];
	}
	while (left--) { /* fewer than n; a remainder is taken once */
		unsigned int best = n;

		for (unsigned int i = 0; i < n; i++)
			if (rest[i] && (best == n || deserves(hop, rest, more, i, best)))
				best = i;
		quota[best]++;
		rest[best] = 0;
	}
}

/* ---- who wants whom ---- */

/* How much bucket and hop want each other. */
static uint64_t score(const struct group_hop *hop, unsigned int bucket)
{
	return mix(hop->identity ^ mix(bucket + 0x9e3779b97f4a7c15));
}

/* Of the hops below a bucket's last refusal, the one that it wants most; n: none. */
static unsigned int next_choice(const struct group_hop *hop, unsigned int n, const uint32_t *quota,
				unsigned int bucket, uint64_t below)
{
	unsigned int best = n;
	uint64_t best_score = 0;

	for (unsigned int i = 0; i < n; i++) {
		uint64_t s = score(&hop[i], bucket);

		if (quota[i] && s < below && (best == n || s > best_score)) {
			best = i;
			best_score = s;
		}
	}
	return best;
}

/* Of the buckets that a hop holds and may lose, the one that it wants least. */
static unsigned int least_wanted(const struct group_hop *hop, unsigned int index,
				 const uint8_t *owner, const bool *fixed, unsigned int buckets)
{
	unsigned int worst = buckets;
	uint64_t worst_score = 0;

	for (unsigned int b = 0; b < buckets; b++) {
		uint64_t s;

		if (owner[b] != index || (fixed && fixed[b]))
			continue;
		s = score(&hop[index], b);
		if (worst == buckets || s < worst_score) {
			worst = b;
			worst_score = s;
		}
	}
	return worst;
}

/* Give every bucket of nobody to a hop; room[i] is how many hop i takes, in sum exactly those. */
static void give_out(const struct group_hop *hop, unsigned int n, const uint32_t *room,
		     uint8_t *owner, unsigned int buckets)
{
	uint16_t asking[GROUP_BUCKETS_MAX];
	uint64_t refused[GROUP_BUCKETS_MAX];
	bool fixed[GROUP_BUCKETS_MAX];
	uint32_t held[GROUP_HOPS_MAX] = { 0 };
	unsigned int askers = 0;

	for (unsigned int b = 0; b < buckets; b++) {
		fixed[b] = owner[b] != GROUP_NOBODY;
		refused[b] = UINT64_MAX;
		if (!fixed[b])
			asking[askers++] = (uint16_t)b;
	}
	while (askers) {
		unsigned int b = asking[--askers];
		unsigned int i = next_choice(hop, n, room, b, refused[b]), loser;

		if (i == n) { /* only where identities are the same */
			for (i = 0; held[i] >= room[i];)
				i++;
		}
		refused[b] = score(&hop[i], b);
		owner[b] = (uint8_t)i;
		if (held[i] < room[i]) {
			held[i]++;
			continue;
		}
		loser = least_wanted(hop, i, owner, fixed, buckets);
		owner[loser] = GROUP_NOBODY;
		asking[askers++] = (uint16_t)loser;
	}
}

/* ---- public ---- */

void group_layout(const struct group_hop *hop, unsigned int n, uint8_t *owner, unsigned int buckets)
{
	uint32_t quota[GROUP_HOPS_MAX], owned[GROUP_HOPS_MAX] = { 0 };
	bool counts[GROUP_HOPS_MAX];

	for (unsigned int i = 0; i < n; i++)
		counts[i] = true;
	for (unsigned int b = 0; b < buckets; b++)
		owner[b] = GROUP_NOBODY;
	quotas(hop, n, counts, owned, buckets, quota);
	give_out(hop, n, quota, owner, buckets);
}

void group_relayout(const struct group_hop *hop, unsigned int n, uint8_t *owner,
		    unsigned int buckets)
{
	uint32_t quota[GROUP_HOPS_MAX], owned[GROUP_HOPS_MAX] = { 0 };
	bool counts[GROUP_HOPS_MAX], any = false;

	for (unsigned int i = 0; i < n; i++) {
		counts[i] = hop[i].alive;
		any |= hop[i].alive;
	}
	if (!any)
		return;
	for (unsigned int b = 0; b < buckets; b++) {
		if (owner[b] >= n || !hop[owner[b]].alive)
			owner[b] = GROUP_NOBODY;
		else
			owned[owner[b]]++;
	}
	quotas(hop, n, counts, owned, buckets, quota);
	for (unsigned int i = 0; i < n; i++) {
		for (; owned[i] > quota[i]; owned[i]--)
			owner[least_wanted(hop, i, owner, 0, buckets)] = GROUP_NOBODY;
		quota[i] -= owned[i]; /* what it still takes */
	}
	give_out(hop, n, quota, owner, buckets);
}
