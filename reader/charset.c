/*
 * Character sets to UTF-8 through iconv(3). Runs in the worker; the converters
 * are opened by its parent. Labels and bytes are hostile.
 */
#include "reader/charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/err.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define CHUNK 4096
#define GROWTH                                                                 \
	4 /* no set of the list makes more of one byte in UTF-8, and           \
	     those that do make less of two */

/* Converters, by the name iconv knows, or an `other` one for nearly the same
 * set (musl); `opened` is filled by charset_warm. */
static struct {
	const char *name, *other;
	iconv_t opened; /* cached for the life of the process */
	bool tried;
} sets[] = {
    {.name = "UTF-8"}, /* done here, never opened */
    {.name = "WINDOWS-1252"},
    {.name = "UTF-16LE"},
    {.name = "UTF-16BE"},
    {.name = "ISO-8859-2"},
    {.name = "ISO-8859-3"},
    {.name = "ISO-8859-4"},
    {.name = "ISO-8859-5"},
    {.name = "ISO-8859-6"},
    {.name = "ISO-8859-7"},
    {.name = "ISO-8859-8"},
    {.name = "ISO-8859-10"},
    {.name = "ISO-8859-13"},
    {.name = "ISO-8859-14"},
    {.name = "ISO-8859-15"},
    {.name = "ISO-8859-16"},
    {.name = "WINDOWS-1250"},
    {.name = "WINDOWS-1251"},
    {.name = "WINDOWS-1253"},
    {.name = "WINDOWS-1254"},
    {.name = "WINDOWS-1255"},
    {.name = "WINDOWS-1256"},
    {.name = "WINDOWS-1257"},
    {.name = "WINDOWS-1258"},
    {.name = "CP437"},
    {.name = "CP850"},
    {.name = "CP866"},
    {.name = "CP874", .other = "TIS-620"},
    {.name = "MACINTOSH"},
    {.name = "KOI8-R"},
    {.name = "KOI8-U"},
    {.name = "GB18030"},
    {.name = "BIG5-HKSCS"},
    {.name = "EUC-JP"},
    {.name = "ISO-2022-JP"},
    {.name = "CP932", .other = "SHIFT_JIS"},
    {.name = "CP949"},
    {.name = "ISO-2022-KR"},
};

/* Other labels, mostly as the WHATWG Encoding Standard maps them. */
static const struct {
	const char *label, *name;
} aliases[] = {
    {"us-ascii", "UTF-8"},
    {"ascii", "UTF-8"},
    {"ansi_x3.4-1968", "UTF-8"},
    {"utf8", "UTF-8"},
    {"unicode-1-1-utf-8", "UTF-8"},
    {"utf-16", "UTF-16LE"}, /* unless its first two bytes say otherwise */
    {"iso-8859-1", "WINDOWS-1252"},
    {"iso8859-1", "WINDOWS-1252"},
    {"iso_8859-1", "WINDOWS-1252"},
    {"latin1", "WINDOWS-1252"},
    {"l1", "WINDOWS-1252"},
    {"cp1252", "WINDOWS-1252"},
    {"x-cp1252", "WINDOWS-1252"},
    {"iso8859-2", "ISO-8859-2"},
    {"latin2", "ISO-8859-2"},
    {"iso-8859-8-i", "ISO-8859-8"},
    {"iso-8859-8-e", "ISO-8859-8"},
    {"iso-8859-6-i", "ISO-8859-6"},
    {"iso-8859-9", "WINDOWS-1254"},
    {"iso8859-9", "WINDOWS-1254"},
    {"latin5", "WINDOWS-1254"},
    {"iso-8859-11", "CP874"},
    {"tis-620", "CP874"},
    {"windows-874", "CP874"},
    {"iso8859-15", "ISO-8859-15"},
    {"latin9", "ISO-8859-15"},
    {"cp1250", "WINDOWS-1250"},
    {"cp1251", "WINDOWS-1251"},
    {"cp1253", "WINDOWS-1253"},
    {"cp1254", "WINDOWS-1254"},
    {"cp1255", "WINDOWS-1255"},
    {"cp1256", "WINDOWS-1256"},
    {"cp1257", "WINDOWS-1257"},
    {"cp1258", "WINDOWS-1258"},
    {"ibm437", "CP437"},
    {"ibm850", "CP850"},
    {"ibm866", "CP866"},
    {"x-mac-roman", "MACINTOSH"},
    {"koi8", "KOI8-R"},
    {"koi8-ru", "KOI8-U"},
    {"gb2312", "GB18030"},
    {"gbk", "GB18030"},
    {"cp936", "GB18030"},
    {"x-gbk", "GB18030"},
    {"big5", "BIG5-HKSCS"},
    {"cp950", "BIG5-HKSCS"},
    {"shift_jis", "CP932"},
    {"shift-jis", "CP932"},
    {"sjis", "CP932"},
    {"x-sjis", "CP932"},
    {"windows-31j", "CP932"},
    {"cp50220", "ISO-2022-JP"},
    {"x-euc-jp", "EUC-JP"},
    {"euc-kr", "CP949"},
    {"ks_c_5601-1987", "CP949"},
    {"uhc", "CP949"},
    {"windows-949", "CP949"},
};

