// SPDX-License-Identifier: BSD-3-Clause
/* Goes round all counters, some of them each step, and keeps what grew. */
#include "samples.h"

#include <stdlib.h>
#include <string.h>

#include "counts.h"
#include "series.h"

#define SECOND_NS UINT64_C(1000000000)
#define BYTES_MAX (32u << 20) /* of one series */

/* How many counters of workers a step reads at most of each kind: a fraction of a millisecond. */
#define STEP_LOADS 60000
#define PORT_LOADS (sizeof(struct port_counters) / sizeof(uint64_t))
#define CELL_LOADS 2

#define PORT_VALUES (SAMPLE_DROPS + REASON_COUNT)

enum level { SECONDS, MINUTES, LEVELS };
static const uint64_t interval_ns[LEVELS] = { SECOND_NS, 60 * SECOND_NS };
static const uint32_t samples_kept[LEVELS] = { 300, 1440 };

/* The way round all counters of a kind, some at each step. */
struct round {
	uint64_t number; /* of this one, or of the next if none is going */
	bool going;
	uint64_t begin_ns;
	uint64_t next; /* port or cell to be read next */
	bool taking[LEVELS];
	/* the last sample of each level: when, and in which round */
	uint64_t taken_ns[LEVELS], taken[LEVELS];
};

struct samples {
	uint16_t parties;
	struct round counts, matrix;
	struct series series[SINCE_KINDS][LEVELS];
	/* by how much a party's row and column grew in this round */
	uint64_t (*party)[LEVELS][SAMPLE_PARTY_VALUES];
	/* of a number's owner: its first round; a party's as number * cells(s) + cell */
	uint64_t *port_start, *party_start;
	uint64_t newest_start_ns;
};

/* ---- which value stands where ---- */

static size_t port_index(uint16_t port, unsigned int what)
{
	return (size_t)port * PORT_VALUES + what;
}

static size_t worker_index(unsigned int worker, unsigned int what)
{
	return (size_t)PORT_MAX * PORT_VALUES + (size_t)worker * SAMPLE_WORKER_VALUES + what;
}

static size_t party_index(uint16_t party, unsigned int what)
{
	return (size_t)party * SAMPLE_PARTY_VALUES + what;
}

/* Cells stand row by row, a row for each family. Two values each: packets, bytes. */
static uint64_t cells(const struct samples *s)
{
	return 2ull * s->parties * s->parties;
}

static uint64_t cell_at(const struct samples *s, uint16_t in, uint16_t out, int ipv6)
{
	return (2ull * in + ipv6) * s->parties + out;
}

static size_t values(const struct samples *s, enum since_kind kind)
{
	return kind == SINCE_COUNTS    ? worker_index(WORKER_MAX, 0)
	       : kind == SINCE_PARTIES ? party_index(s->parties, 0)
				       : 2 * cells(s);
}

/* ---- rounds ---- */

static bool round_begin(struct round *r, uint64_t now_ns)
{
	for (int i = 0; i < LEVELS; i++) {
		if (!r->taken_ns[i])
			r->taken_ns[i] = now_ns;
		r->taking[i] = now_ns - r->taken_ns[i] >= interval_ns[i];
		r->going |= r->taking[i];
	}
	r->begin_ns = now_ns;
	r->next = 0;
	return r->going;
}

static void round_end(struct samples *s, struct round *r, enum since_kind kind)
{
	for (int i = 0; i < LEVELS; i++)
		if (r->taking[i])
			series_close(&s->series[kind][i], r->taken_ns[i], r->begin_ns, r->number);
}

static void round_over(struct round *r)
{
	for (int i = 0; i < LEVELS; i++) {
		if (r->taking[i]) {
			r->taken_ns[i] = r->begin_ns;
			r->taken[i] = r->number;
		}
	}
	r->going = false;
	r->number++;
}

/* ---- of ports and workers ---- */

