// SPDX-License-Identifier: BSD-3-Clause
/* Takes MRT files apart: every length is checked against what holds it before it is believed. */
#include "mrt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../address.h"
#include "unpack.h"

#define HEADER_BYTES 12
#define BUFFER_FIRST (1u << 20)
#define MICROSECONDS 1000000u

enum table_dump_v2 {
	PEER_INDEX_TABLE = 1,
	RIB_IPV4_UNICAST = 2,
	RIB_IPV4_MULTICAST = 3,
	RIB_IPV6_UNICAST = 4,
	RIB_IPV6_MULTICAST = 5,
	RIB_GENERIC = 6,
	GEO_PEER_TABLE = 7,
	RIB_IPV4_UNICAST_ADDPATH = 8,
	RIB_IPV4_MULTICAST_ADDPATH = 9,
	RIB_IPV6_UNICAST_ADDPATH = 10,
	RIB_IPV6_MULTICAST_ADDPATH = 11,
	RIB_GENERIC_ADDPATH = 12
};

enum bgp4mp {
	STATE_CHANGE = 0,
	MESSAGE = 1,
	ENTRY = 2,
	SNAPSHOT = 3,
	MESSAGE_AS4 = 4,
	STATE_CHANGE_AS4 = 5,
	MESSAGE_LOCAL = 6,
	MESSAGE_AS4_LOCAL = 7,
	MESSAGE_ADDPATH = 8,
	MESSAGE_AS4_ADDPATH = 9,
	MESSAGE_LOCAL_ADDPATH = 10,
	MESSAGE_AS4_LOCAL_ADDPATH = 11
};

enum { AFI_IPV4 = 1, AFI_IPV6 = 2, SAFI_UNICAST = 1 };

/* ---- files ---- */

struct mrt_reader {
	struct unpack *unpack;
	uint8_t *buffer;
	size_t at, have, allocated;
	uint64_t offset; /* of buffer[at] */
	bool over;
};

static int wrong_at(struct mrt_error *error, uint64_t offset, int rc, const char *text)
{
	error->offset = offset;
	snprintf(error->text, sizeof(error->text), "%s", text);
	return rc;
}

int mrt_wrong(const struct mrt_record *record, const struct octets_error *wrong,
	      struct mrt_error *error)
{
	return wrong_at(error, record->body_offset + (uint64_t)(wrong->at - record->body.at),
			-EINVAL, wrong->text);
}

struct mrt_reader *mrt_open(const char *path, struct mrt_error *error)
{
	struct mrt_reader *r = calloc(1, sizeof(*r));
	const char *why = strerror(ENOMEM);
	int reason = ENOMEM;

	if (r) {
		r->buffer = malloc(BUFFER_FIRST);
		r->allocated = BUFFER_FIRST;
		r->unpack = r->buffer ? unpack_open(path, &why) : NULL;
		if (r->unpack)
			return r;
		reason = r->buffer ? errno : ENOMEM;
	}
	snprintf(error->text, sizeof(error->text), "cannot be opened: %s", why);
	error->offset = 0;
	mrt_close(r);
	errno = reason;
	return NULL;
}

void mrt_close(struct mrt_reader *r)
{
	if (!r)
		return;
	unpack_close(r->unpack);
	free(r->buffer);
	free(r);
}

uint64_t mrt_offset(const struct mrt_reader *r)
{
	return r->offset;
}

/* Twice the buffer: only as what it is for really arrives. */
static int grow(struct mrt_reader *r)
{
	uint8_t *grown = realloc(r->buffer, 2 * r->allocated);

	if (!grown)
		return -ENOMEM;
	r->buffer = grown;
	r->allocated *= 2;
	return 0;
}

static int read_failed(const struct mrt_reader *r, int rc, struct mrt_error *error)
{
	error->offset = r->offset + r->have - r->at;
	if (rc == -EBADMSG) {
		snprintf(error->text, sizeof(error->text),
			 "what is packed with %s is cut off or damaged", unpack_format(r->unpack));
		return -EINVAL;
	}
	snprintf(error->text, sizeof(error->text), "cannot be read: %s", strerror(-rc));
	return rc;
}

