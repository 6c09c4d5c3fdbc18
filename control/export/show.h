/* SPDX-License-Identifier: BSD-3-Clause */
/* What napctl can ask: every command's answer as JSON, and as a table for people. */
#ifndef NAPD_EXPORT_SHOW_H
#define NAPD_EXPORT_SHOW_H

#include <jansson.h>

#include "runtime.h"

/* Who asked, for commands that take longer than a step of control's loop. */
struct waiter;

/* One command of control/commands.def. argv[0] is its last word's first argument. */
struct command_answer {
	json_t *json; /* the document; NULL when error is set */
	char *text;   /* the same for people, 80 columns; ends with a newline */
	char *error;  /* one line: what is wrong and what is allowed */
	char *next;   /* there is more of it: who asks again with this gets the next part */
	int status;   /* exit status of napctl: 0, 1 or 2 */
	bool later;   /* nothing of it yet: waiter_answer() brings it */
};

/*
 * Carry out a command line of words. Returns to the caller, who calls command_answer_release().
 * after is next of an answer before, or NULL.
 * waiter is the command's when the answer comes later, else still the caller's.
 */
struct command_answer command_run(struct runtime *rt, int argc, char **argv, const char *after,
				  bool readonly, struct waiter *waiter);
void command_answer_release(struct command_answer *answer);

/* The answer to who waits, or to nobody when it is gone. Takes waiter; answer is the caller's. */
void waiter_answer(struct waiter *waiter, const struct command_answer *answer);

#endif
