/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control socket: a line in, an answer out, for any number of clients, of
 * which none can delay forwarding or another client. Control thread.
 */
#ifndef NAPD_EXPORT_SOCKET_H
#define NAPD_EXPORT_SOCKET_H

#include "runtime.h"

struct control_socket;

/* Listen as the configuration says; a stale socket file is replaced. 0 or a negative errno, logged.
 */
int control_socket_open(struct runtime *rt, struct control_socket **cs);
void control_socket_close(struct control_socket *cs);

#endif
