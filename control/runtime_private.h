/* SPDX-License-Identifier: BSD-3-Clause */
/* What only run.c and runtime.c know of a running napd. */
#ifndef NAPD_RUNTIME_PRIVATE_H
#define NAPD_RUNTIME_PRIVATE_H

#include "accounting.h"
#include "log.h"
#include "runtime.h"

/* A device that workers may still be inside. */
struct closing {
	struct closing *next;
	struct device *device;
};

/* A model that retired snapshots still point into, and its configuration. */
struct past {
	struct past *next;
	struct model *model;
	struct config *config;
};

/* How far a worker had come, and when that was first seen. */
struct progress {
	uint64_t loops;
	uint64_t since_ns;
};

struct runtime_private {
	int fill_level[2]; /* of IPv4, IPv6: model_fill_level() */
	struct closing *closing;
	struct past *past;
	int tables_fd; /* readable when the tables thread has new tables; -1: no such thread */
	uint16_t parties_max;
	uint16_t mtu_max; /* that packet buffers have room for */
	struct progress progress[WORKER_MAX];
	bool stalled[WORKER_MAX];
	bool link_known[PORT_MAX];
	struct log_subject link_log[PORT_MAX];
	struct accounting accounting;
	/* whose queue workers send a port's frames by; DEVICE_MAX: none yet */
	uint8_t port_queue[PORT_MAX];
	/* what an operator said of a port, by its number */
	enum { OPERATOR_SILENT, OPERATOR_DISABLES, OPERATOR_ENABLES } operator[PORT_MAX];
	uint64_t tried_ns; /* when a device was last tried to be opened, in vain */
	bool moving;       /* a port waits for another queue until workers have moved on */
};

/* Make workers forward by rt->model and rt->config: devices, queues, neighbours, snapshot. */
void runtime_adopt(struct runtime *rt, uint64_t now_ns);
/* Have workers forward by the model as it is now. */
void runtime_publish(struct runtime *rt);
/* From now on a thread of its own does what routes cost. */
void runtime_start_tables(struct runtime *rt);
/* Open what is not open and due. */
void runtime_open_devices(struct runtime *rt, uint64_t now_ns);
/* Something changed on the host: what is not open need not wait for long. */
void runtime_retry_soon(struct runtime *rt);
/* Follow the links; every 10 ms. */
void runtime_poll_links(struct runtime *rt);
/* Free what workers have left behind. */
void runtime_reclaim(struct runtime *rt);
/* Measure load and move queues by it; every 100 ms. */
void runtime_balance(struct runtime *rt, uint64_t now_ns);
/* See whether every worker makes progress. */
void runtime_watch_workers(struct runtime *rt, uint64_t now_ns);

#endif
