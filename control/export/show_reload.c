// SPDX-License-Identifier: BSD-3-Clause
/* Commands that change what is in force: reload, confirm, ports on and off. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "reload.h"

#define CONFIRM_MAX_S (7u * 24 * 3600)

/* ---- what a reload says ---- */

static json_t *problem_json(const struct problem *p)
{
	return json_pack("{s:s,s:i,s:i,s:s,s:b}", "file", p->place.file ? p->place.file : "",
			 "line", (int)p->place.line, "column", (int)p->place.column, "text",
			 p->text, "warning", (int)p->warning);
}

static void say_problems(struct asking *a, const struct problems *problems)
{
	json_t *list = json_array();

	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *p = &problems->list[i];

		json_array_append_new(list, problem_json(p));
		if (p->place.file && p->place.line)
			fprintf(a->text, "%s:%u:%u: ", p->place.file, p->place.line,
				p->place.column);
		else if (p->place.file)
			fprintf(a->text, "%s: ", p->place.file);
		fprintf(a->text, "%s%s\n", p->warning ? "warning: " : "", p->text);
	}
	json_object_set_new(a->json, "problems", list);
}

static void say_differences(struct asking *a, const struct differences *d)
{
	static const char *const what[] = { "added", "removed", "changed" };
	static const char sign[] = { '+', '-', '~' };
	json_t *list = json_array();

	for (size_t i = 0; i < d->count; i++) {
		const struct difference *one = &d->list[i];

		json_array_append_new(list,
				      json_pack("{s:s,s:s,s:s,s:s,s:b}", "kind",
						difference_kind_name[one->kind], "name", one->name,
						"change", what[one->what], "detail", one->detail,
						"restart", (int)one->at_start));
		fprintf(a->text, "%c %s %s%s%s%s\n", sign[one->what],
			difference_kind_name[one->kind], one->name, *one->detail ? ": " : "",
			one->detail, one->at_start ? " (takes a restart of napd)" : "");
	}
	if (d->more)
		fprintf(a->text, "and %s more changes\n", answer_count(d->more));
	json_object_set_new(a->json, "changes", list);
	json_object_set_new(a->json, "more", json_u64(d->more));
}

static void say_devices(struct asking *a, const struct device_change *change, size_t n)
{
	static const char *const kind[] = { "opens", "closes", "restarts" };
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++) {
		json_array_append_new(list, json_pack("{s:s,s:s,s:s}", "device", change[i].device,
						      "change", kind[change[i].kind], "reason",
						      change[i].reason));
		fprintf(a->text, "device %s %s%s%s\n", change[i].device, kind[change[i].kind],
			change[i].reason[0] ? ": " : "", change[i].reason);
	}
	json_object_set_new(a->json, "devices", list);
}

static void say_routes(struct asking *a, const struct model_routes *before,
		       const struct model_routes *after)
{
	json_object_set_new(a->json, "routes",
			    json_pack("{s:[o,o],s:[o,o]}", "ipv4", json_u64(before->ipv4),
				      json_u64(after->ipv4), "ipv6", json_u64(before->ipv6),
				      json_u64(after->ipv6)));
	if (before->ipv4 != after->ipv4)
		fprintf(a->text, "IPv4 prefixes in force: %s -> %s\n", answer_count(before->ipv4),
			answer_count(after->ipv4));
	if (before->ipv6 != after->ipv6)
		fprintf(a->text, "IPv6 prefixes in force: %s -> %s\n", answer_count(before->ipv6),
			answer_count(after->ipv6));
}

static void say_end(struct asking *a, const struct reload_result *r)
{
	const bool nothing = !r->differences->count && !r->device_count;

	if (nothing)
		fprintf(a->text, "nothing changes in the configuration\n");
	if (r->kind == RELOAD_CHECK)
		return;
	fprintf(a->text, "reloaded\n");
	if (r->confirm_s)
		fprintf(a->text, "rolled back in %u s unless `napctl confirm` comes\n",
			r->confirm_s);
}

