// SPDX-License-Identifier: BSD-3-Clause
/*
 * Fuzz target: any bytes as a capture file, plain or gzip.
 *
 * It is merged with a copy of itself: times must not go back, lengths must be
 * those of a frame, both must say the same. What was read is written, and must
 * be read back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture.h"

#define RECORDS_MAX 2000 /* a small compressed file may hold millions */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What one reader saw. */
struct seen {
	uint64_t records, hash;
};

static void must(int holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

static void hash_bytes(struct seen *seen, const void *data, size_t n)
{
	const uint8_t *byte = data;

	for (size_t i = 0; i < n; i++)
		seen->hash = (seen->hash ^ byte[i]) * 0x100000001b3;
}

static void see(struct seen *seen, const struct capture_record *record)
{
	seen->records++;
	hash_bytes(seen, &record->time_ns, sizeof(record->time_ns));
	hash_bytes(seen, &record->captured_bytes, sizeof(record->captured_bytes));
	hash_bytes(seen, &record->wire_bytes, sizeof(record->wire_bytes));
	hash_bytes(seen, record->data, record->captured_bytes);
}

static struct capture *open_bytes(const uint8_t *data, size_t size)
{
	char error[CAPTURE_ERROR_MAX] = "";
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct capture *c;

	must(fd >= 0 && write(fd, data, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0,
	     "a file in memory");
	c = capture_open_fd(fd, error);
	must(c || strlen(error) > 3, "a refusal says why");
	return c;
}

/* Read both to their ends; write the first to path. */
static void read_both(struct capture *const both[2], const char *path, struct seen seen[2])
{
	struct merge *m = merge_create(both, 2);
	struct capture_writer *w = capture_writer_open(path);
	const struct capture_record *record;
	uint64_t last_ns = 0;
	size_t i = 0;

	must(m && w, "memory");
	while ((record = merge_head(m, &i)) != NULL && seen[1].records < RECORDS_MAX) {
		must(record->time_ns >= last_ns, "time does not go back");
		must(record->captured_bytes <= CAPTURE_SNAP_BYTES, "a record has its limit");
		must(record->captured_bytes <= record->wire_bytes, "what was seen was on the wire");
		last_ns = record->time_ns;
		see(&seen[i], record);
		if (i == 0) {
			capture_writer_begin(w, record->time_ns, record->captured_bytes,
					     record->wire_bytes);
			capture_writer_add(w, record->data, record->captured_bytes);
		}
		merge_advance(m);
	}
	must(record || memcmp(&seen[0], &seen[1], sizeof(seen[0])) == 0, "copies are equal");
	must(capture_writer_close(w) == 0, "writing works");
	merge_free(m);
}

static void read_back(const char *path, const struct seen *written)
{
	char error[CAPTURE_ERROR_MAX];
	struct capture *c = capture_open(path, error);
	struct capture_record record;
	struct seen seen = { 0 };

	must(c && capture_is_ours(path), "what was written is a capture");
	while (capture_next(c, &record))
		see(&seen, &record);
	must(capture_state(c) == CAPTURE_END, "what was written is whole");
	must(memcmp(&seen, written, sizeof(seen)) == 0, "what was written is what was read");
	capture_close(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct capture *both[2] = { open_bytes(data, size), open_bytes(data, size) };
	struct seen seen[2] = { 0 };
	char path[64];
	int fd;

	must(!both[0] == !both[1], "two readers agree");
	if (!both[0])
		return 0;
	fd = memfd_create("written", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	read_both(both, path, seen);
	read_back(path, &seen[0]);
	close(fd);
	for (int i = 0; i < 2; i++) {
		enum capture_state state = capture_state(both[i]);

		must(state <= CAPTURE_END || strlen(capture_error(both[i])) > 3,
		     "a bad end says why");
		capture_close(both[i]);
	}
	return 0;
}
