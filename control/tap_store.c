// SPDX-License-Identifier: BSD-3-Clause
/* Speaks the protocol of systemd's descriptor store by its own library. */
#include "tap_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "log.h"
#include "tap_link.h"

#define PREFIX "tap-"

static char **kept_name;
static int kept_count; /* descriptor i is SD_LISTEN_FDS_START + i; its name NULL: taken */

void tap_store_open(void)
{
	kept_count = sd_listen_fds_with_names(1, &kept_name);
	if (kept_count < 0)
		kept_count = 0;
}

int tap_store_take(const char *name)
{
	for (int i = 0; i < kept_count; i++) {
		const int fd = SD_LISTEN_FDS_START + i;

		if (!kept_name[i] || strncmp(kept_name[i], PREFIX, strlen(PREFIX)) != 0 ||
		    strcmp(kept_name[i] + strlen(PREFIX), name) != 0 || !tap_link_is(fd, name))
			continue;
		free(kept_name[i]);
		kept_name[i] = NULL;
		return fd;
	}
	return -1;
}

void tap_store_keep(const char *name, int fd)
{
	char state[96];

	snprintf(state, sizeof(state), "FDSTORE=1\nFDNAME=" PREFIX "%s\nFDPOLL=0", name);
	if (sd_pid_notify_with_fds(0, 0, state, &fd, 1) < 0)
		log_warning("tap",
			    "%s is not kept over a restart: the service manager does not "
			    "take its descriptor",
			    name);
}

void tap_store_drop(const char *name)
{
	char state[96];

	snprintf(state, sizeof(state), "FDSTOREREMOVE=1\nFDNAME=" PREFIX "%s", name);
	sd_notify(0, state);
}

void tap_store_close(void)
{
	for (int i = 0; i < kept_count; i++) {
		const int fd = SD_LISTEN_FDS_START + i;

		if (!kept_name[i])
			continue;
		if (strncmp(kept_name[i], PREFIX, strlen(PREFIX)) == 0) {
			log_info("tap", "%s belongs to no port any more, and goes",
				 kept_name[i] + strlen(PREFIX));
			tap_link_forget(fd);
			tap_store_drop(kept_name[i] + strlen(PREFIX));
		}
		close(fd);
		free(kept_name[i]);
	}
	free(kept_name);
	kept_name = NULL;
	kept_count = 0;
}
