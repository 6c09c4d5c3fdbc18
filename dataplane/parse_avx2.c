// SPDX-License-Identifier: BSD-3-Clause
/*
 * Parsing with AVX2: eight headers at once, transposed into columns. What it does, and in which
 * order, is what parse_avx512.c does.
 * Reads at most 46 bytes from the IP header on, or as much as it has.
 */
#include <immintrin.h>

#include "fib4.h"
#include "parse.h"

#define GROUP 8

/* Lanes behind the last packet repeat the first one; nobody looks at them. */
static inline void pad_lanes(struct burst *b)
{
	for (uint32_t i = b->n; i % GROUP != 0; i++) {
		b->l3[i] = b->l3[0];
		b->l3_bytes[i] = b->l3_bytes[0];
	}
}

static inline __m256i set1(uint32_t value)
{
	return _mm256_set1_epi32((int)value);
}

/* A bit for each lane of 32 bits that is all ones. */
static inline uint32_t lanes32(__m256i v)
{
	return (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(v));
}

static inline uint32_t lanes64(__m256i v)
{
	return (uint32_t)_mm256_movemask_pd(_mm256_castsi256_pd(v));
}

static inline __m256i at_least(__m256i v, __m256i least)
{
	return _mm256_cmpeq_epi32(_mm256_max_epu32(v, least), v);
}

static inline __m256i at_most(__m256i v, __m256i most)
{
	return _mm256_cmpeq_epi32(_mm256_min_epu32(v, most), v);
}

/* ---- the sieve of an address set in registers ---- */

struct sieve {
	__m256i part[4]; /* eight words each */
};

static inline struct sieve sieve_load(const struct address_set *set)
{
	struct sieve s;

	for (unsigned int k = 0; k < 4; k++)
		s.part[k] = _mm256_loadu_si256((const __m256i *)&set->sieve[k * 8]);
	return s;
}

static inline __m256i blend(__m256i without, __m256i with, __m256i top_bit)
{
	return _mm256_castps_si256(_mm256_blendv_ps(_mm256_castsi256_ps(without),
						    _mm256_castsi256_ps(with),
						    _mm256_castsi256_ps(top_bit)));
}

/* The words of the sieve with these numbers, of which the low five bits count. */
static inline __m256i sieve_word(const struct sieve *s, __m256i number)
{
	const __m256i bit3 = _mm256_slli_epi32(number, 28), bit4 = _mm256_slli_epi32(number, 27);
	const __m256i low = blend(_mm256_permutevar8x32_epi32(s->part[0], number),
				  _mm256_permutevar8x32_epi32(s->part[1], number), bit3);
	const __m256i high = blend(_mm256_permutevar8x32_epi32(s->part[2], number),
				   _mm256_permutevar8x32_epi32(s->part[3], number), bit3);

	return blend(low, high, bit4);
}

/* Hashes that address_sieve_maybe() would not let pass: all ones, else 0. */
static inline __m256i sieve_maybe(const struct sieve *s, __m256i hash)
{
	const __m256i low5 = set1(31), one = set1(1);
	const __m256i word1 = sieve_word(s, _mm256_srli_epi32(hash, SIEVE_WORD1));
	const __m256i word2 = sieve_word(s, _mm256_srli_epi32(hash, SIEVE_WORD2));
	const __m256i shift1 = _mm256_and_si256(_mm256_srli_epi32(hash, SIEVE_BIT1), low5);
	const __m256i shift2 = _mm256_and_si256(_mm256_srli_epi32(hash, SIEVE_BIT2), low5);
	const __m256i both = _mm256_and_si256(_mm256_srlv_epi32(word1, shift1),
					      _mm256_srlv_epi32(word2, shift2));

	return _mm256_cmpeq_epi32(_mm256_and_si256(both, one), one);
}

/* ---- IPv4 ---- */

/* 16 bytes at offset of packets k and k + 4. */
static inline __m256i load4(const uint8_t *const *ip, unsigned int k, unsigned int offset)
{
	const __m128i low = _mm_loadu_si128((const __m128i *)(ip[k] + offset));

	return _mm256_inserti128_si256(_mm256_castsi128_si256(low),
				       _mm_loadu_si128((const __m128i *)(ip[k + 4] + offset)), 1);
}

/* The first five words of eight headers, a column a word. */
struct words4 {
	__m256i word[5];
};

