// SPDX-License-Identifier: BSD-3-Clause
/* Captures: every kind of file, the rule of times, merging, tears, and what is written. */
#include "test.h"

#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

/* A file being composed in memory, in either byte order. */
struct file {
	uint8_t bytes[8192];
	size_t n;
	bool swapped;
};

static void put(struct file *f, uint32_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		f->bytes[f->n + (f->swapped ? bytes - 1 - i : i)] = value >> (8 * i);
	f->n += bytes;
}

static void put_header(struct file *f, uint32_t magic, uint32_t link_type)
{
	put(f, magic, 4);
	put(f, 2, 2);
	put(f, 4, 2);
	put(f, 0, 4);
	put(f, 0, 4);
	put(f, 262144, 4);
	put(f, link_type, 4);
}

/* A record of n bytes, each of them tag. */
static void put_record(struct file *f, uint32_t seconds, uint32_t fraction, uint8_t tag, uint32_t n,
		       uint32_t wire_bytes)
{
	put(f, seconds, 4);
	put(f, fraction, 4);
	put(f, n, 4);
	put(f, wire_bytes, 4);
	memset(f->bytes + f->n, tag, n);
	f->n += n;
}

static void put_pcapng_header(struct file *f, uint32_t link_type)
{
	put(f, 0x0a0d0d0a, 4); /* section header */
	put(f, 28, 4);
	put(f, 0x1a2b3c4d, 4);
	put(f, 1, 2);
	put(f, 0, 2);
	put(f, 0xffffffff, 4);
	put(f, 0xffffffff, 4);
	put(f, 28, 4);
	put(f, 1, 4); /* interface with nanoseconds */
	put(f, 32, 4);
	put(f, link_type, 2);
	put(f, 0, 2);
	put(f, 262144, 4);
	put(f, 9, 2); /* if_tsresol */
	put(f, 1, 2);
	f->bytes[f->n] = 9;
	memset(f->bytes + f->n + 1, 0, 3);
	f->n += 4;
	put(f, 0, 4); /* end of options */
	put(f, 32, 4);
}

static void put_pcapng_record(struct file *f, uint64_t time_ns, uint8_t tag, uint32_t n)
{
	uint32_t padded = (n + 3) & ~3u;

	put(f, 6, 4);
	put(f, 32 + padded, 4);
	put(f, 0, 4);
	put(f, time_ns >> 32, 4);
	put(f, (uint32_t)time_ns, 4);
	put(f, n, 4);
	put(f, n, 4);
	memset(f->bytes + f->n, tag, padded);
	f->n += padded;
	put(f, 32 + padded, 4);
}

static int memory_fd(const void *bytes, size_t n)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static struct capture *open_file(const struct file *f)
{
	char error[CAPTURE_ERROR_MAX] = "";
	struct capture *c = capture_open_fd(memory_fd(f->bytes, f->n), error);

	if (!c)
		fail_msg("%s", error);
	return c;
}

static void expect_refused(const struct file *f, const char *sentence)
{
	char error[CAPTURE_ERROR_MAX] = "";

	assert_null(capture_open_fd(memory_fd(f->bytes, f->n), error));
	if (!strstr(error, sentence))
		fail_msg("'%s' does not say '%s'", error, sentence);
}

static void expect_record(struct capture *c, uint64_t time_ns, uint8_t tag, uint32_t captured_bytes,
			  uint32_t wire_bytes)
{
	struct capture_record r;

	assert_true(capture_next(c, &r));
	assert_int_equal(r.time_ns, time_ns);
	assert_int_equal(r.captured_bytes, captured_bytes);
	assert_int_equal(r.wire_bytes, wire_bytes);
	if (captured_bytes > 0) {
		assert_int_equal(r.data[0], tag);
		assert_int_equal(r.data[captured_bytes - 1], tag);
	}
}

static void expect_end(struct capture *c, enum capture_state state, const char *sentence)
{
	struct capture_record r;

	assert_false(capture_next(c, &r));
	assert_int_equal(capture_state(c), state);
	if (sentence && !strstr(capture_error(c), sentence))
		fail_msg("'%s' does not say '%s'", capture_error(c), sentence);
	assert_false(capture_next(c, &r));
	capture_close(c);
}

