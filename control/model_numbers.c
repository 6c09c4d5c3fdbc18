// SPDX-License-Identifier: BSD-3-Clause
/*
 * Which port, party and device has which number in snapshots and counters. A reload
 * asks the model before it, so that a name keeps its number wherever it stands now.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_state.h"

#define PARTIES_MAX (PARTY_NONE - 1)

/* Names while they are collected. */
struct names {
	char **name;
	size_t count;
};

static int names_init(struct names *names, size_t most)
{
	*names = (struct names){ .name = calloc(most + 1, sizeof(*names->name)) };
	return names->name ? 0 : -ENOMEM;
}

static void names_fini(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->name[i]);
	free(names->name);
}

/* Kinds that share numbers are told apart by their first letter. */
static int names_add(struct names *names, char kind, const char *name)
{
	if (asprintf(&names->name[names->count], "%c%s", kind, name) < 0)
		return -ENOMEM;
	names->count++;
	return 0;
}

static int assign(struct numbers *numbers, const struct numbers *previous,
		  const struct names *names, uint16_t limit, uint16_t *number)
{
	return numbers_assign(numbers, previous, names->name, names->count, limit, number);
}

static int number_ports(struct model *model, const struct model *previous)
{
	const struct config *config = model->config;
	struct names names;
	int rc = names_init(&names, config->port_count);

	for (size_t i = 0; !rc && i < config->port_count; i++)
		rc = names_add(&names, 'p', config->ports[i].name);
	if (!rc)
		rc = assign(&model->port_numbers, previous ? &previous->port_numbers : NULL, &names,
			    PORT_MAX, model->port_number);
	names_fini(&names);
	return rc;
}

/* Members first, then ports. */
static int number_parties(struct model *model, const struct model *previous, uint16_t limit)
{
	const struct config *config = model->config;
	struct names names;
	int rc = names_init(&names, config->member_count + config->port_count);

	for (size_t i = 0; !rc && i < config->member_count; i++)
		rc = names_add(&names, 'm', config->members[i].name);
	for (size_t i = 0; !rc && i < config->port_count; i++)
		rc = names_add(&names, 'p', config->ports[i].name);
	if (!rc)
		rc = assign(&model->party_numbers, previous ? &previous->party_numbers : NULL,
			    &names, limit, model->party_number);
	names_fini(&names);
	return rc;
}

/* Ports of one device string share a device; one without any has its own. which: of each port. */
static int collect_devices(const struct config *config, struct names *names, size_t *which)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < config->port_count; i++) {
		const char *device = config->ports[i].device;
		size_t at = 0;

		while (device && at < names->count && strcmp(names->name[at] + 1, device) != 0)
			at++;
		which[i] = device ? at : names->count;
		if (which[i] == names->count)
			rc = names_add(names, device ? 'd' : 'p',
				       device ? device : config->ports[i].name);
	}
	return rc;
}

static int number_devices(struct model *model, const struct model *previous, size_t *devices)
{
	const struct config *config = model->config;
	size_t *which = calloc(config->port_count + 1, sizeof(*which));
	uint16_t *number = calloc(config->port_count + 1, sizeof(*number));
	struct names names;
	int rc = names_init(&names, config->port_count);

	if (!which || !number)
		rc = -ENOMEM;
	if (!rc)
		rc = collect_devices(config, &names, which);
	*devices = names.count;
	if (!rc)
		rc = assign(&model->device_numbers, previous ? &previous->device_numbers : NULL,
			    &names, DEVICE_MAX, number);
	for (size_t i = 0; !rc && i < config->port_count; i++)
		model->port_device[i] = number[which[i]];
	names_fini(&names);
	free(which);
	free(number);
	return rc;
}

static int allocate(struct model *model)
{
	const struct config *config = model->config;
	const size_t ports = config->port_count + 1, members = config->member_count + 1;

	model->port_number = calloc(ports, sizeof(*model->port_number));
	model->port_device = calloc(ports, sizeof(*model->port_device));
	model->party_number = calloc(members + ports, sizeof(*model->party_number));
	return model->port_number && model->port_device && model->party_number ? 0 : -ENOMEM;
}

