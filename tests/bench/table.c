// SPDX-License-Identifier: BSD-3-Clause
/* Makes tables: how many prefixes of each length, and how they nest and follow one another. */
#include "table.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Share of each length in 1,000,000 IPv4 and 200,000 IPv6 prefixes. */
struct quota {
	uint8_t length;
	uint32_t count;
};

static const struct quota quotas4[] = {
	{ 8, 16 },     { 9, 14 },     { 10, 40 },     { 11, 105 },   { 12, 300 },    { 13, 590 },
	{ 14, 1200 },  { 15, 2100 },  { 16, 13800 },  { 17, 8500 },  { 18, 14100 },  { 19, 25900 },
	{ 20, 44500 }, { 21, 52300 }, { 22, 111000 }, { 23, 99500 }, { 24, 625535 }, { 25, 60 },
	{ 26, 60 },    { 27, 60 },    { 28, 60 },     { 29, 60 },    { 30, 80 },     { 32, 120 },
};

static const struct quota quotas6[] = {
	{ 20, 24 },    { 24, 70 },   { 28, 330 },   { 29, 8000 }, { 30, 800 },   { 31, 400 },
	{ 32, 27000 }, { 33, 3600 }, { 34, 2600 },  { 35, 1500 }, { 36, 9000 },  { 37, 800 },
	{ 38, 2400 },  { 39, 1200 }, { 40, 21000 }, { 41, 900 },  { 42, 2400 },  { 43, 900 },
	{ 44, 17500 }, { 45, 1400 }, { 46, 4600 },  { 47, 3400 }, { 48, 90000 }, { 56, 80 },
	{ 64, 60 },    { 128, 36 },
};

/* ---- chance ---- */

void bench_random_seed(struct bench_random *r, uint64_t seed)
{
	r->state[0] = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	r->state[1] = seed ^ UINT64_C(0xd1b54a32d192ed03);
	for (int i = 0; i < 32; i++)
		bench_random(r);
}

/* xorshift128+ */
uint64_t bench_random(struct bench_random *r)
{
	uint64_t a = r->state[0];
	const uint64_t b = r->state[1];

	r->state[0] = b;
	a ^= a << 23;
	r->state[1] = a ^ b ^ (a >> 18) ^ (b >> 5);
	return r->state[1] + b;
}

uint32_t bench_random_below(struct bench_random *r, uint32_t below)
{
	return (bench_random(r) >> 32) * below >> 32;
}

/* ---- addresses as numbers: an IPv4 address in the top 32 bits ---- */

typedef unsigned __int128 number;

static number prefix_mask(unsigned int length)
{
	return length ? ~(number)0 << (128 - length) : 0;
}

static number to_number(const uint8_t address[16])
{
	number n = 0;

	for (int i = 0; i < 16; i++)
		n = n << 8 | address[i];
	return n;
}

static void from_number(number n, uint8_t address[16])
{
	for (int i = 15; i >= 0; i--, n >>= 8)
		address[i] = (uint8_t)n;
}

static number random_number(struct bench_random *r)
{
	const number high = bench_random(r);

	return high << 64 | bench_random(r);
}

/* ---- making a table ---- */

struct maker {
	struct bench_table *table;
	struct bench_random random;
	bool ipv6;
	uint16_t hops;
	number *seen; /* open hash of prefixes, 0: free */
	size_t seen_mask;
	uint8_t blocks[256]; /* IPv4: first bytes in use, the busiest first */
	uint32_t block_count;
};

/* Not in the global table, or where the bench itself lives (RFC 2544, 5180, documentation). */
static bool is_reserved4(uint8_t first)
{
	return first == 0 || first == 10 || first == 100 || first == 127 || first == 169 ||
	       first == 172 || first == 192 || first == 198 || first == 203 || first >= 224;
}

/* The bench's own ports, and destinations that have no route. */
static bool touches(number prefix, unsigned int length, uint64_t high, unsigned int bits)
{
	const number mask = prefix_mask(length < bits ? length : bits);

	return ((prefix ^ (number)high << 64) & mask) == 0;
}

static bool is_allowed(const struct maker *m, number prefix, unsigned int length)
{
	if (!m->ipv6)
		return !is_reserved4((uint8_t)(prefix >> 120));
	return (unsigned int)(prefix >> 125) == 1 &&
	       !touches(prefix, length, UINT64_C(0x2001000200000000), 48) &&
	       !touches(prefix, length, UINT64_C(0x20010db800000000), 32);
}

