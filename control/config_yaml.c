// SPDX-License-Identifier: BSD-3-Clause
/*
 * YAML into nodes, by libyaml's events. Bounds what a file may be: its depth, how many
 * nodes it comes to with all aliases followed, one document, no tags.
 */
#include "config_yaml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#define DEPTH_MAX   24
#define NODES_MAX   ((size_t)8 << 20)
#define ANCHORS_MAX 256
#define CHUNK_BYTES ((size_t)256 << 10)

/* Memory of a document: freed as a whole. */
struct chunk {
	struct chunk *next;
	size_t used, size;
	char byte[] __attribute__((aligned(8)));
};

struct anchor {
	char *name;
	const struct node *node;
	size_t weight; /* nodes in it, aliases followed */
};

/* A list or mapping whose end has not come. */
struct level {
	struct node *node;
	struct node *last; /* child */
	size_t weight;
	char *anchor;
};

struct builder {
	struct document *document;
	struct problems *problems;
	struct level level[DEPTH_MAX + 1]; /* [0] stands for the document */
	unsigned int depth;
	struct anchor anchor[ANCHORS_MAX];
	unsigned int anchors;
};

static void *document_alloc(struct document *document, size_t size)
{
	struct chunk *chunk = document->chunks;
	void *memory;

	size = (size + 7) & ~(size_t)7;
	if (!chunk || chunk->size - chunk->used < size) {
		size_t room = size > CHUNK_BYTES ? size : CHUNK_BYTES;

		chunk = malloc(sizeof(*chunk) + room);
		if (!chunk)
			return NULL;
		*chunk = (struct chunk){ .next = document->chunks, .size = room };
		document->chunks = chunk;
	}
	memory = chunk->byte + chunk->used;
	chunk->used += size;
	return memory;
}

void document_release(struct document *document)
{
	while (document->chunks) {
		struct chunk *next = document->chunks->next;

		free(document->chunks);
		document->chunks = next;
	}
	document->root = NULL;
}

const struct node *node_get(const struct node *mapping, const char *key)
{
	mapping = node_value(mapping);
	if (!mapping || mapping->type != NODE_MAPPING)
		return NULL;
	for (const struct node *k = mapping->child; k; k = k->next->next) {
		const struct node *name = node_value(k);

		if (name->type == NODE_SCALAR && strcmp(name->text, key) == 0)
			return node_value(k->next);
	}
	return NULL;
}

static struct place mark_place(const struct builder *b, const yaml_mark_t *mark)
{
	return (struct place){ .file = b->document->name,
			       .line = (uint32_t)mark->line + 1,
			       .column = (uint32_t)mark->column + 1 };
}

/* Says why the document is refused; returns -EINVAL. */
#define refuse(b, event, ...)                                                                  \
	(problem_error((b)->problems, mark_place(b, &(event)->start_mark), NULL, __VA_ARGS__), \
	 -EINVAL)

/* Hang a new node into the open list or mapping. Returns NULL without memory. */
static struct node *node_add(struct builder *b, enum node_type type, const yaml_mark_t *mark)
{
	struct level *level = &b->level[b->depth];
	struct node *node = document_alloc(b->document, sizeof(*node));

	if (!node)
		return NULL;
	*node = (struct node){ .type = type,
			       .line = (uint32_t)mark->line + 1,
			       .column = (uint32_t)mark->column + 1 };
	if (level->last)
		level->last->next = node;
	else if (level->node)
		level->node->child = node;
	else
		b->document->root = node;
	level->last = node;
	if (level->node)
		level->node->length++;
	level->weight++;
	return node;
}

/* A name that is used again stands for the newer node from there on (YAML 1.1, 7.1). Takes name. */
static int anchor_add(struct builder *b, char *name, const struct node *node, size_t weight)
{
	unsigned int i;

	for (i = 0; i < b->anchors && strcmp(b->anchor[i].name, name) != 0; i++)
		;
	if (i == ANCHORS_MAX) {
		free(name);
		return -E2BIG;
	}
	if (i < b->anchors)
		free(b->anchor[i].name);
	else
		b->anchors++;
	b->anchor[i] = (struct anchor){ .name = name, .node = node, .weight = weight };
	return 0;
}

static int scalar_read(struct builder *b, yaml_event_t *event)
{
	size_t length = event->data.scalar.length;
	struct node *node = node_add(b, NODE_SCALAR, &event->start_mark);
	char *text = node ? document_alloc(b->document, length + 1) : NULL;

	if (!text)
		return -ENOMEM;
	if (memchr(event->data.scalar.value, 0, length))
		return refuse(b, event, "a NUL character in text");
	memcpy(text, event->data.scalar.value, length);
	text[length] = 0;
	node->text = text;
	node->length = (uint32_t)length;
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	if (length == 0 && !node->quoted)
		node->type = NODE_EMPTY;
	if (event->data.scalar.anchor) {
		char *name = strdup((char *)event->data.scalar.anchor);

		if (!name)
			return -ENOMEM;
		if (anchor_add(b, name, node, 1) < 0)
			return refuse(b, event, "more than %d anchors", ANCHORS_MAX);
	}
	return 0;
}

static int alias_read(struct builder *b, yaml_event_t *event)
{
	const char *name = (char *)event->data.alias.anchor;
	struct level *level = &b->level[b->depth];
	struct node *node;
	unsigned int i;

	for (i = 0; i < b->anchors && strcmp(b->anchor[i].name, name) != 0; i++)
		;
	if (i == b->anchors)
		return refuse(b, event, "*%s: no such anchor above, or this stands inside it",
			      name);
	node = node_add(b, NODE_ALIAS, &event->start_mark);
	if (!node)
		return -ENOMEM;
	node->target = b->anchor[i].node;
	level->weight += b->anchor[i].weight;
	if (level->weight > NODES_MAX)
		return refuse(b, event, "*%s: the aliases make more than %zu values", name,
			      NODES_MAX);
	return 0;
}

