// SPDX-License-Identifier: BSD-3-Clause
/*
 * Starts and stops feeds, keeps what they learned on the tables thread, and follows what
 * changes around them: models, TAPs, ports.
 */
#include "feeds.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../log.h"
#include "../runtime.h"
#include "live_feed.h"

/* Every feed there is. */
extern const struct feed_kind fpm_feed, kernel_feed;
static const struct feed_kind *const kinds[] = { &fpm_feed, &kernel_feed };
#define FEEDS (sizeof(kinds) / sizeof(kinds[0]))

#define SECOND_NS UINT64_C(1000000000)
#define RETRY_NS  SECOND_NS       /* a reader that could not be started */
#define SLICE     1024            /* routes between two looks at who else waits */
#define LOOK_NS   2000000         /* how long control waits to look at what is learned */
#define QUIET_NS  (5 * SECOND_NS) /* no stale route was told again for so long */

struct feed {
	const struct feed_kind *kind;
	struct feeds *feeds;
	/* control's */
	bool wanted;
	char key[FEED_KEY_MAX];
	uint64_t retry_ns;
	uint64_t stale, told_ns; /* how many there were; when one was told again last */
	uint64_t swept;          /* after how many losses it was last decided */
	/* anybody's, under the mutex */
	pthread_mutex_t mutex;
	void *reader; /* control changes it */
	struct feed_view view;
	/* the tables thread's */
	uint32_t table;
	struct learned *learned; /* under learned_lock; control looks, too */
	pthread_mutex_t learned_lock;
	unsigned int control_waits; /* for it: the tables thread lets it go first */
};

/* Whose TAP an interface of the kernel is; ascending by interface. */
struct port_map {
	size_t count;
	struct port_entry {
		uint32_t interface;
		uint16_t port;
	} entry[];
};

struct feeds {
	struct runtime *rt;
	struct feed feed[FEEDS];
	unsigned int taps_generation; /* control's: of the map that was posted last */
	/* the tables thread's */
	struct port_map *map;
	struct model *model; /* in force */
};

uint64_t feed_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

/* ---- what a feed says of itself ---- */

static bool set_state(struct feed *f, bool up, const char *format, va_list ap)
	__attribute__((format(printf, 3, 0)));

static bool set_state(struct feed *f, bool up, const char *format, va_list ap)
{
	char said[FEED_SAID_MAX];
	bool changed, was_up;

	vsnprintf(said, sizeof(said), format, ap);
	pthread_mutex_lock(&f->mutex);
	was_up = f->view.up;
	changed = was_up != up || strcmp(f->view.said, said) != 0;
	if (was_up != up || !f->view.since_ns)
		f->view.since_ns = feed_now_ns();
	f->view.up = up;
	memcpy(f->view.said, said, sizeof(said));
	pthread_mutex_unlock(&f->mutex);
	if (changed && was_up && !up)
		log_warning(f->kind->module, "%s: %s; its routes stay, and are stale",
			    f->kind->name, said);
	else if (changed)
		log_info(f->kind->module, "%s: %s", f->kind->name, said);
	return changed;
}

void feed_up(struct feed *f, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	set_state(f, true, format, ap);
	va_end(ap);
}

void feed_down(struct feed *f, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	set_state(f, false, format, ap);
	va_end(ap);
}

void feed_told_all(struct feed *f)
{
	bool first;

	pthread_mutex_lock(&f->mutex);
	first = !f->view.loaded;
	f->view.loaded = true;
	pthread_mutex_unlock(&f->mutex);
	if (first)
		log_info(f->kind->module, "%s: all its routes have been told", f->kind->name);
}

void feed_acknowledged(struct feed *f, uint64_t routes)
{
	pthread_mutex_lock(&f->mutex);
	f->view.acknowledged += routes;
	pthread_mutex_unlock(&f->mutex);
}

bool feed_resting(const struct feed *f)
{
	return tables_view(f->feeds->rt->tables).resting;
}

