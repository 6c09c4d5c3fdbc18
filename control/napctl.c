// SPDX-License-Identifier: BSD-3-Clause
/* napctl: sends a command to a running napd and prints what it answers. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <jansson.h>

#include "command.h"

#define SOCKET_DEFAULT          "/run/napd/napd.sock"
#define READONLY_SOCKET_DEFAULT "/run/napd/napd-ro.sock"
#define WORDS_MAX               30 /* napd takes 32 */
#define ANSWER_SECONDS          30
#define RELOAD_SECONDS          600 /* tables of millions are read from files */

struct known_command {
	const char *words, *arguments;
	bool writes;
	const char *sentence;
};

static const struct known_command known[] = {
#define COMMAND(words, function, arguments, writes, sentence) \
	{ words, arguments, writes, sentence },
#include "commands.def"
#undef COMMAND
};
#define KNOWN (sizeof(known) / sizeof(known[0]))

static int print_usage(void)
{
	fputs("usage: napctl [-s SOCKET] [--json] [--watch] COMMAND...\n"
	      "\n"
	      "Talks to a running napd.\n"
	      "\n",
	      stdout);
	for (size_t i = 0; i < KNOWN; i++)
		printf("  %s%s%s\n      %s\n", known[i].words, *known[i].arguments ? " " : "",
		       known[i].arguments, known[i].sentence);
	fputs("\n"
	      "  -s, --socket SOCKET    the control socket (default " SOCKET_DEFAULT ",\n"
	      "                         or where that is not yours " READONLY_SOCKET_DEFAULT ")\n"
	      "      --json             one JSON document instead of text\n"
	      "      --watch            again every second, until Ctrl-C; where there is\n"
	      "                         --since: of the last two seconds\n"
	      "      --help, --version\n"
	      "\n"
	      "TIME is 30s, 5m, 1h, at most a day. Exit status: 0 done; 1 it failed, or a packet of\n"
	      "show route would be dropped; 2 the command is wrong; 130 after Ctrl-C.\n",
	      stdout);
	return flush_stdout(0);
}

/* The command that words begin with; NULL: none is known. */
static const struct known_command *command_of(int argc, char **argv)
{
	for (size_t i = 0; i < KNOWN; i++) {
		const char *at = known[i].words;
		int n = 0;

		while (*at && n < argc) {
			const size_t length = strcspn(at, " ");

			if (strncmp(argv[n], at, length) != 0 || argv[n][length])
				break;
			at += length + (at[length] == ' ');
			n++;
		}
		if (!*at)
			return &known[i];
	}
	return NULL;
}

static int connect_to(const char *path, int seconds)
{
	const struct timeval patience = { seconds, 0 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int s, error;

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(address.sun_path, path);
	s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s < 0)
		return -1;
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(s, (struct sockaddr *)&address, sizeof(address)) == 0)
		return s;
	error = errno;
	close(s);
	errno = error;
	return -1;
}

static int send_all(int s, const char *text, size_t length)
{
	while (length) {
		const ssize_t n = send(s, text, length, MSG_NOSIGNAL);

		if (n < 0)
			return -errno;
		text += n;
		length -= n;
	}
	return 0;
}

/* The whole answer, up to the end of the connection; malloc, or NULL with errno. */
static char *read_all(int s)
{
	size_t size = 65536, length = 0;
	char *text = malloc(size);

	while (text) {
		const ssize_t n = recv(s, text + length, size - length - 1, 0);
		char *larger;

		if (n < 0 && (errno != ECONNRESET || !length)) {
			free(text);
			return NULL;
		}
		length += n < 0 ? 0 : n;
		if (n <= 0) { /* one that is turned away may have been answered before it asked */
			text[length] = '\0';
			return text;
		}
		if (size - length > 4096)
			continue;
		size *= 2;
		larger = realloc(text, size);
		if (!larger)
			free(text);
		text = larger;
	}
	return NULL;
}

/* Send the words, return the answer, or the part of it behind after. NULL: an error was said. */
static json_t *ask(const char *path, int argc, char **argv, int json, const char *after)
{
	json_t *request = json_pack("{s:[],s:b}", "argv", "json", json), *answer = NULL;
	const bool reads_files = strcmp(argv[0], "reload") == 0 || strcmp(argv[0], "load") == 0;
	const int s = connect_to(path, reads_files ? RELOAD_SECONDS : ANSWER_SECONDS);
	char *text = NULL;

	for (int i = 0; i < argc; i++)
		json_array_append_new(json_object_get(request, "argv"), json_string(argv[i]));
	if (after)
		json_object_set_new(request, "after", json_string(after));
	if (s < 0) {
		complain(1, "napctl: %s: %s; is napd running? (-s names its control.socket)", path,
			 strerror(errno));
	} else {
		char *line = json_dumps(request, JSON_COMPACT);

		/* who is turned away cannot ask, but is told why */
		if (line && (send_all(s, line, strlen(line)) || send_all(s, "\n", 1)))
			shutdown(s, SHUT_WR);
		text = line ? read_all(s) : NULL;
		answer = text ? json_loads(text, 0, NULL) : NULL;
		if (!answer)
			complain(1, "napctl: %s: napd did not answer", path);
		free(line);
		close(s);
	}
	free(text);
	json_decref(request);
	return answer;
}

