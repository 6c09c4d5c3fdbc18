// SPDX-License-Identifier: BSD-3-Clause
/* Workers: what they own, and the loop body that polls one queue. */
#include "worker.h"

#include <errno.h>
#include <stdlib.h>

#include <rte_cycles.h>

#include "hold.h"
#include "mapped.h"
#include "punt.h"

/* A bucket idle for longer is simply full; keeps the meter's products within 64 bits. */
#define METER_IDLE_NS (UINT64_C(1) << 44)

/* Announcements a second and port that defend an address, and how many at once. */
#define DEFENCE_RATE  1
#define DEFENCE_BURST 10

static uint8_t bits_for(uint32_t values)
{
	uint8_t bits = 0;

	while (UINT32_C(1) << bits < values)
		bits++;
	return bits;
}

static void worker_free(struct worker *w)
{
	const struct dataplane_config *config = &w->dp->config;

	free(w->queues);
	hold_end(w);
	map_free(w->hold, sizeof(*w->hold));
	punt_destroy(w);
	map_free(w->records, PORT_MAX * sizeof(*w->records));
	map_free(w->counters, PORT_MAX * sizeof(*w->counters));
	map_free(w->matrix, (sizeof(*w->matrix) * 2) << (2 * w->party_bits));
	map_free(w->meters, PORT_MAX * sizeof(*w->meters));
	map_free(w->queue, config->transmit_queues * sizeof(*w->queue));
	map_free(w, sizeof(*w));
}

/* What only a worker that runs by itself needs. */
static int worker_create_live(struct worker *w)
{
	w->records = map_alloc(PORT_MAX * sizeof(*w->records), w->node);
	w->hold = map_alloc(sizeof(*w->hold), w->node);
	return w->records && w->hold ? punt_create(w) : -ENOMEM;
}

/* Tables are mapped, not touched: a page is there once the worker wrote to it. */
static struct worker *worker_create(struct dataplane *dp, unsigned int index)
{
	const struct dataplane_config *config = &dp->config;
	const int16_t node = config->node ? config->node[index] : -1;
	struct worker *w = map_alloc(sizeof(*w), node);

	if (!w)
		return NULL;
	w->dp = dp;
	w->index = index;
	w->node = node;
	w->party_bits = bits_for(config->parties);
	w->counters = map_alloc(PORT_MAX * sizeof(*w->counters), node);
	w->matrix = map_alloc((sizeof(*w->matrix) * 2) << (2 * w->party_bits), node);
	w->meters = map_alloc(PORT_MAX * sizeof(*w->meters), node);
	w->queue = map_alloc(config->transmit_queues * sizeof(*w->queue), node);
	w->sample_countdown = config->hooks.sample_interval;
	if (!w->counters || !w->matrix || !w->meters || !w->queue ||
	    (!config->offline && worker_create_live(w) != 0)) {
		worker_free(w);
		return NULL;
	}
	return w;
}

struct dataplane *dataplane_create(const struct dataplane_config *config)
{
	struct dataplane *dp;

	if (config->workers < 1 || config->workers > WORKER_MAX || config->parties < 1 ||
	    config->transmit_queues < 1) {
		errno = EINVAL;
		return NULL;
	}
	dp = calloc(1, sizeof(*dp));
	if (!dp)
		return NULL;
	dp->config = *config;
	dp->tsc_hz = rte_get_tsc_hz();
	meter_init(&dp->defence, DEFENCE_RATE, DEFENCE_BURST);
	dp->link_down = map_alloc(PORT_MAX, -1);
	dp->qsbr = aligned_alloc(RTE_CACHE_LINE_SIZE, rte_rcu_qsbr_get_memsize(WORKER_MAX));
	if (!dp->link_down || !dp->qsbr || rte_rcu_qsbr_init(dp->qsbr, WORKER_MAX) != 0)
		goto free_dataplane;
	for (; dp->worker_count < config->workers; dp->worker_count++) {
		dp->worker[dp->worker_count] = worker_create(dp, dp->worker_count);
		if (!dp->worker[dp->worker_count])
			goto free_dataplane;
		rte_rcu_qsbr_thread_register(dp->qsbr, dp->worker_count);
	}
	return dp;

free_dataplane:
	dataplane_destroy(dp);
	errno = ENOMEM;
	return NULL;
}

void dataplane_destroy(struct dataplane *dp)
{
	if (dp->snapshot)
		snapshot_publish(dp, NULL);
	for (unsigned int i = 0; i < dp->worker_count; i++)
		worker_offline(dp->worker[i]);
	snapshot_reclaim(dp);
	for (unsigned int i = 0; i < dp->worker_count; i++)
		worker_free(dp->worker[i]);
	map_free(dp->link_down, PORT_MAX);
	free(dp->qsbr);
	free(dp);
}

struct worker *dataplane_worker(struct dataplane *dp, unsigned int i)
{
	return i < dp->worker_count ? dp->worker[i] : NULL;
}

void worker_set_pool(struct worker *w, struct rte_mempool *pool)
{
	w->pool = pool;
}

