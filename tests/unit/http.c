// SPDX-License-Identifier: BSD-3-Clause
/* What is a request for a page, and what is refused with which status. */
#include "test.h"

#include <string.h>

#include "http.h"

static const struct {
	const char *text;
	int status;
	const char *path;
	bool head;
} rows[] = {
	{ "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", 200, "/metrics", false },
	{ "HEAD /healthz HTTP/1.0\r\n\r\n", 200, "/healthz", true },
	{ "GET /metrics HTTP/1.1\nHost: a\n\n", 200, "/metrics", false },
	{ "GET /metrics?x=y&z HTTP/1.1\r\n\r\n", 200, "/metrics", false },
	{ "GET http://[::1]:9473/metrics HTTP/1.1\r\n\r\n", 200, "/metrics", false },
	{ "GET /metrics HTTP/1.1\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n", 200, "/metrics", false },
	{ "GET / HTTP/1.1\r\n\r\n", 200, "/", false },
	{ "", 0, "", false },
	{ "GET /metrics HTTP/1.1\r\n", 0, "", false },
	{ "GET /metrics HTTP/1.1\r\nHost: a\r\n\r", 0, "", false },
	{ "\r\n\r\n", 400, "", false },
	{ "\n\n", 400, "", false },
	{ "GET /metrics\r\n\r\n", 400, "", false },
	{ "GET  /metrics HTTP/1.1\r\n\r\n", 400, "", false },
	{ "GET /metrics HTTP/1.1 x\r\n\r\n", 400, "", false },
	{ "GET metrics HTTP/1.1\r\n\r\n", 400, "", false },
	{ "GET http://host HTTP/1.1\r\n\r\n", 400, "", false },
	{ "GET http:// HTTP/1.1\r\n\r\n", 400, "", false },
	{ "GET * HTTP/1.1\r\n\r\n", 400, "", false },
	{ "GET /metrics FTP/1.1\r\n\r\n", 400, "", false },
	{ "GET /metrics HTTP/\r\n\r\n", 400, "", false },
	{ "GET /metrics HTTP/2.0\r\n\r\n", 505, "", false },
	{ "POST /metrics HTTP/1.1\r\n\r\n", 501, "", false },
	{ "GETS /metrics HTTP/1.1\r\n\r\n", 501, "", false },
	{ "get /metrics HTTP/1.1\r\n\r\n", 501, "", false },
	{ "GET /a-path-of-sixty-three-characters-and-not-one-more-than-that-12 HTTP/1.1\r\n\r\n",
	  200, "/a-path-of-sixty-three-characters-and-not-one-more-than-that-12", false },
	{ "GET /a-path-of-sixty-four-characters-and-that-is-one-more-than-fits12 HTTP/1.1\r\n\r\n",
	  404, "", false },
};

static void requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const size_t n = strlen(rows[i].text);
		char path[HTTP_PATH_MAX] = "";
		bool head = false;
		int status;

		/* on a buffer of exactly this size, for the sanitizers */
		char *text = test_malloc(n + 1);

		memcpy(text, rows[i].text, n);
		status = http_parse(text, n, path, &head);
		test_free(text);
		if (status != rows[i].status)
			fail_msg("%s: %d instead of %d", rows[i].text, status, rows[i].status);
		if (status == 200) {
			assert_string_equal(path, rows[i].path);
			assert_int_equal(head, rows[i].head);
		}
	}
}

static void a_nul_in_the_path_hides_nothing(void **state)
{
	static const char text[] = "GET /metrics\0x HTTP/1.1\r\n\r\n";
	char path[HTTP_PATH_MAX];
	bool head;

	(void)state;
	assert_int_equal(http_parse(text, sizeof(text) - 1, path, &head), 400);
}

static void an_endless_head_is_refused(void **state)
{
	static char text[16384];
	char path[HTTP_PATH_MAX];
	bool head;

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(http_parse(text, sizeof(text) - 1, path, &head), 0);
	assert_int_equal(http_parse(text, sizeof(text), path, &head), 431);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),
		cmocka_unit_test(a_nul_in_the_path_hides_nothing),
		cmocka_unit_test(an_endless_head_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
