// SPDX-License-Identifier: BSD-3-Clause
/* Prints docs/settings.md: every setting of napd.yaml, from control/config.def. */
#include <ctype.h>
#include <stdio.h>

#include "settings.h"

static const char opening[] =
	"# Settings of napd.yaml\n"
	"\n"
	"<!-- Made by scripts/docs from control/config.def; do not edit. -->\n"
	"\n"
	"`napd check` reads a file and tells everything that is wrong with it, line by line. An editor\n"
	"that knows JSON Schema does so while you type, with [napd.schema.json](napd.schema.json).\n"
	"\n"
	"Text is taken as written: a MAC or an address needs no quotes (but text that ends in a colon,\n"
	"such as `\"2001:db8::\"`, does). Rates take `k M G T`, powers of 1000, and an optional `bps`;\n"
	"sizes `k M G`, powers of 1024; counts `k M`; all may have a fraction: `2.5G`. `true` may be\n"
	"written `yes` or `on`, `false` `no` or `off`. A list of one value needs no brackets. YAML\n"
	"anchors and aliases work; tags and merge keys (`<<`) do not. Paths are relative to the file in\n"
	"which they stand.\n";

static void print_default(const struct setting *s)
{
	const char *text = s->fallback + 1;

	if (s->fallback[0] == '=' && *text)
		printf("`%s`", text);
	else if (s->fallback[0] == '=')
		printf("empty");
	else if (s->fallback[0] == '!')
		printf("**required**");
	else if (s->fallback[0] == '~')
		printf("%s", text);
}

/* GitHub's anchor of a heading: small letters, punctuation left out. */
static void print_anchor(const char *heading)
{
	for (; *heading; heading++)
		if (isalnum((unsigned char)*heading) || *heading == '-')
			putchar(*heading);
}

static void print_setting(const struct setting *s)
{
	char allowed[SETTING_ALLOWED_MAX];

	printf("| `%s` | ", s->key);
	if (s->type == SETTING_OBJECT) {
		const char *path = object_row(s->child)->path;

		printf("%s, see [`%s`](#", s->list ? "a list of mappings" : "a mapping", path);
		print_anchor(path);
		printf(")");
	} else {
		printf("%s%s", s->list || s->type == SETTING_WORDS ? "a list: " : "",
		       setting_allowed(s, allowed));
	}
	printf(" | ");
	print_default(s);
	printf(" | %s |\n", s->text);
}

int main(void)
{
	fputs(opening, stdout);
	for (enum object object = 0; object < OBJECT_COUNT; object++) {
		const struct object_row *row = object_row(object);

		printf("\n## %s\n\n%s\n\n", *row->path ? row->path : "The file", row->text);
		printf("| setting | value | default | meaning |\n| --- | --- | --- | --- |\n");
		for (size_t i = 0; i < row->settings; i++)
			print_setting(&row->setting[i]);
	}
	return ferror(stdout) ? 1 : 0;
}
