/* SPDX-License-Identifier: BSD-3-Clause */
/* What napctl can ask: every command's answer as JSON, and as a table for people. */
#ifndef NAPD_EXPORT_SHOW_H
#define NAPD_EXPORT_SHOW_H

#include <jansson.h>

#include "runtime.h"

/* One command of control/commands.def. argv[0] is its last word's first argument. */
struct command_answer {
	json_t *json; /* the document; NULL when error is set */
	char *text;   /* the same for people, 80 columns; ends with a newline */
	char *error;  /* one line: what is wrong and what is allowed */
	int status;   /* exit status of napctl: 0, 1 or 2 */
};

/* Carry out a command line of words. Returns to the caller, who calls command_answer_release(). */
struct command_answer command_run(struct runtime *rt, int argc, char **argv, bool readonly);
void command_answer_release(struct command_answer *answer);

#endif
