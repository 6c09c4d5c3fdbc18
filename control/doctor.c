// SPDX-License-Identifier: BSD-3-Clause
/* The doctor's checks, one function each, and how they are told. */
#include "doctor.h"

#include <inttypes.h>
#include <linux/capability.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <jansson.h>

#include "command.h"
#include "device.h"
#include "doctor_look.h"
#include "host_check.h"
#include "model.h"

#define SETUP           "scripts/host-setup"
#define VENDOR_MELLANOX 0x15b3

static const char *const level_name[FINDING_LEVELS] = { "ok", "note", "warning", "error" };

struct examination {
	const struct doctor_host *host;
	const struct config *config;
	struct findings *findings;
	bool pci, vfio, packet, tap; /* what kinds of ports there are; vfio: NICs that need it */
};

/* ---- findings ---- */

static struct finding *add(struct examination *e, enum finding_level level, const char *check,
			   const char *format, ...) __attribute__((format(printf, 4, 5)));

static struct finding *add(struct examination *e, enum finding_level level, const char *check,
			   const char *format, ...)
{
	static struct finding nowhere;
	struct findings *all = e->findings;
	struct finding *f;
	va_list ap;

	if (all->count == all->size) {
		const size_t size = all->size ? 2 * all->size : 32;

		f = realloc(all->list, size * sizeof(*f));
		if (!f) {
			all->no_memory = true;
			return &nowhere;
		}
		all->list = f;
		all->size = size;
	}
	f = &all->list[all->count++];
	*f = (struct finding){ .level = level, .check = check };
	va_start(ap, format);
	vsnprintf(f->text, sizeof(f->text), format, ap);
	va_end(ap);
	return f;
}

