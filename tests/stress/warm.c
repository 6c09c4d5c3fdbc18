// SPDX-License-Identifier: BSD-3-Clause
/*
 * A warm start with a full Internet table of FRR's: kept, torn, and in force again after a restart,
 * every route by its own next hops and stale. Prints how long writing and reading took, and how
 * much memory it needs.
 */
#include "unit/test.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <zlib.h>

#include "address.h"
#include "feed/feeds.h"
#include "feed/keep.h"
#include "model_state.h"
#include "runtime.h"
#include "tables.h"

#define GATEWAYS     40  /* on each of the two ports, of each family */
#define ALTERNATIVES 100 /* one route in so many has three next hops */
#define BATCH        1000

static const char *prefixes_path;
static char kept_path[] = "/tmp/napd-warm-XXXXXX";

/* ---- the table ---- */

static struct ip_prefix *prefix;
static size_t prefixes;

static int read_prefixes(void **state)
{
	gzFile in = gzopen(prefixes_path, "rb");
	char line[IP_TEXT_MAX];
	size_t allocated = 0;

	(void)state;
	assert_non_null(in);
	while (gzgets(in, line, sizeof(line))) {
		line[strcspn(line, "\r\n")] = 0;
		if (!*line)
			continue;
		if (prefixes == allocated) {
			allocated = allocated ? 2 * allocated : 1024;
			prefix = realloc(prefix, allocated * sizeof(*prefix));
			assert_non_null(prefix);
		}
		assert_int_equal(ip_prefix_parse(line, &prefix[prefixes++]), 0);
	}
	gzclose(in);
	return 0;
}

static int free_prefixes(void **state)
{
	(void)state;
	free(prefix);
	return 0;
}

/* The next hops of route i, ascending by port and address as they are made. Returns how many. */
static size_t hops_of(size_t i, struct config_nexthop via[3])
{
	const size_t n = i % ALTERNATIVES ? 1 : 3;

	for (size_t k = 0; k < n; k++) {
		const size_t port = (i + k) % 2, host = 10 + (i / 2 + k) % GATEWAYS;

		via[k] = (struct config_nexthop){ .port = port, .weight = 1 + (uint32_t)k };
		via[k].address.ipv6 = prefix[i].ipv6;
		if (prefix[i].ipv6)
			via[k].address.key =
				(struct ipv6_key){ UINT64_C(0x20010db800000000) + port, host };
		else
			via[k].address.key.hi = (UINT64_C(0xc6120000) + (port << 8) + host) << 32;
	}
	return n;
}

/* ---- a napd without its workers ---- */

static const char exchange[] =
	"ports:\n"
	"  - {name: pa, device: x, addresses: [198.18.0.1/24, \"2001:db8:0:0::1/64\"]}\n"
	"  - {name: pb, device: y, addresses: [198.18.1.1/24, \"2001:db8:0:1::1/64\"]}\n"
	"tables: {fpm: {}, kept: {file: %s}}\n";

static void changed(void *arg)
{
	(void)arg;
}

static void begin(struct runtime *rt)
{
	const struct model_options options = { 0 };
	struct problems problems = { 0 };
	char text[512];

	snprintf(text, sizeof(text), exchange, kept_path);
	*rt = (struct runtime){ .config = config_parse(text, strlen(text), "exchange", &problems) };
	problems_print(&problems);
	assert_non_null(rt->config);
	rt->model = model_create(rt->config, &options, &problems);
	assert_non_null(rt->model);
	assert_int_equal(model_prepare(rt->model), 0);
	rt->tables = tables_start(rt->model, changed, NULL);
	assert_non_null(rt->tables);
	rt->feeds = feeds_create(rt);
	rt->keeper = keeper_create(rt);
	assert_non_null(rt->feeds);
	assert_non_null(rt->keeper);
}

static void end(struct runtime *rt)
{
	feeds_stop(rt->feeds);
	tables_free(rt->tables);
	keeper_free(rt->keeper);
	feeds_free(rt->feeds);
	model_free(rt->model);
	config_free(rt->config);
}

static void fill(struct runtime *rt)
{
	for (size_t i = 0; i < prefixes;) {
		struct route_batch *batch = route_batch_create(BATCH, 3 * BATCH);

		assert_non_null(batch);
		for (size_t k = 0; k < BATCH && i < prefixes; k++, i++) {
			struct config_nexthop via[3];
			const struct route route = { prefix[i], CONFIG_ROUTE_VIA, via,
						     hops_of(i, via) };

			assert_true(route_batch_set(batch, ROUTE_FPM, &route));
		}
		while (tables_post(rt->tables, batch) == -EAGAIN)
			usleep(1000);
	}
	while (!tables_view(rt->tables).resting)
		usleep(1000);
}

