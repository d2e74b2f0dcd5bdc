/*
 * A report as text: sections that are always the same, or one line.
 */
#include "common/err.h"
#include "executor/audit_report.h"

#define SHOWN_MAX 40 /* rows of a section */

static bool
is_quiet(const struct report *report)
{
	for (unsigned i = 0; i < REPORT_SECTIONS; i++)
		if (report->sections[i].total != 0)
			return false;
	return true;
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
		fprintf(out, "%7llu  %s\n",
		    (unsigned long long)tally->rows[i].count,
		    tally->rows[i].text);
	}
	if (told < tally->total)
		fprintf(out, "%7llu  others\n",
		    (unsigned long long)(tally->total - told));
}

int
report_text(const struct report *report, FILE *out)
{
	const struct audit_filter *period = report->period;
	bool quiet = is_quiet(report);

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
