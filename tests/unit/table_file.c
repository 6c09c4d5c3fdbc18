// SPDX-License-Identifier: BSD-3-Clause
/* Lines of table files, and what a file does to a model. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "address.h"
#include "feed/file.h"
#include "model.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- lines ---- */

static void right_lines(void **state)
{
	static const struct {
		const char *line;
		const char *prefix; /* NULL: nothing there */
		enum config_route_kind kind;
		size_t hops;
		const char *last_hop, *last_port;
	} rows[] = {
		{ "", NULL },
		{ "  \t ", NULL },
		{ "# 10.0.0.0/8 nonsense \xff", NULL },
		{ "   # indented", NULL },
		{ "\r", NULL },
		{ "10.0.0.0/8 blackhole", "10.0.0.0/8", CONFIG_ROUTE_BLACKHOLE },
		{ "10.0.0.0/8 blackhole\r", "10.0.0.0/8", CONFIG_ROUTE_BLACKHOLE },
		{ "\t10.0.0.0/8   unreachable  ", "10.0.0.0/8", CONFIG_ROUTE_UNREACHABLE },
		{ "2001:db8::/32 prohibit# why", "2001:db8::/32", CONFIG_ROUTE_PROHIBIT },
		{ "0.0.0.0/0 via 192.0.2.1", "0.0.0.0/0", CONFIG_ROUTE_VIA, 1, "192.0.2.1" },
		{ "10.0.0.0/8 via 192.0.2.1,192.0.2.2", "10.0.0.0/8", CONFIG_ROUTE_VIA, 2,
		  "192.0.2.2" },
		{ "10.0.0.0/8 via 192.0.2.1 , 192.0.2.2 ,192.0.2.3 # x", "10.0.0.0/8",
		  CONFIG_ROUTE_VIA, 3, "192.0.2.3" },
		{ "10.0.0.0/8 via fe80::a%pa", "10.0.0.0/8", CONFIG_ROUTE_VIA, 1, "fe80::a", "pa" },
		{ "10.0.0.0/8 via 2001:db8::1", "10.0.0.0/8", CONFIG_ROUTE_VIA, 1, "2001:db8::1" },
		{ "::/0 via 2001:db8::1", "::/0", CONFIG_ROUTE_VIA, 1, "2001:db8::1" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char line[128], text[IP_TEXT_MAX];
		struct table_line result;
		struct table_error error;

		strcpy(line, rows[i].line);
		if (table_line_parse(line, strlen(line), &result, &error))
			fail_msg("%s: %s", rows[i].line, error.text);
		assert_int_equal(result.empty, rows[i].prefix == NULL);
		if (result.empty)
			continue;
		assert_string_equal(ip_prefix_text(&result.prefix, text), rows[i].prefix);
		assert_int_equal(result.kind, rows[i].kind);
		assert_int_equal(result.via_count, rows[i].hops);
		if (!rows[i].hops)
			continue;
		assert_string_equal(
			ip_address_text(&result.via[result.via_count - 1].address, text),
			rows[i].last_hop);
		if (rows[i].last_port)
			assert_string_equal(result.via[0].port, rows[i].last_port);
		else
			assert_null(result.via[0].port);
	}
}

static void wrong_lines(void **state)
{
	static const struct {
		const char *line;
		uint32_t column;
		const char *says;
	} rows[] = {
		{ "10.0.0.1/8 blackhole", 1, "host bits" },
		{ "  10.0.0.0/33 blackhole", 3, "out of range" },
		{ "2001:db8::/129 blackhole", 1, "out of range" },
		{ "2001:db8::1/64 blackhole", 1, "host bits" },
		{ "10.0.0/8 blackhole", 1, "is no prefix" },
		{ "10.0.0.0 blackhole", 1, "is no prefix" },
		{ "010.0.0.0/8 blackhole", 1, "is no prefix" },
		{ "10.0.0.0/8, blackhole", 1, "is no prefix" },
		{ "10.0.0.0/8", 11, "the line does not say" },
		{ "10.0.0.0/8 Blackhole", 12, "Blackhole does not say" },
		{ "10.0.0.0/8 blackhole 5", 22, "5 is too much" },
		{ "10.0.0.0/8 via", 15, "a next hop is missing" },
		{ "10.0.0.0/8 via 192.0.2.1,", 26, "a next hop is missing" },
		{ "10.0.0.0/8 via ,192.0.2.1", 16, "a next hop is missing" },
		{ "10.0.0.0/8 via 192.0.2.1 192.0.2.2", 26, "192.0.2.2 is too much" },
		{ "10.0.0.0/8 via 192.0.2.1,pa", 26, "pa is no address" },
		{ "10.0.0.0/8 via fe80::a", 16, "must name its port" },
		{ "10.0.0.0/8 via 192.0.2.1%pa", 16, "names no port" },
		{ "2001:db8::/32 via 192.0.2.1", 19, "next hop of an IPv6 prefix" },
		{ "10.0.0.0/8 via 192.0.2.1\x1b[31m", 25, "0x1b" },
		{ "10.0.0.0/8 bl\xc3\xa4"
		  "ck",
		  14, "no ASCII" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char line[128];
		struct table_line result;
		struct table_error error = { 0 };

		strcpy(line, rows[i].line);
		assert_int_not_equal(table_line_parse(line, strlen(line), &result, &error), 0);
		if (!strstr(error.text, rows[i].says) || error.column != rows[i].column)
			fail_msg("%s: %u: %s", rows[i].line, error.column, error.text);
	}
}

static void hops_are_bounded(void **state)
{
	for (int hops = TABLE_HOPS_MAX; hops <= TABLE_HOPS_MAX + 1; hops++) {
		char line[TABLE_LINE_MAX + 1] = "10.0.0.0/8 via 192.0.2.1";
		struct table_line result;
		struct table_error error;
		int rc;

		for (int i = 1; i < hops; i++)
			strcat(line, ",192.0.2.1");
		rc = table_line_parse(line, strlen(line), &result, &error);
		assert_int_equal(rc == 0, hops == TABLE_HOPS_MAX);
		if (rc)
			assert_string_equal(error.text, "more than 64 next hops");
		assert_true(result.via_count <= TABLE_HOPS_MAX);
	}
	(void)state;
}

/* A 0 inside a line ends nothing. */
static void zero_bytes_are_refused(void **state)
{
	char line[] = "10.0.0.0/8 blackhole\0 garbage";
	struct table_line result;
	struct table_error error;

	(void)state;
	assert_int_not_equal(table_line_parse(line, sizeof(line) - 1, &result, &error), 0);
	assert_int_equal(error.column, 21);
}

/* ---- files ---- */

static char path[] = "/tmp/napd-table-XXXXXX";
static char *files[] = { path };

/* One port, pa, with 192.0.2.1/24 and 2001:db8::1/64. */
static struct interface_address addresses[2];
static struct config_port port = { .name = (char[]){ "pa" }, .mtu = 1500, .enabled = true };
static struct config_route configured;
static struct config config;

static void make_config(void)
{
	assert_int_equal(ip_address_length_parse("192.0.2.1/24", &addresses[0].address,
						 &addresses[0].length),
			 0);
	assert_int_equal(ip_address_length_parse("2001:db8::1/64", &addresses[1].address,
						 &addresses[1].length),
			 0);
	port.addresses = addresses;
	port.address_count = 2;
	config = (struct config){ .ports = &port, .port_count = 1 };
	config.dataplane.capacity_ipv4 = config.dataplane.capacity_ipv6 = 1000;
	config.tables.file = files;
	config.tables.file_count = 1;
}

static void write_file(const char *content, size_t n)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(content, 1, n, f), n);
	fclose(f);
}

