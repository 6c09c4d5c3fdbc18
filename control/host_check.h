/* SPDX-License-Identifier: BSD-3-Clause */
/* What a configuration says of this host that is not so. Any thread. */
#ifndef NAPD_HOST_CHECK_H
#define NAPD_HOST_CHECK_H

#include "config.h"
#include "problem.h"

/*
 * Look at the group, the CPUs and the capture files that are named. What may be mended while napd
 * runs, or is different on the host that it will run on, is a warning.
 */
void host_check(const struct config *config, struct problems *problems);

#endif
