// SPDX-License-Identifier: BSD-3-Clause
/*
 * Reads napd.yaml and what it includes into struct config, by the tables of
 * config.def: types, keys and lists here, single values in config_value.c, what
 * must hold between them in config_check.c.
 */
#include "config_private.h"

#include <errno.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "regular.h"

#define PATH_TEXT_MAX 256

/* ---- places and messages ---- */

const char *where_text(const struct where *where, char *text, size_t size)
{
	size_t n;

	if (!where->parent) {
		text[0] = 0;
		return text;
	}
	where_text(where->parent, text, size);
	n = strlen(text);
	if (where->key)
		snprintf(text + n, size - n, "%s%.64s", n ? "." : "", where->key);
	else
		snprintf(text + n, size - n, "[%zu]", where->index);
	return text;
}

static struct place where_place(const struct where *where)
{
	struct place place = { .file = where->document->name, .line = 1, .column = 1 };

	return where->node ? node_place(where->document, where->node) : place;
}

void where_error(struct reader *r, const struct where *where, const char *format, ...)
{
	char path[PATH_TEXT_MAX], text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	where_text(where, path, sizeof(path));
	problem_error(r->problems, where_place(where), path[0] ? path : NULL, "%s", text);
}

void where_warning(struct reader *r, const struct where *where, const char *format, ...)
{
	char path[PATH_TEXT_MAX], text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	where_text(where, path, sizeof(path));
	problem_warning(r->problems, where_place(where), path[0] ? path : NULL, "%s", text);
}

struct where where_key(const struct where *parent, const char *key)
{
	const struct node *node = node_get(parent->node, key);

	return (struct where){ .parent = parent,
			       .key = key,
			       .document = parent->document,
			       .node = node ? node : parent->node };
}

struct where where_index(const struct where *parent, size_t index, const struct node *node)
{
	return (struct where){
		.parent = parent, .index = index, .document = parent->document, .node = node
	};
}

void item_where(struct item_where *w, const char *list, const struct item *item)
{
	w->file = (struct where){ .document = item->document, .node = item->document->root };
	w->list = (struct where){ .parent = &w->file, .key = list, .document = item->document };
	w->item = where_index(&w->list, item->index, item->node);
}

const char *item_reference(const struct document *from, const char *list, const struct item *item,
			   char text[REFERENCE_MAX])
{
	if (item->document == from)
		snprintf(text, REFERENCE_MAX, "%s[%zu]", list, item->index);
	else
		snprintf(text, REFERENCE_MAX, "%s[%zu] of %.100s", list, item->index,
			 item->document->name);
	return text;
}

/* ---- objects and lists ---- */

static void value_node_read(struct reader *r, const struct setting *s, const struct node *node,
			    void *base, const struct where *where);

static const char *setting_key(const void *row, size_t i)
{
	return ((const struct object_row *)row)->setting[i].key;
}

static const char *node_kind(const struct node *node)
{
	switch (node->type) {
	case NODE_LIST:
		return "a list";
	case NODE_MAPPING:
		return "a mapping (key: value)";
	case NODE_EMPTY:
		return "nothing";
	default:
		return "plain text";
	}
}

static void wrong_kind(struct reader *r, const struct where *where, const struct node *node,
		       const char *allowed)
{
	bool colon = node->type == NODE_MAPPING && strncmp(allowed, "a mapping", 9) != 0 &&
		     strncmp(allowed, "a list of", 9) != 0;

	where_error(r, where, "%s stands where %s is wanted%s", node_kind(node), allowed,
		    colon ? " (text that ends in a colon needs quotes)" : "");
}