static void mend(struct finding *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void mend(struct finding *f, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(f->mend, sizeof(f->mend), format, ap);
	va_end(ap);
}

/* ---- memory ---- */

static void check_hugepages(struct examination *e)
{
	static const char check[] = "hugepages";
	const enum config_hugepages wish = e->config->dataplane.hugepages;
	const uint64_t need = e->config->dataplane.memory_bytes;
	uint64_t reserved, idle;

	look_hugepages(e->host, &reserved, &idle);
	if (wish == CONFIG_HUGEPAGES_NEVER) {
		add(e, FINDING_OK, check, "not used (dataplane.hugepages: never)");
		return;
	}
	if (idle >= need) {
		add(e, FINDING_OK, check, "%" PRIu64 " MB are free, %" PRIu64 " MB are needed",
		    idle >> 20, need >> 20);
		return;
	}
	if (reserved >= need) {
		add(e, FINDING_NOTE, check,
		    "%" PRIu64 " MB are reserved, %" PRIu64 " MB of them free: napd runs, or "
		    "somebody else has them",
		    reserved >> 20, idle >> 20);
		return;
	}
	mend(add(e, wish == CONFIG_HUGEPAGES_REQUIRED ? FINDING_ERROR : FINDING_WARNING, check,
		 "%" PRIu64 " MB are reserved, %" PRIu64 " MB are needed%s", reserved >> 20,
		 need >> 20,
		 wish == CONFIG_HUGEPAGES_REQUIRED ? " (dataplane.hugepages: required)"
						   : "; napd runs without, slower"),
	     SETUP " --hugepages %" PRIu64 "M", need >> 20);
}

static void check_memory(struct examination *e)
{
	const uint64_t need = e->config->dataplane.memory_bytes;
	uint64_t reserved, idle, available;
	char text[LOOK_MAX];

	look_hugepages(e->host, &reserved, &idle);
	if (reserved >= need || !look_key(e->host, text, "MemAvailable:", "/proc/meminfo"))
		return;
	available = strtoull(text, NULL, 10) << 10;
	if (available >= need)
		add(e, FINDING_OK, "memory", "%" PRIu64 " MB are available", available >> 20);
	else
		mend(add(e, FINDING_ERROR, "memory",
			 "%" PRIu64 " MB are available, dataplane.memory wants %" PRIu64 " MB",
			 available >> 20, need >> 20),
		     "dataplane: {memory: %" PRIu64 "M} in the configuration", available >> 21);
}

/* ---- NICs ---- */

static bool is_repeated(const struct examination *e, size_t port)
{
	for (size_t i = 0; i < port; i++)
		if (strcmp(e->config->ports[i].device, e->config->ports[port].device) == 0)
			return true;
	return false;
}

/* The PCI address of port i's device, without arguments; false: it is no NIC. */
static bool pci_of(const struct examination *e, size_t i, char address[16])
{
	unsigned int domain, bus, slot, function;

	if (sscanf(e->config->ports[i].device, "%4x:%2x:%2x.%1x", &domain, &bus, &slot,
		   &function) != 4)
		return false;
	snprintf(address, 16, "%04x:%02x:%02x.%x", domain & 0xffff, bus & 0xff, slot & 0x1f,
		 function & 7);
	return true;
}

static bool is_for_dpdk(const char *driver)
{
	return strcmp(driver, "vfio-pci") == 0 || strcmp(driver, "uio_pci_generic") == 0 ||
	       strcmp(driver, "igb_uio") == 0;
}

/* Is it one that DPDK drives beside the kernel's driver (mlx4, mlx5)? */
static bool is_bifurcated(const struct doctor_host *host, const char *address)
{
	return look_number(host, 0, "/sys/bus/pci/devices/%s/vendor", address) == VENDOR_MELLANOX;
}

static void check_driver(struct examination *e, const char *address)
{
	static const char check[] = "driver";
	const struct doctor_host *host = e->host;
	char driver[LOOK_MAX] = "";

	if (!look_exists(host, "/sys/bus/pci/devices/%s", address)) {
		mend(add(e, FINDING_ERROR, check, "there is no PCI device %s", address),
		     "lspci -D -d ::0200");
		return;
	}
	look_link(host, driver, "/sys/bus/pci/devices/%s/driver", address);
	if (is_for_dpdk(driver))
		add(e, FINDING_OK, check, "%s is bound to %.32s", address, driver);
	else if (is_bifurcated(host, address) && driver[0])
		add(e, FINDING_OK, check, "%s stays with %.32s, beside which DPDK drives it",
		    address, driver);
	else if (is_bifurcated(host, address))
		mend(add(e, FINDING_ERROR, check,
			 "%s has no driver of the kernel, which DPDK needs", address),
		     "modprobe mlx5_core");
	else
		mend(add(e, FINDING_ERROR, check, "%s %s%.32s; napd needs it on vfio-pci", address,
			 driver[0] ? "is bound to " : "has no driver", driver),
		     SETUP " --hugepages 0 %s", address);
}

/* DMA by vfio-pci without an IOMMU can write anywhere. */
static void check_iommu(struct examination *e)
{
	static const char check[] = "iommu";
	char line[LOOK_MAX] = "", vendor[LOOK_MAX] = "";

	if (look_count(e->host, "/sys/kernel/iommu_groups") > 0) {
		add(e, FINDING_OK, check, "on");
		return;
	}
	if (!e->vfio) {
		add(e, FINDING_OK, check, "off, and not needed: no port is a NIC that needs it");
		return;
	}
	look_line(e->host, line, "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode");
	look_key(e->host, vendor, "vendor_id", "/proc/cpuinfo");
	if (line[0] == 'Y' || line[0] == '1')
		mend(add(e, FINDING_WARNING, check,
			 "off: NICs can write to any memory (vfio's noiommu mode)"),
		     "%s iommu=pt on the kernel's command line, then reboot",
		     strstr(vendor, "AMD") ? "amd_iommu=on" : "intel_iommu=on");
	else
		mend(add(e, FINDING_ERROR, check, "off: vfio-pci does not give NICs away"),
		     "%s iommu=pt on the kernel's command line, then reboot; in a virtual machine "
		     "without one: " SETUP " --no-iommu",
		     strstr(vendor, "AMD") ? "amd_iommu=on" : "intel_iommu=on");
}

static void check_vfio(struct examination *e)
{
	if (!e->vfio)
		return;
	if (look_exists(e->host, "/dev/vfio/vfio"))
		add(e, FINDING_OK, "vfio", "/dev/vfio/vfio is there");
	else
		mend(add(e, FINDING_ERROR, "vfio", "there is no /dev/vfio/vfio"),
		     "modprobe vfio-pci");
}

/* ---- NUMA and cores ---- */

static bool node_has_worker(const struct examination *e, int64_t node)
{
	const struct cores *cores = e->host->cores;

	for (unsigned int i = 0; i < cores->workers; i++)
		if (look_exists(e->host, "/sys/devices/system/cpu/cpu%u/node%d", cores->worker[i],
				(int)node))
			return true;
	return false;
}

static void check_numa(struct examination *e, const char *address)
{
	static const char check[] = "numa";
	const int64_t node = look_number(e->host, -1, "/sys/bus/pci/devices/%s/numa_node", address);
	char cpus[LOOK_MAX] = "";

	if (node < 0 || !e->host->cores)
		return;
	if (node_has_worker(e, node)) {
		add(e, FINDING_OK, check, "%s and a worker are on node %d", address, (int)node);
		return;
	}
	look_line(e->host, cpus, "/sys/devices/system/node/node%d/cpulist", (int)node);
	mend(add(e, FINDING_WARNING, check, "%s is on node %d, and no worker is", address,
		 (int)node),
	     "dataplane: {cores: \"%.64s\"} in the configuration", cpus);
}

static void check_cores(struct examination *e)
{
	static const char check[] = "cores";
	const struct cores *cores = e->host->cores;
	char isolated[LOOK_MAX] = "", governor[LOOK_MAX] = "", list[64] = "";
	unsigned int shared = 0, slow = 0;

	if (!cores)
		return;
	look_line(e->host, isolated, "/sys/devices/system/cpu/isolated");
	for (unsigned int i = 0; i < cores->workers; i++) {
		const size_t n = strlen(list);

		if (n < sizeof(list) - 8)
			snprintf(list + n, sizeof(list) - n, "%s%u", n ? "," : "",
				 cores->worker[i]);
		shared += !look_in_list(isolated, cores->worker[i]);
		slow += look_line(e->host, governor,
				  "/sys/devices/system/cpu/cpu%u/cpufreq/scaling_governor",
				  cores->worker[i]) &&
			strcmp(governor, "performance") != 0;
	}
	if (cores->warning[0] || cores->worker[0] == cores->control)
		add(e, FINDING_NOTE, check, "%s",
		    cores->warning[0] ? cores->warning : "control and workers share a CPU");
	if (shared)
		mend(add(e, FINDING_NOTE, check,
			 "workers (CPU %s) share their CPUs with the kernel", list),
		     "isolcpus=%s nohz_full=%s rcu_nocbs=%s on the kernel's command line, then "
		     "reboot",
		     list, list, list);
	else
		add(e, FINDING_OK, check, "workers have CPU %s to themselves", list);
	if (slow)
		mend(add(e, FINDING_NOTE, check,
			 "%u of the workers' CPUs may run slower than they can", slow),
		     "cpupower frequency-set -g performance");
}

/* ---- limits and privileges ---- */

/* The soft limit of that name; UINT64_MAX: unlimited or not known. */
static uint64_t limit(const struct examination *e, const char *name)
{
	char text[LOOK_MAX];

	if (!look_key(e->host, text, name, "/proc/self/limits") || text[0] == 'u')
		return UINT64_MAX;
	return strtoull(text, NULL, 10);
}

static bool has_capability(const struct examination *e, unsigned int capability)
{
	char text[LOOK_MAX];

	return look_key(e->host, text, "CapEff:", "/proc/self/status") &&
	       strtoull(text, NULL, 16) >> capability & 1;
}

static void check_limits(struct examination *e)
{
	static const char check[] = "limits";
	const uint64_t locked = limit(e, "Max locked memory"), files = limit(e, "Max open files");
	const uint64_t need = 256 + 3 * (uint64_t)e->config->port_count;

	if (e->pci && !has_capability(e, CAP_IPC_LOCK) &&
	    locked < e->config->dataplane.memory_bytes)
		mend(add(e, FINDING_ERROR, check,
			 "%" PRIu64 " MB may be locked, dataplane.memory is %" PRIu64 " MB",
			 locked >> 20, e->config->dataplane.memory_bytes >> 20),
		     "LimitMEMLOCK=infinity in the unit, as the unit of napd has it (here: "
		     "ulimit -l unlimited)");
	else
		add(e, FINDING_OK, check, "enough memory may be locked");
	if (files < need)
		mend(add(e, FINDING_ERROR, check, "%" PRIu64 " open files, %" PRIu64 " are needed",
			 files, need),
		     "LimitNOFILE=%" PRIu64 " in the unit (here: ulimit -n %" PRIu64 ")", 2 * need,
		     2 * need);
	else
		add(e, FINDING_OK, check, "enough open files");
}

static void check_capabilities(struct examination *e)
{
	static const struct {
		unsigned int number;
		const char *name;
	} list[] = { { CAP_NET_ADMIN, "CAP_NET_ADMIN" },
		     { CAP_NET_RAW, "CAP_NET_RAW" },
		     { CAP_IPC_LOCK, "CAP_IPC_LOCK" } };
	char missing[64] = "";

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		const size_t n = strlen(missing);
		const bool needed = list[i].number == CAP_NET_RAW ? e->packet
				    : list[i].number == CAP_IPC_LOCK
					    ? e->pci
					    : e->packet || e->tap || e->pci;

		if (needed && !has_capability(e, list[i].number))
			snprintf(missing + n, sizeof(missing) - n, "%s%s", n ? " " : "",
				 list[i].name);
	}
	if (missing[0])
		mend(add(e, FINDING_ERROR, "capabilities", "%s: not here", missing),
		     "sudo napd doctor; systemctl start napd (its unit gives them)");
	else
		add(e, FINDING_OK, "capabilities", "all that the ports need are here");
}

