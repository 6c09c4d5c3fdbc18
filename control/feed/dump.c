// SPDX-License-Identifier: BSD-3-Clause
/*
 * All files are read before the first route is set: a file that turns out to be damaged
 * has changed nothing, and paths of one prefix may stand in several records and files.
 */
#include "dump.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../address.h"
#include "../model_state.h"
#include "../problem.h"
#include "mrt.h"
#include "paths.h"

/* Peers of an AS are this member, as somebody said or as it came. */
struct mapping {
	uint32_t as;
	size_t member;
};

/* Ports of next hops, as they were found last. */
#define HOPS_CACHED 256
struct cached_hop {
	struct ip_address address;
	size_t port; /* SIZE_MAX: not usable */
	bool used;
};

struct dumps {
	const struct config *config; /* of maps; NULL: there are none */
	struct dump_taker taker;
	uint64_t unresolved, refused; /* prefixes now, unless it is a model that counts them */
	uint64_t *count_unresolved, *count_refused;
	struct paths *paths;
	struct mapping *map;
	size_t maps, maps_allocated;
	bool map_auto;
	size_t next_member; /* of map_auto */
	struct cached_hop cache[HOPS_CACHED];
	uint32_t *peer; /* of the file in hand: by its index, the number in paths */
	uint32_t peers;
	uint64_t connected, link_local, beyond; /* prefixes not used */
};

/* ---- which member a peer is ---- */

/* A router of a member that packets of a family can be sent to; NULL: it has none. */
static const struct ip_address *router_of(const struct config_member *member, bool ipv6,
					  size_t *port)
{
	for (size_t r = 0; r < member->router_count; r++) {
		const struct config_router *router = &member->routers[r];

		for (size_t i = 0; i < router->address_count; i++) {
			if (router->addresses[i].ipv6 != ipv6 ||
			    ip_is_link_local(&router->addresses[i]))
				continue;
			*port = router->port;
			return &router->addresses[i];
		}
	}
	return NULL;
}

static bool has_router(const struct config_member *member)
{
	size_t port;

	return router_of(member, false, &port) || router_of(member, true, &port);
}

