/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The log: a line an event, level and module first, to journald (priority
 * prefixes) or stderr (time and level), with a limit so that no storm fills it.
 */
#ifndef NAPD_LOG_H
#define NAPD_LOG_H

#include <stdint.h>
#include <time.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Choose what is written. name: error, warning, info or debug; -EINVAL for others. Control thread.
 */
int log_set_level(const char *name);

/*
 * Say something. Lines of one call site beyond 10 in 10 seconds are counted and
 * told of once. Any thread but a worker's. format without newline.
 */
#define log_error(module, ...) log_write(LOG_LEVEL_ERROR, module, __FILE__, __LINE__, __VA_ARGS__)
#define log_warning(module, ...) \
	log_write(LOG_LEVEL_WARNING, module, __FILE__, __LINE__, __VA_ARGS__)
#define log_info(module, ...)  log_write(LOG_LEVEL_INFO, module, __FILE__, __LINE__, __VA_ARGS__)
#define log_debug(module, ...) log_write(LOG_LEVEL_DEBUG, module, __FILE__, __LINE__, __VA_ARGS__)

void log_write(enum log_level level, const char *module, const char *file, int line,
	       const char *format, ...) __attribute__((format(printf, 5, 6)));

/* What was last said, but for debugging: kept whatever level is written. */
#define LOG_EVENTS      256
#define LOG_EVENT_BYTES 240
struct log_event {
	struct timespec time; /* CLOCK_REALTIME */
	enum log_level level;
	char module[16];
	char text[LOG_EVENT_BYTES];
};

/* The last n of them, oldest first, into list. Returns how many. Any thread but a worker's. */
unsigned int log_events(struct log_event *list, unsigned int n);
const char *log_level_name(enum log_level level);

#endif
