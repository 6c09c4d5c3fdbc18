/* SPDX-License-Identifier: BSD-3-Clause */
/* EAL and packet buffers for unit tests: no hugepages, no root, no devices. */
#ifndef NAPD_TEST_EAL_H
#define NAPD_TEST_EAL_H

#include <stdint.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

/*
 * A pool of n mbufs whose data room (RTE_PKTMBUF_HEADROOM included) is
 * data_room bytes and whose private area is a struct frame_origin. Starts EAL
 * when called first; 64 MB are all there is. May be called again for another
 * pool. Never NULL: without a pool the test program ends. Lives as long as it.
 * Main thread only, whose CPU affinity stays as it was.
 */
struct rte_mempool *test_eal_pool(unsigned int n, uint16_t data_room);

#endif
