// SPDX-License-Identifier: BSD-3-Clause
/* The configuration beyond one text: defaults, warnings, included files, limits, no memory. */
#include "test.h"

#include "config.h"
#include "out_of_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static void file_write(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* Load a file of the folder; its problems as lines, the folder's name left out. */
static struct config *load(const char *name, char *found, size_t size)
{
	struct problems problems = { 0 };
	struct config *config;
	char path[128];
	size_t n = 0;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	config = config_load(path, &problems);
	found[0] = 0;
	for (size_t i = 0; i < problems.count && n < size; i++) {
		const struct problem *p = &problems.list[i];
		const char *file = p->place.file + strlen(folder) + 1;

		assert_memory_equal(p->place.file, folder, strlen(folder));
		n += (size_t)snprintf(found + n, size - n, "%s:%u:%u: %s%s\n", file, p->place.line,
				      p->place.column, p->warning ? "warning: " : "", p->text);
	}
	problems_release(&problems);
	return config;
}

static struct config *parse(const char *text, char *found, size_t size)
{
	file_write("x.yaml", text);
	return load("x.yaml", found, size);
}

#define PORTS                                                                                 \
	"ports:\n"                                                                            \
	"  - {name: pa, device: net_a, addresses: [198.51.100.1/24, \"2001:db8:a::1/64\"]}\n" \
	"  - {name: pb, device: net_b, addresses: [192.0.2.1/24]}\n"

static void what_is_left_out_has_its_default(void **state)
{
	char found[4096];
	struct config *c = parse("ports: [{name: pa, device: net_a}]\n", found, sizeof(found));
	const struct config_port *p;

	(void)state;
	assert_string_equal(found, "");
	assert_non_null(c);
	p = &c->ports[0];
	assert_string_equal(c->exchange.name, "exchange");
	assert_int_equal(c->exchange.asn, 0);
	assert_int_equal(c->dataplane.workers, 0);
	assert_null(c->dataplane.cores);
	assert_int_equal(c->dataplane.hugepages, CONFIG_HUGEPAGES_AUTO);
	assert_int_equal(c->dataplane.idle, CONFIG_IDLE_AUTO);
	assert_int_equal(c->dataplane.memory_bytes, 1u << 30);
	assert_int_equal(c->dataplane.capacity_ipv4, 2000000);
	assert_int_equal(c->dataplane.capacity_ipv6, 500000);
	assert_int_equal(c->dataplane.hash_seed, 0);
	assert_int_equal(c->dataplane.eal_count, 0);
	assert_string_equal(p->description, "");
	assert_true(p->enabled);
	assert_int_equal(p->vlan, 0);
	assert_false(p->has_mac);
	assert_int_equal(p->mtu, 1500);
	assert_int_equal(p->speed_bps, 0);
	assert_int_equal(p->queues, 0);
	assert_false(p->has_link_local);
	assert_false(p->mac_lock);
	assert_int_equal(p->source_check, CONFIG_SOURCE_NONE);
	assert_false(p->source_check_drop);
	assert_int_equal(p->rate_limit_bps, 0);
	assert_int_equal(p->burst_bytes, 0);
	assert_int_equal(p->icmp_rate, 1000);
	assert_int_equal(p->icmp_burst, 100);
	assert_false(p->tap);
	assert_int_equal(p->tap_accept, CONFIG_TAP_BGP | CONFIG_TAP_BFD | CONFIG_TAP_ICMP);
	assert_false(c->tables.fpm);
	assert_false(c->tables.kernel);
	assert_string_equal(c->tables.fpm_listen, "127.0.0.1:2620");
	assert_int_equal(c->tables.fpm_table, 254);
	assert_string_equal(c->metrics.listen, "127.0.0.1:9473");
	assert_false(c->metrics.insecure);
	assert_true(c->metrics.matrix);
	assert_string_equal(c->control.socket, "/run/napd/napd.sock");
	assert_string_equal(c->control.readonly_socket, "/run/napd/napd-ro.sock");
	assert_string_equal(c->control.group, "napd");
	assert_string_equal(c->log.level, "info");
	config_free(c);
}