static void unknown_key(struct reader *r, const struct object_row *row, const struct node *key,
			const struct where *where)
{
	const char *like = nearest(key->text, setting_key, row, row->settings);
	char quoted[QUOTE_MAX], list[512] = "";
	struct where at = { .parent = where, .document = where->document, .node = key };
	size_t n = 0;

	at.key = quote(key->text, quoted);
	if (strcmp(key->text, "<<") == 0 && !key->quoted) {
		where_error(r, &at, "merge keys are not supported; write the keys out");
		return;
	}
	if (like) {
		where_error(r, &at, "no such setting; did you mean %s?", like);
		return;
	}
	for (size_t i = 0; i < row->settings && n < sizeof(list); i++)
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "",
				      row->setting[i].key);
	where_error(r, &at, "no such setting; there are %s", list);
}

/* Which of an included file's keys are read. */
static bool is_section(const struct setting *s)
{
	return s->type == SETTING_OBJECT && s->list;
}

static void key_read(struct reader *r, const struct object_row *row, const struct node *key,
		     const struct node *value, const struct node **found, const struct where *where)
{
	const struct node *name = node_value(key);
	struct where at = {
		.parent = where, .key = "key", .document = where->document, .node = name
	};
	size_t i;

	if (name->type != NODE_SCALAR) {
		where_error(r, &at, "%s stands where a key is wanted", node_kind(name));
		return;
	}
	for (i = 0; i < row->settings && strcmp(row->setting[i].key, name->text) != 0; i++)
		;
	if (i == row->settings) {
		unknown_key(r, row, name, where);
		return;
	}
	at.key = row->setting[i].key;
	if (found[i])
		where_error(r, &at, "given twice, first at line %u", found[i]->line);
	else if (where->document != r->document[0] && !where->parent &&
		 !is_section(&row->setting[i]))
		where_error(r, &at, "an included file brings only ports, members and routes");
	else
		found[i] = node_value(value);
}

/* What stands in the field when the key does not. */
static void default_read(struct reader *r, const struct setting *s, void *base,
			 const struct where *where, bool present)
{
	char allowed[SETTING_ALLOWED_MAX];
	void *dest = (char *)base + s->offset;

	if (s->type == SETTING_PORT)
		*(size_t *)dest = SIZE_MAX;
	if (s->fallback[0] == '=')
		value_read(r, s, s->fallback + 1, dest, where);
	else if (s->fallback[0] == '!' && present)
		where_error(r, where, "`%s` is missing: %s", s->key, setting_allowed(s, allowed));
}

/* The values of a mapping's keys, in the order of its settings. */
static void keys_read(struct reader *r, const struct object_row *row, const struct node *node,
		      const struct node **found, const struct where *where)
{
	if (node && node->type == NODE_MAPPING)
		for (const struct node *key = node->child; key; key = key->next->next)
			key_read(r, row, key, key->next, found, where);
	else if (node && node->type != NODE_EMPTY)
		wrong_kind(r, where, node, "a mapping (key: value)");
}

/* Read a mapping into base; node NULL: it is not there, its defaults are. */
static void object_read(struct reader *r, enum object object, const struct node *node, void *base,
			const struct where *where)
{
	const struct object_row *row = object_row(object);
	const struct node *found[SETTINGS_MAX] = { NULL };

	keys_read(r, row, node, found, where);
	for (size_t i = 0; i < row->settings; i++) {
		const struct setting *s = &row->setting[i];
		struct where at = { .parent = where, .key = s->key, .document = where->document };

		if (object == OBJECT_file && (is_section(s) || s->type == SETTING_INCLUDE))
			continue; /* read by their own passes */
		at.node = found[i];
		if (found[i] || (s->type == SETTING_OBJECT && !s->list))
			value_node_read(r, s, found[i], base, &at);
		else
			default_read(r, s, base, where, node != NULL);
	}
}

/* One more element, zeroed, at the end of an array that grows by doubling. NULL: no memory. */
static void *array_add(struct reader *r, void *array_field, size_t *count, size_t size)
{
	void **array = array_field;

	if ((*count & (*count - 1)) == 0) {
		void *more = reallocarray(*array, *count ? *count * 2 : 1, size);

		if (!more) {
			r->no_memory = true;
			return NULL;
		}
		*array = more;
	}
	return memset((char *)*array + (*count)++ * size, 0, size);
}

