/* SPDX-License-Identifier: BSD-3-Clause */
/* Routes that the configuration itself lists. */
#ifndef NAPD_FEED_STATIC_H
#define NAPD_FEED_STATIC_H

struct model;
struct problems;

/* Load them; warns of those beyond the capacity. 0 or -ENOMEM. */
int feed_static_load(struct model *model, struct problems *problems);

#endif