/* Remember a prefix; false: it was there. */
static bool add_seen(struct maker *m, number prefix, unsigned int length)
{
	const number key = prefix | (length == 128 ? 1 : (number)1 << (127 - length));
	uint64_t at = (uint64_t)(key >> 64) * UINT64_C(0x9e3779b97f4a7c15) ^
		      (uint64_t)key * UINT64_C(0xc2b2ae3d27d4eb4f);

	for (at ^= at >> 29; m->seen[at & m->seen_mask]; at++)
		if (m->seen[at & m->seen_mask] == key)
			return false;
	m->seen[at & m->seen_mask] = key;
	return true;
}

/* Somewhere nobody is yet: busy blocks are likelier than others. */
static number fresh(struct maker *m)
{
	static const struct {
		uint32_t first;
		uint8_t length, weight;
	} blocks6[] = { { 0x20010000, 16, 10 }, { 0x24000000, 12, 24 }, { 0x26000000, 12, 19 },
			{ 0x28000000, 12, 10 }, { 0x2a000000, 11, 32 }, { 0x2c000000, 12, 5 } };
	number n = random_number(&m->random);
	uint32_t pick, i = 0;

	if (!m->ipv6) {
		/* product of two: a skew towards low ranks, as between the registries' blocks */
		pick = bench_random_below(&m->random, m->block_count);
		pick = pick * bench_random_below(&m->random, 256) >> 8;
		return (n & prefix_mask(120) >> 8) | (number)m->blocks[pick] << 120;
	}
	pick = bench_random_below(&m->random, 100);
	while (pick >= blocks6[i].weight)
		pick -= blocks6[i++].weight;
	n = (n & ~prefix_mask(blocks6[i].length)) | (number)blocks6[i].first << 96;
	/* allocations start on /29s as often as not */
	return bench_random_below(&m->random, 2) ? n & ~((number)7 << 96) : n;
}

/* Inside a prefix that is there already; IPv6 networks number their parts from 0. */
static number more_specific(struct maker *m, size_t shorter, unsigned int length, uint16_t *hop)
{
	const struct bench_route *parent =
		&m->table->route[bench_random_below(&m->random, shorter)];
	const unsigned int spare = length - parent->length;
	number part = random_number(&m->random);

	if (bench_random_below(&m->random, 4))
		*hop = parent->hop;
	if (m->ipv6 && bench_random_below(&m->random, 2))
		part = (number)bench_random_below(&m->random, spare > 8 ? 256 : 1u << spare)
		       << (128 - length);
	return to_number(parent->address) | (part & ~prefix_mask(parent->length));
}

static number choose(struct maker *m, size_t shorter, unsigned int length, uint16_t *hop)
{
	const uint32_t chance = bench_random_below(&m->random, 100);

	*hop = bench_random_below(&m->random, m->hops);
	if (shorter > 300 && chance < (m->ipv6 ? 75 : 45))
		return more_specific(m, shorter, length, hop);
	if (shorter > 300 && !m->ipv6 && chance < 55)
		return to_number(m->table->route[bench_random_below(&m->random, shorter)].address) +
		       ((number)bench_random_below(&m->random, 64) << (128 - length));
	return fresh(m);
}

/* count prefixes of one length, in runs of neighbours that mostly share their next hop. */
static void fill_length(struct maker *m, unsigned int length, size_t count)
{
	const size_t shorter = m->table->count;
	uint32_t run = 0;
	number prefix = 0;
	uint16_t hop = 0;

	while (m->table->count < shorter + count) {
		struct bench_route *route = &m->table->route[m->table->count];

		if (run > 0) {
			run--;
			prefix += (number)1 << (128 - length);
			if (bench_random_below(&m->random, 8) == 0)
				hop = bench_random_below(&m->random, m->hops);
		} else {
			prefix = choose(m, shorter, length, &hop);
			if (length >= 16 && bench_random_below(&m->random, 3))
				run = bench_random_below(&m->random, 6);
		}
		prefix &= prefix_mask(length);
		if (!is_allowed(m, prefix, length) || !add_seen(m, prefix, length)) {
			run = 0;
			continue;
		}
		*route = (struct bench_route){ .length = length, .ipv6 = m->ipv6, .hop = hop };
		from_number(prefix, route->address);
		m->table->count++;
	}
}

static void shuffle(struct maker *m)
{
	for (size_t i = m->table->count; i > 1; i--) {
		const size_t k = bench_random_below(&m->random, i);
		const struct bench_route other = m->table->route[k];

		m->table->route[k] = m->table->route[i - 1];
		m->table->route[i - 1] = other;
	}
}

static void order_blocks(struct maker *m)
{
	for (int first = 0; first < 256; first++)
		if (!is_reserved4(first))
			m->blocks[m->block_count++] = first;
	for (uint32_t i = m->block_count; i > 1; i--) {
		const uint32_t k = bench_random_below(&m->random, i);
		const uint8_t other = m->blocks[k];

		m->blocks[k] = m->blocks[i - 1];
		m->blocks[i - 1] = other;
	}
}