int feed_post(struct feed *f, struct tables_work *work)
{
	return tables_post_work(f->feeds->rt->tables, work);
}

static struct feed_view view_of(const struct feed *feed)
{
	struct feed *f = (struct feed *)(uintptr_t)feed;
	struct feed_view view;

	pthread_mutex_lock(&f->mutex);
	view = f->view;
	pthread_mutex_unlock(&f->mutex);
	return view;
}

bool feed_has_restored(struct feed *f)
{
	return view_of(f).restored;
}

uint64_t feed_losses(struct feed *f)
{
	return view_of(f).losses;
}

/* ---- what is learned: the tables thread ---- */

static int by_interface(const void *a, const void *b)
{
	const struct port_entry *x = a, *y = b;

	return x->interface < y->interface ? -1 : x->interface > y->interface;
}

static size_t port_of(void *ctx, uint32_t interface)
{
	const struct feeds *feeds = ctx;
	const struct port_entry key = { interface, 0 }, *found = NULL;

	if (feeds->map)
		found = bsearch(&key, feeds->map->entry, feeds->map->count, sizeof(key),
				by_interface);
	return found ? model_config_port(feeds->model, found->port) : SIZE_MAX;
}

static void lock_politely(struct feed *f)
{
	while (__atomic_load_n(&f->control_waits, __ATOMIC_RELAXED))
		sched_yield();
	pthread_mutex_lock(&f->learned_lock);
}

struct learned *feed_enter(struct feed *f, struct model *model)
{
	const struct learned_options options = { .model = model,
						 .source = f->kind->source,
						 .table = f->table,
						 .kernel = f->kind->kernel,
						 .port_of = port_of,
						 .ctx = f->feeds };

	f->feeds->model = model;
	lock_politely(f);
	if (!f->learned)
		f->learned = learned_create(&options);
	return f->learned;
}

void feed_leave(struct feed *f, uint64_t messages)
{
	struct learned_counts counts = { 0 };

	if (f->learned)
		learned_counts(f->learned, &counts);
	pthread_mutex_unlock(&f->learned_lock);
	pthread_mutex_lock(&f->mutex);
	f->view.counts = counts;
	f->view.messages += messages;
	pthread_mutex_unlock(&f->mutex);
}

void feed_mark(struct feed *f, struct model *model)
{
	struct learned *learned = feed_enter(f, model);
	uint64_t marked;

	if (learned)
		learned_mark(learned);
	feed_leave(f, 0);
	pthread_mutex_lock(&f->mutex);
	f->view.losses++;
	f->view.marked = marked = f->view.counts.stale;
	pthread_mutex_unlock(&f->mutex);
	if (marked)
		log_info(f->kind->module, "%s: %llu routes are stale", f->kind->name,
			 (unsigned long long)marked);
}

/* ---- what control has the tables thread do ---- */

struct chore {
	struct tables_work work;
	struct feeds *feeds;
	struct feed *feed; /* of all but CHORE_MAP */
	enum chore_kind {
		CHORE_TABLE,    /* routes of this table count from now on */
		CHORE_MAP,      /* TAPs are other interfaces', or ports' */
		CHORE_RESOLVE,  /* look at all routes again */
		CHORE_SWEEP,    /* delete what is stale */
		CHORE_WITHDRAW, /* delete everything */
	} kind;
	uint32_t table;
	uint64_t losses;
	bool begun;
	struct port_map *map;
};

static void chore_free(struct tables_work *work)
{
	free(((struct chore *)work)->map);
	free(work);
}

static bool chore_run(struct tables_work *work, struct model *model);

/* Of no weight: never refused. */
static void chore_post(struct feeds *feeds, struct chore chore)
{
	struct chore *c = malloc(sizeof(*c));

	if (!c) {
		log_error("tables", "no memory for what changes the routes of feeds");
		free(chore.map);
		return;
	}
	*c = chore;
	c->feeds = feeds;
	c->work = (struct tables_work){ .run = chore_run, .free = chore_free };
	tables_post_work(feeds->rt->tables, &c->work);
}

