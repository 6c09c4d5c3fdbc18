// SPDX-License-Identifier: BSD-3-Clause
/*
 * The thread fills a ring of pieces, the reader empties it; either waits when it must. The
 * stream may consist of several compressed ones, one behind the other, as parallel packers write.
 */
#include "unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>

#include "../regular.h"

#define PIECE_BYTES    (512 * 1024)
#define PIECES         8
#define XZ_MEMORY_MOST (256u << 20) /* xz -9 needs 65 MB */

/* A format: its decoder consumes u->in and fills a piece. */
struct format {
	const char *name;
	uint8_t magic[6];
	size_t magic_bytes;
	int (*begin)(struct unpack *u);
	/* 1: a stream ended; 0: go on; negative errno */
	int (*step)(struct unpack *u, uint8_t *to, size_t size, size_t *made);
	void (*end)(struct unpack *u);
};

struct piece {
	uint8_t *data;
	size_t bytes;
};

struct unpack {
	int file;
	const struct format *format; /* NULL: plain */
	/* the thread's own */
	uint8_t *in;
	size_t in_at, in_bytes;
	z_stream gz;
	bz_stream bz;
	lzma_stream xz;
	/* the reader's own */
	size_t taken; /* of the oldest piece */
	uint8_t first[6];
	size_t first_at, first_bytes;
	/* both, under the lock */
	pthread_t thread;
	bool started;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct piece piece[PIECES];
	unsigned int filled, emptied;
	bool finished, stopped;
	int rc; /* with finished */
};

/* ---- the formats ---- */

static int gz_begin(struct unpack *u)
{
	u->gz = (z_stream){ 0 };
	return inflateInit2(&u->gz, 15 + 16) == Z_OK ? 0 : -ENOMEM; /* + 16: gzip's header */
}

static int gz_step(struct unpack *u, uint8_t *to, size_t size, size_t *made)
{
	int rc;

	u->gz.next_in = u->in + u->in_at;
	u->gz.avail_in = (unsigned int)(u->in_bytes - u->in_at);
	u->gz.next_out = to;
	u->gz.avail_out = (unsigned int)size;
	rc = inflate(&u->gz, Z_NO_FLUSH);
	u->in_at = u->in_bytes - u->gz.avail_in;
	*made = size - u->gz.avail_out;
	if (rc == Z_MEM_ERROR)
		return -ENOMEM;
	return rc == Z_STREAM_END ? 1 : rc == Z_OK || rc == Z_BUF_ERROR ? 0 : -EBADMSG;
}

static void gz_end(struct unpack *u)
{
	inflateEnd(&u->gz);
}

static int bz_begin(struct unpack *u)
{
	u->bz = (bz_stream){ 0 };
	return BZ2_bzDecompressInit(&u->bz, 0, 0) == BZ_OK ? 0 : -ENOMEM;
}

static int bz_step(struct unpack *u, uint8_t *to, size_t size, size_t *made)
{
	int rc;

	u->bz.next_in = (char *)u->in + u->in_at;
	u->bz.avail_in = (unsigned int)(u->in_bytes - u->in_at);
	u->bz.next_out = (char *)to;
	u->bz.avail_out = (unsigned int)size;
	rc = BZ2_bzDecompress(&u->bz);
	u->in_at = u->in_bytes - u->bz.avail_in;
	*made = size - u->bz.avail_out;
	if (rc == BZ_MEM_ERROR)
		return -ENOMEM;
	return rc == BZ_STREAM_END ? 1 : rc == BZ_OK ? 0 : -EBADMSG;
}

static void bz_end(struct unpack *u)
{
	BZ2_bzDecompressEnd(&u->bz);
}

static int xz_begin(struct unpack *u)
{
	u->xz = (lzma_stream)LZMA_STREAM_INIT;
	return lzma_stream_decoder(&u->xz, XZ_MEMORY_MOST, 0) == LZMA_OK ? 0 : -ENOMEM;
}

