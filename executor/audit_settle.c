/*
 * Telling of intents whose outcome is unknown. Runs in the auditor; believes
 * the log that it has checked or written itself, and reads no more of it than
 * the records in question.
 */
#include "executor/audit_log.h"

#include <string.h>

#include "common/err.h"
#include "executor/audit_impl.h"
#include "executor/audit_reader.h"
#include "executor/audit_time.h"

/* What reads them. */
struct telling {
	struct audit_reader *reader;
	struct json_doc doc;
	struct record record; /* the one that was read last */
	uint64_t time_ms;     /* its time */
};

static int
read_record(struct telling *telling, uint64_t seq)
{
	struct audit_line line;
	int rc = audit_reader_seek(telling->reader, seq);

	if (rc == 0)
		rc = audit_reader_next(telling->reader, &line);
	if (rc != 1)
		return rc < 0 ? rc : -ERR_NOT_FOUND;
	rc = record_check(line.text);
	if (rc == 0 && record_seq(line.text) != seq)
		rc = -ERR_NOT_FOUND;
	if (rc == 0)
		rc = record_parse(&telling->doc, line.text, &telling->record);
	if (rc == 0)
		telling->time_ms = audit_time_ms(record_time(line.text));
	return rc;
}

static int
tell(struct telling *telling, const struct unsettled_row *row,
    void (*each)(void *context, const struct audit_unknown *unknown),
    void *context)
{
	struct audit_unknown unknown = {
	    .seq = row->intent, .intent = &telling->record};
	char reason[RECORD_DETAIL_MAX];
	int rc = read_record(telling, row->outcome);

	if (rc != 0)
		return rc;
	unknown.reason = telling->record.detail;
	if (unknown.reason.n > sizeof reason)
		unknown.reason.n = sizeof reason;
	if (unknown.reason.n != 0)
		memcpy(reason, unknown.reason.p, unknown.reason.n);
	unknown.reason.p = reason;
	rc = read_record(telling, row->intent);
	if (rc != 0)
		return rc;
	unknown.time_ms = telling->time_ms;
	each(context, &unknown);
	return 0;
}

size_t
audit_tell_unknown(struct audit *audit,
    void (*each)(void *context, const struct audit_unknown *unknown),
    void *context)
{
	struct unsettled *set = &audit->unsettled;
	struct telling telling = {.reader = NULL};
	size_t failed = 0;
	int rc;

	if (set->untold == 0)
		return 0;
	rc = audit_reader_open_fd(audit->folder, &telling.reader);
	json_init(&telling.doc);
	for (size_t i = 0; i < set->count; i++) {
		if (set->rows[i].told)
			continue;
		set->rows[i].told = true;
		if (rc != 0 ||
		    tell(&telling, &set->rows[i], each, context) != 0)
			failed++;
	}
	set->untold = 0;
	json_done(&telling.doc);
	audit_reader_close(telling.reader);
	return failed;
}

bool
audit_is_unsettled(const struct audit *audit, uint64_t seq)
{
	return unsettled_has(&audit->unsettled, seq);
}