static struct item_list *section_items(struct reader *r, const struct setting *s)
{
	if (s->object != OBJECT_file)
		return NULL;
	return s->child == OBJECT_port     ? &r->ports
	       : s->child == OBJECT_member ? &r->members
					   : &r->routes;
}

/* A mapping of a list: takes its place among the items though it may be full of errors. */
static void element_object_read(struct reader *r, const struct setting *s, const struct node *node,
				void *array, size_t *count, const struct where *where)
{
	struct item_list *items = section_items(r, s);
	struct place place = node_place(where->document, node);
	void *element;

	if (node->type != NODE_MAPPING) {
		wrong_kind(r, where, node, "a mapping (key: value)");
		return;
	}
	if (items) {
		struct item *item = array_add(r, &items->item, &items->count, sizeof(*item));

		if (!item)
			return;
		*item = (struct item){ where->document, node, where->index };
	}
	element = array_add(r, array, count, s->size);
	if (!element)
		return;
	if (s->child == OBJECT_port)
		((struct config_port *)element)->place = place;
	else if (s->child == OBJECT_member)
		((struct config_member *)element)->place = place;
	else if (s->child == OBJECT_router)
		((struct config_router *)element)->place = place;
	else
		((struct config_route *)element)->place = place;
	object_read(r, s->child, node, element, where);
}

static void element_value_read(struct reader *r, const struct setting *s, const struct node *node,
			       void *array, size_t *count, const struct where *where)
{
	size_t errors = r->problems->errors;
	char allowed[SETTING_ALLOWED_MAX];
	void *element;

	if (node->type != NODE_SCALAR &&
	    !(s->type == SETTING_NEXTHOP && node->type == NODE_MAPPING)) {
		wrong_kind(r, where, node, setting_allowed(s, allowed));
		node_refuse(node);
		return;
	}
	element = array_add(r, array, count, s->size);
	if (!element)
		return;
	if (s->type == SETTING_INTERFACE)
		((struct interface_address *)element)->place = node_place(where->document, node);
	if (s->type == SETTING_NEXTHOP)
		*(struct config_nexthop *)element =
			(struct config_nexthop){ .port = SIZE_MAX, .weight = 1 };
	if (node->type == NODE_MAPPING) {
		object_read(r, s->child, node, element, where);
	} else if (value_read(r, s, node->text, element, where) < 0) {
		(*count)--;
		node_refuse(node);
	}
	if (s->type == SETTING_NEXTHOP && r->problems->errors == errors)
		check_hop(r, element, where);
}

static void list_read(struct reader *r, const struct setting *s, const struct node *node,
		      void *base, const struct where *where)
{
	void *array = (char *)base + s->offset;
	size_t *count = (size_t *)((char *)base + s->count_offset);
	bool objects = s->type == SETTING_OBJECT;
	size_t index = 0;

	if (node->type == NODE_EMPTY)
		return;
	if (node->type != NODE_LIST && objects) {
		wrong_kind(r, where, node, "a list of mappings (- key: value)");
		return;
	}
	if (node->type != NODE_LIST) { /* one value alone */
		element_value_read(r, s, node, array, count, where);
		return;
	}
	for (const struct node *child = node->child; child && !r->no_memory;
	     child = child->next, index++) {
		struct where at = where_index(where, index, node_value(child));

		if (*count >= s->max) {
			where_error(r, &at, "one more than the %zu that are allowed",
				    (size_t)s->max);
			return;
		}
		if (objects)
			element_object_read(r, s, at.node, array, count, &at);
		else
			element_value_read(r, s, at.node, array, count, &at);
	}
}

