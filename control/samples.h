/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What was counted when: a sample a second for five minutes, one a minute for a day, in
 * bounded memory, so that people can ask what happened since. Only what changed is kept.
 * Control thread.
 */
#ifndef NAPD_SAMPLES_H
#define NAPD_SAMPLES_H

#include <stdint.h>

#include "runtime.h"

#define SAMPLES_LONGEST_S 86400

struct samples;

/* parties: as many numbers of parties as there may be. Returns to the caller; NULL without memory.
 */
struct samples *samples_create(uint16_t parties);
void samples_free(struct samples *s);

/* Take a sample when it is time for one; call it several times a second. */
void samples_tick(struct samples *s, const struct runtime *rt, uint64_t now_ns);

/* What of a port and of a party. */
enum sample_port {
	SAMPLE_RX_PACKETS,
	SAMPLE_RX_BYTES,
	SAMPLE_TX_PACKETS,
	SAMPLE_TX_BYTES,
	SAMPLE_FORWARDED,
	SAMPLE_CONSUMED,
	SAMPLE_DROPS, /* and from here on by reason */
};
enum sample_party {
	SAMPLE_SENT_PACKETS,
	SAMPLE_SENT_BYTES,
	SAMPLE_RECEIVED_PACKETS,
	SAMPLE_RECEIVED_BYTES,
	SAMPLE_PARTY_VALUES
};

/* How much was counted in a period that ends now. */
struct since {
	double seconds; /* how long it is: to the sample before what was asked for, or the start */
	uint64_t *value;
	const struct samples *samples;
};

/*
 * What was counted in the last period_ns, or since the start if that is later. Returns to the
 * caller, who calls since_free(); NULL without memory.
 */
struct since *samples_since(struct samples *s, const struct runtime *rt, uint64_t period_ns,
			    uint64_t now_ns);
void since_free(struct since *since);

uint64_t since_port(const struct since *since, uint16_t port, unsigned int what);
uint64_t since_party(const struct since *since, uint16_t party, enum sample_party what);

#endif