static int xz_step(struct unpack *u, uint8_t *to, size_t size, size_t *made)
{
	lzma_ret rc;

	u->xz.next_in = u->in + u->in_at;
	u->xz.avail_in = u->in_bytes - u->in_at;
	u->xz.next_out = to;
	u->xz.avail_out = size;
	rc = lzma_code(&u->xz, LZMA_RUN);
	u->in_at = u->in_bytes - u->xz.avail_in;
	*made = size - u->xz.avail_out;
	if (rc == LZMA_MEM_ERROR || rc == LZMA_MEMLIMIT_ERROR)
		return -ENOMEM;
	return rc == LZMA_STREAM_END ? 1 : rc == LZMA_OK || rc == LZMA_BUF_ERROR ? 0 : -EBADMSG;
}

static void xz_end(struct unpack *u)
{
	lzma_end(&u->xz);
}

static const struct format formats[] = {
	{ "gzip", { 0x1f, 0x8b }, 2, gz_begin, gz_step, gz_end },
	{ "bzip2", { 'B', 'Z', 'h' }, 3, bz_begin, bz_step, bz_end },
	{ "xz", { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, xz_begin, xz_step, xz_end },
};

/* ---- the thread ---- */

static ssize_t read_file(int file, void *to, size_t size)
{
	ssize_t got;

	do
		got = read(file, to, size);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

/* More input, if none is left. 0 or negative errno; at the end in_at stays in_bytes. */
static int refill(struct unpack *u)
{
	ssize_t got;

	if (u->in_at < u->in_bytes)
		return 0;
	got = read_file(u->file, u->in, PIECE_BYTES);
	u->in_at = 0;
	u->in_bytes = got > 0 ? (size_t)got : 0;
	return got < 0 ? (int)got : 0;
}

/* Bytes between streams that begin none are what tapes and careless tools leave: no error. */
static bool another_stream(const struct unpack *u)
{
	size_t n = u->in_bytes - u->in_at;

	if (n > u->format->magic_bytes)
		n = u->format->magic_bytes;
	return n > 0 && memcmp(u->in + u->in_at, u->format->magic, n) == 0;
}

/* Fill a piece, over the ends of streams. *more: not at the end yet. 0 or negative errno. */
static int fill(struct unpack *u, struct piece *piece, bool *more)
{
	piece->bytes = 0;
	while (piece->bytes < PIECE_BYTES) {
		size_t made = 0;
		int rc = refill(u);

		if (!rc)
			rc = u->format->step(u, piece->data + piece->bytes,
					     PIECE_BYTES - piece->bytes, &made);
		piece->bytes += made;
		if (rc < 0)
			return rc;
		if (rc == 0 && !made && u->in_at == u->in_bytes && u->in_bytes == 0)
			return -EBADMSG; /* the file ends inside a stream */
		if (rc == 0)
			continue;
		rc = refill(u);
		*more = !rc && another_stream(u);
		if (rc || !*more)
			return rc;
		u->format->end(u);
		rc = u->format->begin(u);
		if (rc)
			return rc;
	}
	return 0;
}

static void *unpack_thread(void *arg)
{
	struct unpack *u = arg;
	bool more = true;
	int rc = 0;

	while (more && !rc) {
		struct piece *piece;
		bool stopped;

		pthread_mutex_lock(&u->lock);
		while (!u->stopped && u->filled - u->emptied == PIECES)
			pthread_cond_wait(&u->changed, &u->lock);
		piece = &u->piece[u->filled % PIECES];
		stopped = u->stopped;
		pthread_mutex_unlock(&u->lock);
		if (stopped)
			break;
		rc = fill(u, piece, &more);
		pthread_mutex_lock(&u->lock);
		u->filled++;
		u->finished = rc || !more;
		u->rc = rc;
		pthread_cond_signal(&u->changed);
		pthread_mutex_unlock(&u->lock);
	}
	return NULL;
}

/* ---- public ---- */

static const struct format *format_of(const uint8_t *first, size_t n)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (n >= formats[i].magic_bytes &&
		    memcmp(first, formats[i].magic, formats[i].magic_bytes) == 0)
			return &formats[i];
	return NULL;
}

/* Signals are the process's main thread's. */
static int start_thread(struct unpack *u)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&u->thread, NULL, unpack_thread, u);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	u->started = !rc;
	return -rc;
}

