/* SPDX-License-Identifier: BSD-3-Clause */
/* The worker's side of the rings to and from control. */
#ifndef NAPD_PUNT_H
#define NAPD_PUNT_H

#include "api/live.h"
#include "burst.h"

/* Make or free the rings of a live worker. Control thread. 0 or -ENOMEM. */
int punt_create(struct worker *w);
void punt_destroy(struct worker *w);

/* Tell control, if the class has a token and the ring room; an offline worker tells nobody. */
void punt_send(struct worker *w, const struct punt *punt);

/*
 * Give packet i to the host: it leaves the burst as consumed, or is dropped as punt-policed or
 * punt-full. An offline worker only consumes it.
 */
void punt_packet(struct burst *b, uint32_t i, struct worker *w, enum punt_class which);

/* Send what control wants sent, before this round's transit. */
void inject_send(struct worker *w);

#endif
