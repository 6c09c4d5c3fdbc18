/* SPDX-License-Identifier: BSD-3-Clause */
/* What is left of a message: every read is bounded, in network byte order. */
#ifndef NAPD_FEED_OCTETS_H
#define NAPD_FEED_OCTETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct octets {
	const uint8_t *at, *end;
};

/* What is wrong with a message, and where in it. */
struct octets_error {
	const uint8_t *at;
	const char *text; /* static */
};

static inline size_t octets_left(const struct octets *o)
{
	return (size_t)(o->end - o->at);
}

/* -1, with the error filled in: for parsers to return. */
static inline int octets_wrong(struct octets_error *error, const uint8_t *at, const char *text)
{
	error->at = at;
	error->text = text;
	return -1;
}

/* Cut the next n off. False, and nothing happens: there are fewer. */
static inline bool octets_cut(struct octets *o, size_t n, struct octets *part)
{
	if (octets_left(o) < n)
		return false;
	*part = (struct octets){ o->at, o->at + n };
	o->at += n;
	return true;
}

/* These are for callers who have seen to it that enough is left. */
static inline uint8_t octets_8(struct octets *o)
{
	return *o->at++;
}

static inline uint16_t octets_16(struct octets *o)
{
	o->at += 2;
	return (uint16_t)(o->at[-2] << 8 | o->at[-1]);
}

static inline uint32_t octets_32(struct octets *o)
{
	uint32_t high = octets_16(o);

	return high << 16 | octets_16(o);
}

#endif
