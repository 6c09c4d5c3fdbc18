/* SPDX-License-Identifier: BSD-3-Clause */
/* config.def as a table: what the parser reads by and documents are made from. */
#ifndef NAPD_SETTINGS_H
#define NAPD_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum object {
#define OBJECT(id, path, text) OBJECT_##id,
#include "config_rows.h"
	OBJECT_COUNT
};

enum setting_type {
	SETTING_BOOL,
	SETTING_NUMBER,
	SETTING_AUTO, /* "auto" (0) or a number */
	SETTING_RATE,
	SETTING_SIZE,
	SETTING_COUNT,
	SETTING_TEXT,
	SETTING_PATH,   /* relative to the file that names it */
	SETTING_SOCKET, /* an absolute path */
	SETTING_INCLUDE,
	SETTING_NAME, /* of a port */
	SETTING_PORT, /* the index of the port so named */
	SETTING_DEVICE,
	SETTING_MAC,
	SETTING_INTERFACE, /* address/length */
	SETTING_LINK_LOCAL,
	SETTING_ADDRESS,
	SETTING_PREFIX,
	SETTING_HOP,     /* address or address%port, into a struct config_nexthop */
	SETTING_NEXTHOP, /* the same, or a mapping */
	SETTING_LISTEN,
	SETTING_CORES,
	SETTING_WORD,      /* the number of the word */
	SETTING_WORD_TEXT, /* the word */
	SETTING_WORDS,     /* a bit for each word */
	SETTING_KIND,      /* true stores min */
	SETTING_OBJECT,
	SETTING_TYPES
};

#define SETTING_NO_FLAG SIZE_MAX

struct setting {
	enum object object;
	const char *key;
	enum setting_type type;
	bool list;
	enum object child;    /* of SETTING_OBJECT and SETTING_NEXTHOP */
	size_t offset;        /* in the struct of the object */
	size_t size;          /* of the field; of a list: of one element */
	size_t count_offset;  /* of a list */
	size_t flag_offset;   /* bool that says "is given", or SETTING_NO_FLAG */
	uint64_t min, max;    /* of a list: how many */
	const char *words;    /* "a|b|c" */
	const char *fallback; /* =literal, ~description, ! required, "" none */
	const char *text;
};

struct object_row {
	const char *path;
	const char *text;
	size_t size; /* of its struct */
	const struct setting *setting;
	size_t settings;
};

extern const struct setting settings[];
extern const size_t setting_count;

/* The rows of an object; at most SETTINGS_MAX. Any thread. */
#define SETTINGS_MAX 32
const struct object_row *object_row(enum object object);

/* What a value of this setting may be, in words: "a number in 1280..9600". Returns text. */
#define SETTING_ALLOWED_MAX 256
const char *setting_allowed(const struct setting *setting, char text[SETTING_ALLOWED_MAX]);

/* A regular expression (POSIX extended and ECMA alike) that all texts of a type match; NULL: any.
 */
const char *setting_pattern(enum setting_type type);

/* The i-th of words "a|b|c": its length, or 0 when there are no more. */
size_t words_get(const char *words, unsigned int i, const char **word);

/* A number as people write it: 10000000 -> 10M (unit 1000), 1073741824 -> 1G (unit 1024). */
const char *amount_text(uint64_t value, unsigned int unit, char text[32]);

#endif
