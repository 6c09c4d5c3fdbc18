// SPDX-License-Identifier: BSD-3-Clause
/* The command that shows what was lately said: links, neighbours, reloads, conflicts, devices. */
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "log.h"

#define SHOWN 50

static json_t *event_json(const struct log_event *e)
{
	char stamp[40], text[64];
	struct tm tm;

	strftime(stamp, sizeof(stamp), "%FT%T", gmtime_r(&e->time.tv_sec, &tm));
	snprintf(text, sizeof(text), "%s.%03ldZ", stamp, e->time.tv_nsec / 1000000);
	return json_pack("{s:s,s:s,s:s,s:s}", "time", text, "level", log_level_name(e->level),
			 "module", e->module, "text", e->text);
}

/* --last N; 0: an error was set. */
static unsigned int how_many(struct asking *a)
{
	char *end = NULL;
	unsigned long n = SHOWN;

	if (a->argc == 2 && strcmp(a->argv[0], "--last") == 0)
		n = strtoul(a->argv[1], &end, 10);
	else if (a->argc == 0)
		return a->since_s ? LOG_EVENTS : SHOWN;
	if (end && *end == '\0' && n >= 1 && n <= LOG_EVENTS)
		return n;
	answer_fail(a, 2, "show events: takes --last N, 1 to %d, and --since TIME", LOG_EVENTS);
	return 0;
}

void show_events(struct asking *a)
{
	const unsigned int most = how_many(a);
	const time_t now = time(NULL);
	struct log_event *list;
	unsigned int n;

	if (!most)
		return;
	list = calloc(most, sizeof(*list));
	if (!list) {
		answer_fail(a, 1, "no memory");
		return;
	}
	n = log_events(list, most);
	a->json = json_array();
	for (unsigned int i = 0; i < n; i++) {
		json_t *row;
		int at;

		if (a->since_s && now - list[i].time.tv_sec > a->since_s)
			continue;
		row = event_json(&list[i]);
		at = fprintf(a->text, "%.10s %.8s  %-7s  %s: ",
			     json_string_value(json_object_get(row, "time")),
			     json_string_value(json_object_get(row, "time")) + 11,
			     log_level_name(list[i].level), list[i].module);
		answer_wrapped(a, list[i].text, at);
		json_array_append_new(a->json, row);
	}
	free(list);
}