/* ---- what is measured ---- */

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static uint64_t routes_in_force(const struct runtime *rt)
{
	return rib_routes_of(rt->model->rib, false, ROUTE_FPM) +
	       rib_routes_of(rt->model->rib, true, ROUTE_FPM);
}

static double resident_mib(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)usage.ru_maxrss / 1024;
}

/* ---- and seen to be right ---- */

static bool has_hop(const struct model *model, const struct hop_group *g, uint32_t leaf,
		    const struct config_nexthop *via)
{
	const size_t n = g ? g->choices : 1;

	for (size_t i = 0; i < n; i++) {
		const struct hop_key *key = &model->hops.hop[g ? g->choice[i].hop : leaf].key;

		if (key->port == via->port && ip_address_equal(&key->gateway, &via->address) &&
		    (!g || g->choice[i].weight == via->weight))
			return true;
	}
	return false;
}

static void check_route(struct runtime *rt, size_t i)
{
	const uint32_t leaf = rib_get(rt->model->rib, &prefix[i], ROUTE_FPM);
	const struct hop_group *g =
		leaf & LEAF_GROUP ? &rt->model->hops.group[leaf & ~LEAF_GROUP] : NULL;
	struct config_nexthop via[3];
	const size_t n = hops_of(i, via);

	assert_int_not_equal(leaf, 0);
	assert_int_equal(g ? g->choices : 1, n);
	for (size_t k = 0; k < n; k++)
		assert_true(has_hop(rt->model, g, leaf, &via[k]));
	if (i % 97 == 0)
		assert_int_equal(feeds_is_stale(rt->feeds, ROUTE_FPM, &prefix[i]), 1);
}

static void keep(struct runtime *rt)
{
	struct keeper_view view;
	struct stat status;
	double begin_s;

	keeper_end(rt->keeper);
	begin_s = now_s();
	keeper_finish(rt->keeper);
	print_message("%zu routes walked, written and synced in %.2f s", prefixes,
		      now_s() - begin_s);
	keeper_view(rt->keeper, &view);
	assert_false(view.failing);
	assert_int_equal(view.routes, prefixes);
	assert_int_equal(stat(kept_path, &status), 0);
	print_message(", %.1f MB\n", (double)status.st_size / 1e6);
}

static void a_full_table_is_kept_and_comes_back(void **state)
{
	struct keeper_view view;
	struct runtime rt;
	double begin_s, mib;

	(void)state;
	begin(&rt);
	fill(&rt);
	assert_int_equal(routes_in_force(&rt), prefixes);
	mib = resident_mib();
	keep(&rt);
	print_message("%.0f MiB resident at most with the table, %.0f MiB when it was written\n",
		      mib, resident_mib());
	end(&rt);

	begin(&rt);
	begin_s = now_s();
	keeper_restore(rt.keeper);
	print_message("read, and in force, in %.2f s; %.0f MiB resident at most\n",
		      now_s() - begin_s, resident_mib());
	keeper_view(rt.keeper, &view);
	assert_int_equal(view.restored, prefixes);
	assert_int_equal(view.left_out, 0);
	assert_int_equal(routes_in_force(&rt), prefixes);
	for (size_t i = 0; i < prefixes; i++)
		check_route(&rt, i);
	end(&rt);
}

/* Of a file that is cut off anywhere nothing is used. */
static void a_torn_one_changes_nothing(void **state)
{
	struct keeper_view view;
	struct stat status;
	struct runtime rt;

	(void)state;
	assert_int_equal(stat(kept_path, &status), 0);
	assert_int_equal(truncate(kept_path, status.st_size - 1), 0);
	begin(&rt);
	keeper_restore(rt.keeper);
	keeper_view(rt.keeper, &view);
	assert_int_equal(view.restored, 0);
	assert_int_equal(routes_in_force(&rt), 0);
	end(&rt);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_table_is_kept_and_comes_back),
		cmocka_unit_test(a_torn_one_changes_nothing),
	};
	int fd, failed;

	prefixes_path = argc > 1 ? argv[1] : "";
	if (access(prefixes_path, R_OK) != 0) {
		printf("1..0 # SKIP no list of prefixes at %s\n", prefixes_path);
		return 0;
	}
	fd = mkstemp(kept_path);
	if (fd < 0)
		return 1;
	close(fd);
	failed = cmocka_run_group_tests(tests, read_prefixes, free_prefixes);
	unlink(kept_path);
	return failed;
}
