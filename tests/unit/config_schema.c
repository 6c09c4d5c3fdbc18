// SPDX-License-Identifier: BSD-3-Clause
/*
 * docs/napd.schema.json against the parser: on the same documents both say yes, or
 * both no, in all that a schema can judge. The validator here knows the keywords
 * that the schema uses and fails at any other.
 */
#include "test.h"

#include "config.h"
#include "config_yaml.h"
#include "settings.h"

#include <inttypes.h>
#include <jansson.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *schema;

/* ---- YAML as an editor sees it: plain scalars are numbers and booleans where they look so ---- */

static json_t *scalar_json(const struct node *node)
{
	char *end;
	long long number = strtoll(node->text, &end, 10);

	if (!node->quoted && *node->text && !*end && strlen(node->text) < 19)
		return json_integer(number);
	if (!node->quoted && strcmp(node->text, "true") == 0)
		return json_true();
	if (!node->quoted && strcmp(node->text, "false") == 0)
		return json_false();
	return json_string(node->text);
}

static json_t *node_json(const struct node *node)
{
	json_t *json;

	node = node_value(node);
	switch (node ? node->type : NODE_EMPTY) {
	case NODE_SCALAR:
		return scalar_json(node);
	case NODE_LIST:
		json = json_array();
		for (const struct node *child = node->child; child; child = child->next)
			json_array_append_new(json, node_json(child));
		return json;
	case NODE_MAPPING:
		json = json_object();
		for (const struct node *key = node->child; key; key = key->next->next)
			json_object_set_new(json, node_value(key)->text, node_json(key->next));
		return json;
	default:
		return json_null();
	}
}

/* ---- the validator ---- */

static bool valid(const json_t *rule, const json_t *value);

static bool type_valid(const json_t *type, const json_t *value)
{
	const char *name = json_string_value(type);

	if (json_is_array(type)) {
		for (size_t i = 0; i < json_array_size(type); i++)
			if (type_valid(json_array_get(type, i), value))
				return true;
		return false;
	}
	if (strcmp(name, "integer") == 0)
		return json_is_integer(value);
	if (strcmp(name, "number") == 0)
		return json_is_number(value);
	if (strcmp(name, "string") == 0)
		return json_is_string(value);
	if (strcmp(name, "boolean") == 0)
		return json_is_boolean(value);
	if (strcmp(name, "array") == 0)
		return json_is_array(value);
	if (strcmp(name, "object") == 0)
		return json_is_object(value);
	assert_string_equal(name, "null");
	return json_is_null(value);
}

static bool pattern_valid(const json_t *pattern, const json_t *value)
{
	regex_t regex;
	bool match;

	if (!json_is_string(value))
		return true;
	assert_int_equal(regcomp(&regex, json_string_value(pattern), REG_EXTENDED | REG_NOSUB), 0);
	match = regexec(&regex, json_string_value(value), 0, NULL, 0) == 0;
	regfree(&regex);
	return match;
}

static unsigned int how_many_valid(const json_t *rules, const json_t *value)
{
	unsigned int n = 0;

	for (size_t i = 0; i < json_array_size(rules); i++)
		n += valid(json_array_get(rules, i), value);
	return n;
}

static bool bounds_valid(const char *keyword, const json_t *limit, const json_t *value)
{
	json_int_t bound = json_integer_value(limit);

	if (strcmp(keyword, "minimum") == 0)
		return !json_is_number(value) || json_number_value(value) >= (double)bound;
	if (strcmp(keyword, "maximum") == 0)
		return !json_is_number(value) || json_number_value(value) <= (double)bound;
	if (strcmp(keyword, "minLength") == 0)
		return !json_is_string(value) || (json_int_t)json_string_length(value) >= bound;
	if (strcmp(keyword, "maxLength") == 0)
		return !json_is_string(value) || (json_int_t)json_string_length(value) <= bound;
	if (strcmp(keyword, "maxItems") == 0)
		return !json_is_array(value) || (json_int_t)json_array_size(value) <= bound;
	fail_msg("the schema uses %s, which this test does not know", keyword);
	return false;
}

static bool members_valid(const json_t *rule, const json_t *value)
{
	json_t *properties = json_object_get(rule, "properties");
	json_t *required = json_object_get(rule, "required");
	bool open = json_object_get(rule, "additionalProperties") != json_false();
	const char *key;
	json_t *member;

	if (!json_is_object(value))
		return true;
	for (size_t i = 0; i < json_array_size(required); i++)
		if (!json_object_get(value, json_string_value(json_array_get(required, i))))
			return false;
	json_object_foreach((json_t *)value, key, member)
	{
		json_t *its = json_object_get(properties, key);

		if (its ? !valid(its, member) : !open)
			return false;
	}
	return true;
}

