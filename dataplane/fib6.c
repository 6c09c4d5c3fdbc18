// SPDX-License-Identifier: BSD-3-Clause
/* Owns the IPv6 forwarding table: makes generations, looks up in them. */
#include "fib6_burst.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fib_paint.h"
#include "memory.h"

#define ENTRY_LIMIT   ((size_t)INT32_MAX)
#define NODE_LIMIT    ((size_t)FIB6_NODE_MASK)
#define BUCKET_LAST   ((1ull << FIB6_BLOCK_SHIFT) - 1)
#define ROOT_LAST     ((1ull << FIB6_ROOT_SHIFT) - 1)
#define KEY_NONE      UINT64_MAX /* behind the last separator: no address is greater */
#define NONE          UINT32_MAX
#define FIRST_ENTRIES (16 * FIB6_BLOCK)
#define FIRST_NODES   1024
#define VALUES_BYTES  (FIB6_WAYS * sizeof(uint32_t))

struct interval {
	uint64_t first;
	uint32_t entry;
};

struct interval_list {
	struct interval *at;
	size_t n;
	size_t room;
};

/*
 * A bucket (of hi) or a /64 (of lo) being changed: what it was, and what it is
 * going to be up to next. Pieces come in ascending order.
 */
struct edit {
	bool open;
	uint64_t last;
	uint64_t next;
	bool full; /* next went beyond last */
	uint32_t old_entry;
	size_t old_at; /* no interval of old before it matters any more */
	struct interval_list old;
	struct interval_list new;
};

/* A generation in the making; at most one block, bucket and /64 are open. */
struct build {
	struct fib6 *fib;
	bool failed; /* no memory; nothing is made any more */

	uint32_t root; /* whose block is open, or NONE */
	uint32_t block[FIB6_BLOCK];

	uint64_t bucket; /* hi of the open one */
	struct edit high;
	uint64_t subnet; /* hi of the open /64 */
	struct edit low;
};

static uint32_t *entries(const struct fib6 *fib)
{
	return (uint32_t *)fib->entries->base;
}

static struct fib6_keys *keys(const struct fib6 *fib)
{
	return (struct fib6_keys *)fib->key_rows->base;
}

static uint32_t *values(const struct fib6 *fib)
{
	return (uint32_t *)fib->value_rows->base;
}

/* ---- appending to the arenas ---- */

static uint32_t entries_append(struct build *b, const uint32_t *list, uint32_t n)
{
	if (b->failed || !arena_reserve(&b->fib->entries, n, ENTRY_LIMIT)) {
		b->failed = true;
		return 0;
	}
	uint32_t base = (uint32_t)b->fib->entries->used;

	memcpy(entries(b->fib) + base, list, n * sizeof(*list));
	b->fib->entries->used += n;
	return base;
}

/* n nodes whose content is the caller's business. */
static uint32_t nodes_append(struct build *b, size_t n)
{
	struct fib6 *fib = b->fib;

	if (b->failed || !arena_reserve(&fib->key_rows, n, NODE_LIMIT) ||
	    !arena_reserve(&fib->value_rows, n, NODE_LIMIT)) {
		b->failed = true;
		return 0;
	}
	uint32_t first = (uint32_t)fib->key_rows->used;

	fib->key_rows->used += n;
	fib->value_rows->used += n;
	return first;
}

static void interval_add(struct build *b, struct interval_list *list, uint64_t first,
			 uint32_t entry)
{
	if (list->n > 0 && list->at[list->n - 1].entry == entry)
		return;
	if (list->n == list->room) {
		size_t room = list->room ? 2 * list->room : 256;
		struct interval *at = realloc(list->at, room * sizeof(*at));

		if (!at) {
			b->failed = true;
			return;
		}
		list->at = at;
		list->room = room;
	}
	list->at[list->n++] = (struct interval){ first, entry };
}

/* ---- trees ---- */

