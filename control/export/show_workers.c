// SPDX-License-Identifier: BSD-3-Clause
/* Commands about workers: their load, the queues they poll, moving those. */
#include <stdlib.h>
#include <string.h>

#include "answer.h"

#define QUEUES_SHOWN (DEVICE_MAX * WORKER_MAX)

/* The first port on a device, as operators know it. */
static const char *port_on(const struct runtime *rt, uint16_t device)
{
	for (size_t i = 0; i < rt->config->port_count; i++)
		if (model_port_device(rt->model, model_port_number(rt->model, i)) == device)
			return rt->config->ports[i].name;
	return "-";
}

/* "pa:0 pb:1,3" */
static json_t *queues_text(const struct runtime *rt, const struct queue_view *list, unsigned int n)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	json_t *string;

	if (!f)
		return json_string("");
	for (unsigned int i = 0; i < n; i++) {
		if (i && list[i].device == list[i - 1].device)
			fprintf(f, ",%u", list[i].queue);
		else
			fprintf(f, "%s%s:%u", i ? " " : "", port_on(rt, list[i].device),
				list[i].queue);
	}
	fclose(f);
	string = json_string(n ? text : "-");
	free(text);
	return string;
}

static json_t *queues_json(const struct runtime *rt, const struct queue_view *list, unsigned int n)
{
	json_t *rows = json_array();

	for (unsigned int i = 0; i < n; i++)
		json_array_append_new(rows,
				      json_pack("{s:s,s:s,s:i,s:o,s:f,s:b}", "port",
						port_on(rt, list[i].device), "device",
						rt->devices[list[i].device].wish.name, "queue",
						list[i].queue, "received",
						json_u64(list[i].received), "load_percent",
						100 * list[i].load, "moving", (int)list[i].moving));
	return rows;
}

/* What a worker did since what was asked for, or since the start. */
static struct worker_load worker_did(const struct asking *a, unsigned int i)
{
	if (!a->since)
		return worker_load(dataplane_worker(a->rt->dp, i));
	return (struct worker_load){
		.busy_ns = since_worker(a->since, i, SAMPLE_BUSY_NS),
		.received = since_worker(a->since, i, SAMPLE_WORKER_RECEIVED),
		.punts_lost = since_worker(a->since, i, SAMPLE_PUNTS_LOST),
	};
}

/* Share of its time with packets in its hands, of the last second or of what was asked for. */
static double busy_percent(const struct asking *a, unsigned int i, const struct worker_load *load)
{
	double busy = queues_busy(a->rt->queues, i);

	if (a->since)
		busy = a->since->seconds > 0 ? load->busy_ns / (a->since->seconds * 1e9) : 0;
	return (int)(1000 * RTE_MIN(busy, 1.0) + 0.5) / 10.0;
}

static json_t *worker_json(const struct asking *a, unsigned int i, struct queue_view *list)
{
	const struct runtime *rt = a->rt;
	const struct worker_load load = worker_did(a, i);
	const unsigned int n = queues_of_worker(rt->queues, i, list, QUEUES_SHOWN);
	const int node = rt->worker_node[i];
	json_t *row;

	row = json_pack("{s:i,s:i,s:o,s:f,s:o,s:o,s:o}", "worker", i, "cpu", rt->worker_core[i],
			"node", node < 0 ? json_null() : json_integer(node), "busy_percent",
			busy_percent(a, i, &load), "busy_ns", json_u64(load.busy_ns), "received",
			json_u64(load.received), "punts_lost", json_u64(load.punts_lost));
	if (a->since) {
		json_object_set_new(row, "since_s", json_real(a->since->seconds));
		answer_rate(a, row, "received_per_s", load.received);
	}
	json_object_set_new(row, "queues", queues_json(rt, list, n));
	json_object_set_new(row, "polls", queues_text(rt, list, n));
	return row;
}

void show_workers(struct asking *a)
{
	static const struct column columns[] = {
		{ "worker", "Worker", 6, COLUMN_COUNT },
		{ "cpu", "CPU", 4, COLUMN_COUNT },
		{ "node", "Node", 4, COLUMN_COUNT },
		{ "busy_percent", "Busy %", 6, COLUMN_TEXT },
		{ "received", "Received", 12, COLUMN_COUNT },
		{ "punts_lost", "Events lost", 11, COLUMN_COUNT },
		{ "polls", "Queues", -6, COLUMN_TEXT },
	};
	static const struct column rates[] = {
		{ "worker", "Worker", 6, COLUMN_COUNT },
		{ "cpu", "CPU", 4, COLUMN_COUNT },
		{ "node", "Node", 4, COLUMN_COUNT },
		{ "busy_percent", "Busy %", 6, COLUMN_TEXT },
		{ "received_per_s", "packet/s", 11, COLUMN_COUNT },
		{ "punts_lost", "Events lost", 11, COLUMN_COUNT },
		{ "polls", "Queues", -6, COLUMN_TEXT },
	};
	struct queue_view *list = calloc(QUEUES_SHOWN, sizeof(*list));

	if (!list) {
		answer_fail(a, 1, "no memory");
		return;
	}
	answer_since(a);
	a->json = json_array();
	for (unsigned int i = 0; i < a->rt->workers; i++)
		json_array_append_new(a->json, worker_json(a, i, list));
	free(list);
	if (a->since)
		TABLE(a, a->json, rates);
	else
		TABLE(a, a->json, columns);
}

void workers_rebalance(struct asking *a)
{
	static const struct column columns[] = {
		{ "port", "Port", -8, COLUMN_TEXT },
		{ "queue", "Queue", 5, COLUMN_COUNT },
		{ "from", "From", 4, COLUMN_COUNT },
		{ "to", "To worker", 9, COLUMN_COUNT },
	};
	struct queue_move list[64];
	const unsigned int n = queues_rebalance(a->rt->queues, list, 64);

	a->json = json_array();
	for (unsigned int i = 0; i < n; i++)
		json_array_append_new(a->json, json_pack("{s:s,s:i,s:i,s:i}", "port",
							 port_on(a->rt, list[i].device), "queue",
							 list[i].queue, "from", list[i].from, "to",
							 list[i].to));
	if (n)
		TABLE(a, a->json, columns);
	else
		fprintf(a->text, "no move would help\n");
}
