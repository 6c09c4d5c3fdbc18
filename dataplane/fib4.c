// SPDX-License-Identifier: BSD-3-Clause
/* Owns the IPv4 forwarding table: makes generations, looks up in them. */
#include "fib4.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fib_paint.h"
#include "memory.h"

#define NEIGHBOURS          64
#define NODE_ADDRESSES      (1u << FIB4_NODE_SHIFT)
#define EXTENSION_ADDRESSES 256
#define NODE_BYTES          (FIB4_NODES * sizeof(struct fib4_node))
#define BLOCK_BYTES         (FIB4_QUARTERS * sizeof(struct fib4_node))
#define INDEX_LIMIT         FIB_LEAF_MAX
#define NONE                UINT32_MAX
#define UNIFORM_SLOTS       256
#define FIRST_LEAVES        65536
#define FIRST_BLOCKS        1024

/*
 * A generation in the making. Pieces come in ascending order, so one node and
 * one extension are open at a time, spread out to a leaf a neighbour.
 */
struct build {
	struct fib4 *fib;
	bool failed; /* no memory; nothing is made any more */

	uint32_t node; /* the open one, or NONE */
	uint32_t entry[NEIGHBOURS];

	uint32_t extension; /* the open /24 (address >> 8), or NONE */
	uint32_t address[EXTENSION_ADDRESSES];

	/* where a leaf stands that nodes of a single leaf can share; NONE: not yet */
	uint32_t uniform[UNIFORM_SLOTS];
};

static uint32_t *leaves(const struct fib4 *fib)
{
	return (uint32_t *)fib->leaves->base;
}

static struct fib4_node *extension_block(const struct fib4 *fib, uint32_t entry)
{
	return (struct fib4_node *)fib->extension_blocks->base +
	       (size_t)(entry & FIB_LEAF_MAX) * FIB4_QUARTERS;
}

static unsigned int node_runs(const struct fib4_node *node)
{
	return 1 + (unsigned int)__builtin_popcountll(node->changes);
}

/* ---- appending to the arenas ---- */

static uint32_t leaves_append(struct build *b, const uint32_t *run, uint32_t n)
{
	if (!arena_reserve(&b->fib->leaves, n, INDEX_LIMIT)) {
		b->failed = true;
		return 0;
	}
	uint32_t base = (uint32_t)b->fib->leaves->used;

	memcpy(leaves(b->fib) + base, run, n * sizeof(*run));
	b->fib->leaves->used += n;
	return base;
}

static uint32_t leaves_append_uniform(struct build *b, uint32_t leaf)
{
	uint32_t *slot = &b->uniform[(leaf * 0x9e3779b1u) >> 24];

	if (*slot == NONE || leaves(b->fib)[*slot] != leaf)
		*slot = leaves_append(b, &leaf, 1);
	return *slot;
}

static uint32_t extension_append(struct build *b, const struct fib4_node *block)
{
	if (!arena_reserve(&b->fib->extension_blocks, 1, INDEX_LIMIT)) {
		b->failed = true;
		return 0;
	}
	uint32_t entry = FIB4_EXTENSION | (uint32_t)b->fib->extension_blocks->used++;

	memcpy(extension_block(b->fib, entry), block, BLOCK_BYTES);
	return entry;
}

/* ---- one /24 with longer prefixes ---- */

static void extension_spread(const struct fib4 *fib, uint32_t entry, uint32_t *address)
{
	for (uint32_t i = 0; i < EXTENSION_ADDRESSES; i++)
		address[i] = entry & FIB4_EXTENSION
				     ? leaves(fib)[fib4_index(
					       &extension_block(fib, entry)[i / NEIGHBOURS],
					       i % NEIGHBOURS)]
				     : entry;
}