/* How many nodes of level lie before the first one: 0, 1, 10, 91... */
static size_t level_offset(unsigned int level)
{
	size_t offset = 0;

	while (level-- > 0)
		offset = offset * FIB6_WAYS + 1;
	return offset;
}

static unsigned int node_separators(const struct fib6_keys *node)
{
	unsigned int n = 0;

	while (n < FIB6_KEYS && node->key[n] != KEY_NONE)
		n++;
	return n;
}

/* A tree takes all nodes of its levels up to the last one in use. */
static size_t tree_nodes(const struct fib6 *fib, uint32_t tree)
{
	const struct fib6_keys *first = keys(fib) + fib6_tree_first(tree);
	size_t node = 0;

	for (unsigned int level = 1; level < fib6_tree_levels(tree); level++)
		node = node * FIB6_WAYS + 1 + node_separators(&first[node]);
	return node + 1;
}

static void tree_fill_level(struct build *b, uint32_t first, size_t span, size_t offset,
			    const struct interval_list *list)
{
	/* each way out of a node of this level leads to span intervals */
	for (size_t i = 0; i * span * FIB6_WAYS < list->n; i++) {
		struct fib6_keys *node = keys(b->fib) + first + offset + i;

		for (size_t k = 0; k < FIB6_KEYS; k++) {
			size_t next = (i * FIB6_WAYS + k + 1) * span;

			node->key[k] = next < list->n ? list->at[next].first - 1 : KEY_NONE;
		}
	}
}

/* The entry that says what list says. */
static uint32_t tree_make(struct build *b, const struct interval_list *list)
{
	unsigned int levels = 1;
	size_t leaf_nodes = (list->n + FIB6_WAYS - 1) / FIB6_WAYS;
	size_t span = 1;

	if (b->failed || list->n == 1)
		return b->failed ? 0 : list->at[0].entry;
	for (; span * FIB6_WAYS < list->n; levels++)
		span *= FIB6_WAYS;
	if (levels > FIB6_LEVEL_MAX) {
		b->failed = true;
		return 0;
	}
	size_t offset = level_offset(levels - 1);
	uint32_t first = nodes_append(b, offset + leaf_nodes);

	if (b->failed)
		return 0;
	for (unsigned int level = 0; level < levels; level++, span /= FIB6_WAYS)
		tree_fill_level(b, first, span, level_offset(level), list);
	uint32_t *value = values(b->fib) + (first + offset) * FIB6_WAYS;

	for (size_t i = 0; i < leaf_nodes * FIB6_WAYS; i++)
		value[i] = i < list->n ? list->at[i].entry : 0;
	return FIB6_TREE | (levels - 1) << FIB6_LEVEL_SHIFT | first;
}

/* Append the intervals below a node; first is where the first of them begins. */
static void tree_read_node(struct build *b, uint32_t tree, size_t node, unsigned int levels,
			   uint64_t *first, struct interval_list *list)
{
	const struct fib6_keys *row = keys(b->fib) + fib6_tree_first(tree) + node;
	const uint32_t *value = values(b->fib) + (fib6_tree_first(tree) + node) * FIB6_WAYS;

	for (unsigned int way = 0; way < FIB6_WAYS && !b->failed; way++) {
		if (levels == 1)
			interval_add(b, list, *first, value[way]);
		else
			tree_read_node(b, tree, node * FIB6_WAYS + 1 + way, levels - 1, first,
				       list);
		if (way == FIB6_KEYS || row->key[way] == KEY_NONE)
			return;
		*first = row->key[way] + 1;
	}
}

static void entry_read(struct build *b, uint32_t entry, uint64_t first, struct interval_list *list)
{
	list->n = 0;
	if (entry & FIB6_TREE)
		tree_read_node(b, entry, 0, fib6_tree_levels(entry), &first, list);
	else
		interval_add(b, list, first, entry);
}

/* ---- changing a bucket or a /64 ---- */