static inline struct words4 load_words4(const uint8_t *const *ip)
{
	const __m256i a = load4(ip, 0, 0), b = load4(ip, 1, 0);
	const __m256i c = load4(ip, 2, 0), d = load4(ip, 3, 0);
	const __m256i ab_low = _mm256_unpacklo_epi32(a, b), ab_high = _mm256_unpackhi_epi32(a, b);
	const __m256i cd_low = _mm256_unpacklo_epi32(c, d), cd_high = _mm256_unpackhi_epi32(c, d);
	const __m256i ab_next = _mm256_unpacklo_epi32(load4(ip, 0, 16), load4(ip, 1, 16));
	const __m256i cd_next = _mm256_unpacklo_epi32(load4(ip, 2, 16), load4(ip, 3, 16));

	return (struct words4){ {
		_mm256_unpacklo_epi64(ab_low, cd_low),
		_mm256_unpackhi_epi64(ab_low, cd_low),
		_mm256_unpacklo_epi64(ab_high, cd_high),
		_mm256_unpackhi_epi64(ab_high, cd_high),
		_mm256_unpacklo_epi64(ab_next, cd_next),
	} };
}

static inline __m256i swap32(__m256i v)
{
	return _mm256_shuffle_epi8(v, _mm256_set_epi32(0x0c0d0e0f, 0x08090a0b, 0x04050607,
						       0x00010203, 0x0c0d0e0f, 0x08090a0b,
						       0x04050607, 0x00010203));
}

/* Where the ones' complement sum of the five words is all ones. */
static inline __m256i right_checksum(const struct words4 *w)
{
	const __m256i low = set1(0xffff);
	__m256i sum = _mm256_setzero_si256(), high = sum;

	for (unsigned int k = 0; k < 5; k++) {
		sum = _mm256_add_epi32(sum, _mm256_and_si256(w->word[k], low));
		high = _mm256_add_epi32(high, _mm256_srli_epi32(w->word[k], 16));
	}
	sum = _mm256_add_epi32(sum, high);
	sum = _mm256_add_epi32(_mm256_and_si256(sum, low), _mm256_srli_epi32(sum, 16));
	sum = _mm256_add_epi32(_mm256_and_si256(sum, low), _mm256_srli_epi32(sum, 16));
	return _mm256_cmpeq_epi32(sum, low);
}

/* Addresses outside 1.0.0.0..223.255.255.255, in 127/8, in 169.254/16. */
static inline __m256i odd_address4(__m256i address)
{
	const __m256i from_one = _mm256_sub_epi32(address, set1(0x01000000));
	const __m256i loopback = _mm256_cmpeq_epi32(_mm256_srli_epi32(address, 24), set1(127));
	const __m256i link = _mm256_cmpeq_epi32(_mm256_srli_epi32(address, 16), set1(0xa9fe));

	return _mm256_or_si256(_mm256_or_si256(loopback, link),
			       at_least(from_one, set1(0xdf000000)));
}

static inline __m256i hash4(__m256i address)
{
	return _mm256_mullo_epi32(address, set1((uint32_t)FILTER_MIX));
}

/* Packets from i on that the filter would not let pass either: few groups come here. */
static __attribute__((noinline)) uint32_t filter_maybe4(const struct address_set *set,
							const struct burst *b, uint32_t i)
{
	uint32_t maybe = 0;

	for (uint32_t k = 0; k < GROUP; k++) {
		const struct ipv6_key src = { (uint64_t)b->src4[i + k] << 32, 0 };
		const struct ipv6_key dst = { (uint64_t)b->dst4[i + k] << 32, 0 };

		maybe |= (uint32_t)(address_set_maybe(set, src) || address_set_maybe(set, dst))
			 << k;
	}
	return maybe;
}

/* TTL, protocol and checksum with one hop less: see stage parse. */
static inline __m256i one_hop_less(__m256i word)
{
	const __m256i around = at_least(word, set1(0xfffe0000));

	return _mm256_add_epi32(_mm256_add_epi32(word, set1(0xffff)),
				_mm256_and_si256(around, set1(0x10000)));
}

/* Eight packets from i on; returns which are unproven. */
static inline __attribute__((always_inline)) uint32_t parse_group4(
	struct burst *b, uint32_t i, const struct address_set *special, const struct sieve *sieve,
	uint32_t *last_hop)
{
	const struct words4 w = load_words4(&b->l3[i]);
	const __m256i bytes = _mm256_loadu_si256((const __m256i *)&b->l3_bytes[i]);
	const __m256i total = _mm256_and_si256(swap32(w.word[0]), set1(0xffff));
	const __m256i src = swap32(w.word[3]), dst = swap32(w.word[4]), byte = set1(0xff);
	__m256i good, maybe;

	_mm256_storeu_si256((__m256i *)&b->src4[i], src);
	_mm256_storeu_si256((__m256i *)&b->dst4[i], dst);
	_mm256_storeu_si256((__m256i *)&b->ttl4[i], one_hop_less(w.word[2]));
	*last_hop = lanes32(at_most(_mm256_and_si256(w.word[2], byte), set1(1)));
	good = _mm256_cmpeq_epi32(_mm256_and_si256(w.word[0], byte), set1(0x45));
	good = _mm256_and_si256(good, at_least(total, set1(20)));
	good = _mm256_and_si256(good, at_most(total, bytes));
	good = _mm256_and_si256(good, right_checksum(&w));
	good = _mm256_andnot_si256(_mm256_or_si256(odd_address4(src), odd_address4(dst)), good);
	maybe = _mm256_or_si256(sieve_maybe(sieve, hash4(src)), sieve_maybe(sieve, hash4(dst)));
	if (unlikely(lanes32(maybe))) {
		const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
		const __m256i hit = _mm256_and_si256(set1(filter_maybe4(special, b, i)), bit);

		good = _mm256_andnot_si256(_mm256_cmpeq_epi32(hit, bit), good);
	}
	_mm256_storeu_si256((__m256i *)&b->l3_bytes[i], blend(bytes, total, good));
	return ~lanes32(good) & 0xff;
}

