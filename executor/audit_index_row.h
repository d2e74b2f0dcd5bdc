/*
 * A row of the index, which is a file: for audit_index.c and
 * audit_index_make.c only.
 */
#ifndef TRIZONE_EXECUTOR_AUDIT_INDEX_ROW_H
#define TRIZONE_EXECUTOR_AUDIT_INDEX_ROW_H

#include "executor/audit_index.h"
#include "executor/audit_segment.h"

#define INDEX_MAGIC "TZINDEX2"

/* With the some 20,000 records of a segment and a term for most of them, one
 * question in 200 is answered with a false "maybe". */
#define INDEX_BLOOM_BYTES 32768u
#define INDEX_NAME_BYTES (RECORD_SEQ_DIGITS + 1)

/* As it is in the file; numbers are big-endian. */
struct index_row {
	char magic[8];
	unsigned char first[8], last[8]; /* sequences */
	unsigned char bytes[8];		 /* of the segment */
	char earliest[RECORD_TIME_BYTES], latest[RECORD_TIME_BYTES];
	char end_hash[RECORD_HASH_DIGITS]; /* of the last record */
	unsigned char bloom[INDEX_BLOOM_BYTES];
	unsigned char sum[SHA256_BYTES]; /* of all before */
};

void index_put(unsigned char out[8], uint64_t value);
uint64_t index_get(const unsigned char in[8]);

void index_name(uint64_t first, char out[INDEX_NAME_BYTES]);
void index_sum(const struct index_row *row, unsigned char out[SHA256_BYTES]);

/* A term is a letter for the member, and its text. */
void index_add(struct index_row *row, char member, struct span text);
bool index_has(const struct index_row *row, char member, struct span text);

/* Three characters of a destination are a term, so that a part of one is found
 * too; one that is not whole on record has anything in it. `wanted` is in lower
 * case. */
void index_add_destination(
    struct index_row *row, struct span destination, bool is_cut);
bool index_has_destination(const struct index_row *row, const char *wanted);
void index_add_number(struct index_row *row, char member, uint64_t number);
bool index_has_number(
    const struct index_row *row, char member, uint64_t number);

/* Read the row of the segment, checked against both. False: there is none. */
bool index_read(
    int index, int log, const struct segment *segment, struct index_row *out);

#endif
