// SPDX-License-Identifier: BSD-3-Clause
/*
 * Random adds, deletes, replacements and lookups against a naive longest match,
 * both families, every instruction set, generations kept for a while.
 *
 *   fib_differential [OPERATIONS [SEED]]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "family.h"
#include "random.h"
#include "routes.h"

#define OPERATIONS  5000000
#define BATCH       64
#define CHANGES_MAX 512
#define GENERATIONS 4 /* kept beside the newest */
#define WITNESSES   256
#define ROUTES_MAX  20000

/* A generation, and what it said when it was new. */
struct generation {
	void *fib;
	struct ipv6_key address[WITNESSES];
	uint32_t leaf[WITNESSES];
	unsigned int witnesses;
};

struct test {
	const struct family *family;
	struct random random;
	struct routes *routes;
	struct generation generation[GENERATIONS + 1]; /* the newest first */
	uint64_t round, changes, lookups;
	bool growing;
};

static void differs(const struct test *t, struct ipv6_key address, uint32_t leaf, uint32_t naive,
		    const char *what)
{
	fprintf(stderr,
		"%s: round %" PRIu64 ": %s, path %s: %016" PRIx64 " %016" PRIx64
		" has leaf %" PRIu32 ", should be %" PRIu32 "\n",
		t->family->name, t->round, what, cpu_path_name(cpu_path()), address.hi, address.lo,
		leaf, naive);
	exit(1);
}

static uint32_t random_leaf(struct random *random)
{
	switch (random_below(random, 8)) {
	case 0:
		return FIB_LEAF_MAX - random_below(random, 3);
	case 1:
		return (uint32_t)random_bits(random) & FIB_LEAF_MAX;
	default:
		return random_below(random, 5);
	}
}

static struct prefix_key random_route(struct test *t)
{
	size_t n = routes_count(t->routes);

	return routes_at(t->routes, random_below(&t->random, (uint32_t)n))->prefix;
}

/* One change; returns what changed. */
static struct prefix_key change(struct test *t)
{
	size_t n = routes_count(t->routes);
	uint32_t what = random_below(&t->random, 10);
	struct prefix_key prefix;

	if (n > 0 && what < (t->growing ? 2 : 6)) {
		prefix = random_route(t);
		routes_delete(t->routes, prefix);
	} else {
		prefix = n > 0 && what == 9 ? random_route(t)
					    : random_prefix(&t->random, t->family->bits);
		routes_set(t->routes, prefix, random_leaf(&t->random));
	}
	t->changes++;
	return prefix;
}

/* Sometimes more is said to have changed than did. */
static struct prefix_key widened(struct test *t, struct prefix_key prefix)
{
	if (random_below(&t->random, 64) > 0)
		return prefix;
	return prefix6(prefix.address.hi, prefix.address.lo,
		       random_below(&t->random, prefix.length + 1u));
}

static void lookup_all_paths(struct test *t, const struct ipv6_key *address, uint32_t *leaf,
			     unsigned int n)
{
	uint32_t other[BATCH];

	cpu_path_set(CPU_SCALAR);
	t->family->lookup(t->generation[0].fib, address, leaf, n);
	for (int path = CPU_AVX2; path <= CPU_BEST; path++) {
		if (cpu_path_set(path) != (enum cpu_path)path)
			return;
		t->family->lookup(t->generation[0].fib, address, other, n);
		for (unsigned int i = 0; i < n; i++)
			if (other[i] != leaf[i])
				differs(t, address[i], other[i], leaf[i], "not as scalar");
	}
}

/* Look n addresses near prefix up, remember them as the generation's witnesses. */
static void check_near(struct test *t, struct prefix_key prefix, unsigned int n)
{
	struct generation *g = &t->generation[0];
	struct ipv6_key address[BATCH];
	uint32_t leaf[BATCH];

	for (unsigned int i = 0; i < n; i++)
		address[i] = random_address_near(&t->random, prefix);
	lookup_all_paths(t, address, leaf, n);
	for (unsigned int i = 0; i < n; i++) {
		uint32_t naive = routes_match(t->routes, address[i]);

		if (leaf[i] != naive)
			differs(t, address[i], leaf[i], naive, "not as naive");
		t->lookups++;
		if (g->witnesses < WITNESSES) {
			g->address[g->witnesses] = address[i];
			g->leaf[g->witnesses++] = leaf[i];
		}
	}
}

