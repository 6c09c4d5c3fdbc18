/* SPDX-License-Identifier: BSD-3-Clause */
/* A YAML file as a tree of nodes, each with its place. Scalars are text as written. */
#ifndef NAPD_CONFIG_YAML_H
#define NAPD_CONFIG_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "problem.h"

enum node_type { NODE_EMPTY, NODE_SCALAR, NODE_LIST, NODE_MAPPING, NODE_ALIAS };

struct node {
	enum node_type type : 8;
	bool quoted;
	bool refused; /* by the reader: the element of a list is not among its values */
	uint32_t line, column;
	uint32_t length; /* of text; or how many children */
	union {
		const char *text;          /* of a scalar */
		const struct node *child;  /* first of a list; of a mapping: key, value, key, ... */
		const struct node *target; /* of an alias */
	};
	const struct node *next; /* the following child of the same parent */
};

struct document {
	const char *name;        /* borrowed; of the file, for messages */
	const struct node *root; /* NULL: the file is empty */
	struct chunk *chunks;
	size_t nodes;
};

#define DOCUMENT_BYTES_MAX ((size_t)64 << 20)

/*
 * Read text, which borrows name and nothing of text. 0; -EINVAL: not a document we
 * read, problems say why; -ENOMEM. In every case document_release() ends it. Any thread.
 */
int document_read(struct document *document, const char *text, size_t length, const char *name,
		  struct problems *problems);
void document_release(struct document *document);

/* What an alias stands for; any other node is itself. */
static inline const struct node *node_value(const struct node *node)
{
	while (node && node->type == NODE_ALIAS)
		node = node->target;
	return node;
}

/* The value of the first such key of a mapping, or NULL. */
const struct node *node_get(const struct node *mapping, const char *key);

/* Nodes are the document's, which only its reader holds. */
static inline void node_refuse(const struct node *node)
{
	((struct node *)node)->refused = true;
}

static inline struct place node_place(const struct document *document, const struct node *node)
{
	return (struct place){ .file = document->name, .line = node->line, .column = node->column };
}

#endif
