// SPDX-License-Identifier: BSD-3-Clause
/* The report: its JSON as the contract has it, its page for people, its hints. */
#include "test.h"

#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An exchange of two ports in which a little of everything happened. */
static void fill(struct report *report, struct report_port ports[2])
{
	static const struct report_cell cells[] = {
		{ "Alpha Networks", "Beta", 0, 1, false, 5, 5000 },
		{ "Alpha Networks", "Beta", 0, 1, true, 1, 1500 },
		{ "Beta", "Alpha Networks", 1, 0, false, 2, 200 },
	};
	struct port_counters *a = &ports[0].counters, *b = &ports[1].counters;

	memset(ports, 0, 2 * sizeof(*ports));
	ports[0].name = "pa";
	ports[1].name = "pb";
	a->received = (struct tally){ 12, 12000 };
	a->forwarded = (struct tally){ 6, 6500 };
	a->consumed = (struct tally){ 1, 60 };
	a->drop[DROP_MTU_EXCEEDED] = (struct tally){ 1, 1600 };
	a->drop[DROP_NO_ROUTE] = (struct tally){ 3, 300 };
	a->drop[DROP_L2_BROADCAST] = (struct tally){ 1, 60 };
	a->transmitted = (struct tally){ 6, 600 };
	a->originated = (struct tally){ 4, 400 };
	b->received = (struct tally){ 4, 400 };
	b->forwarded = (struct tally){ 2, 200 };
	b->drop[DROP_NO_ROUTE] = (struct tally){ 1, 100 };
	b->drop[DROP_EGRESS_POLICED] = (struct tally){ 1, 100 };
	b->transmitted = (struct tally){ 9, 6600 };
	b->fragments = (struct tally){ 2, 600 };
	b->stray = (struct tally){ 1, 100 };
	b->reported = (struct tally){ 1, 100 };
	b->unsent = (struct tally){ 1, 60 };
	a->egress_drop[DROP_EGRESS_POLICED] = (struct tally){ 1, 100 };
	*report = (struct report){
		.exchange = "demo-nap",
		.ports = ports,
		.port_count = 2,
		.cells = cells,
		.cell_count = 3,
		.routes_ipv4 = 1234567,
		.routes_ipv6 = 7,
		.duration_ns = 12400000000,
		.largest_frame_bytes = 1614,
	};
}

/* What print says of report; to be freed. */
static char *said(int (*print)(const struct report *, FILE *), const struct report *report)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	assert_int_equal(print(report, out), 0);
	fclose(out);
	return text;
}

static void expect_says(const struct report *report, const char *sentence, bool says)
{
	char *text = said(report_text, report), *flat = text;

	/* as one line: where it is broken does not matter here */
	for (char *c = text; *c; c++)
		if (!(*c == ' ' || *c == '\n') || (flat > text && flat[-1] != ' '))
			*flat++ = *c == '\n' ? ' ' : *c;
	*flat = '\0';
	if (!strstr(text, sentence) == says)
		fail_msg("'%s' %s '%s'", text, says ? "does not say" : "says", sentence);
	free(text);
}

static void json_is_the_contracts(void **state)
{
	static const char golden[] = "{\n"
				     "  \"exchange\": \"demo-nap\",\n"
				     "  \"packets\": {\n"
				     "    \"received\": 16,\n"
				     "    \"forwarded\": 8,\n"
				     "    \"consumed\": 1,\n"
				     "    \"dropped\": 7,\n"
				     "    \"pending\": 0,\n"
				     "    \"originated\": 4,\n"
				     "    \"stray\": 1,\n"
				     "    \"unsent\": 1,\n"
				     "    \"transmitted\": 15\n"
				     "  },\n"
				     "  \"ports\": {\n"
				     "    \"pa\": {\n"
				     "      \"rx_packets\": 12,\n"
				     "      \"rx_bytes\": 12000,\n"
				     "      \"tx_packets\": 6,\n"
				     "      \"tx_bytes\": 600,\n"
				     "      \"forwarded\": 6,\n"
				     "      \"consumed\": 1,\n"
				     "      \"reported\": 0,\n"
				     "      \"drops\": {\n"
				     "        \"l2-broadcast\": 1,\n"
				     "        \"no-route\": 3,\n"
				     "        \"mtu-exceeded\": 1\n"
				     "      },\n"
				     "      \"egress_drops\": {\n"
				     "        \"egress-policed\": 1\n"
				     "      }\n"
				     "    },\n"
				     "    \"pb\": {\n"
				     "      \"rx_packets\": 4,\n"
				     "      \"rx_bytes\": 400,\n"
				     "      \"tx_packets\": 9,\n"
				     "      \"tx_bytes\": 6600,\n"
				     "      \"forwarded\": 2,\n"
				     "      \"consumed\": 0,\n"
				     "      \"reported\": 1,\n"
				     "      \"drops\": {\n"
				     "        \"no-route\": 1,\n"
				     "        \"egress-policed\": 1\n"
				     "      },\n"
				     "      \"egress_drops\": {}\n"
				     "    }\n"
				     "  },\n"
				     "  \"drops\": {\n"
				     "    \"l2-broadcast\": 1,\n"
				     "    \"no-route\": 4,\n"
				     "    \"mtu-exceeded\": 1,\n"
				     "    \"egress-policed\": 1\n"
				     "  },\n"
				     "  \"matrix\": [\n"
				     "    {\n"
				     "      \"from\": \"Alpha Networks\",\n"
				     "      \"to\": \"Beta\",\n"
				     "      \"family\": \"ipv4\",\n"
				     "      \"packets\": 5,\n"
				     "      \"bytes\": 5000\n"
				     "    },\n"
				     "    {\n"
				     "      \"from\": \"Alpha Networks\",\n"
				     "      \"to\": \"Beta\",\n"
				     "      \"family\": \"ipv6\",\n"
				     "      \"packets\": 1,\n"
				     "      \"bytes\": 1500\n"
				     "    },\n"
				     "    {\n"
				     "      \"from\": \"Beta\",\n"
				     "      \"to\": \"Alpha Networks\",\n"
				     "      \"family\": \"ipv4\",\n"
				     "      \"packets\": 2,\n"
				     "      \"bytes\": 200\n"
				     "    }\n"
				     "  ],\n"
				     "  \"routes\": {\n"
				     "    \"ipv4\": 1234567,\n"
				     "    \"ipv6\": 7,\n"
				     "    \"unresolved\": 0\n"
				     "  }\n"
				     "}\n";
	struct report_port ports[2];
	struct report report;
	char *text;

	(void)state;
	fill(&report, ports);
	text = said(report_json, &report);
	assert_string_equal(text, golden);
	free(text);
}

