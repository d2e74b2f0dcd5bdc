/*
 * firewall test: whether the wall around an account stands, tried from within.
 *
 * What must fail is tried as another user too: what that user does not reach
 * either says nothing about a wall. So a try ends good, bad, or unknown.
 */
#include <getopt.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/err.h"
#include "executor/attempt.h"
#include "executor/command.h"
#include "executor/command_firewall.h"

static const char usage[] =
    "usage: trizone-executor firewall test NAME [--refused HOST:PORT]\n"
    "           [--config FILE] [--json]\n"
    "Try as the account NAME: its hosts work, everything else fails at once.\n"
    "HOST is one that it may not reach and everybody else does, by default\n"
    "example.com:443; without it a dead network would look like a wall.\n"
    "Needs root. Exit status: 0 the wall stands; 1 it does not, or that\n"
    "cannot be told.\n";

#define ALLOWED_MS 15000 /* a name, and each of its addresses */
#define REFUSED_MS 3000
#define AT_ONCE_MS 1000
#define CODE_REFUSED 5 /* RFC 1035, 4.1.1 */
#define REFUSED_DEFAULT "example.com:443"

enum finding { GOOD, BAD, UNKNOWN };

struct test {
	const struct model_account *account;
	struct account inside, outside;
	bool json;
	unsigned counts[UNKNOWN + 1];
	struct json_writer out;
};

static const char *const verdicts[] = {
    [GOOD] = "good", [BAD] = "bad", [UNKNOWN] = "unknown"};

static void
result_words(const struct attempt_result *result, char *out, size_t room)
{
	char name[32];

	attempt_error_name(result->error, name, sizeof name);
	switch (result->outcome) {
	case ATTEMPT_WORKED:
		(void)snprintf(out, room, "works");
		break;
	case ATTEMPT_FAILED:
		(void)snprintf(out, room, "%s", name);
		break;
	case ATTEMPT_ANSWERED:
		if (result->error == CODE_REFUSED)
			(void)snprintf(out, room, "refused");
		else
			(void)snprintf(
			    out, room, "answered, code %d", result->error);
		break;
	case ATTEMPT_SILENT:
		(void)snprintf(out, room, "no answer");
		break;
	case ATTEMPT_HUNG:
		(void)snprintf(out, room, "hangs");
		break;
	case ATTEMPT_NO_NAME:
		(void)snprintf(out, room, "no address: %s",
		    result->error == 0 ? "none of a family we know"
				       : gai_strerror(result->error));
		break;
	}
}

/* One line of what was tried. `advice` is for what is not good; NULL none. */
static void
say(struct test *t, enum finding verdict, const char *what, const char *target,
    const struct attempt_result *result, const char *advice)
{
	char words[128];

	result_words(result, words, sizeof words);
	t->counts[verdict]++;
	if (verdict == GOOD)
		advice = NULL;
	if (t->json) {
		json_open(&t->out, '{');
		json_put_text(&t->out, "verdict", verdicts[verdict]);
		json_put_text(&t->out, "what", what);
		json_put_text(&t->out, "target", target);
		json_put_text(&t->out, "result", words);
		json_put_integer(&t->out, "ms", result->ms);
		if (advice != NULL)
			json_put_text(&t->out, "advice", advice);
		json_close(&t->out, '}');
		return;
	}
	printf("%-8s %-22s %-40s %s, %d ms\n", verdicts[verdict], what, target,
	    words, result->ms);
	if (advice != NULL)
		printf("%-8s %s\n", "", advice);
}

static void
target_text(const struct address *address, uint16_t port, char *out, size_t n)
{
	char text[ADDRESS_TEXT_BYTES];

	address_format(address, text);
	if (port == 0)
		(void)snprintf(out, n, "%s", text);
	else
		(void)snprintf(out, n,
		    address->family == ADDRESS_6 ? "[%s]:%u" : "%s:%u", text,
		    port);
}

/* Hosts it may reach. */

