// SPDX-License-Identifier: BSD-3-Clause
/* Keeps differences of counters, a second and a minute each, and adds them up. */
#include "samples.h"

#include <stdlib.h>
#include <string.h>

#include "counts.h"

#define SECOND_NS    UINT64_C(1000000000)
#define FINE_COUNT   300
#define COARSE_COUNT 1440
#define COARSE_NS    (60 * SECOND_NS)
#define BYTES_MAX    (64u << 20) /* of all samples; beyond, the oldest ones go */

#define PORT_VALUES (SAMPLE_DROPS + REASON_COUNT)

/* One counter that grew between two samples. */
struct growth {
	uint32_t index;
	uint32_t unused;
	uint64_t by;
};

struct sample {
	uint64_t begin_ns; /* when the one before it was taken */
	uint32_t count;
	struct growth growth[];
};

/* Samples at one interval, and what the counters were when the last was taken. */
struct series {
	struct sample **sample; /* a ring of size */
	uint32_t size, first, count;
	uint64_t interval_ns, taken_ns;
	uint64_t *last;
	size_t bytes;
};

struct samples {
	uint16_t parties;
	size_t values;
	uint64_t start_ns;
	struct series fine, coarse;
	struct growth *scratch;
};

/* ---- which value stands where ---- */

static size_t port_index(uint16_t port, unsigned int what)
{
	return (size_t)port * PORT_VALUES + what;
}

static size_t party_index(uint16_t party, unsigned int what)
{
	return (size_t)PORT_MAX * PORT_VALUES + (size_t)party * SAMPLE_PARTY_VALUES + what;
}

/* ---- reading the counters: what visit gets ---- */

struct reading {
	struct samples *s;
	struct series *series;
	uint32_t count;
	uint64_t *to; /* samples_since(): where growth is added; else scratch gets it */
};

static void read_value(struct reading *r, size_t index, uint64_t now)
{
	const uint64_t last = r->series->last[index];
	/* a number that is another's now began anew */
	const uint64_t by = now >= last ? now - last : now;

	if (!by)
		return;
	if (r->to) {
		r->to[index] += by;
		return;
	}
	r->s->scratch[r->count++] = (struct growth){ .index = (uint32_t)index, .by = by };
	r->series->last[index] = now;
}

static void read_port(struct reading *r, const struct runtime *rt, uint16_t port)
{
	struct port_counters c;
	uint64_t values[SAMPLE_DROPS];

	counts_port(rt->counts, port, &c);
	values[SAMPLE_RX_PACKETS] = c.received.packets;
	values[SAMPLE_RX_BYTES] = c.received.bytes;
	values[SAMPLE_TX_PACKETS] = c.transmitted.packets;
	values[SAMPLE_TX_BYTES] = c.transmitted.bytes;
	values[SAMPLE_FORWARDED] = c.forwarded.packets;
	values[SAMPLE_CONSUMED] = c.consumed.packets;
	for (unsigned int i = 0; i < SAMPLE_DROPS; i++)
		read_value(r, port_index(port, i), values[i]);
	for (unsigned int i = REASON_CONSUMED + 1; i < REASON_COUNT; i++)
		read_value(r, port_index(port, SAMPLE_DROPS + i), c.drop[i].packets);
}

/* Rows and columns of the matrix in one go. */
static void read_parties(struct reading *r, const struct runtime *rt)
{
	const uint16_t n = RTE_MIN(model_parties(rt->model), r->s->parties);
	uint64_t(*sum)[SAMPLE_PARTY_VALUES] = calloc(n + 1u, sizeof(*sum));

	if (!sum)
		return;
	for (uint32_t k = 0; k < (uint32_t)n * n * 2; k++) {
		const uint16_t in = k / 2 / n, out = k / 2 % n;
		const struct matrix_cell c = counts_matrix(rt->counts, in, out, k % 2);

		sum[in][SAMPLE_SENT_PACKETS] += c.packets;
		sum[in][SAMPLE_SENT_BYTES] += c.bytes;
		sum[out][SAMPLE_RECEIVED_PACKETS] += c.packets;
		sum[out][SAMPLE_RECEIVED_BYTES] += c.bytes;
	}
	for (uint16_t party = 0; party < n; party++)
		for (unsigned int i = 0; i < SAMPLE_PARTY_VALUES; i++)
			read_value(r, party_index(party, i), sum[party][i]);
	free(sum);
}

static void read_all(struct reading *r, const struct runtime *rt)
{
	for (uint16_t port = 0; port < model_port_numbers(rt->model); port++)
		if (model_config_port(rt->model, port) != SIZE_MAX)
			read_port(r, rt, port);
	read_parties(r, rt);
}

