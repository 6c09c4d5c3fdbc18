// SPDX-License-Identifier: BSD-3-Clause
/* The configuration: what a whole file becomes, its defaults, and every error with its place. */
#include "test.h"

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char example[] =
	"exchange:\n"
	"  name: demo-nap\n"
	"  asn: 64500\n"
	"dataplane:\n"
	"  workers: 3\n"
	"  cores: 2-7,10\n"
	"  hugepages: required\n"
	"  idle: adaptive\n"
	"  memory: 1.5G\n"
	"  capacity: {ipv4: 3M, ipv6: 600k}\n"
	"  hash-seed: 7\n"
	"  eal: [--log-level=8, -v]\n"
	"ports:\n"
	"  - name: pa\n"
	"    description: \"Alpha, rack 4\"\n"
	"    enabled: no\n"
	"    device: \"3B:00.0,arg=1\"\n"
	"    vlan: 100\n"
	"    mac: 02:4e:41:00:00:01\n"
	"    mtu: 9000\n"
	"    speed: 10Gbps\n"
	"    queues: 4\n"
	"    addresses: [198.51.100.1/31, \"2001:db8:64:a::/127\"]\n"
	"    link-local: fe80::1\n"
	"    mac-lock: false\n"
	"    source-check: strict\n"
	"    source-check-action: drop\n"
	"    rate-limit: 2.5G\n"
	"    burst: 64k\n"
	"    egress-rate-limit: 500M\n"
	"    egress-burst: 1M\n"
	"    icmp-rate: 2k\n"
	"    icmp-burst: 10\n"
	"    tap: true\n"
	"    tap-accept: [bgp, icmp]\n"
	"  - name: pb\n"
	"    device: net_af_packet0,iface=ve-b\n"
	"    addresses: 192.0.2.1/24\n"
	"members:\n"
	"  - name: Alpha Networks\n"
	"    asn: 64501\n"
	"    description: first\n"
	"    port: pa\n"
	"    routers:\n"
	"      - mac: 12:34:56:10:20:30\n"
	"        addresses: [198.51.100.0, \"2001:db8:64:a::1\", fe80::a]\n"
	"      - mac: [02-00-00-00-0b-01, 02:00:00:00:0b:02]\n"
	"        addresses: 192.0.2.7\n"
	"        port: pb\n"
	"    prefixes: [203.0.113.0/24, \"2001:db8:a::/48\"]\n"
	"routes:\n"
	"  - {prefix: 203.0.113.0/24, via: [198.51.100.0, {address: 192.0.2.7, weight: 2}]}\n"
	"  - {prefix: 198.18.9.0/24, via: \"fe80::a%pa\"}\n"
	"  - {prefix: 192.0.2.66/32, blackhole: true}\n"
	"  - {prefix: 192.0.2.64/26, unreachable: true}\n"
	"  - {prefix: 192.0.2.128/25, prohibit: true}\n"
	"tables:\n"
	"  file: [routes.txt, /etc/routes.txt]\n"
	"  mrt: rib.bz2\n"
	"  fpm: {listen: \"127.0.0.1:2621\", table: 10}\n"
	"  kernel: {table: 100}\n"
	"metrics: {listen: \"[::]:9474\", insecure: true, matrix: false}\n"
	"control: {socket: /run/a.sock, readonly-socket: /run/b.sock, group: adm}\n"
	"log: {level: debug}\n";

static struct config *parse(const char *text, const char *name)
{
	struct problems problems = { 0 };
	struct config *config = config_parse(text, strlen(text), name, &problems);

	for (size_t i = 0; i < problems.count; i++)
		if (!problems.list[i].warning)
			fail_msg("%u:%u: %s", problems.list[i].place.line,
				 problems.list[i].place.column, problems.list[i].text);
	problems_release(&problems);
	assert_non_null(config);
	return config;
}

static void assert_address(const struct ip_address *address, const char *text)
{
	char found[IP_TEXT_MAX];

	assert_string_equal(ip_address_text(address, found), text);
}

