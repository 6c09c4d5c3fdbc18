// SPDX-License-Identifier: BSD-3-Clause
/* O_NONBLOCK opens a FIFO nobody writes to; then it can be seen what it is. */
#include "regular.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int regular_open(const char *path, bool pipes, const char **why)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (pipes ? 0 : O_NONBLOCK));
	struct stat status;

	if (fd < 0 || fstat(fd, &status) != 0) {
		*why = strerror(errno);
	} else if (S_ISREG(status.st_mode)) {
		return fd;
	} else if (S_ISDIR(status.st_mode)) {
		errno = EISDIR;
		*why = strerror(errno);
	} else if (pipes) {
		return fd;
	} else {
		errno = EINVAL;
		*why = "not a regular file";
	}
	if (fd >= 0)
		close(fd);
	return -1;
}
