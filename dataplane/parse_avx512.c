// SPDX-License-Identifier: BSD-3-Clause
/*
 * Parsing with AVX-512: 16 IPv4 or 8 IPv6 headers at once, transposed into columns.
 * Reads at most 46 bytes from the IP header on, or as much as it has.
 */
#include <immintrin.h>

#include "fib4.h"
#include "parse.h"

#define GROUP4 16
#define GROUP6 8

/* Lanes behind the last packet repeat the first one; nobody looks at them. */
static inline void pad_lanes(struct burst *b, uint32_t group)
{
	for (uint32_t i = b->n; i % group != 0; i++) {
		b->l3[i] = b->l3[0];
		b->l3_bytes[i] = b->l3_bytes[0];
	}
}

static inline __m512i set1(uint32_t value)
{
	return _mm512_set1_epi32((int)value);
}

/* The sieve of an address set in registers. */
struct sieve {
	__m512i low, high;
};

static inline struct sieve sieve_load(const struct address_set *set)
{
	return (struct sieve){ _mm512_loadu_si512(set->sieve),
			       _mm512_loadu_si512(set->sieve + SIEVE_WORDS / 2) };
}

/* Hashes that address_sieve_maybe() would not let pass; of a shift, the low five bits count. */
static inline __mmask16 sieve_maybe(const struct sieve *s, __m512i hash)
{
	const __m512i word1 =
		_mm512_permutex2var_epi32(s->low, _mm512_srli_epi32(hash, SIEVE_WORD1), s->high);
	const __m512i word2 =
		_mm512_permutex2var_epi32(s->low, _mm512_srli_epi32(hash, SIEVE_WORD2), s->high);
	const __m512i bit1 = _mm512_rorv_epi32(word1, _mm512_srli_epi32(hash, SIEVE_BIT1));
	const __m512i bit2 = _mm512_rorv_epi32(word2, _mm512_srli_epi32(hash, SIEVE_BIT2));

	return _mm512_test_epi32_mask(_mm512_and_si512(bit1, bit2), set1(1));
}

/* ---- IPv4 ---- */

/* 16 bytes at offset of packets k, k + 4, k + 8 and k + 12. */
static inline __m512i load4(const uint8_t *const *ip, unsigned int k, unsigned int offset)
{
	__m512i v = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)(ip[k] + offset)));

	v = _mm512_inserti64x2(v, _mm_loadu_si128((const __m128i *)(ip[k + 4] + offset)), 1);
	v = _mm512_inserti64x2(v, _mm_loadu_si128((const __m128i *)(ip[k + 8] + offset)), 2);
	return _mm512_inserti64x2(v, _mm_loadu_si128((const __m128i *)(ip[k + 12] + offset)), 3);
}

/* The first five words of 16 headers, a column a word. */
struct words4 {
	__m512i word[5];
};

static inline struct words4 load_words4(const uint8_t *const *ip)
{
	const __m512i a = load4(ip, 0, 0), b = load4(ip, 1, 0);
	const __m512i c = load4(ip, 2, 0), d = load4(ip, 3, 0);
	const __m512i ab_low = _mm512_unpacklo_epi32(a, b), ab_high = _mm512_unpackhi_epi32(a, b);
	const __m512i cd_low = _mm512_unpacklo_epi32(c, d), cd_high = _mm512_unpackhi_epi32(c, d);
	const __m512i ab_next = _mm512_unpacklo_epi32(load4(ip, 0, 16), load4(ip, 1, 16));
	const __m512i cd_next = _mm512_unpacklo_epi32(load4(ip, 2, 16), load4(ip, 3, 16));

	return (struct words4){ {
		_mm512_unpacklo_epi64(ab_low, cd_low),
		_mm512_unpackhi_epi64(ab_low, cd_low),
		_mm512_unpacklo_epi64(ab_high, cd_high),
		_mm512_unpackhi_epi64(ab_high, cd_high),
		_mm512_unpacklo_epi64(ab_next, cd_next),
	} };
}

static inline __m512i swap32(__m512i v)
{
	return _mm512_shuffle_epi8(
		v, _mm512_set4_epi32(0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203));
}

