// SPDX-License-Identifier: BSD-3-Clause
/* Decides which prefix an address belongs to when tables are made. */
#include "fib_paint.h"

#include <stdlib.h>

/* Prefixes that hold an address nest: a range and at most 128 longer ones. */
#define DEPTH_MAX 129

struct layer {
	unsigned __int128 last;
	uint32_t leaf;
};

struct painting {
	struct layer layer[DEPTH_MAX]; /* open prefixes, the longest on top */
	unsigned int layers;
	unsigned __int128 next; /* everything before it was put */
	bool full;              /* next went beyond the last address there is */
	void (*put)(void *sink, unsigned __int128 first, unsigned __int128 last, uint32_t leaf);
	void *sink;
};

/* Everything up to last that was not put yet belongs to the top layer. */
static void put_until(struct painting *p, unsigned __int128 last)
{
	if (p->full || last < p->next)
		return;
	p->put(p->sink, p->next, last, p->layer[p->layers - 1].leaf);
	p->next = last + 1;
	p->full = p->next == 0;
}

static void layer_add(struct painting *p, struct prefix_key prefix, uint32_t leaf)
{
	p->layer[p->layers++] = (struct layer){ prefix_last(prefix), leaf & FIB_LEAF_MAX };
}

static void visit(void *arg, struct prefix_key prefix, uint32_t leaf)
{
	struct painting *p = arg;
	unsigned __int128 first = prefix_first(prefix);

	while (p->layers > 1 && p->layer[p->layers - 1].last < first) {
		put_until(p, p->layer[p->layers - 1].last);
		p->layers--;
	}
	if (first > 0)
		put_until(p, first - 1);
	if (p->layers < DEPTH_MAX)
		layer_add(p, prefix, leaf);
}

void fib_paint(const struct fib_source *source, struct prefix_key range,
	       void (*put)(void *sink, unsigned __int128 first, unsigned __int128 last,
			   uint32_t leaf),
	       void *sink)
{
	struct painting p;

	p.layers = 0;
	p.next = prefix_first(range);
	p.full = false;
	p.put = put;
	p.sink = sink;
	layer_add(&p, range, source->cover(source->ctx, range));
	source->walk(source->ctx, range, visit, &p);
	for (; p.layers > 0; p.layers--)
		put_until(&p, p.layer[p.layers - 1].last);
}

static int compare_ranges(const void *a, const void *b)
{
	const struct prefix_key *x = a, *y = b;
	unsigned __int128 first = prefix_first(*x), other = prefix_first(*y);

	if (first != other)
		return first < other ? -1 : 1;
	return (int)x->length - (int)y->length;
}

struct prefix_key *fib_ranges(const struct prefix_key *ranges, size_t *n)
{
	struct prefix_key *list = malloc((*n + 1) * sizeof(*list));
	size_t kept = 0;

	if (!list)
		return NULL;
	for (size_t i = 0; i < *n; i++)
		list[i] = ranges[i];
	qsort(list, *n, sizeof(*list), compare_ranges);
	for (size_t i = 0; i < *n; i++)
		if (kept == 0 || prefix_first(list[i]) > prefix_last(list[kept - 1]))
			list[kept++] = list[i];
	*n = kept;
	return list;
}
