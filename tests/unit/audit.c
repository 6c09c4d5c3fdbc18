// SPDX-License-Identifier: BSD-3-Clause
/* fib audit: nothing to say of a FIB that is right; what went behind its back is found and mended.
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "audit.h"
#include "model_state.h"

static const char exchange[] =
	"ports:\n"
	"  - {name: pa, device: x, addresses: [192.0.2.9/24, \"2001:db8:64:b::9/64\"]}\n"
	"routes:\n"
	"  - {prefix: 10.0.0.0/8, blackhole: true}\n"
	"  - {prefix: 10.1.0.0/16, unreachable: true}\n"
	"  - {prefix: \"2001:db8:a::/48\", prohibit: true}\n"
	"  - {prefix: 255.255.255.255/32, blackhole: true}\n"
	"  - {prefix: \"fdff:ffff:ffff:ffff::/64\", blackhole: true}\n";

struct told {
	uint64_t n;
	struct audit_difference first;
};

static void tell(void *arg, const struct audit_difference *d)
{
	struct told *told = arg;

	if (!told->n++)
		told->first = *d;
}

/* A whole audit in parts of a few nodes. */
static struct told audit(struct model *model)
{
	struct audit a = { 0 };
	struct told told = { 0 };
	int parts = 1;

	while (model_audit(model, &a, 2, tell, &told))
		parts++;
	assert_true(parts > 3);
	assert_int_equal(a.differences, told.n);
	assert_true(a.prefixes >= 7);
	return told;
}

static void refresh(struct model *model)
{
	struct snapshot *snapshot = model_snapshot(model);

	assert_non_null(snapshot);
	snapshot->release(snapshot);
}

static void differences_are_found_and_mended(void **state)
{
	static const char *const behind_its_back[] = { "10.1.2.0/24", "11.0.0.0/8", "10.1.0.0/16",
						       "2001:db8:9:7::/64", "::/0" };
	const struct model_options options = { 0 };
	struct problems problems = { 0 };
	struct config *config = config_parse(exchange, strlen(exchange), "exchange", &problems);
	struct model *model = config ? model_create(config, &options, &problems) : NULL;
	struct told told;

	(void)state;
	problems_print(&problems);
	assert_non_null(model);
	refresh(model);
	assert_int_equal(audit(model).n, 0);
	for (size_t i = 0; i < sizeof(behind_its_back) / sizeof(behind_its_back[0]); i++) {
		struct route route = { .kind = CONFIG_ROUTE_PROHIBIT };

		assert_int_equal(ip_prefix_parse(behind_its_back[i], &route.prefix), 0);
		assert_int_equal(model_route_set(model, ROUTE_STATIC, &route), 0);
		rib_clean(model->rib, route.prefix.ipv6);
		refresh(model);
		told = audit(model);
		if (!told.n)
			fail_msg("%s: not found", behind_its_back[i]);
		assert_int_equal(told.first.rib_leaf, LEAF_PROHIBIT);
		refresh(model);
		assert_int_equal(audit(model).n, 0);
	}
	model_free(model);
	config_free(config);
	problems_release(&problems);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(differences_are_found_and_mended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
