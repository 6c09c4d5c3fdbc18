// SPDX-License-Identifier: BSD-3-Clause
/* The doctor on hosts made of files: what it finds, and what it says mends it. */
#include "test.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor.h"
#include "doctor_look.h"

#define NIC   "/sys/bus/pci/devices/0000:3b:00.0"
#define PAGES "/sys/kernel/mm/hugepages/hugepages-2048kB"

static char root[] = "/tmp/napd-doctor-XXXXXX";
static char merging[32];

static void make_folders(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
}

static void put(const char *name, const char *text)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s%s", root, name);
	make_folders(path);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void put_link(const char *name, const char *target)
{
	char path[512];

	snprintf(path, sizeof(path), "%s%s", root, name);
	make_folders(path);
	unlink(path);
	assert_int_equal(symlink(target, path), 0);
}

static void put_away(const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s%s", root, name);
	assert_int_equal(remove(path), 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void fake_merging(const char *interface, char *text, size_t size)
{
	(void)interface;
	snprintf(text, size, "%s", merging);
}

/* A host where all is well for every kind of port below. */
static int setup(void **state)
{
	(void)state;
	strcpy(root + strlen(root) - 6, "XXXXXX");
	assert_non_null(mkdtemp(root));
	merging[0] = '\0';
	put(PAGES "/nr_hugepages", "512\n");
	put(PAGES "/free_hugepages", "512\n");
	put("/proc/meminfo", "MemTotal: 8000000 kB\nMemAvailable:    4000000 kB\n");
	put("/proc/cpuinfo", "processor : 0\nvendor_id\t: GenuineIntel\n");
	put("/proc/self/limits", "Limit  Soft  Hard  Units\n"
				 "Max open files            1024   4096   files\n"
				 "Max locked memory         unlimited   unlimited   bytes\n");
	put("/proc/self/status", "Name: napd\nCapEff:\t000001ffffffffff\n");
	put("/proc/sys/net/ipv4/conf/all/rp_filter", "0\n");
	put("/sys/kernel/iommu_groups/0/type", "DMA\n");
	put("/dev/vfio/vfio", "");
	put("/dev/net/tun", "");
	put(NIC "/vendor", "0x8086\n");
	put(NIC "/numa_node", "0\n");
	put_link(NIC "/driver", "../../drivers/vfio-pci");
	put("/sys/class/net/eth1/flags", "0x1003\n");
	put("/sys/class/net/eth1/ifindex", "7\n");
	put("/sys/class/net/eth1/iflink", "7\n");
	put("/sys/devices/system/cpu/isolated", "2-3\n");
	put("/sys/devices/system/cpu/cpu2/node0/cpulist", "0-3\n");
	put("/sys/devices/system/cpu/cpu3/node0/cpulist", "0-3\n");
	put("/sys/devices/system/node/node0/cpulist", "0-3\n");
	put("/sys/devices/system/node/node1/cpulist", "4-7\n");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct config_port ports[] = {
	{ .name = (char[]){ "pa" }, .device = (char[]){ "0000:3b:00.0" }, .tap = true },
	{ .name = (char[]){ "pb" }, .device = (char[]){ "net_af_packet0,iface=eth1" } },
	{ .name = (char[]){ "pc" }, .device = (char[]){ "net_af_packet0,iface=eth2" } },
};
static struct config config;
static struct findings findings;

static enum finding_level examine(void)
{
	static const struct cores cores = { .control = 1, .workers = 2, .worker = { 2, 3 } };
	const struct doctor_host host = { .root = root, .merging = fake_merging, .cores = &cores };
	enum finding_level level = FINDING_OK;

	free(findings.list);
	findings = (struct findings){ 0 };
	doctor_examine(&host, &config, &findings);
	assert_false(findings.no_memory);
	for (size_t i = 0; i < findings.count; i++) {
		/* whatever is wrong has a mend, and nothing that is right */
		assert_int_equal(findings.list[i].mend[0] != '\0', findings.list[i].level > 0);
		if (findings.list[i].level > level)
			level = findings.list[i].level;
	}
	return level;
}

static void examine_ports(size_t first, size_t count)
{
	config = (struct config){ .dataplane.memory_bytes = UINT64_C(1) << 30,
				  .ports = ports + first,
				  .port_count = count };
}

/* The one finding of a level; its mend holds words. */
static void found(enum finding_level level, const char *check, const char *mend)
{
	const struct finding *only = NULL;

	assert_int_equal(examine(), level);
	for (size_t i = 0; i < findings.count; i++) {
		if (findings.list[i].level < FINDING_NOTE)
			continue;
		if (only)
			fail_msg("beside %s: %s: %s", check, findings.list[i].check,
				 findings.list[i].text);
		only = &findings.list[i];
	}
	assert_non_null(only);
	assert_string_equal(only->check, check);
	if (!strstr(only->mend, mend))
		fail_msg("%s: mend: %s", only->text, only->mend);
}

static void all_is_well(void **state)
{
	(void)state;
	examine_ports(0, 2);
	assert_int_equal(examine(), FINDING_OK);
	assert_true(findings.count > 8);
}

static void hugepages(void **state)
{
	(void)state;
	examine_ports(0, 2);
	put(PAGES "/nr_hugepages", "511\n");
	put(PAGES "/free_hugepages", "511\n");
	found(FINDING_WARNING, "hugepages", "scripts/host-setup --hugepages 1024M");
	config.dataplane.hugepages = CONFIG_HUGEPAGES_REQUIRED;
	found(FINDING_ERROR, "hugepages", "scripts/host-setup");
	config.dataplane.hugepages = CONFIG_HUGEPAGES_NEVER;
	assert_int_equal(examine(), FINDING_OK);
	/* other sizes count as well */
	config.dataplane.hugepages = CONFIG_HUGEPAGES_REQUIRED;
	put("/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "1\n");
	put("/sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", "1\n");
	assert_int_equal(examine(), FINDING_OK);
}

static void memory(void **state)
{
	(void)state;
	examine_ports(0, 2);
	config.dataplane.hugepages = CONFIG_HUGEPAGES_NEVER;
	put(PAGES "/nr_hugepages", "0\n");
	put("/proc/meminfo", "MemAvailable:    1000000 kB\n");
	found(FINDING_ERROR, "memory", "memory: 488M");
}

static void nics(void **state)
{
	(void)state;
	examine_ports(0, 1);
	put_link(NIC "/driver", "../../drivers/ixgbe");
	found(FINDING_ERROR, "driver", "scripts/host-setup --hugepages 0 0000:3b:00.0");
	put_away(NIC "/driver");
	found(FINDING_ERROR, "driver", "scripts/host-setup");
	/* one that DPDK drives beside the kernel needs no vfio, nor an IOMMU */
	put(NIC "/vendor", "0x15b3\n");
	put_link(NIC "/driver", "../../drivers/mlx5_core");
	put_away("/sys/kernel/iommu_groups/0/type");
	put_away("/sys/kernel/iommu_groups/0");
	put_away("/dev/vfio/vfio");
	assert_int_equal(examine(), FINDING_OK);
	put_away(NIC "/driver");
	found(FINDING_ERROR, "driver", "modprobe mlx5_core");
}

static void a_nic_that_is_not_there(void **state)
{
	(void)state;
	examine_ports(0, 1);
	put_away(NIC "/driver");
	put_away(NIC "/vendor");
	put_away(NIC "/numa_node");
	put_away(NIC);
	found(FINDING_ERROR, "driver", "lspci");
}

static void iommu(void **state)
{
	(void)state;
	examine_ports(0, 1);
	put_away("/sys/kernel/iommu_groups/0/type");
	put_away("/sys/kernel/iommu_groups/0");
	found(FINDING_ERROR, "iommu", "intel_iommu=on");
	put("/proc/cpuinfo", "vendor_id\t: AuthenticAMD\n");
	found(FINDING_ERROR, "iommu", "amd_iommu=on");
	put("/sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y\n");
	found(FINDING_WARNING, "iommu", "iommu=pt");
	examine_ports(1, 1);
	assert_int_equal(examine(), FINDING_OK);
}

static void vfio(void **state)
{
	(void)state;
	examine_ports(0, 1);
	put_away("/dev/vfio/vfio");
	found(FINDING_ERROR, "vfio", "modprobe vfio-pci");
}

static void numa_and_cores(void **state)
{
	(void)state;
	examine_ports(0, 1);
	put(NIC "/numa_node", "1\n");
	found(FINDING_WARNING, "numa", "cores: \"4-7\"");
	put(NIC "/numa_node", "-1\n"); /* one node only */
	assert_int_equal(examine(), FINDING_OK);
	put("/sys/devices/system/cpu/isolated", "3\n");
	found(FINDING_NOTE, "cores", "isolcpus=2,3");
	put("/sys/devices/system/cpu/isolated", "2-7\n");
	put("/sys/devices/system/cpu/cpu3/cpufreq/scaling_governor", "powersave\n");
	found(FINDING_NOTE, "cores", "cpupower");
}

static void limits_and_capabilities(void **state)
{
	(void)state;
	examine_ports(0, 1);
	put("/proc/self/limits", "Max open files            100   4096   files\n"
				 "Max locked memory         65536   65536   bytes\n");
	found(FINDING_ERROR, "limits", "LimitNOFILE"); /* CAP_IPC_LOCK knows no limit */
	put("/proc/self/limits", "Max open files            1024   4096   files\n"
				 "Max locked memory         65536   65536   bytes\n");
	assert_int_equal(examine(), FINDING_OK);
	put("/proc/self/status", "CapEff:\t0000000000003000\n"); /* NET_ADMIN, NET_RAW */
	assert_int_equal(examine(), FINDING_ERROR);
	examine_ports(1, 1); /* af_packet needs no more */
	assert_int_equal(examine(), FINDING_OK);
	put("/proc/self/status", "CapEff:\t0000000000001000\n");
	found(FINDING_ERROR, "capabilities", "systemctl start napd");
}

static void interfaces(void **state)
{
	(void)state;
	examine_ports(1, 1);
	strcpy(merging, "gro lro");
	found(FINDING_WARNING, "interface", "ethtool -K eth1 gro off lro off");
	merging[0] = '\0';
	put("/sys/class/net/eth1/flags", "0x1002\n");
	found(FINDING_ERROR, "interface", "ip link set eth1 up");
	put("/sys/class/net/eth1/flags", "0x1003\n");
	put("/sys/class/net/eth1/iflink", "6\n");
	found(FINDING_NOTE, "interface", "ethtool -K PEER");
	examine_ports(2, 1);
	found(FINDING_ERROR, "interface", "ip -br link");
}

static void taps(void **state)
{
	(void)state;
	examine_ports(0, 1);
	put("/proc/sys/net/ipv4/conf/all/rp_filter", "1\n");
	found(FINDING_WARNING, "tap", "rp_filter=0");
	put("/proc/sys/net/ipv4/conf/all/rp_filter", "2\n");
	assert_int_equal(examine(), FINDING_OK);
	put_away("/dev/net/tun");
	found(FINDING_ERROR, "tap", "modprobe tun");
}

static void lists_of_cpus(void **state)
{
	static const struct {
		const char *list;
		unsigned int number;
		bool in;
	} rows[] = { { "", 0, false },       { "0", 0, true },         { "2-7,10", 1, false },
		     { "2-7,10", 2, true },  { "2-7,10", 7, true },    { "2-7,10", 8, false },
		     { "2-7,10", 10, true }, { "nonsense", 0, false }, { "2-", 2, false } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (look_in_list(rows[i].list, rows[i].number) != rows[i].in)
			fail_msg("%u in %s", rows[i].number, rows[i].list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(all_is_well),
		TEST(hugepages),
		TEST(memory),
		TEST(nics),
		TEST(a_nic_that_is_not_there),
		TEST(iommu),
		TEST(vfio),
		TEST(numa_and_cores),
		TEST(limits_and_capabilities),
		TEST(interfaces),
		TEST(taps),
		cmocka_unit_test(lists_of_cpus),
	};
	const int failed = cmocka_run_group_tests(tests, NULL, NULL);

	free(findings.list);
	return failed;
}