static struct model *load(struct problems *problems)
{
	const struct model_options options = { 0 };

	*problems = (struct problems){ 0 };
	return model_create(&config, &options, problems);
}

/* The file must fail with this problem at this place. */
static void check_refused(const char *says, uint32_t line, uint32_t column)
{
	struct problems problems;

	assert_null(load(&problems));
	assert_true(problems.errors > 0);
	if (!strstr(problems.list[0].text, says) || problems.list[0].place.line != line ||
	    problems.list[0].place.column != column)
		fail_msg("%u:%u: %s", problems.list[0].place.line, problems.list[0].place.column,
			 problems.list[0].text);
	assert_string_equal(problems.list[0].place.file, path);
	problems_release(&problems);
}

static void check_text_refused(const char *text, const char *says, uint32_t line, uint32_t column)
{
	write_file(text, strlen(text));
	check_refused(says, line, column);
}

static void files_load(void **state)
{
	static const char text[] = "# table\r\n"
				   "10.0.0.0/8 via 192.0.2.7\n"
				   "\n"
				   "192.0.2.128/25 blackhole\n" /* inside a connected subnet */
				   "192.0.2.0/24 blackhole\n"
				   "fe80::/64 blackhole\n"
				   "2001:db8:1::/48 via fe80::7%pa"; /* no newline at the end */
	struct model_routes routes;
	struct problems problems;
	struct model *model;
	gzFile gz;

	(void)state;
	make_config();
	for (int compressed = 0; compressed < 2; compressed++) {
		if (compressed) {
			gz = gzopen(path, "wb");
			assert_int_equal(gzwrite(gz, text, sizeof(text) - 1), sizeof(text) - 1);
			gzclose(gz);
		} else {
			write_file(text, sizeof(text) - 1);
		}
		model = load(&problems);
		assert_non_null(model);
		model_routes(model, &routes);
		assert_int_equal(routes.ipv4, 2);
		assert_int_equal(routes.ipv6, 2);
		assert_int_equal(routes.refused, 3);
		assert_int_equal(problems.count, 2); /* one summary a kind */
		assert_int_equal(problems.errors, 0);
		assert_non_null(strstr(problems.list[0].text, "2 routes inside connected"));
		problems_release(&problems);
		model_free(model);
	}
}

