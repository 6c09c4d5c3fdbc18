/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The live feeds of routes (tables.fpm, tables.kernel), as run, reload, napctl and metrics see
 * them: which are at work, how they fare, what is stale. Control thread. How a feed is made, and
 * what it may do on which thread, is in live_feed.h.
 */
#ifndef NAPD_FEED_FEEDS_H
#define NAPD_FEED_FEEDS_H

#include <stdbool.h>
#include <stdint.h>

#include "learned.h"

struct feeds;
struct runtime;

#define FEED_SAID_MAX 160

struct feed_view {
	enum route_source source;
	bool up;                  /* its daemon is connected, or the kernel is followed */
	bool loaded;              /* it has told all its routes once since napd started */
	uint64_t since_ns;        /* CLOCK_MONOTONIC: since when it is up, or down */
	char said[FEED_SAID_MAX]; /* who is connected, or why it is down */
	uint64_t messages;        /* taken since napd started */
	uint64_t acknowledged;    /* routes, to a daemon that wants to know */
	uint64_t losses;          /* how often it was lost */
	uint64_t marked;          /* how many routes the last loss left stale */
	uint64_t restored; /* routes from before the start, until stale ones have been swept */
	struct learned_counts counts;
};

/* Feeds of rt's configuration are started by feeds_update(). Borrows rt, which has its tables
 * thread. Returns to the caller; NULL without memory. */
struct feeds *feeds_create(struct runtime *rt);

/* End what reads; then the tables thread is to end, and then what has been learned is freed. NULL
 * is allowed. */
void feeds_stop(struct feeds *feeds);
void feeds_free(struct feeds *feeds);

/*
 * Bring the feeds to what rt's configuration says: at the start and after each reload. One that is
 * no longer there takes its routes with it; one whose settings changed starts anew, and its
 * routes are stale until they are told again.
 */
void feeds_update(struct feeds *feeds);

/* TAPs come and go, what is stale is swept when that is safe; every 100 ms. */
void feeds_tick(struct feeds *feeds);

/* The tables that were made last are in force. NULL is allowed. */
void feeds_published(struct feeds *feeds);

/* The nth feed of the configuration. False: there is none. */
bool feeds_view(const struct feeds *feeds, unsigned int n, struct feed_view *view);

/* NULL: every feed has told its routes once; else one sentence about who has not. */
const char *feeds_unloaded(const struct feeds *feeds);

/* Is a source's route of a prefix stale? -1: not known now, for the tables thread is busy with it.
 */
int feeds_is_stale(struct feeds *feeds, enum route_source source, const struct ip_prefix *prefix);

#endif
