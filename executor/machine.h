/*
 * The machine that an instance of a zone runs in, as who starts it says it: one
 * JSON object,
 *
 *   { "provider": "microvm", "isolation": "microvm",
 *     "image": "<64 digits of its SHA-256, or nothing>",
 *     "devices": ["virtio-serial-pci", ...], "namespaces": ["net", ...],
 *     "memory_mb": 256, "cpus": 1,
 *     "recycle_after": 100, "recycle_ms": 600000 }
 *
 * Provider and isolation are mandatory. Read by attach from a provider's file,
 * and by the broker from attach. Pure.
 */
#ifndef TRIZONE_EXECUTOR_MACHINE_H
#define TRIZONE_EXECUTOR_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/json.h"
#include "common/sha256.h"

#define MACHINE_FILE_MAX_BYTES 16384
#define MACHINE_NAMES_MAX 32	  /* devices, and namespaces */
#define MACHINE_NAME_MAX_BYTES 64 /* one of them */
#define MACHINE_MEMORY_MIN_MB 80  /* below it no kernel of today starts */
#define MACHINE_MEMORY_MAX_MB (1024 * 1024)
#define MACHINE_CPUS_MAX 64
#define MACHINE_WARM_MAX 16 /* each is a machine that waits */
#define MACHINE_RECYCLE_MAX 1000000
#define MACHINE_RECYCLE_MAX_MINUTES 10080 /* a week */

enum provider {
	PROVIDER_ANY, /* not said */
	PROVIDER_PROCESS,
	PROVIDER_CONTAINER,
	PROVIDER_ORB,
	PROVIDER_MICROVM,
	PROVIDER_COUNT
};

/* From the least to the most. */
enum isolation {
	ISOLATION_ANY, /* not said; of a zone: nothing is demanded */
	ISOLATION_PROCESS,
	ISOLATION_CONTAINER,
	ISOLATION_ORB, /* machines that share a kernel, which is a guest's */
	ISOLATION_GVISOR,
	ISOLATION_MICROVM,
	ISOLATION_COUNT
};

/* "process"; "-" for ANY. And back: ANY if there is no such name. */
const char *provider_name(enum provider provider);
enum provider provider_find(struct span name);
const char *isolation_name(enum isolation isolation);
enum isolation isolation_find(struct span name);

struct machine {
	enum provider provider; /* ANY: there is no machine */
	enum isolation isolation;
	char image[2 * SHA256_BYTES + 1]; /* may be empty */
	uint32_t memory_mb, cpus;	  /* 0: not said */
	uint32_t recycle_after;		  /* messages, 0: any number */
	int64_t recycle_ms;		  /* 0: for ever */
	const struct json_node *devices, *namespaces; /* of the document; or
							 NULL */
};

/* 0, or an error of json_read; -ERR_RANGE also for an isolation that the
 * provider has not. `where` may be NULL. */
int machine_read(const struct json_doc *doc, const struct json_node *node,
    struct machine *out, struct json_error *where);

/* Its members into the open object, with the lists while their document
 * lives. */
void machine_put(struct json_writer *w, const struct json_doc *doc,
    const struct machine *machine);

#endif
