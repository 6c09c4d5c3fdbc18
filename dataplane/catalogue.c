// SPDX-License-Identifier: BSD-3-Clause
/* The names of stages and reasons as a table, made from pipeline.def. */
#include "api/catalogue.h"

#include <string.h>

const struct pipeline_row pipeline_rows[] = {
#define FRAME_STAGE(name, text) { REASON_NONE, #name, text },
#define STAGE(name, text)       { REASON_NONE, #name, text },
#define SECTION(name, text)     { REASON_NONE, #name, text },
#define DROP(id, name, text)    { DROP_##id, name, text },
#include "pipeline.def"
};
const unsigned int pipeline_row_count = sizeof(pipeline_rows) / sizeof(pipeline_rows[0]);

static const struct pipeline_row *reason_row(enum reason reason)
{
	static const struct pipeline_row none = { REASON_NONE, "none", "goes on" };
	static const struct pipeline_row consumed = { REASON_CONSUMED, "consumed",
						      "was for the exchange itself" };

	for (unsigned int i = 0; i < pipeline_row_count; i++)
		if (pipeline_rows[i].reason == reason && reason > REASON_CONSUMED)
			return &pipeline_rows[i];
	return reason == REASON_CONSUMED ? &consumed : &none;
}

const char *reason_name(enum reason reason)
{
	return reason_row(reason)->name;
}

const char *reason_text(enum reason reason)
{
	return reason_row(reason)->text;
}

const char *reason_stage(enum reason reason)
{
	const char *stage = "none";

	for (unsigned int i = 0; i < pipeline_row_count; i++) {
		if (pipeline_rows[i].reason == REASON_NONE)
			stage = pipeline_rows[i].name;
		else if (pipeline_rows[i].reason == reason)
			return stage;
	}
	return "none";
}

enum reason reason_by_name(const char *name)
{
	for (unsigned int i = 0; i < pipeline_row_count; i++)
		if (pipeline_rows[i].reason != REASON_NONE &&
		    strcmp(pipeline_rows[i].name, name) == 0)
			return pipeline_rows[i].reason;
	return REASON_COUNT;
}
