// SPDX-License-Identifier: BSD-3-Clause
/* An abstract socket: as interfaces do it belongs to a network namespace, and no file is left
 * behind. */
#include "device_claim.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int device_claim(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int n, rc;

	if (s < 0)
		return -errno;
	n = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "napd-device/%.64s", name);
	if (bind(s, (struct sockaddr *)&address,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)) == 0)
		return s;
	rc = -errno;
	close(s);
	return rc;
}
