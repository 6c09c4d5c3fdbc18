// SPDX-License-Identifier: BSD-3-Clause
/* Work beside control: told of when it is over, and not waited for for ever. */
#include "test.h"

#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "background.h"

static atomic_bool let_go;
static int finished, cancelled;

static void wait_for_it(void *arg)
{
	(void)arg;
	while (!let_go)
		usleep(1000);
}

static void over(void *arg, bool was_cancelled)
{
	(void)arg;
	finished++;
	cancelled += was_cancelled;
}

static void it_is_told_when_it_is_over(void **state)
{
	struct event_base *base = event_base_new();
	struct background *b = background_create(base);

	(void)state;
	finished = cancelled = 0;
	let_go = true;
	assert_int_equal(background_run(b, wait_for_it, over, NULL), 0);
	while (!finished)
		event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(cancelled, 0);
	assert_true(background_free(b, 0));
	event_base_free(base);
}

static void what_is_at_work_is_waited_for(void **state)
{
	struct event_base *base = event_base_new();
	struct background *b = background_create(base);

	(void)state;
	finished = cancelled = 0;
	let_go = true;
	assert_int_equal(background_run(b, wait_for_it, over, NULL), 0);
	assert_true(background_free(b, 5000));
	assert_int_equal(finished, 1);
	event_base_free(base);
}

static void what_hangs_is_left(void **state)
{
	struct event_base *base = event_base_new();
	struct background *b = background_create(base);
	struct timespec before, after;

	(void)state;
	finished = cancelled = 0;
	let_go = false;
	assert_int_equal(background_run(b, wait_for_it, over, NULL), 0);
	clock_gettime(CLOCK_MONOTONIC, &before);
	assert_false(background_free(b, 100));
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_true(after.tv_sec - before.tv_sec <= 1);
	assert_int_equal(finished, 0);
	/* it is as it was: what comes back later is collected by who waits again */
	let_go = true;
	assert_true(background_free(b, 5000));
	assert_int_equal(finished, 1);
	assert_int_equal(cancelled, 1);
	event_base_free(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_told_when_it_is_over),
		cmocka_unit_test(what_is_at_work_is_waited_for),
		cmocka_unit_test(what_hangs_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
