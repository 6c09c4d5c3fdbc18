/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tables.file: routes as text, plain or gzip, one a line:
 * PREFIX via A[,B...] | blackhole | unreachable | prohibit
 */
#ifndef NAPD_FEED_FILE_H
#define NAPD_FEED_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "config.h"

struct model;
struct problems;

#define TABLE_LINE_MAX 8192
#define TABLE_HOPS_MAX 64

/* A next hop as written. */
struct table_hop {
	struct ip_address address;
	const char *port; /* of a link-local one, inside the line; else NULL */
	const char *text; /* all of it, inside the line */
	uint32_t column;  /* from 1 */
};

/* What a line says. */
struct table_line {
	bool empty; /* nothing, or a comment */
	struct ip_prefix prefix;
	uint32_t column; /* of the prefix */
	enum config_route_kind kind;
	struct table_hop via[TABLE_HOPS_MAX];
	size_t via_count;
};

/* What is wrong with it. */
struct table_error {
	uint32_t column;
	char text[128];
};

/*
 * Parse a line of length bytes, without its newline; line[length] is writable.
 * Overwrites line, which the result points into. 0, or -EINVAL with error
 * filled in. Pure.
 */
int table_line_parse(char *line, size_t length, struct table_line *result,
		     struct table_error *error);

/*
 * Load a file's routes into the model; every error goes to problems with its
 * place. path lives as long as problems. 0 or -ENOMEM.
 */
int feed_file_load(struct model *model, const char *path, struct problems *problems);

#endif
