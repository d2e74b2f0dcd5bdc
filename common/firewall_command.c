/*
 * `firewall print|apply|check`: the operator's side of the zone's firewall.
 * Runs with the operator's rights, in the machine whose rules it loads.
 */
#include "common/firewall_command.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/firewall.h"
#include "common/json.h"
#include "common/text.h"

#define REASON_BYTES 512
#define NAMES_BYTES 256
#define SAID_BYTES 4096

static const char usage[] =
    "usage: %s firewall print [--backend nft|iptables|ip6tables|pf]\n"
    "           [--loopback]\n"
    "       %s firewall apply [--backend nft|iptables|pf] [--loopback]\n"
    "           [--save [--root DIR]]\n"
    "       %s firewall check [--json]\n"
    "\n"
    "print  what apply loads\n"
    "apply  drop every packet in, out and forwarded, IPv4 and IPv6, and read\n"
    "       back what is loaded; needs root\n"
    "check  whether such rules are loaded now; changes nothing\n"
    "\n"
    "--backend   apply: the first of nft and iptables that does it\n"
    "--loopback  let packets pass by the loopback interface\n"
    "--save      also for the next start of the system\n"
    "--root DIR  write these files below DIR, enable nothing\n"
    "\n"
    "Exit status: 0 done, or nothing can leave; 1 check: packets can leave;\n"
    "64 usage; 69 not loaded, or not saved; 71 interfaces cannot be listed.\n";

struct options {
	enum firewall_backend backend; /* _COUNT: any */
	struct firewall want;
	bool save, json, help;
	const char *root;
};

static void
print_usage(const char *program, FILE *to)
{
	(void)fprintf(to, usage, program, program, program);
}

static int
wrong_usage(const char *program, const char *what)
{
	(void)fprintf(stderr, "%s firewall: %s\n", program, what);
	print_usage(program, stderr);
	return EXIT_USAGE;
}

/* Both families of iptables take the same text. */
static bool
read_backend(const char *name, enum firewall_backend *out)
{
	if (strcmp(name, "ip6tables") == 0)
		name = firewall_backend_name(FIREWALL_IPTABLES);
	return firewall_backend_find(name, out);
}

