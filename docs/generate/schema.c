// SPDX-License-Identifier: BSD-3-Clause
/* Prints docs/napd.schema.json: napd.yaml as JSON Schema (draft 2020-12), from control/config.def.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "settings.h"

/* What is no JSON is a fault of this program, not of its input: there is none. */
static json_t *made(json_t *json)
{
	if (!json)
		abort();
	return json;
}

static void set(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, made(value)) < 0)
		abort();
}

static void add(json_t *array, json_t *value)
{
	if (json_array_append_new(array, made(value)) < 0)
		abort();
}

static json_t *word_enum(const struct setting *s)
{
	json_t *list = made(json_array());
	const char *word;
	size_t length;

	for (unsigned int i = 0; (length = words_get(s->words, i, &word)) > 0; i++)
		add(list, json_stringn(word, length));
	return made(json_pack("{so}", "enum", list));
}

static json_t *number_schema(const struct setting *s, const char *type)
{
	return made(json_pack("{s[ss]sIsIss}", "type", type, "string", "minimum",
			      (json_int_t)s->min, "maximum", (json_int_t)s->max, "pattern",
			      setting_pattern(s->type)));
}

/* Text may look like a number or a boolean: it is taken as written. */
static json_t *text_schema(const struct setting *s)
{
	json_t *schema = made(json_pack("{s[sss]}", "type", "string", "number", "boolean"));

	if (s->min)
		set(schema, "minLength", json_integer((json_int_t)s->min));
	if (s->max && !s->list)
		set(schema, "maxLength", json_integer((json_int_t)s->max));
	return schema;
}

static json_t *string_schema(const struct setting *s)
{
	json_t *schema = made(json_pack("{ss}", "type", "string"));
	const char *pattern = setting_pattern(s->type);

	if (pattern)
		set(schema, "pattern", json_string(pattern));
	if (s->type == SETTING_NAME)
		set(schema, "not", json_pack("{ss}", "pattern", "^drop-"));
	return schema;
}

static const char *const object_id[] = {
#define OBJECT(name, path, text) #name,
#include "config_rows.h"
};

static json_t *reference(enum object object)
{
	return made(json_pack("{ss+}", "$ref", "#/$defs/", object_id[object]));
}

static json_t *value_schema(const struct setting *s)
{
	switch (s->type) {
	case SETTING_BOOL:
		return made(json_pack("{s[ss]ss}", "type", "boolean", "string", "pattern",
				      setting_pattern(s->type)));
	case SETTING_KIND:
		return made(json_pack("{s[{sb}{ssss}]}", "anyOf", "const", 1, "type", "string",
				      "pattern", setting_pattern(s->type)));
	case SETTING_NUMBER:
	case SETTING_AUTO:
		return number_schema(s, "integer");
	case SETTING_RATE:
	case SETTING_SIZE:
	case SETTING_COUNT:
		return number_schema(s, "number");
	case SETTING_TEXT:
		return text_schema(s);
	case SETTING_CORES:
		return made(json_pack("{s[ss]sIsIss}", "type", "integer", "string", "minimum",
				      (json_int_t)s->min, "maximum", (json_int_t)s->max, "pattern",
				      setting_pattern(s->type)));
	case SETTING_WORD:
	case SETTING_WORD_TEXT:
	case SETTING_WORDS:
		return word_enum(s);
	case SETTING_NEXTHOP:
		return made(json_pack("{s[oo]}", "anyOf", string_schema(s), reference(s->child)));
	case SETTING_OBJECT:
		return reference(s->child);
	default:
		return string_schema(s);
	}
}

static json_t *default_value(const struct setting *s)
{
	const char *text = s->fallback + 1;
	char *end;
	long long number = strtoll(text, &end, 10);

	if (s->type == SETTING_BOOL)
		return json_boolean(strcmp(text, "true") == 0);
	if (*text && !*end)
		return json_integer(number);
	return json_string(text);
}

static json_t *setting_schema(const struct setting *s)
{
	json_t *schema = value_schema(s);

	if (s->list && s->type == SETTING_OBJECT)
		schema = made(json_pack("{s[ss]sosI}", "type", "array", "null", "items", schema,
					"maxItems", (json_int_t)s->max));
	else if (s->list) /* one value alone needs no brackets */
		schema = made(json_pack("{s[o{s[ss]sOsI}]}", "anyOf", json_incref(schema), "type",
					"array", "null", "items", schema, "maxItems",
					(json_int_t)s->max));
	else if (s->type == SETTING_WORDS)
		schema = made(json_pack("{s[o{sssO}]}", "anyOf", json_incref(schema), "type",
					"array", "items", schema));
	set(schema, "description", json_string(s->text));
	if (s->fallback[0] == '=')
		set(schema, "default", default_value(s));
	return schema;
}

/* A route goes via next hops or is of one of the kinds. */
static json_t *one_of_kinds(const struct object_row *row)
{
	json_t *list = made(json_array());

	for (size_t i = 0; i < row->settings; i++)
		if (row->setting[i].type == SETTING_KIND || row->setting[i].type == SETTING_NEXTHOP)
			add(list, json_pack("{s[s]}", "required", row->setting[i].key));
	if (json_array_size(list) > 0)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *object_schema(enum object object)
{
	const struct object_row *row = object_row(object);
	json_t *properties = made(json_object()), *required = made(json_array());
	json_t *kinds = one_of_kinds(row), *schema;
	bool list = strlen(row->path) > 2 && strcmp(row->path + strlen(row->path) - 2, "[]") == 0;

	for (size_t i = 0; i < row->settings; i++) {
		set(properties, row->setting[i].key, setting_schema(&row->setting[i]));
		if (row->setting[i].fallback[0] == '!')
			add(required, json_string(row->setting[i].key));
	}
	schema = made(json_pack("{ss}", "description", row->text));
	/* a mapping of which every key is left out may stand there as nothing */
	set(schema, "type",
	    list || json_array_size(required) ? json_string("object")
					      : json_pack("[ss]", "object", "null"));
	set(schema, "properties", properties);
	set(schema, "additionalProperties", json_false());
	if (kinds)
		set(schema, "oneOf", kinds);
	if (json_array_size(required))
		set(schema, "required", json_incref(required));
	json_decref(required);
	return schema;
}

int main(void)
{
	json_t *root =
		made(json_pack("{ssss}", "$schema", "https://json-schema.org/draft/2020-12/schema",
			       "title", "napd.yaml"));
	json_t *file = object_schema(OBJECT_file), *defs = made(json_object());

	/* the ports stand here, or in a file that is included */
	set(file, "type", json_string("object"));
	set(file, "anyOf", json_pack("[{s[s]}{s[s]}]", "required", "ports", "required", "include"));
	if (json_object_update(root, file) < 0)
		abort();
	json_decref(file);
	for (enum object object = OBJECT_file + 1; object < OBJECT_COUNT; object++)
		set(defs, object_id[object], object_schema(object));
	set(root, "$defs", defs);
	json_dumpf(root, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(root);
	return ferror(stdout) ? 1 : 0;
}
