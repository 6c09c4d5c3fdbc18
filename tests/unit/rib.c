// SPDX-License-Identifier: BSD-3-Clause
/* The RIB against a list that is searched from end to end. */
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "rib.h"

static uint64_t random_state = 3;

static uint64_t random64(void)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return random_state ^ random_state >> 29;
}

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p;

	assert_int_equal(ip_prefix_parse(text, &p), 0);
	return p;
}

/* ---- the oracle: leaf by prefix and source ---- */

#define NAIVE_MAX 4000

struct naive_prefix {
	struct ip_prefix prefix;
	uint32_t leaf[ROUTE_SOURCES];
};

static struct naive_prefix naive[NAIVE_MAX];
static size_t naive_count;

static int same_prefix(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return a->ipv6 == b->ipv6 && a->key.length == b->key.length &&
	       ip_key_compare(a->key.address, b->key.address) == 0;
}

static struct naive_prefix *naive_find(const struct ip_prefix *p)
{
	for (size_t i = 0; i < naive_count; i++)
		if (same_prefix(&naive[i].prefix, p))
			return &naive[i];
	assert_true(naive_count < NAIVE_MAX);
	naive[naive_count] = (struct naive_prefix){ .prefix = *p };
	return &naive[naive_count++];
}

static enum route_source naive_best(const struct naive_prefix *n)
{
	for (unsigned int s = ROUTE_NONE + 1; s < ROUTE_SOURCES; s++)
		if (n->leaf[s])
			return s;
	return ROUTE_NONE;
}

/* The best route of the longest prefix that covers p. */
static const struct naive_prefix *naive_cover(const struct ip_prefix *p)
{
	const struct naive_prefix *best = NULL;
	struct ip_address address = { p->key.address, p->ipv6 };

	for (size_t i = 0; i < naive_count; i++)
		if (naive_best(&naive[i]) && naive[i].prefix.key.length <= p->key.length &&
		    ip_prefix_contains(&naive[i].prefix, &address) &&
		    (!best || naive[i].prefix.key.length > best->prefix.key.length))
			best = &naive[i];
	return best;
}

static bool is_counted(enum route_source source)
{
	return source != ROUTE_LOCAL && source != ROUTE_ADJACENT;
}

/* Counts of everything by source: prefixes that a source decides in people's eyes, and routes. */
static void check_counts(const struct rib *rib, bool ipv6)
{
	uint64_t decides[ROUTE_SOURCES] = { 0 }, routes[ROUTE_SOURCES] = { 0 }, all = 0;

	for (size_t i = 0; i < naive_count; i++) {
		bool decided = naive[i].prefix.ipv6 != ipv6;

		for (unsigned int s = ROUTE_NONE + 1; s < ROUTE_SOURCES; s++) {
			if (naive[i].prefix.ipv6 != ipv6 || !naive[i].leaf[s])
				continue;
			routes[s]++;
			if (!decided && is_counted(s)) {
				decides[s]++;
				all++;
				decided = true;
			}
		}
	}
	assert_int_equal(rib_prefixes(rib, ipv6), all);
	for (unsigned int s = ROUTE_NONE + 1; s < ROUTE_SOURCES; s++) {
		assert_int_equal(rib_prefixes_of(rib, ipv6, s), decides[s]);
		assert_int_equal(rib_routes_of(rib, ipv6, s), routes[s]);
	}
}

/* Prefixes that nest and meet again: few bits vary. */
static struct ip_prefix random_prefix(void)
{
	struct ip_address a = { .ipv6 = random64() % 2 };
	unsigned int length = (unsigned int)(random64() % (a.ipv6 ? 129 : 33));

	a.key.hi =
		(random64() & 0x8001000300000000) | (a.ipv6 ? random64() & 0x8000000000000001 : 0);
	a.key.lo = a.ipv6 ? random64() & 0x8000000300000001 : 0;
	return ip_prefix_of(&a, length);
}

struct walked {
	struct ip_prefix range, last;
	size_t n;
	bool strictly;
};

static void check_step(struct walked *w, struct prefix_key key, uint32_t leaf)
{
	struct ip_prefix p = { key, w->range.ipv6 };
	struct ip_address address = { key.address, w->range.ipv6 };
	const struct naive_prefix *have = naive_find(&p);

	assert_true(naive_best(have) != ROUTE_NONE);
	assert_int_equal(have->leaf[naive_best(have)], leaf);
	assert_true(ip_prefix_contains(&w->range, &address));
	assert_true(key.length >= w->range.key.length + w->strictly);
	if (w->n++) {
		int order = ip_key_compare(w->last.key.address, key.address);

		assert_true(order < 0 || (order == 0 && w->last.key.length < key.length));
	}
	w->last = p;
}

static void visit_route(void *arg, const struct rib_route *route)
{
	check_step(arg, route->prefix, route->leaf);
}

static void visit_leaf(void *arg, struct prefix_key key, uint32_t leaf)
{
	check_step(arg, key, leaf);
}