static void edit_open(struct build *b, struct edit *e, uint64_t first, uint64_t last,
		      uint32_t entry)
{
	e->open = true;
	e->last = last;
	e->next = first;
	e->full = false;
	e->old_entry = entry;
	e->old_at = 0;
	e->new.n = 0;
	entry_read(b, entry, first, &e->old);
}

/* What address had before. Addresses must ascend from call to call. */
static uint32_t edit_old(struct edit *e, uint64_t address)
{
	while (e->old_at + 1 < e->old.n && e->old.at[e->old_at + 1].first <= address)
		e->old_at++;
	return e->old.at[e->old_at].entry;
}

static void edit_advance(struct edit *e, uint64_t last)
{
	e->next = last + 1;
	e->full = last == e->last;
}

/* Everything from next to last stays as it was. */
static void edit_keep(struct build *b, struct edit *e, uint64_t last)
{
	if (b->failed)
		return;
	interval_add(b, &e->new, e->next, edit_old(e, e->next));
	while (e->old_at + 1 < e->old.n && e->old.at[e->old_at + 1].first <= last) {
		e->old_at++;
		interval_add(b, &e->new, e->old.at[e->old_at].first, e->old.at[e->old_at].entry);
	}
	edit_advance(e, last);
}

/* Everything before first stays as it was, if nothing was said about it yet. */
static void edit_reach(struct build *b, struct edit *e, uint64_t first)
{
	if (first > e->next)
		edit_keep(b, e, first - 1);
}

static void edit_put(struct build *b, struct edit *e, uint64_t first, uint64_t last, uint32_t entry)
{
	edit_reach(b, e, first);
	interval_add(b, &e->new, first, entry);
	edit_advance(e, last);
}

static bool same_intervals(const struct interval_list *a, const struct interval_list *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->at[i].first != b->at[i].first || a->at[i].entry != b->at[i].entry)
			return false;
	return true;
}

static uint32_t edit_close(struct build *b, struct edit *e)
{
	e->open = false;
	if (!e->full)
		edit_keep(b, e, e->last);
	if (b->failed)
		return 0;
	return same_intervals(&e->old, &e->new) ? e->old_entry : tree_make(b, &e->new);
}

/* ---- the open /64, bucket and block ---- */

static void subnet_close(struct build *b)
{
	if (!b->low.open)
		return;
	edit_put(b, &b->high, b->subnet, b->subnet, edit_close(b, &b->low));
}

/* /64s with longer prefixes in a list of a bucket's intervals. */
static uint32_t count_extensions(const struct interval_list *list)
{
	uint32_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		n += list->at[i].entry >> 31;
	return n;
}

static void bucket_close(struct build *b)
{
	subnet_close(b);
	if (!b->high.open)
		return;
	b->block[b->bucket >> FIB6_BLOCK_SHIFT & (FIB6_BLOCK - 1)] = edit_close(b, &b->high);
	b->fib->extensions += count_extensions(&b->high.new) - count_extensions(&b->high.old);
}

static void root_set_uniform(struct build *b, uint32_t root, uint32_t leaf)
{
	struct fib6_root *r = &b->fib->root[root];

	if (r->mask == 0 && entries(b->fib)[r->base] == leaf)
		return;
	/* neighbours often say the same: share */
	const struct fib6_root *before = root > 0 ? r - 1 : NULL;

	if (before && before->mask == 0 && entries(b->fib)[before->base] == leaf)
		r->base = before->base;
	else
		r->base = entries_append(b, &leaf, 1);
	r->mask = 0;
}

static bool block_is_uniform(const uint32_t *block)
{
	for (unsigned int i = 1; i < FIB6_BLOCK; i++)
		if (block[i] != block[0])
			return false;
	return !(block[0] & FIB6_TREE);
}

static void block_close(struct build *b)
{
	bucket_close(b);
	if (b->root == NONE || b->failed)
		return;
	struct fib6_root *root = &b->fib->root[b->root];

	if (block_is_uniform(b->block)) {
		root_set_uniform(b, b->root, b->block[0]);
	} else if (root->mask == 0 ||
		   memcmp(entries(b->fib) + root->base, b->block, sizeof(b->block)) != 0) {
		root->base = entries_append(b, b->block, FIB6_BLOCK);
		root->mask = FIB6_BLOCK - 1;
	}
	b->root = NONE;
}