static int start(struct unpack *u)
{
	int rc;

	u->in = malloc(PIECE_BYTES);
	for (int i = 0; i < PIECES; i++) {
		u->piece[i].data = malloc(PIECE_BYTES);
		if (!u->piece[i].data)
			return -ENOMEM;
	}
	if (!u->in)
		return -ENOMEM;
	memcpy(u->in, u->first, u->first_bytes);
	u->in_bytes = u->first_bytes;
	rc = u->format->begin(u);
	if (!rc) {
		rc = start_thread(u);
		if (rc)
			u->format->end(u);
	}
	return rc;
}

/* The file's first bytes, which may be fewer. */
static int read_first(struct unpack *u)
{
	while (u->first_bytes < sizeof(u->first)) {
		ssize_t got = read_file(u->file, u->first + u->first_bytes,
					sizeof(u->first) - u->first_bytes);

		if (got < 0)
			return (int)got;
		if (!got)
			break;
		u->first_bytes += (size_t)got;
	}
	u->format = format_of(u->first, u->first_bytes);
	return 0;
}

struct unpack *unpack_open(const char *path, const char **why)
{
	struct unpack *u = calloc(1, sizeof(*u));
	int rc = 0;

	*why = strerror(ENOMEM);
	errno = ENOMEM;
	if (!u)
		return NULL;
	pthread_mutex_init(&u->lock, NULL);
	pthread_cond_init(&u->changed, NULL);
	u->file = regular_open(path, false, why);
	if (u->file < 0) {
		rc = -errno;
		goto fail;
	}
	rc = read_first(u);
	if (!rc && u->format)
		rc = start(u);
	if (!rc)
		return u;
	*why = strerror(-rc);
fail:
	unpack_close(u);
	errno = -rc;
	return NULL;
}

void unpack_close(struct unpack *u)
{
	if (!u)
		return;
	if (u->started) {
		pthread_mutex_lock(&u->lock);
		u->stopped = true;
		pthread_cond_signal(&u->changed);
		pthread_mutex_unlock(&u->lock);
		pthread_join(u->thread, NULL);
		u->format->end(u);
	}
	for (int i = 0; i < PIECES; i++)
		free(u->piece[i].data);
	if (u->file >= 0)
		close(u->file);
	pthread_cond_destroy(&u->changed);
	pthread_mutex_destroy(&u->lock);
	free(u->in);
	free(u);
}

static ssize_t read_plain(struct unpack *u, void *to, size_t size)
{
	size_t n = u->first_bytes - u->first_at;

	if (!n)
		return read_file(u->file, to, size);
	n = n < size ? n : size;
	memcpy(to, u->first + u->first_at, n);
	u->first_at += n;
	return (ssize_t)n;
}

ssize_t unpack_read(struct unpack *u, void *to, size_t size)
{
	struct piece *piece;
	size_t n;

	if (!u->format)
		return read_plain(u, to, size);
	for (;;) {
		bool empty;

		pthread_mutex_lock(&u->lock);
		while (u->filled == u->emptied && !u->finished)
			pthread_cond_wait(&u->changed, &u->lock);
		empty = u->filled == u->emptied;
		pthread_mutex_unlock(&u->lock);
		if (empty)
			return u->rc;
		piece = &u->piece[u->emptied % PIECES];
		n = piece->bytes - u->taken;
		if (n)
			break;
		pthread_mutex_lock(&u->lock);
		u->emptied++;
		pthread_cond_signal(&u->changed);
		pthread_mutex_unlock(&u->lock);
		u->taken = 0;
	}
	n = n < size ? n : size;
	memcpy(to, piece->data + u->taken, n);
	u->taken += n;
	return (ssize_t)n;
}

const char *unpack_format(const struct unpack *u)
{
	return u->format ? u->format->name : NULL;
}
