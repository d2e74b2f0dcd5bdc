/*
 * NFKC by GLib, of as little as possible: a run of characters that cannot
 * change is copied, one that may is put into normal form together with the
 * character before it, which it may compose with. Runs end before a character
 * that composes with none before it, so that each is as good as the whole.
 */
#include "reader/normal.h"

#include <glib.h>
#include <stdbool.h>

#include "common/err.h"

#define RUN_BYTES 4096 /* a run of letters is cut behind this */
#define RUN_MAX (64u << 20)
#define PARTS 18 /* the longest decomposition, of U+FDFA */

enum form {
	FORM_STABLE, /* in normal form, composes with none before it */
	FORM_KEPT,   /* as it is, whatever its compatibility form */
	FORM_UNSURE
};

static const struct {
	uint32_t first, last;
	enum form form;
} forms[] = {
#define STABLE(first, last) {first, last, FORM_STABLE},
#define KEPT(first, last) {first, last, FORM_KEPT},
#include "reader/normal.def"
#undef STABLE
#undef KEPT
};

static enum form
form_of(uint32_t code)
{
	size_t low = 0, high = sizeof forms / sizeof forms[0];

	if (code < 0x80)
		return FORM_STABLE;
	while (low < high) {
		size_t mid = (low + high) / 2;

		if (code > forms[mid].last)
			low = mid + 1;
		else if (code < forms[mid].first)
			high = mid;
		else
			return forms[mid].form;
	}
	return FORM_UNSURE;
}

/* The next character; a byte that is none reads as U+FFFD. */
static size_t
next_code(struct span text, size_t at, uint32_t *code_out)
{
	size_t length = utf8_decode(text.p + at, text.n - at, code_out);

	if (length != 0)
		return length;
	*code_out = 0xfffd;
	return 1;
}

/* Copy characters; those that are none are replaced. */
static int
copy(struct buf *out, struct span text)
{
	size_t replaced;

	if (text.n == 0)
		return 0;
	return utf8_add_repaired(out, text.p, text.n, &replaced);
}

static bool
is_mark(uint32_t code)
{
	return g_unichar_ismark(code) || g_unichar_combining_class(code) != 0;
}

/* Whether no character before it can take it in. */
static bool
starts_run(uint32_t code)
{
	return !is_mark(code) && (code < 0x1160 || code > 0x11ff) &&
	       code != 0xff9e && code != 0xff9f;
}

/* Count the marks a character is made of, after *marks of those before it;
 * false if they are too many. */
static bool
count_marks(uint32_t code, size_t *marks)
{
	gunichar parts[PARTS];
	size_t count = g_unichar_fully_decompose(code, TRUE, parts, PARTS);
	size_t have = *marks;

	if (count > PARTS) /* GLib says how long all of it is */
		count = PARTS;
	for (size_t i = 0; i < count; i++)
		have = is_mark(parts[i]) ? have + 1 : 0;
	if (have > NORMAL_MARKS && is_mark(parts[0]))
		return false;
	*marks = have;
	return true;
}

/* Put the run that starts at `from` into `run`, with the stable character
 * there, if there is one; returns where it ends. */
static size_t
take_run(struct span text, size_t from, struct buf *run)
{
	size_t i = from, marks = 0, length;
	uint32_t code;
	char bytes[4];

	for (; i < text.n; i += length) {
		length = next_code(text, i, &code);
		if (i != from &&
		    (form_of(code) != FORM_UNSURE ||
			(run->len > RUN_BYTES && starts_run(code))))
			break;
		if (count_marks(code, &marks))
			(void)buf_add(run, bytes, utf8_encode(code, bytes));
	}
	return i;
}

static int
add_normal(struct buf *out, const struct buf *run)
{
	gchar *text =
	    g_utf8_normalize(run->data, (gssize)run->len, G_NORMALIZE_NFKC);
	int rc;

	if (text == NULL)
		bug("no normal form of %zu bytes", run->len);
	rc = buf_add_text(out, text);
	g_free(text);
	return rc;
}

/* The length of what needs no change; *from_out is where the run behind it
 * starts: at its last character, if that may be composed with. */
static size_t
skip_stable(struct span text, size_t at, size_t *from_out)
{
	size_t i = at, last = at, length;
	bool joins = false;
	uint32_t code;

	for (; i < text.n; i += length) {
		enum form form;

		length = ascii_printable(text.p + i, text.n - i);
		if (length == 0)
			length = (text.p[i] & 0x80) == 0;
		if (length != 0) {
			last = i + length - 1;
			joins = text.p[last] > ' ';
			continue;
		}
		length = next_code(text, i, &code);
		form = form_of(code);
		if (form == FORM_UNSURE)
			break;
		last = i;
		joins = form == FORM_STABLE;
	}
	*from_out = joins ? last : i;
	return i;
}

static int
add_all(struct buf *out, struct span text, struct buf *run)
{
	size_t i = 0, from, end;
	int rc = 0;

	while (i < text.n && rc == 0) {
		end = skip_stable(text, i, &from);
		if (end == text.n)
			return copy(out, (struct span){text.p + i, end - i});
		rc = copy(out, (struct span){text.p + i, from - i});
		buf_clear(run);
		i = take_run(text, from, run);
		if (rc == 0 && run->len != 0)
			rc = add_normal(out, run);
	}
	return rc;
}

int
normal_add(struct buf *out, struct span text)
{
	size_t before = out->len;
	struct buf run;
	int rc;

	buf_init(&run, RUN_MAX);
	rc = add_all(out, text, &run);
	buf_free(&run);
	if (rc != 0)
		out->len = before;
	return rc;
}

struct span
normal_form(struct buf *store, struct span text)
{
	buf_clear(store);
	if (normal_add(store, text) != 0)
		return text;
	return (struct span){store->data, store->len};
}
