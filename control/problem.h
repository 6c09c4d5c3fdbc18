/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is wrong with the user's input: collected, so that one run reports all
 * of it, each with its place and its mend.
 */
#ifndef NAPD_PROBLEM_H
#define NAPD_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where in the input. line and column count from 1; 0: not known. offset in bytes for binary files.
 */
struct place {
	const char
		*file; /* borrowed; lives as long as what names it. A problem keeps its own copy */
	uint32_t line;
	uint32_t column;
	uint64_t offset;
	bool binary; /* print offset instead of line and column */
};

struct problem {
	struct place place;
	bool warning;
	char *text; /* "ports[1].mtu: 99999 is not in 1280..9600" */
};

/* Zero-initialised is empty. One thread. */
struct problems {
	struct problem *list;
	size_t count;
	size_t errors;     /* those that are no warnings */
	size_t suppressed; /* beyond PROBLEMS_MAX */
	char **files; /* copies of the places' file names: a file that is refused is forgotten */
	size_t file_count;
};

#define PROBLEMS_MAX 1000 /* a table of a million bad lines must not fill the memory */

/* Add one; text in printf form. path may be NULL. Never fails (without memory it only counts). */
void problem_error(struct problems *ps, struct place place, const char *path, const char *format,
		   ...) __attribute__((format(printf, 4, 5)));
void problem_warning(struct problems *ps, struct place place, const char *path, const char *format,
		     ...) __attribute__((format(printf, 4, 5)));

/* Print all to stderr, a line each, in the order of their places: FILE:LINE:COLUMN: [warning: ]TEXT
 */
void problems_print(const struct problems *ps);
void problems_release(struct problems *ps);

#endif
