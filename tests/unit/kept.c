// SPDX-License-Identifier: BSD-3-Clause
/* The file of a warm start: what is written is read, and what is not whole and right is refused. */
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "feed/kept.h"

static const char *const ports[] = { "pa", "long-name-of-it", "pc" };

static struct ip_prefix prefix_of(const char *text)
{
	struct ip_prefix prefix;

	assert_int_equal(ip_prefix_parse(text, &prefix), 0);
	return prefix;
}

static struct kept_hop hop_of(uint16_t port, uint32_t weight, const char *text)
{
	struct kept_hop hop = { .port = port, .weight = weight };

	assert_int_equal(ip_address_parse(text, &hop.address), 0);
	return hop;
}

static void add(struct kept_writer *w, enum route_source source, const char *prefix,
		enum config_route_kind kind, uint32_t target)
{
	const struct ip_prefix p = prefix_of(prefix);

	kept_route(w, source, &p, kind, target);
}

/* One of everything. */
static struct kept_writer example(void)
{
	struct kept_hop hops[KEPT_HOPS_MAX] = { hop_of(0, 1, "192.0.2.1"),
						hop_of(2, 256, "fe80::1") };
	struct kept_writer w;
	uint32_t one, two, most;

	kept_begin(&w, ports, 3);
	one = kept_target(&w, hops, 1);
	two = kept_target(&w, hops, 2);
	add(&w, ROUTE_FPM, "0.0.0.0/0", CONFIG_ROUTE_VIA, two);
	add(&w, ROUTE_KERNEL, "198.51.100.128/25", CONFIG_ROUTE_VIA, one);
	add(&w, ROUTE_FPM, "203.0.113.7/32", CONFIG_ROUTE_BLACKHOLE, 0);
	add(&w, ROUTE_FPM, "::/0", CONFIG_ROUTE_UNREACHABLE, 0);
	for (int i = 0; i < KEPT_HOPS_MAX; i++)
		hops[i] = hop_of(1, 1 + (uint32_t)i, "2001:db8::1");
	most = kept_target(&w, hops, KEPT_HOPS_MAX);
	add(&w, ROUTE_KERNEL, "2001:db8::/33", CONFIG_ROUTE_VIA, most);
	add(&w, ROUTE_KERNEL, "2001:db8::1/128", CONFIG_ROUTE_PROHIBIT, 0);
	assert_int_equal(kept_end(&w), 0);
	return w;
}

static void expect(struct kept *k, enum route_source source, const char *prefix,
		   enum config_route_kind kind, size_t hops, struct kept_route *route)
{
	const struct ip_prefix p = prefix_of(prefix);

	assert_true(kept_next(k, route));
	assert_int_equal(route->source, source);
	assert_int_equal(route->prefix.ipv6, p.ipv6);
	assert_memory_equal(&route->prefix.key.address, &p.key.address, sizeof(p.key.address));
	assert_int_equal(route->prefix.key.length, p.key.length);
	assert_int_equal(route->kind, kind);
	assert_int_equal(route->hops, hops);
}

static void expect_hop(const struct kept_hop *hop, uint16_t port, uint32_t weight, const char *text)
{
	const struct kept_hop wanted = hop_of(port, weight, text);

	assert_int_equal(hop->port, port);
	assert_int_equal(hop->weight, weight);
	assert_int_equal(hop->address.ipv6, wanted.address.ipv6);
	assert_memory_equal(&hop->address.key, &wanted.address.key, sizeof(hop->address.key));
}

static void what_is_written_is_read(void **state)
{
	struct kept_writer w = example();
	struct octets_error error;
	struct kept_route route;
	char name[256];
	struct kept k;

	(void)state;
	assert_int_equal(kept_open(&k, w.data, w.bytes, &error), 0);
	assert_int_equal(k.ports, 3);
	kept_port_name(&k, 1, name);
	assert_string_equal(name, "long-name-of-it");
	expect(&k, ROUTE_FPM, "0.0.0.0/0", CONFIG_ROUTE_VIA, 2, &route);
	expect_hop(&route.hop[0], 0, 1, "192.0.2.1");
	expect_hop(&route.hop[1], 2, 256, "fe80::1");
	expect(&k, ROUTE_KERNEL, "198.51.100.128/25", CONFIG_ROUTE_VIA, 1, &route);
	expect_hop(&route.hop[0], 0, 1, "192.0.2.1");
	expect(&k, ROUTE_FPM, "203.0.113.7/32", CONFIG_ROUTE_BLACKHOLE, 0, &route);
	expect(&k, ROUTE_FPM, "::/0", CONFIG_ROUTE_UNREACHABLE, 0, &route);
	expect(&k, ROUTE_KERNEL, "2001:db8::/33", CONFIG_ROUTE_VIA, KEPT_HOPS_MAX, &route);
	expect_hop(&route.hop[63], 1, 64, "2001:db8::1");
	expect(&k, ROUTE_KERNEL, "2001:db8::1/128", CONFIG_ROUTE_PROHIBIT, 0, &route);
	assert_false(kept_next(&k, &route));
	kept_close(&k);
	free(w.data);
}

