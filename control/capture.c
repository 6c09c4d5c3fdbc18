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

#define READ_BUFFER_BYTES  (128 * 1024)
#define WRITE_BUFFER_BYTES (32 * 1024) /* one for each of up to 4,096 ports */
#define NS_PER_S           1000000000u
/* the last moment that a pcap can say */
#define TIME_MAX_NS (UINT32_MAX * (uint64_t)NS_PER_S + (NS_PER_S - 1))

struct capture_filter {
	struct bpf_program program;
};

struct capture {
	gzFile gz;  /* owned by file */
	FILE *file; /* what libpcap reads; owned by pcap */
	pcap_t *pcap;
	const struct capture_filter *filter;
	enum capture_state state;
	uint64_t records;
	uint64_t last_ns;
	uint64_t size;
	int read_errno; /* of the last read that failed */
	char *buffer;
	char error[CAPTURE_ERROR_MAX];
};

/* ---- reading ---- */

static ssize_t stream_read(void *cookie, char *to, size_t n)
{
	struct capture *c = cookie;
	int got = gzread(c->gz, to, n), code;

	if (got >= 0)
		return got;
	c->read_errno = errno;
	gzerror(c->gz, &code);
	if (code != Z_ERRNO)
		errno = EIO;
	return -1;
}

static int stream_close(void *cookie)
{
	struct capture *c = cookie;

	gzclose_r(c->gz);
	c->gz = NULL;
	return 0;
}

/* Make fd, which is taken, a stream of plain bytes whether it is compressed or not. */
static int stream_open(struct capture *c, int fd)
{
	const cookie_io_functions_t functions = { .read = stream_read, .close = stream_close };

	c->gz = gzdopen(fd, "rb");
	if (!c->gz) {
		close(fd);
		return -ENOMEM;
	}
	gzbuffer(c->gz, READ_BUFFER_BYTES);
	c->buffer = malloc(READ_BUFFER_BYTES);
	c->file = c->buffer ? fopencookie(c, "rb", functions) : NULL;
	if (!c->file) {
		stream_close(c);
		return -ENOMEM;
	}
	setvbuf(c->file, c->buffer, _IOFBF, READ_BUFFER_BYTES);
	__fsetlocking(c->file, FSETLOCKING_BYCALLER);
	return 0;
}

/* Say why libpcap did not take the file as a capture. */
static void explain_open(struct capture *c, const char *said, char *error)
{
	int code;
	const char *zlib_said = gzerror(c->gz, &code);

	if (code == Z_ERRNO)
		snprintf(error, CAPTURE_ERROR_MAX, "%s", strerror(c->read_errno));
	else if (code != Z_OK && code != Z_BUF_ERROR)
		snprintf(error, CAPTURE_ERROR_MAX, "not a capture: damaged gzip data (%s)",
			 zlib_said);
	else if (feof(c->file) && gztell(c->gz) == 0)
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
	free(c->buffer);
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
	free(c->buffer);
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
	int code;
	const char *zlib_said = gzerror(c->gz, &code);

	if (code == Z_ERRNO) {
		c->state = CAPTURE_FAILED;
		snprintf(c->error, sizeof(c->error), "reading failed after %" PRIu64 " packets: %s",
			 c->records, strerror(c->read_errno));
	} else if (code != Z_OK && code != Z_BUF_ERROR) {
		c->state = CAPTURE_MALFORMED;
		snprintf(c->error, sizeof(c->error),
			 "damaged gzip data after %" PRIu64 " packets: %s", c->records, zlib_said);
	} else if (code == Z_BUF_ERROR || (pcap_code == PCAP_ERROR && feof(c->file))) {
		c->state = CAPTURE_TORN;
		snprintf(c->error, sizeof(c->error), "torn off after %" PRIu64 " packets%s%s",
			 c->records, pcap_code == PCAP_ERROR ? ": " : "",
			 pcap_code == PCAP_ERROR ? pcap_geterr(c->pcap) : "");
	} else if (pcap_code == PCAP_ERROR) {
		c->state = CAPTURE_MALFORMED;
		snprintf(c->error, sizeof(c->error), "malformed after %" PRIu64 " packets: %s",
			 c->records, pcap_geterr(c->pcap));
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
	time_ns = (uint64_t)s * NS_PER_S + (ns > 0 ? ns : 0);
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

uint64_t capture_offset(struct capture *c)
{
	z_off_t offset = gzoffset(c->gz);

	return offset > 0 ? offset : 0;
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
		.seconds = time_ns / NS_PER_S,
		.nanoseconds = time_ns % NS_PER_S,
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
