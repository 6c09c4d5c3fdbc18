// SPDX-License-Identifier: BSD-3-Clause
/* Receiving with AVX-512: the fields of 8 frames, and the Ethernet headers of 16, at once. */
#include <immintrin.h>

#include <rte_ether.h>

#include "receive.h"

#define GROUP 16 /* frames whose headers are compared at once */

/* Where fields stand in the words of a frame's descriptor. */
_Static_assert(offsetof(struct rte_mbuf, buf_addr) == 0, "first word");
_Static_assert(offsetof(struct rte_mbuf, data_off) == 16, "third word, lowest bits");
_Static_assert(offsetof(struct rte_mbuf, pkt_len) == 36, "fifth word, upper half");
_Static_assert(offsetof(struct rte_mbuf, data_len) == 40, "sixth word, lowest bits");

/* Lanes behind the last frame repeat the first one; nobody looks at them. */
static inline void pad_lanes(struct burst *b)
{
	for (uint32_t i = b->n; i % GROUP != 0; i++)
		b->frame[i] = b->frame[0];
}

/* The first four words of two frames. */
static inline __m512i load_words0(struct rte_mbuf *const *frame, unsigned int k)
{
	const __m256i low = _mm256_load_si256((const __m256i *)frame[k]);
	const __m256i high = _mm256_load_si256((const __m256i *)frame[k + 4]);

	return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

/* The fifth and sixth word of every other of eight frames. */
static inline __m512i load_words4(struct rte_mbuf *const *frame)
{
	const __m128i *word[4];
	__m512i v;

	for (unsigned int k = 0; k < 4; k++)
		word[k] = (const __m128i *)frame[2 * k] + 2;
	v = _mm512_castsi128_si512(_mm_load_si128(word[0]));
	v = _mm512_inserti64x2(v, _mm_load_si128(word[1]), 1);
	v = _mm512_inserti64x2(v, _mm_load_si128(word[2]), 2);
	return _mm512_inserti64x2(v, _mm_load_si128(word[3]), 3);
}

/* Eight frames from i on; returns which have less data than an Ethernet header; adds bytes. */
static inline __attribute__((always_inline)) __mmask32 take(struct burst *b, uint32_t i,
							    __m512i *bytes)
{
	const __m512i first = _mm512_set_epi64(13, 12, 5, 4, 9, 8, 1, 0);
	const __m512i third = _mm512_set_epi64(15, 14, 7, 6, 11, 10, 3, 2);
	struct rte_mbuf *const *f = &b->frame[i];
	const __m512i low = _mm512_unpacklo_epi64(load_words0(f, 0), load_words0(f, 1));
	const __m512i high = _mm512_unpacklo_epi64(load_words0(f, 2), load_words0(f, 3));
	const __m512i even = load_words4(f), odd = load_words4(f + 1);
	const __m512i address = _mm512_permutex2var_epi64(low, first, high);
	const __m512i offset = _mm512_and_si512(_mm512_permutex2var_epi64(low, third, high),
						_mm512_set1_epi64(0xffff));
	const __m512i length = _mm512_srli_epi64(_mm512_unpacklo_epi64(even, odd), 32);
	const __m512i header = _mm512_set1_epi64(RTE_ETHER_HDR_LEN);

	_mm512_store_si512(&b->l3[i], _mm512_add_epi64(_mm512_add_epi64(address, offset), header));
	_mm256_store_si256((__m256i *)&b->bytes[i], _mm512_cvtepi64_epi32(length));
	_mm256_store_si256((__m256i *)&b->l3_bytes[i],
			   _mm512_cvtepi64_epi32(_mm512_sub_epi64(length, header)));
	*bytes = _mm512_add_epi64(*bytes, length);
	return _mm512_mask_cmplt_epu16_mask(0x11111111, _mm512_unpackhi_epi64(even, odd),
					    _mm512_set1_epi16(RTE_ETHER_HDR_LEN));
}

/* Fill the columns. */
static void take_all(struct burst *b, struct likeness *like)
{
	__m512i bytes = _mm512_setzero_si512();
	__mmask32 less = 0;

	for (uint32_t i = 0; i < b->n; i += GROUP)
		less |= take(b, i, &bytes) | take(b, i + GROUP / 2, &bytes);
	like->headers = !less;
	like->bytes = (uint32_t)_mm512_reduce_add_epi64(bytes) -
		      (-b->n % GROUP) * rte_pktmbuf_pkt_len(b->frame[0]);
}

/* The Ethernet headers, and two bytes more, of frames k, k + 4, k + 8 and k + 12. */
static inline __m512i load_headers(const uint8_t *const *l3, unsigned int k)
{
	const __m128i *header[4];
	__m512i v;

	for (unsigned int j = 0; j < 4; j++)
		header[j] = (const __m128i *)(l3[k + 4 * j] - RTE_ETHER_HDR_LEN);
	v = _mm512_castsi128_si512(_mm_loadu_si128(header[0]));
	v = _mm512_inserti64x2(v, _mm_loadu_si128(header[1]), 1);
	v = _mm512_inserti64x2(v, _mm_loadu_si128(header[2]), 2);
	return _mm512_inserti64x2(v, _mm_loadu_si128(header[3]), 3);
}

/* What differs from header in that of any of 16 frames, added to differ; their last words. */
static inline __attribute__((always_inline)) __m512i compare(const uint8_t *const *l3,
							     __m512i header, __m512i *differ)
{
	__m512i v[4];

	for (unsigned int k = 0; k < 4; k++) {
		v[k] = load_headers(l3, k);
		/* differ | (v ^ header) */
		*differ = _mm512_ternarylogic_epi64(*differ, v[k], header, 0xf6);
	}
	return _mm512_unpackhi_epi64(_mm512_unpackhi_epi32(v[0], v[1]),
				     _mm512_unpackhi_epi32(v[2], v[3]));
}

/* Compare all frames, which have Ethernet headers, with the first one. */
static void compare_all(const struct burst *b, struct likeness *like)
{
	const __m512i header =
		_mm512_broadcast_i32x4(_mm_loadu_si128((void *)(b->l3[0] - RTE_ETHER_HDR_LEN)));
	const __m512i type4 = _mm512_set1_epi32(RTE_BE16(RTE_ETHER_TYPE_IPV4));
	const __m512i type6 = _mm512_set1_epi32(RTE_BE16(RTE_ETHER_TYPE_IPV6));
	__m512i differ = _mm512_setzero_si512();
	uint64_t ipv6 = 0;
	__mmask16 other = 0;
	__mmask64 bytes;

	for (uint32_t i = 0; i < b->n; i += GROUP) {
		const __m512i type = _mm512_and_si512(compare(&b->l3[i], header, &differ),
						      _mm512_set1_epi32(0xffff));
		const __mmask16 is6 = _mm512_cmpeq_epi32_mask(type, type6);

		ipv6 |= (uint64_t)is6 << i;
		other |= _mm512_mask_cmpneq_epi32_mask((__mmask16)~is6, type, type4);
	}
	bytes = _mm512_test_epi8_mask(differ, differ);
	like->macs = !(bytes & 0x0fff0fff0fff0fff);
	like->types = !(bytes & 0x3000300030003000);
	like->ip = !other;
	like->ipv6 = ipv6 & burst_all(b);
}

struct likeness receive_avx512(struct burst *b)
{
	struct likeness like = { 0 };

	pad_lanes(b);
	take_all(b, &like);
	if (like.headers)
		compare_all(b, &like);
	return like;
}
