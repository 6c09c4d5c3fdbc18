/* SPDX-License-Identifier: BSD-3-Clause */
/* What every cmocka test needs included before it, in cmocka's order. */
#ifndef NAPD_TEST_H
#define NAPD_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
