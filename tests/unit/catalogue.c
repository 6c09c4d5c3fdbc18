// SPDX-License-Identifier: BSD-3-Clause
/* The catalogue: every reason once, names as the contract spells them. */
#include "test.h"

#include "api/catalogue.h"

#include <ctype.h>
#include <string.h>

static void every_reason_has_one_row(void **state)
{
	(void)state;
	for (int r = REASON_CONSUMED + 1; r < REASON_COUNT; r++) {
		unsigned int rows = 0;

		for (unsigned int i = 0; i < pipeline_row_count; i++)
			rows += pipeline_rows[i].reason == (enum reason)r;
		assert_int_equal(rows, 1);
		assert_int_equal(reason_by_name(reason_name(r)), r);
		assert_true(strlen(reason_text(r)) > 8);
	}
}

static void names_are_lower_case_words(void **state)
{
	(void)state;
	for (int r = REASON_CONSUMED + 1; r < REASON_COUNT; r++)
		for (const char *c = reason_name(r); *c; c++)
			assert_true(islower(*c) || isdigit(*c) || *c == '-');
}

static void reasons_belong_to_the_stage_above_them(void **state)
{
	(void)state;
	assert_string_equal(reason_stage(DROP_TTL_EXPIRED), "ttl");
	assert_string_equal(reason_stage(DROP_MAC_LOCK), "ethernet");
	assert_string_equal(reason_stage(DROP_INTERNAL), "internal");
	assert_int_equal(reason_by_name("no-such-reason"), REASON_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason_has_one_row),
		cmocka_unit_test(names_are_lower_case_words),
		cmocka_unit_test(reasons_belong_to_the_stage_above_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