/* A generation that others were made from says what it said. */
static void check_old(struct test *t, const struct generation *g)
{
	uint32_t leaf[BATCH];

	for (unsigned int i = 0; i < g->witnesses; i += BATCH) {
		unsigned int n = g->witnesses - i < BATCH ? g->witnesses - i : BATCH;

		t->family->lookup(g->fib, &g->address[i], leaf, n);
		for (unsigned int k = 0; k < n; k++)
			if (leaf[k] != g->leaf[i + k])
				differs(t, g->address[i + k], leaf[k], g->leaf[i + k],
					"an old generation changed");
	}
}

static void next_generation(struct test *t, void *fib)
{
	struct generation *oldest = &t->generation[GENERATIONS];

	if (!fib) {
		fprintf(stderr, "%s: no memory\n", t->family->name);
		exit(1);
	}
	if (oldest->fib) {
		check_old(t, oldest);
		t->family->free(oldest->fib);
	}
	for (int i = GENERATIONS; i > 0; i--)
		t->generation[i] = t->generation[i - 1];
	t->generation[0].fib = fib;
	t->generation[0].witnesses = 0;
}

/* Most batches are small; their sizes are spread over the powers of two. */
static unsigned int batch_size(struct test *t)
{
	return 1 + random_below(&t->random, 1u << random_below(&t->random, 10));
}

static void one_round(struct test *t)
{
	struct prefix_key changed[CHANGES_MAX], ranges[CHANGES_MAX];
	struct fib_source source = routes_source(t->routes);
	unsigned int n = batch_size(t);

	for (unsigned int i = 0; i < n; i++) {
		changed[i] = change(t);
		ranges[i] = widened(t, changed[i]);
	}
	next_generation(t, t->family->apply(t->generation[0].fib, ranges, n, &source));
	for (unsigned int i = 0; i < n; i++)
		check_near(t, changed[i], 1 + random_below(&t->random, 16));
	for (unsigned int i = 0; i < 8; i++)
		if (routes_count(t->routes) > 0)
			check_near(t, random_route(t), 1 + random_below(&t->random, BATCH));
	if (routes_count(t->routes) > ROUTES_MAX || random_below(&t->random, 400) == 0)
		t->growing = routes_count(t->routes) <= ROUTES_MAX && !t->growing;
	t->round++;
}

/* A table that changed all the time says the same as one made at once. */
static void check_against_rebuilt(struct test *t)
{
	struct fib_source source = routes_source(t->routes);
	struct prefix_key all = prefix6(0, 0, 0);

	next_generation(t, t->family->apply(NULL, &all, 1, &source));
	for (size_t i = 0; i < routes_count(t->routes); i++)
		check_near(t, routes_at(t->routes, i)->prefix, 4);
}

static void run(const struct family *family, uint64_t operations, uint64_t seed)
{
	static struct test t;
	struct fib_source source;

	t = (struct test){ .family = family,
			   .random = { seed },
			   .routes = routes_new(family->bits),
			   .growing = true };
	source = routes_source(t.routes);
	next_generation(&t, family->apply(NULL, NULL, 0, &source));
	while (t.changes + t.lookups < operations)
		one_round(&t);
	check_against_rebuilt(&t);
	printf("%s: %" PRIu64 " generations, %" PRIu64 " changes, %" PRIu64
	       " lookups, %zu routes at the end\n",
	       family->name, t.round, t.changes, t.lookups, routes_count(t.routes));
	for (int i = 0; i <= GENERATIONS; i++)
		family->free(t.generation[i].fib);
	routes_free(t.routes);
}

int main(int argc, char **argv)
{
	uint64_t operations = argc > 1 ? strtoull(argv[1], NULL, 0) : OPERATIONS;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;

	printf("%" PRIu64 " operations, seed %" PRIu64 ", best path %s\n", operations, seed,
	       cpu_path_name(cpu_path_set(CPU_BEST)));
	run(&family4, operations / 2, seed);
	run(&family6, operations / 2, seed + 1);
	return 0;
}