static int level_open(struct builder *b, yaml_event_t *event, enum node_type type,
		      const yaml_char_t *anchor)
{
	struct node *node;

	if (b->depth == DEPTH_MAX)
		return refuse(b, event, "more than %d levels deep", DEPTH_MAX);
	node = node_add(b, type, &event->start_mark);
	if (!node)
		return -ENOMEM;
	b->level[++b->depth] = (struct level){ .node = node };
	if (anchor) {
		b->level[b->depth].anchor = strdup((const char *)anchor);
		if (!b->level[b->depth].anchor)
			return -ENOMEM;
	}
	return 0;
}

static int level_close(struct builder *b, yaml_event_t *event)
{
	struct level *level = &b->level[b->depth--];
	char *anchor = level->anchor;

	level->anchor = NULL;
	b->level[b->depth].weight += level->weight;
	if (b->level[b->depth].weight > NODES_MAX) {
		free(anchor);
		return refuse(b, event, "more than %zu values", NODES_MAX);
	}
	if (anchor && anchor_add(b, anchor, level->node, level->weight + 1) < 0)
		return refuse(b, event, "more than %d anchors", ANCHORS_MAX);
	return 0;
}

static const yaml_char_t *event_tag(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return event->data.scalar.tag;
	case YAML_SEQUENCE_START_EVENT:
		return event->data.sequence_start.tag;
	case YAML_MAPPING_START_EVENT:
		return event->data.mapping_start.tag;
	default:
		return NULL;
	}
}

static int event_read(struct builder *b, yaml_event_t *event)
{
	const yaml_char_t *tag = event_tag(event);

	if (tag)
		return refuse(b, event, "the tag %.40s: tags are not supported, leave it out",
			      (const char *)tag);
	if (b->document->nodes++ == NODES_MAX)
		return refuse(b, event, "more than %zu values", NODES_MAX);
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (b->document->root)
			return refuse(b, event, "a second document begins; a file holds one");
		return 0;
	case YAML_SCALAR_EVENT:
		return scalar_read(b, event);
	case YAML_ALIAS_EVENT:
		return alias_read(b, event);
	case YAML_SEQUENCE_START_EVENT:
		return level_open(b, event, NODE_LIST, event->data.sequence_start.anchor);
	case YAML_MAPPING_START_EVENT:
		return level_open(b, event, NODE_MAPPING, event->data.mapping_start.anchor);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return level_close(b, event);
	default: /* starts and ends of stream and document */
		return 0;
	}
}

/* libyaml gives the offset of bytes that are no text, but not their place. */
static struct place offset_place(const char *text, size_t offset, const char *name)
{
	struct place place = { .file = name, .line = 1, .column = 1 };

	for (size_t i = 0; i < offset; i++) {
		if (text[i] == '\n') {
			place.line++;
			place.column = 1;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) {
			place.column++;
		}
	}
	return place;
}

static int parser_failed(struct builder *b, const yaml_parser_t *p, const char *text, size_t length)
{
	const char *what = p->problem ? p->problem : "cannot be read";

	if (p->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	if (p->error == YAML_READER_ERROR) {
		size_t offset = p->problem_offset < length ? p->problem_offset : length;

		problem_error(b->problems, offset_place(text, offset, b->document->name), NULL,
			      "not text in UTF-8: %s (0x%02x)", what,
			      (unsigned int)p->problem_value);
	} else if (p->context) {
		problem_error(b->problems, mark_place(b, &p->problem_mark), NULL,
			      "not YAML: %s (%s from %zu:%zu)", what, p->context,
			      p->context_mark.line + 1, p->context_mark.column + 1);
	} else {
		problem_error(b->problems, mark_place(b, &p->problem_mark), NULL, "not YAML: %s",
			      what);
	}
	return -EINVAL;
}

static int events_read(struct builder *b, yaml_parser_t *parser, const char *text, size_t length)
{
	bool more = true;
	int rc = 0;

	while (rc == 0 && more) {
		yaml_event_t event;

		if (!yaml_parser_parse(parser, &event))
			return parser_failed(b, parser, text, length);
		more = event.type != YAML_STREAM_END_EVENT;
		rc = event_read(b, &event);
		yaml_event_delete(&event);
	}
	return rc;
}

static void builder_free(struct builder *b)
{
	for (unsigned int i = 0; i < b->anchors; i++)
		free(b->anchor[i].name);
	for (unsigned int i = 0; i <= DEPTH_MAX; i++)
		free(b->level[i].anchor);
	free(b);
}

int document_read(struct document *document, const char *text, size_t length, const char *name,
		  struct problems *problems)
{
	yaml_parser_t parser;
	struct builder *b;
	int rc;

	*document = (struct document){ .name = name };
	if (length > DOCUMENT_BYTES_MAX) {
		problem_error(problems, (struct place){ .file = name }, NULL, "longer than %zu MiB",
			      DOCUMENT_BYTES_MAX >> 20);
		return -EINVAL;
	}
	if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* byte order mark */
		text += 3;
		length -= 3;
	}
	b = calloc(1, sizeof(*b));
	if (!b)
		return -ENOMEM;
	b->document = document;
	b->problems = problems;
	if (!yaml_parser_initialize(&parser)) {
		builder_free(b);
		return -ENOMEM;
	}
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
	rc = events_read(b, &parser, text, length);
	yaml_parser_delete(&parser);
	builder_free(b);
	return rc;
}
