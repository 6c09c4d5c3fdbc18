// SPDX-License-Identifier: BSD-3-Clause
/*
 * net_af_packet of DPDK 22.11 does two things that an exchange cannot have, and offers
 * no argument against them; so napd defines the calls, which the executable exports
 * (see meson.build), and everybody else gets what the kernel says.
 */
#include "interpose.h"

#include <linux/if_packet.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static __thread bool on_worker;

void interpose_on_worker(void)
{
	on_worker = true;
}

/*
 * The driver waits in poll(-1) when its transmit ring is full, which would stop a
 * worker for ever: on workers poll() looks and returns.
 */
int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	const struct timespec now = { 0, 0 };
	const struct timespec limit = { timeout / 1000, timeout % 1000 * 1000000L };

	if (on_worker)
		return ppoll(fds, n, &now, NULL);
	return ppoll(fds, n, timeout < 0 ? NULL : &limit, NULL);
}

/*
 * The driver joins a fan-out group, of one queue too, in which the kernel reassembles
 * fragments before it hands them over: they would be longer than any MTU.
 */
int setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
	int group;

	if (level == SOL_PACKET && name == PACKET_FANOUT && length >= sizeof(group)) {
		memcpy(&group, value, sizeof(group));
		group &= ~(int)((unsigned int)PACKET_FANOUT_FLAG_DEFRAG << 16);
		value = &group;
		length = sizeof(group);
	}
	return (int)syscall(SYS_setsockopt, fd, level, name, value, length);
}
