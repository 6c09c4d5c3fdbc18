/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading /proc and /sys below the doctor's root. Paths in printf form, from / on. */
#ifndef NAPD_DOCTOR_LOOK_H
#define NAPD_DOCTOR_LOOK_H

#include "doctor.h"

#define LOOK_MAX 256

bool look_exists(const struct doctor_host *host, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The first line of a file, cut to LOOK_MAX - 1 bytes. False: there is none. */
bool look_line(const struct doctor_host *host, char line[LOOK_MAX], const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The number that a file holds, or fallback. */
int64_t look_number(const struct doctor_host *host, int64_t fallback, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* What follows key in the first line of a file that begins with it. */
bool look_key(const struct doctor_host *host, char value[LOOK_MAX], const char *key,
	      const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The last part of where a link leads. */
bool look_link(const struct doctor_host *host, char name[LOOK_MAX], const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* How many entries a folder has; 0 without it. */
size_t look_count(const struct doctor_host *host, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Huge pages of all sizes in bytes: reserved, and not in use. */
void look_hugepages(const struct doctor_host *host, uint64_t *reserved, uint64_t *idle);

/* Is a number in a list such as "2-7,10"? */
bool look_in_list(const char *list, unsigned int number);

#endif