static void pcap_of_both_resolutions_and_byte_orders(void **state)
{
	(void)state;
	for (int swapped = 0; swapped < 2; swapped++) {
		struct file us = { .swapped = swapped }, ns = { .swapped = swapped };
		struct capture *c;

		put_header(&us, 0xa1b2c3d4, 1);
		put_record(&us, 1700000000, 123456, 7, 60, 60);
		c = open_file(&us);
		expect_record(c, 1700000000123456000, 7, 60, 60);
		expect_end(c, CAPTURE_END, NULL);
		put_header(&ns, 0xa1b23c4d, 1);
		put_record(&ns, 1700000000, 123456789, 8, 61, 1500);
		c = open_file(&ns);
		expect_record(c, 1700000000123456789, 8, 61, 1500);
		expect_end(c, CAPTURE_END, NULL);
	}
}

static void pcapng_of_both_byte_orders(void **state)
{
	(void)state;
	for (int swapped = 0; swapped < 2; swapped++) {
		struct file f = { .swapped = swapped };
		struct capture *c;

		put_pcapng_header(&f, 1);
		put_pcapng_record(&f, 1700000000123456789, 3, 61);
		put_pcapng_record(&f, 1700000000123456790, 4, 14);
		c = open_file(&f);
		expect_record(c, 1700000000123456789, 3, 61, 61);
		expect_record(c, 1700000000123456790, 4, 14, 14);
		expect_end(c, CAPTURE_END, NULL);
	}
}

static void time_never_goes_back(void **state)
{
	struct file f = { 0 };
	struct capture *c;

	(void)state;
	put_header(&f, 0xa1b23c4d, 1);
	put_record(&f, 10, 5, 1, 60, 60);
	put_record(&f, 9, 999999999, 2, 60, 60);
	put_record(&f, 10, 4, 3, 60, 60);
	put_record(&f, 10, 6, 4, 60, 60);
	c = open_file(&f);
	expect_record(c, 10000000005, 1, 60, 60);
	expect_record(c, 10000000005, 2, 60, 60);
	expect_record(c, 10000000005, 3, 60, 60);
	expect_record(c, 10000000006, 4, 60, 60);
	expect_end(c, CAPTURE_END, NULL);
}

static void times_beyond_2038_are_kept(void **state)
{
	struct file f = { 0 };
	struct capture *c;

	(void)state;
	put_header(&f, 0xa1b23c4d, 1);
	put_record(&f, 0x7fffffff, 1, 1, 60, 60);
	put_record(&f, 0x80000000, 2, 2, 60, 60);
	put_record(&f, 0xffffffff, 999999999, 3, 60, 60);
	c = open_file(&f);
	expect_record(c, 2147483647000000001, 1, 60, 60);
	expect_record(c, 2147483648000000002, 2, 60, 60);
	expect_record(c, 4294967295999999999u, 3, 60, 60);
	expect_end(c, CAPTURE_END, NULL);
}

static void wire_length_below_the_captured_is_not_believed(void **state)
{
	struct file f = { 0 };
	struct capture *c;

	(void)state;
	put_header(&f, 0xa1b23c4d, 1);
	put_record(&f, 1, 0, 1, 60, 4);
	put_record(&f, 1, 0, 1, 0, 0);
	put_record(&f, 1, 0, 1, 0, 100);
	c = open_file(&f);
	expect_record(c, 1000000000, 1, 60, 60);
	expect_record(c, 1000000000, 1, 0, 0);
	expect_record(c, 1000000000, 1, 0, 100);
	expect_end(c, CAPTURE_END, NULL);
}

/* flush Z_FINISH: the whole; Z_SYNC_FLUSH: as if the writer was killed after its last packet. */
static size_t gzip(const struct file *f, uint8_t *out, size_t room, int flush)
{
	z_stream z = { .next_in = (uint8_t *)f->bytes, .avail_in = f->n };

	z.next_out = out;
	z.avail_out = room;
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, flush), flush == Z_FINISH ? Z_STREAM_END : Z_OK);
	deflateEnd(&z);
	return room - z.avail_out;
}

