/*
 * Running age. It gets no environment, a path that is looked for in folders of
 * the system, and a deadline.
 */
#include "executor/inputs_key.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/run.h"

#define AGE_MS 20000
#define WORDS_BYTES 2000

static const char *const folders[] = {
    "/usr/bin", "/bin", "/usr/local/bin", "/opt/homebrew/bin", NULL};

static int
run_age(const char *const *arguments, struct span input, struct buf *out,
    char *reason, size_t room)
{
	const char *argv[8] = {NULL};
	char program[PATH_MAX];
	struct buf words;
	int status = 0, rc;

	if (!run_find(folders, "age", program, sizeof program) &&
	    !run_find(folders, "rage", program, sizeof program)) {
		snprintf(reason, room,
		    "there is neither age nor rage: install "
		    "one (apt install age, brew install "
		    "age)");
		return -ERR_UNAVAILABLE;
	}
	argv[0] = program;
	for (size_t i = 0; i < 6 && arguments[i] != NULL; i++)
		argv[i + 1] = arguments[i];
	buf_init(&words, WORDS_BYTES);
	rc = run_program(argv, input, out, &words, AGE_MS, &status);
	if (rc != 0 || status != 0)
		snprintf(reason, room, "%s: %.*s", program, (int)words.len,
		    words.len == 0 ? "" : words.data);
	buf_free(&words);
	if (rc != 0)
		return rc;
	return status == 0 ? 0 : -ERR_FAILED;
}

int
inputs_key_make(
    const char *recipient, struct inputs_key *out, char *reason, size_t room)
{
	const char *arguments[] = {"-r", recipient, NULL};
	struct buf wrapped;
	int rc;

	seal_random(out->key, sizeof out->key);
	buf_init(&wrapped, INPUTS_WRAPPED_MAX);
	rc = run_age(arguments,
	    (struct span){(const char *)out->key, sizeof out->key}, &wrapped,
	    reason, room);
	out->wrapped_bytes = (uint32_t)wrapped.len;
	if (rc == 0)
		memcpy(out->wrapped, wrapped.data, wrapped.len);
	buf_free(&wrapped);
	return rc;
}

int
inputs_key_open(const char *identity, struct span wrapped,
    unsigned char key_out[SEAL_KEY_BYTES], char *reason, size_t room)
{
	char path[PATH_MAX];
	const char *arguments[] = {"-d", "-i", path, NULL};
	struct buf key;
	int rc;

	if (realpath(identity, path) == NULL) {
		snprintf(reason, room, "%s cannot be found", identity);
		return -ERR_NOT_FOUND;
	}
	buf_init(&key, SEAL_KEY_BYTES);
	rc = run_age(arguments, wrapped, &key, reason, room);
	if (rc == 0 && key.len != SEAL_KEY_BYTES)
		rc = -ERR_CORRUPT;
	if (rc == 0)
		memcpy(key_out, key.data, SEAL_KEY_BYTES);
	if (key.len != 0)
		wipe(key.data, key.len);
	buf_free(&key);
	return rc == -ERR_FAILED ? -ERR_DENIED : rc;
}
