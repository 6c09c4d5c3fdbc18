// SPDX-License-Identifier: BSD-3-Clause
/* Reads captures through libpcap and zlib, merges them by time, writes pcap. */
#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define READ_BUFFER_BYTES  (64 * 1024)
#define WRITE_BUFFER_BYTES (32 * 1024) /* one for each of up to 4,096 ports */
#define SECOND_NS          1000000000u
/* the last moment that a pcap can say */
#define TIME_MAX_NS (UINT32_MAX * (uint64_t)SECOND_NS + (SECOND_NS - 1))

struct capture_filter {
	struct bpf_program program;
};

/* A file as plain bytes, whether it is compressed or not; hands on what a pipe has, without waiting
 * for more. */
struct stream {
	int fd;
	enum { STREAM_UNKNOWN, STREAM_PLAIN, STREAM_GZIP, STREAM_GZIP_DONE } kind;
	bool torn;          /* ended within compressed data */
	int read_errno;     /* of the read that failed */
	const char *damage; /* what is wrong with compressed data */
	uint64_t offset;    /* bytes read from fd */
	z_stream z;         /* its input is what was read and not yet used, plain or not */
	uint8_t buffer[READ_BUFFER_BYTES];
};

struct capture {
	struct stream stream;
	FILE *file; /* what libpcap reads; owned by pcap */
	pcap_t *pcap;
	const struct capture_filter *filter;
	enum capture_state state;
	uint64_t records;
	uint64_t last_ns;
	uint64_t size;
	char stdio_buffer[READ_BUFFER_BYTES];
	char error[CAPTURE_ERROR_MAX];
};

/* ---- reading ---- */

/* Read more of the file behind what is left of it. 1: there was some; 0: its end; -1: errno. */
static int stream_fill(struct stream *s)
{
	ssize_t got;

	memmove(s->buffer, s->z.next_in, s->z.avail_in);
	s->z.next_in = s->buffer;
	got = read(s->fd, s->buffer + s->z.avail_in, sizeof(s->buffer) - s->z.avail_in);
	if (got <= 0) {
		s->read_errno = got < 0 ? errno : 0;
		return got;
	}
	s->offset += got;
	s->z.avail_in += got;
	return 1;
}

static int stream_detect(struct stream *s)
{
	int rc = 1;

	s->z.next_in = s->buffer;
	while (s->z.avail_in < 2 && rc > 0)
		rc = stream_fill(s);
	if (rc < 0)
		return rc;
	s->kind = STREAM_PLAIN;
	if (s->z.avail_in < 2 || s->buffer[0] != 0x1f || s->buffer[1] != 0x8b)
		return 0;
	if (inflateInit2(&s->z, 15 + 16) != Z_OK) {
		errno = ENOMEM;
		return -1;
	}
	s->kind = STREAM_GZIP;
	return 0;
}

/* One gzip file may follow another; what else follows is no part of it. 0 or -1. */
static int stream_next_member(struct stream *s)
{
	int rc = s->z.avail_in > 0 ? 1 : stream_fill(s);

	if (rc < 0)
		return rc;
	if (rc == 0 || s->z.next_in[0] != 0x1f)
		s->kind = STREAM_GZIP_DONE;
	else
		inflateReset(&s->z);
	return 0;
}

/* As much as comes of one read or more, at most n. */
static ssize_t stream_inflate(struct stream *s, char *to, size_t n)
{
	s->z.next_out = (uint8_t *)to;
	s->z.avail_out = n;
	while (s->z.avail_out == n && s->kind == STREAM_GZIP && !s->damage) {
		int rc = s->z.avail_in > 0 ? 1 : stream_fill(s);

		s->torn = rc == 0;
		if (rc <= 0)
			return rc;
		rc = inflate(&s->z, Z_NO_FLUSH);
		if (rc == Z_STREAM_END) {
			if (stream_next_member(s) < 0)
				return -1;
		} else if (rc != Z_OK && rc != Z_BUF_ERROR) {
			s->damage = s->z.msg ? s->z.msg : zError(rc);
		}
	}
	if (s->damage && s->z.avail_out == n) { /* what came before it has been handed on */
		errno = EIO;
		return -1;
	}
	return n - s->z.avail_out;
}