/* ---- the series ---- */

static void drop_oldest(struct series *series)
{
	struct sample *oldest = series->sample[series->first];

	series->bytes -= sizeof(*oldest) + oldest->count * sizeof(oldest->growth[0]);
	free(oldest);
	series->first = (series->first + 1) % series->size;
	series->count--;
}

/* Without memory the period's growth is lost to later questions, no more. */
static void take(struct samples *s, struct series *series, const struct runtime *rt,
		 uint64_t now_ns)
{
	struct reading r = { .s = s, .series = series };
	const uint64_t begin_ns = series->taken_ns;
	struct sample *sample;
	size_t bytes;

	read_all(&r, rt);
	series->taken_ns = now_ns;
	bytes = sizeof(*sample) + r.count * sizeof(sample->growth[0]);
	sample = malloc(bytes);
	if (!sample)
		return;
	sample->begin_ns = begin_ns;
	sample->count = r.count;
	memcpy(sample->growth, s->scratch, r.count * sizeof(sample->growth[0]));
	while (series->count &&
	       (series->count == series->size || series->bytes + bytes > BYTES_MAX / 2))
		drop_oldest(series);
	series->sample[(series->first + series->count++) % series->size] = sample;
	series->bytes += bytes;
}

void samples_tick(struct samples *s, const struct runtime *rt, uint64_t now_ns)
{
	struct series *const series[] = { &s->fine, &s->coarse };

	if (!s->start_ns)
		s->start_ns = s->fine.taken_ns = s->coarse.taken_ns = now_ns;
	for (int i = 0; i < 2; i++)
		if (now_ns - series[i]->taken_ns >= series[i]->interval_ns)
			take(s, series[i], rt, now_ns);
}

/* ---- questions ---- */

struct since *samples_since(struct samples *s, const struct runtime *rt, uint64_t period_ns,
			    uint64_t now_ns)
{
	struct series *series = period_ns <= FINE_COUNT * SECOND_NS ? &s->fine : &s->coarse;
	const uint64_t from_ns = now_ns > period_ns ? now_ns - period_ns : 0;
	struct since *since = calloc(1, sizeof(*since));
	uint64_t begin_ns = series->taken_ns;
	struct reading r = { .s = s, .series = series };

	if (since)
		since->value = calloc(s->values, sizeof(*since->value));
	if (!since || !since->value) {
		free(since);
		return NULL;
	}
	since->samples = s;
	r.to = since->value;
	read_all(&r, rt); /* what no sample has yet */
	for (uint32_t i = series->count; i-- > 0 && begin_ns > from_ns;) {
		const struct sample *sample = series->sample[(series->first + i) % series->size];

		for (uint32_t k = 0; k < sample->count; k++)
			since->value[sample->growth[k].index] += sample->growth[k].by;
		begin_ns = sample->begin_ns;
	}
	since->seconds = (double)(now_ns - begin_ns) / SECOND_NS;
	return since;
}

void since_free(struct since *since)
{
	if (since)
		free(since->value);
	free(since);
}

uint64_t since_port(const struct since *since, uint16_t port, unsigned int what)
{
	return since->value[port_index(port, what)];
}

uint64_t since_party(const struct since *since, uint16_t party, enum sample_party what)
{
	return party < since->samples->parties ? since->value[party_index(party, what)] : 0;
}

/* ---- start and end ---- */

static int series_init(struct series *series, uint32_t size, uint64_t interval_ns, size_t values)
{
	*series = (struct series){ .size = size, .interval_ns = interval_ns };
	series->sample = calloc(size, sizeof(*series->sample));
	/* mapped, not touched: a page is there once something of it was counted */
	series->last = calloc(values, sizeof(*series->last));
	return series->sample && series->last ? 0 : -1;
}

static void series_fini(struct series *series)
{
	while (series->count)
		drop_oldest(series);
	free(series->sample);
	free(series->last);
}

struct samples *samples_create(uint16_t parties)
{
	struct samples *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->parties = parties;
	s->values = party_index(parties, 0);
	s->scratch = calloc(s->values, sizeof(*s->scratch));
	if (series_init(&s->fine, FINE_COUNT, SECOND_NS, s->values) == 0 &&
	    series_init(&s->coarse, COARSE_COUNT, COARSE_NS, s->values) == 0 && s->scratch)
		return s;
	samples_free(s);
	return NULL;
}

void samples_free(struct samples *s)
{
	if (!s)
		return;
	series_fini(&s->fine);
	series_fini(&s->coarse);
	free(s->scratch);
	free(s);
}
