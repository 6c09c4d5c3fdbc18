// SPDX-License-Identifier: BSD-3-Clause
/* Addresses and prefixes: what is text of one, what is not, and the way back. */
#include "test.h"

#include "address.h"

#include <errno.h>
#include <string.h>

static void addresses_stand_in_the_key(void **state)
{
	struct ip_address a;

	(void)state;
	assert_int_equal(ip_address_parse("198.51.100.1", &a), 0);
	assert_false(a.ipv6);
	assert_int_equal(a.key.hi, UINT64_C(0xc633640100000000));
	assert_int_equal(a.key.lo, 0);
	assert_int_equal(ip_address_parse("2001:db8:a::1", &a), 0);
	assert_true(a.ipv6);
	assert_int_equal(a.key.hi, UINT64_C(0x20010db8000a0000));
	assert_int_equal(a.key.lo, 1);
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const bad[] = {
		"",          " ",        "1",        "1.2.3",         "1.2.3.4.5",
		"256.1.1.1", "01.2.3.4", "1.2.3.4 ", " 1.2.3.4",      "1.2.3.4/32",
		"::1%lo",    ":::",      "g::",      "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
		"0x7f.1"
	};
	struct ip_address a;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (ip_address_parse(bad[i], &a) != -EINVAL)
			fail_msg("'%s' was taken for an address", bad[i]);
}

static void prefixes_say_what_is_wrong(void **state)
{
	static const struct {
		const char *text;
		int rc;
	} row[] = {
		{ "0.0.0.0/0", 0 },
		{ "::/0", 0 },
		{ "203.0.113.0/24", 0 },
		{ "203.0.113.7/32", 0 },
		{ "2001:db8::/32", 0 },
		{ "2001:db8::/64", 0 },
		{ "2001:db8:0:0:8000::/65", 0 },
		{ "2001:db8::1/128", 0 },
		{ "203.0.113.1/24", -EDOM },
		{ "128.0.0.0/0", -EDOM },
		{ "2001:db8::1/127", -EDOM },
		{ "2001:db8:0:0:8000::/64", -EDOM },
		{ "2001:db8:0:1::/63", -EDOM },
		{ "203.0.113.0/33", -ERANGE },
		{ "2001:db8::/129", -ERANGE },
		{ "203.0.113.0/4294967296", -ERANGE },
		{ "203.0.113.0/18446744073709551624", -ERANGE },
		{ "203.0.113.0", -EINVAL },
		{ "203.0.113.0/", -EINVAL },
		{ "203.0.113.0/+8", -EINVAL },
		{ "203.0.113.0/ 8", -EINVAL },
		{ "203.0.113.0/08", -EINVAL },
		{ "203.0.113.0/8x", -EINVAL },
		{ "203.0.113.0/8/8", -EINVAL },
		{ "/8", -EINVAL },
		{ "1111111111111111111111111111111111111111111111111111111111111111111111111/8",
		  -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct ip_prefix prefix;
		char text[IP_TEXT_MAX];
		int rc = ip_prefix_parse(row[i].text, &prefix);

		if (rc != row[i].rc)
			fail_msg("%s: %d, not %d", row[i].text, rc, row[i].rc);
		if (rc == 0 && strchr(row[i].text, ':') && !strstr(row[i].text, ":0:0:"))
			assert_string_equal(ip_prefix_text(&prefix, text), row[i].text);
	}
}

static void a_prefix_ends_at_its_last_address(void **state)
{
	static const struct {
		const char *prefix, *last, *beyond;
	} row[] = {
		{ "198.51.100.0/24", "198.51.100.255", "198.51.101.0" },
		{ "198.51.100.0/31", "198.51.100.1", "198.51.100.2" },
		{ "198.51.100.7/32", "198.51.100.7", "198.51.100.8" },
		{ "0.0.0.0/0", "255.255.255.255", "::" },
		{ "2001:db8::/32", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::" },
		{ "2001:db8::/64", "2001:db8::ffff:ffff:ffff:ffff", "2001:db8:0:1::" },
		{ "2001:db8::/127", "2001:db8::1", "2001:db8::2" },
		{ "2001:db8::5/128", "2001:db8::5", "2001:db8::4" },
		{ "::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "1.2.3.4" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct ip_prefix prefix;
		struct ip_address last, beyond;
		char text[IP_TEXT_MAX];

		assert_int_equal(ip_prefix_parse(row[i].prefix, &prefix), 0);
		assert_int_equal(ip_address_parse(row[i].beyond, &beyond), 0);
		last = ip_prefix_last(&prefix);
		assert_string_equal(ip_address_text(&last, text), row[i].last);
		assert_true(ip_prefix_contains(&prefix, &last));
		assert_false(ip_prefix_contains(&prefix, &beyond));
	}
}

static void link_local_is_fe80_10(void **state)
{
	static const struct {
		const char *text;
		bool yes;
	} row[] = { { "fe80::", true },
		    { "febf:ffff::1", true },
		    { "fec0::", false },
		    { "fe7f::1", false },
		    { "169.254.0.1", false } };

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct ip_address a;

		assert_int_equal(ip_address_parse(row[i].text, &a), 0);
		assert_int_equal(ip_is_link_local(&a), row[i].yes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_stand_in_the_key),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(prefixes_say_what_is_wrong),
		cmocka_unit_test(a_prefix_ends_at_its_last_address),
		cmocka_unit_test(link_local_is_fe80_10),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