static void gzip_is_seen_from_the_contents(void **state)
{
	char error[CAPTURE_ERROR_MAX];
	uint8_t packed[16384];
	struct file f = { 0 };
	struct capture *c;
	size_t n;

	(void)state;
	put_header(&f, 0xa1b23c4d, 1);
	put_record(&f, 1, 0, 1, 60, 60);
	for (uint32_t i = 0; i < 64; i++)
		put_record(&f, 2 + i, i * 7919, i * 37, 17 + i % 5, 60);
	n = gzip(&f, packed, sizeof(packed), Z_FINISH);

	c = capture_open_fd(memory_fd(packed, n), error);
	assert_non_null(c);
	assert_int_equal(capture_size(c), n);
	expect_record(c, 1000000000, 1, 60, 60);
	for (uint32_t i = 0; i < 64; i++)
		expect_record(c, (2 + i) * 1000000000ull + i * 7919, i * 37, 17 + i % 5, 60);
	assert_int_equal(capture_offset(c), n);
	expect_end(c, CAPTURE_END, NULL);

	/* torn gzip gives what is there; damaged gzip is malformed */
	c = capture_open_fd(memory_fd(packed, n / 2), error);
	assert_non_null(c);
	expect_record(c, 1000000000, 1, 60, 60);
	for (struct capture_record r; capture_next(c, &r);)
		assert_true(r.time_ns > 1000000000);
	expect_end(c, CAPTURE_TORN, "torn off after ");
	c = capture_open_fd(memory_fd(packed, gzip(&f, packed, sizeof(packed), Z_SYNC_FLUSH)),
			    error);
	for (struct capture_record r; capture_next(c, &r);)
		assert_true(r.time_ns >= 1000000000);
	expect_end(c, CAPTURE_TORN, "torn off after 65 packets");
	n = gzip(&f, packed, sizeof(packed), Z_FINISH);
	packed[n - 8] ^= 1; /* the checksum */
	c = capture_open_fd(memory_fd(packed, n), error);
	assert_non_null(c);
	for (struct capture_record r; capture_next(c, &r);)
		assert_true(r.time_ns >= 1000000000);
	expect_end(c, CAPTURE_MALFORMED, "damaged gzip data after 65 packets");
}

/* gzip a b > ab.gz; some tapes and disks pad what they hold with zeros. */
static void gzip_files_in_a_row_are_one(void **state)
{
	struct file f = { 0 }, rest = { 0 }, both = { 0 };
	char error[CAPTURE_ERROR_MAX];
	struct capture *c;

	(void)state;
	put_header(&f, 0xa1b23c4d, 1);
	put_record(&f, 1, 0, 1, 60, 60);
	put_record(&rest, 2, 0, 2, 60, 60);
	both.n = gzip(&f, both.bytes, sizeof(both.bytes), Z_FINISH);
	both.n += gzip(&rest, both.bytes + both.n, sizeof(both.bytes) - both.n, Z_FINISH);
	both.n += 512;
	c = capture_open_fd(memory_fd(both.bytes, both.n), error);
	assert_non_null(c);
	expect_record(c, 1000000000, 1, 60, 60);
	expect_record(c, 2000000000, 2, 60, 60);
	expect_end(c, CAPTURE_END, NULL);
}

static void a_pipe_gives_what_it_has(void **state)
{
	struct file f = { 0 }, more = { 0 };
	char error[CAPTURE_ERROR_MAX];
	struct capture *c;
	int pipes[2];

	(void)state;
	alarm(20); /* instead of waiting for ever for what comes later */
	put_header(&f, 0xa1b23c4d, 1);
	put_record(&f, 1, 0, 1, 60, 60);
	put_record(&more, 2, 0, 2, 60, 60);
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(write(pipes[1], f.bytes, f.n), f.n);
	c = capture_open_fd(pipes[0], error);
	assert_non_null(c);
	expect_record(c, 1000000000, 1, 60, 60);
	assert_int_equal(write(pipes[1], more.bytes, more.n), more.n);
	expect_record(c, 2000000000, 2, 60, 60);
	close(pipes[1]);
	expect_end(c, CAPTURE_END, NULL);
	alarm(0);
}