static void configured_routes_win(void **state)
{
	static const char text[] = "10.0.0.0/8 via 192.0.2.7\n";
	struct problems problems;
	struct model *model;

	(void)state;
	make_config();
	configured.kind = CONFIG_ROUTE_BLACKHOLE;
	assert_int_equal(ip_prefix_parse("10.0.0.0/8", &configured.prefix), 0);
	config.routes = &configured;
	config.route_count = 1;
	write_file(text, sizeof(text) - 1);
	model = load(&problems);
	assert_non_null(model);
	assert_int_equal(problems.count, 1);
	assert_true(problems.list[0].warning);
	assert_int_equal(problems.list[0].place.line, 1);
	problems_release(&problems);
	model_free(model);
}

static void files_are_refused(void **state)
{
	static char long_line[600000];

	(void)state;
	make_config();
	check_text_refused("# x\n10.0.0.0/8 via 198.51.100.1\n", "on no port's subnet", 2, 16);
	check_text_refused("10.0.0.0/8 via 192.0.2.1\n", "exchange itself", 1, 16);
	check_text_refused("10.0.0.0/8 via fe80::1%pb\n", "there is no port pb", 1, 16);
	check_text_refused("10.0.0.0/8 blackhole\n\n10.0.0.0/8 prohibit\n", "was there before", 3,
			   1);
	check_text_refused("10.0.0.0/8 what\n11.0.0.0/8 what\n", "what does not say", 1, 12);
	memset(long_line, 'x', sizeof(long_line));
	memcpy(long_line + sizeof(long_line) - 21, "\n10.0.0.0/8 blackhole", 21);
	write_file(long_line, sizeof(long_line));
	check_refused("longer than 8192", 1, 8193);
	unlink(path);
	check_refused("cannot be opened", 0, 0);
	files[0] = (char[]){ "/tmp" };
	{
		struct problems problems;

		assert_null(load(&problems));
		assert_string_equal(problems.list[0].text, "cannot be opened: Is a directory");
		problems_release(&problems);
	}
	files[0] = path;
}

static void torn_archives_are_refused(void **state)
{
	static unsigned char bytes[70000];
	struct problems problems;
	size_t n;
	gzFile gz;
	FILE *f;

	(void)state;
	make_config();
	gz = gzopen(path, "wb");
	for (int i = 0; i < 900; i++)
		gzprintf(gz, "10.%d.%d.0/24 blackhole # %d\n", i / 256, i % 256, rand());
	gzclose(gz);
	f = fopen(path, "rb");
	n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	write_file((const char *)bytes, n / 2);
	assert_null(load(&problems));
	assert_non_null(strstr(problems.list[problems.count - 1].text, "cut off or damaged"));
	problems_release(&problems);
	bytes[n / 2] ^= 0xff;
	write_file((const char *)bytes, n);
	assert_null(load(&problems));
	assert_non_null(strstr(problems.list[problems.count - 1].text, "cut off or damaged"));
	problems_release(&problems);
}

/* All errors of a file, but not more than people read. */
static void every_error_is_counted(void **state)
{
	struct problems problems;
	FILE *f = fopen(path, "wb");

	(void)state;
	make_config();
	for (int i = 0; i < 5000; i++)
		fprintf(f, "10.0.0.1/8 via\n");
	fclose(f);
	assert_null(load(&problems));
	assert_int_equal(problems.errors, 5000);
	assert_int_equal(problems.count, PROBLEMS_MAX);
	problems_release(&problems);
}

static void nothing_beyond_the_capacity(void **state)
{
	struct model_routes routes;
	struct problems problems;
	struct model *model;
	FILE *f = fopen(path, "wb");

	(void)state;
	make_config();
	for (int i = 0; i < 1500; i++)
		fprintf(f, "10.%d.%d.0/24 blackhole\n", i / 256, i % 256);
	fclose(f);
	model = load(&problems);
	assert_non_null(model);
	model_routes(model, &routes);
	assert_int_equal(routes.ipv4, 1000);
	assert_int_equal(routes.refused, 501);
	assert_int_equal(problems.count, 1);
	problems_release(&problems);
	model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_lines),
		cmocka_unit_test(wrong_lines),
		cmocka_unit_test(hops_are_bounded),
		cmocka_unit_test(zero_bytes_are_refused),
		cmocka_unit_test(files_load),
		cmocka_unit_test(configured_routes_win),
		cmocka_unit_test(files_are_refused),
		cmocka_unit_test(torn_archives_are_refused),
		cmocka_unit_test(every_error_is_counted),
		cmocka_unit_test(nothing_beyond_the_capacity),
	};
	int rc;

	close(mkstemp(path));
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return rc;
}