void parse4_avx2(struct burst *b, const struct address_set *special, const struct fib4 *fib)
{
	const struct sieve sieve = sieve_load(special);
	uint64_t unproven = 0, last_hop = 0;

	pad_lanes(b);
	for (uint32_t i = 0; i < b->n; i += GROUP) {
		uint32_t last;

		unproven |= (uint64_t)parse_group4(b, i, special, &sieve, &last) << i;
		fib4_prefetch(fib, &b->dst4[i], GROUP);
		last_hop |= (uint64_t)last << i;
	}
	b->sets.unproven = unproven & burst_all(b);
	b->sets.last_hop = last_hop & burst_all(b);
}

/* ---- IPv6: four packets a register ---- */

static inline __m256i set1_64(uint64_t value)
{
	return _mm256_set1_epi64x((int64_t)value);
}

static inline __m256i swap64(__m256i v)
{
	return _mm256_shuffle_epi8(v, _mm256_set_epi32(0x08090a0b, 0x0c0d0e0f, 0x00010203,
						       0x04050607, 0x08090a0b, 0x0c0d0e0f,
						       0x00010203, 0x04050607));
}

/* Columns of four packets. */
struct columns6 {
	__m256i first; /* version, ..., payload length, next header, hop limit */
	__m256i src_hi, src_lo, dst_hi, dst_lo;
};

/* The first eight bytes of packets k and k + 1. */
static inline __m128i load_first6(const uint8_t *const *ip, unsigned int k)
{
	return _mm_unpacklo_epi64(_mm_loadl_epi64((const __m128i *)ip[k]),
				  _mm_loadl_epi64((const __m128i *)ip[k + 1]));
}

/* Both addresses of one packet. */
static inline __m256i load6(const uint8_t *ip)
{
	return _mm256_loadu_si256((const __m256i *)(ip + 8));
}

static inline struct columns6 load_columns6(const uint8_t *const *ip)
{
	const __m256i a = load6(ip[0]), b = load6(ip[1]), c = load6(ip[2]), d = load6(ip[3]);
	const __m256i ab_hi = _mm256_unpacklo_epi64(a, b), ab_lo = _mm256_unpackhi_epi64(a, b);
	const __m256i cd_hi = _mm256_unpacklo_epi64(c, d), cd_lo = _mm256_unpackhi_epi64(c, d);

	return (struct columns6){
		.first = swap64(_mm256_inserti128_si256(_mm256_castsi128_si256(load_first6(ip, 0)),
							load_first6(ip, 2), 1)),
		.src_hi = swap64(_mm256_permute2x128_si256(ab_hi, cd_hi, 0x20)),
		.src_lo = swap64(_mm256_permute2x128_si256(ab_lo, cd_lo, 0x20)),
		.dst_hi = swap64(_mm256_permute2x128_si256(ab_hi, cd_hi, 0x31)),
		.dst_lo = swap64(_mm256_permute2x128_si256(ab_lo, cd_lo, 0x31)),
	};
}

/* Addresses in 2000::/3: no special one, nor unique local ones. */
static inline __m256i usual_address6(__m256i hi)
{
	return _mm256_cmpeq_epi64(_mm256_srli_epi64(hi, 61), set1_64(1));
}

static inline __m256i multiply64(__m256i v, uint64_t by)
{
	const __m256i low = set1_64(by), high = set1_64(by >> 32);
	const __m256i middle = _mm256_add_epi64(_mm256_mul_epu32(_mm256_srli_epi64(v, 32), low),
						_mm256_mul_epu32(v, high));

	return _mm256_add_epi64(_mm256_mul_epu32(v, low), _mm256_slli_epi64(middle, 32));
}

static inline __m256i hash6(const struct columns6 *c)
{
	return multiply64(_mm256_xor_si256(c->src_hi, multiply64(c->src_lo, FILTER_MIX_LO)),
			  FILTER_MIX);
}