static ssize_t stream_read(void *cookie, char *to, size_t n)
{
	struct stream *s = cookie;
	ssize_t got;

	if (s->kind == STREAM_UNKNOWN && stream_detect(s) < 0)
		return -1;
	if (s->kind == STREAM_GZIP)
		return stream_inflate(s, to, n);
	if (s->kind == STREAM_GZIP_DONE)
		return 0;
	if (s->z.avail_in > 0) {
		n = n < s->z.avail_in ? n : s->z.avail_in;
		memcpy(to, s->z.next_in, n);
		s->z.next_in += n;
		s->z.avail_in -= n;
		return n;
	}
	got = read(s->fd, to, n);
	s->read_errno = got < 0 ? errno : 0;
	s->offset += got > 0 ? got : 0;
	return got;
}

static int stream_close(void *cookie)
{
	struct stream *s = cookie;

	if (s->kind == STREAM_GZIP || s->kind == STREAM_GZIP_DONE)
		inflateEnd(&s->z);
	close(s->fd);
	return 0;
}

/* Make fd, which is taken, the file that libpcap reads. */
static int stream_open(struct capture *c, int fd)
{
	const cookie_io_functions_t functions = { .read = stream_read, .close = stream_close };

	c->stream.fd = fd;
	c->file = fopencookie(&c->stream, "rb", functions);
	if (!c->file) {
		close(fd);
		return -ENOMEM;
	}
	setvbuf(c->file, c->stdio_buffer, _IOFBF, sizeof(c->stdio_buffer));
	__fsetlocking(c->file, FSETLOCKING_BYCALLER);
	return 0;
}

/* Say why libpcap did not take the file as a capture. */
static void explain_open(const struct capture *c, const char *said, char *error)
{
	if (c->stream.read_errno)
		snprintf(error, CAPTURE_ERROR_MAX, "%s", strerror(c->stream.read_errno));
	else if (c->stream.damage)
		snprintf(error, CAPTURE_ERROR_MAX, "not a capture: damaged gzip data (%s)",
			 c->stream.damage);
	else if (c->stream.offset == 0 ||
		 (c->stream.kind != STREAM_PLAIN && c->stream.z.total_out == 0))
		snprintf(error, CAPTURE_ERROR_MAX, "empty, not a capture");
	else
		snprintf(error, CAPTURE_ERROR_MAX, "not a capture: %s (pcap and pcapng are read)",
			 said);
}

/* Only Ethernet can be forwarded. */
static int check_link_type(pcap_t *pcap, char *error)
{
	int type = pcap_datalink(pcap);
	const char *name = pcap_datalink_val_to_name(type);

	if (type == DLT_EN10MB)
		return 0;
	if (name)
		snprintf(error, CAPTURE_ERROR_MAX,
			 "link type %s, not Ethernet: capture on an Ethernet interface", name);
	else
		snprintf(error, CAPTURE_ERROR_MAX,
			 "link type %d, not Ethernet: capture on an Ethernet interface", type);
	return -EINVAL;
}

struct capture *capture_open_fd(int fd, char error[CAPTURE_ERROR_MAX])
{
	struct capture *c = calloc(1, sizeof(*c));
	char said[PCAP_ERRBUF_SIZE] = "";
	struct stat st;

	if (!c) {
		close(fd);
		snprintf(error, CAPTURE_ERROR_MAX, "%s", strerror(ENOMEM));
		return NULL;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		c->size = st.st_size;
	if (stream_open(c, fd) < 0) {
		snprintf(error, CAPTURE_ERROR_MAX, "%s", strerror(ENOMEM));
		goto free_capture;
	}
	c->pcap =
		pcap_fopen_offline_with_tstamp_precision(c->file, PCAP_TSTAMP_PRECISION_NANO, said);
	if (!c->pcap) {
		explain_open(c, said, error);
		goto close_stream;
	}
	if (check_link_type(c->pcap, error) < 0)
		goto close_pcap;
	return c;

close_pcap:
	pcap_close(c->pcap);
	goto free_capture;
close_stream:
	fclose(c->file);
free_capture:
	free(c);
	return NULL;
}

struct capture *capture_open(const char *path, char error[CAPTURE_ERROR_MAX])
{
	bool standard_input = strcmp(path, "-") == 0;
	int fd = standard_input ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0) {
		snprintf(error, CAPTURE_ERROR_MAX, "%s", strerror(errno));
		return NULL;
	}
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		snprintf(error, CAPTURE_ERROR_MAX, "a directory, not a capture");
		close(fd);
		return NULL;
	}
	if (standard_input && isatty(fd)) {
		snprintf(error, CAPTURE_ERROR_MAX,
			 "standard input is a terminal: pipe a capture into it");
		close(fd);
		return NULL;
	}
	return capture_open_fd(fd, error);
}

void capture_close(struct capture *c)
{
	if (!c)
		return;
	pcap_close(c->pcap);
	free(c);
}

