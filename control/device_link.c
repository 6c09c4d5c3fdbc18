// SPDX-License-Identifier: BSD-3-Clause
/* Asks the kernel about links, and listens for what it says of them by rtnetlink. */
#include "device_link.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "device.h"

static struct mnl_socket *watch;

static int query_socket(void)
{
	static int s = -1;

	if (s < 0)
		s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return s;
}

bool device_link_up(const char *interface, unsigned int index, bool *vanished)
{
	struct ifreq request = { 0 };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
	if (ioctl(query_socket(), SIOCGIFINDEX, &request) != 0) {
		*vanished = errno == ENODEV;
		return false;
	}
	*vanished = (unsigned int)request.ifr_ifindex != index;
	if (*vanished || ioctl(query_socket(), SIOCGIFFLAGS, &request) != 0)
		return false;
	return (request.ifr_flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING);
}

int device_watch_fd(void)
{
	if (!watch) {
		watch = mnl_socket_open2(NETLINK_ROUTE, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (watch && mnl_socket_bind(watch, RTMGRP_LINK, MNL_SOCKET_AUTOPID) != 0) {
			mnl_socket_close(watch);
			watch = NULL;
		}
	}
	return watch ? mnl_socket_get_fd(watch) : -1;
}

/* What it says does not matter: that something changed is reason enough to look. */
void device_watch_drain(void)
{
	char buffer[8192];

	while (watch && mnl_socket_recvfrom(watch, buffer, sizeof(buffer)) > 0)
		;
}
