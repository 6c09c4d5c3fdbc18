// SPDX-License-Identifier: BSD-3-Clause
/*
 * MRT dumps and the best path: against a naive choice, torn at every byte, and without memory.
 * What single attributes decide is in tests/packets/rib.cases.
 */
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>

#include "address.h"
#include "feed/dump.h"
#include "feed/mrt.h"
#include "feed/paths.h"
#include "feed/unpack.h"
#include "model.h"

static uint64_t random_state = 5;

static uint32_t random_below(uint32_t n)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((random_state ^ random_state >> 29) >> 8) % n;
}

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p;

	assert_int_equal(ip_prefix_parse(text, &p), 0);
	return p;
}

static struct ip_address address(const char *text)
{
	struct ip_address a;

	assert_int_equal(ip_address_parse(text, &a), 0);
	return a;
}

/* ---- the best path ---- */

#define PEERS 8
#define IDS   2

struct naive_path {
	bool there;
	struct path path;
};

/* RFC 4271 9.1.2.2, a rule after the other over the whole set. */
static int naive_best(const struct naive_path *list, const struct path_peer *peer)
{
	bool in[PEERS * IDS];
	int best = -1;

	for (int i = 0; i < PEERS * IDS; i++)
		in[i] = list[i].there && list[i].path.port != SIZE_MAX;
#define KEEP(condition)                                                       \
	for (int i = 0; i < PEERS * IDS; i++)                                 \
		for (int k = 0; in[i] && k < PEERS * IDS; k++)                \
			if (in[k]) {                                          \
				const struct bgp_path *a = &list[i].path.bgp; \
				const struct bgp_path *b = &list[k].path.bgp; \
				out[i] |= (condition);                        \
			}                                                     \
	for (int i = 0; i < PEERS * IDS; i++)                                 \
		in[i] &= !out[i];                                             \
	memset(out, 0, sizeof(out))
	bool out[PEERS * IDS] = { false };

	KEEP(b->local_pref > a->local_pref);
	KEEP(b->path_length < a->path_length);
	KEEP(b->origin < a->origin);
	KEEP(b->neighbour_as == a->neighbour_as && b->med < a->med);
#undef KEEP
	for (int i = 0; i < PEERS * IDS; i++) {
		const struct path_peer *a = &peer[i / IDS], *b = &peer[best < 0 ? 0 : best / IDS];
		int order = (int)a->bgp_id - (int)b->bgp_id;

		if (!in[i])
			continue;
		if (!order)
			order = ip_key_compare(a->address.key, b->address.key);
		if (best < 0 || order < 0 || (order == 0 && i % IDS < best % IDS))
			best = i;
	}
	return best;
}

static struct path random_path(void)
{
	return (struct path){ .bgp = { .next_hop = { .key = { .lo = random_below(3) } },
				       .has_next_hop = true,
				       .origin = (uint8_t)random_below(2),
				       .local_pref = 100 + random_below(2),
				       .med = random_below(3),
				       .path_length = 1 + random_below(2),
				       .neighbour_as = random_below(3) },
			      .port = random_below(8) ? random_below(3) : SIZE_MAX };
}

static void same(const struct path *got, const struct naive_path *list, int best)
{
	assert_int_equal(got != NULL, best >= 0);
	if (best < 0)
		return;
	assert_int_equal(got->port, list[best].path.port);
	assert_true(ip_address_equal(&got->bgp.next_hop, &list[best].path.bgp.next_hop));
	assert_int_equal(got->bgp.med, list[best].path.bgp.med);
	assert_int_equal(got->bgp.neighbour_as, list[best].path.bgp.neighbour_as);
}