/* All four quarters share one row of runs; a quarter starts in the run that it is in. */
static uint32_t extension_make(struct build *b, const uint32_t *address)
{
	struct fib4_node block[FIB4_QUARTERS] = { 0 };
	uint32_t run[EXTENSION_ADDRESSES];
	uint32_t runs = 0;

	for (uint32_t i = 0; i < EXTENSION_ADDRESSES; i++) {
		bool change = i > 0 && address[i] != address[i - 1];

		if (i == 0 || change)
			run[runs++] = address[i];
		if (i % NEIGHBOURS == 0)
			block[i / NEIGHBOURS].base = runs - 1;
		else if (change)
			block[i / NEIGHBOURS].changes |= 1ull << i % NEIGHBOURS;
	}
	if (runs == 1)
		return address[0];
	uint32_t base = leaves_append(b, run, runs);

	for (unsigned int q = 0; q < FIB4_QUARTERS; q++)
		block[q].base += base;
	return b->failed ? 0 : extension_append(b, block);
}

static void extension_close(struct build *b)
{
	if (b->extension == NONE || b->failed)
		return;
	uint32_t *entry = &b->entry[b->extension % NEIGHBOURS];
	uint32_t before[EXTENSION_ADDRESSES];

	extension_spread(b->fib, *entry, before);
	if (memcmp(before, b->address, sizeof(before)) != 0)
		*entry = extension_make(b, b->address);
	b->extension = NONE;
}

/* ---- one node ---- */

static void node_spread(const struct fib4 *fib, const struct fib4_node *node, uint32_t *entry)
{
	for (unsigned int i = 0; i < NEIGHBOURS; i++)
		entry[i] = leaves(fib)[fib4_index(node, i)];
}

static uint32_t count_extensions(const struct fib4 *fib, const struct fib4_node *node)
{
	const uint32_t *run = leaves(fib) + node->base;
	uint32_t n = 0;

	for (unsigned int i = 0; i < node_runs(node); i++)
		n += run[i] >> 31;
	return n;
}

static void node_set_uniform(struct build *b, struct fib4_node *node, uint32_t leaf)
{
	b->fib->extensions -= count_extensions(b->fib, node);
	if (node->changes == 0 && leaves(b->fib)[node->base] == leaf)
		return;
	node->base = leaves_append_uniform(b, leaf);
	node->changes = 0;
}

static void node_set(struct build *b, struct fib4_node *node, const uint32_t *entry)
{
	uint32_t run[NEIGHBOURS];
	uint32_t runs = 0;
	uint64_t changes = 0;

	for (unsigned int i = 0; i < NEIGHBOURS; i++) {
		if (i > 0 && entry[i] == entry[i - 1])
			continue;
		run[runs++] = entry[i];
		if (i > 0)
			changes |= 1ull << i;
	}
	if (runs == 1) {
		node_set_uniform(b, node, run[0]);
		return;
	}
	if (changes == node->changes &&
	    memcmp(leaves(b->fib) + node->base, run, runs * sizeof(*run)) == 0)
		return;
	b->fib->extensions -= count_extensions(b->fib, node);
	node->base = leaves_append(b, run, runs);
	node->changes = changes;
	if (!b->failed)
		b->fib->extensions += count_extensions(b->fib, node);
}

static void node_close(struct build *b)
{
	extension_close(b);
	if (b->node == NONE || b->failed)
		return;
	node_set(b, &b->fib->node[b->node], b->entry);
	b->node = NONE;
}

static void node_open(struct build *b, uint32_t node)
{
	if (b->node == node)
		return;
	node_close(b);
	node_spread(b->fib, &b->fib->node[node], b->entry);
	b->node = node;
}

static void extension_open(struct build *b, uint32_t extension)
{
	if (b->extension == extension)
		return;
	extension_close(b);
	node_open(b, extension / NEIGHBOURS);
	extension_spread(b->fib, b->entry[extension % NEIGHBOURS], b->address);
	b->extension = extension;
}

/* ---- pieces ---- */