static void a_tear_anywhere_is_told_with_its_place(void **state)
{
	char error[CAPTURE_ERROR_MAX];
	struct file f = { 0 };

	(void)state;
	put_header(&f, 0xa1b23c4d, 1);
	put_record(&f, 1, 0, 1, 60, 60);
	put_record(&f, 2, 0, 2, 60, 60);
	for (size_t cut = 0; cut <= f.n; cut++) {
		struct file torn = f;
		struct capture *c;

		torn.n = cut;
		if (cut < 24) {
			assert_null(capture_open_fd(memory_fd(torn.bytes, cut), error));
			continue;
		}
		c = open_file(&torn);
		if (cut >= 24 + 76)
			expect_record(c, 1000000000, 1, 60, 60);
		if (cut == 24 + 2 * 76)
			expect_record(c, 2000000000, 2, 60, 60);
		if ((cut - 24) % 76 == 0)
			expect_end(c, CAPTURE_END, NULL);
		else
			expect_end(c, CAPTURE_TORN,
				   cut < 24 + 76 ? "torn off after 0 packets"
						 : "torn off after 1 packets");
	}
}

static void a_record_that_cannot_be_is_malformed(void **state)
{
	struct file f = { 0 };
	struct capture *c;

	(void)state;
	put_header(&f, 0xa1b23c4d, 1);
	put_record(&f, 1, 0, 1, 60, 60);
	put(&f, 2, 4);
	put(&f, 0, 4);
	put(&f, 0x7fffffff, 4);
	put(&f, 0x7fffffff, 4);
	put(&f, 0, 4);
	c = open_file(&f);
	expect_record(c, 1000000000, 1, 60, 60);
	expect_end(c, CAPTURE_MALFORMED, "malformed after 1 packets");
}

static void what_is_no_ethernet_capture_is_refused(void **state)
{
	struct file empty = { 0 }, text = { .bytes = "203.0.113.0/24 via 192.0.2.1\n", .n = 29 };
	struct file cooked = { 0 }, unknown = { 0 }, ng = { 0 }, zip = { 0 };
	char error[CAPTURE_ERROR_MAX];

	(void)state;
	expect_refused(&empty, "empty, not a capture");
	expect_refused(&text, "not a capture");
	put_header(&cooked, 0xa1b2c3d4, 113);
	expect_refused(&cooked, "link type LINUX_SLL, not Ethernet");
	put_header(&unknown, 0xa1b2c3d4, 4999);
	expect_refused(&unknown, "link type 4999, not Ethernet");
	put_pcapng_header(&ng, 101);
	expect_refused(&ng, "not Ethernet");
	zip.n = gzip(&empty, zip.bytes, sizeof(zip.bytes), Z_FINISH);
	expect_refused(&zip, "empty, not a capture");
	memset(zip.bytes + 10, 0xff, 10);
	expect_refused(&zip, "not a capture: damaged gzip data");
	assert_null(capture_open("/nonexistent/x.pcap", error));
	assert_string_equal(error, strerror(ENOENT));
	assert_null(capture_open("/", error));
	assert_string_equal(error, "a directory, not a capture");
}

static void standard_input_is_a_capture_too(void **state)
{
	char error[CAPTURE_ERROR_MAX];
	struct file f = { 0 };
	struct capture *c;
	int pipes[2];

	(void)state;
	put_header(&f, 0xa1b23c4d, 1);
	put_record(&f, 1, 0, 1, 60, 60);
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(write(pipes[1], f.bytes, f.n), f.n);
	close(pipes[1]);
	assert_int_equal(dup2(pipes[0], STDIN_FILENO), STDIN_FILENO);
	close(pipes[0]);
	c = capture_open("-", error);
	assert_non_null(c);
	assert_int_equal(capture_size(c), 0);
	expect_record(c, 1000000000, 1, 60, 60);
	expect_end(c, CAPTURE_END, NULL);
}

