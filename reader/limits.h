/*
 * Limits of the reader, each with its reason. What goes past a limit of a
 * mail is cut and named in the clean object; what goes past a limit of the
 * worker ends that worker, and the object becomes a failure form.
 */
#ifndef TRIZONE_READER_LIMITS_H
#define TRIZONE_READER_LIMITS_H

#include <stdint.h>

/* The MIME parser takes 2 KiB and more for each part. */
#define MAIL_PARTS 1000

/* A bounced, forwarded, signed newsletter has 9 levels; the parser compares
 * each line that begins with "--" with all that are open. Deeper multiparts
 * are dissolved into the deepest of these, up to the second number. */
#define MAIL_DEPTH 50
#define MAIL_DISSOLVED_DEPTH 20000

/* Mails inside each other whose text is shown; a forward of a forward. */
#define MAIL_MESSAGES 8

/* Mails with a transfer encoding that are decoded and read; nobody has more.
 * Inside each other they count as above. */
#define MAIL_DECODED 100
/* Their bytes that are in memory at once: those around the one that is read. */
#define MAIL_DECODED_BYTES (16u << 20)

/* Comparisons of a line with an open boundary in one mail: some 0.1 s. */
#define MAIL_BOUNDARY_TRIES (32u << 20)

/* Longest line of a mail without its end (RFC 5322, 2.1.1). */
#define MAIL_LINE_BYTES 998

/* Of one header section; mail servers stop at 100 to 256 KiB. */
#define MAIL_HEADER_BYTES (256u << 10)

/* Of one header section; 20 hops and spam reports make 120. */
#define MAIL_HEADER_FIELDS 1000

/* Of one field, which then holds some 1,000 addresses. */
#define MAIL_FIELD_BYTES (64u << 10)

/* Of one field after decoding; encoded words can grow. */
#define MAIL_HEADER_TEXT (32u << 10)

/* Of one part's decoded text: what the largest mail holds in base64. */
#define MAIL_TEXT_BYTES (24u << 20)

/* With its envelope below the 128 KiB of its method. */
#define RECORD_MAX_BYTES (96u << 10)

/* Header oddities in the record, and of one of them; shows where to look. */
#define RECORD_NOTES_BYTES (24u << 10)
#define RECORD_DETAIL_BYTES 300

/* Suspect places in the record; more than a window's worth says no more. */
#define RECORD_INJECTION_BYTES (16u << 10)

/* One message's worker. Our largest torture mail takes 2 s and 200 MB. */
#define WORKER_DEADLINE_MS 20000 /* wall clock, also on a busy machine */
#define WORKER_CPU_SECONDS 10
#define WORKER_FILES 0 /* no new descriptor of any kind */

#define WORKER_MEMORY_BYTES                                                    \
	(UINT64_C(1024) << 20) /* five times the most seen */

#endif
