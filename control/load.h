/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * napctl load: one file of BGP updates at a time is read and played in the background. What peers
 * offer outlives a file, for the next one, until a reload brings other dumps or subnets. Control
 * thread.
 */
#ifndef NAPD_LOAD_H
#define NAPD_LOAD_H

#include "feed/play.h"
#include "problem.h"
#include "runtime.h"

struct load;

/* Borrows rt. Returns to the caller; NULL without memory. */
struct load *load_create(struct runtime *rt);
/* Before rt->background goes: what is at work ends at once. NULL is allowed. */
void load_abort(struct load *load);
void load_free(struct load *load); /* after it; NULL is allowed */

enum load_state {
	LOAD_NONE, /* ever */
	LOAD_READING,
	LOAD_PLAYING,
	LOAD_OVER,
	LOAD_STOPPED, /* by somebody, or by a reload */
	LOAD_FAILED
};

struct load_view {
	enum load_state state;
	const char *file; /* borrowed until the next begins */
	double speed;     /* 0: as fast as it can be */
	struct play_view play;
};
struct load_view load_view(const struct load *load);

/*
 * Begin. begun(arg) is called once, later: with rc 0 the file is whole and is being played; -EINVAL
 * (problems say why), -ENOMEM, -ECANCELED: nothing of it is. -EBUSY: one is at work; -ESTALE:
 * tables.mrt is not what was loaded; -ENOTSUP: there is no tables thread; other negative errno.
 * Then begun is not called.
 */
typedef void (*load_begun_fn)(void *arg, int rc, const struct load_view *view,
			      const struct problems *problems);
int load_begin(struct load *load, const char *file, double speed, load_begun_fn begun, void *arg);

/*
 * Stop; stopped(arg) is called once all that was taken is posted. -ENOENT: none is at work;
 * -EALREADY: it is being stopped. Then it is not called.
 */
typedef void (*load_stopped_fn)(void *arg, const struct load_view *view);
int load_stop(struct load *load, load_stopped_fn stopped, void *arg);

/* rt->model is another: with other dumps or subnets what was played counts no more. */
void load_reloaded(struct load *load);

#endif