static int add_mapping(struct dumps *d, uint32_t as, size_t member)
{
	if (d->maps == d->maps_allocated) {
		size_t more = d->maps_allocated ? 2 * d->maps_allocated : 16;
		struct mapping *grown = realloc(d->map, more * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		d->map = grown;
		d->maps_allocated = more;
	}
	d->map[d->maps++] = (struct mapping){ as, member };
	return 0;
}

/* A member of that AS, else the members in turn; SIZE_MAX: no member has a router. */
static size_t choose_member(struct dumps *d, uint32_t as)
{
	const struct config *config = d->config;

	for (size_t m = 0; m < config->member_count; m++)
		if (config->members[m].asn == as && as && has_router(&config->members[m]))
			return m;
	for (size_t tried = 0; tried < config->member_count; tried++) {
		size_t m = d->next_member++ % config->member_count;

		if (has_router(&config->members[m]))
			return m;
	}
	return SIZE_MAX;
}

/* The member that stands for peers of an AS; SIZE_MAX: none, their own next hops count. */
static size_t member_of_as(struct dumps *d, uint32_t as)
{
	size_t member;

	for (size_t i = 0; i < d->maps; i++)
		if (d->map[i].as == as)
			return d->map[i].member;
	if (!d->map_auto)
		return SIZE_MAX;
	member = choose_member(d, as);
	return add_mapping(d, as, member) ? SIZE_MAX : member;
}

static size_t member_by_name(const struct config *config, const char *name)
{
	for (size_t m = 0; m < config->member_count; m++)
		if (strcmp(config->members[m].name, name) == 0)
			return m;
	return SIZE_MAX;
}

/* One --rib-map. 0 or -ENOMEM. */
static int read_mapping(struct dumps *d, const char *text, struct problems *problems)
{
	const struct config *config = d->config;
	const struct place nowhere = { 0 };
	const char *equals = strchr(text, '=');
	char *end;
	unsigned long long as;
	size_t member;

	if (strcmp(text, "auto") == 0) {
		d->map_auto = true;
		return 0;
	}
	errno = 0;
	as = strtoull(text, &end, 10);
	if (!equals || end != equals || text[0] < '0' || text[0] > '9' || as > UINT32_MAX ||
	    errno) {
		problem_error(problems, nowhere, "--rib-map",
			      "%.64s is neither PEER-AS=MEMBER, such as 64501=%s, nor auto", text,
			      config->member_count ? config->members[0].name : "Alpha");
		return 0;
	}
	member = member_by_name(config, equals + 1);
	if (member == SIZE_MAX)
		problem_error(problems, nowhere, "--rib-map", "there is no member %.64s",
			      equals + 1);
	else if (!has_router(&config->members[member]))
		problem_error(problems, nowhere, "--rib-map",
			      "%.64s has no router whose address could be a next hop", equals + 1);
	else
		return add_mapping(d, (uint32_t)as, member);
	return 0;
}

/* ---- next hops ---- */

/* The port on which a next hop lies; SIZE_MAX: it leads nowhere. */
static size_t port_of(struct dumps *d, const struct ip_address *address)
{
	uint64_t h = (address->key.hi ^ address->key.lo) * 0x9e3779b97f4a7c15;
	struct cached_hop *cached = &d->cache[h >> 56];

	if (!cached->used || !ip_address_equal(&cached->address, address)) {
		*cached = (struct cached_hop){ *address, d->taker.port_of(d->taker.ctx, address),
					       true };
	}
	return cached->port;
}

/* Where a path leads; port SIZE_MAX: nowhere. */
static struct path resolve(struct dumps *d, const struct bgp_path *bgp, uint32_t peer, bool ipv6)
{
	struct path path = { *bgp, SIZE_MAX };
	const struct ip_address *router;
	size_t member = d->maps || d->map_auto ? member_of_as(d, paths_peer_of(d->paths, peer)->as)
					       : SIZE_MAX;

	if (member == SIZE_MAX) {
		if (bgp->has_next_hop)
			path.port = port_of(d, &bgp->next_hop);
		return path;
	}
	router = router_of(&d->config->members[member], ipv6, &path.port);
	if (!router && !ipv6) /* RFC 8950 */
		router = router_of(&d->config->members[member], true, &path.port);
	if (router)
		path.bgp.next_hop = *router;
	return path;
}

/* ---- reading ---- */

static int take_peers(struct dumps *d, const struct mrt_record *record, struct octets_error *wrong)
{
	struct mrt_peers peers;
	struct mrt_peer peer;
	uint32_t *grown;
	int rc;

	d->peers = 0;
	if (mrt_peers_open(record, &peers, wrong))
		return -EINVAL;
	grown = realloc(d->peer, (peers.count + 1u) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	d->peer = grown;
	while ((rc = mrt_peers_next(&peers, &peer, wrong)) > 0) {
		const struct path_peer as = { peer.bgp_id, peer.as, peer.address };

		if (paths_peer(d->paths, &as, &d->peer[d->peers]))
			return -ENOMEM;
		d->peers++;
	}
	return rc ? -EINVAL : 0;
}

/* Who a path is from. 0, -EINVAL or -ENOMEM. */
static int peer_of_path(struct dumps *d, const struct mrt_paths *paths, const struct mrt_path *path,
			uint32_t *peer, struct octets_error *wrong)
{
	if (paths->own_peer) {
		const struct path_peer as = { 0, path->peer.as, path->peer.address };

		return paths_peer(d->paths, &as, peer);
	}
	if (path->peer_number >= d->peers) {
		octets_wrong(wrong, path->at,
			     d->peers ? "a path is from a peer that the PEER_INDEX_TABLE has not"
				      : "a prefix comes before the PEER_INDEX_TABLE");
		return -EINVAL;
	}
	*peer = d->peer[path->peer_number];
	return 0;
}

/* All paths of a record are checked, also of prefixes for which there is no room. */
static int take_paths(struct dumps *d, const struct mrt_record *record, struct octets_error *wrong)
{
	struct mrt_paths paths;
	struct mrt_path path;
	uint32_t index, peer;
	bool room;
	int rc;

	if (mrt_paths_open(record, &paths, wrong))
		return -EINVAL;
	rc = paths_prefix(d->paths, &paths.prefix, &index);
	if (rc == -ENOMEM)
		return rc;
	room = !rc;
	d->beyond += !room;
	while ((rc = mrt_paths_next(&paths, &path, wrong)) > 0) {
		struct path resolved;

		rc = peer_of_path(d, &paths, &path, &peer, wrong);
		if (rc)
			return rc;
		resolved = resolve(d, &path.bgp, peer, paths.prefix.ipv6);
		if (room)
			rc = paths_set(d->paths, index, peer, path.path_id, &resolved);
		if (rc == -E2BIG)
			octets_wrong(wrong, path.at, "a prefix has more paths than any can have");
		if (rc)
			return rc == -E2BIG ? -EINVAL : rc;
	}
	return rc ? -EINVAL : 0;
}

static int take_record(struct dumps *d, const struct mrt_record *record, struct octets_error *wrong)
{
	switch (mrt_content(record)) {
	case MRT_PEERS:
		return take_peers(d, record, wrong);
	case MRT_PATHS:
		return take_paths(d, record, wrong);
	case MRT_MESSAGE:
	case MRT_STATE:
		octets_wrong(wrong, record->body.at,
			     "is a record of BGP messages, which are no table (napd replay "
			     "--updates plays them)");
		return -EINVAL;
	case MRT_UNSUPPORTED:
		octets_wrong(wrong, record->body.at,
			     "is a record of a kind that RFC 6396 and RFC 8050 do not describe");
		return -EINVAL;
	default:
		return 0;
	}
}

/* Messages about a record as such point at its beginning. */
static void tell(const struct mrt_record *record, const struct octets_error *wrong,
		 const char *path, struct problems *problems)
{
	struct mrt_error error;
	struct place place = { .file = path, .binary = true };

	mrt_wrong(record, wrong, &error);
	place.offset = wrong->at == record->body.at ? record->offset : error.offset;
	problem_error(problems, place, NULL, "%s", error.text);
}

static int read_file(struct dumps *d, const char *path, struct problems *problems)
{
	struct mrt_error error;
	struct mrt_reader *reader = mrt_open(path, &error);
	struct mrt_record record;
	struct octets_error wrong;
	uint64_t records = 0;
	int rc;

	d->peers = 0;
	if (!reader) {
		problem_error(problems, (struct place){ .file = path }, NULL, "%s", error.text);
		return errno == ENOMEM ? -ENOMEM : 0;
	}
	while ((rc = mrt_next(reader, &record, &error)) > 0) {
		records++;
		rc = take_record(d, &record, &wrong);
		if (rc == -EINVAL)
			tell(&record, &wrong, path, problems);
		if (rc)
			goto out;
	}
	if (rc && rc != -ENOMEM)
		problem_error(
			problems,
			(struct place){ .file = path, .offset = error.offset, .binary = true },
			NULL, "%s", error.text);
	else if (!rc && !records)
		problem_error(problems, (struct place){ .file = path }, NULL,
			      "is empty: there is no MRT record in it");
out:
	mrt_close(reader);
	return rc == -ENOMEM ? rc : 0;
}

/* ---- setting routes ---- */

/* Take what a prefix came to out of the counts. */
static void uncount(struct dumps *d, enum path_use use)
{
	*d->count_unresolved -= use == PATH_UNRESOLVED;
	*d->count_refused -= use == PATH_REFUSED;
}

/* Make of the best path of a prefix a route. 0 or -ENOMEM. */
static int publish(struct dumps *d, uint32_t index)
{
	const struct path *best = paths_best(d->paths, index);
	const struct ip_prefix prefix = paths_prefix_of(d->paths, index);
	enum path_use *use = paths_use(d->paths, index);
	struct config_nexthop via;
	int rc;

	uncount(d, *use);
	if (!best) {
		if (*use == PATH_USED)
			rc = d->taker.unset(d->taker.ctx, &prefix);
		else
			rc = 0;
		*use = paths_any(d->paths, index) ? PATH_UNRESOLVED : PATH_NONE;
		*d->count_unresolved += *use == PATH_UNRESOLVED;
		return rc;
	}
	via = (struct config_nexthop){ best->bgp.next_hop, best->port, 1 };
	rc = d->taker.set(d->taker.ctx, &prefix, &via);
	if (rc == -ENOMEM)
		return rc;
	*d->count_refused += rc != 0;
	*use = rc ? PATH_REFUSED : PATH_USED;
	d->connected += rc == -EADDRINUSE;
	d->link_local += rc == -EADDRNOTAVAIL;
	d->beyond += rc == -ENOSPC;
	return 0;
}

static void warn_unused(const struct dumps *d, const char *path, struct problems *problems)
{
	const struct place where = { .file = path };

	if (d->connected)
		problem_warning(problems, where, NULL,
				"%" PRIu64 " routes inside connected subnets are not used",
				d->connected);
	if (d->beyond)
		problem_warning(problems, where, NULL,
				"%" PRIu64 " routes beyond dataplane.capacity are not used",
				d->beyond);
	if (d->link_local)
		problem_warning(problems, where, NULL, "%" PRIu64 " link-local routes are not used",
				d->link_local);
	if (paths_prefixes(d->paths) && *d->count_unresolved == paths_prefixes(d->paths))
		problem_warning(problems, where, NULL,
				"no next hop in it is on any port's subnet: none of its routes is "
				"used (napd replay --rib-map auto gives its peers to members)");
}

/* What has been read, as routes. 0 or -ENOMEM. */
static int publish_all(struct dumps *d)
{
	int rc = 0;

	for (uint32_t i = 1; !rc && i <= paths_prefixes(d->paths); i++)
		rc = publish(d, i);
	return rc;
}

static int load(struct dumps *d, const struct dump_options *options, struct problems *problems)
{
	const struct config *config = d->config;
	const char *first = config->tables.mrt_count ? config->tables.mrt[0] : NULL;
	const size_t errors = problems->errors;
	int rc = 0;

	for (size_t i = 0; !rc && options && i < options->maps; i++)
		rc = read_mapping(d, options->map[i], problems);
	for (size_t i = 0; !rc && i < config->tables.mrt_count; i++)
		rc = read_file(d, config->tables.mrt[i], problems);
	for (size_t i = 0; !rc && options && i < options->files; i++) {
		first = first ? first : options->file[i];
		rc = read_file(d, options->file[i], problems);
	}
	if (rc || problems->errors > errors)
		return rc;
	rc = publish_all(d);
	warn_unused(d, first, problems);
	return rc;
}

/* Prefixes without a usable path are kept, too, but not without end. */
static struct dumps *create(bool keep, const struct dump_taker *taker, uint64_t capacity_ipv4,
			    uint64_t capacity_ipv6)
{
	struct dumps *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->taker = *taker;
	d->count_unresolved = &d->unresolved;
	d->count_refused = &d->refused;
	d->paths = paths_create(keep, 2 * capacity_ipv4, 2 * capacity_ipv6);
	if (d->paths)
		return d;
	feed_dump_free(d);
	return NULL;
}

/* ---- routes of a model ---- */

static size_t model_hop_port(void *ctx, const struct ip_address *address)
{
	const struct model *model = ctx;
	const size_t port = model_port_of(model, address);

	return port != SIZE_MAX && model_is_own(model, address) ? SIZE_MAX : port;
}

/* The model counts what it refuses; so does publish(). */
static int model_set(void *ctx, const struct ip_prefix *prefix, const struct config_nexthop *via)
{
	const struct route route = { *prefix, CONFIG_ROUTE_VIA, via, 1 };
	struct model *model = ctx;
	const int rc = model_route_set(model, ROUTE_MRT, &route);

	model->refused -= rc && rc != -ENOMEM;
	return rc;
}

static int model_unset(void *ctx, const struct ip_prefix *prefix)
{
	model_route_delete(ctx, ROUTE_MRT, prefix);
	return 0;
}

int feed_dump_load(struct model *model, const struct dump_options *options,
		   struct problems *problems)
{
	const struct dump_taker taker = { model_hop_port, model_set, model_unset, model };
	const struct config *config = model->config;
	const bool keep = options && options->keep;
	struct dumps *d;
	int rc;

	model->mrt_identity = feed_dump_identity(config);
	if (!config->tables.mrt_count && !keep && !(options && (options->files || options->maps)))
		return 0;
	d = create(keep, &taker, config->dataplane.capacity_ipv4, config->dataplane.capacity_ipv6);
	if (!d)
		return -ENOMEM;
	d->config = config;
	d->count_unresolved = &model->unresolved;
	d->count_refused = &model->refused;
	rc = load(d, options, problems);
	if (keep && !rc)
		model->dumps = d;
	else
		feed_dump_free(d);
	return rc;
}

struct dumps *feed_dump_kept(const struct model *model)
{
	return model->dumps;
}

/* ---- routes of somebody else ---- */

int feed_dump_keep(char *const *file, size_t files, const struct dump_taker *taker,
		   uint64_t capacity_ipv4, uint64_t capacity_ipv6, struct problems *problems,
		   struct dumps **dumps)
{
	const size_t errors = problems->errors;
	struct dumps *d = create(true, taker, capacity_ipv4, capacity_ipv6);
	int rc = d ? 0 : -ENOMEM;

	for (size_t i = 0; !rc && i < files; i++)
		rc = read_file(d, file[i], problems);
	if (!rc && problems->errors == errors)
		rc = publish_all(d);
	if (!rc && problems->errors == errors) {
		*dumps = d;
		return 0;
	}
	feed_dump_free(d);
	return rc ? rc : -EINVAL;
}

/* ---- which table it is ---- */

static uint64_t mix(uint64_t h, const void *data, size_t n)
{
	const uint8_t *octet = data;

	for (size_t i = 0; i < n; i++)
		h = (h ^ octet[i]) * 0x100000001b3; /* FNV-1a */
	return h;
}

static uint64_t mix_file(uint64_t h, const char *path)
{
	struct stat status;
	uint64_t what[5] = { 0 };

	if (stat(path, &status) == 0) {
		what[0] = status.st_dev;
		what[1] = status.st_ino;
		what[2] = (uint64_t)status.st_size;
		what[3] = (uint64_t)status.st_mtim.tv_sec;
		what[4] = (uint64_t)status.st_mtim.tv_nsec;
	}
	return mix(mix(h, path, strlen(path) + 1), what, sizeof(what));
}

#define MIX_FIRST 0xcbf29ce484222325

uint64_t feed_dump_identity(const struct config *config)
{
	uint64_t all = MIX_FIRST;

	for (size_t i = 0; i < config->tables.mrt_count; i++)
		all = mix_file(all, config->tables.mrt[i]);
	/* in whatever order ports stand */
	for (size_t i = 0; i < config->port_count; i++) {
		const struct config_port *port = &config->ports[i];
		uint64_t h = MIX_FIRST;

		h = mix(h, port->name, strlen(port->name) + 1);
		for (size_t k = 0; k < port->address_count; k++) {
			const struct interface_address *a = &port->addresses[k];

			h = mix(h, &a->address.key, sizeof(a->address.key));
			h = mix(h, &a->address.ipv6, sizeof(a->address.ipv6));
			h = mix(h, &a->length, sizeof(a->length));
		}
		all += h;
	}
	return all;
}

void feed_dump_free(struct dumps *d)
{
	if (!d)
		return;
	paths_free(d->paths);
	free(d->map);
	free(d->peer);
	free(d);
}

/* ---- updates ---- */

/* Announce or withdraw a list. 0 or negative errno. */
static int apply_prefixes(struct dumps *d, uint32_t peer, struct bgp_prefixes list,
			  const struct bgp_path *announced)
{
	struct octets_error wrong;
	struct ip_prefix prefix;
	uint32_t path_id, index;

	while (bgp_prefix_next(&list, &prefix, &path_id, NULL, &wrong) > 0) {
		int rc = paths_prefix(d->paths, &prefix, &index);

		if (rc == -ENOSPC) {
			d->beyond++;
			continue;
		}
		if (!rc && announced) {
			const struct path path = resolve(d, announced, peer, prefix.ipv6);

			rc = paths_set(d->paths, index, peer, path_id, &path);
		} else if (!rc && !paths_remove(d->paths, index, peer, path_id)) {
			continue;
		}
		if (!rc)
			rc = publish(d, index);
		if (rc)
			return rc;
	}
	return 0;
}

static int apply_update(struct dumps *d, uint32_t peer, const struct bgp_update *update)
{
	struct bgp_path mp = update->path;
	int rc = apply_prefixes(d, peer, update->withdrawn, NULL);

	mp.next_hop = update->mp_next_hop;
	mp.has_next_hop = update->has_mp_next_hop;
	if (!rc)
		rc = apply_prefixes(d, peer, update->mp_withdrawn, NULL);
	if (!rc)
		rc = apply_prefixes(d, peer, update->announced, &update->path);
	if (!rc)
		rc = apply_prefixes(d, peer, update->mp_announced, &mp);
	return rc;
}

/* The session is gone, and all that came over it. */
static int apply_loss(struct dumps *d, uint32_t peer)
{
	int rc = 0;

	for (uint32_t i = 1; !rc && i <= paths_prefixes(d->paths); i++)
		if (paths_remove_peer(d->paths, i, peer))
			rc = publish(d, i);
	return rc;
}

int feed_dump_apply(struct dumps *d, const struct mrt_message *m)
{
	uint32_t peer;

	if (!paths_find_peer(d->paths, &m->peer.address, m->peer.as, &peer)) {
		const struct path_peer as = { m->peer.bgp_id, m->peer.as, m->peer.address };

		if (paths_peer(d->paths, &as, &peer))
			return -ENOMEM;
	}
	if (m->type == MRT_BGP_OPEN && m->peer.bgp_id)
		paths_set_bgp_id(d->paths, peer, m->peer.bgp_id);
	if (m->type == MRT_BGP_UPDATE)
		return apply_update(d, peer, &m->update);
	if (!m->type && m->old_state == MRT_STATE_ESTABLISHED &&
	    m->new_state != MRT_STATE_ESTABLISHED)
		return apply_loss(d, peer);
	return 0;
}
