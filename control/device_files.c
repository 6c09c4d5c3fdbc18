// SPDX-License-Identifier: BSD-3-Clause
/* Finds the descriptors of drivers among the process's own, and asks the kernel about them. */
#include "device_files.h"

#include <dirent.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Is fd one of those that are looked for? */
typedef bool (*file_test)(int fd, const char *interface);

static void collect(struct device_files *files, file_test is_one, const char *interface)
{
	DIR *folder = opendir("/proc/self/fd");
	struct dirent *entry;

	files->count = 0;
	while (folder && (entry = readdir(folder)) && files->count < DEVICE_FILES_MAX) {
		const int fd = atoi(entry->d_name); /* "." and "..": 0, which is none */

		if (fd > 0 && is_one(fd, interface))
			files->fd[files->count++] = fd;
	}
	if (folder)
		closedir(folder);
}

static bool is_tap(int fd, const char *name)
{
	struct ifreq request = { 0 };
	char path[32], target[16] = "";

	/* the request's number means other things to other files */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (readlink(path, target, sizeof(target) - 1) < 0 || strcmp(target, "/dev/net/tun") != 0)
		return false;
	return ioctl(fd, TUNGETIFF, &request) == 0 && strcmp(request.ifr_name, name) == 0;
}

static bool is_packet_socket(int fd, const char *interface)
{
	struct sockaddr_ll address = { 0 };
	socklen_t length = sizeof(address);

	return getsockname(fd, (struct sockaddr *)&address, &length) == 0 &&
	       address.sll_family == AF_PACKET &&
	       address.sll_ifindex == (int)if_nametoindex(interface);
}

void device_files_of_tap(struct device_files *files, const char *name)
{
	collect(files, is_tap, name);
}

void device_files_of_packet(struct device_files *files, const char *interface)
{
	collect(files, is_packet_socket, interface);
}

/* The kernel lets a TAP be written to while it is up, and reports an error once it is gone. */
bool device_tap_up(const struct device_files *files, bool *vanished)
{
	struct pollfd poller = { .events = POLLOUT };

	if (files->count == 0)
		return false;
	poller.fd = files->fd[0];
	if (poll(&poller, 1, 0) <= 0)
		return false;
	*vanished = poller.revents & (POLLERR | POLLNVAL);
	return !*vanished && (poller.revents & POLLOUT);
}

uint64_t device_packet_missed(const struct device_files *files)
{
	uint64_t missed = 0;

	for (unsigned int i = 0; i < files->count; i++) {
		struct tpacket_stats stats = { 0 };
		socklen_t length = sizeof(stats);

		if (getsockopt(files->fd[i], SOL_PACKET, PACKET_STATISTICS, &stats, &length) == 0)
			missed += stats.tp_drops;
	}
	return missed;
}
