/* SPDX-License-Identifier: BSD-3-Clause */
/* napd replay: captures in, through the dataplane, captures and a report out. */
#ifndef NAPD_REPLAY_H
#define NAPD_REPLAY_H

#include <stdbool.h>
#include <stddef.h>

#include "feed/dump.h"

struct replay_input {
	char *port; /* NULL: the only one there can be */
	char *path;
};

/* All borrowed. */
struct replay_options {
	const char *config_path; /* NULL: not given */
	const struct replay_input *inputs;
	size_t input_count;
	const char *out;    /* folder; NULL: none */
	const char *filter; /* NULL: every frame */
	bool json;
	bool any_mac;
	struct dump_options dumps; /* keep is what updates ask for */
	char *const *updates;      /* files of BGP messages */
	size_t update_count;
};

/* Do it, with report and errors. Returns the exit status. Once a process. */
int replay(const struct replay_options *options);

#endif
