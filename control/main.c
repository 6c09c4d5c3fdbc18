// SPDX-License-Identifier: BSD-3-Clause
/* napd: which command, with which arguments. */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "config.h"
#include "doctor.h"
#include "host_check.h"
#include "model.h"
#include "replay.h"
#include "run.h"

struct command {
	const char *name;
	const char *summary;
	const char *usage;
	int (*run)(int argc, char **argv);
};

static int command_replay(int argc, char **argv);
static int command_check(int argc, char **argv);
static int command_run_daemon(int argc, char **argv);
static int command_doctor(int argc, char **argv);

static const char replay_usage[] =
	"usage: napd replay [-c FILE] [--in PORT=CAPTURE]... [--rib FILE]... [--out DIR]\n"
	"                   [--json] [--accept-any-mac] [--filter EXPR]\n"
	"                   [--rib-map PEER-AS=MEMBER|auto]... [--updates FILE]... [CAPTURE]\n"
	"\n"
	"Forwards captures through the exchange, offline: no NIC, no hugepages, no root,\n"
	"no network. Without -c, CAPTURE goes into port \"in\" of a built-in exchange that\n"
	"has a default route to port \"out\" and takes any MAC.\n"
	"\n"
	"  -c, --config FILE      the exchange (default " CONFIG_PATH_DEFAULT ")\n"
	"      --in PORT=CAPTURE  frames that arrive at a port; may be given many times, and\n"
	"                         all are merged by timestamp\n"
	"      --rib FILE         routes from an MRT dump, like those of tables.mrt\n"
	"      --rib-map PEER-AS=MEMBER\n"
	"                         peers of that AS are this member: its routers are the next\n"
	"                         hops; auto gives every peer a member\n"
	"      --updates FILE     BGP messages of an MRT file change the routes, at their time\n"
	"      --out DIR          write DIR/PORT.pcap, what left each port, and\n"
	"                         DIR/drop-REASON.pcap, what was dropped\n"
	"      --json             print the report as one JSON object\n"
	"      --accept-any-mac   for captures made elsewhere: every unicast frame counts as\n"
	"                         addressed to its port, and MAC locks are off\n"
	"      --filter EXPR      only frames that match a pcap-filter(7) expression\n"
	"      --help             this text\n"
	"\n"
	"A CAPTURE is pcap or pcapng of Ethernet frames, plain or .gz; - is standard input.\n"
	"MRT files are plain, .gz, .bz2 or .xz.\n"
	"\n"
	"Exit status: 0 done; 1 the work failed, or a capture is torn; 2 arguments,\n"
	"configuration or capture are wrong; 130 stopped by Ctrl-C.\n";

static const char run_usage[] =
	"usage: napd run [-c FILE]\n"
	"\n"
	"Runs the exchange in the foreground, until SIGTERM or Ctrl-C. SIGHUP reloads the\n"
	"configuration; napctl shows what it does.\n"
	"\n"
	"  -c, --config FILE      the exchange (default " CONFIG_PATH_DEFAULT ")\n"
	"      --help             this text\n"
	"\n"
	"Exit status: 0 stopped; 1 it could not start; 2 the configuration is wrong.\n";

static const char check_usage[] =
	"usage: napd check [-c FILE]\n"
	"\n"
	"Reads and validates a configuration and the tables it names; changes nothing.\n"
	"\n"
	"  -c, --config FILE      the exchange (default " CONFIG_PATH_DEFAULT ")\n"
	"      --help             this text\n"
	"\n"
	"Exit status: 0 it is right (there may be warnings); 2 it is not, and every error was\n"
	"printed.\n";

static const char doctor_usage[] =
	"usage: napd doctor [-c FILE] [--json]\n"
	"\n"
	"Examines the host (hugepages, IOMMU, NUMA, cores, drivers, limits, interfaces) for what\n"
	"the configuration needs, and says for each finding what mends it. Changes nothing.\n"
	"\n"
	"  -c, --config FILE      the exchange (default " CONFIG_PATH_DEFAULT ", if it is there)\n"
	"      --json             print the findings as one JSON object\n"
	"      --help             this text\n"
	"\n"
	"Exit status: 0 nothing is to be mended (there may be notes); 1 something is; 2 the\n"
	"configuration is wrong.\n";

