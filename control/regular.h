/* SPDX-License-Identifier: BSD-3-Clause */
/* Opening what the configuration names, without waiting for whoever should write a pipe. Any
 * thread. */
#ifndef NAPD_REGULAR_H
#define NAPD_REGULAR_H

#include <stdbool.h>

/*
 * Open a file to read. Returns a descriptor; or -1, errno and why, text that lives for ever or
 * until the thread's next strerror(). pipes: what is no regular file is taken too, and waited for,
 * but for a folder.
 */
int regular_open(const char *path, bool pipes, const char **why);

#endif