static void see(struct samples *s, size_t index, uint64_t now)
{
	for (int i = 0; i < LEVELS; i++)
		if (s->counts.taking[i])
			series_see(&s->series[SINCE_COUNTS][i], index, now, false);
}

static void read_port(struct samples *s, const struct runtime *rt, uint16_t port)
{
	struct port_counters c;

	counts_port(rt->counts, port, &c);
	see(s, port_index(port, SAMPLE_RX_PACKETS), c.received.packets);
	see(s, port_index(port, SAMPLE_RX_BYTES), c.received.bytes);
	see(s, port_index(port, SAMPLE_TX_PACKETS), c.transmitted.packets);
	see(s, port_index(port, SAMPLE_TX_BYTES), c.transmitted.bytes);
	see(s, port_index(port, SAMPLE_FORWARDED), c.forwarded.packets);
	see(s, port_index(port, SAMPLE_CONSUMED), c.consumed.packets);
	for (unsigned int i = REASON_CONSUMED + 1; i < REASON_COUNT; i++)
		see(s, port_index(port, SAMPLE_DROPS + i), c.drop[i].packets);
}

static void read_workers(struct samples *s, const struct runtime *rt)
{
	for (unsigned int i = 0; i < rt->workers; i++) {
		const struct worker_load load = worker_load(dataplane_worker(rt->dp, i));

		see(s, worker_index(i, SAMPLE_BUSY_NS), load.busy_ns);
		see(s, worker_index(i, SAMPLE_WORKER_RECEIVED), load.received);
		see(s, worker_index(i, SAMPLE_PUNTS_LOST), load.punts_lost);
	}
}

static void step_counts(struct samples *s, const struct runtime *rt, uint64_t now_ns)
{
	struct round *r = &s->counts;
	int64_t left = STEP_LOADS;

	if (!r->going && !round_begin(r, now_ns))
		return;
	for (; r->next < model_port_numbers(rt->model) && left > 0; r->next++) {
		if (model_config_port(rt->model, r->next) == SIZE_MAX)
			continue;
		read_port(s, rt, r->next);
		left -= (int64_t)PORT_LOADS * rt->workers;
	}
	if (left <= 0)
		return;
	read_workers(s, rt);
	round_end(s, r, SINCE_COUNTS);
	round_over(r);
}

/* ---- of the matrix, and of parties, which have its rows and columns ---- */

static void see_cell(struct samples *s, uint16_t in, uint16_t out, uint64_t at,
		     const struct matrix_cell *c)
{
	const struct round *r = &s->matrix;
	const uint64_t start = RTE_MAX(s->party_start[in], s->party_start[out]);

	for (int i = 0; i < LEVELS; i++) {
		struct series *series = &s->series[SINCE_PAIRS][i];
		const bool anew =
			start <= r->number * cells(s) + at && start > r->taken[i] * cells(s) + at;
		uint64_t packets, bytes;

		if (!r->taking[i])
			continue;
		packets = series_see(series, 2 * at, c->packets, anew);
		bytes = series_see(series, 2 * at + 1, c->bytes, anew);
		s->party[in][i][SAMPLE_SENT_PACKETS] += packets;
		s->party[in][i][SAMPLE_SENT_BYTES] += bytes;
		s->party[out][i][SAMPLE_RECEIVED_PACKETS] += packets;
		s->party[out][i][SAMPLE_RECEIVED_BYTES] += bytes;
	}
}

static void read_parties(struct samples *s, enum level level)
{
	struct series *series = &s->series[SINCE_PARTIES][level];

	for (uint16_t party = 0; party < s->parties; party++) {
		for (unsigned int i = 0; i < SAMPLE_PARTY_VALUES; i++) {
			const size_t index = party_index(party, i);
			uint64_t *grew = &s->party[party][level][i];

			if (*grew && series_see(series, index, series->last[index] + *grew, false))
				*grew = 0;
		}
	}
}

