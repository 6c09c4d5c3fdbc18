// SPDX-License-Identifier: BSD-3-Clause
/*
 * What most files include, read once (-Db_pch=false reads it everywhere). No
 * file may count on it: the fuzz targets are built without.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_ether.h>
#include <rte_mbuf.h>
#include <rte_meter.h>
