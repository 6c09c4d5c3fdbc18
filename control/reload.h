/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reload: reads and builds on a thread of its own, shows what changes, swaps on control's, and
 * takes back what nobody confirmed. Control thread.
 */
#ifndef NAPD_RELOAD_H
#define NAPD_RELOAD_H

#include "difference.h"
#include "runtime.h"

enum reload_kind {
	RELOAD_APPLY,
	RELOAD_CHECK,    /* changes nothing */
	RELOAD_ROLLBACK, /* to what was in force before the reload that nobody confirmed */
};

/* What came of it; all borrowed until done returns. */
struct reload_result {
	enum reload_kind kind;
	int rc; /* 0, or why nothing has changed: -EINVAL (problems say why), -ENOMEM, -ECANCELED */
	const struct problems *problems;
	const struct differences *differences;
	const struct device_change *devices;
	size_t device_count;
	struct model_routes before, after;
	unsigned int confirm_s; /* it is rolled back unless confirmed within; 0: it stays */
};

typedef void (*reload_done_fn)(void *arg, const struct reload_result *result);

struct reload *reload_create(struct runtime *rt);
void reload_free(struct reload *reload); /* after rt->background and rt->tables; NULL is allowed */

/*
 * Begin; done is called later, once. confirm_s: of RELOAD_APPLY, else 0. A reload without it
 * confirms an earlier one. -EBUSY: another is at work; other negative errno. Then done is not
 * called.
 */
int reload_begin(struct reload *reload, enum reload_kind kind, unsigned int confirm_s,
		 reload_done_fn done, void *arg);

/* SIGHUP: as RELOAD_APPLY, after the one at work if there is one. Problems go to stderr. */
void reload_signalled(struct reload *reload);

/* The tables thread has something new: perhaps the model that a reload waits for. */
void reload_tables_changed(struct reload *reload);

/* Keep what is in force. -ENOENT: nothing waits to be confirmed; -EALREADY: it is being rolled
 * back. */
int reload_confirm(struct reload *reload);
/* Seconds until it is rolled back; 0: nothing waits to be confirmed. */
unsigned int reload_confirm_within(const struct reload *reload);

/* Roll back what is due; every 100 ms or so. */
void reload_tick(struct reload *reload, uint64_t now_ns);

#endif