/* ---- interfaces of the kernel ---- */

/* What the kernel does to frames of an interface that napd reads with packet sockets. */
static void check_interface(struct examination *e, const char *name)
{
	static const char check[] = "interface";
	char merging[32] = "", commands[64] = "";

	if (!look_exists(e->host, "/sys/class/net/%s", name)) {
		mend(add(e, FINDING_ERROR, check, "there is no interface %s", name),
		     "ip -br link   # which there are");
		return;
	}
	if (!(look_number(e->host, 0, "/sys/class/net/%s/flags", name) & IFF_UP))
		mend(add(e, FINDING_ERROR, check, "%s is down", name), "ip link set %s up", name);
	if (e->host->merging)
		e->host->merging(name, merging, sizeof(merging));
	for (char *save = NULL, *word = strtok_r(merging, " ", &save); word;
	     word = strtok_r(NULL, " ", &save)) {
		const size_t n = strlen(commands);

		snprintf(commands + n, sizeof(commands) - n, " %s off", word);
	}
	if (commands[0])
		mend(add(e, FINDING_WARNING, check,
			 "%s merges received frames into larger ones, which do not fit outputs",
			 name),
		     "ethtool -K %s%s", name, commands);
	else
		add(e, FINDING_OK, check, "%s hands frames over as they came", name);
	/* a veth has its peer's number for a link; its frames are those of a local sender */
	if (look_number(e->host, 0, "/sys/class/net/%s/iflink", name) !=
	    look_number(e->host, 0, "/sys/class/net/%s/ifindex", name))
		mend(add(e, FINDING_NOTE, check,
			 "%s is one end of a veth: its peer must finish checksums itself", name),
		     "ethtool -K PEER tx off sg off gso off tso off   # on the other end");
}

