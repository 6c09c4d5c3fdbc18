/* SPDX-License-Identifier: BSD-3-Clause */
/* Two calls of net_af_packet that napd answers in the C library's place. */
#ifndef NAPD_INTERPOSE_H
#define NAPD_INTERPOSE_H

/* The calling thread is a worker from now on: poll() does not wait on it. */
void interpose_on_worker(void);

#endif