static void assert_prefix(const struct ip_prefix *prefix, const char *text)
{
	char found[IP_TEXT_MAX];

	assert_string_equal(ip_prefix_text(prefix, found), text);
}

static void assert_mac(const struct rte_ether_addr *mac, const char *text)
{
	char found[32];

	snprintf(found, sizeof(found), "%02x:%02x:%02x:%02x:%02x:%02x", mac->addr_bytes[0],
		 mac->addr_bytes[1], mac->addr_bytes[2], mac->addr_bytes[3], mac->addr_bytes[4],
		 mac->addr_bytes[5]);
	assert_string_equal(found, text);
}

static void a_whole_file_is_read_port_by_port(void **state)
{
	struct config *c = parse(example, "/etc/napd/napd.yaml");
	const struct config_port *p = &c->ports[0];

	(void)state;
	assert_int_equal(c->port_count, 2);
	assert_string_equal(p->name, "pa");
	assert_string_equal(p->description, "Alpha, rack 4");
	assert_false(p->enabled);
	assert_string_equal(p->device, "0000:3b:00.0,arg=1");
	assert_int_equal(p->vlan, 100);
	assert_true(p->has_mac);
	assert_mac(&p->mac, "02:4e:41:00:00:01");
	assert_int_equal(p->mtu, 9000);
	assert_int_equal(p->speed_bps, 10000000000);
	assert_int_equal(p->queues, 4);
	assert_int_equal(p->address_count, 2);
	assert_address(&p->addresses[0].address, "198.51.100.1");
	assert_int_equal(p->addresses[0].length, 31);
	assert_int_equal(p->addresses[0].place.line, 23);
	assert_int_equal(p->addresses[0].place.column, 17);
	assert_address(&p->addresses[1].address, "2001:db8:64:a::");
	assert_int_equal(p->addresses[1].length, 127);
	assert_true(p->has_link_local);
	assert_address(&p->link_local, "fe80::1");
	assert_false(p->mac_lock);
	assert_int_equal(p->source_check, CONFIG_SOURCE_STRICT);
	assert_true(p->source_check_drop);
	assert_int_equal(p->rate_limit_bps, 2500000000);
	assert_int_equal(p->burst_bytes, 65536);
	assert_int_equal(p->egress_rate_limit_bps, 500000000);
	assert_int_equal(p->egress_burst_bytes, 1048576);
	assert_int_equal(p->icmp_rate, 2000);
	assert_int_equal(p->icmp_burst, 10);
	assert_true(p->tap);
	assert_int_equal(p->tap_accept, CONFIG_TAP_BGP | CONFIG_TAP_ICMP);
	assert_string_equal(p->place.file, "/etc/napd/napd.yaml");
	assert_int_equal(p->place.line, 14);
	assert_int_equal(p->place.column, 5);
	config_free(c);
}

static void a_whole_file_is_read_member_by_member(void **state)
{
	struct config *c = parse(example, "napd.yaml");
	const struct config_member *m = &c->members[0];

	(void)state;
	assert_int_equal(c->member_count, 1);
	assert_string_equal(m->name, "Alpha Networks");
	assert_int_equal(m->asn, 64501);
	assert_string_equal(m->description, "first");
	assert_int_equal(m->port, 0);
	assert_int_equal(m->router_count, 2);
	assert_int_equal(m->routers[0].mac_count, 1);
	assert_mac(&m->routers[0].macs[0], "12:34:56:10:20:30");
	assert_int_equal(m->routers[0].address_count, 3);
	assert_address(&m->routers[0].addresses[0], "198.51.100.0");
	assert_address(&m->routers[0].addresses[1], "2001:db8:64:a::1");
	assert_address(&m->routers[0].addresses[2], "fe80::a");
	assert_int_equal(m->routers[0].port, 0);
	assert_int_equal(m->routers[0].place.line, 45);
	assert_int_equal(m->routers[1].mac_count, 2);
	assert_mac(&m->routers[1].macs[0], "02:00:00:00:0b:01");
	assert_mac(&m->routers[1].macs[1], "02:00:00:00:0b:02");
	assert_int_equal(m->routers[1].address_count, 1);
	assert_int_equal(m->routers[1].port, 1);
	assert_int_equal(m->prefix_count, 2);
	assert_prefix(&m->prefixes[0], "203.0.113.0/24");
	assert_prefix(&m->prefixes[1], "2001:db8:a::/48");
	config_free(c);
}

