/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What was counted when: a sample a second for five minutes, one a minute for a day, in
 * bounded memory, so that people can ask what happened since. A sample is read in steps, so that
 * thousands of ports and millions of pairs delay nothing. Control thread.
 */
#ifndef NAPD_SAMPLES_H
#define NAPD_SAMPLES_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime.h"

#define SAMPLES_LONGEST_S 86400

struct samples;

/* parties: as many numbers of parties as there may be. Returns to the caller; NULL without memory.
 */
struct samples *samples_create(uint16_t parties);
void samples_free(struct samples *s);

/* Read some more counters, if it is time for a sample: every 10 ms. */
void samples_tick(struct samples *s, const struct runtime *rt, uint64_t now_ns);

/* The number is another's now, whose counters began at 0: what was before is not the newcomer's. */
void samples_start_port(struct samples *s, uint16_t port, uint64_t now_ns);
void samples_start_party(struct samples *s, uint16_t party, uint64_t now_ns);

/* What of a port, of a party and of a worker. */
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
enum sample_worker {
	SAMPLE_BUSY_NS,
	SAMPLE_WORKER_RECEIVED,
	SAMPLE_PUNTS_LOST,
	SAMPLE_WORKER_VALUES
};

/* Of what; ports and workers are read round, and pairs and parties are. */
enum since_kind { SINCE_COUNTS, SINCE_PARTIES, SINCE_PAIRS, SINCE_KINDS };

/* How much was counted in a period that ends with the last sample. */
struct since {
	double seconds; /* how long it is: what was asked for, or as long as there are samples */
	uint64_t *value;
	enum since_kind kind;
	const struct samples *samples;
};

/*
 * What was counted in the last period_ns, or since the start if that is later. Returns to the
 * caller, who calls since_free(); NULL without memory.
 */
struct since *samples_since(const struct samples *s, uint64_t period_ns, enum since_kind kind);
void since_free(struct since *since);

/* Of SINCE_COUNTS. */
uint64_t since_port(const struct since *since, uint16_t port, unsigned int what);
uint64_t since_worker(const struct since *since, unsigned int worker, enum sample_worker what);
/* Of SINCE_PARTIES. */
uint64_t since_party(const struct since *since, uint16_t party, enum sample_party what);
/* Of SINCE_PAIRS. */
struct matrix_cell since_pair(const struct since *since, uint16_t in, uint16_t out, int ipv6);

#endif