static void block_open(struct build *b, uint32_t root)
{
	if (b->root == root)
		return;
	block_close(b);
	const struct fib6_root *r = &b->fib->root[root];

	for (unsigned int i = 0; i < FIB6_BLOCK; i++)
		b->block[i] = entries(b->fib)[r->base + (i & r->mask)];
	b->root = root;
}

static void bucket_open(struct build *b, uint64_t hi)
{
	uint64_t bucket = hi & ~BUCKET_LAST;

	if (b->high.open && b->bucket == bucket)
		return;
	bucket_close(b);
	block_open(b, (uint32_t)(hi >> FIB6_ROOT_SHIFT));
	b->bucket = bucket;
	edit_open(b, &b->high, bucket, bucket | BUCKET_LAST,
		  b->block[bucket >> FIB6_BLOCK_SHIFT & (FIB6_BLOCK - 1)]);
}

/* The extensions of an entry that is about to be overwritten as a whole. */
static void forget_extensions(struct build *b, uint32_t entry)
{
	if (!(entry & FIB6_TREE))
		return;
	entry_read(b, entry, 0, &b->high.old);
	b->fib->extensions -= count_extensions(&b->high.old);
}

static void put_root(struct build *b, uint32_t root, uint32_t leaf)
{
	const struct fib6_root *r = &b->fib->root[root];

	block_close(b);
	for (unsigned int i = 0; i <= r->mask; i++)
		forget_extensions(b, entries(b->fib)[r->base + i]);
	root_set_uniform(b, root, leaf);
}

static void put_bucket(struct build *b, uint64_t hi, uint32_t leaf)
{
	uint32_t *entry = &b->block[hi >> FIB6_BLOCK_SHIFT & (FIB6_BLOCK - 1)];

	bucket_close(b);
	block_open(b, (uint32_t)(hi >> FIB6_ROOT_SHIFT));
	forget_extensions(b, *entry);
	*entry = leaf;
}

/* ---- pieces ---- */

/* Put as much of whole /64s first..last as one root, bucket or less takes; returns the last done.
 */
static uint64_t put_some(struct build *b, uint64_t first, uint64_t last, uint32_t leaf)
{
	if ((first & ROOT_LAST) == 0 && last >= (first | ROOT_LAST)) {
		put_root(b, (uint32_t)(first >> FIB6_ROOT_SHIFT), leaf);
		return first | ROOT_LAST;
	}
	if ((first & BUCKET_LAST) == 0 && last >= (first | BUCKET_LAST)) {
		put_bucket(b, first, leaf);
		return first | BUCKET_LAST;
	}
	if (last > (first | BUCKET_LAST))
		last = first | BUCKET_LAST;
	bucket_open(b, first);
	if (!b->failed)
		edit_put(b, &b->high, first, last, leaf);
	return last;
}

static void put_subnets(struct build *b, uint64_t first, uint64_t last, uint32_t leaf)
{
	subnet_close(b);
	while (!b->failed) {
		uint64_t done = put_some(b, first, last, leaf);

		if (done == last)
			return;
		first = done + 1;
	}
}

static void put_in_subnet(struct build *b, uint64_t hi, uint64_t first, uint64_t last,
			  uint32_t leaf)
{
	if (!b->low.open || b->subnet != hi) {
		subnet_close(b);
		bucket_open(b, hi);
		edit_reach(b, &b->high, hi);
		if (b->failed)
			return;
		b->subnet = hi;
		edit_open(b, &b->low, 0, UINT64_MAX, edit_old(&b->high, hi));
	}
	if (!b->failed)
		edit_put(b, &b->low, first, last, leaf);
}

