// SPDX-License-Identifier: BSD-3-Clause
/*
 * What FRR 8.4 said to its FPM, recorded: loaded, partly withdrawn, and back, with next-hop groups
 * and without. After each phase the routes must be those that FRR showed then, however the stream
 * was cut into pieces; and again after a lost connection, when all is told anew.
 */
#include "unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "address.h"
#include "feed/fpm.h"
#include "feed/learned.h"
#include "feed/unpack.h"
#include "model_state.h"

static const char *folder;

static const char exchange[] = "ports:\n"
			       "  - name: lan\n"
			       "    device: lan\n"
			       "    addresses: [5.57.83.254/22, \"2001:7f8:17::ffff:fffe/64\"]\n";

struct stream {
	const char *name;
	struct {
		size_t bytes;
		const char *routes;
	} phase[3];
};

static const struct stream streams[] = {
	{ "fpm-nhg.bin.xz",
	  { { 4341464, "frr-routes.nhg.phase1-load.txt.xz" },
	    { 5331948, "frr-routes.nhg.phase2-withdraw.txt.xz" },
	    { 6452128, "fpm-replayed-routes.nhg.phase3-back.txt.xz" } } },
	{ "fpm-nonhg.bin.xz",
	  { { 4051580, "frr-routes.nonhg.phase1-load.txt.xz" },
	    { 5106248, "frr-routes.nonhg.phase2-withdraw.txt.xz" },
	    { 6365096, "fpm-replayed-routes.nonhg.phase3-back.txt.xz" } } },
};

/* The whole of a file, ended by a 0. */
static uint8_t *read_whole(const char *name, size_t *n)
{
	char path[512];
	struct unpack *u;
	uint8_t *data = NULL;
	ssize_t got;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	u = unpack_open(path, &(const char *){ NULL });
	assert_non_null(u);
	*n = 0;
	do {
		data = realloc(data, *n + (1 << 20) + 1);
		assert_non_null(data);
		got = unpack_read(u, data + *n, 1 << 20);
		assert_true(got >= 0);
		*n += (size_t)got;
	} while (got);
	data[*n] = 0;
	unpack_close(u);
	return data;
}

/* ---- the routes ---- */

/* Does a leaf lead to exactly the gateways of a list with commas? */
static bool leads_to(const struct model *model, uint32_t leaf, char *list)
{
	const struct hops *hops = &model->hops;
	const struct hop_group *g = leaf & LEAF_GROUP ? &hops->group[leaf & ~LEAF_GROUP] : NULL;
	uint32_t expected = 0;

	for (char *text = strtok(list, ","); text; text = strtok(NULL, ","), expected++) {
		struct ip_address a;
		bool there = false;

		assert_int_equal(ip_address_parse(text, &a), 0);
		for (uint32_t i = 0; i < (g ? g->choices : 1); i++)
			there |= ip_address_equal(
				&hops->hop[g ? g->choice[i].hop : leaf].key.gateway, &a);
		if (!there)
			return false;
	}
	return expected == (g ? g->choices : 1);
}

/* Lines of PREFIX GATEWAY[,GATEWAY], or - for what is on an interface. */
static void check_routes(const struct model *model, const char *name)
{
	const struct rib *rib = model->rib;
	uint64_t expected = 0;
	size_t n;
	char *text = (char *)read_whole(name, &n), *next;

	for (char *line = text; *line; line = next) {
		char *end = strchr(line, '\n'), *gateways = strchr(line, ' ');
		struct ip_prefix p;
		uint32_t leaf;

		assert_non_null(end);
		*end = 0;
		next = end + 1;
		assert_non_null(gateways);
		*gateways++ = 0;
		assert_int_equal(ip_prefix_parse(line, &p), 0);
		leaf = rib_get(rib, &p, ROUTE_FPM);
		if (strcmp(gateways, "-") == 0) {
			assert_int_equal(leaf, 0);
			continue;
		}
		expected++;
		if (!leaf || !leads_to(model, leaf, gateways))
			fail_msg("%s: %s: leaf %u is not what FRR showed", name, line, leaf);
	}
	assert_true(expected > 40000);
	assert_int_equal(rib_routes_of(rib, false, ROUTE_FPM) + rib_routes_of(rib, true, ROUTE_FPM),
			 expected);
	free(text);
}

/* ---- the streams ---- */

static size_t on_the_lan(void *ctx, uint32_t interface)
{
	(void)ctx;
	(void)interface;
	return 0;
}

static uint64_t random_state = 7;

static void receive(struct fpm *fpm, const uint8_t *data, size_t from, size_t to, size_t most)
{
	const char *wrong = "";

	while (from < to) {
		size_t n = 1 + (random_state >> 33) % most;

		random_state = random_state * 6364136223846793005u + 1442695040888963407u;
		n = n < to - from ? n : to - from;
		if (fpm_receive(fpm, data + from, n, &wrong))
			fail_msg("byte %zu: %s", from, wrong);
		from += n;
	}
}

static void replay(const struct stream *s, struct model *model, size_t most)
{
	const struct learned_options options = {
		.model = model, .source = ROUTE_FPM, .table = 254, .port_of = on_the_lan
	};
	struct learned *learned = learned_create(&options);
	struct fpm *fpm = fpm_create(learned);
	struct learned_counts counts;
	struct fpm_counts seen;
	size_t n, from = 0;
	uint8_t *data = read_whole(s->name, &n);
	struct timespec start, end;

	assert_int_equal(n, s->phase[2].bytes);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
	for (int i = 0; i < 3; i++) {
		receive(fpm, data, from, s->phase[i].bytes, most);
		from = s->phase[i].bytes;
		check_routes(model, s->phase[i].routes);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	fpm_counts(fpm, &seen);
	assert_true(seen.replaced > 10000);
	print_message("%s: %.0f messages, %.2f s of CPU with three comparisons\n", s->name,
		      (double)seen.messages,
		      (double)(end.tv_sec - start.tv_sec) +
			      (double)(end.tv_nsec - start.tv_nsec) * 1e-9);
	/* the connection is lost; what there was stays, until the daemon has told all again */
	fpm_free(fpm);
	learned_mark(learned);
	check_routes(model, s->phase[2].routes);
	learned_counts(learned, &counts);
	assert_true(counts.stale > 40000);
	assert_int_equal(counts.objects, 0);
	fpm = fpm_create(learned);
	receive(fpm, data, 0, s->phase[1].bytes, most);
	while (learned_sweep(learned, 1000))
		;
	check_routes(model, s->phase[1].routes);
	learned_counts(learned, &counts);
	assert_int_equal(counts.stale, 0);
	fpm_free(fpm);
	learned_free(learned);
	free(data);
}

static void recorded_streams_give_the_routes_that_frr_showed(void **state)
{
	const struct model_options options = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		struct problems problems = { 0 };
		struct config *config =
			config_parse(exchange, strlen(exchange), "exchange", &problems);
		struct model *model = config ? model_create(config, &options, &problems) : NULL;

		problems_print(&problems);
		assert_non_null(model);
		replay(&streams[i], model, i ? 100 : 100000);
		model_free(model);
		config_free(config);
		problems_release(&problems);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_streams_give_the_routes_that_frr_showed),
	};

	if (argc != 2)
		return 2;
	folder = argv[1];
	if (access(folder, R_OK)) {
		printf("1..0 # SKIP there is no %s\n", folder);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