/* See to it that n octets are in the buffer. 1; 0: the file has fewer; negative: it fails. */
static int want(struct mrt_reader *r, size_t n, struct mrt_error *error)
{
	while (r->have - r->at < n) {
		ssize_t got;

		if (r->over)
			return 0;
		if (r->at) {
			memmove(r->buffer, r->buffer + r->at, r->have - r->at);
			r->have -= r->at;
			r->at = 0;
		}
		if (r->have == r->allocated && grow(r))
			return wrong_at(error, r->offset, -ENOMEM, "no memory");
		got = unpack_read(r->unpack, r->buffer + r->have, r->allocated - r->have);
		if (got < 0)
			return read_failed(r, (int)got, error);
		r->over = !got;
		r->have += (size_t)got;
	}
	return 1;
}

/* Deprecated ones and those of other protocols exist; what is none of them is no MRT. */
static bool is_known_type(uint16_t type)
{
	return type <= MRT_BGP4MP_ET || type == 32 || type == 33 || type == 48 || type == 49;
}

static int read_header(const struct mrt_reader *r, struct mrt_record *record, uint32_t *length,
		       struct mrt_error *error)
{
	struct octets head = { r->buffer + r->at, r->buffer + r->at + HEADER_BYTES };

	record->time_ns = octets_32(&head) * UINT64_C(1000000000);
	record->type = octets_16(&head);
	record->subtype = octets_16(&head);
	record->offset = r->offset;
	*length = octets_32(&head);
	if (!is_known_type(record->type)) {
		error->offset = r->offset;
		snprintf(error->text, sizeof(error->text),
			 "is no MRT%s: there is no record type %u",
			 r->offset ? " from here on" : "", record->type);
		return -EINVAL;
	}
	if (*length > MRT_RECORD_MAX) {
		error->offset = r->offset;
		snprintf(error->text, sizeof(error->text),
			 "a record of %u bytes is longer than any can be", *length);
		return -EINVAL;
	}
	return 0;
}

/* Types with _ET have microseconds before their body. */
static int take_microseconds(struct mrt_record *record, struct mrt_error *error)
{
	uint32_t us;

	if (record->type != MRT_BGP4MP_ET && record->type != 33 && record->type != 49)
		return 0;
	if (octets_left(&record->body) < 4)
		return wrong_at(error, record->body_offset, -EINVAL,
				"a record is shorter than its microseconds");
	us = octets_32(&record->body);
	record->body_offset += 4;
	if (us >= MICROSECONDS)
		return wrong_at(error, record->body_offset - 4, -EINVAL,
				"a record has more microseconds than a second");
	record->time_ns += us * UINT64_C(1000);
	return 0;
}

int mrt_next(struct mrt_reader *r, struct mrt_record *record, struct mrt_error *error)
{
	uint32_t length;
	int rc = want(r, HEADER_BYTES, error);

	if (rc < 0 || (rc == 0 && r->have == r->at))
		return rc;
	if (rc == 0)
		return wrong_at(error, r->offset, -EINVAL, "is cut off inside a record's header");
	rc = read_header(r, record, &length, error);
	if (!rc)
		rc = want(r, HEADER_BYTES + length, error);
	if (rc < 0)
		return rc;
	if (rc == 0) {
		error->offset = r->offset;
		snprintf(error->text, sizeof(error->text),
			 "is cut off inside a record: %zu bytes of its %u are there",
			 r->have - r->at - HEADER_BYTES, length);
		return -EINVAL;
	}
	record->body.at = r->buffer + r->at + HEADER_BYTES;
	record->body.end = record->body.at + length;
	record->body_offset = r->offset + HEADER_BYTES;
	r->at += HEADER_BYTES + length;
	r->offset += HEADER_BYTES + length;
	rc = take_microseconds(record, error);
	return rc ? rc : 1;
}

/* ---- what records are about ---- */

/* AFI and SAFI of RIB_GENERIC come behind a sequence number. */
static bool is_generic_unicast(const struct mrt_record *record)
{
	const uint8_t *at = record->body.at;

	if (octets_left(&record->body) < 7)
		return true; /* so that it is found to be cut off */
	return at[4] == 0 && (at[5] == AFI_IPV4 || at[5] == AFI_IPV6) && at[6] == SAFI_UNICAST;
}