static void
test_allowed(struct test *t, const struct model_host *host)
{
	struct attempt attempt = {.kind = ATTEMPT_HOST, .host = *host};
	struct attempt_result inside, outside;
	char target[MODEL_HOST_TEXT];

	(void)snprintf(target, sizeof target, "%s:%u%s", host->name, host->port,
	    host->protocol == MODEL_UDP ? "/udp" : "");
	attempt_run(&attempt, &t->inside, ALLOWED_MS, &inside);
	if (inside.outcome == ATTEMPT_WORKED) {
		say(t, GOOD, "allowed", target, &inside, NULL);
		return;
	}
	attempt_run(&attempt, &t->outside, ALLOWED_MS, &outside);
	if (outside.outcome == ATTEMPT_WORKED)
		say(t, BAD, "allowed", target, &inside,
		    "others reach it: look at `firewall status`; the service "
		    "has to run, and the account has to ask its guard for the "
		    "name");
	else
		say(t, UNKNOWN, "allowed", target, &inside,
		    "others do not reach it either");
}

/* What it may not. */

static bool
failed_at_once(const struct attempt_result *result)
{
	return result->outcome == ATTEMPT_FAILED && result->ms < AT_ONCE_MS;
}

/* Refused inside, works outside. */
static void
test_refused(struct test *t, const char *what, const struct attempt *attempt)
{
	struct attempt_result inside, outside;
	char target[MODEL_HOST_TEXT];

	target_text(&attempt->address, attempt->port, target, sizeof target);
	attempt_run(attempt, &t->inside, REFUSED_MS, &inside);
	if (inside.outcome == ATTEMPT_WORKED) {
		say(t, BAD, what, target, &inside,
		    "it goes out: `firewall check` says what is wrong");
		return;
	}
	attempt_run(attempt, &t->outside, REFUSED_MS, &outside);
	if (outside.outcome != ATTEMPT_WORKED)
		say(t, UNKNOWN, what, target, &inside,
		    "others do not reach it either, so this says nothing; "
		    "name another with --refused");
	else if (failed_at_once(&inside) ||
		 (attempt->kind == ATTEMPT_ECHO &&
		     inside.outcome == ATTEMPT_SILENT))
		say(t, GOOD, what, target, &inside, NULL);
	else
		say(t, BAD, what, target, &inside,
		    "it is not refused at once: `firewall check`");
}

/* Datagrams get no answer, so nobody can tell whether others' arrive: it is
 * enough that ours are not taken. */
static void
test_datagram(struct test *t, const char *what, const struct address *address,
    uint16_t port)
{
	struct attempt attempt = {
	    .kind = ATTEMPT_UDP, .address = *address, .port = port};
	struct attempt_result inside;
	char target[MODEL_HOST_TEXT];

	target_text(address, port, target, sizeof target);
	attempt_run(&attempt, &t->inside, REFUSED_MS, &inside);
	say(t, failed_at_once(&inside) ? GOOD : BAD, what, target, &inside,
	    "it is not refused: `firewall check`");
}

static void
test_echo(struct test *t, const struct address *address)
{
	struct attempt attempt = {.kind = ATTEMPT_ECHO, .address = *address};

	if (attempt_refuses_echo())
		test_refused(t, "ICMP echo", &attempt);
}

/* The guard says no to a name nobody has, whatever server is asked. */
static void
test_question(struct test *t, const struct address *server)
{
	struct attempt attempt = {.kind = ATTEMPT_ASK,
	    .address = *server,
	    .host = {.name = "not-allowed.trizone.invalid"}};
	struct attempt_result inside;
	char target[MODEL_HOST_TEXT];

	target_text(server, 53, target, sizeof target);
	attempt_run(&attempt, &t->inside, REFUSED_MS, &inside);
	if (inside.outcome != ATTEMPT_ANSWERED) {
		say(t, BAD, "question", target, &inside,
		    "nobody answers: does the service run?");
		return;
	}
	say(t, inside.error == CODE_REFUSED ? GOOD : BAD, "question", target,
	    &inside,
	    "somebody else than the guard answers it: `firewall check`");
}

