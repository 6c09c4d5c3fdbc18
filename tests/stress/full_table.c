// SPDX-License-Identifier: BSD-3-Clause
/*
 * A full Internet table as a table file: loaded, compiled and looked up, against
 * a naive longest match. Prints how long it took and how much memory it needs.
 * $NAPD_FULL_TABLE names another list of prefixes than the argument.
 */
#include "unit/test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <zlib.h>

#include "address.h"
#include "model.h"
#include "routes.h"

#define MEMBERS       40
#define SAMPLES       200000
#define ALTERNATIVES  100 /* one route in so many has three next hops */
#define ADDRESS_FIRST 10  /* of the members, in the port's subnets */

static const char *prefixes_path;
static char table_path[] = "/tmp/napd-full-table-XXXXXX";

/* ---- an exchange of one port and many members ---- */

static struct interface_address own[2];
static struct config_port port = { .name = (char[]){ "pa" }, .mtu = 1500, .enabled = true };
static struct ip_address router_address[MEMBERS][2];
static struct rte_ether_addr router_mac[MEMBERS];
static struct config_router router[MEMBERS];
static struct config_member member[MEMBERS];
static char *files[] = { table_path };
static struct config config = { .ports = &port,
				.port_count = 1,
				.members = member,
				.member_count = MEMBERS,
				.dataplane = { .capacity_ipv4 = 2000000, .capacity_ipv6 = 500000 },
				.tables = { .file = files, .file_count = 1 } };

static void make_exchange(void)
{
	ip_address_length_parse("192.0.2.1/24", &own[0].address, &own[0].length);
	ip_address_length_parse("2001:db8::1/64", &own[1].address, &own[1].length);
	port.addresses = own;
	port.address_count = 2;
	for (uint32_t i = 0; i < MEMBERS; i++) {
		router_address[i][0] = own[0].address;
		router_address[i][0].key.hi += (uint64_t)(ADDRESS_FIRST - 1 + i) << 32;
		router_address[i][1] = own[1].address;
		router_address[i][1].key.lo += ADDRESS_FIRST - 1 + i;
		router_mac[i].addr_bytes[0] = 2;
		router_mac[i].addr_bytes[5] = (uint8_t)i;
		router[i] = (struct config_router){ .macs = &router_mac[i],
						    .mac_count = 1,
						    .addresses = router_address[i],
						    .address_count = 2 };
		member[i] = (struct config_member){ .name = port.name,
						    .routers = &router[i],
						    .router_count = 1 };
	}
}

/* ---- the table, as a file and for the oracle ---- */

struct full {
	struct routes *routes[2]; /* leaf: the first member of the route + 1 */
	struct ip_prefix *prefix;
	size_t count;
	uint64_t of_family[2];
};

static void write_route(FILE *file, const char *text, bool ipv6, size_t i)
{
	char address[IP_TEXT_MAX];

	fprintf(file, "%s via %s", text,
		ip_address_text(&router_address[i % MEMBERS][ipv6], address));
	for (size_t k = 1; k < 3 && i % ALTERNATIVES == 0; k++)
		fprintf(file, ",%s",
			ip_address_text(&router_address[(i + k) % MEMBERS][ipv6], address));
	fputc('\n', file);
}

static void make_table(struct full *full)
{
	gzFile in = gzopen(prefixes_path, "rb");
	FILE *out = fopen(table_path, "w");
	size_t allocated = 0;
	char line[IP_TEXT_MAX];

	assert_non_null(in);
	assert_non_null(out);
	*full = (struct full){ .routes = { routes_new(32), routes_new(128) } };
	while (gzgets(in, line, sizeof(line))) {
		struct ip_prefix p;

		line[strcspn(line, "\r\n")] = 0;
		if (!*line)
			continue;
		if (ip_prefix_parse(line, &p))
			fail_msg("%s is no prefix", line);
		if (full->count == allocated) {
			allocated = allocated ? allocated * 2 : 1024;
			full->prefix = realloc(full->prefix, allocated * sizeof(p));
			assert_non_null(full->prefix);
		}
		write_route(out, line, p.ipv6, full->count);
		routes_set(full->routes[p.ipv6], p.key, full->count % MEMBERS + 1);
		full->of_family[p.ipv6]++;
		full->prefix[full->count++] = p;
	}
	assert_int_equal(fclose(out), 0);
	gzclose(in);
}

/* ---- looking up ---- */

static uint64_t random_state = 11;

static uint64_t random64(void)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return random_state ^ random_state >> 29;
}