static enum mrt_content content_of_table(const struct mrt_record *record)
{
	switch (record->subtype) {
	case PEER_INDEX_TABLE:
		return MRT_PEERS;
	case RIB_IPV4_UNICAST:
	case RIB_IPV6_UNICAST:
	case RIB_IPV4_UNICAST_ADDPATH:
	case RIB_IPV6_UNICAST_ADDPATH:
		return MRT_PATHS;
	case RIB_GENERIC:
	case RIB_GENERIC_ADDPATH:
		return is_generic_unicast(record) ? MRT_PATHS : MRT_NOTHING;
	case RIB_IPV4_MULTICAST:
	case RIB_IPV6_MULTICAST:
	case RIB_IPV4_MULTICAST_ADDPATH:
	case RIB_IPV6_MULTICAST_ADDPATH:
	case GEO_PEER_TABLE:
		return MRT_NOTHING;
	default:
		return MRT_UNSUPPORTED;
	}
}

static enum mrt_content content_of_messages(const struct mrt_record *record)
{
	switch (record->subtype) {
	case STATE_CHANGE:
	case STATE_CHANGE_AS4:
		return MRT_STATE;
	case MESSAGE:
	case MESSAGE_AS4:
	case MESSAGE_ADDPATH:
	case MESSAGE_AS4_ADDPATH:
		return MRT_MESSAGE;
	case MESSAGE_LOCAL: /* what the collector sent */
	case MESSAGE_AS4_LOCAL:
	case MESSAGE_LOCAL_ADDPATH:
	case MESSAGE_AS4_LOCAL_ADDPATH:
		return MRT_NOTHING;
	default: /* ENTRY and SNAPSHOT, which RFC 6396 A.3 gave up */
		return MRT_UNSUPPORTED;
	}
}

enum mrt_content mrt_content(const struct mrt_record *record)
{
	switch (record->type) {
	case MRT_TABLE_DUMP:
		return record->subtype == AFI_IPV4 || record->subtype == AFI_IPV6 ? MRT_PATHS
										  : MRT_UNSUPPORTED;
	case MRT_TABLE_DUMP_V2:
		return content_of_table(record);
	case MRT_BGP4MP:
	case MRT_BGP4MP_ET:
		return content_of_messages(record);
	default:
		return record->type < MRT_TABLE_DUMP && record->type != 11 ? MRT_UNSUPPORTED
									   : MRT_NOTHING;
	}
}

/* ---- tables ---- */

int mrt_peers_open(const struct mrt_record *record, struct mrt_peers *peers,
		   struct octets_error *error)
{
	struct octets body = record->body, view;

	if (octets_left(&body) < 6)
		return octets_wrong(error, body.at, "a PEER_INDEX_TABLE is cut off");
	octets_32(&body); /* the collector's BGP identifier */
	if (!octets_cut(&body, octets_16(&body), &view) || octets_left(&body) < 2)
		return octets_wrong(error, body.at,
				    "the view's name is longer than its PEER_INDEX_TABLE");
	peers->count = octets_16(&body);
	peers->left = body;
	return 0;
}

int mrt_peers_next(struct mrt_peers *peers, struct mrt_peer *peer, struct octets_error *error)
{
	struct octets *left = &peers->left;
	bool ipv6, as4;

	if (!peers->count) {
		if (octets_left(left))
			return octets_wrong(error, left->at,
					    "a PEER_INDEX_TABLE is longer than its peers");
		return 0;
	}
	if (!octets_left(left))
		return octets_wrong(error, left->at, "a PEER_INDEX_TABLE is cut off");
	ipv6 = *left->at & 1;
	as4 = *left->at & 2;
	if (octets_left(left) < 1u + 4 + (ipv6 ? 16 : 4) + (as4 ? 4 : 2))
		return octets_wrong(error, left->at, "a PEER_INDEX_TABLE is cut off");
	left->at++;
	peer->bgp_id = octets_32(left);
	peer->address = bgp_address(left, ipv6);
	peer->as = as4 ? octets_32(left) : octets_16(left);
	peers->count--;
	return 1;
}