static void a_whole_file_is_read_route_by_route(void **state)
{
	struct config *c = parse(example, "napd.yaml");

	(void)state;
	assert_int_equal(c->route_count, 5);
	assert_prefix(&c->routes[0].prefix, "203.0.113.0/24");
	assert_int_equal(c->routes[0].kind, CONFIG_ROUTE_VIA);
	assert_int_equal(c->routes[0].via_count, 2);
	assert_address(&c->routes[0].via[0].address, "198.51.100.0");
	assert_int_equal(c->routes[0].via[0].port, 0);
	assert_int_equal(c->routes[0].via[0].weight, 1);
	assert_address(&c->routes[0].via[1].address, "192.0.2.7");
	assert_int_equal(c->routes[0].via[1].port, 1);
	assert_int_equal(c->routes[0].via[1].weight, 2);
	assert_address(&c->routes[1].via[0].address, "fe80::a");
	assert_int_equal(c->routes[1].via[0].port, 0);
	assert_int_equal(c->routes[2].kind, CONFIG_ROUTE_BLACKHOLE);
	assert_int_equal(c->routes[2].via_count, 0);
	assert_int_equal(c->routes[3].kind, CONFIG_ROUTE_UNREACHABLE);
	assert_int_equal(c->routes[4].kind, CONFIG_ROUTE_PROHIBIT);
	assert_int_equal(c->routes[4].place.line, 56);
	config_free(c);
}

static void a_whole_file_is_read_for_the_rest(void **state)
{
	struct config *c = parse(example, "/etc/napd/napd.yaml");

	(void)state;
	assert_string_equal(c->exchange.name, "demo-nap");
	assert_int_equal(c->exchange.asn, 64500);
	assert_int_equal(c->dataplane.workers, 3);
	assert_string_equal(c->dataplane.cores, "2-7,10");
	assert_int_equal(c->dataplane.hugepages, CONFIG_HUGEPAGES_REQUIRED);
	assert_int_equal(c->dataplane.idle, CONFIG_IDLE_ADAPTIVE);
	assert_int_equal(c->dataplane.memory_bytes, UINT64_C(3) << 29);
	assert_int_equal(c->dataplane.capacity_ipv4, 3000000);
	assert_int_equal(c->dataplane.capacity_ipv6, 600000);
	assert_int_equal(c->dataplane.hash_seed, 7);
	assert_int_equal(c->dataplane.eal_count, 2);
	assert_string_equal(c->dataplane.eal[1], "-v");
	assert_int_equal(c->tables.file_count, 2);
	assert_string_equal(c->tables.file[0], "/etc/napd/routes.txt");
	assert_string_equal(c->tables.file[1], "/etc/routes.txt");
	assert_int_equal(c->tables.mrt_count, 1);
	assert_string_equal(c->tables.mrt[0], "/etc/napd/rib.bz2");
	assert_true(c->tables.fpm);
	assert_string_equal(c->tables.fpm_listen, "127.0.0.1:2621");
	assert_false(c->tables.fpm_insecure);
	assert_int_equal(c->tables.fpm_table, 10);
	assert_true(c->tables.kernel);
	assert_int_equal(c->tables.kernel_table, 100);
	assert_string_equal(c->metrics.listen, "[::]:9474");
	assert_true(c->metrics.insecure);
	assert_false(c->metrics.matrix);
	assert_string_equal(c->control.socket, "/run/a.sock");
	assert_string_equal(c->control.readonly_socket, "/run/b.sock");
	assert_string_equal(c->control.group, "adm");
	assert_string_equal(c->log.level, "debug");
	config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_file_is_read_port_by_port),
		cmocka_unit_test(a_whole_file_is_read_member_by_member),
		cmocka_unit_test(a_whole_file_is_read_route_by_route),
		cmocka_unit_test(a_whole_file_is_read_for_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
