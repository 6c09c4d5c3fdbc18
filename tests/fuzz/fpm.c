// SPDX-License-Identifier: BSD-3-Clause
/*
 * Fuzz target: any bytes as a stream to the FPM of a small exchange, in one piece and byte by
 * byte, which must come to the same; then the connection is lost and what is stale goes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/lsan_interface.h>
#else
#define __lsan_disable() ((void)0)
#define __lsan_enable()  ((void)0)
#endif

#include "feed/fpm.h"
#include "feed/learned.h"
#include "model_state.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CAPACITY 50

static const char exchange[] =
	"ports:\n"
	"  - {name: pa, device: a, addresses: [192.0.2.1/25, \"2001:db8:1::1/64\"]}\n"
	"  - {name: pb, device: b, addresses: [203.0.113.1/24, \"2001:db8:b::1/64\"]}\n";
static struct model *model; /* one for all: what a run sets, its end takes away */

static void require(bool true_claim, const char *claim)
{
	if (true_claim)
		return;
	fprintf(stderr, "not true: %s\n", claim);
	abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct model_options options = { 0 };
	struct problems problems = { 0 };
	struct config *config;

	(void)argc;
	(void)argv;
	config = config_parse(exchange, strlen(exchange), "exchange", &problems);
	problems_print(&problems);
	require(config != NULL, "the exchange is right");
	config->dataplane.capacity_ipv4 = config->dataplane.capacity_ipv6 = CAPACITY;
	__lsan_disable(); /* it lives as long as the process, partly behind mapped memory */
	model = model_create(config, &options, &problems);
	__lsan_enable();
	require(model != NULL, "there is memory");
	return 0;
}

/* The TAPs of the recorded streams. */
static size_t port_of(void *ctx, uint32_t interface)
{
	(void)ctx;
	return interface == 3 ? 0 : interface == 5 ? 1 : SIZE_MAX;
}

struct run {
	struct learned *learned;
	int rc;
	struct fpm_counts counts;
	uint64_t routes;
};

static uint64_t routes_now(void)
{
	return rib_routes_of(model->rib, false, ROUTE_FPM) +
	       rib_routes_of(model->rib, true, ROUTE_FPM);
}

/* Everything from an exact-size copy of each piece. */
static struct run play(const uint8_t *data, size_t size, size_t piece, bool kernel)
{
	struct run r = { 0 };
	const char *wrong = NULL;
	struct fpm *fpm;

	r.learned = learned_create(&(struct learned_options){ .model = model,
							      .source = ROUTE_FPM,
							      .table = 254,
							      .kernel = kernel,
							      .port_of = port_of });
	fpm = fpm_create(r.learned);
	require(r.learned && fpm, "there is memory");
	for (size_t at = 0; !r.rc && at < size; at += piece) {
		const size_t n = piece < size - at ? piece : size - at;
		uint8_t *copy = malloc(n);

		require(copy != NULL, "there is memory");
		memcpy(copy, data + at, n);
		r.rc = fpm_receive(fpm, copy, n, &wrong);
		free(copy);
	}
	require(r.rc == 0 || (r.rc == -EINVAL && wrong && wrong[0]), "an error says something");
	fpm_counts(fpm, &r.counts);
	fpm_free(fpm);
	r.routes = routes_now();
	return r;
}

static void check(const struct run *r)
{
	struct learned_counts counts;
	struct snapshot *snapshot;

	learned_counts(r->learned, &counts);
	require(counts.routes[LEARNED_USED] == routes_now(), "routes in use are in the RIB");
	require(counts.routes[LEARNED_REFUSED] == model->refused, "refused ones are counted");
	require(rib_prefixes(model->rib, false) <= CAPACITY + 2 &&
			rib_prefixes(model->rib, true) <= CAPACITY + 2,
		"the capacity is kept");
	__lsan_disable(); /* its tables are the model's */
	snapshot = model_snapshot(model);
	__lsan_enable();
	require(snapshot != NULL, "there is memory");
	snapshot->release(snapshot);
}

static void end(struct run *r)
{
	struct learned_counts counts;

	learned_mark(r->learned);
	require(routes_now() == r->routes, "a lost connection changes nothing");
	while (learned_sweep(r->learned, 3))
		;
	learned_counts(r->learned, &counts);
	require(routes_now() == 0 && counts.stale == 0 && counts.objects == 0,
		"then all of it goes");
	check(r);
	learned_free(r->learned);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run whole = play(data, size, size + 1, size % 2), bytes;

	check(&whole);
	end(&whole);
	if (size >= 4096)
		return 0;
	bytes = play(data, size, 1, size % 2);
	require(bytes.rc == whole.rc && bytes.counts.messages == whole.counts.messages &&
			bytes.routes == whole.routes,
		"pieces do not matter");
	end(&bytes);
	return 0;
}