/* First rows of `sets`. */
enum { SET_UTF8, SET_WINDOWS_1252, SET_UTF16LE, SET_UTF16BE };

static bool
same(struct span label, const char *name)
{
	return label.n == strlen(name) &&
	       strncasecmp(label.p, name, label.n) == 0;
}

/* The row of a label, or the number of rows. */
static size_t
find_set(struct span label)
{
	size_t i = 0;

	for (size_t k = 0; k < COUNT_OF(aliases); k++)
		if (same(label, aliases[k].label)) {
			label = span_of(aliases[k].name);
			break;
		}
	while (i < COUNT_OF(sets) && !same(label, sets[i].name))
		i++;
	return i;
}

/* A new converter of a row, or (iconv_t)-1. */
static iconv_t
make_converter(size_t row)
{
	iconv_t made = iconv_open("UTF-8", sets[row].name);

	if (made == (iconv_t)-1 && sets[row].other != NULL)
		made = iconv_open("UTF-8", sets[row].other);
	return made;
}

/* Put a converter into its first state. musl ignores the call for it, but
 * needs no file to open another one. */
static void
reset(size_t row)
{
#if defined(__GLIBC__) || defined(__APPLE__)
	(void)iconv(sets[row].opened, NULL, NULL, NULL, NULL);
#else
	(void)iconv_close(sets[row].opened);
	sets[row].opened = make_converter(row);
#endif
}

/* The converter of a row, in its first state; false if there is none. */
static bool
open_set(size_t row, iconv_t *out)
{
	if (!sets[row].tried) {
		sets[row].opened = make_converter(row);
		sets[row].tried = true;
	} else if (sets[row].opened != (iconv_t)-1) {
		reset(row);
	}
	*out = sets[row].opened;
	return *out != (iconv_t)-1;
}

void
charset_warm(void)
{
	iconv_t cd;

	for (size_t i = SET_UTF8 + 1; i < COUNT_OF(sets); i++)
		(void)open_set(i, &cd);
}

bool
charset_known(struct span label)
{
	iconv_t cd;
	size_t row = find_set(label);

	return label.n == 0 || row == SET_UTF8 ||
	       (row < COUNT_OF(sets) && open_set(row, &cd));
}

/* U+FFFD for one unit that is wrong. */
static int
replace(struct span *in, size_t unit, struct buf *out, uint64_t *replaced_out)
{
	if (unit > in->n)
		unit = in->n;
	in->p += unit;
	in->n -= unit;
	(*replaced_out)++;
	return buf_add(out, "\xef\xbf\xbd", 3);
}

/* One call of iconv for a chunk; what it made is checked, because some
 * versions let surrogates through. */
static int
convert_chunk(iconv_t cd, struct span *in, size_t unit, struct buf *out,
    uint64_t *replaced_out)
{
	static char made[CHUNK * GROWTH]; /* too large to be zeroed each time */
	char *from = (char *)(uintptr_t)in->p, *to = made;
	size_t left = in->n < CHUNK ? in->n : CHUNK, room = sizeof made;
	size_t wrong = 0, taken = left;
	size_t rc = iconv(cd, &from, &left, &to, &room);
	int saved = errno;

	taken -= left;
	in->p += taken;
	in->n -= taken;
	if (utf8_add_repaired(out, made, (size_t)(to - made), &wrong) != 0)
		return -ERR_TOO_LARGE;
	*replaced_out += wrong;
	if (rc != (size_t)-1 ||
	    (taken != 0 && (saved == EINVAL || saved == E2BIG)))
		return 0;
	return replace(in, unit, out, replaced_out);
}

/* What the converter kept back, because an accent might have followed. */
static int
flush(iconv_t cd, struct buf *out, uint64_t *replaced_out)
{
	char made[CHUNK];
	char *to = made;
	size_t room = sizeof made, wrong = 0;

	(void)iconv(cd, NULL, NULL, &to, &room);
	if (utf8_add_repaired(out, made, (size_t)(to - made), &wrong) != 0)
		return -ERR_TOO_LARGE;
	*replaced_out += wrong;
	return 0;
}

