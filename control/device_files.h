/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The descriptors that drivers hold on the kernel, asked for what the drivers do
 * not tell: whether a TAP is up, wherever its interface lives now, and what a packet
 * socket had to drop. They stay the driver's, and are good as long as its
 * queues are. Control thread.
 */
#ifndef NAPD_DEVICE_FILES_H
#define NAPD_DEVICE_FILES_H

#include <stdbool.h>
#include <stdint.h>

#define DEVICE_FILES_MAX 64

struct device_files {
	int fd[DEVICE_FILES_MAX];
	unsigned int count;
};

/* Those attached to the TAP of this name in the process's own network namespace. */
void device_files_of_tap(struct device_files *files, const char *name);

/* The packet sockets bound to an interface. */
void device_files_of_packet(struct device_files *files, const char *interface);

/*
 * Whether the TAP is up; false and *vanished when it is gone. Its interface may have been
 * given another name or namespace meanwhile.
 */
bool device_tap_up(const struct device_files *files, bool *vanished);

/* Frames that the kernel dropped since it was asked last, for want of room in the rings. */
uint64_t device_packet_missed(const struct device_files *files);

#endif