static void conservation_notices_one_packet(void **state)
{
	struct report_port ports[2];
	struct report report;

	(void)state;
	fill(&report, ports);
	assert_true(report_conserves(&report));
	ports[0].counters.consumed.packets++;
	assert_false(report_conserves(&report));
	ports[0].counters.received.packets++;
	assert_true(report_conserves(&report));
	ports[1].counters.transmitted.packets++;
	assert_false(report_conserves(&report));
	ports[1].counters.fragments.packets++;
	assert_true(report_conserves(&report));
}

static void the_page_fits_eighty_columns(void **state)
{
	struct report_port ports[2];
	struct report report;
	char *text;
	int column = 0;

	(void)state;
	fill(&report, ports);
	ports[0].counters.received = (struct tally){ 99999999999, 123456789012345 };
	ports[0].counters.drop[DROP_L2_MULTICAST].packets = 98765432109;
	ports[0].counters.drop[DROP_IPV4_MARTIAN_DESTINATION].packets = 5;
	ports[0].oversize_frames = 7;
	text = said(report_text, &report);
	for (const char *c = text; *c; c++) {
		column = *c == '\n' ? 0 : column + 1;
		if (column > 80)
			fail_msg("longer than 80 columns: %s", text);
	}
	free(text);
}

static void the_page_says_what_happened(void **state)
{
	struct report_port ports[2];
	struct report report;

	(void)state;
	fill(&report, ports);
	expect_says(&report, "demo-nap: 16 packets received, 12.4 kB, over 12.4 s ", true);
	expect_says(&report, "forwarded 8 50.0 % ", true);
	expect_says(&report, "dropped 7 43.8 % ", true);
	expect_says(&report, "answered 4 ICMP errors", true);
	expect_says(&report, "pa 12 12.0 kB 5 6 600 B", true);
	expect_says(&report, "Alpha Networks Beta IPv4 5 5.00 kB", true);
	expect_says(&report, "4 no-route no route to the destination 1 l2-broadcast", true);
	expect_says(&report, "all at pa", false);
	ports[0].counters.drop[DROP_NO_ROUTE].packets = 9;
	expect_says(&report, "no route to the destination; nearly all at pa", true);
	ports[1].counters.drop[DROP_NO_ROUTE].packets = 0;
	expect_says(&report, "no route to the destination; all at pa", true);
	ports[0].counters.forwarded.packets = 99999;
	ports[0].counters.received.packets = 100000;
	ports[1].counters.received.packets = 0;
	expect_says(&report, "forwarded 100,001 ", true);
	ports[0].counters.received.packets = 10000000;
	ports[0].counters.forwarded.packets = 9999999 - 2;
	expect_says(&report, "forwarded 9,999,999 99.9 % ", true);
	expect_says(&report, "consumed 1 <0.1 % ", true);
	expect_says(&report, "(stopped early)", false);
	report.interrupted = true;
	expect_says(&report, "(stopped early)", true);
}

static void the_page_shows_a_grid_of_few_members(void **state)
{
	static const struct report_cell cells[] = {
		{ "Alpha", "Gamma", 0, 2, false, 5, 5000 },
		{ "Alpha", "Gamma", 0, 2, true, 1, 1500 },
		{ "Beta", "Alpha", 1, 0, false, 2, 200 },
	};
	struct report_port ports[2];
	struct report report;

	(void)state;
	fill(&report, ports);
	report.cells = cells;
	expect_says(&report, "to: 1 2 3 1 Alpha . . 6.50 kB 2 Beta 200 B . . 3 Gamma . . . ", true);
}

