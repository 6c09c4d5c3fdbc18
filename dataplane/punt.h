/* SPDX-License-Identifier: BSD-3-Clause */
/* The worker's side of the rings to and from control. */
#ifndef NAPD_PUNT_H
#define NAPD_PUNT_H

#include "api/live.h"

/* Make or free the rings of a live worker. Control thread. 0 or -ENOMEM. */
int punt_create(struct worker *w);
void punt_destroy(struct worker *w);

/* Tell control, if the class has a token and the ring room; an offline worker tells nobody. */
void punt_send(struct worker *w, const struct punt *punt);

/* Send what control wants sent. */
void inject_send(struct worker *w);

#endif
