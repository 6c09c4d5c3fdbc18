// SPDX-License-Identifier: BSD-3-Clause
/* Prints docs/drops.md: every stage of the packet path and why it drops, from pipeline.def. */
#include <ctype.h>
#include <stdio.h>

#include "catalogue.h"

static const char opening[] =
	"# Why packets are dropped\n"
	"\n"
	"<!-- Made by scripts/docs from dataplane/pipeline.def; do not edit. -->\n"
	"\n"
	"The stages of the packet path in the order they run. A packet that a stage drops is counted\n"
	"under one of the names below: in the report of `napd replay`, in `napctl show drops`, in the\n"
	"label `reason` of the metrics, and in the names of the captures `drop-REASON.pcap`.\n";

/* A reason follows its stage, so the first of a stage opens the table. */
static void print_row(const struct pipeline_row *row, int first_of_stage)
{
	if (row->reason == REASON_NONE) {
		printf("\n## %s\n\n%c%s.\n", row->name, toupper(row->text[0]), row->text + 1);
		return;
	}
	if (first_of_stage)
		printf("\n| reason | what it means |\n| --- | --- |\n");
	printf("| `%s` | %s |\n", row->name, row->text);
}

int main(void)
{
	int first_of_stage = 1;

	fputs(opening, stdout);
	for (unsigned int i = 0; i < pipeline_row_count; i++) {
		print_row(&pipeline_rows[i], first_of_stage);
		first_of_stage = pipeline_rows[i].reason == REASON_NONE;
	}
	return ferror(stdout) ? 1 : 0;
}
