// SPDX-License-Identifier: BSD-3-Clause
/*
 * Fuzz target: any bytes as an MRT file of a small exchange. Every record goes through the
 * parsers by itself in a buffer of exactly its size; then the whole is loaded as a dump, and
 * played as updates upon what was loaded.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "address.h"
#include "feed/dump.h"
#include "feed/mrt.h"
#include "feed/updates.h"
#include "model.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CAPACITY 50

/* On whose subnets next hops of the seeds are. */
static const char exchange[] =
	"ports:\n"
	"  - {name: pa, device: a, addresses: [192.168.1.1/16, \"2001:db8:64:b::1/64\"]}\n"
	"  - {name: pb, device: b, addresses: [198.51.100.1/24, \"fd00:b::1/64\"]}\n"
	"members:\n"
	"  - {name: A, asn: 65000, port: pa, routers: [{addresses: [192.168.0.10]}]}\n"
	"  - {name: B, port: pb, routers: [{addresses: [198.51.100.6, \"fd00:b::2\"]}]}\n";
static struct config *config;

static void require(bool true_claim, const char *claim)
{
	if (true_claim)
		return;
	fprintf(stderr, "not true: %s\n", claim);
	abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct problems problems = { 0 };

	(void)argc;
	(void)argv;
	config = config_parse(exchange, strlen(exchange), "exchange", &problems);
	problems_print(&problems);
	require(config != NULL, "the exchange is right");
	config->dataplane.capacity_ipv4 = config->dataplane.capacity_ipv6 = CAPACITY;
	return 0;
}

/* ---- records by themselves ---- */

static void check_wrong(const struct mrt_record *record, const struct octets_error *wrong)
{
	require(wrong->at >= record->body.at && wrong->at <= record->body.end,
		"an error is inside its record");
	require(wrong->text && wrong->text[0], "an error says something");
}

static void check_paths(const struct mrt_record *record)
{
	struct octets_error wrong;
	struct mrt_paths paths;
	struct mrt_path path;
	int rc = mrt_paths_open(record, &paths, &wrong);

	while (!rc && (rc = mrt_paths_next(&paths, &path, &wrong)) > 0) {
		require(path.bgp.origin <= 2, "origins are three");
		require(!path.bgp.has_next_hop || !paths.prefix.ipv6 || path.bgp.next_hop.ipv6,
			"no IPv6 over IPv4");
		rc = 0;
	}
	if (rc)
		check_wrong(record, &wrong);
}

static void check_list(struct bgp_prefixes list)
{
	struct octets_error wrong;
	struct ip_prefix prefix;
	uint32_t path_id;
	int rc;

	while ((rc = bgp_prefix_next(&list, &prefix, &path_id, NULL, &wrong)) > 0)
		require(prefix.key.length <= (prefix.ipv6 ? 128 : 32), "lengths are in range");
	require(rc == 0, "what was parsed is right to its end");
}

static void check_message(const struct mrt_record *record)
{
	struct octets_error wrong;
	struct mrt_message m;

	if (mrt_message_parse(record, &m, &wrong)) {
		check_wrong(record, &wrong);
		return;
	}
	if (m.type != MRT_BGP_UPDATE)
		return;
	check_list(m.update.withdrawn);
	check_list(m.update.mp_withdrawn);
	check_list(m.update.announced);
	check_list(m.update.mp_announced);
}

static void check_record(const struct mrt_record *record)
{
	size_t n = octets_left(&record->body);
	struct mrt_record exact = *record;
	uint8_t *copy = malloc(n ? n : 1);

	require(copy != NULL, "there is memory");
	memcpy(copy, record->body.at, n);
	exact.body = (struct octets){ copy, copy + n };
	switch (mrt_content(&exact)) {
	case MRT_PATHS:
		check_paths(&exact);
		break;
	case MRT_MESSAGE:
	case MRT_STATE:
		check_message(&exact);
		break;
	default:
		break;
	}
	free(copy);
}

static void check_records(const char *path, size_t size, bool plain)
{
	struct mrt_error error;
	struct mrt_record record;
	struct mrt_reader *reader = mrt_open(path, &error);
	int rc;

	require(reader != NULL, "the file can be opened");
	while ((rc = mrt_next(reader, &record, &error)) > 0)
		check_record(&record);
	require(rc == 0 || error.text[0], "an error says something");
	require(rc == 0 || !plain || error.offset <= size, "an error is inside the file");
	mrt_close(reader);
}

/* ---- the file ---- */

static void check_model(struct model *model)
{
	struct model_routes routes;
	struct snapshot *snapshot;

	model_routes(model, &routes);
	require(routes.ipv4 <= CAPACITY + 2 && routes.ipv6 <= CAPACITY + 2, "the capacity is kept");
	require(routes.unresolved <= 4 * CAPACITY && routes.refused <= 8 * CAPACITY,
		"counts are no more than there can be");
	snapshot = model_snapshot(model);
	require(snapshot != NULL, "there is memory");
	snapshot->release(snapshot);
}

static struct model *load(char *path, size_t files, bool keep, bool map)
{
	char *automatic[] = { (char[]){ "auto" } };
	const struct dump_options dumps = {
		.file = &path, .files = files, .map = automatic, .maps = map, .keep = keep
	};
	const struct model_options options = { .dumps = &dumps };
	struct problems problems = { 0 };
	struct model *model = model_create(config, &options, &problems);

	require((model != NULL) == (problems.errors == 0),
		"errors refuse the file, and nothing else");
	problems_release(&problems);
	return model;
}

/* Played upon the dump, if it is one (concatenated files are), else upon nothing. */
static void check_updates(char *path, struct model *model)
{
	struct problems problems = { 0 };
	struct updates *updates = updates_open(&path, 1, &problems);

	require((updates != NULL) == (problems.errors == 0), "errors refuse updates");
	problems_release(&problems);
	if (!updates)
		return;
	for (long n = 1; n > 0;) {
		uint64_t next = updates_next_ns(updates);

		n = updates_apply(updates, model, next, 7);
		require(n >= 0, "what was checked can be applied");
		require((n == 0) == (next == UINT64_MAX), "messages are applied when it is time");
	}
	check_model(model);
	updates_close(updates);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int file = memfd_create("mrt", 0);
	char path[64];
	struct model *model;

	require(file >= 0 && write(file, data, size) == (ssize_t)size, "the file can be written");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	check_records(path, size,
		      size < 2 || (data[0] != 0x1f && data[0] != 'B' && data[0] != 0xfd));
	model = load(path, 1, false, size % 2);
	if (model)
		check_model(model);
	model_free(model);
	model = load(path, 0, true, size % 2);
	require(model != NULL, "an exchange without a dump is right");
	check_updates(path, model);
	model_free(model);
	close(file);
	return 0;
}