static int whole_prefix(struct octets *body, bool ipv6, struct ip_prefix *prefix,
			struct octets_error *error)
{
	const uint8_t *start = body->at;
	bool dirty;

	if (bgp_prefix_parse(body, ipv6, prefix, &dirty, error))
		return -1;
	return dirty ? octets_wrong(error, start, "a prefix has host bits set") : 0;
}

/* TABLE_DUMP: one path, its prefix of fixed size (RFC 6396 4.2). */
static int open_old(struct octets body, bool ipv6, struct mrt_paths *paths,
		    struct octets_error *error)
{
	struct ip_address address;
	unsigned int length;

	if (octets_left(&body) < 4u + (ipv6 ? 16 : 4) + 2)
		return octets_wrong(error, body.at, "a record of TABLE_DUMP is cut off");
	octets_32(&body); /* view and sequence number */
	address = bgp_address(&body, ipv6);
	length = octets_8(&body);
	octets_8(&body); /* status: always 1 */
	if (length > ip_bits(&address))
		return octets_wrong(error, body.at - 2, "the length of a prefix is out of range");
	paths->prefix = ip_prefix_of(&address, length);
	if (!ip_address_equal(&address, &(struct ip_address){ paths->prefix.key.address, ipv6 }))
		return octets_wrong(error, body.at - 2 - ip_bits(&address) / 8,
				    "a prefix has host bits set");
	paths->count = 1;
	paths->add_path = false;
	paths->own_peer = true;
	paths->left = body;
	return 0;
}

int mrt_paths_open(const struct mrt_record *record, struct mrt_paths *paths,
		   struct octets_error *error)
{
	struct octets body = record->body;
	bool ipv6 =
		record->subtype == RIB_IPV6_UNICAST || record->subtype == RIB_IPV6_UNICAST_ADDPATH;

	if (record->type == MRT_TABLE_DUMP)
		return open_old(body, record->subtype == AFI_IPV6, paths, error);
	if (octets_left(&body) < 4)
		return octets_wrong(error, body.at, "a record of a prefix is cut off");
	octets_32(&body); /* sequence number */
	paths->add_path = record->subtype >= RIB_IPV4_UNICAST_ADDPATH;
	paths->own_peer = false;
	if (record->subtype == RIB_GENERIC || record->subtype == RIB_GENERIC_ADDPATH) {
		if (octets_left(&body) < 3)
			return octets_wrong(error, body.at, "a record of a prefix is cut off");
		ipv6 = octets_16(&body) == AFI_IPV6;
		octets_8(&body);
	}
	if (whole_prefix(&body, ipv6, &paths->prefix, error))
		return -1;
	if (octets_left(&body) < 2)
		return octets_wrong(error, body.at, "a record of a prefix is cut off");
	paths->count = octets_16(&body);
	paths->left = body;
	return 0;
}

/* What stands before the attributes of a path. 0 or -1. */
static int path_head(struct mrt_paths *paths, struct mrt_path *path, struct octets_error *error)
{
	struct octets *left = &paths->left;
	const bool ipv6 = paths->prefix.ipv6;
	const size_t bytes =
		paths->own_peer ? 4 + (ipv6 ? 16 : 4) + 2 : 6 + (paths->add_path ? 4 : 0);

	if (octets_left(left) < bytes + 2)
		return octets_wrong(error, left->at, "the paths of a prefix are cut off");
	path->at = left->at;
	path->path_id = 0;
	if (paths->own_peer) {
		octets_32(left); /* when it came */
		path->peer.address = bgp_address(left, ipv6);
		path->peer.as = octets_16(left);
		path->peer.bgp_id = 0;
		return 0;
	}
	path->peer_number = octets_16(left);
	octets_32(left); /* when it came */
	if (paths->add_path)
		path->path_id = octets_32(left);
	return 0;
}