static int
convert(iconv_t cd, struct span in, size_t unit, struct buf *out,
    uint64_t *replaced_out)
{
	int rc = 0;

	while (in.n != 0 && rc == 0)
		rc = convert_chunk(cd, &in, unit, out, replaced_out);
	return rc == 0 ? flush(cd, out, replaced_out) : rc;
}

static int
repair(struct span in, struct buf *out, uint64_t *replaced_out)
{
	size_t wrong = 0;
	int rc;

	if (span_starts(in, "\xef\xbb\xbf"))
		in = (struct span){in.p + 3, in.n - 3};
	rc = utf8_add_repaired(out, in.p, in.n, &wrong);
	*replaced_out += wrong;
	return rc;
}

/* The byte order mark decides, as on the web, and is no text. Converters for
 * either order would do that too, but keep the order for the next text. */
static size_t
choose_order(size_t row, struct span *bytes)
{
	if (span_starts(*bytes, "\xff\xfe"))
		row = SET_UTF16LE;
	else if (span_starts(*bytes, "\xfe\xff"))
		row = SET_UTF16BE;
	else
		return row;
	*bytes = (struct span){bytes->p + 2, bytes->n - 2};
	return row;
}

/* Escape sequences that switch sets, as ISO-2022-JP has them. */
static bool
has_shifts(struct span bytes)
{
	const char *at = bytes.p, *end = bytes.p + bytes.n;

	while (
	    at < end && (at = memchr(at, 0x1b, (size_t)(end - at))) != NULL) {
		if (end - at >= 3 && (at[1] == '$' || at[1] == '('))
			return true;
		at++;
	}
	return false;
}

static bool
is_unicode_16(size_t row)
{
	return row == SET_UTF16LE || row == SET_UTF16BE;
}

struct span
charset_choose(struct span label, struct span bytes, bool *differs_out)
{
	size_t row = label.n == 0 ? SET_UTF8 : find_set(label);
	bool mark8 = span_starts(bytes, "\xef\xbb\xbf");
	bool mark16 =
	    span_starts(bytes, "\xff\xfe") || span_starts(bytes, "\xfe\xff");

	*differs_out = false;
	if (bytes.n == 0)
		return label;
	if (mark8) {
		*differs_out = row != SET_UTF8;
		return SPAN("utf-8");
	}
	if (mark16) {
		*differs_out = !is_unicode_16(row);
		return SPAN("utf-16");
	}
	if (is_unicode_16(row))
		*differs_out = memchr(bytes.p, '\0', bytes.n) == NULL &&
			       utf8_check(bytes.p, bytes.n);
	else if (row == COUNT_OF(sets) ||
		 strncmp(sets[row].name, "ISO-2022", 8) != 0)
		*differs_out = has_shifts(bytes);
	return label;
}

/* Labels under which UTF-8 is looked for first. */
static bool
is_loose(struct span label, size_t row)
{
	return label.n == 0 || row == COUNT_OF(sets) ||
	       (row == SET_UTF8 && !same(label, "utf-8"));
}

/* Sets in which ASCII is not all ASCII: two bytes for a letter, shifts, a yen
 * sign for the backslash. */
static bool
is_other_ascii(size_t row)
{
	return is_unicode_16(row) ||
	       strncmp(sets[row].name, "ISO-2022", 8) == 0 ||
	       strcmp(sets[row].name, "CP932") == 0;
}

static bool
is_ascii(struct span bytes)
{
	unsigned char all = 0;

	for (size_t i = 0; i < bytes.n; i++)
		all |= (unsigned char)bytes.p[i];
	return all < 0x80;
}

bool
charset_is_utf8(struct span label, struct span bytes)
{
	size_t row = label.n == 0 ? SET_UTF8 : find_set(label);

	if (row != SET_UTF8 && row < COUNT_OF(sets) && !is_other_ascii(row))
		return is_ascii(bytes);
	return (row == SET_UTF8 || is_loose(label, row)) &&
	       !span_starts(bytes, "\xef\xbb\xbf") &&
	       utf8_check(bytes.p, bytes.n);
}

int
charset_decode(struct span label, struct span bytes, struct buf *out,
    uint64_t *replaced_out)
{
	size_t row = label.n == 0 ? SET_UTF8 : find_set(label);
	bool loose = is_loose(label, row);
	size_t unit = 1;
	iconv_t cd;

	if (bytes.n == 0)
		return 0;
	if (loose)
		row =
		    utf8_check(bytes.p, bytes.n) ? SET_UTF8 : SET_WINDOWS_1252;
	if (row == SET_UTF16LE || row == SET_UTF16BE) {
		row = choose_order(row, &bytes);
		unit = 2; /* else the text behind would be another one */
	}
	if (row == SET_UTF8 || !open_set(row, &cd))
		return repair(bytes, out, replaced_out);
	return convert(cd, bytes, unit, out, replaced_out);
}