static bool keyword_valid(const char *keyword, const json_t *argument, const json_t *value)
{
	static const char *const silent[] = { "$schema",
					      "$defs",
					      "title",
					      "description",
					      "default",
					      "properties",
					      "additionalProperties",
					      "required" };

	for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++)
		if (strcmp(keyword, silent[i]) == 0)
			return true; /* comments, and what members_valid() does */
	if (strcmp(keyword, "$ref") == 0) {
		const char *name = json_string_value(argument) + strlen("#/$defs/");
		json_t *def = json_object_get(json_object_get(schema, "$defs"), name);

		assert_non_null(def);
		return valid(def, value);
	}
	if (strcmp(keyword, "type") == 0)
		return type_valid(argument, value);
	if (strcmp(keyword, "pattern") == 0)
		return pattern_valid(argument, value);
	if (strcmp(keyword, "const") == 0)
		return json_equal(argument, value);
	if (strcmp(keyword, "not") == 0)
		return !valid(argument, value);
	if (strcmp(keyword, "anyOf") == 0)
		return how_many_valid(argument, value) > 0;
	if (strcmp(keyword, "oneOf") == 0)
		return how_many_valid(argument, value) == 1;
	if (strcmp(keyword, "enum") == 0) {
		for (size_t i = 0; i < json_array_size(argument); i++)
			if (json_equal(json_array_get(argument, i), value))
				return true;
		return false;
	}
	if (strcmp(keyword, "items") == 0) {
		for (size_t i = 0; i < json_array_size(value); i++)
			if (!valid(argument, json_array_get(value, i)))
				return false;
		return true;
	}
	return bounds_valid(keyword, argument, value);
}

static bool valid(const json_t *rule, const json_t *value)
{
	const char *keyword;
	json_t *argument;

	json_object_foreach((json_t *)rule, keyword, argument)
	{
		if (!keyword_valid(keyword, argument, value))
			return false;
	}
	return members_valid(rule, value);
}

/* ---- both on one document ---- */

static bool parser_accepts(const char *text)
{
	struct problems problems = { 0 };
	struct config *config = config_parse(text, strlen(text), "x.yaml", &problems);
	bool accepted = config != NULL;

	config_free(config);
	problems_release(&problems);
	return accepted;
}

static bool schema_accepts(const char *text)
{
	struct problems problems = { 0 };
	struct document document;
	json_t *json;
	bool accepted;

	assert_int_equal(document_read(&document, text, strlen(text), "x.yaml", &problems), 0);
	json = node_json(document.root);
	accepted = valid(schema, json);
	json_decref(json);
	document_release(&document);
	problems_release(&problems);
	return accepted;
}

static void assert_both(const char *text, bool accept)
{
	bool parser = parser_accepts(text), by_schema = schema_accepts(text);

	if (parser != accept || by_schema != accept)
		fail_msg("the parser says %s, the schema %s, right is %s:\n%s",
			 parser ? "yes" : "no", by_schema ? "yes" : "no", accept ? "yes" : "no",
			 text);
}

#define PORTS                                                                       \
	"ports: [{name: pa, device: net_a, addresses: [198.51.100.1/24], tap: no}," \
	" {name: pb, device: net_b}]\n"