void worker_set_transmit(struct worker *w, uint16_t port, uint16_t queue, struct txq txq)
{
	w->port_queue[port] = &w->queue[queue];
	w->queue[queue].txq = txq;
	w->queue[queue].bit = UINT64_C(1) << queue % 64;
}

void worker_online(struct worker *w)
{
	rte_rcu_qsbr_thread_online(w->dp->qsbr, w->index);
}

void worker_offline(struct worker *w)
{
	rte_rcu_qsbr_thread_offline(w->dp->qsbr, w->index);
}

struct port_meters *worker_meters(struct worker *w, uint16_t port, uint64_t now_ns)
{
	const struct snapshot_port *p = &w->snapshot->port[port];
	struct port_meters *m = &w->meters[port];

	if (unlikely(m->generation != p->meter_generation)) {
		m->generation = p->meter_generation;
		m->ingress = (struct rte_meter_srtcm){ now_ns, p->ingress.profile.cbs, 0 };
		m->egress = (struct rte_meter_srtcm){ now_ns, p->egress.profile.cbs, 0 };
		m->icmp_too_big =
			(struct rte_meter_srtcm){ now_ns, p->icmp_too_big.profile.cbs, 0 };
		m->icmp_error = (struct rte_meter_srtcm){ now_ns, p->icmp_error.profile.cbs, 0 };
		m->defence = (struct rte_meter_srtcm){ now_ns, w->dp->defence.profile.cbs, 0 };
		m->icmp_echo = (struct rte_meter_srtcm){ now_ns, p->icmp_echo.profile.cbs, 0 };
	}
	return m;
}

bool meter_take(struct rte_meter_srtcm *bucket, const struct meter *meter, uint64_t now_ns,
		uint32_t n, bool no_limit)
{
	/* rte_meter wants its profile writable, but does not write it */
	struct rte_meter_srtcm_profile *profile = (void *)(uintptr_t)&meter->profile;

	if (!meter->enabled)
		return no_limit;
	if (now_ns < bucket->time)
		now_ns = bucket->time;
	if (unlikely(now_ns - bucket->time > METER_IDLE_NS)) {
		bucket->time = now_ns;
		bucket->tc = profile->cbs;
	}
	return rte_meter_srtcm_color_blind_check(bucket, profile, now_ns, n) == RTE_COLOR_GREEN;
}

void worker_count_drop(struct worker *w, const struct drop_event *event)
{
	const struct hooks *hooks = &w->dp->config.hooks;

	tally_add(&w->counters[event->port].drop[event->reason], 1, event->bytes);
	if (w->records)
		record_drop(w, event);
	if (hooks->drop)
		hooks->drop(hooks->ctx, event);
}

unsigned int worker_receive(struct worker *w, const struct rxq *q)
{
	const struct snapshot *snapshot = __atomic_load_n(&w->dp->snapshot, __ATOMIC_ACQUIRE);
	unsigned int n;

	/* frames of a device that is not (or no longer) published stay where they are */
	if (unlikely(!snapshot || q->device >= snapshot->devices ||
		     snapshot->device[q->device].fallback_port == PORT_NONE))
		return 0;
	/* what waits for a neighbour goes before what comes now */
	if (unlikely(w->hold && w->hold->count && w->hold->publication != snapshot->publication))
		hold_resume(w, snapshot);
	STAGE_CLOCK(w, queue_in, 0, n = q->receive(q->arg, w->arrival.frame, BURST_MAX));
	if (n == 0)
		return 0;
	w->snapshot = snapshot;
	w->arrival.n = n;
	w->arrival.device = q->device;
	pipeline_run(w);
	answers_send(w);
	STAGE_CLOCK(w, queue_out, n, transmit_flush(w));
	return n;
}

unsigned int worker_poll(struct worker *w, const struct rxq *q)
{
	unsigned int n;

	if (!w->dp->config.offline)
		w->now_ns = dataplane_now_ns(w->dp);
	n = worker_receive(w, q);
	if (w->hold && w->hold->count)
		hold_poll(w);
	rte_rcu_qsbr_quiescent(w->dp->qsbr, w->index);
	return n;
}

unsigned int worker_stages(const struct worker *w, struct stage_time *list, unsigned int n)
{
#ifdef NAPD_STAGES
	static const char *const name[STAGE_IDS] = {
		[STAGE_ID_queue_in] = "queue in",
#define FRAME_STAGE(name, text) [STAGE_ID_##name] = #name,
#define STAGE(name, text)       [STAGE_ID_##name] = #name,
#include "pipeline.def"
		[STAGE_ID_queue_out] = "queue out",
	};

	for (unsigned int i = 0; i < n && i < STAGE_IDS; i++)
		list[i] = (struct stage_time){
			.name = name[i],
			.packets = __atomic_load_n(&w->stage[i].packets, __ATOMIC_RELAXED),
			.time_ns = (unsigned __int128)__atomic_load_n(&w->stage[i].ticks,
								      __ATOMIC_RELAXED) *
				   1000000000u / w->dp->tsc_hz,
		};
	return n < STAGE_IDS ? n : STAGE_IDS;
#else
	(void)w;
	(void)list;
	(void)n;
	return 0;
#endif
}