static void defaults_follow_what_members_list(void **state)
{
	char found[4096];
	struct config *c =
		parse("ports:\n"
		      "  - {name: pa, device: net_a, addresses: 198.51.100.1/24}\n"
		      "  - {name: pb, device: net_b, addresses: 192.0.2.1/24}\n"
		      "  - {name: pc, device: net_c, mac-lock: no, source-check: loose}\n"
		      "members:\n"
		      "  - {name: A, port: pa, routers: [{mac: 02:00:00:00:00:01},\n"
		      "      {port: pc, mac: 02:00:00:00:00:02}], prefixes: 203.0.113.0/24}\n"
		      "  - {name: B, port: pb, routers: [{addresses: 192.0.2.2}]}\n",
		      found, sizeof(found));

	(void)state;
	assert_string_equal(found, "");
	assert_true(c->ports[0].mac_lock);
	assert_int_equal(c->ports[0].source_check, CONFIG_SOURCE_PREFIXES);
	assert_false(c->ports[1].mac_lock);
	assert_int_equal(c->ports[1].source_check, CONFIG_SOURCE_NONE);
	assert_false(c->ports[2].mac_lock);
	assert_int_equal(c->ports[2].source_check, CONFIG_SOURCE_LOOSE);
	assert_int_equal(c->members[0].routers[1].port, 2);
	config_free(c);
}

static void bursts_are_10_ms_and_a_frame_at_least(void **state)
{
	char found[4096];
	struct config *c =
		parse("ports:\n"
		      "  - {name: pa, device: net_a, rate-limit: 1G, "
		      "egress-rate-limit: 1M}\n"
		      "  - {name: pb, device: net_b, vlan: 7, rate-limit: 8k, mtu: 9000}\n"
		      "tables: {kernel: {table: 5}}\n",
		      found, sizeof(found));

	(void)state;
	assert_string_equal(found, "");
	assert_int_equal(c->ports[0].burst_bytes, 1250000);
	assert_int_equal(c->ports[0].egress_burst_bytes, 1514);
	assert_int_equal(c->ports[1].burst_bytes, 9018);
	assert_true(c->ports[0].tap);
	config_free(c);
}

static void what_one_port_says_of_a_device_holds_for_all(void **state)
{
	char found[4096];
	struct config *c =
		parse("ports:\n"
		      "  - {name: pa, device: \"3B:00.0\"}\n"
		      "  - {name: pb, device: \"0000:3b:00.0\", vlan: 7, mac: 02:00:00:00:00:01,"
		      " speed: 1G, queues: 2}\n",
		      found, sizeof(found));

	(void)state;
	assert_string_equal(found, "");
	assert_string_equal(c->ports[0].device, c->ports[1].device);
	assert_true(c->ports[0].has_mac);
	assert_int_equal(c->ports[0].mac.addr_bytes[5], 1);
	assert_int_equal(c->ports[0].speed_bps, 1000000000);
	assert_int_equal(c->ports[0].queues, 2);
	config_free(c);
}

static void warnings_do_not_refuse(void **state)
{
	static const struct {
		const char *text, *warning;
	} row[] = {
		{ PORTS "members: [{name: A, port: pa}]\n",
		  "x.yaml:4:11: warning: members[0]: neither routers nor prefixes are listed\n" },
		{ PORTS "members: [{name: A, prefixes: [203.0.113.0/24]}]\n",
		  "x.yaml:4:11: warning: members[0]: no port and no routers: its traffic cannot be "
		  "told\n" },
		{ PORTS "routes: [{prefix: 192.0.2.0/24, blackhole: true}]\n",
		  "x.yaml:4:19: warning: routes[0].prefix: 192.0.2.0/24 is the subnet of port pb, "
		  "which wins: the route is never used\n" },
		{ "ports: [{name: pa, device: net_a, source-check: prefixes}]\n",
		  "x.yaml:1:49: warning: ports[0].source-check: no member of the port lists "
		  "prefixes: every source fails\n" },
		{ "ports: [{name: pa, device: net_a, burst: 9k}]\n",
		  "x.yaml:1:42: warning: ports[0].burst: has no effect without `rate-limit`\n" },
		{ "ports: [{name: pa, device: net_a, egress-rate-limit: 1G, egress-burst: 100}]\n",
		  "x.yaml:1:72: warning: ports[0].egress-burst: frames longer than 100 bytes never "
		  "pass; a full one has 1514\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		char found[4096];
		struct config *c = parse(row[i].text, found, sizeof(found));

		assert_string_equal(found, row[i].warning);
		assert_non_null(c);
		config_free(c);
	}
}

static void addresses_find_their_port(void **state)
{
	static const struct {
		const char *address;
		size_t port;
	} row[] = { { "198.51.100.77", 0 },    { "198.51.101.0", SIZE_MAX },
		    { "192.0.2.255", 1 },      { "192.0.1.255", SIZE_MAX },
		    { "2001:db8:a::ffff", 0 }, { "2001:db8::1", SIZE_MAX },
		    { "0.0.0.0", SIZE_MAX },   { "ffff::", SIZE_MAX } };
	char found[4096];
	struct config *c = parse(PORTS, found, sizeof(found));

	(void)state;
	assert_non_null(c);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct ip_address address;

		assert_int_equal(ip_address_parse(row[i].address, &address), 0);
		assert_int_equal(config_port_of(c, &address), row[i].port);
	}
	config_free(c);
}