bool bench_table_make(struct bench_table *table, bool ipv6, size_t count, uint16_t hops)
{
	const struct quota *quotas = ipv6 ? quotas6 : quotas4;
	const size_t n =
		ipv6 ? sizeof(quotas6) / sizeof(quotas6[0]) : sizeof(quotas4) / sizeof(quotas4[0]);
	struct maker m = { .table = table, .ipv6 = ipv6, .hops = hops, .seen_mask = 1023 };

	while (m.seen_mask < 4 * count)
		m.seen_mask = m.seen_mask * 2 + 1;
	m.seen = calloc(m.seen_mask + 1, sizeof(*m.seen));
	*table = (struct bench_table){ .route = calloc(count + 1, sizeof(*table->route)) };
	if (!m.seen || !table->route) {
		free(m.seen);
		bench_table_free(table);
		return false;
	}
	bench_random_seed(&m.random, ipv6 ? 6 : 4);
	order_blocks(&m);
	for (size_t i = 0, asked = 0, total = ipv6 ? 200000 : 1000000; i < n; i++) {
		asked += quotas[i].count;
		const size_t until = i + 1 == n ? count : asked * count / total;

		if (until > table->count)
			fill_length(&m, quotas[i].length, until - table->count);
	}
	shuffle(&m);
	free(m.seen);
	return true;
}

/* "203.0.113.0/24". False: it is of the other family, or no prefix. */
static bool parse_prefix(char *line, bool ipv6, struct bench_route *route)
{
	char *slash = strchr(line, '/');

	if (!slash || (strchr(line, ':') != NULL) != ipv6)
		return false;
	*slash = 0;
	*route = (struct bench_route){ .length = (uint8_t)strtoul(slash + 1, NULL, 10),
				       .ipv6 = ipv6 };
	return inet_pton(ipv6 ? AF_INET6 : AF_INET, line, route->address) == 1;
}

bool bench_table_read(struct bench_table *table, bool ipv6, const char *path, uint16_t hops)
{
	struct maker m = { .table = table };
	size_t allocated = 1 << 21;
	char line[128];
	FILE *f = fopen(path, "r");

	*table = (struct bench_table){ .route = calloc(allocated, sizeof(*table->route)) };
	if (!f || !table->route) {
		if (f)
			fclose(f);
		bench_table_free(table);
		return false;
	}
	bench_random_seed(&m.random, ipv6 ? 6 : 4);
	while (table->count < allocated && fgets(line, sizeof(line), f)) {
		if (!parse_prefix(line, ipv6, &table->route[table->count]))
			continue;
		table->route[table->count++].hop = (uint16_t)bench_random_below(&m.random, hops);
	}
	fclose(f);
	shuffle(&m);
	return table->count > 0;
}

void bench_table_free(struct bench_table *table)
{
	free(table->route);
	*table = (struct bench_table){ 0 };
}

/* ---- what is taken from it ---- */

static int by_address(const void *a, const void *b)
{
	const struct bench_route *x = a, *y = b;
	const int order = memcmp(x->address, y->address, sizeof(x->address));

	return order ? order : (int)x->length - y->length;
}

bool bench_table_sources(const struct bench_table *table, uint16_t hops, size_t each,
			 struct bench_table *sources)
{
	struct bench_route *sorted = malloc((table->count + 1) * sizeof(*sorted));
	size_t *taken = calloc(hops, sizeof(*taken)), outer = SIZE_MAX;
	struct maker m = { .table = sources };

	*sources = (struct bench_table){ .route = sorted };
	if (!sorted || !taken) {
		free(taken);
		bench_table_free(sources);
		return false;
	}
	memcpy(sorted, table->route, table->count * sizeof(*sorted));
	qsort(sorted, table->count, sizeof(*sorted), by_address);
	for (size_t i = 0; i < table->count; i++) {
		const struct bench_route route = sorted[i];

		/* too short ones hide too much, too long ones nobody announces */
		if (route.length < (route.ipv6 ? 29 : 16) || route.length > (route.ipv6 ? 48 : 24))
			continue;
		if (outer != SIZE_MAX &&
		    ((to_number(route.address) ^ to_number(sorted[outer].address)) &
		     prefix_mask(sorted[outer].length)) == 0)
			continue;
		outer = sources->count++;
		sorted[outer] = route;
	}
	bench_random_seed(&m.random, 7);
	shuffle(&m);
	const size_t disjoint = sources->count;

	sources->count = 0;
	for (size_t i = 0; i < disjoint; i++)
		if (taken[sorted[i].hop]++ < each)
			sorted[sources->count++] = sorted[i];
	free(taken);
	return true;
}

void bench_host(struct bench_random *r, const struct bench_route *route, uint8_t address[16])
{
	from_number(to_number(route->address) | (random_number(r) & ~prefix_mask(route->length)),
		    address);
}
