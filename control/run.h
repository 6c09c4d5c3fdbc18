/* SPDX-License-Identifier: BSD-3-Clause */
/* napd run: the daemon. */
#ifndef NAPD_RUN_H
#define NAPD_RUN_H

/* Run until SIGTERM or SIGINT. Returns an exit status. */
int run(const char *config_path);

#endif
