// SPDX-License-Identifier: BSD-3-Clause
/* Small readers of the kernel's text files. */
#include "doctor_look.h"

#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The path below root; format and what follows it, from the caller's arguments. */
#define PATH_OF(host, path, format)                            \
	do {                                                   \
		va_list ap;                                    \
		va_start(ap, format);                          \
		path_of(host, path, sizeof(path), format, ap); \
		va_end(ap);                                    \
	} while (0)

static void path_of(const struct doctor_host *host, char *path, size_t size, const char *format,
		    va_list ap) __attribute__((format(printf, 4, 0)));

static void path_of(const struct doctor_host *host, char *path, size_t size, const char *format,
		    va_list ap)
{
	const int n = snprintf(path, size, "%s", host->root);

	if (n >= 0 && (size_t)n < size)
		vsnprintf(path + n, size - (size_t)n, format, ap);
}

static bool first_line(const char *path, const char *key, char line[LOOK_MAX])
{
	FILE *f = fopen(path, "re");
	bool found = false;

	while (f && !found && fgets(line, LOOK_MAX, f))
		found = strncmp(line, key, strlen(key)) == 0;
	if (f)
		fclose(f);
	if (found)
		line[strcspn(line, "\n")] = '\0';
	return found;
}

bool look_exists(const struct doctor_host *host, const char *format, ...)
{
	char path[PATH_MAX];

	PATH_OF(host, path, format);
	return access(path, F_OK) == 0;
}

bool look_line(const struct doctor_host *host, char line[LOOK_MAX], const char *format, ...)
{
	char path[PATH_MAX];

	PATH_OF(host, path, format);
	return first_line(path, "", line);
}

int64_t look_number(const struct doctor_host *host, int64_t fallback, const char *format, ...)
{
	char path[PATH_MAX], line[LOOK_MAX], *end;
	int64_t value;

	PATH_OF(host, path, format);
	if (!first_line(path, "", line))
		return fallback;
	value = strtoll(line, &end, 0);
	return end == line ? fallback : value;
}

bool look_key(const struct doctor_host *host, char value[LOOK_MAX], const char *key,
	      const char *format, ...)
{
	char path[PATH_MAX];
	size_t skip;

	PATH_OF(host, path, format);
	if (!first_line(path, key, value))
		return false;
	skip = strlen(key);
	skip += strspn(value + skip, " \t:");
	memmove(value, value + skip, strlen(value + skip) + 1);
	return true;
}

bool look_link(const struct doctor_host *host, char name[LOOK_MAX], const char *format, ...)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *last;
	ssize_t n;

	PATH_OF(host, path, format);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	last = strrchr(target, '/');
	snprintf(name, LOOK_MAX, "%.255s", last ? last + 1 : target);
	return true;
}

size_t look_count(const struct doctor_host *host, const char *format, ...)
{
	char path[PATH_MAX];
	struct dirent *entry;
	size_t count = 0;
	DIR *folder;

	PATH_OF(host, path, format);
	folder = opendir(path);
	while (folder && (entry = readdir(folder)))
		count += entry->d_name[0] != '.';
	if (folder)
		closedir(folder);
	return count;
}

void look_hugepages(const struct doctor_host *host, uint64_t *reserved, uint64_t *idle)
{
	static const char place[] = "/sys/kernel/mm/hugepages";
	char path[PATH_MAX];
	struct dirent *size;
	DIR *folder;

	*reserved = *idle = 0;
	snprintf(path, sizeof(path), "%s%s", host->root, place);
	folder = opendir(path);
	while (folder && (size = readdir(folder))) {
		uint64_t kilobytes;

		if (sscanf(size->d_name, "hugepages-%" SCNu64 "kB", &kilobytes) != 1)
			continue;
		*reserved +=
			(uint64_t)look_number(host, 0, "%s/%s/nr_hugepages", place, size->d_name) *
				kilobytes
			<< 10;
		*idle += (uint64_t)look_number(host, 0, "%s/%s/free_hugepages", place,
					       size->d_name) *
				 kilobytes
			 << 10;
	}
	if (folder)
		closedir(folder);
}

bool look_in_list(const char *list, unsigned int number)
{
	while (*list) {
		char *end;
		const unsigned long first = strtoul(list, &end, 10);
		unsigned long last = first;

		if (end == list)
			return false;
		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		if (number >= first && number <= last)
			return true;
		list = *end ? end + 1 : end;
	}
	return false;
}