static void best_path_as_the_rules_say(void **state)
{
	struct paths *all = paths_create(true, 100, 100), *best_only = NULL;
	struct naive_path list[PEERS * IDS] = { 0 };
	struct path_peer peer[PEERS];
	uint32_t number[PEERS], index;
	const struct ip_prefix p = prefix("198.18.0.0/16");

	(void)state;
	assert_non_null(all);
	for (uint32_t i = 0; i < PEERS; i++) {
		peer[i] = (struct path_peer){ .bgp_id = 1 + i / 2,
					      .as = 64500 + i,
					      .address = { .key = { .hi = (9ull - i) << 32 } } };
		assert_int_equal(paths_peer(all, &peer[i], &number[i]), 0);
	}
	assert_int_equal(paths_prefix(all, &p, &index), 0);
	for (int round = 0; round < 100000; round++) {
		uint32_t i = random_below(PEERS * IDS);

		if (random_below(3)) {
			list[i] = (struct naive_path){ true, random_path() };
			assert_int_equal(
				paths_set(all, index, number[i / IDS], i % IDS, &list[i].path), 0);
		} else {
			assert_int_equal(paths_remove(all, index, number[i / IDS], i % IDS),
					 list[i].there);
			list[i].there = false;
		}
		same(paths_best(all, index), list, naive_best(list, peer));
		if (round % 50)
			continue;
		/* and where nothing is ever withdrawn, without the paths that lost */
		paths_free(best_only);
		best_only = paths_create(false, 100, 100);
		assert_non_null(best_only);
		for (i = 0; i < PEERS; i++)
			assert_int_equal(paths_peer(best_only, &peer[i], &number[i]), 0);
		assert_int_equal(paths_prefix(best_only, &p, &index), 0);
		for (i = 0; i < PEERS * IDS; i++)
			if (list[i].there)
				assert_int_equal(paths_set(best_only, index, number[i / IDS],
							   i % IDS, &list[i].path),
						 0);
		same(paths_best(best_only, index), list, naive_best(list, peer));
	}
	paths_free(all);
	paths_free(best_only);
}

static void paths_are_bounded(void **state)
{
	struct paths *p = paths_create(true, 2, 1);
	const struct ip_prefix a = prefix("10.0.0.0/8"), b = prefix("10.0.0.0/9"),
			       c = prefix("10.128.0.0/9"), d = prefix("2001:db8::/32");
	const struct path_peer peer = { .address = address("192.0.2.1") };
	struct path path = random_path();
	uint32_t index, number;

	(void)state;
	assert_non_null(p);
	assert_int_equal(paths_peer(p, &peer, &number), 0);
	assert_int_equal(paths_prefix(p, &a, &index), 0);
	assert_int_equal(paths_prefix(p, &b, &index), 0);
	assert_int_equal(paths_prefix(p, &c, &index), -ENOSPC);
	assert_int_equal(paths_prefix(p, &d, &index), 0);
	assert_int_equal(paths_prefix(p, &a, &index), 0);
	for (uint32_t i = 0; i < PATHS_OF_PREFIX_MAX; i++)
		assert_int_equal(paths_set(p, index, number, i, &path), 0);
	assert_int_equal(paths_set(p, index, number, PATHS_OF_PREFIX_MAX, &path), -E2BIG);
	assert_int_equal(paths_set(p, index, number, 7, &path), 0);
	assert_true(paths_remove_peer(p, index, number));
	assert_false(paths_any(p, index));
	assert_null(paths_best(p, index));
	paths_free(p);
}

/* ---- a file ---- */

struct file {
	int fd;
	char path[64];
};

static struct file file_of(const void *data, size_t n)
{
	struct file f = { .fd = memfd_create("mrt", 0) };

	assert_true(f.fd >= 0);
	assert_int_equal(write(f.fd, data, n), n);
	snprintf(f.path, sizeof(f.path), "/proc/self/fd/%d", f.fd);
	return f;
}

