// SPDX-License-Identifier: BSD-3-Clause
/* Two jobs in the background, one after the other: reading, which may refuse, and playing. */
#include "load.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "background.h"
#include "feed/dump.h"
#include "log.h"
#include "model_state.h"

struct load {
	struct runtime *rt;
	struct play *play; /* NULL: nothing is kept */
	enum load_state state;
	char *file;
	double speed;
	bool ending;   /* somebody wants it to end */
	bool outdated; /* a reload made play worthless */
	int rc;        /* of the job at work; its thread's until it is done */
	struct problems problems;
	struct play_view last; /* of the file, when play is gone */
	load_begun_fn begun;
	void *begun_arg;
	load_stopped_fn stopped;
	void *stopped_arg;
};

static bool at_work(const struct load *l)
{
	return l->state == LOAD_READING || l->state == LOAD_PLAYING;
}

struct load_view load_view(const struct load *l)
{
	return (struct load_view){ l->state, l->file, l->speed,
				   l->play ? play_view(l->play) : l->last };
}

static void forget(struct load *l)
{
	if (l->play)
		l->last = play_view(l->play);
	play_free(l->play);
	l->play = NULL;
	l->outdated = false;
}

static void end(struct load *l, enum load_state state)
{
	const load_stopped_fn stopped = l->stopped;
	struct load_view view;

	l->state = state;
	if (l->outdated || (state == LOAD_FAILED && l->rc != -EINVAL))
		forget(l);
	view = load_view(l);
	l->stopped = NULL;
	if (stopped)
		stopped(l->stopped_arg, &view);
}

/* ---- playing ---- */

static void play(void *arg)
{
	struct load *l = arg;

	l->rc = play_run(l->play, l->speed);
}

static void played(void *arg, bool cancelled)
{
	struct load *l = arg;
	const struct play_view v = play_view(l->play);

	if (l->rc)
		log_error("load", "%s: %s, after %" PRIu64 " of %" PRIu64 " messages", l->file,
			  l->rc == -ENOMEM  ? "no memory"
			  : l->rc == -E2BIG ? "a prefix has more paths than any can have"
					    : "changed while it was played",
			  v.messages, v.messages_in_all);
	else if (!cancelled)
		log_info("load",
			 "%s: %s after %" PRIu64 " of %" PRIu64 " messages, %" PRIu64
			 " changes of routes",
			 l->file,
			 l->outdated ? "stopped, by a reload with other dumps or subnets,"
			 : l->ending ? "stopped"
				     : "over",
			 v.messages, v.messages_in_all, v.changes);
	end(l, l->rc ? LOAD_FAILED : l->ending ? LOAD_STOPPED : LOAD_OVER);
}

/* ---- reading ---- */

static void read_file(void *arg)
{
	struct load *l = arg;

	l->rc = play_open(l->play, l->file, &l->problems);
}

static void read_over(void *arg, bool cancelled)
{
	struct load *l = arg;
	const load_begun_fn begun = l->begun;
	struct load_view view;
	int rc = l->rc;

	if (!rc && (cancelled || l->ending))
		rc = -ECANCELED;
	if (!rc)
		rc = background_run(l->rt->background, play, played, l);
	if (!rc) {
		l->state = LOAD_PLAYING;
		log_info("load", "%s: %" PRIu64 " messages are played", l->file,
			 play_view(l->play).messages_in_all);
	}
	view = load_view(l);
	l->begun = NULL;
	begun(l->begun_arg, rc, &view, &l->problems);
	if (rc)
		end(l, rc == -ECANCELED ? LOAD_STOPPED : LOAD_FAILED);
	problems_release(&l->problems);
	l->problems = (struct problems){ 0 };
}

static int prepare(struct load *l, const char *file)
{
	char *copy;

	if (!l->play && feed_dump_identity(l->rt->config) != l->rt->model->mrt_identity)
		return -ESTALE;
	copy = strdup(file);
	if (!l->play)
		l->play = play_create(l->rt->model, l->rt->tables);
	if (!copy || !l->play) {
		free(copy);
		return -ENOMEM;
	}
	free(l->file);
	l->file = copy;
	return 0;
}

int load_begin(struct load *l, const char *file, double speed, load_begun_fn begun, void *arg)
{
	int rc;

	if (at_work(l))
		return -EBUSY;
	if (!l->rt->tables)
		return -ENOTSUP;
	rc = prepare(l, file);
	if (!rc)
		rc = background_run(l->rt->background, read_file, read_over, l);
	if (rc)
		return rc;
	l->state = LOAD_READING;
	l->speed = speed;
	l->ending = false;
	l->begun = begun;
	l->begun_arg = arg;
	return 0;
}

/* ---- the end ---- */

int load_stop(struct load *l, load_stopped_fn stopped, void *arg)
{
	if (!at_work(l))
		return -ENOENT;
	if (l->stopped)
		return -EALREADY;
	l->stopped = stopped;
	l->stopped_arg = arg;
	l->ending = true;
	if (l->state == LOAD_PLAYING)
		play_stop(l->play, false);
	return 0;
}

void load_reloaded(struct load *l)
{
	if (!l->play || play_identity(l->play) == l->rt->model->mrt_identity)
		return;
	if (!at_work(l)) {
		forget(l);
		return;
	}
	l->outdated = true;
	l->ending = true;
	if (l->state == LOAD_PLAYING)
		play_stop(l->play, true);
}

struct load *load_create(struct runtime *rt)
{
	struct load *l = calloc(1, sizeof(*l));

	if (l)
		l->rt = rt;
	return l;
}

void load_abort(struct load *l)
{
	if (!l || !at_work(l))
		return;
	l->ending = true;
	if (l->state == LOAD_PLAYING)
		play_stop(l->play, true);
}

void load_free(struct load *l)
{
	if (!l)
		return;
	play_free(l->play);
	free(l->file);
	free(l);
}
