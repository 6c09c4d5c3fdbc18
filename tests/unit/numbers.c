// SPDX-License-Identifier: BSD-3-Clause
/* Who keeps a number, who gets one, and when one is given again. */
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "numbers.h"
#include "out_of_memory.h"

/* Names are letters: "abc" is a, b and c. */
static int assign(struct numbers *to, const struct numbers *previous, const char *letters,
		  uint16_t limit, uint16_t number[26])
{
	char text[26][2] = { 0 }, *name[26];
	const size_t n = strlen(letters);

	for (size_t i = 0; i < n; i++) {
		text[i][0] = letters[i];
		name[i] = text[i];
	}
	return numbers_assign(to, previous, name, n, limit, number);
}

/* The owners in the order of numbers, "-" where nobody is. */
static void assert_owners(const struct numbers *numbers, const char *letters, const char *owners)
{
	assert_int_equal(numbers->count, strlen(owners));
	for (uint16_t i = 0; i < numbers->count; i++) {
		const size_t who = numbers->of[i].who;

		assert_int_equal(who == SIZE_MAX ? '-' : letters[who], owners[i]);
	}
}

static void the_first_are_in_order(void **state)
{
	struct numbers a;
	uint16_t number[26];

	(void)state;
	assert_int_equal(assign(&a, NULL, "cab", 3, number), 0);
	assert_owners(&a, "cab", "cab");
	assert_int_equal(number[2], 2);
	assert_true(a.of[0].is_new);
	numbers_fini(&a);
	assert_int_equal(assign(&a, NULL, "", 3, number), 0);
	assert_int_equal(a.count, 0);
	numbers_fini(&a);
}

static void names_keep_theirs(void **state)
{
	struct numbers a, b, c, d;
	uint16_t number[26];

	(void)state;
	assert_int_equal(assign(&a, NULL, "abcd", 100, number), 0);
	assert_int_equal(assign(&b, &a, "edca", 100, number), 0);
	assert_owners(&b, "edca", "a-cde");
	assert_int_equal(number[0], 4);
	assert_int_equal(number[3], 0);
	assert_false(b.of[0].is_new);
	assert_true(b.of[4].is_new);
	/* who comes back has the number of old, and what was counted under it */
	assert_int_equal(assign(&c, &b, "bf", 100, number), 0);
	assert_owners(&c, "bf", "-b---f");
	assert_false(c.of[1].is_new);
	assert_int_equal(assign(&d, &c, "abcdef", 100, number), 0);
	assert_owners(&d, "abcdef", "abcdef");
	numbers_fini(&a);
	numbers_fini(&b);
	numbers_fini(&c);
	numbers_fini(&d);
}

static void the_gone_make_room_when_there_is_no_other(void **state)
{
	struct numbers a, b, c, d;
	uint16_t number[26];

	(void)state;
	assert_int_equal(assign(&a, NULL, "abc", 4, number), 0);
	assert_int_equal(assign(&b, &a, "acx", 4, number), 0);
	assert_owners(&b, "acx", "a-cx");
	/* b has been gone for a reload; a goes now: workers may still count under its number */
	assert_int_equal(assign(&c, &b, "cxy", 4, number), 0);
	assert_owners(&c, "cxy", "-ycx");
	assert_true(c.of[1].is_new);
	assert_false(c.of[3].is_new);
	assert_int_equal(assign(&d, &b, "cxyz", 4, number), -ENOSPC);
	numbers_fini(&d);
	/* another reload later it is free, and the name of old is forgotten */
	assert_int_equal(assign(&d, &c, "cxyz", 4, number), 0);
	assert_owners(&d, "cxyz", "zycx");
	assert_true(d.of[0].is_new);
	numbers_fini(&b);
	assert_int_equal(assign(&b, &d, "abcd", 3, number), -ENOSPC);
	numbers_fini(&a);
	numbers_fini(&b);
	numbers_fini(&c);
	numbers_fini(&d);
}

static void no_memory_leaks_nothing(void **state)
{
	struct numbers a, b = { 0 };
	uint16_t number[26];
	int rc = -1;

	(void)state;
	assert_int_equal(assign(&a, NULL, "abcd", 100, number), 0);
	for (unsigned int n = 0; rc; n++) {
		assert_true(n < 100);
		out_of_memory_after(n);
		rc = assign(&b, &a, "ebda", 100, number);
		out_of_memory_never();
		assert_true(rc == 0 || rc == -ENOMEM);
		if (rc)
			numbers_fini(&b);
	}
	assert_owners(&b, "ebda", "ab-de");
	numbers_fini(&b);
	numbers_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_are_in_order),
		cmocka_unit_test(names_keep_theirs),
		cmocka_unit_test(the_gone_make_room_when_there_is_no_other),
		cmocka_unit_test(no_memory_leaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
