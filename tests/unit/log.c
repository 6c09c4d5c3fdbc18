// SPDX-License-Identifier: BSD-3-Clause
/* The last events: what is kept of what was logged, in which order, and how much of a storm. */
#include "test.h"

#include <string.h>

#include "log.h"

static struct log_event list[LOG_EVENTS];

static void events_are_kept_in_order(void **state)
{
	unsigned int n;

	(void)state;
	assert_int_equal(log_set_level("error"), 0);
	assert_int_equal(log_set_level("loud"), -22);
	log_info("first", "port %s is %s", "pa", "up");
	log_debug("second", "nobody needs to know");
	log_warning("third-is-a-long-module-name", "one\nline");
	n = log_events(list, LOG_EVENTS);
	assert_int_equal(n, 2); /* whatever level is written, but not debugging */
	assert_string_equal(list[0].text, "port pa is up");
	assert_string_equal(list[0].module, "first");
	assert_int_equal(list[0].level, LOG_LEVEL_INFO);
	assert_string_equal(list[1].text, "one line");
	assert_int_equal(strlen(list[1].module), sizeof(list[1].module) - 1);
	assert_string_equal(log_level_name(list[1].level), "warning");
	assert_true(list[0].time.tv_sec > 0);
	assert_int_equal(log_events(list, 1), 1);
	assert_string_equal(list[0].text, "one line");
}

static void a_storm_leaves_the_rest(void **state)
{
	char text[600];

	(void)state;
	for (int i = 0; i < 10000; i++)
		log_warning("storm", "number %d", i);
	assert_in_range(log_events(list, LOG_EVENTS), 12, 13);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_error("long", "%s", text);
	assert_int_equal(log_events(list, 1), 1);
	assert_int_equal(strlen(list[0].text), LOG_EVENT_BYTES - 1);
}

/* What a storm ends with is said too, once it is over. */
static void the_last_of_a_storm_is_told(void **state)
{
	const struct timespec moment = { .tv_nsec = 100000000 };

	(void)state;
	for (int i = 0; i < 30; i++)
		log_warning("storm", "pa moved to %d", i);
	log_flush();
	assert_int_equal(log_events(list, 1), 1);
	assert_string_equal(list[0].text, "pa moved to 9");
	for (int i = 0; i < 120 && strcmp(list[0].text, "pa moved to 9") == 0; i++) {
		nanosleep(&moment, NULL);
		log_flush();
		log_events(list, 1);
	}
	assert_string_equal(list[0].text, "pa moved to 29 (and 19 like it, not shown)");
	assert_string_equal(list[0].module, "storm");
	assert_int_equal(list[0].level, LOG_LEVEL_WARNING);
}

/* Each subject has its own limit, and its last state is always due. */
static void no_subject_silences_another(void **state)
{
	const uint64_t ms = 1000000;
	struct log_subject a = { 0 }, b = { 0 };
	uint64_t now = 1000 * LOG_SUBJECT_PERIOD_NS;
	unsigned int said = 0, withheld;

	(void)state;
	for (int i = 0; i < 100; i++) {
		now += ms;
		said += log_subject_may(&a, now);
		assert_false(log_subject_due(&a, now, &withheld));
	}
	assert_int_equal(said, LOG_SUBJECT_BURST);
	assert_true(log_subject_may(&b, now));
	now += LOG_SUBJECT_PERIOD_NS;
	assert_false(log_subject_may(&a, now)); /* what was withheld is told first */
	assert_true(log_subject_due(&a, now, &withheld));
	assert_int_equal(withheld, 100 - LOG_SUBJECT_BURST + 1);
	assert_false(log_subject_due(&a, now, &withheld));
	assert_true(log_subject_may(&a, now + ms));
	now += 2 * LOG_SUBJECT_PERIOD_NS;
	assert_false(log_subject_due(&a, now, &withheld)); /* nothing is left to be told */
	for (int i = 0; i < LOG_SUBJECT_BURST; i++)
		assert_true(log_subject_may(&a, now));
	assert_false(log_subject_may(&a, now));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_are_kept_in_order),
		cmocka_unit_test(a_storm_leaves_the_rest),
		cmocka_unit_test(the_last_of_a_storm_is_told),
		cmocka_unit_test(no_subject_silences_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
