// SPDX-License-Identifier: BSD-3-Clause
/* Commands that play BGP updates into the tables. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "answer.h"
#include "load.h"
#include "routes.h"

static const char *const states[] = {
	[LOAD_NONE] = "none", [LOAD_READING] = "reading", [LOAD_PLAYING] = "playing",
	[LOAD_OVER] = "over", [LOAD_STOPPED] = "stopped", [LOAD_FAILED] = "failed"
};

json_t *load_json(const struct load_view *v)
{
	return json_pack("{s:s,s:s,s:f,s:o,s:o,s:o,s:o,s:o,s:o}", "state", states[v->state], "file",
			 v->file ? v->file : "", "speed", v->speed, "messages",
			 json_u64(v->play.messages), "messages_in_all",
			 json_u64(v->play.messages_in_all), "changes", json_u64(v->play.changes),
			 "first_us", json_u64(v->play.first_ns / 1000), "last_us",
			 json_u64(v->play.last_ns / 1000), "at_us", json_u64(v->play.at_ns / 1000));
}

/* How long a file lasts. */
static const char *duration(const struct play_view *v, char text[32])
{
	const double seconds = (double)(v->last_ns - v->first_ns) * 1e-9;

	snprintf(text, 32, seconds < 100 ? "%.1f s" : "%.0f s", seconds);
	return text;
}

void load_print(struct asking *a, const struct load_view *v)
{
	char text[32];

	fprintf(a->text, "updates                 %s: %s, %s of %s messages of %s, %s changes\n",
		v->file, states[v->state], answer_count(v->play.messages),
		answer_count(v->play.messages_in_all), duration(&v->play, text),
		answer_count(v->play.changes));
}

/* ---- later answers ---- */

static void answer(struct waiter *waiter, struct asking *a, char **text)
{
	struct command_answer full = { 0 };

	if (a->text)
		fclose(a->text);
	full.json = a->json;
	full.text = *text;
	full.error = a->error;
	full.status = a->text ? a->status : 1;
	waiter_answer(waiter, &full);
	command_answer_release(&full);
}

/* What is wrong with a file: the first of it. */
static void say_problem(struct asking *a, const struct load_view *v,
			const struct problems *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *p = &problems->list[i];

		if (p->warning)
			continue;
		if (p->place.binary)
			answer_fail(a, 2, "%s: offset %llu: %s", p->place.file,
				    (unsigned long long)p->place.offset, p->text);
		else
			answer_fail(a, 2, "%s: %s", p->place.file ? p->place.file : v->file,
				    p->text);
		return;
	}
}

static void begun(void *arg, int rc, const struct load_view *v, const struct problems *problems)
{
	struct asking a = { 0 };
	char *text = NULL, lasts[32];
	size_t length = 0;

	a.text = open_memstream(&text, &length);
	if (rc == -EINVAL) {
		say_problem(&a, v, problems);
	} else if (rc) {
		answer_fail(&a, 1, "load updates: %s",
			    rc == -ECANCELED ? "stopped before it began" : strerror(-rc));
	} else if (a.text) {
		a.json = load_json(v);
		fprintf(a.text, "%s: %s messages of %s are played\n", v->file,
			answer_count(v->play.messages_in_all), duration(&v->play, lasts));
	}
	answer(arg, &a, &text);
}

static void stopped(void *arg, const struct load_view *v)
{
	struct asking a = { 0 };
	char *text = NULL;
	size_t length = 0;

	a.text = open_memstream(&text, &length);
	a.json = load_json(v);
	if (a.text)
		fprintf(a.text, "%s: %s after %s of %s messages; routes stay as they are\n",
			v->file, states[v->state], answer_count(v->play.messages),
			answer_count(v->play.messages_in_all));
	answer(arg, &a, &text);
}

/* ---- commands ---- */

/* FILE [--speed N]. False: an error was set. */
static bool parse(struct asking *a, double *speed)
{
	const char *text = a->argc == 3 ? a->argv[2] : "1";
	char *end;

	if ((a->argc != 1 && a->argc != 3) || a->argv[0][0] != '/' ||
	    (a->argc == 3 && strcmp(a->argv[1], "--speed") != 0)) {
		answer_fail(a, 2,
			    "load updates: takes FILE [--speed N | --speed max]; FILE from "
			    "the root on, for napd opens it");
		return false;
	}
	*speed = 0;
	if (strcmp(text, "max") == 0)
		return true;
	*speed = strtod(text, &end);
	if (*end || end == text || !(*speed > 0) || *speed > PLAY_SPEED_MAX) {
		answer_fail(a, 2,
			    "load updates: --speed takes max, or how many times as fast as "
			    "it was recorded, at most 1000000");
		return false;
	}
	return true;
}

void do_load_updates(struct asking *a)
{
	double speed;
	int rc;

	if (!parse(a, &speed))
		return;
	rc = load_begin(a->rt->load, a->argv[0], speed, begun, a->waiter);
	a->later = rc == 0;
	if (rc == -EBUSY)
		answer_fail(a, 1, "load updates: %s is at work; napctl load stop ends it",
			    load_view(a->rt->load).file);
	else if (rc == -ESTALE)
		answer_fail(a, 1,
			    "load updates: tables.mrt is not what was loaded; napctl reload "
			    "first");
	else if (rc)
		answer_fail(a, 1, "load updates: %s",
			    rc == -ENOTSUP ? "napd runs without a thread for tables"
					   : strerror(-rc));
}

void do_load_stop(struct asking *a)
{
	const int rc = load_stop(a->rt->load, stopped, a->waiter);

	a->later = rc == 0;
	if (rc)
		answer_fail(a, 1,
			    rc == -EALREADY ? "load stop: it is being stopped"
					    : "load stop: nothing is loaded");
}
