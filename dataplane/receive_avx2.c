// SPDX-License-Identifier: BSD-3-Clause
/* Receiving with AVX2: the fields of four frames, and the Ethernet headers of eight, at once. */
#include <immintrin.h>

#include <rte_ether.h>

#include "receive.h"

#define GROUP 8 /* frames whose headers are compared at once */

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

/* The first four words of a frame. */
static inline __m256i load_words0(const struct rte_mbuf *frame)
{
	return _mm256_load_si256((const __m256i *)frame);
}

/* The fifth and sixth word. */
static inline __m128i load_words4(const struct rte_mbuf *frame)
{
	return _mm_load_si128((const __m128i *)frame + 2);
}

/* Sums, and what is least, of the lanes. */
struct sums {
	__m128i bytes, least;
};

/* Four frames from i on. */
static inline __attribute__((always_inline)) void take(struct burst *b, uint32_t i, struct sums *s)
{
	struct rte_mbuf *const *f = &b->frame[i];
	const __m256i ab = _mm256_unpacklo_epi64(load_words0(f[0]), load_words0(f[1]));
	const __m256i cd = _mm256_unpacklo_epi64(load_words0(f[2]), load_words0(f[3]));
	const __m256i address = _mm256_permute2x128_si256(ab, cd, 0x20);
	const __m256i offset = _mm256_and_si256(_mm256_permute2x128_si256(ab, cd, 0x31),
						_mm256_set1_epi64x(0xffff));
	const __m128i a4 = load_words4(f[0]), b4 = load_words4(f[1]);
	const __m128i c4 = load_words4(f[2]), d4 = load_words4(f[3]);
	const __m128i bytes =
		_mm_unpackhi_epi64(_mm_unpacklo_epi32(a4, b4), _mm_unpacklo_epi32(c4, d4));
	const __m128i data =
		_mm_unpacklo_epi64(_mm_unpackhi_epi32(a4, b4), _mm_unpackhi_epi32(c4, d4));

	_mm256_store_si256((__m256i *)&b->l3[i],
			   _mm256_add_epi64(_mm256_add_epi64(address, offset),
					    _mm256_set1_epi64x(RTE_ETHER_HDR_LEN)));
	_mm_store_si128((__m128i *)&b->bytes[i], bytes);
	_mm_store_si128((__m128i *)&b->l3_bytes[i],
			_mm_sub_epi32(bytes, _mm_set1_epi32(RTE_ETHER_HDR_LEN)));
	s->bytes = _mm_add_epi32(s->bytes, bytes);
	s->least = _mm_min_epu32(s->least, _mm_and_si128(data, _mm_set1_epi32(0xffff)));
}

/* Fill the columns. */
static void take_all(struct burst *b, struct likeness *like)
{
	struct sums s = { _mm_setzero_si128(), _mm_set1_epi32(0xffff) };
	__m128i less, pairs;

	for (uint32_t i = 0; i < b->n; i += GROUP) {
		take(b, i, &s);
		take(b, i + GROUP / 2, &s);
	}
	less = _mm_cmplt_epi32(s.least, _mm_set1_epi32(RTE_ETHER_HDR_LEN));
	like->headers = _mm_testz_si128(less, less);
	pairs = _mm_add_epi32(s.bytes, _mm_shuffle_epi32(s.bytes, 0x4e));
	like->bytes =
		(uint32_t)_mm_cvtsi128_si32(_mm_add_epi32(pairs, _mm_shuffle_epi32(pairs, 0xb1))) -
		(-b->n % GROUP) * rte_pktmbuf_pkt_len(b->frame[0]);
}

/* The Ethernet headers, and two bytes more, of frames k and k + 4. */
static inline __m256i load_headers(const uint8_t *const *l3, unsigned int k)
{
	const uint8_t *low = l3[k] - RTE_ETHER_HDR_LEN, *high = l3[k + 4] - RTE_ETHER_HDR_LEN;

	return _mm256_inserti128_si256(
		_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)low)),
		_mm_loadu_si128((const __m128i *)high), 1);
}

/* What differs from header in that of any of 8 frames, added to differ; their last words. */
static inline __attribute__((always_inline)) __m256i compare(const uint8_t *const *l3,
							     __m256i header, __m256i *differ)
{
	__m256i v[4];

	for (unsigned int k = 0; k < 4; k++) {
		v[k] = load_headers(l3, k);
		*differ = _mm256_or_si256(*differ, _mm256_xor_si256(v[k], header));
	}
	return _mm256_unpackhi_epi64(_mm256_unpackhi_epi32(v[0], v[1]),
				     _mm256_unpackhi_epi32(v[2], v[3]));
}

static inline uint32_t lanes(__m256i v)
{
	return (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(v));
}

/* Compare all frames, which have Ethernet headers, with the first one. */
static void compare_all(const struct burst *b, struct likeness *like)
{
	const __m256i header = _mm256_broadcastsi128_si256(
		_mm_loadu_si128((const __m128i *)(b->l3[0] - RTE_ETHER_HDR_LEN)));
	const __m256i type4 = _mm256_set1_epi32(RTE_BE16(RTE_ETHER_TYPE_IPV4));
	const __m256i type6 = _mm256_set1_epi32(RTE_BE16(RTE_ETHER_TYPE_IPV6));
	__m256i differ = _mm256_setzero_si256(), other = differ;
	uint64_t ipv6 = 0;
	uint32_t same;

	for (uint32_t i = 0; i < b->n; i += GROUP) {
		const __m256i type = _mm256_and_si256(compare(&b->l3[i], header, &differ),
						      _mm256_set1_epi32(0xffff));
		const __m256i is6 = _mm256_cmpeq_epi32(type, type6);
		const __m256i is4 = _mm256_cmpeq_epi32(type, type4);

		ipv6 |= (uint64_t)lanes(is6) << i;
		other = _mm256_or_si256(other, _mm256_andnot_si256(_mm256_or_si256(is4, is6),
								   _mm256_set1_epi32(-1)));
	}
	same = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(differ, _mm256_setzero_si256()));
	like->macs = (same & 0x0fff0fff) == 0x0fff0fff;
	like->types = (same & 0x30003000) == 0x30003000;
	like->ip = !lanes(other);
	like->ipv6 = ipv6 & burst_all(b);
}

struct likeness receive_avx2(struct burst *b)
{
	struct likeness like = { 0 };

	pad_lanes(b);
	take_all(b, &like);
	if (like.headers)
		compare_all(b, &like);
	return like;
}