static void
test_loopback(struct test *t, enum address_family family)
{
	struct attempt attempt = {.kind = ATTEMPT_TCP};
	struct attempt_result result;
	pid_t pid;

	attempt.address =
	    family == ADDRESS_6
		? (struct address){.family = ADDRESS_6, .bytes = {[15] = 1}}
		: (struct address){
		      .family = ADDRESS_4, .bytes = {127, 0, 0, 1}};
	pid = attempt_serve(&t->outside, family, &attempt.port);
	if (pid < 0)
		return; /* there is no such family here */
	test_refused(t, "loopback", &attempt);
	attempt_end(pid);
	/* and the other way: nobody is answered */
	pid = attempt_serve(&t->inside, family, &attempt.port);
	if (pid < 0)
		return;
	attempt_run(&attempt, &t->outside, AT_ONCE_MS, &result);
	if (result.outcome == ATTEMPT_HUNG)
		result.outcome = ATTEMPT_SILENT; /* as it should */
	say(t, result.outcome == ATTEMPT_WORKED ? BAD : GOOD, "being called",
	    "loopback", &result, "it serves others: `firewall check`");
	attempt_end(pid);
}

static void
test_sockets(struct test *t)
{
	size_t count;
	const struct attempt_socket *rows = attempt_sockets(&count);

	for (size_t i = 0; i < count; i++) {
		struct attempt attempt = {.kind = ATTEMPT_SOCKET,
		    .domain = rows[i].domain,
		    .type = rows[i].type,
		    .protocol = rows[i].protocol};
		struct attempt_result result;

		attempt_run(&attempt, &t->inside, REFUSED_MS, &result);
		say(t, result.outcome == ATTEMPT_FAILED ? GOOD : BAD, "making",
		    rows[i].name, &result, rows[i].remedy);
	}
}

/* All there is about one address that it may not reach. */
static void
test_stranger(struct test *t, const struct address *address, uint16_t port)
{
	struct attempt attempt = {
	    .kind = ATTEMPT_TCP, .address = *address, .port = port};

	test_refused(t, "TCP", &attempt);
	test_datagram(t, "UDP", address, port);
	test_echo(t, address);
	if (attempt_has_guard())
		test_question(t, address);
}

/* The addresses of the host that is to be refused, as others look them up. */
static unsigned
strangers(const struct model_host *host, struct address found[2])
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *all;
	unsigned count = 0;
	bool had[ADDRESS_6 + 1] = {false};

	if (host->address.family != ADDRESS_NONE) {
		found[0] = host->address;
		return 1;
	}
	if (getaddrinfo(host->name, NULL, &hints, &all) != 0)
		return 0;
	for (const struct addrinfo *at = all; at != NULL && count < 2;
	     at = at->ai_next) {
		char text[NI_MAXHOST];
		struct address a;

		if (getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof text,
			NULL, 0, NI_NUMERICHOST) != 0 ||
		    !address_parse(span_of(text), &a) || had[a.family])
			continue;
		had[a.family] = true;
		found[count++] = a;
	}
	freeaddrinfo(all);
	return count;
}

static void
test_all(struct test *t, const struct model_host *refused)
{
	struct address found[2];
	unsigned count = strangers(refused, found);

	for (size_t i = 0; i < t->account->host_count; i++)
		test_allowed(t, &t->account->hosts[i]);
	for (unsigned i = 0; i < count; i++)
		test_stranger(t, &found[i], refused->port);
	if (count == 0) {
		struct attempt_result none = {.outcome = ATTEMPT_NO_NAME};

		say(t, UNKNOWN, "refused", refused->name, &none,
		    "others do not reach it either; name another with "
		    "--refused");
	}
	test_loopback(t, ADDRESS_4);
	test_loopback(t, ADDRESS_6);
	test_sockets(t);
}

