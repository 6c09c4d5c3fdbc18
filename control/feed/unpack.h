/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads a file as a stream of bytes: plain, .gz, .bz2 or .xz, told apart by its first bytes.
 * What is compressed is unpacked by a thread of its own, some megabytes ahead of its reader.
 */
#ifndef NAPD_FEED_UNPACK_H
#define NAPD_FEED_UNPACK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct unpack;

/* Returns to the caller, or NULL: why and errno say why. One thread uses it. */
struct unpack *unpack_open(const char *path, const char **why);
void unpack_close(struct unpack *unpack); /* NULL is allowed */

/* Up to size bytes, 0 at the end; negative errno: -EBADMSG, what is compressed is cut off or
 * damaged. */
ssize_t unpack_read(struct unpack *unpack, void *to, size_t size);

/* "bzip2": how it is compressed; NULL: it is not. */
const char *unpack_format(const struct unpack *unpack);

#endif