/* Two peers; 198.18.0.0/16 by both, 2001:db8:b::/48 by the second; then a record to be skipped. */
static const uint8_t dump[] = {
	/* PEER_INDEX_TABLE */
	0x00,
	0x00,
	0x00,
	0x01,
	0x00,
	0x0d,
	0x00,
	0x01,
	0x00,
	0x00,
	0x00,
	0x2e,
	0xc0,
	0x00,
	0x02,
	0xff,
	0x00,
	0x00,
	0x00,
	0x02,
	0x02,
	0xc0,
	0x00,
	0x02,
	0x01,
	0xc0,
	0x00,
	0x02,
	0x01,
	0x00,
	0x00,
	0xfb,
	0xf5,
	0x03,
	0xc0,
	0x00,
	0x02,
	0x02,
	0x20,
	0x01,
	0x0d,
	0xb8,
	0x00,
	0x64,
	0x00,
	0x0b,
	0x00,
	0x00,
	0x00,
	0x00,
	0x00,
	0x00,
	0x00,
	0x02,
	0x00,
	0x00,
	0xfb,
	0xf6,
	/* RIB_IPV4_UNICAST */
	0x00,
	0x00,
	0x00,
	0x01,
	0x00,
	0x0d,
	0x00,
	0x02,
	0x00,
	0x00,
	0x00,
	0x41,
	0x00,
	0x00,
	0x00,
	0x00,
	0x10,
	0xc6,
	0x12,
	0x00,
	0x02,
	0x00,
	0x00,
	0x00,
	0x00,
	0x00,
	0x00,
	0x00,
	0x14,
	0x40,
	0x01,
	0x01,
	0x00,
	0x40,
	0x02,
	0x06,
	0x02,
	0x01,
	0x00,
	0x00,
	0xfb,
	0xf5,
	0x40,
	0x03,
	0x04,
	0xcb,
	0x00,
	0x71,
	0x07,
	0x00,
	0x01,
	0x00,
	0x00,
	0x00,
	0x00,
	0x00,
	0x14,
	0x40,
	0x01,
	0x01,
	0x00,
	0x40,
	0x02,
	0x06,
	0x02,
	0x01,
	0x00,
	0x00,
	0xfb,
	0xf6,
	0x40,
	0x03,
	0x04,
	0xc0,
	0x00,
	0x02,
	0x02,
	/* RIB_IPV6_UNICAST */
	0x00,
	0x00,
	0x00,
	0x01,
	0x00,
	0x0d,
	0x00,
	0x04,
	0x00,
	0x00,
	0x00,
	0x3d,
	0x00,
	0x00,
	0x00,
	0x01,
	0x30,
	0x20,
	0x01,
	0x0d,
	0xb8,
	0x00,
	0x0b,
	0x00,
	0x01,
	0x00,
	0x01,
	0x00,
	0x00,
	0x00,
	0x00,
	0x00,
	0x28,
	0x40,
	0x01,
	0x01,
	0x00,
	0x40,
	0x02,
	0x06,
	0x02,
	0x01,
	0x00,
	0x00,
	0xfb,
	0xf6,
	0x80,
	0x0e,
	0x11,
	0x10,
	0x20,
	0x01,
	0x0d,
	0xb8,
	0x00,
	0x64,
	0x00,
	0x0b,
	0x00,
	0x00,
	0x00,
	0x00,
	0x00,
	0x00,
	0x00,
	0x02,
	0x80,
	0x04,
	0x04,
	0x00,
	0x00,
	0x00,
	0x00,
	/* OSPFv3 */
	0x00,
	0x00,
	0x00,
	0x01,
	0x00,
	0x30,
	0x00,
	0x00,
	0x00,
	0x00,
	0x00,
	0x04,
	0x01,
	0x02,
	0x03,
	0x04,
};
static const size_t record_ends[] = { 0, 58, 135, 208, 224 };

static const char exchange[] = "ports:\n"
			       "  - {name: pa, device: x, addresses: [192.0.2.9/24, "
			       "\"2001:db8:64:b::9/64\"]}\n";

/* A model of the dump in a file, or NULL with the first problem in text. */
static struct model *load(const char *path, char text[200], struct config **config)
{
	char *files[] = { (char *)(uintptr_t)path };
	const struct dump_options dumps = { .file = files, .files = 1 };
	const struct model_options options = { .dumps = &dumps };
	struct problems problems = { 0 };
	struct model *model;

	*config = config_parse(exchange, strlen(exchange), "exchange", &problems);
	assert_non_null(*config);
	model = model_create(*config, &options, &problems);
	text[0] = 0;
	if (problems.count)
		snprintf(text, 200, "%s", problems.list[0].text);
	assert_int_equal(model == NULL, problems.errors > 0);
	problems_release(&problems);
	return model;
}

static void check_routes(const char *path)
{
	struct config *config;
	struct model_routes routes;
	char text[200];
	struct model *model = load(path, text, &config);

	if (!model)
		fail_msg("%s", text);
	model_routes(model, &routes);
	assert_int_equal(routes.ipv4, 2);
	assert_int_equal(routes.ipv6, 2);
	assert_int_equal(routes.unresolved, 0);
	model_free(model);
	config_free(config);
}

static bool is_record_end(size_t n)
{
	for (size_t i = 0; i < sizeof(record_ends) / sizeof(record_ends[0]); i++)
		if (record_ends[i] == n)
			return true;
	return false;
}

static void torn_anywhere_it_is_refused(void **state)
{
	(void)state;
	for (size_t n = 0; n <= sizeof(dump); n++) {
		struct file f = file_of(dump, n);
		struct config *config;
		char text[200];
		struct model *model = load(f.path, text, &config);

		if (n && is_record_end(n))
			assert_non_null(model);
		else
			assert_null(model);
		if (!model)
			assert_non_null(
				strstr(text, n ? "is cut off inside a record" : "is empty"));
		model_free(model);
		config_free(config);
		close(f.fd);
	}
}