static const struct command commands[] = {
	{ "run", "run the exchange", run_usage, command_run_daemon },
	{ "replay", "forward captures through the exchange, offline", replay_usage,
	  command_replay },
	{ "check", "validate a configuration and its tables", check_usage, command_check },
	{ "doctor", "examine the host, and say what mends it", doctor_usage, command_doctor },
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void print_usage(void)
{
	printf("usage: napd COMMAND [OPTION]...\n\n"
	       "An Internet exchange in a server.\n\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		printf("  %-8s %s\n", commands[i].name, commands[i].summary);
	printf("\n"
	       "  napd COMMAND --help    what a command takes\n"
	       "  napd --version         the version\n");
}

/* Say what getopt_long() did not take. option is what it returned. */
static int bad_option(const char *command, int option, char **argv)
{
	const char *given = argv[optind - 1];
	char letter[] = { '-', (char)optopt, '\0' };
	const char *what = "is no option of it";

	if (option == ':')
		what = "needs a value";
	else if (optopt && strncmp(given, "--", 2) != 0)
		given = letter;
	else if (optopt)
		what = "takes no value";
	return complain(EXIT_STATUS_WRONG, "napd %s: %s %s (napd %s --help)", command, given, what,
			command);
}

/* PORT=CAPTURE, which is cut in two. */
static int parse_input(char *text, struct replay_input *input)
{
	char *equals = strchr(text, '=');

	if (!equals || equals == text || equals[1] == '\0')
		return complain(EXIT_STATUS_WRONG, "napd replay: --in %s: is not PORT=CAPTURE",
				text);
	*equals = '\0';
	*input = (struct replay_input){ text, equals + 1 };
	return EXIT_STATUS_DONE;
}

/* What the command line of replay may give many times. */
struct replay_lists {
	struct replay_input *inputs;
	char **ribs, **maps, **updates;
};

static int parse_replay(int argc, char **argv, struct replay_options *options,
			const struct replay_lists *lists)
{
	enum { IN = 256, OUT, JSON, ANY_MAC, FILTER, HELP, RIB, RIB_MAP, UPDATES };
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "in", required_argument, NULL, IN },
		{ "out", required_argument, NULL, OUT },
		{ "json", no_argument, NULL, JSON },
		{ "accept-any-mac", no_argument, NULL, ANY_MAC },
		{ "filter", required_argument, NULL, FILTER },
		{ "rib", required_argument, NULL, RIB },
		{ "rib-map", required_argument, NULL, RIB_MAP },
		{ "updates", required_argument, NULL, UPDATES },
		{ "help", no_argument, NULL, HELP },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, ":c:", known, NULL)) != -1) {
		switch (option) {
		case 'c':
			options->config_path = optarg;
			break;
		case IN:
			if (parse_input(optarg, &lists->inputs[options->input_count++]))
				return EXIT_STATUS_WRONG;
			break;
		case OUT:
			options->out = optarg;
			break;
		case JSON:
			options->json = true;
			break;
		case ANY_MAC:
			options->any_mac = true;
			break;
		case FILTER:
			options->filter = optarg;
			break;
		case RIB:
			lists->ribs[options->dumps.files++] = optarg;
			break;
		case RIB_MAP:
			lists->maps[options->dumps.maps++] = optarg;
			break;
		case UPDATES:
			lists->updates[options->update_count++] = optarg;
			break;
		case HELP:
			fputs(replay_usage, stdout);
			return -1;
		default:
			return bad_option("replay", option, argv);
		}
	}
	options->dumps.keep = options->update_count > 0;
	return EXIT_STATUS_DONE;
}

static int replay_arguments(int argc, char **argv, const struct replay_lists *lists)
{
	struct replay_options options = { .inputs = lists->inputs,
					  .dumps = { .file = lists->ribs, .map = lists->maps },
					  .updates = lists->updates };
	int status = parse_replay(argc, argv, &options, lists);

	if (status == EXIT_STATUS_DONE && argc - optind > 1)
		status = complain(EXIT_STATUS_WRONG,
				  "napd replay: one CAPTURE only; for more of them --in "
				  "PORT=CAPTURE (napd replay --help)");
	else if (status == EXIT_STATUS_DONE && argc - optind == 1)
		lists->inputs[options.input_count++] = (struct replay_input){ NULL, argv[optind] };
	if (status == EXIT_STATUS_DONE && options.input_count == 0)
		status = complain(EXIT_STATUS_WRONG,
				  "napd replay: which capture? give CAPTURE or --in "
				  "PORT=CAPTURE (napd replay --help)");
	return status == EXIT_STATUS_DONE ? replay(&options) : status;
}

