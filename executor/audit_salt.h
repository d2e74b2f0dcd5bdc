/*
 * Salts: what makes a commitment in the log say nothing to who does not have
 * the salt. They are kept beside the log, in rows of one size in the order of
 * their sequences, so that one can be found and erased in place; the chain
 * does not notice.
 *
 *   <16 hex digits of the record's sequence> <32 hex digits>\n
 *
 * An erased salt is 32 dashes. The commitment is
 * SHA-256(salt, 16 bytes || SHA-256 of the body, 32 bytes).
 */
#ifndef TRIZONE_EXECUTOR_AUDIT_SALT_H
#define TRIZONE_EXECUTOR_AUDIT_SALT_H

#include <stdint.h>

#include "common/buf.h"
#include "common/sha256.h"

#define SALT_BYTES 16
#define SALT_ROW_BYTES 50

/* 16 random bytes. 0 or -ERR_SYSTEM. */
int salt_new(unsigned char salt_out[SALT_BYTES]);

void salt_commit(struct sha256 *digest, const unsigned char salt[SALT_BYTES],
    const unsigned char body[SHA256_BYTES],
    unsigned char commit_out[SHA256_BYTES]);

/* Append a row. 0 or -ERR_TOO_LARGE. */
int salt_add_row(
    struct buf *out, uint64_t seq, const unsigned char salt[SALT_BYTES]);

/* The salt of a record. -ERR_NOT_FOUND: it has none; -ERR_WRONG_STATE: it was
 * erased; -ERR_CORRUPT, -ERR_IO. */
int salt_find(int fd, uint64_t seq, unsigned char salt_out[SALT_BYTES]);

/* Overwrite a salt, durably. Errors as salt_find, but one that was erased
 * before is fine. */
int salt_erase(int fd, uint64_t seq);

/* Overwrite the salts of records from `first` up to, without, `next`; durable
 * with the next sync of the file. For the log's one writer. -ERR_CORRUPT,
 * -ERR_IO. */
int salt_erase_range(int fd, uint64_t first, uint64_t next);

/* How many rows are of records before `seq`. 0, -ERR_CORRUPT, -ERR_IO. */
int salt_count_before(int fd, uint64_t seq, uint64_t *rows_out);

/* Copy the rows of records from `first` on to the empty file `to`. *rows_out
 * is how many were left out. 0, -ERR_CORRUPT, -ERR_NO_SPACE, -ERR_IO. */
int salt_copy_from(int fd, uint64_t first, int to, uint64_t *rows_out);

/* Drop rows at the end that are cut or whose records were never written:
 * those above `last`. -ERR_CORRUPT, with nothing dropped, if there are more of
 * them than `most`: then it is the log that lost records. *size_out is the
 * file's size afterwards. */
int salt_trim(int fd, uint64_t last, uint64_t most, uint64_t *size_out);

/* Write the last SALT_ROWS_AGAIN rows of so many bytes as they are, and sync:
 * after a sync that failed, the kernel may hold for written what is in memory
 * only. -ERR_NO_SPACE, -ERR_READ_ONLY, -ERR_IO. */
#define SALT_ROWS_AGAIN 65536 /* more than are ever without a sync */
int salt_write_again(int fd, uint64_t size);

#endif