static void say(struct asking *a, const struct reload_result *r)
{
	a->json = json_pack("{s:b,s:o}", "applied", r->rc == 0 && r->kind != RELOAD_CHECK,
			    "confirm_within_s", json_u64(r->rc ? 0 : r->confirm_s));
	say_problems(a, r->problems);
	if (r->rc == 0) {
		say_differences(a, r->differences);
		say_devices(a, r->devices, r->device_count);
		say_routes(a, &r->before, &r->after);
		say_end(a, r);
	} else if (r->rc == -EINVAL) {
		answer_fail(a, 2, "reload: %zu errors; what is in force stays",
			    r->problems->errors);
	} else {
		answer_fail(a, 1, "reload: %s; what is in force stays",
			    r->rc == -ENOMEM ? "no memory" : strerror(-r->rc));
	}
}

/* The reload is over: the answer to who asked for it. */
static void reloaded(void *arg, const struct reload_result *result)
{
	struct asking a = { 0 };
	struct command_answer answer = { 0 };
	size_t length = 0;

	a.text = open_memstream(&answer.text, &length);
	if (a.text) {
		say(&a, result);
		fclose(a.text);
	}
	answer.json = a.json;
	answer.error = a.error;
	answer.status = a.text ? a.status : 1;
	waiter_answer(arg, &answer);
	command_answer_release(&answer);
}

/* ---- commands ---- */

void do_reload(struct asking *a)
{
	const bool check = a->argc == 1 && strcmp(a->argv[0], "--check") == 0;
	const bool confirm = a->argc == 2 && strcmp(a->argv[0], "--confirm") == 0;
	const unsigned int confirm_s = confirm ? answer_seconds(a->argv[1], CONFIRM_MAX_S) : 0;
	int rc;

	if ((a->argc && !check && !confirm) || (confirm && !confirm_s)) {
		answer_fail(a, 2,
			    "reload: takes nothing, --check, or --confirm TIME, such as 60s, 5m or "
			    "1h, of at most 7 days");
		return;
	}
	rc = reload_begin(a->rt->reload, check ? RELOAD_CHECK : RELOAD_APPLY, confirm_s, reloaded,
			  a->waiter);
	a->later = rc == 0;
	if (rc)
		answer_fail(a, 1, "reload: %s",
			    rc == -EBUSY ? "another one is at work; try again" : strerror(-rc));
}

void do_confirm(struct asking *a)
{
	const int rc = reload_confirm(a->rt->reload);

	if (rc) {
		answer_fail(a, 1,
			    rc == -EALREADY ? "confirm: too late, it is being rolled back"
					    : "confirm: nothing waits to be confirmed");
		return;
	}
	a->json = json_pack("{s:b}", "confirmed", 1);
	fprintf(a->text, "confirmed\n");
}

void show_reload(struct asking *a)
{
	const struct runtime *rt = a->rt;
	const unsigned int within_s = reload_confirm_within(rt->reload);

	a->json = json_pack("{s:b,s:o,s:o}", "last_successful", (int)rt->last_reload_ok,
			    "last_time_s", json_u64(rt->last_reload_time_s), "confirm_within_s",
			    json_u64(within_s));
	fprintf(a->text, "last reload   %s\n",
		!rt->last_reload_ok      ? "refused: napctl reload --check says why"
		: rt->last_reload_time_s ? "applied"
					 : "none since the start");
	if (within_s)
		fprintf(a->text, "rolled back   in %u s unless `napctl confirm` comes\n", within_s);
}

void do_port(struct asking *a)
{
	const bool enable = a->argc == 2 && strcmp(a->argv[1], "enable") == 0;
	struct runtime *rt = a->rt;
	uint16_t number;
	size_t port;

	if (!enable && (a->argc != 2 || strcmp(a->argv[1], "disable") != 0)) {
		answer_fail(a, 2, "port: takes NAME enable or NAME disable");
		return;
	}
	port = port_named(a, a->argv[0]);
	if (port == SIZE_MAX)
		return;
	number = model_port_number(rt->model, port);
	runtime_set_enabled(rt, number, enable);
	a->json = json_pack("{s:s,s:b,s:b}", "port", a->argv[0], "enabled", (int)enable,
			    "overruled", (int)runtime_port_overruled(rt, number));
	fprintf(a->text, "%s is %s%s\n", a->argv[0], enable ? "enabled" : "disabled",
		runtime_port_overruled(rt, number)
			? ", over reloads; the configuration says otherwise"
			: ", as the configuration says");
}
