// SPDX-License-Identifier: BSD-3-Clause
/*
 * Fuzz target: any bytes as the file of a warm start; then the same behind a header that is right,
 * for the checksum keeps most of them from being looked at. What is accepted can be read to its
 * end, and written again and read it is the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feed/kept.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool true_claim, const char *claim)
{
	if (true_claim)
		return;
	fprintf(stderr, "not true: %s\n", claim);
	abort();
}

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
