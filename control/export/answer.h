/* SPDX-License-Identifier: BSD-3-Clause */
/* How commands build their answers: a JSON document, and tables made from it. */
#ifndef NAPD_EXPORT_ANSWER_H
#define NAPD_EXPORT_ANSWER_H

#include <stdio.h>

#include <jansson.h>

#include "runtime.h"
#include "samples.h"
#include "show.h"

/* A command at work: its arguments, and where the text goes beside the document. */
struct asking {
	struct runtime *rt;
	int argc; /* arguments behind the command's words */
	char **argv;
	FILE *text;
	json_t *json; /* the command sets it */
	char *error;
	int status;
	const char *after;     /* where the last part of this answer ended; NULL: none before */
	char *next;            /* the command sets it when there is more; malloc */
	struct waiter *waiter; /* the command's, if it sets later */
	bool later;
	unsigned int since_s; /* --since of commands whose arguments have it; 0: not given */
	struct since *since;  /* what was counted in that time, for commands about counters */
};

typedef void (*command_fn)(struct asking *a);

#define COMMAND(words, function, arguments, writes, sentence) void function(struct asking *a);
#include "commands.def"
#undef COMMAND

/* End with an error; status 1 or 2. */
void answer_fail(struct asking *a, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The configured port of a name; else SIZE_MAX, and an error says which there are. */
size_t port_named(struct asking *a, const char *name);

/* One column of a table: a key of its rows, a heading, and how wide at least. */
struct column {
	const char *key;
	const char *heading;
	int width; /* negative: left-aligned */
	enum column_kind {
		COLUMN_TEXT,
		COLUMN_NUMBER,
		COLUMN_COUNT,
		COLUMN_BYTES,
		COLUMN_BITS
	} kind;
};

/* What is printed keeps within so many columns, where that can be. */
#define ANSWER_WIDTH 80

/* Print a text that starts in column indent, in lines of whole words, and end the line. */
void answer_wrapped(struct asking *a, const char *text, int indent);

/* Print an array of objects as a table. */
void answer_table(struct asking *a, const json_t *rows, const struct column *columns,
		  size_t column_count);
#define TABLE(a, rows, columns) \
	answer_table(a, rows, columns, sizeof(columns) / sizeof((columns)[0]))

/* For commands that take --since: above the table, how long that is. */
void answer_since(const struct asking *a);
/* Beside a count: KEY of so many a second in that time. */
void answer_rate(const struct asking *a, json_t *row, const char *key, uint64_t n);

/* 1234567 -> "1,234,567"; and bytes as people say them. Static buffers of a few calls. */
const char *answer_count(uint64_t n);
const char *answer_bytes(uint64_t n);

/* "60s", "5m", "1h", "1d", "90" as seconds, at most most; 0: no such time. */
unsigned int answer_seconds(const char *text, unsigned int most);

/* The exchange's own addresses on a port, and how they fare: an array of objects. */
json_t *answer_own_addresses(const struct runtime *rt, uint16_t port);

json_t *json_u64(uint64_t n);
json_t *json_address(const struct ip_address *address);

#endif
