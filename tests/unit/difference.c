// SPDX-License-Identifier: BSD-3-Clause
/* What a reload says that it changes. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "difference.h"
#include "out_of_memory.h"

#define EXCHANGE "exchange: {name: demo}\n"
#define PORTS                                                               \
	"ports:\n"                                                          \
	"  - {name: pa, device: \"net_a\", addresses: [198.51.100.1/31]}\n" \
	"  - {name: pb, device: \"net_b\", vlan: 7, mtu: 9000, addresses: [192.0.2.1/29]}\n"
#define MEMBERS                                                                      \
	"members:\n"                                                                 \
	"  - {name: Alpha, port: pa, prefixes: [203.0.113.0/24],\n"                  \
	"     routers: [{mac: \"02:00:00:00:0a:01\", addresses: [198.51.100.0]}]}\n" \
	"  - {name: Beta, port: pb}\n"
#define ROUTES                                            \
	"routes:\n"                                       \
	"  - {prefix: 10.0.0.0/8, via: [198.51.100.0]}\n" \
	"  - {prefix: 2001:db8::/32, blackhole: true}\n"
#define WHOLE EXCHANGE PORTS MEMBERS ROUTES

static struct config *parse(const char *text)
{
	struct problems problems = { 0 };
	struct config *config = config_parse(text, strlen(text), "napd.yaml", &problems);

	problems_print(&problems);
	assert_non_null(config);
	problems_release(&problems);
	return config;
}

/* Lines of "kind what name: detail". */
static void assert_differs(const char *before, const char *after, const char *expected)
{
	static const char sign[] = { '+', '-', '~' };
	struct config *config[2] = { parse(before), parse(after) };
	struct differences d;
	char *text = NULL;
	size_t length = 0;
	FILE *f = open_memstream(&text, &length);

	assert_int_equal(differences_make(config[0], config[1], &d), 0);
	for (size_t i = 0; i < d.count; i++)
		fprintf(f, "%c %s %s: %s%s\n", sign[d.list[i].what],
			difference_kind_name[d.list[i].kind], d.list[i].name, d.list[i].detail,
			d.list[i].at_start ? " (restart)" : "");
	if (d.more)
		fprintf(f, "%zu more\n", d.more);
	fclose(f);
	assert_string_equal(text, expected);
	free(text);
	differences_release(&d);
	config_free(config[0]);
	config_free(config[1]);
}

static void nothing_differs(void **state)
{
	(void)state;
	assert_differs(WHOLE, WHOLE, "");
	/* told in another order, and with defaults written out */
	assert_differs(
		WHOLE,
		ROUTES MEMBERS EXCHANGE
		"ports:\n"
		"  - {name: pb, device: \"net_b\", vlan: 7, mtu: 9000, addresses: 192.0.2.1/29}\n"
		"  - {name: pa, mtu: 1500, device: net_a, addresses: [198.51.100.1/31]}\n",
		"");
}

static void settings(void **state)
{
	(void)state;
	assert_differs(WHOLE,
		       WHOLE
		       "dataplane: {workers: 2, hash-seed: 5, capacity: {ipv4: 3M}, eal: [-a, b]}\n"
		       "metrics: {matrix: false}\nlog: {level: debug}\n"
		       "tables: {kernel: {table: 100}}\n",
		       "~ setting dataplane.workers: auto -> 2 (restart)\n"
		       "~ setting dataplane.hash-seed: 0 -> 5\n"
		       "~ setting dataplane.eal: +-a +b (restart)\n"
		       "~ setting dataplane.capacity.ipv4: 2M -> 3M\n"
		       "~ setting tables.kernel: comes\n"
		       "~ setting tables.kernel.table: 0 -> 100\n"
		       "~ setting metrics.matrix: true -> false\n"
		       "~ setting log.level: info -> debug\n"
		       "~ port pa: tap false -> true\n"
		       "~ port pb: tap false -> true\n");
}