/*
 * Read on in the row where the round is, as far as left allows. Numbers that nobody has are left
 * out: they may be on their way to another. Returns what is left.
 */
static int64_t step_row(struct samples *s, const struct runtime *rt, int64_t left)
{
	const uint64_t row = s->matrix.next / s->parties, begin = row * s->parties;
	const uint16_t n = model_parties(rt->model), in = row / 2;
	uint16_t out = s->matrix.next % s->parties;

	if (in >= n) {
		s->matrix.next = cells(s);
		return left;
	}
	left--;
	if (!model_party_name(rt->model, in))
		out = n;
	for (; out < n && left > 0; out++) {
		struct matrix_cell c;

		left--;
		if (!model_party_name(rt->model, out))
			continue;
		c = counts_matrix(rt->counts, in, out, row % 2);
		left -= CELL_LOADS * (int64_t)rt->workers;
		if (c.packets)
			see_cell(s, in, out, begin + out, &c);
	}
	s->matrix.next = begin + (out < n ? out : s->parties);
	return left;
}

static void step_matrix(struct samples *s, const struct runtime *rt, uint64_t now_ns)
{
	struct round *r = &s->matrix;
	int64_t left = STEP_LOADS;

	if (!r->going && !round_begin(r, now_ns))
		return;
	while (r->next < cells(s) && left > 0)
		left = step_row(s, rt, left);
	if (left <= 0)
		return;
	for (int i = 0; i < LEVELS; i++)
		if (r->taking[i])
			read_parties(s, i);
	round_end(s, r, SINCE_PARTIES);
	round_end(s, r, SINCE_PAIRS);
	round_over(r);
}

void samples_tick(struct samples *s, const struct runtime *rt, uint64_t now_ns)
{
	step_counts(s, rt, now_ns);
	step_matrix(s, rt, now_ns);
}

/* ---- numbers that are another's ---- */

void samples_start_port(struct samples *s, uint16_t port, uint64_t now_ns)
{
	for (int i = 0; i < LEVELS; i++)
		series_restart(&s->series[SINCE_COUNTS][i], port_index(port, 0), PORT_VALUES);
	s->port_start[port] = s->counts.number + s->counts.going;
	s->newest_start_ns = now_ns;
}

/* Its row and its column are found anew when the round comes to them: see_cell(). */
void samples_start_party(struct samples *s, uint16_t party, uint64_t now_ns)
{
	if (party >= s->parties)
		return;
	memset(s->party[party], 0, sizeof(s->party[party]));
	s->newest_start_ns = now_ns;
	s->party_start[party] =
		s->matrix.number * cells(s) + (s->matrix.going ? s->matrix.next : 0);
}

/* ---- questions ---- */

/* Was it read when the owner of the value had come? */
static bool is_owners(const struct samples *s, enum since_kind kind, uint64_t round, uint64_t index)
{
	const uint64_t cell = index / 2;

	switch (kind) {
	case SINCE_PARTIES:
		return round >= s->party_start[index / SAMPLE_PARTY_VALUES] / cells(s);
	case SINCE_PAIRS:
		return round * cells(s) + cell >= s->party_start[cell / s->parties / 2] &&
		       round * cells(s) + cell >= s->party_start[cell % s->parties];
	default:
		return index >= worker_index(0, 0) || round >= s->port_start[index / PORT_VALUES];
	}
}

static void add(struct since *since, const struct sample *sample)
{
	const struct samples *s = since->samples;
	const bool all = sample->begin_ns >= s->newest_start_ns;

	for (uint32_t i = 0; i < sample->count; i++) {
		const struct growth *g = &sample->growth[i];

		if (all || is_owners(s, since->kind, sample->mark, g->index))
			since->value[g->index] += g->by;
	}
}

