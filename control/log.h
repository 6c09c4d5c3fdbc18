/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The log: a line an event, level and module first, to journald (priority
 * prefixes) or stderr (time and level), with a limit so that no storm fills it.
 */
#ifndef NAPD_LOG_H
#define NAPD_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Choose what is written. name: error, warning, info or debug; -EINVAL for others. Control thread.
 */
int log_set_level(const char *name);

/*
 * Say something. Lines of one call site beyond 10 in 10 seconds are counted, and the last of
 * them is told. Any thread but a worker's. format without newline.
 */
#define log_error(module, ...) log_write(LOG_LEVEL_ERROR, module, __FILE__, __LINE__, __VA_ARGS__)
#define log_warning(module, ...) \
	log_write(LOG_LEVEL_WARNING, module, __FILE__, __LINE__, __VA_ARGS__)
#define log_info(module, ...)  log_write(LOG_LEVEL_INFO, module, __FILE__, __LINE__, __VA_ARGS__)
#define log_debug(module, ...) log_write(LOG_LEVEL_DEBUG, module, __FILE__, __LINE__, __VA_ARGS__)

void log_write(enum log_level level, const char *module, const char *file, int line,
	       const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Tell of what was withheld and is not any more; call it about once a second. */
void log_flush(void);

/*
 * One subject whose state is logged, such as the link of a port, with a limit of its own, so that
 * none silences another. Zeroed at first.
 */
struct log_subject {
	uint64_t since_ns;
	unsigned int said, withheld;
};
#define LOG_SUBJECT_BURST     6
#define LOG_SUBJECT_PERIOD_NS UINT64_C(5000000000)

/*
 * May a change be said now? Else it is counted, and log_subject_due() is true once the last state
 * has to be said, with *withheld changes before it.
 */
bool log_subject_may(struct log_subject *subject, uint64_t now_ns);
bool log_subject_due(struct log_subject *subject, uint64_t now_ns, unsigned int *withheld);

/* Say it whatever its call site has said before. */
void log_always(enum log_level level, const char *module, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

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