static void resolve_all_again(struct feeds *feeds)
{
	for (size_t i = 0; i < FEEDS; i++) {
		struct feed *f = &feeds->feed[i];

		if (!f->learned)
			continue;
		lock_politely(f);
		learned_resolve_again(f->learned);
		pthread_mutex_unlock(&f->learned_lock);
		chore_post(feeds, (struct chore){ .feed = f, .kind = CHORE_RESOLVE });
	}
}

static bool delete_stale(struct feed *f, struct model *model)
{
	struct learned *learned = feed_enter(f, model);
	const bool more = learned && learned_sweep(learned, SLICE);

	feed_leave(f, 0);
	return more;
}

static bool sweep(struct chore *c, struct model *model)
{
	struct feed *f = c->feed;
	const struct feed_view view = view_of(f);

	if (view.losses != c->losses)
		return false; /* lost again: these are stale for another reason */
	if (!c->begun && view.counts.stale)
		log_info(f->kind->module, "%s: %llu stale routes were not told again, and go",
			 f->kind->name, (unsigned long long)view.counts.stale);
	c->begun = true;
	return delete_stale(f, model);
}

static bool chore_run(struct tables_work *work, struct model *model)
{
	struct chore *c = (struct chore *)work;
	struct port_map *map;
	bool more = false;

	c->feeds->model = model;
	switch (c->kind) {
	case CHORE_TABLE:
		c->feed->table = c->table;
		if (feed_enter(c->feed, model))
			learned_set_table(c->feed->learned, c->table);
		feed_leave(c->feed, 0);
		return false;
	case CHORE_MAP:
		map = c->feeds->map;
		c->feeds->map = c->map;
		c->map = map;
		resolve_all_again(c->feeds);
		return false;
	case CHORE_RESOLVE:
		if (feed_enter(c->feed, model))
			more = learned_resolve(c->feed->learned, SLICE);
		feed_leave(c->feed, 0);
		return more;
	case CHORE_SWEEP:
		return sweep(c, model);
	default:
		if (!c->begun)
			feed_mark(c->feed, model);
		c->begun = true;
		return delete_stale(c->feed, model);
	}
}

void feed_sweep(struct feed *f, uint64_t losses)
{
	pthread_mutex_lock(&f->mutex);
	f->view.restored = 0;
	pthread_mutex_unlock(&f->mutex);
	chore_post(f->feeds, (struct chore){ .feed = f, .kind = CHORE_SWEEP, .losses = losses });
}

void feed_restored(struct feed *f, uint64_t routes)
{
	pthread_mutex_lock(&f->mutex);
	f->view.losses++;
	f->view.restored = f->view.marked = routes;
	pthread_mutex_unlock(&f->mutex);
}

void feed_consider_sweep(struct feed *f, const struct feed_view *view, uint32_t stale_s,
			 uint64_t now_ns)
{
	const uint64_t stale = view->counts.stale, up_ns = now_ns - view->since_ns;

	if (stale != f->stale)
		f->told_ns = now_ns;
	f->stale = stale;
	if (!stale && view->restored) { /* told again in full: it is as ever */
		pthread_mutex_lock(&f->mutex);
		f->view.restored = 0;
		pthread_mutex_unlock(&f->mutex);
	}
	if (!stale || f->swept == view->losses || now_ns - f->told_ns < QUIET_NS ||
	    up_ns < QUIET_NS)
		return;
	if (stale * 10 > view->marked && up_ns < stale_s * SECOND_NS)
		return;
	f->swept = view->losses;
	feed_sweep(f, view->losses);
}

/* The tables thread goes over to another model. */
static void moved(void *arg, struct model *next)
{
	struct feeds *feeds = arg;

	feeds->model = next;
	for (size_t i = 0; i < FEEDS; i++) {
		struct feed *f = &feeds->feed[i];

		if (!f->learned)
			continue;
		lock_politely(f);
		learned_move(f->learned, next);
		pthread_mutex_unlock(&f->learned_lock);
	}
	resolve_all_again(feeds);
}