struct capture_filter *capture_filter_compile(const char *expression, char error[CAPTURE_ERROR_MAX])
{
	struct capture_filter *filter = calloc(1, sizeof(*filter));
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, CAPTURE_SNAP_BYTES);

	if (!filter || !pcap) {
		snprintf(error, CAPTURE_ERROR_MAX, "%s", strerror(ENOMEM));
	} else if (pcap_compile(pcap, &filter->program, expression, 1, PCAP_NETMASK_UNKNOWN) < 0) {
		snprintf(error, CAPTURE_ERROR_MAX, "%s", pcap_geterr(pcap));
	} else {
		pcap_close(pcap);
		return filter;
	}
	if (pcap)
		pcap_close(pcap);
	free(filter);
	return NULL;
}

void capture_filter_free(struct capture_filter *filter)
{
	if (!filter)
		return;
	pcap_freecode(&filter->program);
	free(filter);
}

void capture_set_filter(struct capture *c, const struct capture_filter *filter)
{
	c->filter = filter;
}

/* The end of the file, or of what can be read of it. */
static void capture_stop(struct capture *c, int pcap_code)
{
	const struct stream *stream = &c->stream;
	const char *said = pcap_code == PCAP_ERROR ? pcap_geterr(c->pcap) : NULL;

	if (stream->read_errno) {
		c->state = CAPTURE_FAILED;
		snprintf(c->error, sizeof(c->error), "reading failed after %" PRIu64 " packets: %s",
			 c->records, strerror(stream->read_errno));
	} else if (stream->damage) {
		c->state = CAPTURE_MALFORMED;
		snprintf(c->error, sizeof(c->error),
			 "damaged gzip data after %" PRIu64 " packets: %s", c->records,
			 stream->damage);
	} else if (stream->torn || (said && feof(c->file))) {
		c->state = CAPTURE_TORN;
		snprintf(c->error, sizeof(c->error), "torn off after %" PRIu64 " packets%s%s",
			 c->records, said ? ": " : "", said ? said : "");
	} else if (said) {
		c->state = CAPTURE_MALFORMED;
		snprintf(c->error, sizeof(c->error), "malformed after %" PRIu64 " packets: %s",
			 c->records, said);
	} else {
		c->state = CAPTURE_END;
	}
}

/*
 * libpcap reads the 32 bits of a pcap's seconds as signed; those beyond 2038
 * come out negative. What no pcap can say (pcapng can) is brought to the
 * nearest that it can.
 */
static uint64_t record_time_ns(const struct pcap_pkthdr *header)
{
	int64_t s = header->ts.tv_sec, ns = header->ts.tv_usec;
	uint64_t time_ns;

	if (s < 0 && s >= INT32_MIN)
		s += (int64_t)UINT32_MAX + 1;
	if (s < 0)
		return 0;
	if (s > UINT32_MAX)
		return TIME_MAX_NS;
	time_ns = (uint64_t)s * SECOND_NS + (ns > 0 ? ns : 0);
	return time_ns < TIME_MAX_NS ? time_ns : TIME_MAX_NS;
}

bool capture_next(struct capture *c, struct capture_record *record)
{
	struct pcap_pkthdr *header;
	const uint8_t *data;
	uint64_t time_ns;

	while (c->state == CAPTURE_MORE) {
		int code = pcap_next_ex(c->pcap, &header, &data);

		if (code != 1) {
			capture_stop(c, code);
			break;
		}
		c->records++;
		time_ns = record_time_ns(header);
		if (time_ns > c->last_ns)
			c->last_ns = time_ns;
		if (c->filter && pcap_offline_filter(&c->filter->program, header, data) == 0)
			continue;
		record->data = data;
		record->captured_bytes = header->caplen;
		record->wire_bytes = header->len > header->caplen ? header->len : header->caplen;
		record->time_ns = c->last_ns;
		return true;
	}
	return false;
}

enum capture_state capture_state(const struct capture *c)
{
	return c->state;
}

const char *capture_error(const struct capture *c)
{
	return c->error;
}

uint64_t capture_offset(const struct capture *c)
{
	return c->stream.offset;
}

uint64_t capture_size(const struct capture *c)
{
	return c->size;
}

/* ---- merging ---- */

struct merge_input {
	struct capture *capture;
	struct capture_record record;
};

/* A heap of the inputs that have a record, the next one at its top. */
struct merge {
	struct merge_input *input;
	size_t *heap;
	size_t n;
};

static bool merge_before(const struct merge *m, size_t a, size_t b)
{
	uint64_t time_a = m->input[a].record.time_ns, time_b = m->input[b].record.time_ns;

	return time_a != time_b ? time_a < time_b : a < b;
}