/* Any octet changed: read or refused, but never more than the file holds. */
static void lies_are_survived(void **state)
{
	uint8_t copy[sizeof(dump)];

	(void)state;
	for (size_t i = 0; i < sizeof(dump); i++) {
		for (int bit = 0; bit < 8; bit++) {
			struct config *config;
			struct model *model;
			struct file f;
			char text[200];

			memcpy(copy, dump, sizeof(dump));
			copy[i] ^= (uint8_t)(1u << bit);
			f = file_of(copy, sizeof(copy));
			model = load(f.path, text, &config);
			if (!model)
				assert_true(text[0]);
			model_free(model);
			config_free(config);
			close(f.fd);
		}
	}
}

/* ---- packed ---- */

static size_t pack_gz(uint8_t *to, size_t size)
{
	z_stream z = { .next_in = (uint8_t *)(uintptr_t)dump,
		       .avail_in = sizeof(dump),
		       .next_out = to,
		       .avail_out = (unsigned int)size };

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return size - z.avail_out;
}

static size_t pack_bz2(uint8_t *to, size_t size)
{
	unsigned int n = (unsigned int)size;

	assert_int_equal(BZ2_bzBuffToBuffCompress((char *)to, &n, (char *)(uintptr_t)dump,
						  sizeof(dump), 9, 0, 0),
			 BZ_OK);
	return n;
}

static size_t pack_xz(uint8_t *to, size_t size)
{
	size_t n = 0;

	assert_int_equal(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, NULL, dump, sizeof(dump), to,
						 &n, size),
			 LZMA_OK);
	return n;
}

static void packed_in_any_way(void **state)
{
	static size_t (*const pack[])(uint8_t *, size_t) = { pack_gz, pack_bz2, pack_xz };
	uint8_t packed[2048];

	(void)state;
	for (int i = 0; i < 3; i++) {
		size_t n = pack[i](packed, sizeof(packed));
		struct file f = file_of(packed, n);

		check_routes(f.path);
		close(f.fd);
		for (size_t cut = 7; cut < n; cut++) {
			struct file torn = file_of(packed, cut);
			struct config *config;
			char text[200];
			struct model *model = load(torn.path, text, &config);

			assert_null(model);
			assert_non_null(strstr(text, "is cut off or damaged"));
			config_free(config);
			close(torn.fd);
		}
	}
}

/* Packed streams behind one another, over the edges of pieces, and a reader that goes early. */
static void streams_behind_one_another(void **state)
{
	const size_t big = 3 << 20;
	uint8_t *data = calloc(1, 2 * big), *packed = malloc(2 * big), *back = malloc(4 * big);
	unsigned int n = (unsigned int)big;
	struct unpack *u;
	size_t have = 0;
	struct file f;
	ssize_t got;

	(void)state;
	for (size_t i = 0; i < big; i++)
		data[i] = (uint8_t)(i / 1000 * 7);
	assert_int_equal(BZ2_bzBuffToBuffCompress((char *)packed, &n, (char *)data,
						  (unsigned int)big, 1, 0, 0),
			 BZ_OK);
	memcpy(packed + n, packed, n);
	memset(packed + 2 * n, 0, 100); /* what tapes leave */
	f = file_of(packed, 2 * n + 100);
	u = unpack_open(f.path, &(const char *){ NULL });
	assert_non_null(u);
	assert_string_equal(unpack_format(u), "bzip2");
	while ((got = unpack_read(u, back + have, 1 + random_below(100000))) > 0)
		have += (size_t)got;
	assert_int_equal(got, 0);
	assert_int_equal(have, 2 * big);
	assert_memory_equal(back, data, big);
	assert_memory_equal(back + big, data, big);
	unpack_close(u);
	u = unpack_open(f.path, &(const char *){ NULL });
	assert_non_null(u);
	assert_true(unpack_read(u, back, 100) > 0);
	unpack_close(u);
	close(f.fd);
	free(data);
	free(packed);
	free(back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(best_path_as_the_rules_say),
		cmocka_unit_test(paths_are_bounded),
		cmocka_unit_test(torn_anywhere_it_is_refused),
		cmocka_unit_test(lies_are_survived),
		cmocka_unit_test(packed_in_any_way),
		cmocka_unit_test(streams_behind_one_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
