// SPDX-License-Identifier: BSD-3-Clause
/* How napd's commands speak: errors to stderr, a line each; results to stdout. */
#include "command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

int complain(enum exit_status status, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	return status;
}

int flush_stdout(int status)
{
	static bool failed;
	int error;

	errno = 0;
	if (!failed && fflush(stdout) == 0 && !ferror(stdout))
		return status;
	error = errno ? errno : EIO;
	if (!failed && error != EPIPE) /* else the reader has seen enough */
		complain(EXIT_STATUS_FAILED, "standard output: %s", strerror(error));
	failed = true;
	return status == EXIT_STATUS_DONE ? EXIT_STATUS_FAILED : status;
}