/* ---- start and end ---- */

static void reader_stop(struct feed *f)
{
	void *reader;

	pthread_mutex_lock(&f->mutex);
	reader = f->reader;
	f->reader = NULL;
	pthread_mutex_unlock(&f->mutex);
	if (reader)
		f->kind->stop(reader);
}

static void reader_start(struct feed *f)
{
	void *reader = f->kind->start(f, f->feeds->rt->config);

	pthread_mutex_lock(&f->mutex);
	f->reader = reader;
	pthread_mutex_unlock(&f->mutex);
	f->retry_ns = feed_now_ns() + RETRY_NS;
}

static void begin(struct feed *f, const char *key)
{
	if (!f->wanted) {
		pthread_mutex_lock(&f->mutex);
		f->view = (struct feed_view){ .source = f->kind->source,
					      .losses = f->view.losses,
					      .marked = f->view.marked,
					      .restored = f->view.restored,
					      .counts = f->view.counts };
		pthread_mutex_unlock(&f->mutex);
	}
	f->wanted = true;
	snprintf(f->key, sizeof(f->key), "%s", key);
	chore_post(f->feeds, (struct chore){ .feed = f,
					     .kind = CHORE_TABLE,
					     .table = f->kind->table(f->feeds->rt->config) });
	reader_start(f);
}

static void update(struct feed *f)
{
	const struct config *config = f->feeds->rt->config;
	char key[FEED_KEY_MAX] = "";

	if (!f->kind->wanted(config)) {
		if (!f->wanted)
			return;
		f->wanted = false;
		reader_stop(f);
		chore_post(f->feeds, (struct chore){ .feed = f, .kind = CHORE_WITHDRAW });
		return;
	}
	f->kind->key(config, key);
	snprintf(key + strlen(key), sizeof(key) - strlen(key), " table %u", f->kind->table(config));
	if (f->wanted && strcmp(key, f->key) == 0)
		return;
	reader_stop(f);
	begin(f, key);
}

/* The TAPs of ports as they are now. */
static void post_map(struct feeds *feeds)
{
	const struct runtime *rt = feeds->rt;
	struct port_map *map =
		malloc(sizeof(*map) + rt->config->port_count * sizeof(map->entry[0]));

	if (!map)
		return; /* the next tick tries again */
	feeds->taps_generation = taps_generation(rt->taps);
	map->count = 0;
	for (size_t i = 0; i < rt->config->port_count; i++) {
		const uint16_t port = model_port_number(rt->model, i);
		const uint32_t interface = taps_interface(rt->taps, port);

		if (interface)
			map->entry[map->count++] = (struct port_entry){ interface, port };
	}
	qsort(map->entry, map->count, sizeof(map->entry[0]), by_interface);
	chore_post(feeds, (struct chore){ .kind = CHORE_MAP, .map = map });
}

void feeds_update(struct feeds *feeds)
{
	post_map(feeds);
	for (size_t i = 0; i < FEEDS; i++)
		update(&feeds->feed[i]);
}

void feeds_tick(struct feeds *feeds)
{
	const uint64_t now_ns = feed_now_ns();

	if (feeds->taps_generation != taps_generation(feeds->rt->taps))
		post_map(feeds);
	for (size_t i = 0; i < FEEDS; i++) {
		struct feed *f = &feeds->feed[i];
		const struct feed_view view = view_of(f);

		if (f->wanted && !f->reader && now_ns >= f->retry_ns)
			reader_start(f);
		if (f->reader && f->kind->tick)
			f->kind->tick(f->reader, feeds->rt->config, &view, now_ns);
	}
}

/* On the tables thread. */
static void built(void *arg)
{
	struct feeds *feeds = arg;

	for (size_t i = 0; i < FEEDS; i++) {
		struct feed *f = &feeds->feed[i];

		pthread_mutex_lock(&f->mutex);
		if (f->reader && f->kind->built)
			f->kind->built(f->reader);
		pthread_mutex_unlock(&f->mutex);
	}
}

