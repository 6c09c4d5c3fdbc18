/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * MRT files (RFC 6396, RFC 8050): their records, and what tables and BGP messages in them say.
 * The parsers of records are pure; a reader owns its file.
 */
#ifndef NAPD_FEED_MRT_H
#define NAPD_FEED_MRT_H

#include "bgp.h"

/* No record is longer: a dump's of 65,535 paths with 1,000 octets of attributes each. */
#define MRT_RECORD_MAX (64u << 20)

enum mrt_type { MRT_TABLE_DUMP = 12, MRT_TABLE_DUMP_V2 = 13, MRT_BGP4MP = 16, MRT_BGP4MP_ET = 17 };

struct mrt_record {
	uint64_t time_ns; /* since 1970 */
	uint16_t type, subtype;
	struct octets body; /* behind the header, and the microseconds if it has them */
	uint64_t offset;    /* of the header, in what is unpacked */
	uint64_t body_offset;
};

struct mrt_error {
	uint64_t offset; /* in the file, or in what it unpacks to */
	char text[160];
};

/* ---- files ---- */

struct mrt_reader;

/* Returns to the caller, or NULL with error filled in: the file cannot be opened. */
struct mrt_reader *mrt_open(const char *path, struct mrt_error *error);
void mrt_close(struct mrt_reader *reader); /* NULL is allowed */

/*
 * The next record, borrowed until the next call. 1; 0: the file is over; -EINVAL: it is malformed
 * or cut off; other negative errno: it cannot be read. error is filled in.
 */
int mrt_next(struct mrt_reader *reader, struct mrt_record *record, struct mrt_error *error);

/* How far it has come, in what is unpacked. */
uint64_t mrt_offset(const struct mrt_reader *reader);

/* Say where in its file a record is wrong. Returns -EINVAL. */
int mrt_wrong(const struct mrt_record *record, const struct octets_error *wrong,
	      struct mrt_error *error);

/* ---- tables ---- */

/* A peer of a PEER_INDEX_TABLE, or of a path. */
struct mrt_peer {
	uint32_t bgp_id;
	uint32_t as;
	struct ip_address address;
};

enum mrt_content {
	MRT_NOTHING,    /* nothing that we use: other families, other protocols */
	MRT_PEERS,      /* a PEER_INDEX_TABLE */
	MRT_PATHS,      /* paths of a prefix */
	MRT_MESSAGE,    /* a BGP message */
	MRT_STATE,      /* a session changed its state */
	MRT_UNSUPPORTED /* what no RFC has kept: BGP4MP_ENTRY and the like */
};
enum mrt_content mrt_content(const struct mrt_record *record);

/* The peers of a PEER_INDEX_TABLE, one after the other. */
struct mrt_peers {
	struct octets left;
	uint16_t count;
};
int mrt_peers_open(const struct mrt_record *record, struct mrt_peers *peers,
		   struct octets_error *error);
int mrt_peers_next(struct mrt_peers *peers, struct mrt_peer *peer, struct octets_error *error);

/* The paths of a prefix. */
struct mrt_paths {
	struct ip_prefix prefix;
	uint16_t count;
	bool add_path;
	bool own_peer; /* TABLE_DUMP: the path names its peer, not its number */
	struct octets left;
};

struct mrt_path {
	const uint8_t *at;
	uint16_t peer_number; /* in the PEER_INDEX_TABLE */
	struct mrt_peer peer; /* TABLE_DUMP's, which has no BGP identifier */
	uint32_t path_id;
	struct bgp_path bgp;
};
int mrt_paths_open(const struct mrt_record *record, struct mrt_paths *paths,
		   struct octets_error *error);
int mrt_paths_next(struct mrt_paths *paths, struct mrt_path *path, struct octets_error *error);

/* ---- BGP4MP ---- */

enum mrt_bgp_type { MRT_BGP_OPEN = 1, MRT_BGP_UPDATE = 2 };

/* A message that a peer sent, or a change of its session. */
struct mrt_message {
	struct mrt_peer peer; /* its BGP identifier only with an OPEN */
	uint8_t type;         /* BGP's; 0: a change of state */
	struct bgp_update update;
	uint16_t old_state, new_state;
};
int mrt_message_parse(const struct mrt_record *record, struct mrt_message *message,
		      struct octets_error *error);
#define MRT_STATE_ESTABLISHED 6

#endif
