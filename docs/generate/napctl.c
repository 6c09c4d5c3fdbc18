// SPDX-License-Identifier: BSD-3-Clause
/* Prints docs/napctl.md from control/commands.def. */
#include <stdbool.h>
#include <stdio.h>

static const struct {
	const char *words, *arguments;
	bool writes;
	const char *sentence;
} known[] = {
#define COMMAND(words, function, arguments, writes, sentence) \
	{ words, arguments, writes, sentence },
#include "commands.def"
};

/* In a table of Markdown a bar ends a cell, even in code. */
static void print_cell(const char *text)
{
	for (; *text; text++) {
		if (*text == '|')
			putchar('\\');
		putchar(*text);
	}
}

static void print_commands(void)
{
	puts("| command | what it does | read-only socket |\n| --- | --- | --- |");
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		printf("| `%s", known[i].words);
		if (*known[i].arguments) {
			putchar(' ');
			print_cell(known[i].arguments);
		}
		printf("` | %s | %s |\n", known[i].sentence, known[i].writes ? "no" : "yes");
	}
}

int main(void)
{
	puts("<!-- Made from control/commands.def by scripts/docs; do not edit. -->\n"
	     "# napctl\n"
	     "\n"
	     "Talks to a running napd over its control socket.\n"
	     "\n"
	     "    napctl [-s SOCKET] [--json] [--watch] COMMAND...\n"
	     "\n"
	     "## Commands\n");
	print_commands();
	puts("\n`neighbors` is the same word as `neighbours`. `TIME` is `30s`, `5m` or `1h`: what was\n"
	     "counted in that time, with rates. There is a sample of every second for five minutes and of every\n"
	     "minute for a day, of ports and workers, of members, and of pairs of members, each bounded to\n"
	     "64 MB, so that with thousands of busy ones it is less than a day; a second may be several where\n"
	     "there are thousands of members, as no step of reading takes long. What is said ends with the\n"
	     "last sample and begins with one, or at the start of napd; `since_s` says how long that is.\n"
	     "\n"
	     "## Options\n"
	     "\n"
	     "`-s`, `--socket SOCKET`: the control socket; without it `/run/napd/napd.sock`, or where the\n"
	     "user may not use that, `/run/napd/napd-ro.sock`, which only shows.\n"
	     "\n"
	     "`--json`: one JSON document instead of a table; the keys stay what they are, others may come.\n"
	     "\n"
	     "`--watch`: again every second until Ctrl-C; commands with `--since` show the last two seconds.\n"
	     "\n"
	     "`--help`, `--version`.\n"
	     "\n"
	     "## Sockets\n"
	     "\n"
	     "`control.socket` has mode 0660 and the group of `control.group`: who is in it may do everything.\n"
	     "`control.readonly-socket` has mode 0666: everybody on the host may look.\n"
	     "\n"
	     "## Exit status\n"
	     "\n"
	     "0: done. 1: it failed, napd does not run, or the packet of `show route ADDRESS` would be\n"
	     "dropped. 2: the command is wrong. 130: Ctrl-C. What is wrong is one line on standard error.\n"
	     "\n"
	     "## Completion\n"
	     "\n"
	     "For bash, installed as `share/bash-completion/completions/napctl`; it is made from the same\n"
	     "declaration, and asks napd for names of ports and members.");
	return 0;
}