/* Put as much of first..last as one node, /24 or extension takes; returns the last address done. */
static uint32_t put_some(struct build *b, uint32_t first, uint32_t last, uint32_t leaf)
{
	uint32_t node_last = first | (NODE_ADDRESSES - 1);
	uint32_t extension_last = first | (EXTENSION_ADDRESSES - 1);

	if (first % NODE_ADDRESSES == 0 && last >= node_last) {
		node_close(b);
		node_set_uniform(b, &b->fib->node[first >> FIB4_NODE_SHIFT], leaf);
		return node_last;
	}
	if (first % EXTENSION_ADDRESSES == 0 && last >= extension_last) {
		extension_close(b);
		node_open(b, first >> FIB4_NODE_SHIFT);
		b->entry[first / EXTENSION_ADDRESSES % NEIGHBOURS] = leaf;
		return extension_last;
	}
	if (last > extension_last)
		last = extension_last;
	extension_open(b, first / EXTENSION_ADDRESSES);
	for (uint32_t i = first % EXTENSION_ADDRESSES; i <= last % EXTENSION_ADDRESSES; i++)
		b->address[i] = leaf;
	return last;
}

static void put(void *sink, unsigned __int128 first, unsigned __int128 last, uint32_t leaf)
{
	struct build *b = sink;
	uint32_t at = (uint32_t)(first >> 96), end = (uint32_t)(last >> 96);

	while (!b->failed) {
		uint32_t done = put_some(b, at, end, leaf);

		if (done == end)
			return;
		at = done + 1;
	}
}

/* ---- compaction ---- */

static uint32_t extension_copy(struct build *b, const struct fib4 *old, uint32_t entry)
{
	const struct fib4_node *from = extension_block(old, entry);
	struct fib4_node block[FIB4_QUARTERS];
	const struct fib4_node *last = &from[FIB4_QUARTERS - 1];
	uint32_t base = leaves_append(b, leaves(old) + from->base,
				      last->base - from->base + node_runs(last));

	for (unsigned int q = 0; q < FIB4_QUARTERS; q++) {
		block[q] = from[q];
		block[q].base = base + (from[q].base - from->base);
	}
	return b->failed ? 0 : extension_append(b, block);
}

static void node_copy(struct build *b, const struct fib4 *old, struct fib4_node *node)
{
	const uint32_t *from = leaves(old) + node->base;
	uint32_t run[NEIGHBOURS];
	uint32_t runs = node_runs(node);

	if (runs == 1) {
		node->base = leaves_append_uniform(b, from[0]);
		return;
	}
	for (uint32_t i = 0; i < runs; i++)
		run[i] = from[i] & FIB4_EXTENSION ? extension_copy(b, old, from[i]) : from[i];
	if (!b->failed)
		node->base = leaves_append(b, run, runs);
}

/* Move what the new generation, a copy of old so far, uses into arenas of its own. */
static void compact(struct build *b, const struct fib4 *old)
{
	struct arena *row = arena_new_after(old->leaves);
	struct arena *blocks = arena_new_after(old->extension_blocks);

	if (!row || !blocks) {
		arena_unref(row);
		arena_unref(blocks);
		b->failed = true;
		return;
	}
	arena_unref(b->fib->leaves);
	arena_unref(b->fib->extension_blocks);
	b->fib->leaves = row;
	b->fib->extension_blocks = blocks;
	for (uint32_t i = 0; i < FIB4_NODES && !b->failed; i++)
		node_copy(b, old, &b->fib->node[i]);
	b->fib->leaves->baseline = b->fib->leaves->used;
	b->fib->extension_blocks->baseline = b->fib->extension_blocks->used;
}

/* ---- generations ---- */

static struct fib4 *fib_new(void)
{
	struct fib4 *fib = calloc(1, sizeof(*fib));

	if (!fib)
		return NULL;
	fib->node = table_alloc(NODE_BYTES);
	if (!fib->node) {
		free(fib);
		return NULL;
	}
	return fib;
}

/* Every node points at leaf 0, which is "no prefix matches". */
static struct fib4 *fib_empty(void)
{
	struct fib4 *fib = fib_new();

	if (!fib)
		return NULL;
	fib->leaves = arena_new(sizeof(uint32_t), FIRST_LEAVES);
	fib->extension_blocks = arena_new(BLOCK_BYTES, FIRST_BLOCKS);
	if (!fib->leaves || !fib->extension_blocks) {
		fib4_free(fib);
		return NULL;
	}
	fib->leaves->used = 1;
	return fib;
}