/* `known` are the letters of the options this command has. */
static bool
read_options(int argc, char **argv, const char *known, struct options *out)
{
	static const struct option options[] = {
	    {"backend", required_argument, NULL, 'b'},
	    {"loopback", no_argument, NULL, 'l'},
	    {"save", no_argument, NULL, 's'},
	    {"root", required_argument, NULL, 'r'},
	    {"json", no_argument, NULL, 'j'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	int option;

	*out = (struct options){.backend = FIREWALL_BACKEND_COUNT};
	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (option == '?' || strchr(known, option) == NULL)
			return false;
		if (option == 'b' && !read_backend(optarg, &out->backend))
			return false;
		out->want.loopback |= option == 'l';
		out->save |= option == 's';
		out->json |= option == 'j';
		out->help |= option == 'h';
		if (option == 'r')
			out->root = optarg;
	}
	return optind == argc;
}

static int
command_print(const char *program, const struct options *options)
{
	enum firewall_backend backend = options->backend;
	struct buf text;

	(void)program;
	if (backend == FIREWALL_BACKEND_COUNT)
		backend = FIREWALL_NFT;
	buf_init(&text, FIREWALL_TEXT_BYTES);
	if (firewall_text(backend, &options->want, &text) != 0)
		bug("rules longer than a buffer");
	(void)fwrite(text.data, 1, text.len, stdout);
	buf_free(&text);
	return EXIT_DONE;
}

static void
print_loaded(const struct firewall_state *state)
{
	char hex[2 * SHA256_BYTES + 1];

	hex_encode(state->hash, sizeof state->hash, hex);
	printf("%s drops everything%s\nrule hash %s\n",
	    firewall_backend_name(state->backend),
	    state->rules.loopback ? " but loopback" : "", hex);
}

static int
save(const char *program, const struct options *options,
    enum firewall_backend backend)
{
	const char *root = options->root == NULL ? "" : options->root;
	char reason[REASON_BYTES];
	struct buf said;
	int rc;

	buf_init(&said, SAID_BYTES);
	rc = firewall_save(
	    backend, &options->want, root, &said, reason, sizeof reason);
	if (said.len != 0)
		(void)fwrite(said.data, 1, said.len, stdout);
	buf_free(&said);
	if (rc == 0)
		return EXIT_DONE;
	(void)fprintf(stderr, "%s firewall: not saved: %s\n", program, reason);
	return EXIT_UNAVAILABLE;
}

static int
apply(const struct options *options, struct firewall_state *state, char *reason,
    size_t room)
{
	if (options->backend == FIREWALL_BACKEND_COUNT)
		return firewall_apply_any(&options->want, state, reason, room);
	return firewall_apply(
	    options->backend, &options->want, state, reason, room);
}

/* pf is saved, but somebody else has to load it: that is no success. */
static int
command_apply(const char *program, const struct options *options)
{
	struct firewall_state state;
	char reason[REASON_BYTES];
	int rc = apply(options, &state, reason, sizeof reason);

	if (rc == 0) {
		print_loaded(&state);
		return options->save ? save(program, options, state.backend)
				     : EXIT_DONE;
	}
	if (options->save && options->backend == FIREWALL_PF)
		(void)save(program, options, FIREWALL_PF);
	(void)fprintf(stderr, "%s firewall: not loaded: %s\n", program, reason);
	return EXIT_UNAVAILABLE;
}

static void
print_json(const struct firewall_state *state, int count, const char *names)
{
	char hex[2 * SHA256_BYTES + 1];
	struct json_writer w;
	struct buf out;

	buf_init(&out, SAID_BYTES);
	json_write_init(&w, &out);
	json_open(&w, '{');
	json_put_boolean(&w, "loaded", state->loaded);
	if (state->loaded) {
		hex_encode(state->hash, sizeof state->hash, hex);
		json_put_text(
		    &w, "backend", firewall_backend_name(state->backend));
		json_put_boolean(&w, "loopback", state->rules.loopback);
		json_put_text(&w, "rules", hex);
	} else {
		json_put_text(&w, "why_not", state->why_not);
	}
	json_put_integer(&w, "interfaces", count);
	json_put_text(&w, "names", names);
	json_close(&w, '}');
	printf("%.*s\n", (int)out.len, out.data);
	buf_free(&out);
}

static int
command_check(const char *program, const struct options *options)
{
	struct firewall_state state;
	char names[NAMES_BYTES] = "";
	int count = firewall_interfaces(names, sizeof names);

	if (count < 0) {
		(void)fprintf(stderr,
		    "%s firewall: network interfaces cannot be listed\n",
		    program);
		return EXIT_SYSTEM;
	}
	firewall_check(&state);
	if (options->json)
		print_json(&state, count, names);
	else if (state.loaded)
		print_loaded(&state);
	else if (state.alone)
		printf("there is only loopback\n");
	else
		printf("packets can leave by %s: run `%s firewall apply "
		       "--save` as root (%s)\n",
		    names, program, state.why_not);
	return state.loaded || state.alone ? EXIT_DONE : EXIT_FOUND;
}

static const struct command {
	const char *name;
	const char *known; /* letters of its options */
	int (*run)(const char *program, const struct options *options);
} commands[] = {
    {"print", "blh", command_print},
    {"apply", "blsrh", command_apply},
    {"check", "jh", command_check},
};

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	return NULL;
}

int
firewall_command(const char *program, int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";
	const struct command *command = find_command(word);
	struct options options;

	if (strcmp(word, "--help") == 0) {
		print_usage(program, stdout);
		return EXIT_DONE;
	}
	if (command == NULL)
		return wrong_usage(program, "print, apply or check?");
	if (!read_options(argc - 1, argv + 1, command->known, &options))
		return wrong_usage(program, "it does not know this");
	if (options.help) {
		print_usage(program, stdout);
		return EXIT_DONE;
	}
	if (options.root != NULL && !options.save)
		return wrong_usage(program, "--root is for --save");
	return command->run(program, &options);
}
