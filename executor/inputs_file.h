/*
 * Segment files of decision inputs: a head, then rows, each sealed under a key
 * of its own which is sealed under the segment's. Integers are big-endian.
 *
 *   head   "TZINPUT1", u64 number, u64 created (ms since 1970), u32 steps,
 *          u32 length of what follows, the first key of the service's start as
 *          age sealed it for the operator, SHA-256 of all of that
 *   row    u32 magic, u32 state (1 whole, 2 erased), u64 sequence of the
 *          decision's record in the audit, u64 time (ms), u32 length of the
 *          sealed text, u32 0, 12 bytes nonce, u32 0, 48 bytes sealed key,
 *          SHA-256 of all of that; and the sealed text
 *
 * The segment's key is the first one after so many steps of seal_next_key. The
 * text's nonce is zero, as its key seals nothing else. Both are bound to number
 * of the segment, sequence and time. In an erased row nonce, key and text are
 * zeros.
 */
#ifndef TRIZONE_EXECUTOR_INPUTS_FILE_H
#define TRIZONE_EXECUTOR_INPUTS_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/sha256.h"
#include "executor/order.h"
#include "executor/seal.h"

#define INPUTS_FOLDER "inputs" /* in the folder of the audit */
#define INPUTS_NAME_BYTES 32   /* "segment-" and 16 digits */
#define INPUTS_WRAPPED_MAX 4096
#define INPUTS_HEAD_MAX (32 + INPUTS_WRAPPED_MAX + SHA256_BYTES)
#define INPUTS_ROW_BYTES 128
#define INPUTS_SEALED_MAX (ENTRY_INPUTS_MAX + SEAL_TAG_BYTES)
#define INPUTS_SEALED_KEY (SEAL_KEY_BYTES + SEAL_TAG_BYTES)

struct inputs_segment {
	uint64_t number, created_ms;
	uint32_t steps;
	uint32_t wrapped_bytes;
	unsigned char wrapped[INPUTS_WRAPPED_MAX];
};

struct inputs_row {
	bool erased;
	uint64_t sequence, time_ms;
	uint32_t sealed_bytes;
	unsigned char nonce[SEAL_NONCE_BYTES];
	unsigned char key[INPUTS_SEALED_KEY];
};

/* "segment-000000000000002a", and back: -ERR_SYNTAX. */
void inputs_name(uint64_t number, char out[INPUTS_NAME_BYTES]);
int inputs_name_parse(const char *name, uint64_t *number_out);

/* Heads to bytes; the former returns how many, at most INPUTS_HEAD_MAX. */
size_t inputs_segment_write(
    const struct inputs_segment *segment, unsigned char *out);
void inputs_row_write(
    const struct inputs_row *row, unsigned char out[INPUTS_ROW_BYTES]);

/* The head of an open file; *rows_out is where its rows begin. 0, -ERR_CORRUPT
 * or -ERR_IO. */
int inputs_segment_read(
    int fd, struct inputs_segment *segment, uint64_t *rows_out);

/* The row at `offset`, all of it being there; its text is INPUTS_ROW_BYTES
 * behind. 1; 0: the file ends there; -ERR_CORRUPT: no whole row; -ERR_IO. */
int inputs_row_read(int fd, uint64_t offset, struct inputs_row *row);

/* Seal a text for a row whose sequence and time are set: fills nonce, key and
 * sealed_bytes; `out` has room for SEAL_TAG_BYTES more than the text. */
void inputs_row_seal(struct inputs_row *row, uint64_t segment,
    const unsigned char segment_key[SEAL_KEY_BYTES],
    const unsigned char row_key[SEAL_KEY_BYTES], struct span text,
    unsigned char *out);

/* And back; `out` has room for what is sealed. 0, -ERR_WRONG_STATE: it is
 * erased; -ERR_CORRUPT. */
int inputs_row_open(const struct inputs_row *row, uint64_t segment,
    const unsigned char segment_key[SEAL_KEY_BYTES],
    const unsigned char *sealed, unsigned char row_key_out[SEAL_KEY_BYTES],
    unsigned char *out);

/* What the audit names a row by: SHA-256(row key || SHA-256(text)). */
void inputs_reference(const unsigned char row_key[SEAL_KEY_BYTES],
    struct span text, unsigned char out[SHA256_BYTES]);

/* Erase every row of that sequence in the folder of segments, durably: first
 * the key, then the text, so that a crash in between leaves an erased row. May
 * run beside the auditor. 0, also if it was erased before; -ERR_NOT_FOUND,
 * -ERR_IO, and what opening gives. */
int inputs_erase(const char *folder, uint64_t sequence);

/* Numbers of the segments in an open folder, ascending, to be freed. Returns
 * how many, or -ERR_IO. */
int inputs_list(int folder, uint64_t **numbers_out);

#endif
