/*
 * A report as text: sections that are always the same, or one line.
 */
#include <string.h>

#include "common/err.h"
#include "executor/audit_report.h"

#define SHOWN_MAX 40 /* rows of a section */

static void
print_row(const struct tally_row *row, bool events, bool days, FILE *out)
{
	if (events && days)
		fprintf(out, "  %.10s",
		    row->first[0] == '\0' ? "          " : row->first);
	if (events)
		fprintf(out, "  %.8s",
		    row->first[0] == '\0' ? "        " : row->first + 11);
	if (!events || row->count != 1)
		fprintf(out, "%7llu", (unsigned long long)row->count);
	fprintf(out, "  %s\n", row->text);
}

/* Then each time has its day. */
static bool
is_more_than_a_day(const struct report *report)
{
	const struct audit_filter *period = report->period;

	return strlen(period->since) < 10 || strlen(period->until) < 10 ||
	       memcmp(period->since, period->until, 10) != 0;
}

static void
print_section(
    const struct report *report, enum report_section section, FILE *out)
{
	const struct tally *tally = &report->sections[section];
	uint64_t told = 0;

	if (tally->total == 0 && !report_always(section))
		return;
	fprintf(out, "\n%s: ", report_title(section));
	if (tally->total == 0) {
		fputs("none\n", out);
		return;
	}
	fprintf(out, "%llu\n", (unsigned long long)tally->total);
	for (size_t i = 0; i < tally->used && i < SHOWN_MAX; i++) {
		told += tally->rows[i].count;
		print_row(&tally->rows[i], report_is_events(section),
		    is_more_than_a_day(report), out);
	}
	if (told < tally->total)
		fprintf(out, "  and %llu more: %s\n",
		    (unsigned long long)(tally->total - told),
		    report_command(section));
}

int
report_text(const struct report *report, FILE *out)
{
	const struct audit_filter *period = report->period;
	bool quiet = report_is_quiet(report);

	fprintf(out, "%s to %s (UTC): %llu records, %llu sessions%s\n",
	    period->since[0] == '\0' ? "begin" : period->since,
	    period->until[0] == '\0' ? "now" : period->until,
	    (unsigned long long)report->records,
	    (unsigned long long)report->sessions,
	    quiet ? ", nothing to report" : "");
	for (unsigned i = 0; i < REPORT_SECTIONS && !quiet; i++)
		print_section(report, (enum report_section)i, out);
	return fflush(out) != 0 || ferror(out) ? -ERR_IO : 0;
}
