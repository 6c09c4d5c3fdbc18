/* SPDX-License-Identifier: BSD-3-Clause */
/* The names of things: stages and drop reasons, from pipeline.def. */
#ifndef NAPD_CATALOGUE_H
#define NAPD_CATALOGUE_H

#include <stdint.h>

/* What became of a packet. Reasons to drop follow the two that are none. */
enum reason {
	REASON_NONE,     /* goes on */
	REASON_CONSUMED, /* was for the exchange itself: ARP, ND, echo, the host */
#define DROP(id, name, text) DROP_##id,
#include "../pipeline.def"
	REASON_COUNT
};

/* One line of pipeline.def: a stage (or section), or a reason of the stage above it. */
struct pipeline_row {
	enum reason reason; /* REASON_NONE: this row is a stage */
	const char *name;   /* contract, letter for letter, where it is a reason */
	const char *text;   /* one sentence for people */
};

extern const struct pipeline_row pipeline_rows[];
extern const unsigned int pipeline_row_count;

/* Name, sentence and deciding stage of a reason to drop. Any thread. */
const char *reason_name(enum reason reason);
const char *reason_text(enum reason reason);
const char *reason_stage(enum reason reason);

/* The reason called name, or REASON_COUNT. Any thread. */
enum reason reason_by_name(const char *name);

#endif
