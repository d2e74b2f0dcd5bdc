/*
 * Base32 (RFC 4648 section 6) in a text: a long run of its digits, all in
 * capitals or all in small letters, lines in it joined.
 */
#include <stdlib.h>

#include "common/alloc.h"
#include "reader/html_ascii.h"
#include "reader/view_part.h"

#define DIGITS_LEAST 24

static int
value_of(char c)
{
	if (ascii_is_letter(c))
		return ascii_lower(c) - 'a';
	return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

/* Where digits from `at` on end; `count_out`: how many there are, 0 if capitals
 * and small letters are among them. */
static size_t
find_end(struct span text, size_t at, size_t *count_out)
{
	unsigned seen = 0;
	size_t i = at, count = 0;

	for (; i < text.n; i++) {
		if (value_of(text.p[i]) >= 0) {
			seen |= view_class_of(text.p[i]);
			count++;
		} else if (text.p[i] != '\n' || i == at ||
			   text.p[i - 1] == '\n') {
			break;
		}
	}
	*count_out =
	    (seen & BYTE_LOWER) != 0 && (seen & BYTE_UPPER) != 0 ? 0 : count;
	return i;
}

static void
decode(const struct view_job *job, size_t start, size_t end, size_t count)
{
	char *bytes = alloc_resize(NULL, count, 1);
	uint32_t bits = 0;
	unsigned have = 0;
	size_t n = 0;

	for (size_t i = start; i < end; i++) {
		int value = value_of(job->text.p[i]);

		if (value < 0)
			continue;
		bits = (bits << 5 | (uint32_t)value) & 0xffff;
		have += 5;
		if (have >= 8) {
			have -= 8;
			bytes[n++] = (char)(bits >> have & 0xff);
		}
	}
	(void)view_bytes(job, VIEW_BASE32, (struct span){bytes, n}, start, end);
	free(bytes);
}

void
view_base32(const struct view_job *job)
{
	struct span text = job->text;
	size_t end = 0;

	while (end < text.n) {
		size_t start = view_marks_next(job->marks, MARK_BASE64, end),
		       count;

		while (start > end && start < text.n &&
		       value_of(text.p[start - 1]) >= 0)
			start--;
		if (start == text.n)
			return;
		end = find_end(text, start, &count);
		if (count >= DIGITS_LEAST)
			decode(job, start, end, count);
		end += end == start;
	}
}
