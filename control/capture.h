/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Capture files: pcap and pcapng in, plain or gzip, merged by time; nanosecond
 * pcap out.
 */
#ifndef NAPD_CAPTURE_H
#define NAPD_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CAPTURE_ERROR_MAX  512
#define CAPTURE_SNAP_BYTES 262144 /* no record holds more; libpcap's own limit */

/* A frame as a capture holds it. */
struct capture_record {
	const uint8_t *data;     /* borrowed until the capture's next record is read */
	uint32_t captured_bytes; /* at most CAPTURE_SNAP_BYTES */
	uint32_t wire_bytes;     /* never less than captured_bytes */
	uint64_t time_ns;        /* since 1970, never less than that of the record before */
};

/* Why a capture gives no more records. */
enum capture_state {
	CAPTURE_MORE,      /* it may give more */
	CAPTURE_END,       /* it was whole */
	CAPTURE_TORN,      /* it stops in the middle of a record */
	CAPTURE_MALFORMED, /* what follows is no capture */
	CAPTURE_FAILED,    /* reading failed */
};

struct capture;
struct capture_filter;

/*
 * Open a capture of Ethernet frames; "-" is standard input. Whether it is
 * compressed is seen from its contents. Returns to the caller, or NULL with a
 * sentence in error that does not name the file. Any thread, one at a time.
 */
struct capture *capture_open(const char *path, char error[CAPTURE_ERROR_MAX]);
/* The same from an open file, which is taken in any case. */
struct capture *capture_open_fd(int fd, char error[CAPTURE_ERROR_MAX]);
/* NULL is allowed. */
void capture_close(struct capture *c);

/*
 * A pcap-filter(7) expression; frames that do not match are passed over.
 * Returns to the caller, or NULL with a sentence in error.
 */
struct capture_filter *capture_filter_compile(const char *expression,
					      char error[CAPTURE_ERROR_MAX]);
void capture_filter_free(struct capture_filter *filter);
/* Borrows filter for the capture's life; NULL: every frame. */
void capture_set_filter(struct capture *c, const struct capture_filter *filter);

/* Read the next record. false: there is none; capture_state() says why. */
bool capture_next(struct capture *c, struct capture_record *record);

enum capture_state capture_state(const struct capture *c);
/* What is wrong, once the state is beyond CAPTURE_END; a sentence without the file's name. */
const char *capture_error(const struct capture *c);

/* How far the file was read, compressed as it is, and its size; 0 for a size not known (a pipe). */
uint64_t capture_offset(const struct capture *c);
uint64_t capture_size(const struct capture *c);

/* ---- several captures as one, in the order of time; equal times in the order of the array ---- */

struct merge;

/* Borrows the captures for its life (and copies the array). NULL: no memory. */
struct merge *merge_create(struct capture *const *captures, size_t n);
void merge_free(struct merge *m);

/* The next record and the number of its capture; NULL: all are at their end. Borrowed until
 * merge_advance(), which moves past it. */
const struct capture_record *merge_head(const struct merge *m, size_t *capture);
void merge_advance(struct merge *m);

/* ---- writing ---- */

struct capture_writer;

/*
 * Create a nanosecond pcap of Ethernet frames at path, in place of what was
 * there. Returns to the caller, or NULL with errno.
 */
struct capture_writer *capture_writer_open(const char *path);

/*
 * Start a record of captured_bytes, whose contents follow by
 * capture_writer_add() in pieces. Errors are kept and told by
 * capture_writer_error() and capture_writer_close().
 */
void capture_writer_begin(struct capture_writer *w, uint64_t time_ns, uint32_t captured_bytes,
			  uint32_t wire_bytes);
void capture_writer_add(struct capture_writer *w, const void *data, size_t n);

/* Whether path is a file that a capture writer wrote. */
bool capture_is_ours(const char *path);

/* 0, or the negative errno of the first write that failed. */
int capture_writer_error(const struct capture_writer *w);
/* Write out what is left and close. Takes w; NULL is allowed. 0 or the first negative errno. */
int capture_writer_close(struct capture_writer *w);

#endif
