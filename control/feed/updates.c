// SPDX-License-Identifier: BSD-3-Clause
/* Merges files by time; of one time, the file that was named first goes first. */
#include "updates.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "../problem.h"
#include "dump.h"
#include "mrt.h"

struct input {
	struct mrt_reader *reader;
	struct mrt_record record; /* the next, unless over */
	uint64_t time_ns;         /* as it counts: never before its predecessor */
	bool over;
};

struct updates {
	struct input *input;
	size_t inputs;
	struct updates_extent extent;
};

static bool is_message(const struct mrt_record *record)
{
	enum mrt_content content = mrt_content(record);

	return content == MRT_MESSAGE || content == MRT_STATE;
}

/* The next message of a file; others are passed over. 0 or negative errno. */
static int advance(struct input *in)
{
	struct mrt_error error;
	int rc;

	do
		rc = mrt_next(in->reader, &in->record, &error);
	while (rc > 0 && !is_message(&in->record));
	in->over = rc <= 0;
	if (rc > 0 && in->record.time_ns > in->time_ns)
		in->time_ns = in->record.time_ns;
	return rc < 0 ? rc : 0;
}

static int check_record(const struct mrt_record *record, struct octets_error *wrong)
{
	struct mrt_message message;

	switch (mrt_content(record)) {
	case MRT_MESSAGE:
	case MRT_STATE:
		return mrt_message_parse(record, &message, wrong);
	case MRT_PEERS:
	case MRT_PATHS:
		return octets_wrong(wrong, record->body.at,
				    "is a record of a table, not of BGP messages (--rib loads it)");
	case MRT_UNSUPPORTED:
		return octets_wrong(wrong, record->body.at,
				    "is a record of a kind that RFC 6396 and RFC 8050 do not "
				    "describe");
	default:
		return 0;
	}
}

/* Read a file to its end. 0 or -ENOMEM. */
static int check_file(const char *path, struct updates_extent *extent, struct problems *problems)
{
	struct place place = { .file = path, .binary = true };
	struct mrt_record record;
	struct mrt_error error;
	struct octets_error wrong;
	struct mrt_reader *reader = mrt_open(path, &error);
	int rc;

	if (!reader) {
		problem_error(problems, (struct place){ .file = path }, NULL, "%s", error.text);
		return errno == ENOMEM ? -ENOMEM : 0;
	}
	while ((rc = mrt_next(reader, &record, &error)) > 0) {
		if (!check_record(&record, &wrong)) {
			if (!is_message(&record))
				continue;
			extent->messages++;
			if (record.time_ns > extent->last_ns)
				extent->last_ns = record.time_ns;
			continue;
		}
		rc = mrt_wrong(&record, &wrong, &error);
		if (wrong.at == record.body.at)
			error.offset = record.offset;
		break;
	}
	mrt_close(reader);
	place.offset = error.offset;
	if (rc < 0 && rc != -ENOMEM)
		problem_error(problems, place, NULL, "%s", error.text);
	return rc == -ENOMEM ? rc : 0;
}

struct updates *updates_open(char *const *file, size_t files, struct problems *problems)
{
	struct updates *u = calloc(1, sizeof(*u));
	const size_t errors = problems->errors;
	struct mrt_error error;
	int rc = 0;

	if (!u)
		return NULL;
	u->input = calloc(files + 1, sizeof(*u->input));
	if (!u->input)
		goto fail;
	for (size_t i = 0; !rc && i < files; i++)
		rc = check_file(file[i], &u->extent, problems);
	if (rc || problems->errors > errors)
		goto fail;
	for (size_t i = 0; i < files; i++) {
		u->input[i].reader = mrt_open(file[i], &error);
		u->inputs++;
		if (!u->input[i].reader || advance(&u->input[i])) {
			problem_error(problems, (struct place){ .file = file[i] }, NULL,
				      "changed while it was read");
			goto fail;
		}
	}
	return u;
fail:
	updates_close(u);
	return NULL;
}

void updates_close(struct updates *u)
{
	if (!u)
		return;
	for (size_t i = 0; i < u->inputs; i++)
		mrt_close(u->input[i].reader);
	free(u->input);
	free(u);
}

static struct input *earliest(const struct updates *u)
{
	struct input *first = NULL;

	for (size_t i = 0; i < u->inputs; i++)
		if (!u->input[i].over && (!first || u->input[i].time_ns < first->time_ns))
			first = &u->input[i];
	return first;
}

uint64_t updates_next_ns(const struct updates *u)
{
	const struct input *next = earliest(u);

	return next ? next->time_ns : UINT64_MAX;
}

struct updates_extent updates_extent(const struct updates *u)
{
	return u->extent;
}

long updates_apply(struct updates *u, struct model *model, uint64_t until_ns, long most)
{
	return updates_play(u, feed_dump_kept(model), until_ns, most);
}

long updates_play(struct updates *u, struct dumps *dumps, uint64_t until_ns, long most)
{
	struct mrt_message message;
	struct octets_error wrong;
	struct input *in;
	long n = 0;
	int rc = 0;

	while (n < most && (in = earliest(u)) && in->time_ns <= until_ns) {
		if (mrt_message_parse(&in->record, &message, &wrong))
			return -EINVAL; /* the file is not what it was */
		rc = feed_dump_apply(dumps, &message);
		if (!rc)
			rc = advance(in);
		if (rc)
			return rc;
		n++;
	}
	return n;
}
