// SPDX-License-Identifier: BSD-3-Clause
/* The tables that config.def declares, and what its types are called. */
#include "settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config.h"

/* The struct that an object's fields are in. */
#define STRUCT_file      struct config
#define STRUCT_exchange  struct config
#define STRUCT_dataplane struct config
#define STRUCT_capacity  struct config
#define STRUCT_port      struct config_port
#define STRUCT_member    struct config_member
#define STRUCT_router    struct config_router
#define STRUCT_route     struct config_route
#define STRUCT_nexthop   struct config_nexthop
#define STRUCT_tables    struct config
#define STRUCT_fpm       struct config
#define STRUCT_kernel    struct config
#define STRUCT_kept      struct config
#define STRUCT_metrics   struct config
#define STRUCT_control   struct config
#define STRUCT_log       struct config

#define VALUE(literal)   "=" literal
#define DERIVED(prose)   "~" prose
#define REQUIRED         "!"
#define NONE             ""
#define FIELD_SIZE(s, f) sizeof(((s *)NULL)->f)

const struct setting settings[] = {
#define SETTING(id, k, t, f, lo, hi, d, s)    \
	{ .object = OBJECT_##id,              \
	  .key = k,                           \
	  .type = SETTING_##t,                \
	  .offset = offsetof(STRUCT_##id, f), \
	  .size = FIELD_SIZE(STRUCT_##id, f), \
	  .flag_offset = SETTING_NO_FLAG,     \
	  .min = lo,                          \
	  .max = hi,                          \
	  .fallback = d,                      \
	  .text = s },
#define FLAGGED(id, k, t, f, flag, d, s)              \
	{ .object = OBJECT_##id,                      \
	  .key = k,                                   \
	  .type = SETTING_##t,                        \
	  .offset = offsetof(STRUCT_##id, f),         \
	  .size = FIELD_SIZE(STRUCT_##id, f),         \
	  .flag_offset = offsetof(STRUCT_##id, flag), \
	  .fallback = d,                              \
	  .text = s },
#define WORD(id, k, t, f, w, d, s)            \
	{ .object = OBJECT_##id,              \
	  .key = k,                           \
	  .type = SETTING_##t,                \
	  .offset = offsetof(STRUCT_##id, f), \
	  .size = FIELD_SIZE(STRUCT_##id, f), \
	  .flag_offset = SETTING_NO_FLAG,     \
	  .words = w,                         \
	  .fallback = d,                      \
	  .text = s },
#define LIST(id, k, t, f, n, hi, d, s)              \
	{ .object = OBJECT_##id,                    \
	  .key = k,                                 \
	  .type = SETTING_##t,                      \
	  .list = true,                             \
	  .child = OBJECT_nexthop,                  \
	  .offset = offsetof(STRUCT_##id, f),       \
	  .size = FIELD_SIZE(STRUCT_##id, f[0]),    \
	  .count_offset = offsetof(STRUCT_##id, n), \
	  .flag_offset = SETTING_NO_FLAG,           \
	  .max = hi,                                \
	  .fallback = d,                            \
	  .text = s },
#define CHILD(id, k, c, s)                \
	{ .object = OBJECT_##id,          \
	  .key = k,                       \
	  .type = SETTING_OBJECT,         \
	  .child = OBJECT_##c,            \
	  .flag_offset = SETTING_NO_FLAG, \
	  .fallback = NONE,               \
	  .text = s },
#define FLAGGED_CHILD(id, k, c, flag, s)              \
	{ .object = OBJECT_##id,                      \
	  .key = k,                                   \
	  .type = SETTING_OBJECT,                     \
	  .child = OBJECT_##c,                        \
	  .flag_offset = offsetof(STRUCT_##id, flag), \
	  .fallback = NONE,                           \
	  .text = s },
#define CHILDREN(id, k, c, f, n, hi, s)             \
	{ .object = OBJECT_##id,                    \
	  .key = k,                                 \
	  .type = SETTING_OBJECT,                   \
	  .list = true,                             \
	  .child = OBJECT_##c,                      \
	  .offset = offsetof(STRUCT_##id, f),       \
	  .size = FIELD_SIZE(STRUCT_##id, f[0]),    \
	  .count_offset = offsetof(STRUCT_##id, n), \
	  .flag_offset = SETTING_NO_FLAG,           \
	  .max = hi,                                \
	  .fallback = NONE,                         \
	  .text = s },
#include "config_rows.h"
};
const size_t setting_count = sizeof(settings) / sizeof(settings[0]);

static struct object_row objects[] = {
#define OBJECT(id, p, s) { .path = p, .text = s, .size = sizeof(STRUCT_##id) },
#include "config_rows.h"
};

/* The rows of an object stand together in config.def. */
__attribute__((constructor)) static void objects_find_rows(void)
{
	for (size_t i = 0; i < setting_count; i++) {
		struct object_row *row = &objects[settings[i].object];

		if (!row->setting)
			row->setting = &settings[i];
		row->settings++;
	}
}

const struct object_row *object_row(enum object object)
{
	return &objects[object];
}

size_t words_get(const char *words, unsigned int i, const char **word)
{
	while (i > 0 && *words)
		i -= *words++ == '|';
	*word = words;
	return i == 0 ? strcspn(words, "|") : 0;
}

const char *amount_text(uint64_t value, unsigned int unit, char text[32])
{
	static const char *const suffix[] = { "", "k", "M", "G", "T" };
	unsigned int i = 0;

	while (i < 4 && value >= unit && value % unit == 0) {
		value /= unit;
		i++;
	}
	snprintf(text, 32, "%" PRIu64 "%s", value, suffix[i]);
	return text;
}

#define OCTETS2               "[0-9A-Fa-f]{2}"
#define SUFFIXED(units, more) "^[0-9]{1,18}(\\.[0-9]{1,9})?[" units "]?" more "$"

const char *setting_pattern(enum setting_type type)
{
	static const char *const pattern[SETTING_TYPES] = {
		[SETTING_BOOL] =
			"^([Tt]rue|TRUE|[Ff]alse|FALSE|[Yy]es|YES|[Nn]o|NO|[Oo]n|ON|[Oo]ff|OFF)$",
		[SETTING_NUMBER] = "^(0|[1-9][0-9]*)$",
		[SETTING_AUTO] = "^(auto|0|[1-9][0-9]*)$",
		[SETTING_RATE] = SUFFIXED("kKMGT", "(bps)?"),
		[SETTING_SIZE] = SUFFIXED("kKMG", ""),
		[SETTING_COUNT] = SUFFIXED("kKM", ""),
		[SETTING_NAME] = "^[a-z][a-z0-9-]{0,14}$",
		[SETTING_PORT] = "^[a-z][a-z0-9-]{0,14}$",
		[SETTING_MAC] = "^" OCTETS2 "([:-]" OCTETS2 "){5}$",
		[SETTING_INTERFACE] = "^[0-9A-Fa-f.:]+/[0-9]{1,3}$",
		[SETTING_LINK_LOCAL] = "^[Ff][Ee][89ABab][0-9A-Fa-f]:[0-9A-Fa-f.:]+$",
		[SETTING_ADDRESS] = "^[0-9A-Fa-f.:]+$",
		[SETTING_PREFIX] = "^[0-9A-Fa-f.:]+/[0-9]{1,3}$",
		[SETTING_HOP] = "^[0-9A-Fa-f.:]+(%[a-z][a-z0-9-]{0,14})?$",
		[SETTING_NEXTHOP] = "^[0-9A-Fa-f.:]+(%[a-z][a-z0-9-]{0,14})?$",
		[SETTING_LISTEN] = "^([0-9.]+|\\[[0-9A-Fa-f.:]+\\]):[0-9]{1,5}$",
		[SETTING_SOCKET] = "^/",
		[SETTING_CORES] = "^(auto|[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*)$",
		[SETTING_KIND] = "^([Tt]rue|TRUE|[Yy]es|YES|[Oo]n|ON)$",
	};

	return pattern[type];
}

static const char *type_phrase(enum setting_type type)
{
	static const char *const phrase[SETTING_TYPES] = {
		[SETTING_BOOL] = "true or false",
		[SETTING_PATH] = "a path",
		[SETTING_SOCKET] = "an absolute path of at most 107 bytes",
		[SETTING_INCLUDE] = "a path or pattern",
		[SETTING_NAME] = "a name: a-z, then up to 14 of a-z 0-9 -, not drop-*",
		[SETTING_PORT] = "the name of a port",
		[SETTING_DEVICE] = "a PCI address such as 0000:3b:00.0, or a DPDK vdev",
		[SETTING_MAC] = "a unicast MAC address such as 02:4e:41:00:00:01",
		[SETTING_INTERFACE] = "an address with a length such as 198.51.100.1/31",
		[SETTING_LINK_LOCAL] = "an address in fe80::/10",
		[SETTING_ADDRESS] = "an IP address",
		[SETTING_PREFIX] = "a prefix such as 203.0.113.0/24",
		[SETTING_HOP] = "an IP address, or ADDRESS%PORT",
		[SETTING_NEXTHOP] = "an IP address, ADDRESS%PORT, or {address, weight}",
		[SETTING_LISTEN] = "an address with a port such as 127.0.0.1:9473",
		[SETTING_CORES] = "auto, or CPU numbers such as 2-7,10",
		[SETTING_KIND] = "true",
		[SETTING_OBJECT] = "a mapping (key: value)",
	};

	return phrase[type];
}

/* "one of a, b, c" */
static void words_text(const struct setting *s, char *text, size_t size)
{
	size_t n = (size_t)snprintf(text, size, "one of");
	const char *word;
	size_t length;

	for (unsigned int i = 0; (length = words_get(s->words, i, &word)) > 0; i++)
		n += (size_t)snprintf(text + n, size - n, "%s %.*s", i ? "," : "", (int)length,
				      word);
}

const char *setting_allowed(const struct setting *s, char text[SETTING_ALLOWED_MAX])
{
	static const char *const amount[SETTING_TYPES][2] = {
		[SETTING_RATE] = { "rate in bits a second", "k M G T" },
		[SETTING_SIZE] = { "size in bytes", "k M G" },
		[SETTING_COUNT] = { "number", "k M" },
	};
	char low[32], high[32];
	unsigned int unit = s->type == SETTING_SIZE ? 1024 : 1000;

	if (s->words)
		words_text(s, text, SETTING_ALLOWED_MAX);
	else if (amount[s->type][0])
		snprintf(text, SETTING_ALLOWED_MAX, "a %s in %s..%s (%s)", amount[s->type][0],
			 amount_text(s->min, unit, low), amount_text(s->max, unit, high),
			 amount[s->type][1]);
	else if (s->type == SETTING_NUMBER || s->type == SETTING_AUTO)
		snprintf(text, SETTING_ALLOWED_MAX, "%sa number in %" PRIu64 "..%" PRIu64,
			 s->type == SETTING_AUTO ? "auto or " : "", s->min, s->max);
	else if (s->type == SETTING_TEXT)
		snprintf(text, SETTING_ALLOWED_MAX, "text of at most %" PRIu64 " bytes",
			 s->list ? 255 : s->max);
	else
		snprintf(text, SETTING_ALLOWED_MAX, "%s", type_phrase(s->type));
	return text;
}