static void nothing_is_a_file_too(void **state)
{
	struct octets_error error;
	struct kept_route route;
	struct kept_writer w;
	struct kept k;

	(void)state;
	kept_begin(&w, NULL, 0);
	assert_int_equal(kept_end(&w), 0);
	assert_int_equal(kept_open(&k, w.data, w.bytes, &error), 0);
	assert_false(kept_next(&k, &route));
	kept_close(&k);
	free(w.data);
}

static void refused(const uint8_t *data, size_t bytes, const char *why)
{
	/* of exactly that size, for sanitizers */
	uint8_t *copy = malloc(bytes ? bytes : 1);
	struct octets_error error = { 0 };
	struct kept k;

	memcpy(copy, data, bytes);
	assert_int_equal(kept_open(&k, copy, bytes, &error), -EBADMSG);
	assert_non_null(error.text);
	assert_true(error.at >= copy && error.at <= copy + bytes);
	if (why)
		assert_string_equal(error.text, why);
	kept_close(&k);
	free(copy);
}

static void every_bit_counts(void **state)
{
	struct kept_writer w = example();

	(void)state;
	for (size_t i = 0; i < w.bytes * 8; i++) {
		w.data[i / 8] ^= (uint8_t)(1 << i % 8);
		refused(w.data, w.bytes, NULL);
		w.data[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	free(w.data);
}

static void every_byte_is_needed(void **state)
{
	struct kept_writer w = example();
	uint8_t *longer = malloc(w.bytes + 1);

	(void)state;
	for (size_t n = 0; n < w.bytes; n++)
		refused(w.data, n, NULL);
	memcpy(longer, w.data, w.bytes);
	longer[w.bytes] = 0;
	refused(longer, w.bytes + 1, "not as long as it says");
	free(longer);
	free(w.data);
}

/* A lying file with the right checksum: its body has these ports and routes, then these bytes. */
static void lie(uint16_t n, uint64_t routes, const char *bytes, size_t length, const char *why)
{
	struct kept_writer w;

	kept_begin(&w, ports, n);
	w.data = realloc(w.data, w.bytes + length);
	assert_non_null(w.data);
	memcpy(w.data + w.bytes, bytes, length);
	w.bytes += length;
	w.routes = routes;
	assert_int_equal(kept_end(&w), 0);
	refused(w.data, w.bytes, why);
	free(w.data);
}

#define LIE(n, routes, bytes, why) lie(n, routes, bytes, sizeof(bytes) - 1, why)

static void lies_are_found(void **state)
{
	(void)state;
	LIE(1, 0, "\3", "a record of no kind");
	LIE(1, 1, "", "other than as many routes as it says");
	LIE(1, 0, "\1", "a target is cut off");
	LIE(1, 0, "\1\0", "a target has no next hop or more than 64");
	LIE(1, 0, "\1\101", "a target has no next hop or more than 64");
	LIE(1, 0, "\1\1\0\0\0\0\0", "a next hop is cut off");
	LIE(1, 0, "\1\1\0\1\0\0\0\1\4\1\2\3\4", "a next hop on a port that is not listed");
	LIE(1, 0, "\1\1\0\0\0\0\0\0\4\1\2\3\4", "a next hop without weight");
	LIE(1, 0, "\1\2\0\0\0\0\77\377\4\1\2\3\4\0\0\0\0\0\2\4\1\2\3\5",
	    "the next hops of a target weigh too much");
	LIE(1, 0, "\1\1\0\0\377\377\377\377\4\1\2\3\4", "the next hops of a target weigh too much");
	LIE(1, 0, "\1\1\0\0\0\0\0\1\5\1\2\3\4", "a next hop of no family");
	LIE(1, 0, "\1\1\0\0\0\0\0\1\6\1\2\3\4", "a next hop is cut off");
	LIE(1, 1, "\2\6\4", "a route is cut off");
	LIE(1, 1, "\2\1\4\0\0\0\0\0", "a route of a source that is not kept");
	LIE(1, 1, "\2\6\5\0\0\0\0\0", "a route of no family");
	LIE(1, 1, "\2\6\4\41\1\2\3\4\5\0\0\0\0", "a prefix is too long");
	LIE(1, 1, "\2\6\4\7\3\0\0\0\0", "a prefix has host bits");
	LIE(1, 1, "\2\6\4\10\3\0\0\0\3", "a route by a target that is not there");
	LIE(1, 1, "\2\6\4\10\3\0\0\0", "a route is cut off");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read), cmocka_unit_test(nothing_is_a_file_too),
		cmocka_unit_test(every_bit_counts),        cmocka_unit_test(every_byte_is_needed),
		cmocka_unit_test(lies_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