/* In parts of any size the same routes come in the same order; from anywhere those behind it. */
static void check_parts(const struct rib *rib, const struct ip_prefix *range, size_t expected)
{
	struct walked parts = { .range = *range }, rest = { .range = *range };
	struct ip_prefix middle = random_prefix();
	struct prefix_key last;
	size_t most = 1 + random64() % 7, behind = 0;
	bool more = rib_walk_part(rib, range, NULL, most, visit_route, &parts, &last);

	while (more)
		more = rib_walk_part(rib, range, &last, most, visit_route, &parts, &last);
	assert_int_equal(parts.n, expected);
	middle.ipv6 = range->ipv6;
	for (size_t i = 0; i < naive_count; i++) {
		struct ip_address a = { naive[i].prefix.key.address, naive[i].prefix.ipv6 };
		int order = ip_key_compare(middle.key.address, a.key);

		if (naive_best(&naive[i]) && naive[i].prefix.key.length >= range->key.length &&
		    ip_prefix_contains(range, &a))
			behind += order < 0 ||
				  (order == 0 && middle.key.length < naive[i].prefix.key.length);
	}
	rib_walk_part(rib, range, &middle.key, SIZE_MAX, visit_route, &rest, &last);
	assert_int_equal(rest.n, behind);
}

struct sources {
	const struct naive_prefix *naive;
	unsigned int next;
};

static void visit_source(void *arg, const struct rib_route *route)
{
	struct sources *s = arg;

	while (!s->naive->leaf[s->next])
		s->next++;
	assert_int_equal(route->source, s->next);
	assert_int_equal(route->leaf, s->naive->leaf[s->next]);
	s->next++;
}

/* Every route of a prefix, the best first. */
static void check_sources(const struct rib *rib, const struct naive_prefix *n)
{
	struct sources s = { n, ROUTE_NONE + 1 };

	rib_routes(rib, &n->prefix, visit_source, &s);
	for (; s.next < ROUTE_SOURCES; s.next++)
		assert_int_equal(n->leaf[s.next], 0);
}

/* Both walks see every best route inside range once and in order, and nothing else. */
static void check_walks(const struct rib *rib, const struct ip_prefix *range)
{
	struct walked all = { .range = *range }, inside = { .range = *range, .strictly = true };
	const struct fib_source *source = rib_source(rib, range->ipv6);
	size_t expected = 0, self = 0;

	for (size_t i = 0; i < naive_count; i++) {
		struct ip_address a = { naive[i].prefix.key.address, naive[i].prefix.ipv6 };

		if (!naive_best(&naive[i]) || naive[i].prefix.key.length < range->key.length ||
		    !ip_prefix_contains(range, &a))
			continue;
		expected++;
		self += naive[i].prefix.key.length == range->key.length;
	}
	rib_walk(rib, range, visit_route, &all);
	assert_int_equal(all.n, expected);
	source->walk(source->ctx, range->key, visit_leaf, &inside);
	assert_int_equal(inside.n, expected - self);
	check_parts(rib, range, expected);
}

static void check_cover(const struct rib *rib, const struct ip_prefix *p)
{
	const struct naive_prefix *expected = naive_cover(p);
	const struct fib_source *source = rib_source(rib, p->ipv6);
	struct rib_route route;

	assert_int_equal(rib_cover(rib, p, &route), expected != NULL);
	assert_int_equal(source->cover(source->ctx, p->key),
			 expected ? expected->leaf[naive_best(expected)] : 0);
	if (!expected)
		return;
	assert_int_equal(route.prefix.length, expected->prefix.key.length);
	assert_int_equal(route.source, naive_best(expected));
	assert_int_equal(route.leaf, expected->leaf[route.source]);
}

/* The range of a changed best route must be among the dirty ones. */
static void check_dirty(const struct rib *rib, const struct ip_prefix *p)
{
	size_t n;
	const struct prefix_key *range = rib_dirty(rib, p->ipv6, &n);

	for (size_t i = 0; i < n; i++)
		if (range[i].length == 0 || (range[i].length == p->key.length &&
					     ip_key_compare(range[i].address, p->key.address) == 0))
			return;
	fail_msg("a changed prefix is not dirty");
}

static void agrees_with_a_naive_table(void **state)
{
	struct rib *rib = rib_create(NAIVE_MAX, NAIVE_MAX);

	(void)state;
	naive_count = 0;
	for (int i = 0; i < 60000; i++) {
		struct ip_prefix p = i % 3 && naive_count > 1500
					     ? naive[random64() % naive_count].prefix
					     : random_prefix();
		enum route_source source = 1 + random64() % (ROUTE_SOURCES - 1), best;
		struct naive_prefix *n;
		uint32_t old = 99, leaf = 0, best_leaf;

		if (naive_count >= NAIVE_MAX - 1)
			break;
		n = naive_find(&p);
		best = naive_best(n);
		best_leaf = n->leaf[best];
		rib_clean(rib, p.ipv6);
		if (random64() % 5 < 2) {
			leaf = 1 + (uint32_t)(random64() % 5);
			assert_int_equal(rib_set(rib, &p, source, leaf, &old), 0);
			assert_int_equal(old, n->leaf[source]);
		} else {
			assert_int_equal(rib_delete(rib, &p, source, &old),
					 n->leaf[source] ? 0 : -ENOENT);
			if (n->leaf[source])
				assert_int_equal(old, n->leaf[source]);
		}
		n->leaf[source] = leaf;
		assert_int_equal(rib_get(rib, &p, source), leaf);
		if (best != naive_best(n) || best_leaf != n->leaf[naive_best(n)])
			check_dirty(rib, &p);
		check_cover(rib, &p);
		check_sources(rib, n);
		if (i % 16 == 0) {
			struct ip_prefix other = random_prefix();

			check_cover(rib, &other);
			check_walks(rib, i % 32 ? &other : &p);
			check_counts(rib, p.ipv6);
		}
	}
	rib_free(rib);
}