static const struct {
	bool accept;
	const char *text;
} documents[] = {
	{ true, PORTS },
	{ false, "exchange: {name: x}\n" },
	{ false, "[]\n" },
	{ false, PORTS "bogus: 1\n" },
	{ true, PORTS "exchange:\ndataplane:\nmembers:\nroutes:\ntables:\nmetrics:\nlog:\n" },
	{ true, PORTS "exchange: {name: 64500}\n" },
	{ true, PORTS "exchange: {name: true}\n" },
	{ false, PORTS "exchange: {name: \"\"}\n" },
	{ false, PORTS "exchange: {name: [a]}\n" },
	{ false, PORTS "exchange: {name: }\n" },
	{ false, PORTS "exchange: demo\n" },
	{ false, PORTS "exchange: {asn: AS1}\n" },
	{ true, PORTS "exchange: {asn: \"64500\"}\n" },
	{ false, PORTS "exchange: {asn: \"064500\"}\n" },
	{ true, PORTS "dataplane: {cores: 3}\n" },
	{ true, PORTS "dataplane: {cores: \"2-7,10\"}\n" },
	{ false, PORTS "dataplane: {cores: \"2-7,\"}\n" },
	{ true, PORTS "dataplane: {memory: 2.5G, capacity: {ipv4: 1.5M}}\n" },
	{ false, PORTS "dataplane: {memory: 1T}\n" },
	{ false, PORTS "dataplane: {memory: 1Gbps}\n" },
	{ true, PORTS "dataplane: {eal: -v}\n" },
	{ true, PORTS "dataplane: {eal: [-v, 8]}\n" },
	{ false, PORTS "dataplane: {eal: {v: 8}}\n" },
	{ false, "ports: [{name: pa}]\n" },
	{ false, "ports: [{device: net_a}]\n" },
	{ false, "ports: {name: pa, device: net_a}\n" },
	{ false, "ports: [{name: Pa, device: net_a}]\n" },
	{ false, "ports: [{name: drop-a, device: net_a}]\n" },
	{ false, "ports: [{name: abcdefghijklmnop, device: net_a}]\n" },
	{ true, "ports: [{name: abcdefghijklmno, device: net_a}]\n" },
	{ true, "ports: [{name: a, device: net_a, speed: 10Gbps, rate-limit: 2.5G}]\n" },
	{ false, "ports: [{name: a, device: net_a, speed: 10gbps}]\n" },
	{ false, "ports: [{name: a, device: net_a, mac: 02:4e:41:00:00}]\n" },
	{ true, "ports: [{name: a, device: net_a, mac: 02:4E:41:00:00:01}]\n" },
	{ true, "ports: [{name: a, device: net_a, enabled: no, mac-lock: off, tap: FALSE}]\n" },
	{ false, "ports: [{name: a, device: net_a, enabled: maybe}]\n" },
	{ true, "ports: [{name: a, device: net_a, addresses: 198.51.100.1/24}]\n" },
	{ false, "ports: [{name: a, device: net_a, addresses: [198.51.100.1]}]\n" },
	{ true, "ports: [{name: a, device: net_a, link-local: fe80::1}]\n" },
	{ false, "ports: [{name: a, device: net_a, link-local: \"2001:db8::1\"}]\n" },
	{ true, "ports: [{name: a, device: net_a, tap-accept: all}]\n" },
	{ true, "ports: [{name: a, device: net_a, tap-accept: [bgp, bfd]}]\n" },
	{ false, "ports: [{name: a, device: net_a, tap-accept: [bgp, ssh]}]\n" },
	{ true, PORTS "members: [{name: A, port: pa, prefixes: 203.0.113.0/24}]\n" },
	{ false, PORTS "members: [{port: pa, prefixes: 203.0.113.0/24}]\n" },
	{ false, PORTS "members: [{name: A, prefixes: [203.0.113.0]}]\n" },
	{ true, PORTS "members: [{name: A, port: pa, routers: [{mac: 02:00:00:00:00:01}]}]\n" },
	{ false, PORTS "members: [{name: A, port: pa, routers: {mac: 02:00:00:00:00:01}}]\n" },
	{ false, PORTS "members: [{name: A, port: pa, routers: [{addresses: [x]}]}]\n" },
	{ true, PORTS "routes: [{prefix: 203.0.113.0/24, via: 198.51.100.2}]\n" },
	{ true, PORTS "routes: [{prefix: 203.0.113.0/24, via: [\"fe80::a%pa\"]}]\n" },
	{ false, PORTS "routes: [{prefix: 203.0.113.0/24, via: [\"fe80::a%\"]}]\n" },
	{ true, PORTS "routes: [{prefix: 0.0.0.0/0, via: [{address: 198.51.100.2}]}]\n" },
	{ false, PORTS "routes: [{prefix: 0.0.0.0/0, via: [{weight: 2}]}]\n" },
	{ false, PORTS "routes: [{prefix: 203.0.113.0/24}]\n" },
	{ false, PORTS "routes: [{blackhole: true}]\n" },
	{ true, PORTS "routes: [{prefix: 203.0.113.0/24, blackhole: yes}]\n" },
	{ false, PORTS "routes: [{prefix: 203.0.113.0/24, blackhole: false}]\n" },
	{ false, PORTS "routes: [{prefix: 203.0.113.0/24, blackhole: true, prohibit: true}]\n" },
	{ true, PORTS "tables: {file: a.txt, fpm: }\n" },
	{ false, PORTS "tables: {kernel: }\n" },
	{ true, PORTS "tables: {kept: {file: k, every: 0}}\n" },
	{ false, PORTS "tables: {kept: {file: }}\n" },
	{ false, PORTS "tables: {kernel: {table: main}}\n" },
	{ true, PORTS "metrics: {listen: \"[::1]:9473\"}\n" },
	{ false, PORTS "metrics: {listen: 9473}\n" },
	{ true, PORTS "metrics: {listen: \"[::]:9473\", insecure: true}\n" },
	{ false, PORTS "control: {socket: napd.sock}\n" },
	{ false, PORTS "log: {level: loud}\n" },
	{ true, "include: [nothing-there-*.yaml]\n" PORTS },
};

