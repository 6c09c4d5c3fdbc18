// SPDX-License-Identifier: BSD-3-Clause
/* Prints napctl's completion for bash from control/commands.def. */
#include <stdio.h>

static const char *const known[] = {
#define COMMAND(words, function, arguments, writes, sentence) words "|" arguments,
#include "commands.def"
};

int main(void)
{
	puts("# bash completion for napctl. Made from control/commands.def; do not edit.\n"
	     "\n"
	     "_napctl_commands=(");
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		printf("\t'%s'\n", known[i]);
	puts(")\n"
	     "\n"
	     "_napctl_names() { # ports|members KEY: as napd says\n"
	     "\tnapctl \"${_napctl_socket[@]}\" --json show \"$1\" 2>/dev/null |\n"
	     "\t\tsed -n 's/^    \"'\"$2\"'\": \"\\(.*\\)\",\\{0,1\\}$/\\1/p'\n"
	     "}\n"
	     "\n"
	     "# What may follow the words of a command: options and words of its arguments, and names.\n"
	     "_napctl_arguments() { # WORDS ARGUMENTS PREVIOUS\n"
	     "\tlocal token\n"
	     "\tcase $3 in\n"
	     "\t--port) _napctl_names ports port; return ;;\n"
	     "\tmember) _napctl_names members member; return ;;\n"
	     "\tport) _napctl_names ports port; return ;;\n"
	     "\tupdates) compgen -f -- \"$current\"; return ;;\n"
	     "\t--speed) echo max; return ;;\n"
	     "\t--since | --last | --confirm | source | via) return ;;\n"
	     "\tesac\n"
	     "\tfor token in ${2//[^a-zA-Z-]/ }; do\n"
	     "\t\t[[ $token =~ ^[a-z-]+$ ]] && echo \"$token\"\n"
	     "\tdone\n"
	     "}\n"
	     "\n"
	     "_napctl() {\n"
	     "\tlocal -a words=() rest\n"
	     "\tlocal i entry current=${COMP_WORDS[COMP_CWORD]} typed IFS=$' \\t\\n' candidates=\n"
	     "\t_napctl_socket=()\n"
	     "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	     "\t\tcase ${COMP_WORDS[i]} in\n"
	     "\t\t-s | --socket) _napctl_socket=(-s \"${COMP_WORDS[++i]}\") ;;\n"
	     "\t\t--json | --watch) ;;\n"
	     "\t\tneighbors) words+=(neighbours) ;;\n"
	     "\t\tneighbor) words+=(neighbour) ;;\n"
	     "\t\t*) words+=(\"${COMP_WORDS[i]}\") ;;\n"
	     "\t\tesac\n"
	     "\tdone\n"
	     "\tCOMPREPLY=()\n"
	     "\tcase ${COMP_WORDS[COMP_CWORD - 1]} in\n"
	     "\t-s | --socket)\n"
	     "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
	     "\t\treturn\n"
	     "\t\t;;\n"
	     "\tesac\n"
	     "\ttyped=\"${words[*]}\"\n"
	     "\tfor entry in \"${_napctl_commands[@]}\"; do\n"
	     "\t\tread -ra rest <<<\"${entry%%|*}\"\n"
	     "\t\tif [[ \"$typed \" == \"${rest[*]} \"* ]]; then\n"
	     "\t\t\tcandidates+=$(_napctl_arguments \"${rest[*]}\" \"${entry#*|}\" \"${words[-1]}\")$'\\n'\n"
	     "\t\telif [[ -z $typed || \"${rest[*]} \" == \"$typed \"* ]]; then\n"
	     "\t\t\tcandidates+=${rest[${#words[@]}]}$'\\n'\n"
	     "\t\tfi\n"
	     "\tdone\n"
	     "\t[[ $current == -* ]] && candidates+=$'--json\\n--watch\\n--socket\\n--help\\n--version\\n'\n"
	     "\tIFS=$'\\n'\n"
	     "\tfor entry in $(sort -u <<<\"$candidates\"); do\n"
	     "\t\t[[ -n $entry && $entry == \"$current\"* ]] && COMPREPLY+=(\"$(printf %q \"$entry\")\")\n"
	     "\tdone\n"
	     "\treturn 0\n"
	     "}\n"
	     "\n"
	     "complete -F _napctl napctl");
	return 0;
}