static void check_tap(struct examination *e)
{
	if (!e->tap)
		return;
	if (!look_exists(e->host, "/dev/net/tun"))
		mend(add(e, FINDING_ERROR, "tap", "there is no /dev/net/tun for the ports' TAPs"),
		     "modprobe tun");
	else
		add(e, FINDING_OK, "tap", "/dev/net/tun is there");
	if (look_number(e->host, 0, "/proc/sys/net/ipv4/conf/all/rp_filter") == 1)
		mend(add(e, FINDING_WARNING, "tap",
			 "the kernel drops what comes over TAPs from beyond their subnets "
			 "(rp_filter)"),
		     "sysctl -w net.ipv4.conf.all.rp_filter=0");
}

/* ---- */

void doctor_examine(const struct doctor_host *host, const struct config *config,
		    struct findings *findings)
{
	struct examination e = { .host = host, .config = config, .findings = findings };
	char name[16];

	for (size_t i = 0; i < config->port_count; i++) {
		if (pci_of(&e, i, name)) {
			e.pci = true;
			e.vfio |= !is_bifurcated(host, name);
		}
		e.packet |= device_kernel_interface(config->ports[i].device, name);
		e.tap |= config->ports[i].tap;
	}
	check_hugepages(&e);
	check_memory(&e);
	check_iommu(&e);
	check_vfio(&e);
	for (size_t i = 0; i < config->port_count; i++) {
		if (is_repeated(&e, i))
			continue;
		if (pci_of(&e, i, name)) {
			check_driver(&e, name);
			check_numa(&e, name);
		} else if (device_kernel_interface(config->ports[i].device, name)) {
			check_interface(&e, name);
		}
	}
	check_cores(&e);
	check_limits(&e);
	check_capabilities(&e);
	check_tap(&e);
}

