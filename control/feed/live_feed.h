/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a live feed of routes is made of.
 *
 * To add one: a file of its own beside this with a `const struct feed_kind`, and that name in the
 * list at the head of feeds.c. Nothing else has to know: run starts and stops it, a reload
 * changes it, napctl show tables, the metrics and /healthz show it.
 *
 * A feed has two sides:
 *
 * - Its reader, a thread of its own between start() and stop(), which reads messages and posts what
 *   it read as work (feed_post(), struct tables_work, embedded in a piece that work.free
 *   frees). It never waits for the tables, but when feed_post() says -EAGAIN: a million changes
 *   wait; then it reads no more and tries again a little later, and its daemon's socket fills up.
 * - The tables thread, which runs that work in the order in which it was posted. There, and only
 *   there, what is learned may be used, between feed_enter() and feed_leave():
 *
 *	static bool piece_run(struct tables_work *work, struct model *model)
 *	{
 *		struct piece *p = container_of(work);
 *		struct learned *learned = feed_enter(p->feed, model);
 *
 *		if (learned)
 *			... netlink_parse(), learned_apply(learned, &message), a few hundred ...
 *		feed_leave(p->feed, how many messages that were);
 *		return there is more in this piece;
 *	}
 *
 *   Interfaces are looked up by themselves: learned knows whose TAP an index is, and when TAPs,
 *   ports or subnets change, feeds.c has every route looked at again. A reload needs nothing
 *   either: learned has moved to the next model before the next work runs.
 *
 * When the connection to the daemon is lost (or messages were, as by ENOBUFS): feed_mark(), on the
 * tables thread, in a work posted behind the last piece. All routes stay in force and are stale;
 * what they were by is forgotten. Then the daemon tells everything anew. When it has: feed_sweep()
 * deletes what is still stale; a feed that knows the end of it (a dump of the kernel) posts a work
 * that calls feed_told_all() and feed_sweep() there, another guesses in tick().
 */
#ifndef NAPD_FEED_LIVE_FEED_H
#define NAPD_FEED_LIVE_FEED_H

#include "../tables.h"
#include "feeds.h"

struct feed;

#define FEED_KEY_MAX 512

struct feed_kind {
	enum route_source source;
	const char *name;   /* as people find it in the configuration: "tables.fpm" */
	const char *module; /* of its log lines */
	bool kernel;        /* see struct learned_options */
	/* What of a configuration the feed has; the table of its routes. Control thread, as all. */
	bool (*wanted)(const struct config *config);
	uint32_t (*table)(const struct config *config);
	/* A text of all settings that start() looks at: where it changes, the reader starts anew.
	 */
	void (*key)(const struct config *config, char key[FEED_KEY_MAX]);
	/* Start reading. Borrows feed, not config. Returns to the caller, who calls stop(); NULL:
	 * it could not, feed_down() says why, and it is tried again every few seconds. */
	void *(*start)(struct feed *feed, const struct config *config);
	/* Wait for the reader's end. It has posted what marks its routes stale; what it posted may
	 * run later. */
	void (*stop)(void *reader);
	/* Every 100 ms, with the configuration in force; NULL: nothing to do. */
	void (*tick)(void *reader, const struct config *config, const struct feed_view *view,
		     uint64_t now_ns);
	/*
	 * Whoever must know when routes are in force, not only learned, has both of these: the
	 * tables thread has made tables of all that was run before (called on it, must not block,
	 * nor call feed_ functions); and those tables are what workers forward by (control thread).
	 */
	void (*built)(void *reader);
	void (*published)(void *reader);
};

/* ---- any thread ---- */

/* As tables_post_work(). */
int feed_post(struct feed *feed, struct tables_work *work);
/* It is up, said who is there; or down, said why: logged when it changes, and shown. */
void feed_up(struct feed *feed, const char *format, ...) __attribute__((format(printf, 2, 3)));
void feed_down(struct feed *feed, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* So many routes more were acknowledged to its daemon. */
void feed_acknowledged(struct feed *feed, uint64_t routes);
/* All that was posted is in the tables that control was told of. */
bool feed_resting(const struct feed *feed);
/* All routes have been told once: /healthz waits for that. */
void feed_told_all(struct feed *feed);
/*
 * Have what is still stale deleted, in slices, after what was posted before; not if another loss
 * comes first: marks is feed_view's losses at the time of the decision.
 */
void feed_sweep(struct feed *feed, uint64_t losses);
/* Stale routes from before napd started are still there, which feed_consider_sweep() is for. */
bool feed_has_restored(struct feed *feed);
/* How often its routes became stale. */
uint64_t feed_losses(struct feed *feed);
uint64_t feed_now_ns(void); /* CLOCK_MONOTONIC */

/* ---- control ---- */

/* The feed of a source. NULL: the configuration has none. */
struct feed *feeds_feed(struct feeds *feeds, enum route_source source);
/* So many routes from before napd started are in force, and stale. */
void feed_restored(struct feed *feed, uint64_t routes);
/*
 * For tick(), when nobody says that all has been told: sweep what is stale when it is quiet, that
 * is, when no stale route was told again for a while, whatever else is going on; and plausible:
 * nine tenths were, or the feed is up for stale_s seconds, time enough for whoever is behind it to
 * return, too.
 */
void feed_consider_sweep(struct feed *feed, const struct feed_view *view, uint32_t stale_s,
			 uint64_t now_ns);

/* ---- the tables thread, in work ---- */

/*
 * What is learned, for a few hundred messages: control waits for feed_leave() when it shows a
 * route. NULL: no memory, or the feed is no longer wanted. Not nested.
 */
struct learned *feed_enter(struct feed *feed, struct model *model);
void feed_leave(struct feed *feed, uint64_t messages);
/* Everything is stale from now on. Not between feed_enter() and feed_leave(). */
void feed_mark(struct feed *feed, struct model *model);

#endif
