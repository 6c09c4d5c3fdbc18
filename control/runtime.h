/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A running napd, as the modules of control see it: who owns what, and the
 * operations that users ask for. run.c owns it. Control thread only.
 */
#ifndef NAPD_RUNTIME_H
#define NAPD_RUNTIME_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "cores.h"
#include "counts.h"
#include "device.h"
#include "live.h"
#include "model.h"
#include "neighbour.h"
#include "queues.h"
#include "tap.h"

struct event_base;
struct background;
struct feeds;
struct keeper;
struct load;
struct reload;
struct runtime_private;
struct tables;

/* One device of the configuration and how it fares. */
struct runtime_device {
	struct device_wish wish;
	struct device *device; /* NULL: not open, tried again at retry_ns */
	uint64_t retry_ns;
	uint64_t surroundings; /* device_surroundings() when the last try had failed */
	uint64_t opened_ns;    /* 0: is not open, and did not stay long */
	unsigned int attempts;
	char error[DEVICE_ERROR_MAX]; /* why it is not open */
	bool link_up;
};

struct runtime {
	const char *config_path;
	struct config *config;
	struct model *model;
	struct tables *tables; /* NULL: control does their work */
	struct feeds *feeds;   /* NULL without tables */
	struct keeper *keeper; /* NULL without feeds */
	struct dataplane *dp;
	struct counts *counts;   /* what dp counts, as people see it */
	struct samples *samples; /* the same over time */
	struct rte_mempool
		*pool; /* control's; workers and devices on nodes without one use it, too */
	struct rte_mempool *node_pool[NODE_MAX];
	struct neighbours *neighbours;
	struct taps *taps;
	struct event_base *base;
	struct background *background;
	struct reload *reload;
	struct load *load;
	struct runtime_device *devices; /* [device_count], by device number of the snapshot */
	uint16_t device_count;
	unsigned int workers;
	uint16_t worker_core[WORKER_MAX]; /* CPU it runs on */
	int16_t worker_node[WORKER_MAX];  /* NUMA node of that, -1: unknown */
	struct queues *queues;            /* who polls what */
	uint64_t start_ns;                /* dataplane_now_ns() at start */
	bool tables_loaded;
	bool last_reload_ok;
	uint64_t last_reload_time_s; /* CLOCK_REALTIME; 0: never */
	bool adaptive;
	struct runtime_private *private;
};

/* What a model would do to a device. */
struct device_change {
	const char *device; /* borrowed from the configuration that has it */
	enum device_change_kind { DEVICE_OPENS, DEVICE_CLOSES, DEVICE_RESTARTS } kind;
	char reason[DEVICE_REASON_MAX]; /* of a restart */
};
size_t runtime_device_changes(const struct runtime *rt, const struct config *config,
			      struct model *model, struct device_change list[2 * DEVICE_MAX]);

/*
 * Before runtime_take(): what was counted under numbers that model gives to others is not theirs.
 * On any thread, as it may take a while.
 */
void runtime_start_counts(const struct runtime *rt, const struct model *model);

/*
 * Forward by another configuration and its model, which it takes and rt->tables works on; what was
 * in force is freed when nobody needs it any more. keep: but not the old configuration, which
 * returns to the caller.
 */
struct config *runtime_take(struct runtime *rt, struct config *config, struct model *model,
			    bool keep);

/*
 * What an operator says of a port at run time, over every reload until he says otherwise; enabled
 * as the configuration has it means nothing more to say.
 */
void runtime_set_enabled(struct runtime *rt, uint16_t port, bool enabled);
bool runtime_port_enabled(const struct runtime *rt, uint16_t port);
bool runtime_port_overruled(const struct runtime *rt, uint16_t port);

/* Where frames on a NUMA node come from. */
struct rte_mempool *runtime_pool(const struct runtime *rt, int16_t node);

/* Is a port's link up (its device open, enabled and with carrier)? */
bool runtime_port_up(const struct runtime *rt, uint16_t port);

/* received - forwarded - consumed - dropped - pending over all ports: 0, or a bug. */
int64_t runtime_accounting_error(const struct runtime *rt);

/* NULL: healthy; else one sentence why not (a worker that stands still, tables not loaded). */
const char *runtime_unhealthy(struct runtime *rt);

/* Log when a family's table fills up, or empties again; some ten times a second. */
void runtime_watch_capacity(struct runtime *rt);

/* Compile what the model says now, and publish it; logs when there is no memory. */
void runtime_publish(struct runtime *rt);

#endif