static void aliases_stand_for_what_they_name(void **state)
{
	char found[4096];
	struct config *c = parse("ports:\n"
				 "  - {name: pa, device: &d net_a}\n"
				 "  - {name: pb, device: *d, vlan: &v 7}\n"
				 "members:\n"
				 "  - {name: A, port: pa, prefixes: &p [203.0.113.0/24]}\n"
				 "  - {name: B, port: pb, prefixes: *p}\n",
				 found, sizeof(found));

	(void)state;
	assert_string_equal(found, "");
	assert_string_equal(c->ports[1].device, "net_a");
	assert_int_equal(c->members[1].prefix_count, 1);
	config_free(c);
}

static void laughs_are_bounded(void **state)
{
	char text[4096], found[4096];
	size_t n = (size_t)sprintf(text, "a: &a0 [x, x, x, x, x, x, x, x, x, x]\n");

	(void)state;
	for (int i = 1; i < 12; i++)
		n += (size_t)sprintf(text + n, "b%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n",
				     i, i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	assert_null(parse(text, found, sizeof(found)));
	assert_string_equal(found, "x.yaml:9:20: *a7: the aliases make more than 8388608 values\n");
}

static void included_files_bring_their_part(void **state)
{
	char found[4096], expected[512], path[128];
	struct config *c;

	(void)state;
	file_write("main.yaml", "include: [ports.yaml, \"m-*.yaml\", \"none-*.yaml\"]\n"
				"tables: {file: routes.txt}\n");
	file_write("ports.yaml", PORTS);
	file_write("m-1.yaml", "members: [{name: A, port: pa, prefixes: 203.0.113.0/24}]\n");
	file_write("m-2.yaml", "members: [{name: B, port: pb, prefixes: 203.0.113.0/24}]\n"
			       "routes: [{prefix: 198.18.0.0/15, via: 192.0.2.9}]\n");
	c = load("main.yaml", found, sizeof(found));
	assert_string_equal(found, "");
	assert_int_equal(c->port_count, 2);
	assert_int_equal(c->member_count, 2);
	assert_string_equal(c->members[0].name, "A");
	assert_string_equal(c->members[1].name, "B");
	assert_int_equal(c->routes[0].via[0].port, 1);
	assert_string_equal(strrchr(c->members[1].place.file, '/'), "/m-2.yaml");
	snprintf(path, sizeof(path), "%s/routes.txt", folder);
	assert_string_equal(c->tables.file[0], path);
	config_free(c);

	file_write("m-2.yaml", "exchange: {name: B}\n"
			       "include: [x]\n"
			       "members: [{name: A, port: pa, prefixes: 203.0.113.0/24}]\n"
			       "routes: [{prefix: 198.18.0.0/15, via: \"fe80::a%pz\"}]\n");
	assert_null(load("main.yaml", found, sizeof(found)));
	snprintf(
		expected, sizeof(expected),
		"m-2.yaml:1:1: exchange: an included file brings only ports, members and routes\n"
		"m-2.yaml:2:1: include: an included file brings only ports, members and routes\n"
		"m-2.yaml:4:39: routes[0].via: there is no port 'pz'; did you mean pa?\n"
		"m-2.yaml:3:18: members[0].name: 'A' is the name of members[0] of %s/m-1.yaml already\n",
		folder);
	assert_string_equal(found, expected);
}

static void included_files_are_there_once(void **state)
{
	char found[4096], expected[512];

	(void)state;
	file_write("main.yaml",
		   "include: [main.yaml, ports.yaml, \"ports*.yaml\", gone.yaml, .]\n");
	file_write("ports.yaml", PORTS);
	assert_null(load("main.yaml", found, sizeof(found)));
	snprintf(expected, sizeof(expected),
		 "main.yaml:1:11: include[0]: %s/main.yaml includes itself\n"
		 "main.yaml:1:34: include[2]: %s/ports.yaml is included twice\n"
		 "main.yaml:1:49: include[3]: %s/gone.yaml: No such file or directory\n"
		 "main.yaml:1:60: include[4]: %s/.: Is a directory\n",
		 folder, folder, folder, folder);
	assert_string_equal(found, expected);
}

/* What is wrong by itself is said all the same; what the missing file may bring is not missed. */
static void a_missing_include_hides_no_error(void **state)
{
	char found[4096], expected[1024];

	(void)state;
	file_write("main.yaml", "ports:\n"
				"  - {name: pa, device: net_a, mtu: 99999}\n"
				"members:\n"
				"  - {name: A, port: pz, prefixes: 203.0.113.1/24}\n"
				"routes:\n"
				"  - {prefix: 198.18.0.0/15, via: [198.51.100.9]}\n"
				"  - {prefix: 198.18.0.1/15, blackhole: true}\n"
				"include: gone.yaml\n");
	assert_null(load("main.yaml", found, sizeof(found)));
	snprintf(
		expected, sizeof(expected),
		"main.yaml:8:10: include: %s/gone.yaml: No such file or directory\n"
		"main.yaml:2:36: ports[0].mtu: 99999 is not in 1280..9600\n"
		"main.yaml:4:35: members[0].prefixes: 203.0.113.1/24 has host bits set; the prefix "
		"is 203.0.113.0/24\n"
		"main.yaml:7:14: routes[1].prefix: 198.18.0.1/15 has host bits set; the prefix is "
		"198.18.0.0/15\n",
		folder);
	assert_string_equal(found, expected);
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
	char found[512];

	(void)state;
	assert_null(load("gone/napd.yaml", found, sizeof(found)));
	assert_string_equal(found, "gone/napd.yaml:0:0: No such file or directory\n");
}

/* Whoever reads one waits for its writer, maybe for ever. */
static void a_pipe_is_no_file(void **state)
{
	struct problems problems = { 0 };
	char found[1024], expected[512], path[256];

	(void)state;
	snprintf(path, sizeof(path), "%s/pipe", folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_null(config_load_again(path, &problems));
	assert_string_equal(problems.list[0].text, "not a regular file");
	problems_release(&problems);
	file_write("main.yaml", "ports: [{name: pa, device: net_a}]\n"
				"include: [pipe]\n");
	assert_null(load("main.yaml", found, sizeof(found)));
	snprintf(expected, sizeof(expected), "main.yaml:2:11: include[0]: %s: not a regular file\n",
		 path);
	assert_string_equal(found, expected);
	unlink(path);
}

static void a_byte_order_mark_is_no_text(void **state)
{
	char found[512];
	struct config *c = parse("\xef\xbb\xbf" PORTS, found, sizeof(found));

	(void)state;
	assert_string_equal(found, "");
	config_free(c);
}

/* n ports, each with its device, or all on one with its tag. */
static struct config *many_ports(unsigned int n, bool tags, char *found, size_t size)
{
	char *text = malloc(n * 64 + 64);
	size_t at = (size_t)sprintf(text, "ports:\n");
	struct config *config;

	for (unsigned int i = 0; i < n; i++)
		at += tags ? (size_t)sprintf(text + at, "- {name: p%u, device: net_%u, vlan: %u}\n",
					     i, i / 4000, i % 4000 + 1)
			   : (size_t)sprintf(text + at, "- {name: p%u, device: net_%u}\n", i, i);
	config = parse(text, found, size);
	free(text);
	return config;
}

static void there_are_4096_ports_and_32_devices(void **state)
{
	char found[4096];
	struct config *c;

	(void)state;
	c = many_ports(4096, true, found, sizeof(found));
	assert_string_equal(found, "");
	assert_int_equal(c->port_count, 4096);
	config_free(c);
	assert_null(many_ports(4097, true, found, sizeof(found)));
	assert_string_equal(
		found, "x.yaml:4098:3: ports[4096]: one more than the 4096 that are allowed\n");
	c = many_ports(32, false, found, sizeof(found));
	assert_string_equal(found, "");
	config_free(c);
	assert_null(many_ports(33, false, found, sizeof(found)));
	assert_non_null(strstr(found, "one device more than the 32 that napd can have\n"));
}

static void long_things_are_refused(void **state)
{
	static char text[70000], found[4096];
	size_t n = (size_t)sprintf(text, PORTS "exchange: {name: \"");

	(void)state;
	memset(text + n, 'x', 65000);
	strcpy(text + n + 65000, "\"}\n");
	assert_null(parse(text, found, sizeof(found)));
	assert_string_equal(found,
			    "x.yaml:4:18: exchange.name: 65000 bytes long, 128 are allowed\n");
	n = (size_t)sprintf(text, PORTS "a: ");
	memset(text + n, '[', 30);
	text[n + 30] = 0;
	assert_null(parse(text, found, sizeof(found)));
	assert_string_equal(found, "x.yaml:4:27: more than 24 levels deep\n");
	n = (size_t)sprintf(text, PORTS "routes: [{prefix: 203.0.113.0/24, via: [");
	for (int i = 2; i < 67; i++)
		n += (size_t)sprintf(text + n, "198.51.100.%d, ", i);
	strcpy(text + n, "]}]\n");
	assert_null(parse(text, found, sizeof(found)));
	assert_non_null(
		strstr(found, "routes[0].via[64]: one more than the 64 that are allowed\n"));
}

/* Without memory there is no configuration and an error, wherever it ends. */
static void memory_may_end_anywhere(void **state)
{
	static const char text[] =
		PORTS "members:\n"
		      "  - {name: A, port: pa, prefixes: 203.0.113.0/24,\n"
		      "     routers: [{mac: 02:00:00:00:00:01, addresses: [198.51.100.2]}]}\n"
		      "routes: [{prefix: 198.18.0.0/15, via: [192.0.2.9, 198.51.100.2]}]\n"
		      "tables: {file: [a, b]}\n";
	bool whole = false;

	(void)state;
	for (unsigned int n = 0; n < 1000 && !whole; n++) {
		struct problems problems = { 0 };
		struct config *config;

		out_of_memory_after(n);
		config = config_parse(text, strlen(text), "x.yaml", &problems);
		out_of_memory_never();
		assert_int_equal(config == NULL, problems.errors > 0);
		whole = config != NULL;
		config_free(config);
		problems_release(&problems);
	}
	assert_true(whole);
}

static int folder_make(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/napd-config-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int folder_remove(void **state)
{
	static const char *const names[] = { "x.yaml", "main.yaml", "ports.yaml", "m-1.yaml",
					     "m-2.yaml" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_left_out_has_its_default),
		cmocka_unit_test(defaults_follow_what_members_list),
		cmocka_unit_test(bursts_are_10_ms_and_a_frame_at_least),
		cmocka_unit_test(what_one_port_says_of_a_device_holds_for_all),
		cmocka_unit_test(warnings_do_not_refuse),
		cmocka_unit_test(addresses_find_their_port),
		cmocka_unit_test(aliases_stand_for_what_they_name),
		cmocka_unit_test(laughs_are_bounded),
		cmocka_unit_test(included_files_bring_their_part),
		cmocka_unit_test(included_files_are_there_once),
		cmocka_unit_test(a_missing_include_hides_no_error),
		cmocka_unit_test(a_file_that_cannot_be_read_is_named),
		cmocka_unit_test(a_pipe_is_no_file),
		cmocka_unit_test(a_byte_order_mark_is_no_text),
		cmocka_unit_test(there_are_4096_ports_and_32_devices),
		cmocka_unit_test(long_things_are_refused),
		cmocka_unit_test(memory_may_end_anywhere),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
