/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tables.mrt and --rib: the best paths of MRT dumps become routes; and what BGP peers announced
 * and withdrew afterwards, if somebody plays it.
 */
#ifndef NAPD_FEED_DUMP_H
#define NAPD_FEED_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dumps;
struct model;
struct mrt_message;
struct problems;

struct dump_options {
	char *const *file; /* beside the configuration's tables.mrt */
	size_t files;
	char *const *map; /* PEER-AS=MEMBER or auto: whose routers are next hops instead */
	size_t maps;
	bool keep; /* keep all paths, for updates */
};

/*
 * Load the configuration's dumps and those of options, which may be NULL, as one table. Errors go
 * to problems with file and offset; then nothing is loaded. 0 or -ENOMEM.
 */
int feed_dump_load(struct model *model, const struct dump_options *options,
		   struct problems *problems);

/*
 * Apply a peer's message to the paths that were kept: routes of the model change at once. 0,
 * -ENOMEM or -E2BIG (a prefix has more paths than any can have).
 */
int feed_dump_apply(struct model *model, const struct mrt_message *message);

void feed_dump_free(struct dumps *dumps); /* NULL is allowed */

#endif