static void put(void *sink, unsigned __int128 first, unsigned __int128 last, uint32_t leaf)
{
	struct build *b = sink;
	uint64_t hi = (uint64_t)(first >> 64), lo = (uint64_t)first;
	uint64_t hi_last = (uint64_t)(last >> 64), lo_last = (uint64_t)last;

	if (b->failed)
		return;
	if (hi == hi_last && (lo != 0 || lo_last != UINT64_MAX)) {
		put_in_subnet(b, hi, lo, lo_last, leaf);
		return;
	}
	if (lo != 0)
		put_in_subnet(b, hi++, lo, UINT64_MAX, leaf);
	bool tail = lo_last != UINT64_MAX;

	if (!tail || hi < hi_last)
		put_subnets(b, hi, hi_last - tail, leaf);
	if (tail && !b->failed)
		put_in_subnet(b, hi_last, 0, lo_last, leaf);
}

/* ---- compaction ---- */

/* A copy of a tree of old, and of the trees that its values lead to. */
static uint32_t entry_copy(struct build *b, const struct fib6 *old, uint32_t entry)
{
	if (!(entry & FIB6_TREE) || b->failed)
		return entry;
	size_t n = tree_nodes(old, entry);
	size_t leaf_node = level_offset(fib6_tree_levels(entry) - 1);
	uint32_t from = fib6_tree_first(entry), to = nodes_append(b, n);

	if (b->failed)
		return 0;
	memcpy(keys(b->fib) + to, keys(old) + from, n * sizeof(struct fib6_keys));
	for (size_t i = leaf_node * FIB6_WAYS; i < n * FIB6_WAYS; i++) {
		uint32_t value = entry_copy(b, old, values(old)[from * FIB6_WAYS + i]);

		if (!b->failed)
			values(b->fib)[to * FIB6_WAYS + i] = value;
	}
	return (entry & ~FIB6_NODE_MASK) | to;
}

static void root_copy(struct build *b, const struct fib6 *old, uint32_t root)
{
	const struct fib6_root *from = &old->root[root];
	const uint32_t *entry = entries(old) + from->base;

	if (from->mask == 0) {
		b->fib->root[root].base = 0;
		root_set_uniform(b, root, entry[0]);
		return;
	}
	for (unsigned int i = 0; i < FIB6_BLOCK; i++)
		b->block[i] = entry_copy(b, old, entry[i]);
	b->fib->root[root].base = entries_append(b, b->block, FIB6_BLOCK);
}

/* The first arenas of a table, or those after stale ones. */
static bool arenas_new(struct fib6 *fib, const struct fib6 *stale)
{
	fib->entries = stale ? arena_new_after(stale->entries)
			     : arena_new(sizeof(uint32_t), FIRST_ENTRIES);
	fib->key_rows = stale ? arena_new_after(stale->key_rows)
			      : arena_new(sizeof(struct fib6_keys), FIRST_NODES);
	fib->value_rows =
		stale ? arena_new_after(stale->value_rows) : arena_new(VALUES_BYTES, FIRST_NODES);
	if (!fib->entries || !fib->key_rows || !fib->value_rows)
		return false;
	/* entry 0 is leaf 0: "no prefix matches" */
	fib->entries->used = 1;
	return true;
}

static void arenas_drop(struct fib6 *fib)
{
	arena_unref(fib->entries);
	arena_unref(fib->key_rows);
	arena_unref(fib->value_rows);
}

/* Move what the new generation, a copy of old so far, uses into arenas of its own. */
static void compact(struct build *b, const struct fib6 *old)
{
	arenas_drop(b->fib);
	b->failed = !arenas_new(b->fib, old);
	for (uint32_t i = 0; i < FIB6_ROOTS && !b->failed; i++)
		root_copy(b, old, i);
	if (b->failed)
		return;
	b->fib->entries->baseline = b->fib->entries->used;
	b->fib->key_rows->baseline = b->fib->key_rows->used;
	b->fib->value_rows->baseline = b->fib->value_rows->used;
}

/* ---- generations ---- */