static void both_agree_on_documents(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++)
		assert_both(documents[i].text, documents[i].accept);
}

/* A document in which one key of each object can stand. */
static const char *const template[OBJECT_COUNT] = {
	[OBJECT_exchange] = PORTS "exchange: {%s: %s}\n",
	[OBJECT_dataplane] = PORTS "dataplane: {%s: %s}\n",
	[OBJECT_capacity] = PORTS "dataplane: {capacity: {%s: %s}}\n",
	[OBJECT_port] = "ports: [{name: a, device: net_a, %s: %s}]\n",
	[OBJECT_member] = PORTS "members: [{name: A, %s: %s}]\n",
	[OBJECT_nexthop] =
		PORTS "routes: [{prefix: 0.0.0.0/0, via: [{address: 198.51.100.2, %s: %s}]}]\n",
	[OBJECT_kept] = PORTS "tables: {kept: {%s: %s}}\n",
	[OBJECT_fpm] = PORTS "tables: {fpm: {%s: %s}}\n",
	[OBJECT_kernel] = PORTS "tables: {kernel: {%s: %s}}\n",
	[OBJECT_metrics] = PORTS "metrics: {%s: %s}\n",
	[OBJECT_log] = PORTS "log: {%s: %s}\n",
};

/* Where a mapping has a key that must be there. */
static const char *template_of(const struct setting *s)
{
	return s->object == OBJECT_kernel && strcmp(s->key, "table") != 0 ? PORTS
		       "tables: {kernel: {table: 9, %s: %s}}\n"
									  : template[s->object];
}

static void assert_setting(const struct setting *s, const char *value, bool accept)
{
	const char *t = template_of(s), *key = strstr(t, "%s"), *rest = strstr(key + 2, "%s");
	char text[512];

	snprintf(text, sizeof(text), "%.*s%s%.*s%s%s", (int)(key - t), t, s->key,
		 (int)(rest - key - 2), key + 2, value, rest + 2);
	assert_both(text, accept);
}

static void assert_number(const struct setting *s, uint64_t value, bool accept)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	assert_setting(s, text, accept);
}

static void assert_words(const struct setting *s)
{
	const char *word;
	size_t length;

	for (unsigned int i = 0; (length = words_get(s->words, i, &word)) > 0; i++) {
		char text[32];

		snprintf(text, sizeof(text), "%.*s", (int)length, word);
		assert_setting(s, text, true);
	}
	assert_setting(s, "nonsense", false);
}

static void both_agree_at_every_bound(void **state)
{
	unsigned int numbers = 0, words = 0;

	(void)state;
	for (size_t i = 0; i < setting_count; i++) {
		const struct setting *s = &settings[i];

		if (s->words) {
			assert_words(s);
			words++;
		}
		if (s->list || (s->type != SETTING_NUMBER && s->type != SETTING_AUTO &&
				s->type != SETTING_RATE && s->type != SETTING_SIZE &&
				s->type != SETTING_COUNT))
			continue;
		if (s->min > 0)
			assert_number(s, s->min - 1, false);
		assert_number(s, s->min, true);
		assert_number(s, s->max, true);
		assert_number(s, s->max + 1, false);
		assert_setting(s, "x", false);
		assert_setting(s, "auto", s->type == SETTING_AUTO);
		numbers++;
	}
	assert_int_equal(numbers, 23);
	assert_int_equal(words, 6);
}

static void every_setting_stands_in_the_schema(void **state)
{
	static const char *const id[] = {
#define OBJECT(name, path, text) #name,
#include "config_rows.h"
	};
	json_t *defs = json_object_get(schema, "$defs");

	(void)state;
	for (size_t i = 0; i < setting_count; i++) {
		const struct setting *s = &settings[i];
		json_t *object =
			s->object == OBJECT_file ? schema : json_object_get(defs, id[s->object]);
		json_t *property = json_object_get(json_object_get(object, "properties"), s->key);

		assert_non_null(property);
		assert_string_equal(json_string_value(json_object_get(property, "description")),
				    s->text);
	}
}

static int schema_load(void **state)
{
	json_error_t error;

	(void)state;
	schema = json_load_file(SCHEMA_PATH, 0, &error);
	if (!schema)
		print_error("%s:%d: %s\n", SCHEMA_PATH, error.line, error.text);
	return schema ? 0 : -1;
}

static int schema_drop(void **state)
{
	(void)state;
	json_decref(schema);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_agree_on_documents),
		cmocka_unit_test(both_agree_at_every_bound),
		cmocka_unit_test(every_setting_stands_in_the_schema),
	};

	return cmocka_run_group_tests(tests, schema_load, schema_drop);
}