static void capacity_is_refused_not_crossed(void **state)
{
	struct rib *rib = rib_create(2, 1);
	struct ip_prefix a = prefix("10.0.0.0/8"), b = prefix("10.1.0.0/16"),
			 c = prefix("10.2.0.0/16"), d = prefix("2001:db8::/32"),
			 e = prefix("2001:db8:1::/48");
	uint32_t old;

	(void)state;
	assert_int_equal(rib_set(rib, &a, ROUTE_FPM, 1, &old), 0);
	assert_int_equal(rib_set(rib, &b, ROUTE_FPM, 2, &old), 0);
	assert_int_equal(rib_set(rib, &c, ROUTE_FPM, 3, &old), -ENOSPC);
	assert_int_equal(rib_get(rib, &c, ROUTE_FPM), 0);
	/* what is in stays and may change */
	assert_int_equal(rib_set(rib, &b, ROUTE_FPM, 4, &old), 0);
	assert_int_equal(rib_set(rib, &b, ROUTE_STATIC, 5, &old), 0);
	/* the exchange's own prefixes and addresses always fit */
	assert_int_equal(rib_set(rib, &c, ROUTE_CONNECTED, 6, &old), 0);
	assert_int_equal(rib_prefixes(rib, false), 3);
	assert_int_equal(rib_set(rib, &d, ROUTE_ADJACENT, 6, &old), 0);
	assert_int_equal(rib_set(rib, &e, ROUTE_MRT, 6, &old), 0);
	assert_int_equal(rib_prefixes(rib, true), 1);
	assert_int_equal(rib_delete(rib, &a, ROUTE_FPM, &old), 0);
	assert_int_equal(rib_delete(rib, &b, ROUTE_FPM, &old), 0);
	assert_int_equal(rib_prefixes(rib, false), 2); /* b still by the static route */
	assert_int_equal(rib_prefixes_of(rib, false, ROUTE_STATIC), 1);
	assert_int_equal(rib_prefixes_of(rib, false, ROUTE_FPM), 0);
	assert_int_equal(rib_delete(rib, &b, ROUTE_STATIC, &old), 0);
	assert_int_equal(rib_set(rib, &a, ROUTE_FPM, 3, &old), 0);
	rib_free(rib);
}

static void precedence_of_sources(void **state)
{
	static const enum route_source order[] = { ROUTE_LOCAL,  ROUTE_CONNECTED, ROUTE_STATIC,
						   ROUTE_FILE,   ROUTE_ADJACENT,  ROUTE_FPM,
						   ROUTE_KERNEL, ROUTE_MRT };
	const int n = sizeof(order) / sizeof(order[0]);
	struct rib *rib = rib_create(10, 10);
	struct ip_prefix p = prefix("192.0.2.1/32");
	struct rib_route route;
	uint32_t old;

	(void)state;
	for (int i = n - 1; i >= 0; i--) {
		assert_int_equal(rib_set(rib, &p, order[i], 10 + (uint32_t)i, &old), 0);
		assert_true(rib_cover(rib, &p, &route));
		assert_int_equal(route.leaf, 10 + i);
	}
	for (int i = 0; i < n; i++) {
		assert_true(rib_cover(rib, &p, &route));
		assert_int_equal(route.leaf, 10 + i);
		assert_non_null(route_source_name(order[i]));
		assert_int_equal(rib_delete(rib, &p, order[i], &old), 0);
	}
	assert_false(rib_cover(rib, &p, &route));
	rib_free(rib);
}

static void many_changes_become_one_range(void **state)
{
	struct rib *rib = rib_create(100000, 10);
	struct ip_address a = { 0 };
	size_t n;
	uint32_t old;

	(void)state;
	for (uint64_t i = 0; i < 50000; i++) {
		struct ip_prefix p;

		a.key.hi = i << 40;
		p = ip_prefix_of(&a, 24);
		assert_int_equal(rib_set(rib, &p, ROUTE_FPM, 1, &old), 0);
	}
	assert_int_equal(rib_dirty(rib, false, &n)[0].length, 0);
	assert_int_equal(n, 1);
	rib_clean(rib, false);
	rib_dirty(rib, false, &n);
	assert_int_equal(n, 0);
	rib_free(rib);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_a_naive_table),
		cmocka_unit_test(capacity_is_refused_not_crossed),
		cmocka_unit_test(precedence_of_sources),
		cmocka_unit_test(many_changes_become_one_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
