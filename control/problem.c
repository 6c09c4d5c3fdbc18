// SPDX-License-Identifier: BSD-3-Clause
/* Collects what is wrong with the user's input and prints it in order. */
#include "problem.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The problems' own copy of a file's name; NULL without memory. */
static const char *problem_file(struct problems *ps, const char *name)
{
	char **files, *copy;

	for (size_t i = ps->file_count; name && i-- > 0;)
		if (strcmp(ps->files[i], name) == 0)
			return ps->files[i];
	copy = name ? strdup(name) : NULL;
	files = copy ? realloc(ps->files, (ps->file_count + 1) * sizeof(*files)) : NULL;
	if (!files) {
		free(copy);
		return NULL;
	}
	ps->files = files;
	files[ps->file_count++] = copy;
	return copy;
}

static void __attribute__((format(printf, 5, 0)))
problem_add(struct problems *ps, struct place place, bool warning, const char *path,
	    const char *format, va_list ap)
{
	struct problem *list;
	char *what = NULL, *text = NULL;

	ps->errors += !warning;
	if (ps->count >= PROBLEMS_MAX) {
		ps->suppressed++;
		return;
	}
	if (vasprintf(&what, format, ap) < 0)
		return;
	if (asprintf(&text, "%s%s%s", path ? path : "", path ? ": " : "", what) < 0)
		text = NULL;
	free(what);
	list = text ? realloc(ps->list, (ps->count + 1) * sizeof(*list)) : NULL;
	if (!list) {
		free(text);
		return;
	}
	ps->list = list;
	place.file = problem_file(ps, place.file);
	list[ps->count++] = (struct problem){ .place = place, .warning = warning, .text = text };
}

void problem_error(struct problems *ps, struct place place, const char *path, const char *format,
		   ...)
{
	va_list ap;

	va_start(ap, format);
	problem_add(ps, place, false, path, format, ap);
	va_end(ap);
}

void problem_warning(struct problems *ps, struct place place, const char *path, const char *format,
		     ...)
{
	va_list ap;

	va_start(ap, format);
	problem_add(ps, place, true, path, format, ap);
	va_end(ap);
}

/* Files keep the order in which they were first complained about. */
static size_t file_rank(const struct problems *ps, const char *file)
{
	size_t i;

	for (i = 0; i < ps->count; i++) {
		const char *other = ps->list[i].place.file;

		if (other == file || (other && file && strcmp(other, file) == 0))
			break;
	}
	return i;
}

static int problem_order(const struct problems *ps, const struct problem *a,
			 const struct problem *b)
{
	size_t ra = file_rank(ps, a->place.file), rb = file_rank(ps, b->place.file);

	if (ra != rb)
		return ra < rb ? -1 : 1;
	if (a->place.line != b->place.line)
		return a->place.line < b->place.line ? -1 : 1;
	if (a->place.column != b->place.column)
		return a->place.column < b->place.column ? -1 : 1;
	return 0;
}

static void problem_print(const struct problem *p)
{
	if (p->place.file)
		fprintf(stderr, "%s:", p->place.file);
	if (p->place.binary)
		fprintf(stderr, "%" PRIu64 ":", p->place.offset);
	else if (p->place.line)
		fprintf(stderr, "%u:%u:", p->place.line, p->place.column);
	fprintf(stderr, "%s%s%s\n", p->place.file ? " " : "", p->warning ? "warning: " : "",
		p->text);
}

void problems_print(const struct problems *ps)
{
	bool *done = calloc(ps->count + 1, sizeof(*done));

	for (size_t n = 0; n < ps->count; n++) {
		size_t best = ps->count;

		if (!done) { /* no memory to sort: as they came */
			problem_print(&ps->list[n]);
			continue;
		}
		for (size_t i = 0; i < ps->count; i++)
			if (!done[i] && (best == ps->count ||
					 problem_order(ps, &ps->list[i], &ps->list[best]) < 0))
				best = i;
		done[best] = true;
		problem_print(&ps->list[best]);
	}
	free(done);
	if (ps->suppressed)
		fprintf(stderr, "%zu more were not shown\n", ps->suppressed);
}

void problems_release(struct problems *ps)
{
	for (size_t i = 0; i < ps->count; i++)
		free(ps->list[i].text);
	free(ps->list);
	for (size_t i = 0; i < ps->file_count; i++)
		free(ps->files[i]);
	free(ps->files);
	*ps = (struct problems){ 0 };
}