/* Where the ones' complement sum of the five words is not all ones. */
static inline __mmask16 wrong_checksum(const struct words4 *w)
{
	const __m512i low = set1(0xffff);
	__m512i sum = _mm512_setzero_si512(), high = sum;

	for (unsigned int k = 0; k < 5; k++) {
		sum = _mm512_add_epi32(sum, _mm512_and_si512(w->word[k], low));
		high = _mm512_add_epi32(high, _mm512_srli_epi32(w->word[k], 16));
	}
	sum = _mm512_add_epi32(sum, high);
	sum = _mm512_add_epi32(_mm512_and_si512(sum, low), _mm512_srli_epi32(sum, 16));
	sum = _mm512_add_epi32(_mm512_and_si512(sum, low), _mm512_srli_epi32(sum, 16));
	return _mm512_cmpneq_epi32_mask(sum, low);
}

/* Addresses outside 1.0.0.0..223.255.255.255, in 127/8, in 169.254/16. */
static inline __mmask16 odd_address4(__m512i address)
{
	const __m512i from_one = _mm512_sub_epi32(address, set1(0x01000000));

	return _mm512_cmpge_epu32_mask(from_one, set1(0xdf000000)) |
	       _mm512_cmpeq_epi32_mask(_mm512_srli_epi32(address, 24), set1(127)) |
	       _mm512_cmpeq_epi32_mask(_mm512_srli_epi32(address, 16), set1(0xa9fe));
}

static inline __m512i hash4(__m512i address)
{
	return _mm512_mullo_epi32(address, set1((uint32_t)FILTER_MIX));
}

/* Hashes of addresses that address_set_maybe() would not let pass. */
static inline __mmask16 filter_maybe4(const struct address_set *set, __m512i hash)
{
	const __m128i shift = _mm_cvtsi32_si128((int)set->filter_shift - 32);
	const __m512i bit = _mm512_srl_epi32(hash, shift);
	const __m512i word = _mm512_i32gather_epi32(_mm512_srli_epi32(bit, 5), set->filter, 4);

	return _mm512_test_epi32_mask(word,
				      _mm512_sllv_epi32(set1(1), _mm512_and_si512(bit, set1(31))));
}

static __attribute__((noinline)) __mmask16 filter_maybe_either4(const struct address_set *set,
								__m512i hash1, __m512i hash2)
{
	return filter_maybe4(set, hash1) | filter_maybe4(set, hash2);
}

/* Packets of whose addresses one may be in the set. The filter's loads are many: mostly spared. */
static inline __mmask16 maybe_in4(const struct address_set *set, const struct sieve *sieve,
				  __m512i src, __m512i dst)
{
	const __m512i hash1 = hash4(src), hash2 = hash4(dst);

	if (likely(!(sieve_maybe(sieve, hash1) | sieve_maybe(sieve, hash2))))
		return 0;
	return filter_maybe_either4(set, hash1, hash2);
}

/* TTL, protocol and checksum with one hop less: see stage parse. */
static inline __m512i one_hop_less(__m512i word)
{
	const __m512i less = _mm512_add_epi32(word, set1(0xffff));

	return _mm512_mask_add_epi32(less, _mm512_cmpge_epu32_mask(word, set1(0xfffe0000)), less,
				     set1(0x10000));
}

/* Sixteen packets from i on; returns which are unproven. */
static inline __attribute__((always_inline)) __mmask16 parse_group4(
	struct burst *b, uint32_t i, const struct address_set *special, const struct sieve *sieve,
	__mmask16 *last_hop)
{
	const struct words4 w = load_words4(&b->l3[i]);
	const __m512i bytes = _mm512_loadu_si512(&b->l3_bytes[i]);
	const __m512i total = _mm512_and_si512(swap32(w.word[0]), set1(0xffff));
	const __m512i src = swap32(w.word[3]), dst = swap32(w.word[4]);
	__mmask16 unproven;

	unproven = _mm512_cmpneq_epi32_mask(_mm512_and_si512(w.word[0], set1(0xff)), set1(0x45));
	unproven |= _mm512_cmplt_epu32_mask(total, set1(20));
	unproven |= _mm512_cmpgt_epu32_mask(total, bytes);
	unproven |= wrong_checksum(&w);
	unproven |= odd_address4(src) | odd_address4(dst);
	unproven |= maybe_in4(special, sieve, src, dst);
	*last_hop = _mm512_cmple_epu32_mask(_mm512_and_si512(w.word[2], set1(0xff)), set1(1));
	_mm512_storeu_si512(&b->src4[i], src);
	_mm512_storeu_si512(&b->dst4[i], dst);
	_mm512_storeu_si512(&b->ttl4[i], one_hop_less(w.word[2]));
	_mm512_mask_storeu_epi32(&b->l3_bytes[i], (__mmask16)~unproven, total);
	return unproven;
}