/* Samples from end_ns back to from_ns, or to until_ns. Returns where they begin. */
static uint64_t add_back(struct since *since, const struct series *series, uint64_t end_ns,
			 uint64_t from_ns, uint64_t until_ns)
{
	for (uint32_t i = series->count; i-- > 0 && end_ns > from_ns && end_ns > until_ns;) {
		const struct sample *sample = series_at(series, i);

		if (sample->end_ns > end_ns)
			continue;
		add(since, sample);
		end_ns = sample->begin_ns;
	}
	return end_ns;
}

static uint64_t oldest(const struct series *series)
{
	return series->count ? series_at(series, 0)->begin_ns : UINT64_MAX;
}

struct since *samples_since(const struct samples *s, uint64_t period_ns, enum since_kind kind)
{
	const struct series *seconds = &s->series[kind][SECONDS];
	const struct series *minutes = &s->series[kind][MINUTES];
	const struct round *r = kind == SINCE_COUNTS ? &s->counts : &s->matrix;
	const uint64_t end_ns = r->taken_ns[SECONDS];
	const uint64_t from_ns = end_ns > period_ns ? end_ns - period_ns : 0;
	const bool by_minutes = oldest(seconds) > from_ns && oldest(minutes) < oldest(seconds);
	struct since *since = calloc(1, sizeof(*since));
	uint64_t begin_ns;

	if (!since)
		return NULL;
	since->samples = s;
	since->kind = kind;
	since->value = sparse_alloc(values(s, kind) * sizeof(*since->value));
	if (!since->value) {
		free(since);
		return NULL;
	}
	/* what no minute has yet, the seconds have */
	begin_ns = add_back(since, seconds, end_ns, from_ns, by_minutes ? r->taken_ns[MINUTES] : 0);
	if (by_minutes)
		begin_ns = add_back(since, minutes, begin_ns, from_ns, 0);
	since->seconds = (double)(end_ns - begin_ns) / SECOND_NS;
	return since;
}

void since_free(struct since *since)
{
	if (since)
		sparse_free(since->value,
			    values(since->samples, since->kind) * sizeof(*since->value));
	free(since);
}

uint64_t since_port(const struct since *since, uint16_t port, unsigned int what)
{
	return since->value[port_index(port, what)];
}

uint64_t since_worker(const struct since *since, unsigned int worker, enum sample_worker what)
{
	return since->value[worker_index(worker, what)];
}

uint64_t since_party(const struct since *since, uint16_t party, enum sample_party what)
{
	return party < since->samples->parties ? since->value[party_index(party, what)] : 0;
}

struct matrix_cell since_pair(const struct since *since, uint16_t in, uint16_t out, int ipv6)
{
	const struct samples *s = since->samples;
	const uint64_t *value;

	if (in >= s->parties || out >= s->parties)
		return (struct matrix_cell){ 0, 0 };
	value = &since->value[2 * cell_at(s, in, out, ipv6)];
	return (struct matrix_cell){ value[0], value[1] };
}

/* ---- start and end ---- */

static bool series_start(struct samples *s)
{
	for (int kind = 0; kind < SINCE_KINDS; kind++)
		for (int i = 0; i < LEVELS; i++)
			if (series_init(&s->series[kind][i], samples_kept[i], values(s, kind),
					BYTES_MAX) != 0)
				return false;
	return true;
}

struct samples *samples_create(uint16_t parties)
{
	struct samples *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->parties = parties;
	s->counts.number = s->matrix.number = 1;
	s->party = calloc(parties, sizeof(*s->party));
	s->port_start = calloc(PORT_MAX, sizeof(*s->port_start));
	s->party_start = calloc(parties, sizeof(*s->party_start));
	if (s->party && s->port_start && s->party_start && series_start(s))
		return s;
	samples_free(s);
	return NULL;
}

void samples_free(struct samples *s)
{
	if (!s)
		return;
	for (int kind = 0; kind < SINCE_KINDS; kind++)
		for (int i = 0; i < LEVELS; i++)
			series_fini(&s->series[kind][i]);
	free(s->party);
	free(s->port_start);
	free(s->party_start);
	free(s);
}
