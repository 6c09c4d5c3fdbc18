// SPDX-License-Identifier: BSD-3-Clause
/* One reload at a time: read and built in the background, taken over in one step. */
#include "reload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <systemd/sd-daemon.h>

#include "background.h"
#include "host_check.h"
#include "log.h"
#include "runtime_private.h"
#include "tables.h"

#define SECOND_NS    UINT64_C(1000000000)
#define ROLL_AGAIN_S 5 /* after a roll-back that failed */

/* What one reload reads and makes. The other thread has it until done. */
struct build {
	struct reload *reload;
	enum reload_kind kind;
	unsigned int confirm_s;
	reload_done_fn done;
	void *arg;
	/* in force, and not changed while this is at work */
	const struct config *before;
	struct model_options options;
	const char *path;
	/* made */
	struct config *config;
	struct model *model;
	struct problems problems;
	struct differences differences;
};

struct reload {
	struct runtime *rt;
	struct build *build;     /* at work; NULL: none */
	bool again;              /* a signal came meanwhile */
	struct config *fallback; /* in force before what nobody confirmed yet; NULL: none */
	uint64_t rollback_ns;    /* when */
};

/* ---- on the other thread ---- */

static void make(void *arg)
{
	struct build *b = arg;

	if (!b->config)
		b->config = config_load_again(b->path, &b->problems);
	if (b->config && b->kind != RELOAD_ROLLBACK)
		host_check(b->config, &b->problems);
	if (b->config)
		b->model = model_create(b->config, &b->options, &b->problems);
	if (!b->model)
		return;
	if (model_prepare(b->model) == 0 &&
	    differences_make(b->before, b->config, &b->differences) == 0)
		return;
	model_free(b->model);
	b->model = NULL;
}

/* What was made is not wanted: freeing a million routes takes a while too. */
static void unmake(void *arg)
{
	struct build *b = arg;

	model_free(b->model);
	config_free(b->config);
	problems_release(&b->problems);
	differences_release(&b->differences);
	free(b);
}

static void unmade(void *arg, bool cancelled)
{
	(void)arg;
	(void)cancelled;
}

/* ---- taking it over ---- */

/* Packet buffers are as wide as the largest MTU at the start. */
static void check_mtu(const struct runtime *rt, struct build *b)
{
	for (size_t i = 0; b->model && i < b->config->port_count; i++) {
		const struct config_port *port = &b->config->ports[i];

		if (port->mtu > rt->private->mtu_max)
			problem_error(&b->problems, port->place, "ports",
				      "%s: mtu %u is more than the %u that packet buffers have had "
				      "room for since the start; restart napd",
				      port->name, port->mtu, rt->private->mtu_max);
	}
}

/* What was in force before the first unconfirmed reload is what a roll-back returns to. */
static void take(struct reload *reload, struct build *b)
{
	struct runtime *rt = reload->rt;
	const bool keep = b->confirm_s && !reload->fallback;
	struct config *old = runtime_take(rt, b->config, b->model, keep);

	b->config = NULL;
	b->model = NULL;
	if (keep)
		reload->fallback = old;
	if (b->confirm_s)
		reload->rollback_ns = dataplane_now_ns(rt->dp) + b->confirm_s * SECOND_NS;
	else
		reload_confirm(reload);
}

static void tell(const struct reload *reload, const struct reload_result *result)
{
	const struct differences *d = result->differences;

	if (result->rc)
		log_error("reload", "%s: %zu errors; what is in force stays",
			  reload->rt->config_path, result->problems->errors);
	else
		log_info("reload", "%s %s: %zu changes",
			 result->kind == RELOAD_ROLLBACK ? "rolled back to what was before"
							 : "reloaded",
			 reload->rt->config_path, d->count + d->more);
	if (result->confirm_s)
		log_warning("reload", "it is rolled back in %u s unless `napctl confirm` comes",
			    result->confirm_s);
	if (result->kind == RELOAD_ROLLBACK && !result->rc)
		log_warning("reload", "nobody confirmed it; %s still says otherwise",
			    reload->rt->config_path);
}

static void begin_signalled(struct reload *reload);

/* All that could be done beside what is in force is done. */
static void finish(struct build *b, bool cancelled)
{
	struct reload *reload = b->reload;
	struct runtime *rt = reload->rt;
	struct device_change devices[2 * DEVICE_MAX];
	struct reload_result result = { .kind = b->kind,
					.problems = &b->problems,
					.differences = &b->differences,
					.devices = devices,
					.confirm_s = b->confirm_s };

	reload->build = NULL;
	if (cancelled)
		result.rc = -ECANCELED;
	else if (!b->model || b->problems.errors)
		result.rc = b->problems.errors ? -EINVAL : -ENOMEM;
	model_routes(rt->model, &result.before);
	if (!result.rc) {
		model_routes(b->model, &result.after);
		result.device_count = runtime_device_changes(rt, b->config, b->model, devices);
	}
	if (!result.rc && b->kind != RELOAD_CHECK)
		take(reload, b);
	if (result.rc && b->kind == RELOAD_ROLLBACK) {
		reload->fallback = b->config;
		b->config = NULL;
	}
	if (b->kind == RELOAD_APPLY) {
		rt->last_reload_ok = result.rc == 0;
		if (!result.rc)
			rt->last_reload_time_s = (uint64_t)time(NULL);
	}
	if (!cancelled && b->kind != RELOAD_CHECK)
		tell(reload, &result);
	if (b->done)
		b->done(b->arg, &result);
	if (cancelled || background_run(rt->background, unmake, unmade, b) != 0)
		unmake(b);
	if (reload->again && !cancelled)
		begin_signalled(reload);
}