static void names_cannot_drive_the_terminal(void **state)
{
	static const struct report_cell cells[] = { { "A\033[2J", "B\xc3\xa4r", 0, 1, false, 5,
						      5000 } };
	struct report_port ports[2];
	struct report report;

	(void)state;
	fill(&report, ports);
	report.cells = cells;
	report.cell_count = 1;
	expect_says(&report, "A?[2J B\xc3\xa4r IPv4", true);
}

/* A port that received 100 frames, of which this many had this fate. */
static void expect_hint(enum reason reason, uint64_t packets, const char *hint, bool says)
{
	struct report_port port = { .name = "pa" };
	struct report report = { .exchange = "x", .ports = &port, .port_count = 1 };

	port.counters.received.packets = 100;
	port.counters.forwarded.packets = 100 - packets;
	port.counters.transmitted.packets = 100 - packets;
	port.counters.drop[reason].packets = packets;
	expect_says(&report, hint, says);
}

static void hints_name_usual_causes_and_only_those(void **state)
{
	struct report_port ports[2];
	struct report report;

	(void)state;
	expect_hint(DROP_MAC_LOCK, 100, "--accept-any-mac", true);
	expect_hint(DROP_MAC_LOCK, 50, "Hints", false);
	expect_hint(DROP_L2_DESTINATION, 95, "--accept-any-mac", true);
	expect_hint(DROP_L2_DESTINATION, 50, "Hints", false);
	expect_hint(DROP_L2_VLAN, 95, "VLAN tags", true);
	expect_hint(DROP_NO_ROUTE, 95, "no route for nearly all", true);
	expect_hint(DROP_NO_ROUTE, 50, "Hints", false);
	expect_hint(DROP_IPV4_CHECKSUM, 20, "ethtool -K DEVICE tx off", true);
	expect_hint(DROP_IPV4_CHECKSUM, 2, "Hints", false);
	expect_hint(DROP_TRUNCATED_CAPTURE, 1, "tcpdump -s 0", true);
	expect_hint(DROP_NEIGHBOUR_UNRESOLVED, 1, "asks nobody for MACs", true);
	expect_hint(DROP_SOURCE_CHECK, 60, "source-check-action", true);
	expect_hint(DROP_SOURCE_CHECK, 10, "Hints", false);
	expect_hint(DROP_INTERNAL, 1, "bug", true);
	expect_hint(DROP_TTL_EXPIRED, 100, "Hints", false);
	fill(&report, ports);
	expect_says(&report, "Hints", false);
	ports[1].oversize_frames = 3;
	report.largest_frame_bytes = 65226;
	expect_says(&report, "3 frames are longer than their port's MTU, up to 65,226 bytes", true);
	report.routes_unresolved = 2;
	expect_says(&report, "2 routes have their next hops on no port's subnet", true);
}

static void an_empty_replay_has_a_report(void **state)
{
	struct report_port port = { .name = "pa" };
	struct report report = { .exchange = "x", .ports = &port, .port_count = 1 };

	(void)state;
	expect_says(&report, "x: 0 packets received, 0 B", true);
	expect_says(&report, "(no traffic)", true);
	expect_says(&report, "Hints", false);
}

static void numbers_are_for_people(void **state)
{
	char text[NUMBER_TEXT_MAX];

	(void)state;
	assert_string_equal(number_text(0, text), "0");
	assert_string_equal(number_text(999, text), "999");
	assert_string_equal(number_text(1000, text), "1,000");
	assert_string_equal(number_text(UINT64_MAX, text), "18,446,744,073,709,551,615");
	assert_string_equal(bytes_text(999, text), "999 B");
	assert_string_equal(bytes_text(1000, text), "1.00 kB");
	assert_string_equal(bytes_text(9994, text), "9.99 kB");
	assert_string_equal(bytes_text(9996, text), "10.0 kB");
	assert_string_equal(bytes_text(999499, text), "999 kB");
	assert_string_equal(bytes_text(999500, text), "1.00 MB");
	assert_string_equal(bytes_text(UINT64_MAX, text), "18.4 EB");
}

static void a_full_disk_is_told(void **state)
{
	struct report_port ports[2];
	struct report report;
	FILE *full;

	(void)state;
	fill(&report, ports);
	full = fopen("/dev/full", "w");
	setvbuf(full, NULL, _IONBF, 0);
	assert_int_equal(report_text(&report, full), -ENOSPC);
	assert_int_equal(report_json(&report, full), -ENOSPC);
	fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_the_contracts),
		cmocka_unit_test(conservation_notices_one_packet),
		cmocka_unit_test(the_page_fits_eighty_columns),
		cmocka_unit_test(the_page_says_what_happened),
		cmocka_unit_test(the_page_shows_a_grid_of_few_members),
		cmocka_unit_test(names_cannot_drive_the_terminal),
		cmocka_unit_test(hints_name_usual_causes_and_only_those),
		cmocka_unit_test(an_empty_replay_has_a_report),
		cmocka_unit_test(numbers_are_for_people),
		cmocka_unit_test(a_full_disk_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