/* One word, or a list of them, as bits. */
static void words_read(struct reader *r, const struct setting *s, const struct node *node,
		       unsigned int *bits, const struct where *where)
{
	char allowed[SETTING_ALLOWED_MAX];
	const struct node *child = node->type == NODE_LIST ? node->child : node;

	*bits = 0;
	for (size_t i = 0; child; child = child->next, i++) {
		const struct node *value = node_value(child);
		struct where at = node->type == NODE_LIST ? where_index(where, i, value) : *where;
		unsigned int bit = 0;

		if (value->type != NODE_SCALAR)
			wrong_kind(r, &at, value, setting_allowed(s, allowed));
		else
			value_read(r, s, value->text, &bit, &at);
		*bits |= bit;
		if (node->type != NODE_LIST)
			break;
	}
}

static void value_node_read(struct reader *r, const struct setting *s, const struct node *node,
			    void *base, const struct where *where)
{
	char allowed[SETTING_ALLOWED_MAX];
	void *dest = (char *)base + s->offset;
	bool read;

	if (s->type == SETTING_OBJECT && !s->list) {
		if (s->flag_offset != SETTING_NO_FLAG)
			*((bool *)base + s->flag_offset) = node != NULL;
		object_read(r, s->child, node, base, where);
		return;
	}
	if (s->list) {
		list_read(r, s, node, base, where);
		return;
	}
	if (s->type == SETTING_WORDS) {
		words_read(r, s, node, dest, where);
		return;
	}
	if (node->type != NODE_SCALAR) {
		wrong_kind(r, where, node, setting_allowed(s, allowed));
		return;
	}
	read = value_read(r, s, node->text, dest, where) == 0;
	if (s->flag_offset != SETTING_NO_FLAG)
		*((bool *)base + s->flag_offset) = read;
}

/* ---- files ---- */