/* ---- the command ---- */

static bool ethtool_flag(int s, const char *interface, uint32_t command, uint32_t mask)
{
	struct ethtool_value value = { .cmd = command };
	struct ifreq request = { .ifr_data = (char *)&value };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
	return ioctl(s, SIOCETHTOOL, &request) == 0 && value.data & mask;
}

static void merging_of(const char *interface, char *text, size_t size)
{
	const int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (s < 0)
		return;
	snprintf(text, size, "%s%s",
		 ethtool_flag(s, interface, ETHTOOL_GGRO, UINT32_MAX) ? "gro " : "",
		 ethtool_flag(s, interface, ETHTOOL_GFLAGS, ETH_FLAG_LRO) ? "lro" : "");
	close(s);
}

static enum finding_level worst(const struct findings *findings)
{
	enum finding_level level = FINDING_OK;

	for (size_t i = 0; i < findings->count; i++)
		if (findings->list[i].level > level)
			level = findings->list[i].level;
	return level;
}

static void print_json(const struct findings *findings)
{
	json_t *root = json_object(), *list = json_array();

	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *f = &findings->list[i];

		json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s}", "check", f->check,
						      "level", level_name[f->level], "text",
						      f->text, "mend", f->mend));
	}
	json_object_set_new(root, "status", json_string(level_name[worst(findings)]));
	json_object_set_new(root, "findings", list);
	json_dumpf(root, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(root);
}

static void print_text(const struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *f = &findings->list[i];

		printf("%-8s %-13s %s\n", level_name[f->level], f->check, f->text);
		if (f->mend[0])
			printf("%-8s %-13s mend: %s\n", "", "", f->mend);
	}
}

static int examine_and_print(const struct config *config, bool json)
{
	struct doctor_host host = { .root = "", .merging = merging_of };
	struct findings findings = { 0 };
	char error[CORES_ERROR_MAX];
	struct cores cores;
	int status;

	if (cores_choose(config, &cores, error) == 0)
		host.cores = &cores;
	doctor_examine(&host, config, &findings);
	if (json)
		print_json(&findings);
	else
		print_text(&findings);
	status = findings.no_memory || worst(&findings) >= FINDING_WARNING ? EXIT_STATUS_FAILED
									   : EXIT_STATUS_DONE;
	free(findings.list);
	return status;
}

int doctor(const char *config_path, bool json)
{
	struct config none = { .dataplane.memory_bytes = UINT64_C(1) << 30 };
	struct problems problems = { 0 };
	struct config *config = NULL;
	int status;

	if (!config_path && access(CONFIG_PATH_DEFAULT, F_OK) != 0) {
		fprintf(stderr,
			"there is no " CONFIG_PATH_DEFAULT ": what ports need is not looked at "
			"(-c FILE)\n");
		return examine_and_print(&none, json);
	}
	config = config_load(config_path ? config_path : CONFIG_PATH_DEFAULT, &problems);
	if (config)
		host_check(config, &problems);
	problems_print(&problems);
	status = problems.errors ? EXIT_STATUS_WRONG : EXIT_STATUS_FAILED;
	problems_release(&problems);
	if (config)
		status = examine_and_print(config, json);
	config_free(config);
	return status;
}