static struct fib4 *fib_copy(const struct fib4 *old)
{
	struct fib4 *fib = fib_new();

	if (!fib)
		return NULL;
	memcpy(fib->node, old->node, NODE_BYTES);
	fib->leaves = arena_ref(old->leaves);
	fib->extension_blocks = arena_ref(old->extension_blocks);
	fib->extensions = old->extensions;
	return fib;
}

static void build(struct build *b, struct fib4 *old, const struct prefix_key *ranges, size_t n,
		  const struct fib_source *source)
{
	b->node = NONE;
	b->extension = NONE;
	memset(b->uniform, 0xff, sizeof(b->uniform));
	if (old && (arena_is_stale(old->leaves) || arena_is_stale(old->extension_blocks)))
		compact(b, old);
	for (size_t i = 0; i < n && !b->failed; i++) {
		assert(ranges[i].length <= 32);
		fib_paint(source, ranges[i], put, b);
	}
	node_close(b);
}

struct fib4 *fib4_apply(struct fib4 *old, const struct prefix_key *ranges, size_t n,
			const struct fib_source *source)
{
	struct build b = { .fib = old ? fib_copy(old) : fib_empty() };
	struct prefix_key *list = fib_ranges(ranges, &n);
	size_t leaves_used = old ? old->leaves->used : 0;
	size_t blocks_used = old ? old->extension_blocks->used : 0;

	if (b.fib && list)
		build(&b, old, list, n, source);
	free(list);
	if (!b.fib || !list || b.failed) {
		fib4_free(b.fib);
		if (old) {
			/* nobody saw what was appended */
			old->leaves->used = leaves_used;
			old->extension_blocks->used = blocks_used;
		}
		return NULL;
	}
	arena_settle(b.fib->leaves);
	arena_settle(b.fib->extension_blocks);
	b.fib->leaf = leaves(b.fib);
	b.fib->extension = (const struct fib4_node *)b.fib->extension_blocks->base;
	return b.fib;
}

void fib4_free(struct fib4 *fib)
{
	if (!fib)
		return;
	arena_unref(fib->leaves);
	arena_unref(fib->extension_blocks);
	table_free(fib->node, NODE_BYTES);
	free(fib);
}

void fib4_stats(const struct fib4 *fib, struct fib_stats *stats)
{
	size_t row = fib->leaves->used * sizeof(uint32_t);
	size_t blocks = fib->extension_blocks->used * BLOCK_BYTES;

	stats->shared_bytes = (fib->leaves->references > 1 ? row : 0) +
			      (fib->extension_blocks->references > 1 ? blocks : 0);
	stats->bytes = sizeof(*fib) + NODE_BYTES + row + blocks;
	stats->extensions = fib->extensions;
}

/* ---- lookup ---- */

void fib4_lookup(const struct fib4 *fib, const uint32_t *address, uint32_t *leaf, unsigned int n)
{
	if (cpu_path() >= CPU_AVX2)
		fib4_lookup_avx2(fib, address, leaf, n);
	else
		fib4_lookup_burst(fib, address, leaf, n);
}

void fib4_ask(const struct fib4 *fib, const uint32_t *address, uint32_t *place, unsigned int n)
{
	if (cpu_path() >= CPU_AVX2)
		fib4_ask_avx2(fib, address, place, n);
	else
		fib4_ask_burst(fib, address, place, n);
}

/* Nothing in it that an instruction set makes faster, but extensions, which are few. */
void fib4_take(const struct fib4 *fib, const uint32_t *address, uint32_t *place_to_leaf,
	       unsigned int n)
{
	const uint32_t *row = fib->leaf;
	uint32_t any = 0;
	size_t i = 0;

	for (; i + 4 <= n; i += 4)
		for (size_t k = 0; k < 4; k++)
			any |= place_to_leaf[i + k] = row[place_to_leaf[i + k]];
	for (; i < n; i++)
		any |= place_to_leaf[i] = row[place_to_leaf[i]];
	if (any & FIB4_EXTENSION)
		fib4_extend_burst(fib, address, place_to_leaf, n);
}