void feeds_published(struct feeds *feeds)
{
	for (size_t i = 0; feeds && i < FEEDS; i++)
		if (feeds->feed[i].reader && feeds->feed[i].kind->published)
			feeds->feed[i].kind->published(feeds->feed[i].reader);
}

struct feeds *feeds_create(struct runtime *rt)
{
	struct tables_follower follower = { .moved = moved, .built = built };
	struct feeds *feeds = calloc(1, sizeof(*feeds));

	if (!feeds)
		return NULL;
	follower.arg = feeds;
	feeds->rt = rt;
	feeds->model = rt->model;
	for (size_t i = 0; i < FEEDS; i++) {
		struct feed *f = &feeds->feed[i];

		f->kind = kinds[i];
		f->feeds = feeds;
		f->view.source = f->kind->source;
		pthread_mutex_init(&f->mutex, NULL);
		pthread_mutex_init(&f->learned_lock, NULL);
	}
	tables_follow(rt->tables, &follower);
	return feeds;
}

void feeds_stop(struct feeds *feeds)
{
	for (size_t i = 0; feeds && i < FEEDS; i++) {
		feeds->feed[i].wanted = false;
		reader_stop(&feeds->feed[i]);
	}
}

void feeds_free(struct feeds *feeds)
{
	if (!feeds)
		return;
	for (size_t i = 0; i < FEEDS; i++) {
		learned_free(feeds->feed[i].learned);
		pthread_mutex_destroy(&feeds->feed[i].mutex);
		pthread_mutex_destroy(&feeds->feed[i].learned_lock);
	}
	free(feeds->map);
	free(feeds);
}

/* ---- what is shown ---- */

bool feeds_view(const struct feeds *feeds, unsigned int n, struct feed_view *view)
{
	for (size_t i = 0; feeds && i < FEEDS; i++) {
		if (!feeds->feed[i].wanted || n--)
			continue;
		*view = view_of(&feeds->feed[i]);
		return true;
	}
	return false;
}

const char *feeds_unloaded(const struct feeds *feeds)
{
	static char text[96];

	for (size_t i = 0; feeds && i < FEEDS; i++) {
		const struct feed *f = &feeds->feed[i];

		if (!f->wanted || view_of(f).loaded)
			continue;
		snprintf(text, sizeof(text), "%s has not told its routes yet", f->kind->name);
		return text;
	}
	return NULL;
}

static struct feed *feed_of(struct feeds *feeds, enum route_source source)
{
	for (size_t i = 0; feeds && i < FEEDS; i++)
		if (feeds->feed[i].kind->source == source)
			return &feeds->feed[i];
	return NULL;
}

struct feed *feeds_feed(struct feeds *feeds, enum route_source source)
{
	struct feed *f = feed_of(feeds, source);

	return f && f->kind->wanted(feeds->rt->config) ? f : NULL;
}

int feeds_is_stale(struct feeds *feeds, enum route_source source, const struct ip_prefix *prefix)
{
	struct feed *f = feed_of(feeds, source);
	const uint64_t until_ns = feed_now_ns() + LOOK_NS;
	const struct timespec until = { (time_t)(until_ns / SECOND_NS),
					(long)(until_ns % SECOND_NS) };
	int stale = -1;

	if (!f || !view_of(f).counts.stale)
		return 0;
	__atomic_add_fetch(&f->control_waits, 1, __ATOMIC_RELAXED);
	if (pthread_mutex_clocklock(&f->learned_lock, CLOCK_MONOTONIC, &until) == 0) {
		stale = f->learned && learned_is_stale(f->learned, prefix);
		pthread_mutex_unlock(&f->learned_lock);
	}
	__atomic_sub_fetch(&f->control_waits, 1, __ATOMIC_RELAXED);
	return stale;
}
