// SPDX-License-Identifier: BSD-3-Clause
/*
 * Prints what napd reads in an MRT file, a line a path or message, for mrt_samples.py:
 * KIND|TIME|PEER|PEER-AS|PREFIX|PATH-ID|PATH-LENGTH|NEIGHBOUR-AS|ORIGIN|NEXT-HOP|LOCAL-PREF|MED.
 * Exit 2 with the reason and its place for what is refused.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "feed/mrt.h"

static struct mrt_peer *peer_table;
static uint32_t peers;

static void print_head(const char *kind, const struct mrt_record *record,
		       const struct mrt_peer *peer)
{
	char text[IP_TEXT_MAX];

	printf("%s|%" PRIu64 "|%s|%u", kind, record->time_ns / 1000000000,
	       ip_address_text(&peer->address, text), peer->as);
}

static void print_path(const char *kind, const struct mrt_record *record,
		       const struct mrt_peer *peer, const struct ip_prefix *prefix,
		       uint32_t path_id, const struct bgp_path *path)
{
	static const char *const origins[] = { "IGP", "EGP", "INCOMPLETE" };
	char text[IP_TEXT_MAX], hop[IP_TEXT_MAX] = "";

	print_head(kind, record, peer);
	if (path->has_next_hop)
		ip_address_text(&path->next_hop, hop);
	printf("|%s|%u|%u|%u|%s|%s|%u|%u\n", ip_prefix_text(prefix, text), path_id,
	       path->path_length, path->neighbour_as, origins[path->origin], hop, path->local_pref,
	       path->med);
}

static int print_table(const struct mrt_record *record, struct octets_error *wrong)
{
	struct mrt_paths paths;
	struct mrt_path path;
	int rc = mrt_paths_open(record, &paths, wrong);

	while (!rc && (rc = mrt_paths_next(&paths, &path, wrong)) > 0) {
		const struct mrt_peer *peer = &path.peer;

		rc = 0;
		if (!paths.own_peer && path.peer_number >= peers)
			return octets_wrong(wrong, path.at, "no such peer");
		if (!paths.own_peer)
			peer = &peer_table[path.peer_number];
		print_path("B", record, peer, &paths.prefix, path.path_id, &path.bgp);
	}
	return rc;
}

static int take_peers(const struct mrt_record *record, struct octets_error *wrong)
{
	struct mrt_peers list;
	int rc = mrt_peers_open(record, &list, wrong);

	if (rc)
		return rc;
	free(peer_table);
	peer_table = calloc(list.count + 1u, sizeof(*peer_table));
	for (peers = 0; peer_table && !rc;) {
		rc = mrt_peers_next(&list, &peer_table[peers], wrong);
		if (rc <= 0)
			break;
		peers++;
		rc = 0;
	}
	return rc;
}

static void print_list(const char *kind, const struct mrt_record *record,
		       const struct mrt_peer *peer, struct bgp_prefixes list,
		       const struct bgp_path *path)
{
	struct octets_error wrong;
	struct ip_prefix prefix;
	uint32_t path_id;
	char text[IP_TEXT_MAX];

	while (bgp_prefix_next(&list, &prefix, &path_id, NULL, &wrong) > 0) {
		if (path) {
			print_path(kind, record, peer, &prefix, path_id, path);
			continue;
		}
		print_head(kind, record, peer);
		printf("|%s|%u\n", ip_prefix_text(&prefix, text), path_id);
	}
}

static int print_message(const struct mrt_record *record, struct octets_error *wrong)
{
	struct mrt_message m;
	struct bgp_path mp;

	if (mrt_message_parse(record, &m, wrong))
		return -1;
	if (!m.type) {
		print_head("STATE", record, &m.peer);
		printf("|%u|%u\n", m.old_state, m.new_state);
	}
	if (m.type != MRT_BGP_UPDATE)
		return 0;
	mp = m.update.path;
	mp.next_hop = m.update.mp_next_hop;
	mp.has_next_hop = m.update.has_mp_next_hop;
	print_list("W", record, &m.peer, m.update.withdrawn, NULL);
	print_list("W", record, &m.peer, m.update.mp_withdrawn, NULL);
	print_list("A", record, &m.peer, m.update.announced, &m.update.path);
	print_list("A", record, &m.peer, m.update.mp_announced, &mp);
	return 0;
}

static int print_record(const struct mrt_record *record, struct octets_error *wrong)
{
	switch (mrt_content(record)) {
	case MRT_PEERS:
		return take_peers(record, wrong);
	case MRT_PATHS:
		return print_table(record, wrong);
	case MRT_MESSAGE:
	case MRT_STATE:
		return print_message(record, wrong);
	case MRT_UNSUPPORTED:
		return octets_wrong(wrong, record->body.at, "unsupported");
	default:
		return 0;
	}
}

int main(int argc, char **argv)
{
	struct mrt_error error;
	struct octets_error wrong;
	struct mrt_record record;
	struct mrt_reader *reader;
	int rc;

	if (argc != 2)
		return 1;
	reader = mrt_open(argv[1], &error);
	if (!reader) {
		fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	while ((rc = mrt_next(reader, &record, &error)) > 0) {
		if (!print_record(&record, &wrong))
			continue;
		rc = mrt_wrong(&record, &wrong, &error);
		break;
	}
	if (rc)
		fprintf(stderr, "%" PRIu64 ": %s\n", error.offset, error.text);
	mrt_close(reader);
	free(peer_table);
	return rc ? 2 : 0;
}