/* Packets from i on that the filter would not let pass either: few groups come here. */
static __attribute__((noinline)) uint32_t filter_maybe6(const struct address_set *set,
							const struct burst *b, uint32_t i)
{
	uint32_t maybe = 0;

	for (uint32_t k = 0; k < GROUP; k++) {
		const struct ipv6_key src = { b->src_hi[i + k], b->src_lo[i + k] };

		maybe |= (uint32_t)address_set_maybe(set, src) << k;
	}
	return maybe;
}

/*
 * Four packets from i on but for the sieve; returns which are good. ICMPv6 is left to the stages,
 * so that nobody's neighbour discovery passes here, and with it the destinations of ours.
 */
static inline __attribute__((always_inline)) __m256i judge6(struct burst *b, uint32_t i,
							    const struct columns6 *c,
							    __m256i *total, uint32_t *last_hop)
{
	const __m256i byte = set1_64(0xff);
	const __m256i bytes =
		_mm256_cvtepu32_epi64(_mm_loadu_si128((const __m128i *)&b->l3_bytes[i]));
	const __m256i protocol = _mm256_and_si256(_mm256_srli_epi64(c->first, 8), byte);
	__m256i good = _mm256_cmpeq_epi64(_mm256_srli_epi64(c->first, 60), set1_64(6));

	*total = _mm256_add_epi64(
		_mm256_and_si256(_mm256_srli_epi64(c->first, 16), set1_64(0xffff)), set1_64(40));
	good = _mm256_andnot_si256(_mm256_cmpgt_epi64(*total, bytes), good);
	good = _mm256_andnot_si256(_mm256_cmpeq_epi64(protocol, set1_64(58)), good);
	good = _mm256_and_si256(good, usual_address6(c->src_hi));
	good = _mm256_and_si256(good, usual_address6(c->dst_hi));
	*last_hop = lanes64(_mm256_cmpgt_epi64(set1_64(2), _mm256_and_si256(c->first, byte)));
	_mm256_storeu_si256((__m256i *)&b->src_hi[i], c->src_hi);
	_mm256_storeu_si256((__m256i *)&b->src_lo[i], c->src_lo);
	_mm256_storeu_si256((__m256i *)&b->dst_hi[i], c->dst_hi);
	_mm256_storeu_si256((__m256i *)&b->dst_lo[i], c->dst_lo);
	return good;
}

/* The lower halves of eight lanes of 64 bits. */
static inline __m256i lower_halves(__m256i a, __m256i b)
{
	const __m256 mixed =
		_mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), 0x88);

	return _mm256_permute4x64_epi64(_mm256_castps_si256(mixed), 0xd8);
}

/* Eight packets from i on; returns which are unproven. */
static inline __attribute__((always_inline)) uint32_t parse_group6(
	struct burst *b, uint32_t i, const struct address_set *special, const struct sieve *sieve,
	uint32_t *last_hop)
{
	const struct columns6 low = load_columns6(&b->l3[i]), high = load_columns6(&b->l3[i + 4]);
	uint32_t last_low, last_high;
	__m256i total_low, total_high, good, hash;
	const __m256i good_low = judge6(b, i, &low, &total_low, &last_low);
	const __m256i good_high = judge6(b, i + 4, &high, &total_high, &last_high);
	const __m256i bytes = _mm256_loadu_si256((const __m256i *)&b->l3_bytes[i]);

	*last_hop = last_low | last_high << 4;
	good = lower_halves(good_low, good_high);
	/* upper halves, in whatever order */
	hash = _mm256_castps_si256(_mm256_shuffle_ps(_mm256_castsi256_ps(hash6(&low)),
						     _mm256_castsi256_ps(hash6(&high)), 0xdd));
	if (unlikely(lanes32(sieve_maybe(sieve, hash)))) {
		const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
		const __m256i hit = _mm256_and_si256(set1(filter_maybe6(special, b, i)), bit);

		good = _mm256_andnot_si256(_mm256_cmpeq_epi32(hit, bit), good);
	}
	_mm256_storeu_si256((__m256i *)&b->l3_bytes[i],
			    blend(bytes, lower_halves(total_low, total_high), good));
	return ~lanes32(good) & 0xff;
}

void parse6_avx2(struct burst *b, const struct address_set *special)
{
	const struct sieve sieve = sieve_load(special);
	uint64_t unproven = 0, last_hop = 0;

	pad_lanes(b);
	for (uint32_t i = 0; i < b->n; i += GROUP) {
		uint32_t last;

		unproven |= (uint64_t)parse_group6(b, i, special, &sieve, &last) << i;
		last_hop |= (uint64_t)last << i;
	}
	b->sets.unproven = unproven & burst_all(b);
	b->sets.last_hop = last_hop & burst_all(b);
}