static void merge_sink(struct merge *m, size_t i)
{
	for (;;) {
		size_t child = 2 * i + 1, swap;

		if (child >= m->n)
			return;
		if (child + 1 < m->n && merge_before(m, m->heap[child + 1], m->heap[child]))
			child++;
		if (!merge_before(m, m->heap[child], m->heap[i]))
			return;
		swap = m->heap[i];
		m->heap[i] = m->heap[child];
		m->heap[child] = swap;
		i = child;
	}
}

struct merge *merge_create(struct capture *const *captures, size_t n)
{
	struct merge *m = calloc(1, sizeof(*m));

	if (m) {
		m->input = calloc(n + 1, sizeof(*m->input));
		m->heap = calloc(n + 1, sizeof(*m->heap));
	}
	if (!m || !m->input || !m->heap) {
		merge_free(m);
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		m->input[i].capture = captures[i];
		if (capture_next(captures[i], &m->input[i].record))
			m->heap[m->n++] = i;
	}
	for (size_t i = m->n / 2; i-- > 0;)
		merge_sink(m, i);
	return m;
}

void merge_free(struct merge *m)
{
	if (!m)
		return;
	free(m->input);
	free(m->heap);
	free(m);
}

const struct capture_record *merge_head(const struct merge *m, size_t *capture)
{
	if (m->n == 0)
		return NULL;
	*capture = m->heap[0];
	return &m->input[m->heap[0]].record;
}

void merge_advance(struct merge *m)
{
	struct merge_input *top = &m->input[m->heap[0]];

	if (!capture_next(top->capture, &top->record))
		m->heap[0] = m->heap[--m->n];
	merge_sink(m, 0);
}

/* ---- writing ---- */

struct capture_writer {
	FILE *file;
	int error; /* negative errno of the first write that failed */
	char buffer[WRITE_BUFFER_BYTES];
};

struct pcap_file_header_ns {
	uint32_t magic;
	uint16_t version_major, version_minor;
	int32_t zone;
	uint32_t sigfigs;
	uint32_t snap_bytes;
	uint32_t link_type;
};

struct pcap_record_header {
	uint32_t seconds, nanoseconds;
	uint32_t captured_bytes, wire_bytes;
};

/*
 * What every reader of pcap skips tells napd that a file is its own. (The
 * accuracy of the timestamps, which nobody ever filled in.)
 */
static const struct pcap_file_header_ns our_header = {
	.magic = 0xa1b23c4d, /* nanoseconds */
	.version_major = 2,
	.version_minor = 4,
	.sigfigs = 'n' | 'a' << 8 | 'p' << 16 | 'd' << 24,
	.snap_bytes = CAPTURE_SNAP_BYTES,
	.link_type = DLT_EN10MB,
};

struct capture_writer *capture_writer_open(const char *path)
{
	struct capture_writer *w = malloc(sizeof(*w));

	if (!w)
		return NULL;
	w->error = 0;
	w->file = fopen(path, "wbe");
	if (!w->file) {
		free(w);
		return NULL;
	}
	setvbuf(w->file, w->buffer, _IOFBF, sizeof(w->buffer));
	__fsetlocking(w->file, FSETLOCKING_BYCALLER);
	capture_writer_add(w, &our_header, sizeof(our_header));
	return w;
}

bool capture_is_ours(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct pcap_file_header_ns header;
	bool ours;

	if (fd < 0)
		return false;
	ours = read(fd, &header, sizeof(header)) == sizeof(header) &&
	       memcmp(&header, &our_header, sizeof(header)) == 0;
	close(fd);
	return ours;
}

void capture_writer_begin(struct capture_writer *w, uint64_t time_ns, uint32_t captured_bytes,
			  uint32_t wire_bytes)
{
	const struct pcap_record_header header = {
		.seconds = time_ns / SECOND_NS,
		.nanoseconds = time_ns % SECOND_NS,
		.captured_bytes = captured_bytes,
		.wire_bytes = wire_bytes,
	};

	capture_writer_add(w, &header, sizeof(header));
}

void capture_writer_add(struct capture_writer *w, const void *data, size_t n)
{
	if (n == 0 || w->error)
		return;
	if (fwrite(data, n, 1, w->file) != 1)
		w->error = errno ? -errno : -EIO;
}

int capture_writer_error(const struct capture_writer *w)
{
	return w->error;
}

int capture_writer_close(struct capture_writer *w)
{
	int error;

	if (!w)
		return 0;
	if (fclose(w->file) != 0 && !w->error)
		w->error = errno ? -errno : -EIO;
	error = w->error;
	free(w);
	return error;
}
