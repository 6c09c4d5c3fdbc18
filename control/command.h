/* SPDX-License-Identifier: BSD-3-Clause */
/* What napd's commands share: exit statuses and how errors are said. */
#ifndef NAPD_COMMAND_H
#define NAPD_COMMAND_H

enum exit_status {
	EXIT_STATUS_DONE = 0,
	EXIT_STATUS_FAILED = 1,        /* the work failed */
	EXIT_STATUS_WRONG = 2,         /* what the user gave is wrong */
	EXIT_STATUS_INTERRUPTED = 130, /* Ctrl-C */
};

#define CONFIG_PATH_DEFAULT "/etc/napd/napd.yaml"

/* Say one line on stderr, and return status. */
int complain(enum exit_status status, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Write out what stdout still holds. Returns status, or that of a failure, which is told once. */
int flush_stdout(int status);

#endif