/* Routes of feeds follow before control does: the tables thread goes first. */
static void switch_over(void *arg, bool cancelled)
{
	struct build *b = arg;
	struct tables *tables = b->reload->rt->tables;

	if (cancelled || !tables)
		finish(b, cancelled);
	else
		tables_switch(tables, b->model);
}

static void start_counts(void *arg)
{
	const struct build *b = arg;

	runtime_start_counts(b->reload->rt, b->model);
}

static void made(void *arg, bool cancelled)
{
	struct build *b = arg;
	struct runtime *rt = b->reload->rt;

	check_mtu(rt, b);
	if (cancelled || !b->model || b->problems.errors || b->kind == RELOAD_CHECK) {
		finish(b, cancelled);
	} else if (!model_reuses_numbers(b->model)) {
		switch_over(b, false);
	} else if (background_run(rt->background, start_counts, switch_over, b) != 0) {
		start_counts(b);
		switch_over(b, false);
	}
}

void reload_tables_changed(struct reload *reload)
{
	struct build *b = reload->build;

	if (b && b->model && tables_model(reload->rt->tables) == b->model)
		finish(b, false);
}

static int begin(struct reload *reload, struct config *config, enum reload_kind kind,
		 unsigned int confirm_s, reload_done_fn done, void *arg)
{
	struct runtime *rt = reload->rt;
	struct build *b;
	int rc;

	if (reload->build)
		return -EBUSY;
	b = calloc(1, sizeof(*b));
	if (!b)
		return -ENOMEM;
	*b = (struct build){ .reload = reload,
			     .kind = kind,
			     .confirm_s = confirm_s,
			     .done = done,
			     .arg = arg,
			     .before = rt->config,
			     .options = { .previous = rt->model,
					  .parties_max = rt->private->parties_max },
			     .path = rt->config_path,
			     .config = config };
	rc = background_run(rt->background, make, made, b);
	if (rc)
		free(b);
	else
		reload->build = b;
	return rc;
}

int reload_begin(struct reload *reload, enum reload_kind kind, unsigned int confirm_s,
		 reload_done_fn done, void *arg)
{
	return begin(reload, NULL, kind, confirm_s, done, arg);
}

/* ---- by signal ---- */

static void signalled_done(void *arg, const struct reload_result *result)
{
	(void)arg;
	problems_print(result->problems);
	sd_notify(0, "READY=1");
}

static void begin_signalled(struct reload *reload)
{
	const int rc = reload_begin(reload, RELOAD_APPLY, 0, signalled_done, NULL);

	reload->again = rc == -EBUSY;
	if (rc && rc != -EBUSY)
		log_error("reload", "not begun: %s", strerror(-rc));
}

void reload_signalled(struct reload *reload)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
		   (unsigned long long)now.tv_sec * 1000000 +
			   (unsigned long long)now.tv_nsec / 1000);
	begin_signalled(reload);
}

/* ---- confirmation ---- */

int reload_confirm(struct reload *reload)
{
	if (reload->build && reload->build->kind == RELOAD_ROLLBACK)
		return -EALREADY;
	if (!reload->fallback)
		return -ENOENT;
	config_free(reload->fallback);
	reload->fallback = NULL;
	log_info("reload", "what is in force is confirmed");
	return 0;
}

unsigned int reload_confirm_within(const struct reload *reload)
{
	const uint64_t now_ns = dataplane_now_ns(reload->rt->dp);

	if (!reload->fallback)
		return 0;
	return reload->rollback_ns > now_ns
		       ? (unsigned int)((reload->rollback_ns - now_ns) / SECOND_NS + 1)
		       : 1;
}

static void rolled_back(void *arg, const struct reload_result *result)
{
	struct reload *reload = arg;

	if (!result->rc)
		return;
	problems_print(result->problems);
	log_error("reload", "not rolled back: %s; it is tried again", strerror(-result->rc));
	reload->rollback_ns = dataplane_now_ns(reload->rt->dp) + ROLL_AGAIN_S * SECOND_NS;
}

void reload_tick(struct reload *reload, uint64_t now_ns)
{
	if (!reload->fallback || reload->build || now_ns < reload->rollback_ns)
		return;
	if (begin(reload, reload->fallback, RELOAD_ROLLBACK, 0, rolled_back, reload) == 0)
		reload->fallback = NULL; /* it is with the build */
}

/* ---- its life ---- */

struct reload *reload_create(struct runtime *rt)
{
	struct reload *reload = calloc(1, sizeof(*reload));

	if (reload)
		reload->rt = rt;
	return reload;
}

void reload_free(struct reload *reload)
{
	if (!reload)
		return;
	if (reload->build) /* the tables thread had not gone over to it */
		finish(reload->build, true);
	config_free(reload->fallback);
	free(reload);
}