struct words {
	struct common_options common;
	const char *name, *refused;
};

static bool
read_words(int argc, char **argv, struct words *out, int *status)
{
	static const struct option known[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"refused", required_argument, NULL, 'r'},
	    {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0}};
	int option;

	*out = (struct words){.common = {.config = CONFIG_DEFAULT_PATH},
	    .refused = REFUSED_DEFAULT};
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'c') {
			out->common.config = optarg;
		} else if (option == 'r') {
			out->refused = optarg;
		} else if (option == 'j') {
			out->common.json = true;
		} else {
			fputs(usage, option == 'h' ? stdout : stderr);
			*status = option == 'h' ? EXIT_DONE : EXIT_USAGE;
			return false;
		}
	}
	if (optind + 1 != argc) {
		fputs(usage, stderr);
		*status = EXIT_USAGE;
		return false;
	}
	out->name = argv[optind];
	return true;
}

static void
read_refused(const struct test *t, const char *text, struct model_host *out)
{
	char reason[256];

	if (model_host_read(span_of(text), out, reason, sizeof reason) != 0)
		die(EXIT_USAGE, "--refused: %s", reason);
	for (size_t i = 0; i < t->account->host_count; i++)
		if (strcmp(t->account->hosts[i].name, out->name) == 0)
			die(EXIT_USAGE,
			    "%s may reach %s: name another with --refused",
			    t->account->name, out->name);
}

static int
finish(struct test *t, struct buf *text)
{
	const char *word = t->counts[BAD] != 0	     ? "bad"
			   : t->counts[UNKNOWN] != 0 ? "unknown"
						     : "good";

	if (t->json) {
		json_close(&t->out, ']');
		json_put_text(&t->out, "verdict", word);
		json_close(&t->out, '}');
		printf("%.*s\n", (int)text->len, text->data);
	} else {
		printf("%s: %u good, %u bad, %u cannot be told\n",
		    t->account->name, t->counts[GOOD], t->counts[BAD],
		    t->counts[UNKNOWN]);
	}
	return t->counts[GOOD] != 0 && strcmp(word, "good") == 0 ? EXIT_DONE
								 : EXIT_FOUND;
}

static void
accounts(struct test *t, const char *name)
{
	static const char nobody[] = "65534";
	char reason[256];

	if (account_find(name, &t->inside, reason, sizeof reason) != 0)
		die(EXIT_CONFIG, "%s", reason);
	if (account_find(nobody, &t->outside, reason, sizeof reason) != 0)
		die(EXIT_SYSTEM, "%s", reason);
}

int
command_firewall_test(int argc, char **argv)
{
	char reason[1024];
	struct model_host refused;
	struct setup setup;
	struct words words;
	struct model model;
	struct test t = {.json = false};
	struct buf text;
	int status;

	if (!read_words(argc, argv, &words, &status))
		return status;
	if (geteuid() != 0)
		die(EXIT_NOT_PERMITTED,
		    "firewall test needs root, to try as %s", words.name);
	if (setup_load(words.common.config, &setup, reason, sizeof reason) != 0)
		die(EXIT_CONFIG, "%s", reason);
	model_copy(policy_firewall(setup.policy), &model);
	t.account = model_find(&model, span_of(words.name));
	if (t.account == NULL)
		die(EXIT_CONFIG,
		    "the policy has no account %s: see `firewall apply`",
		    words.name);
	accounts(&t, words.name);
	read_refused(&t, words.refused, &refused);
	t.json = words.common.json;
	buf_init(&text, 4u << 20);
	json_write_init(&t.out, &text);
	if (t.json) {
		json_open(&t.out, '{');
		json_put_text(&t.out, "account", t.account->name);
		json_key(&t.out, "tries");
		json_open(&t.out, '[');
	}
	test_all(&t, &refused);
	status = finish(&t, &text);
	buf_free(&text);
	model_free(&model);
	setup_free(&setup);
	return status;
}