/* Anywhere, or somewhere in a prefix, or its neighbour just outside. */
static struct ip_address sample(const struct full *full)
{
	const struct ip_prefix *p = &full->prefix[random64() % full->count];
	struct ip_address a = { p->key.address, p->ipv6 }, last = ip_prefix_last(p);
	uint64_t noise = random64();

	switch (noise % 4) {
	case 0:
		a.key.hi = random64() << (a.ipv6 ? 0 : 32);
		break;
	case 1:
		a = last;
		break;
	case 2:
		a.key.hi |= random64() & (last.key.hi ^ a.key.hi);
		a.key.lo |= random64() & (last.key.lo ^ a.key.lo);
		break;
	default:
		a.key.hi += a.ipv6 ? 0 : 1ull << 32;
		a.key.lo -= a.ipv6;
	}
	return a;
}

static bool leads_to(const struct nexthop_table *t, uint32_t leaf, uint32_t party)
{
	const struct nexthop_group *group;

	if (!(leaf & LEAF_GROUP))
		return t->nexthop[leaf].party == party && t->nexthop[leaf].mtu;
	group = &t->group[leaf & ~LEAF_GROUP];
	for (uint32_t i = 0; i < group->members; i++)
		if (t->nexthop[t->group_members[group->members_first + i]].party == party)
			return group->members == 3;
	return false;
}

static void check(const struct snapshot *s, const struct full *full, const struct ip_address *a)
{
	uint32_t expected = routes_match(full->routes[a->ipv6], a->key);
	uint32_t leaf[16], address4[16] = { (uint32_t)(a->key.hi >> 32) };
	uint64_t hi[16] = { a->key.hi }, lo[16] = { a->key.lo };
	struct ip_prefix subnets[2] = { ip_prefix_of(&own[0].address, own[0].length),
					ip_prefix_of(&own[1].address, own[1].length) };
	char text[IP_TEXT_MAX];

	if (ip_prefix_contains(&subnets[a->ipv6], a))
		return;
	if (a->ipv6)
		fib6_lookup(s->fib6, hi, lo, leaf, 1);
	else
		fib4_lookup(s->fib4, address4, leaf, 1);
	if (expected ? !leads_to(s->nexthops, leaf[0], expected - 1) : leaf[0] != LEAF_NO_ROUTE)
		fail_msg("%s: leaf %u, expected member %u", ip_address_text(a, text), leaf[0],
			 expected);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double resident_mb(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long size, resident = 0;

	if (file) {
		if (fscanf(file, "%lu %lu", &size, &resident) != 2)
			resident = 0;
		fclose(file);
	}
	return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

static void full_table_is_right(void **state)
{
	const struct model_options options = { 0 };
	struct problems problems = { 0 };
	struct model_routes routes;
	struct snapshot *snapshot;
	struct model *model;
	struct full full;
	double start, loaded, compiled, before, after;

	(void)state;
	make_exchange();
	make_table(&full);
	before = resident_mb();
	start = seconds();
	model = model_create(&config, &options, &problems);
	if (!model)
		problems_print(&problems);
	assert_non_null(model);
	loaded = seconds();
	snapshot = model_snapshot(model);
	assert_non_null(snapshot);
	compiled = seconds();
	after = resident_mb();
	print_message(
		"%zu routes: loaded in %.2f s, compiled in %.2f s of CPU, %.0f MB (%.0f bytes a prefix)\n",
		full.count, loaded - start, compiled - loaded, after - before,
		(after - before) * 1e6 / (double)full.count);
	model_routes(model, &routes);
	assert_int_equal(routes.ipv4, full.of_family[0] + 1);
	assert_int_equal(routes.ipv6, full.of_family[1] + 1);
	assert_int_equal(routes.refused, 0);
	for (int i = 0; i < SAMPLES; i++) {
		struct ip_address a = sample(&full);

		check(snapshot, &full, &a);
	}
	snapshot->release(snapshot);
	model_free(model);
	problems_release(&problems);
	routes_free(full.routes[0]);
	routes_free(full.routes[1]);
	free(full.prefix);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(full_table_is_right) };
	int rc;

	if (argc != 2) {
		fprintf(stderr, "usage: %s PREFIXES.gz\n", argv[0]);
		return 2;
	}
	prefixes_path = getenv("NAPD_FULL_TABLE");
	if (!prefixes_path)
		prefixes_path = argv[1];
	/* cmocka says of a skipped test that it is not ok, in TAP */
	if (access(prefixes_path, R_OK)) {
		printf("1..0 # SKIP there is no %s\n", prefixes_path);
		return 0;
	}
	close(mkstemp(table_path));
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(table_path);
	return rc;
}
