/*
 * format=flowed text (RFC 3676, section 4). Pure and linear.
 */
#include "reader/flowed.h"

#include <string.h>

/* One line taken apart. */
struct line {
	size_t quotes;
	struct span text; /* without quote marks and stuffed blank */
	bool signature;	  /* "-- " */
	bool flowed;	  /* goes on in the next line */
};

static struct line
take_apart(struct span raw)
{
	struct line line = {.text = raw};

	if (line.text.n != 0 && line.text.p[line.text.n - 1] == '\r')
		line.text.n--;
	while (line.quotes < line.text.n && line.text.p[line.quotes] == '>')
		line.quotes++;
	line.text.p += line.quotes;
	line.text.n -= line.quotes;
	if (line.text.n != 0 && line.text.p[0] == ' ') {
		line.text.p++;
		line.text.n--;
	}
	line.signature = span_is(line.text, "-- ");
	line.flowed = !line.signature && line.text.n != 0 &&
		      line.text.p[line.text.n - 1] == ' ';
	return line;
}

static int
begin_line(struct buf *out, size_t quotes, bool text)
{
	int rc = 0;

	for (size_t i = 0; i < quotes && rc == 0; i++)
		rc = buf_add_byte(out, '>');
	if (quotes != 0 && text && rc == 0)
		rc = buf_add_byte(out, ' ');
	return rc;
}

int
flowed_add(struct buf *out, struct span text, bool delsp)
{
	bool open = false; /* the line before flows into this one */
	size_t quotes = 0;
	int rc = 0;

	while (text.n != 0 && rc == 0) {
		const char *end = memchr(text.p, '\n', text.n);
		size_t n = end == NULL ? text.n : (size_t)(end - text.p);
		struct line line = take_apart((struct span){text.p, n});

		if (open && (line.quotes != quotes || line.signature)) {
			rc = buf_add_byte(out, '\n');
			open = false;
		}
		if (!open && rc == 0)
			rc = begin_line(out, line.quotes, line.text.n != 0);
		if (line.flowed && delsp)
			line.text.n--;
		if (rc == 0)
			rc = buf_add(out, line.text.p, line.text.n);
		if (!line.flowed && end != NULL && rc == 0)
			rc = buf_add_byte(out, '\n');
		open = line.flowed;
		quotes = line.quotes;
		text.p += end == NULL ? n : n + 1;
		text.n -= end == NULL ? n : n + 1;
	}
	return rc;
}