int mrt_paths_next(struct mrt_paths *paths, struct mrt_path *path, struct octets_error *error)
{
	const struct bgp_format format = { .as4 = !paths->own_peer, .dump = true };
	struct octets attributes;

	if (!paths->count) {
		if (octets_left(&paths->left))
			return octets_wrong(error, paths->left.at,
					    "a record of a prefix is longer than its paths");
		return 0;
	}
	if (path_head(paths, path, error))
		return -1;
	if (!octets_cut(&paths->left, octets_16(&paths->left), &attributes))
		return octets_wrong(error, paths->left.at,
				    "the attributes of a path are longer than its record");
	if (bgp_attributes_parse(attributes, &format, paths->prefix.ipv6, &path->bgp, error))
		return -1;
	paths->count--;
	return 1;
}

/* ---- BGP4MP ---- */

#define BGP_HEADER_BYTES 19
#define BGP_OPEN_BYTES   10

/* Peer AS, local AS, interface, AFI, the two addresses (RFC 6396 4.4.1). */
static int session_parse(struct octets *body, bool as4, struct mrt_peer *peer,
			 struct octets_error *error)
{
	uint16_t afi;

	if (octets_left(body) < (as4 ? 8 : 4) + 4)
		return octets_wrong(error, body->at, "a record of BGP4MP is cut off");
	peer->bgp_id = 0;
	peer->as = as4 ? octets_32(body) : octets_16(body);
	body->at += as4 ? 4 : 2; /* ours */
	octets_16(body);         /* interface */
	afi = octets_16(body);
	if (afi != AFI_IPV4 && afi != AFI_IPV6)
		return octets_wrong(error, body->at - 2, "a BGP session is of no known family");
	if (octets_left(body) < (afi == AFI_IPV6 ? 32 : 8))
		return octets_wrong(error, body->at, "a record of BGP4MP is cut off");
	peer->address = bgp_address(body, afi == AFI_IPV6);
	bgp_address(body, afi == AFI_IPV6); /* ours */
	return 0;
}

/* BGP's header: a marker that is not looked at (RFC 1771 allowed others), length, type. */
static int header_parse(struct octets *body, struct octets *message, uint8_t *type,
			struct octets_error *error)
{
	struct octets head;
	uint16_t length;

	if (!octets_cut(body, BGP_HEADER_BYTES, &head))
		return octets_wrong(error, body->at, "a BGP message is cut off");
	head.at += 16;
	length = octets_16(&head);
	*type = octets_8(&head);
	if (length < BGP_HEADER_BYTES ||
	    !octets_cut(body, length - (size_t)BGP_HEADER_BYTES, message))
		return octets_wrong(error, head.at - 3,
				    "a BGP message is not as long as its record");
	return 0;
}

/*
 * An UPDATE. Some writers know no subtype for messages with path identifiers (BIRD 1.6): what
 * makes sense only with them is read with them. The error is of the first reading.
 */
static int update_parse(struct octets message, struct bgp_format format, struct bgp_update *update,
			struct octets_error *error)
{
	struct octets_error second;

	if (!bgp_update_parse(message, &format, update, error))
		return 0;
	if (format.add_path)
		return -1;
	format.add_path = true;
	return bgp_update_parse(message, &format, update, &second);
}

int mrt_message_parse(const struct mrt_record *record, struct mrt_message *m,
		      struct octets_error *error)
{
	const bool as4 = record->subtype == MESSAGE_AS4 || record->subtype == STATE_CHANGE_AS4 ||
			 record->subtype == MESSAGE_AS4_ADDPATH;
	const struct bgp_format format = { .as4 = as4,
					   .add_path = record->subtype == MESSAGE_ADDPATH ||
						       record->subtype == MESSAGE_AS4_ADDPATH };
	struct octets body = record->body, message;

	m->type = 0;
	if (session_parse(&body, as4, &m->peer, error))
		return -1;
	if (mrt_content(record) == MRT_STATE) {
		if (octets_left(&body) < 4)
			return octets_wrong(error, body.at, "a change of state is cut off");
		m->old_state = octets_16(&body);
		m->new_state = octets_16(&body);
		return 0;
	}
	if (header_parse(&body, &message, &m->type, error))
		return -1;
	if (m->type == MRT_BGP_UPDATE)
		return update_parse(message, format, &m->update, error);
	if (m->type == MRT_BGP_OPEN && octets_left(&message) >= BGP_OPEN_BYTES) {
		message.at += 5; /* version, AS, hold time */
		m->peer.bgp_id = octets_32(&message);
	}
	return 0;
}