static char *file_text(const char *path, size_t *length, bool pipes, const char **why)
{
	const int fd = regular_open(path, pipes, why);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	size_t size = (size_t)64 << 10;
	char *text = NULL;
	struct stat st;

	*length = 0;
	if (fd < 0)
		return NULL;
	if (!f) {
		*why = strerror(errno);
		close(fd);
		return NULL;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
		size = (size_t)st.st_size < DOCUMENT_BYTES_MAX ? (size_t)st.st_size + 1
							       : DOCUMENT_BYTES_MAX + 1;
	/* one byte beyond the limit is read, for document_read() to refuse the whole */
	while (size <= DOCUMENT_BYTES_MAX + 1) {
		char *more = realloc(text, size);

		*why = strerror(ENOMEM);
		if (!more)
			goto fail;
		text = more;
		*length += fread(text + *length, 1, size - *length, f);
		if (*length < size || size > DOCUMENT_BYTES_MAX)
			break;
		size = size * 2 < DOCUMENT_BYTES_MAX ? size * 2 : DOCUMENT_BYTES_MAX + 1;
	}
	*why = strerror(errno);
	if (!ferror(f)) {
		fclose(f);
		return text;
	}
fail:
	free(text);
	fclose(f);
	return NULL;
}

/* Take text in as one more document. Returns it, or NULL when it cannot be read. */
static struct document *document_add(struct reader *r, const char *text, size_t length,
				     const char *name)
{
	struct config *config = r->config;
	char **copy = array_add(r, &config->file_names, &config->file_name_count, sizeof(*copy));
	struct document **slot, *document;
	int rc;

	if (!copy)
		return NULL;
	*copy = strdup(name);
	slot = array_add(r, &r->document, &r->document_count, sizeof(struct document *));
	document = calloc(1, sizeof(*document));
	if (!*copy || !slot || !document) {
		if (slot)
			r->document_count--;
		free(document);
		r->no_memory = true;
		return NULL;
	}
	*slot = document;
	rc = document_read(document, text, length, *copy, r->problems);
	if (rc == -ENOMEM)
		r->no_memory = true;
	if (rc < 0) {
		document_release(document);
		r->unreadable = true;
	}
	return rc == 0 ? document : NULL;
}

char *config_path_join(const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');
	char *joined;

	if (path[0] == '/' || !slash)
		return strdup(path);
	if (asprintf(&joined, "%.*s/%s", (int)(slash - file), file, path) < 0)
		return NULL;
	return joined;
}

static void include_file(struct reader *r, const char *path, const struct where *where)
{
	const char *why;
	size_t length;
	char *text;

	for (size_t i = 0; i < r->document_count; i++) {
		if (strcmp(r->document[i]->name, path) == 0) {
			where_error(r, where, i ? "%s is included twice" : "%s includes itself",
				    path);
			return;
		}
	}
	text = file_text(path, &length, false, &why);
	if (!text) {
		where_error(r, where, "%s: %s", path, why);
		r->unreadable = true;
		return;
	}
	document_add(r, text, length, path);
	free(text);
}

static void include_pattern(struct reader *r, const char *pattern, const struct where *where)
{
	bool wildcard = strpbrk(pattern, "*?[") != NULL;
	char *path = config_path_join(r->document[0]->name, pattern);
	glob_t found = { 0 };
	int rc;

	if (!path) {
		r->no_memory = true;
		return;
	}
	if (!wildcard) {
		include_file(r, path, where);
		free(path);
		return;
	}
	rc = glob(path, 0, NULL, &found);
	if (rc == GLOB_NOSPACE)
		r->no_memory = true;
	for (size_t i = 0; rc == 0 && i < found.gl_pathc && !r->no_memory; i++)
		include_file(r, found.gl_pathv[i], where);
	if (rc == 0)
		globfree(&found);
	free(path);
}

static void includes_read(struct reader *r, const struct where *file)
{
	const struct node *list = node_get(file->node, "include");
	struct where where = where_key(file, "include");
	const struct node *child;
	size_t index = 0;

	if (!list || list->type == NODE_EMPTY)
		return;
	if (list->type == NODE_SCALAR) {
		include_pattern(r, list->text, &where);
		return;
	}
	if (list->type != NODE_LIST) {
		wrong_kind(r, &where, list, "a list of paths");
		return;
	}
	for (child = list->child; child && !r->no_memory; child = child->next, index++) {
		struct where at = where_index(&where, index, node_value(child));

		if (at.node->type == NODE_SCALAR)
			include_pattern(r, at.node->text, &at);
		else
			wrong_kind(r, &at, at.node, "a path or pattern");
	}
}

/* ---- the whole ---- */

/* ports, members or routes of all files, in the order of the files. */
static void section_read(struct reader *r, enum object child)
{
	const struct object_row *row = object_row(OBJECT_file);
	const struct setting *s = row->setting;

	while (!is_section(s) || s->child != child)
		s++;
	for (size_t i = 0; i < r->document_count && !r->no_memory; i++) {
		struct where file = { .document = r->document[i], .node = r->document[i]->root };
		struct where where = where_key(&file, s->key);
		const struct node *node = node_get(file.node, s->key);

		if (node)
			list_read(r, s, node, r->config, &where);
	}
}

static void documents_read(struct reader *r)
{
	struct where file = { .document = r->document[0], .node = r->document[0]->root };

	object_read(r, OBJECT_file, file.node, r->config, &file);
	includes_read(r, &file);
	for (size_t i = 1; i < r->document_count; i++) {
		struct where other = { .document = r->document[i], .node = r->document[i]->root };
		const struct node *found[SETTINGS_MAX] = { NULL };

		keys_read(r, object_row(OBJECT_file), other.node, found, &other);
	}
}

/* Whether some file has a port, be it a wrong one. */
static bool ports_mentioned(const struct reader *r)
{
	for (size_t i = 0; i < r->document_count; i++) {
		const struct node *ports = node_get(r->document[i]->root, "ports");

		if (ports && (ports->type != NODE_LIST || ports->length > 0) &&
		    ports->type != NODE_EMPTY)
			return true;
	}
	return false;
}

static void sections_read(struct reader *r)
{
	const struct node *root = r->document[0]->root;
	struct where file = { .document = r->document[0], .node = root };
	struct where ports = where_key(&file, "ports");

	section_read(r, OBJECT_port);
	check_ports(r);
	section_read(r, OBJECT_member);
	section_read(r, OBJECT_route);
	/* what an unreadable file would have brought must not be missed in the others */
	if (r->no_memory || r->unreadable)
		return;
	if (!ports_mentioned(r) &&
	    (!root || root->type == NODE_MAPPING || root->type == NODE_EMPTY))
		where_error(r, &ports,
			    "missing: an exchange needs at least one port, such as "
			    "{name: pa, device: \"0000:3b:00.0\", addresses: "
			    "[198.51.100.1/31]}");
	check_members(r);
	check_routes(r);
	resolve_defaults(r);
}

static void reader_release(struct reader *r)
{
	for (size_t i = 0; i < r->document_count; i++) {
		document_release(r->document[i]);
		free(r->document[i]);
	}
	free(r->document);
	free(r->ports.item);
	free(r->members.item);
	free(r->routes.item);
	free(r->port_by_name);
}

struct config *config_parse(const char *text, size_t length, const char *name,
			    struct problems *problems)
{
	size_t errors = problems->errors;
	struct reader r = { .problems = problems, .config = calloc(1, sizeof(struct config)) };

	if (!r.config)
		r.no_memory = true;
	else if (document_add(&r, text, length, name))
		documents_read(&r);
	if (r.document_count && !r.no_memory)
		sections_read(&r);
	if (r.no_memory)
		problem_error(problems, (struct place){ .file = name }, NULL, "out of memory");
	reader_release(&r);
	if (problems->errors > errors) {
		config_free(r.config);
		return NULL;
	}
	return r.config;
}

static struct config *load(const char *path, bool pipes, struct problems *problems)
{
	struct config *config;
	const char *why;
	size_t length;
	char *text = file_text(path, &length, pipes, &why);

	if (!text) {
		problem_error(problems, (struct place){ .file = path }, NULL, "%s", why);
		return NULL;
	}
	config = config_parse(text, length, path, problems);
	free(text);
	return config;
}

struct config *config_load(const char *path, struct problems *problems)
{
	return load(path, true, problems);
}

struct config *config_load_again(const char *path, struct problems *problems)
{
	return load(path, false, problems);
}

static void texts_free(char **text, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(text[i]);
	free(text);
}

static void port_release(struct config_port *port)
{
	free(port->name);
	free(port->description);
	free(port->device);
	free(port->addresses);
}

static void member_release(struct config_member *member)
{
	free(member->name);
	free(member->description);
	for (size_t i = 0; i < member->router_count; i++) {
		free(member->routers[i].macs);
		free(member->routers[i].addresses);
	}
	free(member->routers);
	free(member->prefixes);
}

void config_free(struct config *config)
{
	if (!config)
		return;
	free(config->exchange.name);
	free(config->dataplane.cores);
	texts_free(config->dataplane.eal, config->dataplane.eal_count);
	for (size_t i = 0; i < config->port_count; i++)
		port_release(&config->ports[i]);
	free(config->ports);
	free(config->subnets);
	for (size_t i = 0; i < config->member_count; i++)
		member_release(&config->members[i]);
	free(config->members);
	for (size_t i = 0; i < config->route_count; i++)
		free(config->routes[i].via);
	free(config->routes);
	texts_free(config->tables.file, config->tables.file_count);
	texts_free(config->tables.mrt, config->tables.mrt_count);
	free(config->tables.fpm_listen);
	free(config->tables.kept_file);
	free(config->metrics.listen);
	free(config->control.socket);
	free(config->control.readonly_socket);
	free(config->control.group);
	free(config->log.level);
	texts_free(config->file_names, config->file_name_count);
	free(config);
}
