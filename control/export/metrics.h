/* SPDX-License-Identifier: BSD-3-Clause */
/* Metrics for Prometheus and the health check, over HTTP. Control thread. */
#ifndef NAPD_EXPORT_METRICS_H
#define NAPD_EXPORT_METRICS_H

#include "runtime.h"

struct metrics_server;

/* Listen as the configuration says. 0 or a negative errno, logged. */
int metrics_open(struct runtime *rt, struct metrics_server **server);
void metrics_close(struct metrics_server *server);

/* The whole text of /metrics; malloc, returns to the caller; NULL without memory. */
char *metrics_text(struct runtime *rt);

#endif
