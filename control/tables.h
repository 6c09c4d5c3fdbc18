/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tables thread: owns a model's RIB from tables_start() on, takes changes of routes in
 * batches, and makes of them the tables that control publishes; at most fifty times a second, so
 * that a million routes delay neither failover nor ARP nor an operator.
 */
#ifndef NAPD_TABLES_H
#define NAPD_TABLES_H

#include "model_state.h"

struct tables;

/*
 * Something for the thread to do in the order of the batches: what a feed has received, above all.
 * Whoever posts it embeds it; arguments stand around it.
 */
struct tables_work {
	struct tables_work *next; /* tables.c */
	/*
	 * How many changes of routes it comes to, about: counted as waiting until it is done, so
	 * that a feed that is faster than the tables is held back. 0: it is never refused.
	 */
	uint64_t weight;
	/*
	 * Do some of it, a few thousand changes at most, on the model in force. True: there is
	 * more, and it is called again; another model may be in force then. Tables thread, not
	 * under the model's lock.
	 */
	bool (*run)(struct tables_work *work, struct model *model);
	/* It is done, or the thread ends first. On the tables thread, or in tables_free(). NULL: it
	 * is its owner's again; run may post it anew then. */
	void (*free)(struct tables_work *work);
};

/* One after the other; each takes effect as a whole: nobody sees a prefix without its route
 * between. */
struct route_change {
	enum route_source source;
	bool gone; /* else set, or replaced: kind and via count */
	/*
	 * Its via is within the batch; a next hop's port is a number (model_port_number()), which
	 * outlives the configuration, or SIZE_MAX: on whose subnet its address lies.
	 */
	struct route route;
};

struct route_batch {
	struct tables_work work; /* tables.c */
	size_t count, size;
	size_t hop_count, hop_size;
	struct config_nexthop *hop;
	struct route_change change[];
};

/* Room for so many changes with so many next hops in all. Returns to the caller; NULL: no memory.
 */
struct route_batch *route_batch_create(size_t changes, size_t hops);
/* One that was not posted. NULL is allowed. */
void route_batch_free(struct route_batch *batch);
/* Copies via. False: no room. */
bool route_batch_set(struct route_batch *batch, enum route_source source,
		     const struct route *route);
bool route_batch_delete(struct route_batch *batch, enum route_source source,
			const struct ip_prefix *prefix);

/*
 * Start the thread. From now on others only look at the model's routes, under its lock, and
 * control's model_snapshot() takes the tables that are ready. changed(arg) is called on the
 * thread when there are new ones; it must not block. Borrows model until tables_free(). Returns
 * to the caller; NULL with errno: the model is as before.
 */
struct tables *tables_start(struct model *model, void (*changed)(void *arg), void *arg);

/* Waits for the thread to end. Changes that wait are lost. NULL is allowed. */
void tables_free(struct tables *tables);

/*
 * Who follows what the thread does; called on it. moved: it goes over to another model, whose
 * routes of feeds are there: before anything else is done to it, and before control forwards by it.
 * built: it has made tables, before changed() says so; must not block, nor post. Once, before a
 * reload can be.
 */
struct tables_follower {
	void (*moved)(void *arg, struct model *next);
	void (*built)(void *arg);
	void *arg;
};
void tables_follow(struct tables *tables, const struct tables_follower *follower);

/*
 * A reload: have the thread work on another model, which nobody else uses yet, once it has put into
 * it what feeds have brought and neighbours' host routes, and made its tables. Then changed() is
 * called, tables_model() is next, and control forwards by it; the former is the caller's again.
 * Batches wait meanwhile. One at a time.
 */
void tables_switch(struct tables *tables, struct model *next);
struct model *tables_model(struct tables *tables);

/*
 * Have a batch applied after those before it. Takes it when it returns 0; -EAGAIN: a million
 * changes wait already, try later. Any thread.
 */
int tables_post(struct tables *tables, struct route_batch *batch);

/*
 * Have other work done after what was posted before it. Takes it when it returns 0; -EAGAIN as
 * above, never with a weight of 0. Any thread, the tables thread itself too.
 */
int tables_post_work(struct tables *tables, struct tables_work *work);

struct tables_view {
	uint64_t applied, refused; /* changes; refused: -errno of model_route_set() */
	uint64_t waiting;
	bool resting; /* all of it is in the tables that control was told of */
	uint64_t builds;
	uint64_t build_ns, longest_build_ns;
};
struct tables_view tables_view(struct tables *tables);

#endif
