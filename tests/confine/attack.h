/*
 * Ways out of a locked process. Each is a function that tries one and returns
 * true if it got through; errno says what refused it. What it needs is
 * prepared before the process is locked in.
 */
#ifndef TRIZONE_TESTS_CONFINE_ATTACK_H
#define TRIZONE_TESTS_CONFINE_ATTACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What lies outside, made by inside.c; all of it is there to be reached. */
struct outside {
	char folder[200];  /* files nobody inside has business with */
	char own[200];	   /* the role's own folder */
	uint16_t tcp, udp; /* ports on 127.0.0.1 and ::1 */
	char abstract[40]; /* name of an abstract socket */
	pid_t victim;	   /* a process of root */
	/* sockets from before the lock */
	int old_tcp, old_tcp_unbound, old_udp, old_unix, old_unix_too;
	int old_folder;	   /* `folder`, opened before */
	int old_namespace; /* a network namespace, opened before */
	int passed;	   /* a socket on which a descriptor waits */
	int old_file;	   /* own/file, open for writing */
};
extern struct outside outside;

/* Who may do it in service, as bits of enum insider. */
enum insider {
	PARENT = 1,
	BROKER = 2,
	AUDITOR = 4,
	FILE_COURIER = 8,
	NOTIFY_COURIER = 16,
	PLANNER = 32,
	READER = 64,
	FILTER = 128,
	WORKER = 256,
	RESOLVER = 512,
	NOBODY = 0
};

struct attack {
	const char *name;
	bool (*try)(void);
	unsigned may; /* enum insider */
	bool kills;   /* the list ends who tries it */
};

extern const struct attack net_attacks[], file_attacks[], process_attacks[],
    kernel_attacks[];
extern const size_t net_attack_count, file_attack_count, process_attack_count,
    kernel_attack_count;

#endif
