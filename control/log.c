// SPDX-License-Identifier: BSD-3-Clause
/* Writes the log to stderr, for journald with its priorities, and limits each call site. */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
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

/* A place in the code that logs, and how often it lately did. */
static struct site {
	const char *file;
	int line;
	time_t since;
	unsigned int written, suppressed;
} sites[SITES];

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

/* Colliding places take turns; that errs on the side of writing. */
static bool site_may_write(const char *module, const char *file, int line)
{
	struct site *s = &sites[(size_t)line % SITES];
	struct timespec now;
	char text[64];

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (s->file != file || s->line != line || now.tv_sec - s->since >= SITE_PERIOD_S) {
		if (s->suppressed && s->file) {
			snprintf(text, sizeof(text), "%u more of the same were not shown",
				 s->suppressed);
			write_line(LOG_LEVEL_INFO, module, text);
		}
		*s = (struct site){ .file = file, .line = line, .since = now.tv_sec };
	}
	if (s->written < SITE_BURST) {
		s->written++;
		return true;
	}
	s->suppressed++;
	return false;
}

void log_write(enum log_level level, const char *module, const char *file, int line,
	       const char *format, ...)
{
	char text[LOG_LINE_BYTES];
	va_list ap;

	if (level > threshold || !site_may_write(module, file, line))
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = ' '; /* one event, one line, whatever a neighbour calls itself */
	write_line(level, module, text);
}