static void filters_pass_over_frames_but_not_their_time(void **state)
{
	char error[CAPTURE_ERROR_MAX] = "";
	struct capture_filter *filter;
	struct file f = { 0 };
	struct capture *c;

	(void)state;
	put_header(&f, 0xa1b23c4d, 1);
	put_record(&f, 1, 0, 1, 60, 60);
	put_record(&f, 5, 0, 2, 61, 61);
	put_record(&f, 2, 0, 3, 60, 60);
	filter = capture_filter_compile("len = 60", error);
	assert_non_null(filter);
	c = open_file(&f);
	capture_set_filter(c, filter);
	expect_record(c, 1000000000, 1, 60, 60);
	expect_record(c, 5000000000, 3, 60, 60);
	expect_end(c, CAPTURE_END, NULL);
	capture_filter_free(filter);
	assert_null(capture_filter_compile("len = = 60", error));
	assert_true(error[0] != '\0');
}

static void merging_goes_by_time_then_argument_then_place(void **state)
{
	static const uint8_t order[] = { 21, 11, 1, 2, 12, 22, 23, 3, 24 };
	static const uint64_t seconds[] = { 1, 2, 5, 5, 5, 5, 5, 6, 7 };
	struct file f[4] = { 0 };
	struct capture *captures[4];
	struct merge *m;

	(void)state;
	for (int i = 0; i < 4; i++)
		put_header(&f[i], i == 1 ? 0xa1b2c3d4 : 0xa1b23c4d, 1);
	put_record(&f[0], 5, 0, 1, 60, 60);
	put_record(&f[0], 4, 0, 2, 60, 60); /* counts as 5 */
	put_record(&f[0], 6, 0, 3, 60, 60);
	put_record(&f[1], 2, 0, 11, 60, 60);
	put_record(&f[1], 5, 0, 12, 60, 60);
	put_record(&f[2], 1, 0, 21, 60, 60);
	put_record(&f[2], 5, 0, 22, 60, 60);
	put_record(&f[2], 5, 0, 23, 60, 60);
	put_record(&f[2], 7, 0, 24, 60, 60);
	for (int i = 0; i < 4; i++)
		captures[i] = open_file(&f[i]);
	m = merge_create(captures, 4);
	assert_non_null(m);
	for (size_t i = 0; i < sizeof(order); i++) {
		size_t capture = 99;
		const struct capture_record *r = merge_head(m, &capture);

		assert_non_null(r);
		assert_int_equal(r->data[0], order[i]);
		assert_int_equal(r->time_ns, seconds[i] * 1000000000);
		assert_int_equal(capture, order[i] / 10);
		merge_advance(m);
	}
	assert_null(merge_head(m, &(size_t){ 0 }));
	merge_free(m);
	for (int i = 0; i < 4; i++)
		capture_close(captures[i]);
}

static uint64_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

/* Against picking the smallest (time, input) by hand each time. */
static void merging_many_agrees_with_a_naive_merge(void **state)
{
	enum { INPUTS = 9, RECORDS = 40 };
	static struct file f[INPUTS];
	uint64_t seed = 6, time[INPUTS][RECORDS];
	size_t at[INPUTS] = { 0 };
	struct capture *captures[INPUTS];
	struct merge *m;

	(void)state;
	for (size_t i = 0; i < INPUTS; i++) {
		uint64_t now = 0;

		put_header(&f[i], 0xa1b23c4d, 1);
		for (size_t k = 0; k < RECORDS; k++) {
			uint64_t stamp = next_random(&seed) % 50;

			put_record(&f[i], stamp, 0, i, 14, 14);
			now = stamp > now ? stamp : now;
			time[i][k] = now;
		}
		captures[i] = open_file(&f[i]);
	}
	m = merge_create(captures, INPUTS);
	for (size_t n = 0; n < (size_t)INPUTS * RECORDS; n++) {
		size_t best = INPUTS, capture;

		for (size_t i = 0; i < INPUTS; i++)
			if (at[i] < RECORDS &&
			    (best == INPUTS || time[i][at[i]] < time[best][at[best]]))
				best = i;
		assert_non_null(merge_head(m, &capture));
		assert_int_equal(capture, best);
		assert_int_equal(merge_head(m, &capture)->time_ns,
				 time[best][at[best]] * 1000000000);
		at[best]++;
		merge_advance(m);
	}
	assert_null(merge_head(m, &(size_t){ 0 }));
	merge_free(m);
	for (size_t i = 0; i < INPUTS; i++)
		capture_close(captures[i]);
}

