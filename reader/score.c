/*
 * Rows to scores, in one sealed process.
 */
#include "reader/score.h"

#include <stdio.h>

#include "common/err.h"
#include "common/io.h"
#include "common/log.h"
#include "reader/lines.h"
#include "reader/mail.h"
#include "reader/text.h"

#define ID_BYTES 4096 /* six for each byte of an id that is printed */

struct score
score_row(const struct row *row)
{
	struct clean_injection in =
	    row_is_mail(row) ? mail_score(row->text)
			     : text_score(row_is_prompt(row) ? DETECT_PROMPT
							     : DETECT_CONTENT,
				   row->text);

	return (struct score){in.score, in.verdict == CLEAN_SUSPECT};
}

static int
write_score(int out, const struct row *row, struct score score)
{
	struct json_writer w;
	struct buf line;
	char number[16];
	int rc;

	buf_init(&line, ID_BYTES + 128);
	(void)snprintf(number, sizeof number, "%.4f", score.score);
	json_write_init(&w, &line);
	json_open(&w, '{');
	json_put_string(&w, "id",
	    (struct span){
		row->id.p, utf8_prefix(row->id.p, row->id.n, ID_BYTES / 24)});
	json_put_raw(&w, "score", span_of(number));
	json_put_text(&w, "verdict", score.suspect ? "suspect" : "clean");
	json_close(&w, '}');
	(void)buf_add_byte(&line, '\n');
	rc = io_write_all(out, (struct span){line.data, line.len});
	buf_free(&line);
	return rc;
}

static int
write_complaint(int out, unsigned long number, const char *text)
{
	struct json_writer w;
	struct buf line;
	int rc;

	buf_init(&line, 8192);
	json_write_init(&w, &line);
	json_open(&w, '{');
	json_put_integer(&w, "line", (int64_t)number);
	json_put_text(&w, "error", text);
	json_close(&w, '}');
	(void)buf_add_byte(&line, '\n');
	rc = io_write_all(out, (struct span){line.data, line.len});
	buf_free(&line);
	return rc;
}

static int
score_line(int out, struct json_doc *doc, const struct lines *lines,
    struct span line, int *status)
{
	struct json_error where = {0};
	char text[256];
	struct row row;

	if (row_read(doc, line, &row, &where) == 0)
		return write_score(out, &row, score_row(&row));
	*status = EXIT_DATA;
	json_error_text(&where, text, sizeof text);
	return write_complaint(out, lines->number, text);
}

int
score_run(int in, int out)
{
	int status = EXIT_DONE, rc;
	bool more;
	struct json_doc doc;
	struct lines lines;
	struct span line;

	json_init(&doc);
	lines_init(&lines, in, ROW_MAX_BYTES);
	do {
		rc = lines_next(&lines, &line);
		if (rc == 1) {
			rc = line.n == 0
				 ? 0
				 : score_line(out, &doc, &lines, line, &status);
			more = rc == 0;
		} else if (rc == -ERR_TOO_LARGE) {
			status = EXIT_DATA;
			rc = write_complaint(
			    out, lines.number, "the line is too long");
			more = rc == 0;
		} else {
			more = false;
		}
	} while (more);
	if (rc != 0) {
		log_event(LOG_ERROR, "score", "error=%s", err_text(rc));
		status = EXIT_SYSTEM;
	}
	json_done(&doc);
	lines_done(&lines);
	return status;
}
