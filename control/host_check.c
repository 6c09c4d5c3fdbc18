// SPDX-License-Identifier: BSD-3-Clause
/* Looks at the host for what replay needs nothing of; everything else is config_check*.c's. */
#include "host_check.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cores.h"
#include "regular.h"

static void check_group(const struct config *config, struct problems *problems)
{
	/* the default need not be there: then the sockets are napd's own user's */
	if (!config->control.group_place.line || getgrnam(config->control.group))
		return;
	problem_warning(problems, config->control.group_place, "control.group",
			"there is no group %s here; only napd's user and root may use the socket",
			config->control.group);
}

static void check_cores(const struct config *config, struct problems *problems)
{
	struct host *host = config->dataplane.cores ? malloc(sizeof(*host)) : NULL;
	const struct place place = config->dataplane.cores_place;
	char missing[CORES_ERROR_MAX];
	int count;

	if (!host)
		return;
	host_read(host);
	count = cores_missing(host, config->dataplane.cores, missing);
	free(host);
	if (count > 0)
		problem_warning(problems, place, "dataplane.cores",
				"CPU %s is not there, or not for this process; no worker will run "
				"on it",
				missing);
}

/* The file that key names in the arguments of a device. Returns to the caller; NULL: none. */
static char *argument_path(const char *device, const char *key)
{
	const char *at = strstr(device, key);

	return at ? strndup(at + strlen(key), strcspn(at + strlen(key), ",")) : NULL;
}

static void check_captures(const struct config_port *port, struct problems *problems)
{
	char *in, *out, *slash;
	const char *why;
	int fd;

	if (!port->device || strncmp(port->device, "net_pcap", 8) != 0)
		return;
	in = argument_path(port->device, ",rx_pcap=");
	fd = in ? regular_open(in, false, &why) : -1;
	if (fd >= 0)
		close(fd);
	else if (in)
		problem_warning(problems, port->device_place, "device", "rx_pcap: %s: %s", in, why);
	out = argument_path(port->device, ",tx_pcap=");
	slash = out ? strrchr(out, '/') : NULL;
	if (slash && slash != out) {
		*slash = '\0';
		if (access(out, X_OK) != 0)
			problem_warning(problems, port->device_place, "device",
					"tx_pcap: the folder %s: %s", out, strerror(errno));
	}
	free(in);
	free(out);
}

void host_check(const struct config *config, struct problems *problems)
{
	check_group(config, problems);
	check_cores(config, problems);
	for (size_t i = 0; i < config->port_count; i++)
		check_captures(&config->ports[i], problems);
}