/* Long answers come in parts: text is printed as it comes, the rows of a document are gathered. */
static int run_once(const char *path, int argc, char **argv, int json)
{
	json_t *whole = NULL;
	char *after = NULL;
	int status = 0;

	do {
		json_t *answer = ask(path, argc, argv, json, after);
		json_t *document = json_object_get(answer, "json");
		const char *text = json_string_value(json_object_get(answer, "text"));
		const char *error = json_string_value(json_object_get(answer, "error"));
		const char *next = json_string_value(json_object_get(answer, "next"));

		status = answer ? (int)json_integer_value(json_object_get(answer, "status")) : 1;
		free(after);
		after = next ? strdup(next) : NULL;
		if (document && json_is_array(whole))
			json_array_extend(whole, document);
		else if (document)
			whole = json_incref(document);
		else if (text && fputs(text, stdout) < 0 && errno == EPIPE)
			_exit(1); /* the reader has seen enough */
		if (error)
			fprintf(stderr, "%s\n", error);
		json_decref(answer);
	} while (after && !status);
	free(after);
	if (whole) {
		json_dumpf(whole, stdout,
			   JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(12));
		putchar('\n');
	}
	json_decref(whole);
	return flush_stdout(status);
}

static void on_interrupt(int number)
{
	(void)number;
	_exit(130);
}

/* Counters are watched as what they grew by lately, unless the user says since when. */
static int watch(const char *path, int argc, char **argv, int json)
{
	static char since[] = "--since", lately[] = "2s";
	const struct known_command *c = command_of(argc, argv);
	char *words[WORDS_MAX + 2];
	bool given = !c || !strstr(c->arguments, since) || strcmp(c->words, "show events") == 0;

	if (c && c->writes)
		return complain(2, "napctl: %s: is done once; --watch is for what shows", c->words);
	if (argc > WORDS_MAX)
		return complain(2, "napctl: more than %d words", WORDS_MAX);
	for (int i = 0; i < argc; i++) {
		words[i] = argv[i];
		given |= strcmp(argv[i], since) == 0;
	}
	if (!given) {
		words[argc++] = since;
		words[argc++] = lately;
	}
	for (;;) {
		int status;

		if (isatty(STDOUT_FILENO))
			fputs("\033[H\033[2J", stdout);
		status = run_once(path, argc, words, json);
		fflush(stdout);
		if (status == 2)
			return status;
		sleep(1);
	}
}

/* napd opens the file of load updates, from where it runs. */
static void name_file(int argc, char **argv)
{
	char *whole;

	if (argc < 3 || strcmp(argv[0], "load") != 0 || strcmp(argv[1], "updates") != 0)
		return;
	whole = realpath(argv[2], NULL);
	if (whole)
		argv[2] = whole; /* for as long as this runs */
}

int main(int argc, char **argv)
{
	enum { JSON = 256, WATCH, HELP, VERSION };
	static const struct option options[] = {
		{ "socket", required_argument, NULL, 's' }, { "json", no_argument, NULL, JSON },
		{ "watch", no_argument, NULL, WATCH },      { "help", no_argument, NULL, HELP },
		{ "version", no_argument, NULL, VERSION },  { NULL, 0, NULL, 0 },
	};
	const char *path = NULL;
	int json = 0, watching = 0, option;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, on_interrupt);
	opterr = 0;
	/* "+": options behind the command are the command's */
	while ((option = getopt_long(argc, argv, "+:s:", options, NULL)) != -1) {
		switch (option) {
		case 's':
			path = optarg;
			break;
		case JSON:
			json = 1;
			break;
		case WATCH:
			watching = 1;
			break;
		case HELP:
			return print_usage();
		case VERSION:
			printf("napctl %s\n", NAPD_VERSION);
			return flush_stdout(0);
		default:
			return complain(2, "napctl: %s is no option of it (napctl --help)",
					argv[optind - 1]);
		}
	}
	/* --json and --watch are taken anywhere: they mean the same to every command */
	for (int i = optind; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0)
			return print_usage();
	}
	for (int i = optind; i < argc; i++) {
		const int is_json = strcmp(argv[i], "--json") == 0;

		if (!is_json && strcmp(argv[i], "--watch") != 0)
			continue;
		json |= is_json;
		watching |= !is_json;
		memmove(&argv[i], &argv[i + 1], (argc - i) * sizeof(*argv));
		argc--;
		i--;
	}
	if (optind == argc)
		return complain(2, "napctl: which command? (napctl --help)");
	if (!path)
		path = access(SOCKET_DEFAULT, R_OK | W_OK) == 0 ||
				       access(READONLY_SOCKET_DEFAULT, R_OK | W_OK) != 0
			       ? SOCKET_DEFAULT
			       : READONLY_SOCKET_DEFAULT;
	name_file(argc - optind, argv + optind);
	return watching ? watch(path, argc - optind, argv + optind, json)
			: run_once(path, argc - optind, argv + optind, json);
}