void parse4_avx512(struct burst *b, const struct address_set *special, const struct fib4 *fib)
{
	const struct sieve sieve = sieve_load(special);
	uint64_t unproven = 0, last_hop = 0;

	pad_lanes(b, GROUP4);
	for (uint32_t i = 0; i < b->n; i += GROUP4) {
		__mmask16 last;

		unproven |= (uint64_t)parse_group4(b, i, special, &sieve, &last) << i;
		fib4_prefetch(fib, &b->dst4[i], GROUP4);
		last_hop |= (uint64_t)last << i;
	}
	b->sets.unproven = unproven & burst_all(b);
	b->sets.last_hop = last_hop & burst_all(b);
}

/* ---- IPv6 ---- */

static inline __m512i swap64(__m512i v)
{
	return _mm512_shuffle_epi8(
		v, _mm512_set4_epi32(0x08090a0b, 0x0c0d0e0f, 0x00010203, 0x04050607));
}

/* Both addresses of packets k and k + 4. */
static inline __m512i load6(const uint8_t *const *ip, unsigned int k)
{
	const __m256i low = _mm256_loadu_si256((const __m256i *)(ip[k] + 8));
	const __m256i high = _mm256_loadu_si256((const __m256i *)(ip[k + 4] + 8));

	return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

/* The first eight bytes of packets k and k + 1. */
static inline __m128i load_first6(const uint8_t *const *ip, unsigned int k)
{
	return _mm_castpd_si128(
		_mm_loadh_pd(_mm_castsi128_pd(_mm_loadl_epi64((const __m128i *)ip[k])),
			     (const double *)ip[k + 1]));
}

struct columns6 {
	__m512i first; /* version, ..., payload length, next header, hop limit */
	__m512i src_hi, src_lo, dst_hi, dst_lo;
};

static inline struct columns6 load_columns6(const uint8_t *const *ip)
{
	const __m512i src = _mm512_set_epi64(13, 12, 5, 4, 9, 8, 1, 0);
	const __m512i dst = _mm512_set_epi64(15, 14, 7, 6, 11, 10, 3, 2);
	const __m512i a = load6(ip, 0), b = load6(ip, 1), c = load6(ip, 2), d = load6(ip, 3);
	const __m512i ab_hi = _mm512_unpacklo_epi64(a, b), ab_lo = _mm512_unpackhi_epi64(a, b);
	const __m512i cd_hi = _mm512_unpacklo_epi64(c, d), cd_lo = _mm512_unpackhi_epi64(c, d);
	__m512i first = _mm512_castsi128_si512(load_first6(ip, 0));

	first = _mm512_inserti64x2(first, load_first6(ip, 2), 1);
	first = _mm512_inserti64x2(first, load_first6(ip, 4), 2);
	first = _mm512_inserti64x2(first, load_first6(ip, 6), 3);
	return (struct columns6){
		.first = swap64(first),
		.src_hi = swap64(_mm512_permutex2var_epi64(ab_hi, src, cd_hi)),
		.src_lo = swap64(_mm512_permutex2var_epi64(ab_lo, src, cd_lo)),
		.dst_hi = swap64(_mm512_permutex2var_epi64(ab_hi, dst, cd_hi)),
		.dst_lo = swap64(_mm512_permutex2var_epi64(ab_lo, dst, cd_lo)),
	};
}

/* Addresses outside 2000::/3: every special one, and unique local ones. */
static inline __mmask8 odd_address6(__m512i hi)
{
	return _mm512_cmpneq_epi64_mask(_mm512_srli_epi64(hi, 61), _mm512_set1_epi64(1));
}

static inline __m512i hash6(__m512i hi, __m512i lo)
{
	const __m512i mixed = _mm512_xor_si512(
		hi, _mm512_mullo_epi64(lo, _mm512_set1_epi64((int64_t)FILTER_MIX_LO)));

	return _mm512_mullo_epi64(mixed, _mm512_set1_epi64((int64_t)FILTER_MIX));
}

/* Hashes of addresses that address_set_maybe() would not let pass. */
static __attribute__((noinline)) __mmask8 filter_maybe6(const struct address_set *set, __m512i hash)
{
	const __m128i shift = _mm_cvtsi32_si128((int)set->filter_shift);
	const __m512i bit = _mm512_srl_epi64(hash, shift);
	const __m512i word = _mm512_i64gather_epi64(_mm512_srli_epi64(bit, 6), set->filter, 8);

	/* the shift takes the count modulo 64 only if told so */
	return _mm512_test_epi64_mask(
		word, _mm512_sllv_epi64(_mm512_set1_epi64(1),
					_mm512_and_si512(bit, _mm512_set1_epi64(63))));
}

/* Addresses that may be in the set; of the sieve's 16 answers those for upper halves count. */
static inline __mmask8 maybe_in6(const struct address_set *set, const struct sieve *sieve,
				 __m512i hi, __m512i lo)
{
	const __m512i hash = hash6(hi, lo);

	return likely(!(sieve_maybe(sieve, hash) & 0xaaaa)) ? 0 : filter_maybe6(set, hash);
}

/*
 * Eight packets from i on; returns which are unproven. ICMPv6 is left to the stages, so that
 * nobody's neighbour discovery passes here, and with it the destinations of ours.
 */
static inline __attribute__((always_inline)) __mmask8 parse_group6(
	struct burst *b, uint32_t i, const struct address_set *special, const struct sieve *sieve,
	__mmask8 *last_hop)
{
	const struct columns6 c = load_columns6(&b->l3[i]);
	const __m512i byte = _mm512_set1_epi64(0xff);
	const __m512i bytes = _mm512_cvtepu32_epi64(_mm256_loadu_si256((void *)&b->l3_bytes[i]));
	const __m512i total = _mm512_add_epi64(
		_mm512_and_si512(_mm512_srli_epi64(c.first, 16), _mm512_set1_epi64(0xffff)),
		_mm512_set1_epi64(40));
	const __m512i protocol = _mm512_and_si512(_mm512_srli_epi64(c.first, 8), byte);
	__mmask8 unproven;

	unproven = _mm512_cmpneq_epi64_mask(_mm512_srli_epi64(c.first, 60), _mm512_set1_epi64(6));
	unproven |= _mm512_cmpgt_epu64_mask(total, bytes);
	unproven |= _mm512_cmpeq_epi64_mask(protocol, _mm512_set1_epi64(58));
	unproven |= odd_address6(c.src_hi) | odd_address6(c.dst_hi);
	unproven |= maybe_in6(special, sieve, c.src_hi, c.src_lo);
	*last_hop = _mm512_cmple_epu64_mask(_mm512_and_si512(c.first, byte), _mm512_set1_epi64(1));
	_mm512_storeu_si512(&b->src_hi[i], c.src_hi);
	_mm512_storeu_si512(&b->src_lo[i], c.src_lo);
	_mm512_storeu_si512(&b->dst_hi[i], c.dst_hi);
	_mm512_storeu_si512(&b->dst_lo[i], c.dst_lo);
	_mm512_mask_cvtepi64_storeu_epi32(&b->l3_bytes[i], (__mmask8)~unproven, total);
	return unproven;
}

void parse6_avx512(struct burst *b, const struct address_set *special)
{
	const struct sieve sieve = sieve_load(special);
	uint64_t unproven = 0, last_hop = 0;

	pad_lanes(b, GROUP6);
	for (uint32_t i = 0; i < b->n; i += GROUP6) {
		__mmask8 last;

		unproven |= (uint64_t)parse_group6(b, i, special, &sieve, &last) << i;
		last_hop |= (uint64_t)last << i;
	}
	b->sets.unproven = unproven & burst_all(b);
	b->sets.last_hop = last_hop & burst_all(b);
}