static struct fib6 *fib_new(const struct fib6 *old)
{
	struct fib6 *fib = table_alloc(sizeof(*fib));

	if (!fib)
		return NULL;
	if (old) {
		memcpy(fib, old, sizeof(*fib));
		arena_ref(fib->entries);
		arena_ref(fib->key_rows);
		arena_ref(fib->value_rows);
	} else if (!arenas_new(fib, NULL)) {
		fib6_free(fib);
		return NULL;
	}
	return fib;
}

static void build(struct build *b, const struct fib6 *old, const struct prefix_key *ranges,
		  size_t n, const struct fib_source *source)
{
	b->root = NONE;
	if (old && (arena_is_stale(old->entries) || arena_is_stale(old->key_rows)))
		compact(b, old);
	for (size_t i = 0; i < n && !b->failed; i++) {
		assert(ranges[i].length <= 128);
		fib_paint(source, ranges[i], put, b);
	}
	if (!b->failed)
		block_close(b);
	free(b->high.old.at);
	free(b->high.new.at);
	free(b->low.old.at);
	free(b->low.new.at);
}

struct fib6 *fib6_apply(struct fib6 *old, const struct prefix_key *ranges, size_t n,
			const struct fib_source *source)
{
	struct build b = { .fib = fib_new(old) };
	struct prefix_key *list = fib_ranges(ranges, &n);
	size_t entries_used = old ? old->entries->used : 0;
	size_t nodes_used = old ? old->key_rows->used : 0;

	if (b.fib && list)
		build(&b, old, list, n, source);
	free(list);
	if (!b.fib || !list || b.failed) {
		fib6_free(b.fib);
		if (old) {
			/* nobody saw what was appended */
			old->entries->used = entries_used;
			old->key_rows->used = nodes_used;
			old->value_rows->used = nodes_used;
		}
		return NULL;
	}
	arena_settle(b.fib->entries);
	arena_settle(b.fib->key_rows);
	arena_settle(b.fib->value_rows);
	b.fib->entry = entries(b.fib);
	b.fib->keys = keys(b.fib);
	b.fib->value = values(b.fib);
	return b.fib;
}

void fib6_free(struct fib6 *fib)
{
	if (!fib)
		return;
	arenas_drop(fib);
	table_free(fib, sizeof(*fib));
}

static void stats_add(struct fib_stats *stats, const struct arena *arena)
{
	size_t bytes = arena->used * arena->element_bytes;

	stats->bytes += bytes;
	if (arena->references > 1)
		stats->shared_bytes += bytes;
}

void fib6_stats(const struct fib6 *fib, struct fib_stats *stats)
{
	stats->bytes = sizeof(*fib);
	stats->shared_bytes = 0;
	stats->extensions = fib->extensions;
	stats_add(stats, fib->entries);
	stats_add(stats, fib->key_rows);
	stats_add(stats, fib->value_rows);
}

/* ---- lookup ---- */

static inline unsigned int way(const struct fib6_keys *node, uint64_t half)
{
	unsigned int below = 0;

	for (unsigned int k = 0; k < FIB6_KEYS; k++)
		below += node->key[k] < half;
	return below;
}

static inline uint64_t at_least(const uint32_t *entry, unsigned int n, uint32_t bound)
{
	uint64_t set = 0;

	for (unsigned int i = 0; i < n; i++)
		set |= (uint64_t)(entry[i] >= bound) << i;
	return set;
}

void fib6_lookup(const struct fib6 *fib, const uint64_t *hi, const uint64_t *lo, uint32_t *leaf,
		 unsigned int n)
{
	switch (cpu_path()) {
	case CPU_AVX512:
		fib6_lookup_avx512(fib, hi, lo, leaf, n);
		break;
	case CPU_AVX2:
		fib6_lookup_avx2(fib, hi, lo, leaf, n);
		break;
	case CPU_SCALAR:
		fib6_lookup_burst(fib, hi, lo, leaf, n);
		break;
	}
}