static void what_is_written_reads_back(void **state)
{
	char path[] = "/tmp/napd-capture-XXXXXX", error[CAPTURE_ERROR_MAX];
	uint8_t first[14], second[46];
	struct file foreign = { 0 };
	struct capture_writer *w;
	struct capture *c;
	int fd;

	(void)state;
	close(mkstemp(path));
	memset(first, 9, sizeof(first));
	memset(second, 9, sizeof(second));
	w = capture_writer_open(path);
	assert_non_null(w);
	capture_writer_begin(w, 4294967295999999999u, 60, 9000);
	capture_writer_add(w, first, sizeof(first));
	capture_writer_add(w, second, sizeof(second));
	capture_writer_begin(w, 4294967295999999999u, 0, 0);
	assert_int_equal(capture_writer_error(w), 0);
	assert_int_equal(capture_writer_close(w), 0);
	c = capture_open(path, error);
	assert_non_null(c);
	assert_int_equal(capture_size(c), 24 + 16 + 60 + 16);
	assert_true(capture_is_ours(path));
	expect_record(c, 4294967295999999999u, 9, 60, 9000);
	expect_record(c, 4294967295999999999u, 9, 0, 0);
	expect_end(c, CAPTURE_END, NULL);
	put_header(&foreign, 0xa1b23c4d, 1);
	fd = open(path, O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, foreign.bytes, foreign.n), foreign.n);
	close(fd);
	assert_false(capture_is_ours(path));
	unlink(path);
	assert_false(capture_is_ours(path));
}

static void a_full_disk_is_told(void **state)
{
	struct capture_writer *w = capture_writer_open("/dev/full");
	uint8_t frame[4096] = { 0 };

	(void)state;
	assert_non_null(w);
	for (int i = 0; i < 100; i++) {
		capture_writer_begin(w, 0, sizeof(frame), sizeof(frame));
		capture_writer_add(w, frame, sizeof(frame));
	}
	assert_int_equal(capture_writer_error(w), -ENOSPC);
	assert_int_equal(capture_writer_close(w), -ENOSPC);
	w = capture_writer_open("/dev/full"); /* found out only when the last buffer is written */
	assert_int_equal(capture_writer_error(w), 0);
	assert_int_equal(capture_writer_close(w), -ENOSPC);
	assert_null(capture_writer_open("/nonexistent/x.pcap"));
	assert_int_equal(errno, ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pcap_of_both_resolutions_and_byte_orders),
		cmocka_unit_test(pcapng_of_both_byte_orders),
		cmocka_unit_test(time_never_goes_back),
		cmocka_unit_test(times_beyond_2038_are_kept),
		cmocka_unit_test(wire_length_below_the_captured_is_not_believed),
		cmocka_unit_test(gzip_is_seen_from_the_contents),
		cmocka_unit_test(gzip_files_in_a_row_are_one),
		cmocka_unit_test(a_pipe_gives_what_it_has),
		cmocka_unit_test(a_tear_anywhere_is_told_with_its_place),
		cmocka_unit_test(a_record_that_cannot_be_is_malformed),
		cmocka_unit_test(what_is_no_ethernet_capture_is_refused),
		cmocka_unit_test(standard_input_is_a_capture_too),
		cmocka_unit_test(filters_pass_over_frames_but_not_their_time),
		cmocka_unit_test(merging_goes_by_time_then_argument_then_place),
		cmocka_unit_test(merging_many_agrees_with_a_naive_merge),
		cmocka_unit_test(what_is_written_reads_back),
		cmocka_unit_test(a_full_disk_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
