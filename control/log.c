// SPDX-License-Identifier: BSD-3-Clause
/* Writes the log to stderr, for journald with its priorities, and limits each call site. */
#include "log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SITES          64
#define SITE_BURST     10
#define SITE_PERIOD_S  10
#define LOG_LINE_BYTES 1024

static const struct {
	const char *name;
	int priority; /* of syslog(3) */
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", 3 },
	[LOG_LEVEL_WARNING] = { "warning", 4 },
	[LOG_LEVEL_INFO] = { "info", 6 },
	[LOG_LEVEL_DEBUG] = { "debug", 7 },
};

static enum log_level threshold = LOG_LEVEL_INFO;

/* A place in the code that logs, how often it lately did, and what it could not say. */
static struct site {
	const char *file;
	int line;
	time_t since;
	unsigned int written, suppressed;
	enum log_level level;
	char module[16];
	char last[LOG_EVENT_BYTES];
} sites[SITES];

/* Control, the reader of tables and others log; workers never do. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct log_event events[LOG_EVENTS]; /* the newest at (event_count - 1) % LOG_EVENTS */
static uint64_t event_count;

const char *log_level_name(enum log_level level)
{
	return levels[level].name;
}

static void remember(enum log_level level, const char *module, const char *text)
{
	struct log_event *e = &events[event_count++ % LOG_EVENTS];

	clock_gettime(CLOCK_REALTIME, &e->time);
	e->level = level;
	snprintf(e->module, sizeof(e->module), "%.*s", (int)sizeof(e->module) - 1, module);
	snprintf(e->text, sizeof(e->text), "%.*s", LOG_EVENT_BYTES - 1, text);
}

unsigned int log_events(struct log_event *list, unsigned int n)
{
	pthread_mutex_lock(&lock);
	if (n > LOG_EVENTS)
		n = LOG_EVENTS;
	if (n > event_count)
		n = event_count;
	for (unsigned int i = 0; i < n; i++)
		list[i] = events[(event_count - n + i) % LOG_EVENTS];
	pthread_mutex_unlock(&lock);
	return n;
}

int log_set_level(const char *name)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (strcmp(levels[i].name, name) == 0) {
			threshold = i;
			return 0;
		}
	}
	return -EINVAL;
}

static void write_line(enum log_level level, const char *module, const char *text)
{
	char stamp[32] = "";
	struct timespec now;
	struct tm tm;

	if (getenv("JOURNAL_STREAM")) {
		fprintf(stderr, "<%d>%s: %s\n", levels[level].priority, module, text);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &tm))
		strftime(stamp, sizeof(stamp), "%FT%T", &tm);
	fprintf(stderr, "%s.%03ldZ %s %s: %s\n", stamp, now.tv_nsec / 1000000, levels[level].name,
		module, text);
}

/* Into the events, and to where the log goes. */
static void say(enum log_level level, const char *module, const char *text)
{
	if (level <= LOG_LEVEL_INFO)
		remember(level, module, text);
	if (level <= threshold)
		write_line(level, module, text);
}

static void tell_suppressed(struct site *s)
{
	char text[LOG_EVENT_BYTES + 64];

	if (s->suppressed > 1)
		snprintf(text, sizeof(text), "%s (and %u like it, not shown)", s->last,
			 s->suppressed - 1);
	if (s->suppressed)
		say(s->level, s->module, s->suppressed > 1 ? text : s->last);
	s->suppressed = 0;
}

/* Colliding places take turns; that errs on the side of writing. */
static bool site_may_write(enum log_level level, const char *module, const char *file, int line,
			   const char *text)
{
	struct site *s = &sites[(size_t)line % SITES];
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (s->file != file || s->line != line || now.tv_sec - s->since >= SITE_PERIOD_S) {
		tell_suppressed(s);
		*s = (struct site){ .file = file, .line = line, .since = now.tv_sec };
	}
	if (s->written < SITE_BURST) {
		s->written++;
		return true;
	}
	s->suppressed++;
	s->level = level;
	snprintf(s->module, sizeof(s->module), "%.*s", (int)sizeof(s->module) - 1, module);
	snprintf(s->last, sizeof(s->last), "%.*s", LOG_EVENT_BYTES - 1, text);
	return false;
}

void log_flush(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < SITES; i++)
		if (now.tv_sec - sites[i].since >= SITE_PERIOD_S)
			tell_suppressed(&sites[i]);
	pthread_mutex_unlock(&lock);
}

/* One event, one line, whatever a neighbour calls itself. */
static void format_line(char text[LOG_LINE_BYTES], const char *format, va_list ap)
	__attribute__((format(printf, 2, 0)));

static void format_line(char text[LOG_LINE_BYTES], const char *format, va_list ap)
{
	vsnprintf(text, LOG_LINE_BYTES, format, ap);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
}

void log_write(enum log_level level, const char *module, const char *file, int line,
	       const char *format, ...)
{
	char text[LOG_LINE_BYTES];
	va_list ap;

	if (level > threshold && level > LOG_LEVEL_INFO)
		return;
	va_start(ap, format);
	format_line(text, format, ap);
	va_end(ap);
	pthread_mutex_lock(&lock);
	if (site_may_write(level, module, file, line, text))
		say(level, module, text);
	pthread_mutex_unlock(&lock);
}

void log_always(enum log_level level, const char *module, const char *format, ...)
{
	char text[LOG_LINE_BYTES];
	va_list ap;

	va_start(ap, format);
	format_line(text, format, ap);
	va_end(ap);
	pthread_mutex_lock(&lock);
	say(level, module, text);
	pthread_mutex_unlock(&lock);
}

/* ---- subjects ---- */

bool log_subject_may(struct log_subject *subject, uint64_t now_ns)
{
	if (now_ns - subject->since_ns >= LOG_SUBJECT_PERIOD_NS && !subject->withheld)
		*subject = (struct log_subject){ .since_ns = now_ns };
	if (subject->said < LOG_SUBJECT_BURST) {
		subject->said++;
		return true;
	}
	subject->withheld++;
	return false;
}

bool log_subject_due(struct log_subject *subject, uint64_t now_ns, unsigned int *withheld)
{
	*withheld = subject->withheld;
	if (!subject->withheld || now_ns - subject->since_ns < LOG_SUBJECT_PERIOD_NS)
		return false;
	*subject = (struct log_subject){ .since_ns = now_ns, .said = 1 };
	return true;
}
