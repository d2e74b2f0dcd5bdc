/*
 * attach: connect a zone's socket to the standard input and output of a
 * command. No relay: the command speaks on the socket itself, and cannot
 * connect again, so one connection is one instance. This is how a provider
 * starts zones; it runs on the host, never in a zone.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "executor/command.h"
#include "executor/parent_files.h"
#include "proto/endpoint.h"

static const char usage[] =
    "usage: trizone-executor attach [--config FILE] [--receipts FILE]\n"
    "       [--respawn] ZONE -- COMMAND [ARGUMENT...]\n"
    "Connect the socket of ZONE to the standard input and output of COMMAND.\n"
    "--receipts keeps the receipt of each instance of a planner's zone.\n"
    "--respawn starts the next instance, on a connection of its own, when one\n"
    "ends; stop it with SIGTERM.\n";

#define FAST_MS 1000 /* an instance that ends sooner counts as failed */
#define BACKOFF_MAX_MS 30000
#define VOUCH_MS 9000 /* more than the executor waits for its record */

static volatile sig_atomic_t stop_signal;
static volatile sig_atomic_t child_pid;

static void
on_signal(int number)
{
	stop_signal = 1;
	if (child_pid > 0)
		kill((pid_t)child_pid, number);
}

static _Noreturn void
become(int fd, char **command)
{
	/* the socket is close-on-exec; its two copies are not */
	if (dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0)
		die_errno("dup2");
	execvp(command[0], command);
	die_errno("cannot start %s", command[0]);
}

/* Say on the operator's socket that our next connection is a new instance.
 * Without that it is the zone's standing session, which is safe and asks more:
 * so a failure is told and no more. A receipt that cannot be kept ends us. */
static void
vouch(const struct config *config, const char *zone)
{
	const struct config_zone *z = config_zone(config, span_of(zone));
	char path[SOCKET_PATH_BYTES], spec[SOCKET_PATH_BYTES + 5];
	struct client_options options = {.spec = spec,
	    .self = SIDE_OPERATOR,
	    .zone = "operator",
	    .program = "trizone-executor " TRIZONE_VERSION};
	struct client_answer answer = {0};
	struct client *client = NULL;
	int rc;

	if (z == NULL || z->kind != ZONE_PLANNER)
		return;
	rc = socket_path(config, "operator", path, sizeof path);
	if (rc == 0) {
		snprintf(spec, sizeof spec, "unix:%s", path);
		rc = client_open(&options, &client);
	}
	if (rc == 0) {
		json_put_text(
		    client_begin(client, METHOD_SESSION_NEW), "zone", zone);
		rc = client_ask(client, VOUCH_MS, &answer);
	}
	if (rc == 0 && answer.result == NULL)
		rc = answer.error;
	if (rc != 0)
		log_event(LOG_WARN, "not-vouched",
		    "zone=%s reason=%s; its sessions count as one", zone,
		    err_text(rc));
	else
		receipt_keep(&answer);
	client_close(client);
}

static int
zone_connect(const struct config *config, const char *zone)
{
	char path[SOCKET_PATH_BYTES];

	vouch(config, zone);
	if (socket_path(config, zone, path, sizeof path) != 0)
		return -ERR_PATH;
	return endpoint_connect(path);
}

/* A signal between fork and the moment both sides are ready for it would be
 * lost: it waits. 0 if we were told to stop, else the child's number. */
static pid_t
start_instance(int fd, char **command)
{
	sigset_t stops, before;
	pid_t pid = 0;

	sigemptyset(&stops);
	sigaddset(&stops, SIGTERM);
	sigaddset(&stops, SIGINT);
	sigprocmask(SIG_BLOCK, &stops, &before);
	if (stop_signal == 0) {
		pid = fork();
		if (pid < 0)
			die_errno("fork");
		if (pid == 0) {
			signal(SIGTERM, SIG_DFL);
			signal(SIGINT, SIG_DFL);
			sigprocmask(SIG_SETMASK, &before, NULL);
			become(fd, command);
		}
		child_pid = pid;
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

/* One instance; its exit status, or 128 and the signal that ended it. */
static int
run_instance(int fd, char **command)
{
	int wait_status = 0;
	pid_t pid = start_instance(fd, command);

	close(fd);
	if (pid == 0)
		return 0;
	while (waitpid(pid, &wait_status, 0) < 0 && errno == EINTR)
		continue;
	child_pid = 0;
	if (WIFSIGNALED(wait_status))
		return 128 + WTERMSIG(wait_status);
	return WEXITSTATUS(wait_status);
}

static void
pause_ms(int64_t ms)
{
	struct timespec delay = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&delay, NULL);
}

/* Instance after instance; each gets a fresh connection. */
static int
respawn(const struct config *config, const char *zone, char **command)
{
	int64_t backoff = 0;

	while (stop_signal == 0) {
		int64_t began = clock_ms();
		int fd = zone_connect(config, zone), status = -1;

		if (fd >= 0)
			status = run_instance(fd, command);
		if (status == 0 || clock_ms() - began > FAST_MS)
			backoff = 0;
		else
			backoff = backoff == 0 ? 50 : backoff * 2;
		if (backoff > BACKOFF_MAX_MS)
			backoff = BACKOFF_MAX_MS;
		if (status != 0)
			log_event(LOG_WARN, "instance",
			    "zone=%s status=%d "
			    "next_ms=%lld",
			    zone, status, (long long)backoff);
		if (stop_signal == 0)
			pause_ms(backoff);
	}
	return EXIT_DONE;
}

static void
catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigemptyset(&action.sa_mask);
	if (sigaction(SIGTERM, &action, NULL) != 0 ||
	    sigaction(SIGINT, &action, NULL) != 0)
		die_errno("sigaction");
}

static bool
zone_exists(const struct config *config, const char *zone)
{
	for (size_t i = 0; i < config->zone_count; i++)
		if (strcmp(config->zones[i].name, zone) == 0)
			return true;
	return false;
}

int
command_attach(int argc, char **argv)
{
	static const struct option known[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"receipts", required_argument, NULL, 'k'},
	    {"respawn", no_argument, NULL, 'r'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	const char *path = CONFIG_DEFAULT_PATH, *zone;
	struct config *config;
	bool again = false;
	int option, fd;

	while ((option = getopt_long(argc, argv, "+", known, NULL)) != -1) {
		if (option == 'c')
			path = optarg;
		else if (option == 'k')
			receipt_keep_in(optarg);
		else if (option == 'r')
			again = true;
		else {
			fputs(usage, option == 'h' ? stdout : stderr);
			return option == 'h' ? EXIT_DONE : EXIT_USAGE;
		}
	}
	zone = argv[optind];
	if (argc - optind < 2 ||
	    (strcmp(argv[optind + 1], "--") == 0 && argc - optind < 3)) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	argv += optind + (strcmp(argv[optind + 1], "--") == 0 ? 2 : 1);
	config = config_or_die(path, EXIT_CONFIG);
	if (!zone_exists(config, zone))
		die(EXIT_USAGE, "there is no zone %s in %s", zone, path);
	signal(SIGPIPE, SIG_DFL);
	if (again) {
		catch_signals();
		return respawn(config, zone, argv);
	}
	fd = zone_connect(config, zone);
	if (fd < 0)
		die(EXIT_TEMPORARY, "zone %s: %s: is the executor running?",
		    zone, err_text(fd));
	become(fd, argv);
}