static void ports(void **state)
{
	(void)state;
	assert_differs(
		WHOLE,
		EXCHANGE
		"ports:\n"
		"  - {name: pc, device: \"net_b\", vlan: 8}\n"
		"  - {name: pb, device: \"net_b\", vlan: 7, mtu: 9001, speed: 10G,\n"
		"     addresses: [192.0.2.1/29, 192.0.2.9/30], "
		"mac: \"02:00:00:00:00:01\"}\n"
		"  - {name: pa, device: \"net_a\", vlan: 3, source-check: loose,\n"
		"     addresses: [198.51.100.1/31], tap-accept: [bgp, icmp]}\n" MEMBERS ROUTES,
		"~ port pa: vlan untagged -> 3; source-check prefixes -> loose; "
		"tap-accept bgp bfd icmp -> bgp icmp\n"
		"~ port pb: mac the device's own; in replay one made from the name -> "
		"02:00:00:00:00:01; mtu 9000 -> 9001; speed the link's own -> 10G; "
		"addresses +192.0.2.9/30\n"
		"+ port pc: on net_b, VLAN 8\n");
	assert_differs(EXCHANGE PORTS,
		       EXCHANGE "ports:\n"
				"  - {name: pa, device: \"net_a\", addresses: [198.51.100.1/31]}\n",
		       "- port pb: on net_b, VLAN 7\n");
}

static void members_and_routes(void **state)
{
	(void)state;
	assert_differs(
		WHOLE,
		EXCHANGE PORTS
		"members:\n"
		"  - {name: Gamma, port: pb}\n"
		"  - {name: Alpha, port: pa, asn: 64501, prefixes: [203.0.113.0/25, 198.18.0.0/15],\n"
		"     routers: [{mac: [\"02:00:00:00:0a:01\", \"02:00:00:00:0a:02\"],\n"
		"                addresses: [198.51.100.0]}]}\n"
		"routes:\n"
		"  - {prefix: 10.0.0.0/8, via: [198.51.100.0, {address: 192.0.2.2, weight: 2}]}\n"
		"  - {prefix: 9.0.0.0/8, prohibit: true}\n",
		"~ member Alpha: asn 0 -> 64501; routers +{mac 02:00:00:00:0a:01 02:00:00:00:0a:02, "
		"addresses 198.51.100.0, port pa} -{mac 02:00:00:00:0a:01, addresses 198.51.100.0, "
		"port pa}; prefixes +198.18.0.0/15 +203.0.113.0/25 -203.0.113.0/24\n"
		"- member Beta: \n"
		"+ member Gamma: \n"
		"+ route 9.0.0.0/8: prohibit\n"
		"~ route 10.0.0.0/8: via 198.51.100.0 -> via 198.51.100.0, 192.0.2.2*2\n"
		"- route 2001:db8::/32: blackhole\n");
}

static char *many_routes(size_t n)
{
	char *text = NULL;
	size_t length = 0;
	FILE *f = open_memstream(&text, &length);

	fputs(EXCHANGE PORTS "routes:\n", f);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "  - {prefix: 10.%zu.%zu.0/24, blackhole: true}\n", i / 256, i % 256);
	fclose(f);
	return text;
}

static void what_is_too_much_is_counted(void **state)
{
	char *many = many_routes(1500);
	struct config *none = parse(EXCHANGE PORTS), *all = parse(many);
	struct differences d;

	(void)state;
	assert_int_equal(differences_make(none, all, &d), 0);
	assert_int_equal(d.count, DIFFERENCES_MAX);
	assert_int_equal(d.more, 500);
	differences_release(&d);
	config_free(none);
	config_free(all);
	free(many);
}

static void no_memory_leaks_nothing(void **state)
{
	struct config *before = parse(WHOLE),
		      *after = parse(EXCHANGE PORTS "members:\n  - {name: Delta, port: pa}\n");
	int rc = -1;

	(void)state;
	for (unsigned int n = 0; rc; n++) {
		struct differences d;

		assert_true(n < 2000);
		out_of_memory_after(n);
		rc = differences_make(before, after, &d);
		out_of_memory_never();
		differences_release(&d);
	}
	config_free(before);
	config_free(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_differs),
		cmocka_unit_test(settings),
		cmocka_unit_test(ports),
		cmocka_unit_test(members_and_routes),
		cmocka_unit_test(what_is_too_much_is_counted),
		cmocka_unit_test(no_memory_leaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