/* Numbers ran out, or will never do: say what is too much. */
static int no_room(struct problems *problems, const char *key, size_t have, size_t room,
		   const char *mend)
{
	const struct place nowhere = { 0 };

	problem_error(problems, nowhere, key, "%zu are more than %zu%s", have, room, mend);
	return -ENOSPC;
}

int model_assign_numbers(struct model *model, const struct model *previous,
			 struct problems *problems)
{
	const struct config *config = model->config;
	const size_t parties = config->member_count + config->port_count;
	const uint16_t most = model->options.parties_max;
	size_t devices = 0;
	int rc;

	if (config->port_count > PORT_MAX)
		return no_room(problems, "ports", config->port_count, PORT_MAX, "");
	if (parties > PARTIES_MAX)
		return no_room(problems, "members", config->member_count,
			       PARTIES_MAX - config->port_count, "");
	if (most && parties > most)
		return no_room(problems, "members", parties, most,
			       " members and ports, for which there has been room since the start; "
			       "restart napd");
	rc = allocate(model);
	if (!rc)
		rc = number_ports(model, previous);
	if (rc == -ENOSPC)
		return no_room(problems, "ports", config->port_count, PORT_MAX,
			       " with those that go: take them out in a reload before this one");
	if (!rc)
		rc = number_parties(model, previous, most ? most : PARTIES_MAX);
	if (rc == -ENOSPC)
		return no_room(problems, "members", parties, most ? most : PARTIES_MAX,
			       " members and ports with those that go: take them out in a reload "
			       "before this one");
	if (!rc)
		rc = number_devices(model, previous, &devices);
	if (rc == -ENOSPC && devices > DEVICE_MAX)
		return no_room(problems, "ports", devices, DEVICE_MAX, " devices");
	if (rc == -ENOSPC)
		return no_room(problems, "ports", devices, DEVICE_MAX,
			       " devices with those that go: take them out in a reload before "
			       "this one");
	return rc;
}

/* ---- looking at them ---- */

uint16_t model_port_number(const struct model *model, size_t config_port)
{
	return model->port_number[config_port];
}

size_t model_config_port(const struct model *model, uint16_t port)
{
	return port < model->port_numbers.count ? model->port_numbers.of[port].who : SIZE_MAX;
}

uint16_t model_port_numbers(const struct model *model)
{
	return model->port_numbers.count;
}

bool model_port_is_new(const struct model *model, uint16_t port)
{
	return model->port_numbers.of[port].is_new;
}

bool model_port_is_reused(const struct model *model, uint16_t port)
{
	return model->port_numbers.of[port].reused;
}

uint16_t model_parties(const struct model *model)
{
	return model->party_numbers.count;
}

uint16_t model_member_party(const struct model *model, size_t config_member)
{
	return model->party_number[config_member];
}

const char *model_party_name(const struct model *model, uint16_t party)
{
	const struct config *config = model->config;
	const size_t who =
		party < model->party_numbers.count ? model->party_numbers.of[party].who : SIZE_MAX;

	if (who == SIZE_MAX)
		return NULL;
	return who < config->member_count ? config->members[who].name
					  : config->ports[who - config->member_count].name;
}

bool model_party_is_reused(const struct model *model, uint16_t party)
{
	return model->party_numbers.of[party].reused;
}

bool model_reuses_numbers(const struct model *model)
{
	for (uint16_t i = 0; i < model->port_numbers.count; i++)
		if (model->port_numbers.of[i].reused)
			return true;
	for (uint16_t i = 0; i < model->party_numbers.count; i++)
		if (model->party_numbers.of[i].reused)
			return true;
	return false;
}

uint16_t model_devices(const struct model *model)
{
	return model->device_numbers.count;
}

uint16_t model_port_device(const struct model *model, uint16_t port)
{
	return model->port[port].device;
}
