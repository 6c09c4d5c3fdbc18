// SPDX-License-Identifier: BSD-3-Clause
/*
 * Fuzz target: any bytes as the file of a warm start; then the same behind a header that is right,
 * for the checksum keeps most of them from being looked at. What is accepted can be read to its
 * end, and written again and read it is the same; and a small exchange takes of it what it can, as
 * stale routes, which all go again.
 */
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

#include "feed/kept.h"
#include "feed/learned.h"
#include "model_state.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool true_claim, const char *claim)
{
	if (true_claim)
		return;
	fprintf(stderr, "not true: %s\n", claim);
	abort();
}

/* ---- into an exchange ---- */

#define CAPACITY 50

static const char exchange[] =
	"ports:\n"
	"  - {name: pa, device: a, addresses: [192.0.2.254/24, \"2001:db8::ffff/64\"]}\n"
	"  - {name: pb, device: b, addresses: [203.0.113.254/24]}\n";
static struct model *model; /* one for all: what a run sets, its end takes away */

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

static size_t no_port(void *ctx, uint32_t interface)
{
	(void)ctx;
	(void)interface;
	return SIZE_MAX;
}

static uint64_t routes_of(enum route_source source)
{
	return rib_routes_of(model->rib, false, source) + rib_routes_of(model->rib, true, source);
}

static void restore_source(const uint8_t *data, size_t size, enum route_source source)
{
	struct learned *learned = learned_create(&(struct learned_options){
		.model = model, .source = source, .table = 254, .port_of = no_port });
	struct learned_counts counts;
	struct octets_error error;
	struct kept_route kept;
	uint64_t restored = 0;
	struct kept k;

	require(learned && kept_open(&k, data, size, &error) == 0, "it can be read again");
	while (kept_next(&k, &kept)) {
		struct config_nexthop via[KEPT_HOPS_MAX];
		const struct route route = { kept.prefix, kept.kind, via, kept.hops };
		char name[256];

		for (size_t i = 0; i < kept.hops; i++) {
			kept_port_name(&k, kept.hop[i].port, name);
			via[i] = (struct config_nexthop){ kept.hop[i].address,
							  model_port_by_name(model, name),
							  kept.hop[i].weight };
		}
		if (kept.source == source)
			restored += learned_restore(learned, &route) == 0;
	}
	kept_close(&k);
	learned_counts(learned, &counts);
	require(counts.stale == restored && routes_of(source) == restored, "all are stale");
	require(model->refused == 0, "what is left out is not counted as refused");
	while (learned_sweep(learned, 3))
		;
	require(routes_of(source) == 0, "all go again");
	learned_free(learned);
}

static void restore(const uint8_t *data, size_t size)
{
	struct snapshot *snapshot;

	restore_source(data, size, ROUTE_FPM);
	restore_source(data, size, ROUTE_KERNEL);
	__lsan_disable(); /* its tables are the model's */
	snapshot = model_snapshot(model);
	__lsan_enable();
	require(snapshot != NULL, "there is memory");
	snapshot->release(snapshot);
}

/* ---- and out again ---- */

static bool same_hop(const struct kept_hop *a, const struct kept_hop *b)
{
	return a->port == b->port && a->weight == b->weight && a->address.ipv6 == b->address.ipv6 &&
	       memcmp(&a->address.key, &b->address.key, sizeof(a->address.key)) == 0;
}

static bool same_route(const struct kept_route *a, const struct kept_route *b)
{
	if (a->source != b->source || a->prefix.ipv6 != b->prefix.ipv6 ||
	    a->prefix.key.length != b->prefix.key.length ||
	    memcmp(&a->prefix.key.address, &b->prefix.key.address, sizeof(a->prefix.key.address)) !=
		    0 ||
	    a->kind != b->kind || a->hops != b->hops)
		return false;
	for (size_t i = 0; i < a->hops; i++)
		if (!same_hop(&a->hop[i], &b->hop[i]))
			return false;
	return true;
}

/* The same routes, written anew, each with a target of its own. */
static void write_again(struct kept *k, const uint8_t *data, size_t size)
{
	const char **port = calloc(k->ports + 1u, sizeof(*port));
	char(*name)[256] = calloc(k->ports + 1u, sizeof(*name));
	struct octets_error error;
	struct kept_route route, again;
	struct kept_writer w;
	struct kept second;

	require(port && name, "there is memory");
	for (uint16_t i = 0; i < k->ports; i++) {
		kept_port_name(k, i, name[i]);
		port[i] = name[i];
	}
	kept_begin(&w, port, k->ports);
	while (kept_next(k, &route)) {
		const uint32_t target =
			route.kind == CONFIG_ROUTE_VIA ? kept_target(&w, route.hop, route.hops) : 0;

		kept_route(&w, route.source, &route.prefix, route.kind, target);
	}
	require(kept_end(&w) == 0 && w.routes == k->routes, "as many as it said");
	kept_close(k);
	require(kept_open(k, data, size, &error) == 0, "it can be read twice");
	require(kept_open(&second, w.data, w.bytes, &error) == 0, "what is written can be read");
	while (kept_next(k, &route))
		require(kept_next(&second, &again) && same_route(&route, &again), "the same");
	require(!kept_next(&second, &again), "no more than that");
	kept_close(&second);
	free(w.data);
	free(port);
	free(name);
}

static void look(const uint8_t *data, size_t size)
{
	struct octets_error error = { 0 };
	struct kept k;
	const int rc = kept_open(&k, data, size, &error);

	require(!rc || (error.text && (!error.at || (error.at >= data && error.at <= data + size))),
		"an error has its place");
	if (!rc)
		write_again(&k, data, size);
	if (!rc)
		restore(data, size);
	kept_close(&k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *sealed = malloc(KEPT_HEADER_BYTES + size);

	look(data, size);
	require(sealed != NULL, "there is memory");
	if (size)
		memcpy(sealed + KEPT_HEADER_BYTES, data, size);
	kept_seal(sealed, KEPT_HEADER_BYTES + size);
	look(sealed, KEPT_HEADER_BYTES + size);
	free(sealed);
	return 0;
}
