// SPDX-License-Identifier: BSD-3-Clause
/* What a configuration says of the host: told with its place, for run and check, not for replay. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "host_check.h"

static const struct {
	const char *claim, *text;
	const char *warning; /* LINE:COLUMN: TEXT; "": none */
} rows[] = {
	{ "the default group need not be there", "control: {socket: /tmp/x}\n", "" },
	{ "a group that is there", "control: {group: root}\n", "" },
	{ "a group that is not there", "control:\n  group: no-such-group\n",
	  "2:10: control.group: there is no group no-such-group here; only napd's user and root may "
	  "use the socket" },
	{ "cores are auto", "dataplane: {cores: auto}\n", "" },
	{ "a CPU that is not there", "dataplane: {cores: 1023}\n",
	  "1:20: dataplane.cores: CPU 1023 is not there, or not for this process; no worker will "
	  "run on it" },
	{ "captures that are there",
	  "ports: [{name: px, device: 'net_pcap0,rx_pcap=/etc/passwd,tx_pcap=/tmp/x'}]\n", "" },
	{ "interfaces are none", "ports: [{name: px, device: 'net_pcap0,iface=lo'}]\n", "" },
	{ "a capture that is not there",
	  "ports: [{name: px, device: 'net_pcap0,tx_pcap=x,rx_pcap=/nowhere/in.pcap'}]\n",
	  "1:28: device: rx_pcap: /nowhere/in.pcap: No such file or directory" },
	{ "a folder that is not there",
	  "ports: [{name: px, device: 'net_pcap0,rx_pcap=/etc/passwd,tx_pcap=/nowhere/x'}]\n",
	  "1:28: device: tx_pcap: the folder /nowhere: No such file or directory" },
};

static void hosts_are_looked_at(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct problems problems = { 0 };
		struct config *config;
		char text[512], found[512] = "";

		snprintf(text, sizeof(text), "%s%s", rows[i].text,
			 strstr(rows[i].text, "ports:") ? ""
							: "ports: [{name: pa, device: net_a}]\n");
		config = config_parse(text, strlen(text), "x.yaml", &problems);
		assert_non_null(config);
		assert_int_equal(problems.count, 0);
		host_check(config, &problems);
		assert_true(problems.count <= 1);
		if (problems.count)
			snprintf(found, sizeof(found), "%u:%u: %s", problems.list[0].place.line,
				 problems.list[0].place.column, problems.list[0].text);
		if (strcmp(found, rows[i].warning) != 0)
			fail_msg("%s: %s", rows[i].claim, found);
		problems_release(&problems);
		config_free(config);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_are_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