static int command_replay(int argc, char **argv)
{
	const struct replay_lists lists = { calloc(argc + 1, sizeof(*lists.inputs)),
					    calloc(argc + 1, sizeof(char *)),
					    calloc(argc + 1, sizeof(char *)),
					    calloc(argc + 1, sizeof(char *)) };
	int status;

	if (lists.inputs && lists.ribs && lists.maps && lists.updates)
		status = replay_arguments(argc, argv, &lists);
	else
		status = complain(EXIT_STATUS_FAILED, "napd replay: no memory");
	free(lists.inputs);
	free(lists.ribs);
	free(lists.maps);
	free(lists.updates);
	return status < 0 ? EXIT_STATUS_DONE : status;
}

static int check(const char *path)
{
	struct model_options options = { 0 };
	struct problems problems = { 0 };
	struct config *config = config_load(path, &problems);
	struct model *model = config ? model_create(config, &options, &problems) : NULL;
	struct model_routes routes;
	int status = EXIT_STATUS_DONE;

	if (config)
		host_check(config, &problems);
	problems_print(&problems);
	if (model && !problems.errors) {
		model_routes(model, &routes);
		printf("%s: ok (%zu ports, %zu members, %zu static routes; %" PRIu64
		       " IPv4 and %" PRIu64 " IPv6 prefixes in force)\n",
		       path, config->port_count, config->member_count, config->route_count,
		       routes.ipv4, routes.ipv6);
	} else if (problems.errors > 0) {
		status = EXIT_STATUS_WRONG;
	} else {
		status = complain(EXIT_STATUS_FAILED, "%s: no memory", path);
	}
	problems_release(&problems);
	model_free(model);
	config_free(config);
	return status;
}

/* Arguments of a command that takes nothing but -c FILE, and what it does with that. */
static int command_with_config(int argc, char **argv, const char *usage, int (*work)(const char *))
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *path = CONFIG_PATH_DEFAULT;
	int option;

	while ((option = getopt_long(argc, argv, ":c:", known, NULL)) != -1) {
		if (option == 'c') {
			path = optarg;
		} else if (option == 'h') {
			fputs(usage, stdout);
			return EXIT_STATUS_DONE;
		} else {
			return bad_option(argv[0], option, argv);
		}
	}
	if (optind < argc)
		return complain(EXIT_STATUS_WRONG,
				"napd %s: %s: name the file with -c (napd %s --help)", argv[0],
				argv[optind], argv[0]);
	return work(path);
}

static int command_check(int argc, char **argv)
{
	return command_with_config(argc, argv, check_usage, check);
}

static int command_run_daemon(int argc, char **argv)
{
	return command_with_config(argc, argv, run_usage, run);
}

static int command_doctor(int argc, char **argv)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *path = NULL;
	bool json = false;
	int option;

	while ((option = getopt_long(argc, argv, ":c:", known, NULL)) != -1) {
		if (option == 'c') {
			path = optarg;
		} else if (option == 'j') {
			json = true;
		} else if (option == 'h') {
			fputs(doctor_usage, stdout);
			return EXIT_STATUS_DONE;
		} else {
			return bad_option("doctor", option, argv);
		}
	}
	if (optind < argc)
		return complain(EXIT_STATUS_WRONG, "napd doctor: %s: name the file with -c",
				argv[optind]);
	return doctor(path, json);
}

static int unknown_command(const char *name)
{
	char known[256] = "";

	for (size_t i = 0; i < COMMAND_COUNT; i++)
		snprintf(known + strlen(known), sizeof(known) - strlen(known), "%s%s",
			 i ? ", " : "", commands[i].name);
	return complain(EXIT_STATUS_WRONG,
			"napd: %s: no such command in this version; there are %s", name, known);
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	opterr = 0;
	if (argc < 2)
		return complain(EXIT_STATUS_WRONG, "napd: which command? (napd --help)");
	if (strcmp(argv[1], "--version") == 0) {
		printf("napd %s\n", NAPD_VERSION);
		return flush_stdout(EXIT_STATUS_DONE);
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_usage();
		return flush_stdout(EXIT_STATUS_DONE);
	}
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return flush_stdout(commands[i].run(argc - 1, argv + 1));
	return unknown_command(argv[1]);
}
