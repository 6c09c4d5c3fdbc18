// SPDX-License-Identifier: BSD-3-Clause
/*
 * Lookups go on while generations are made, published and freed. Built under
 * ThreadSanitizer, this shows that readers and the writer share nothing that moves.
 *
 *   fib_publication [GENERATIONS [SEED]]
 */
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "family.h"
#include "random.h"
#include "routes.h"

#define GENERATIONS 150
#define READERS     2
#define BATCH       64
#define CHANGES     40

/*
 * The leaf of every route set for a generation. A reader that sees a larger one
 * than its generation's saw a write that was not published to it.
 */
#define MARK(generation) ((uint32_t)(generation) + 1)

struct published {
	void *fib;
	uint64_t generation;
};

struct test {
	const struct family *family;
	_Atomic(struct published *) current;
	/* each reader's: quiescent states passed */
	_Atomic uint64_t passed[READERS];
	_Atomic bool stop;
	_Atomic uint64_t lookups;
};

struct reader {
	struct test *test;
	unsigned int number;
	struct random random;
};

static void *read_on(void *arg)
{
	struct reader *r = arg;
	struct test *t = r->test;
	struct ipv6_key address[BATCH];
	uint32_t leaf[BATCH];

	while (!atomic_load_explicit(&t->stop, memory_order_relaxed)) {
		struct published *p = atomic_load_explicit(&t->current, memory_order_acquire);

		for (unsigned int i = 0; i < BATCH; i++)
			address[i] = random_address_near(
				&r->random, random_prefix(&r->random, t->family->bits));
		t->family->lookup(p->fib, address, leaf, BATCH);
		for (unsigned int i = 0; i < BATCH; i++) {
			if (leaf[i] > MARK(p->generation)) {
				fprintf(stderr, "%s: generation %" PRIu64 " has leaf %" PRIu32 "\n",
					t->family->name, p->generation, leaf[i]);
				exit(1);
			}
		}
		atomic_fetch_add_explicit(&t->lookups, BATCH, memory_order_relaxed);
		atomic_fetch_add_explicit(&t->passed[r->number], 1, memory_order_release);
		/* where cores are few, the writer is what is waited for */
		sched_yield();
	}
	return NULL;
}

/* Every reader has begun a burst after this call did. */
static void wait_for_readers(struct test *t)
{
	uint64_t seen[READERS];

	for (unsigned int i = 0; i < READERS; i++)
		seen[i] = atomic_load(&t->passed[i]);
	for (unsigned int i = 0; i < READERS; i++)
		while (atomic_load_explicit(&t->passed[i], memory_order_acquire) < seen[i] + 2)
			sched_yield();
}

static void change(struct random *random, struct routes *routes, struct prefix_key *prefix,
		   uint32_t leaf, unsigned int bits)
{
	size_t n = routes_count(routes);

	if (n > 3000) {
		*prefix = routes_at(routes, random_below(random, (uint32_t)n))->prefix;
		routes_delete(routes, *prefix);
	} else {
		*prefix = random_prefix(random, bits);
		routes_set(routes, *prefix, leaf);
	}
}

static struct published *publish(struct test *t, void *fib, uint64_t generation)
{
	struct published *p = malloc(sizeof(*p));

	if (!p || !fib) {
		fprintf(stderr, "%s: no memory\n", t->family->name);
		exit(1);
	}
	*p = (struct published){ fib, generation };
	return atomic_exchange_explicit(&t->current, p, memory_order_acq_rel);
}

static void write_on(struct test *t, uint64_t generations, uint64_t seed)
{
	struct routes *routes = routes_new(t->family->bits);
	struct fib_source source = routes_source(routes);
	struct random random = { seed };

	for (uint64_t g = 1; g <= generations; g++) {
		struct prefix_key ranges[CHANGES];
		unsigned int n = 1 + random_below(&random, CHANGES);
		struct published *last = atomic_load(&t->current);

		for (unsigned int i = 0; i < n; i++)
			change(&random, routes, &ranges[i], MARK(g), t->family->bits);
		last = publish(t, t->family->apply(last->fib, ranges, n, &source), g);
		wait_for_readers(t);
		t->family->free(last->fib);
		free(last);
	}
	routes_free(routes);
}

static void run(const struct family *family, uint64_t generations, uint64_t seed)
{
	struct test t = { .family = family };
	struct reader reader[READERS];
	pthread_t thread[READERS];

	publish(&t, family->apply(NULL, NULL, 0, NULL), 0);
	for (unsigned int i = 0; i < READERS; i++) {
		reader[i] = (struct reader){ &t, i, { seed + i } };
		if (pthread_create(&thread[i], NULL, read_on, &reader[i]) != 0)
			exit(1);
	}
	write_on(&t, generations, seed + READERS);
	atomic_store(&t.stop, true);
	for (unsigned int i = 0; i < READERS; i++)
		pthread_join(thread[i], NULL);
	printf("%s: %" PRIu64 " generations, %" PRIu64 " lookups beside\n", family->name,
	       generations, atomic_load(&t.lookups));
	family->free(atomic_load(&t.current)->fib);
	free(atomic_load(&t.current));
}

int main(int argc, char **argv)
{
	uint64_t generations = argc > 1 ? strtoull(argv[1], NULL, 0) : GENERATIONS;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;

	printf("%" PRIu64 " generations, seed %" PRIu64 ", path %s\n", generations, seed,
	       cpu_path_name(cpu_path()));
	run(&family4, generations, seed);
	run(&family6, generations, seed);
	return 0;
}
