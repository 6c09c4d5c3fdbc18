/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The folder of captures that a replay writes: PORT.pcap holds what left each
 * port, drop-REASON.pcap what was dropped, both in the order of the input.
 */
#ifndef NAPD_OUTPUTS_H
#define NAPD_OUTPUTS_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "dataplane.h"

#define OUTPUTS_ERROR_MAX (PATH_MAX + 128) /* a path and what is wrong with it */

struct outputs;

/*
 * Make dir if it is missing, remove the captures of an earlier run and create
 * one for each port. Nothing is removed when one of the inputs would be: then
 * NULL, a sentence in error, and errno is EEXIST; other errors leave theirs in
 * errno. Borrows the names for its life. Returns to the caller.
 */
struct outputs *outputs_open(const char *dir, const char *const *port_names, uint16_t ports,
			     const struct stat *inputs, size_t input_count,
			     char error[OUTPUTS_ERROR_MAX]);

/* Keep frames, which are taken, until the step is done. Their origin gives order and time. */
void outputs_send(struct outputs *o, uint16_t port, struct rte_mbuf **frames, uint16_t n);

/* Copy a dropped packet until the step is done. */
void outputs_drop(struct outputs *o, const struct drop_event *event);

/* Write what was kept, in order. 0, or a negative errno with a sentence in error. */
int outputs_step(struct outputs *o, char error[OUTPUTS_ERROR_MAX]);

/* Write out and close everything. Takes o; NULL is allowed. Errors like outputs_step(). */
int outputs_close(struct outputs *o, char error[OUTPUTS_ERROR_MAX]);

#endif
