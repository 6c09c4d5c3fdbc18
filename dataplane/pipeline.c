// SPDX-License-Identifier: BSD-3-Clause
/* The packet path: runs the stages of pipeline.def in order and sweeps after each. */
#include "worker.h"

/* Copy every column of packet from to place to of the same burst. */
static void burst_move(struct burst *b, uint32_t to, uint32_t from)
{
	b->frame[to] = b->frame[from];
	b->l3[to] = b->l3[from];
	b->bytes[to] = b->bytes[from];
	b->l3_bytes[to] = b->l3_bytes[from];
	b->port[to] = b->port[from];
	b->party[to] = b->party[from];
	b->order[to] = b->order[from];
	b->leaf[to] = b->leaf[from];
	b->nexthop[to] = b->nexthop[from];
	b->reason[to] = b->reason[from];
	b->answer[to] = b->answer[from];
	b->answer_mtu[to] = b->answer_mtu[from];
	if (b->ipv6) {
		b->src_hi[to] = b->src_hi[from];
		b->src_lo[to] = b->src_lo[from];
		b->dst_hi[to] = b->dst_hi[from];
		b->dst_lo[to] = b->dst_lo[from];
	} else {
		b->src4[to] = b->src4[from];
		b->dst4[to] = b->dst4[from];
		b->ttl4[to] = b->ttl4[from];
	}
}

/* A dead packet is counted, shown to whoever looks, and kept for its answer or freed. */
static void burst_bury(struct burst *b, uint32_t i, struct worker *w)
{
	if (unlikely(b->reason[i] == REASON_NONE))
		return; /* it left: burst_leave() */
	if (b->reason[i] == REASON_CONSUMED) {
		tally_add(&w->counters[b->port[i]].consumed, 1, b->bytes[i]);
	} else {
		const struct drop_event event = {
			.frame = b->frame[i],
			.port = b->port[i],
			.reason = b->reason[i],
			.bytes = b->bytes[i],
		};

		worker_count_drop(w, &event);
	}
	if (b->answer[i] == ANSWER_NONE) {
		rte_pktmbuf_free(b->frame[i]);
		return;
	}
	w->answers[w->answer_count++] = (struct pending_answer){
		.frame = b->frame[i],
		.l3 = b->l3[i],
		.l3_bytes = b->l3_bytes[i],
		.port = b->port[i],
		.mtu = b->answer_mtu[i],
		.answer = b->answer[i],
		.order = b->order[i],
		.ipv6 = b->ipv6,
	};
}

/* The members of a set that stay, moved together as the packets are. */
static uint64_t set_keep(uint64_t set, uint64_t keep)
{
	uint64_t kept = 0;

	for (uint32_t to = 0; set && keep; keep &= keep - 1, to++)
		kept |= (set >> __builtin_ctzll(keep) & 1) << to;
	return kept;
}

void burst_keep(struct burst *b, uint64_t keep)
{
	struct burst_sets *s = &b->sets;
	uint32_t to = 0;

	keep &= burst_all(b);
	s->ipv6 = set_keep(s->ipv6, keep);
	s->arp = set_keep(s->arp, keep);
	s->unproven = set_keep(s->unproven, keep);
	s->last_hop = set_keep(s->last_hop, keep);
	s->special = set_keep(s->special, keep);
	s->oversize = set_keep(s->oversize, keep);
	for (; keep; keep &= keep - 1) {
		const uint32_t from = __builtin_ctzll(keep);

		if (to != from)
			burst_move(b, to, from);
		to++;
	}
	b->n = to;
}

static void burst_sweep(struct burst *b, struct worker *w)
{
	for (uint64_t dead = b->dead; dead; dead &= dead - 1)
		burst_bury(b, __builtin_ctzll(dead), w);
	burst_keep(b, ~b->dead);
	b->dead = 0;
}

static __attribute__((noinline, cold)) void burst_trace(const struct burst *b, struct worker *w,
							const char *stage)
{
	const struct hooks *hooks = &w->dp->config.hooks;

	for (uint32_t i = 0; i < b->n; i++) {
		const struct trace_event event = {
			.frame = b->frame[i],
			.port = b->port[i],
			.stage = stage,
			.reason = burst_is_dead(b, i) ? b->reason[i] : REASON_NONE,
		};

		hooks->trace(hooks->ctx, &event);
	}
}

static inline void stage_done(struct burst *b, struct worker *w, const char *stage)
{
	if (unlikely(w->dp->config.hooks.trace))
		burst_trace(b, w, stage);
	if (unlikely(b->dead))
		burst_sweep(b, w);
}

/* Put those packets of a into b, whose family they are. */
static void burst_pick(struct burst *b, const struct burst *a, uint64_t pick)
{
	uint32_t k = 0;

	for (; pick; pick &= pick - 1, k++) {
		const uint32_t i = __builtin_ctzll(pick);

		b->frame[k] = a->frame[i];
		b->l3[k] = a->l3[i];
		b->bytes[k] = a->bytes[i];
		b->l3_bytes[k] = a->l3_bytes[i];
		b->port[k] = a->port[i];
		b->party[k] = a->party[i];
		b->order[k] = a->order[i];
	}
	b->n = k;
}

static void frames_run(struct burst *b, struct worker *w)
{
#define FRAME_STAGE(name, text)          \
	STAGE_CLOCK(w, name, b->n, {     \
		stage_##name(b, w);      \
		stage_done(b, w, #name); \
	});
#include "pipeline.def"
}

static void packets_run(struct burst *b, struct worker *w)
{
#define STAGE(name, text)                \
	STAGE_CLOCK(w, name, b->n, {     \
		stage_##name(b, w);      \
		stage_done(b, w, #name); \
	});                              \
	if (unlikely(b->n == 0))         \
		return;
#include "pipeline.def"
}

/* The stages from local on, but those that a packet passes once. */
void pipeline_resume(struct burst *b, struct worker *w)
{
	enum {
#define STAGE(name, text) STAGE_##name,
#include "pipeline.def"
	};

	stage_parse(b, w);
#define STAGE(name, text)                                                  \
	if (STAGE_##name >= STAGE_local && STAGE_##name != STAGE_police) { \
		stage_##name(b, w);                                        \
		stage_done(b, w, #name);                                   \
		if (b->n == 0)                                             \
			return;                                            \
	}
#include "pipeline.def"
}

/* Families apart: mixed bursts fall out of step with vectors and tables. */
static void families_run(const struct burst *a, struct worker *w)
{
	const uint64_t family[2] = { burst_all(a) & ~a->sets.ipv6, a->sets.ipv6 };

	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		burst_reset(&w->ip[ipv6], ipv6);
		w->ip[ipv6].one_port = a->one_port;
		burst_pick(&w->ip[ipv6], a, family[ipv6]);
		packets_run(&w->ip[ipv6], w);
	}
}

void pipeline_run(struct worker *w)
{
	struct burst *a = &w->arrival;
	const uint32_t n = a->n;

	w->answer_count = 0;
	burst_reset(a, false);
	a->n = n;
	frames_run(a, w);
	if (a->n == 0)
		return;
	if (a->sets.ipv6 && a->sets.ipv6 != burst_all(a)) {
		families_run(a, w);
		return;
	}
	a->ipv6 = a->sets.ipv6;
	packets_run(a, w);
}
