/*
 * The sink of everything the reader renders. Runs in the reader's worker,
 * believes nothing it is given, and keeps three promises whatever comes in:
 * the text is valid UTF-8 without control or invisible characters, nothing
 * grows past its limit, and what is left out is counted.
 */
#include "reader/visible.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/invisible.h"

#define TEXT_BYTES (1u << 20) /* ten times what a planner is given */
#define LINKS 500	      /* a long newsletter has some 200 */
#define LINK_BYTES 2048	      /* longest URL that works everywhere */
#define RECORD_BYTES (64u << 10)
#define HIDDEN_BYTES (512u << 10)
#define EXCERPT_BYTES 2000 /* one run must not fill the record */
#define EXCERPT_LEAST 16   /* shorter says nothing */
#define REPLACEMENT 0xfffd
#define ISOLATE 0x2066
#define ISOLATE_END 0x2069

/* What a character is to the eye. */
enum glyph { GLYPH_SEEN, GLYPH_BLANK, GLYPH_BREAK, GLYPH_HIDDEN };

static const char *const names[HIDDEN_COUNT] = {
#define HIDDEN(name, text) text,
#include "reader/hidden.def"
#undef HIDDEN
};

const char *
hidden_name(enum hidden reason)
{
	if ((unsigned)reason >= HIDDEN_COUNT)
		bug("hidden reason %d", (int)reason);
	return names[reason];
}

static enum glyph
glyph_of(uint32_t code, enum hidden *reason_out)
{
	if (code == ' ' || code == '\t')
		return GLYPH_BLANK;
	switch (invisible_class(code)) {
	case INVISIBLE_NOT:
		return GLYPH_SEEN;
	case INVISIBLE_BREAK:
		return GLYPH_BREAK;
	case INVISIBLE_CONTROL:
		*reason_out = HIDDEN_CONTROL;
		break;
	case INVISIBLE_ZERO_WIDTH:
		*reason_out = HIDDEN_ZERO_WIDTH;
		break;
	case INVISIBLE_BIDI:
		*reason_out = HIDDEN_BIDI;
		break;
	case INVISIBLE_VARIATION:
		*reason_out = HIDDEN_VARIATION;
		break;
	case INVISIBLE_TAG:
		*reason_out = HIDDEN_TAG;
		break;
	}
	return GLYPH_HIDDEN;
}

bool
visible_has_ink(uint32_t code)
{
	enum hidden reason;

	if (glyph_of(code, &reason) != GLYPH_SEEN)
		return false;
	return code != 0xa0 && code != 0x1680 && code != 0x202f &&
	       code != 0x205f && code != 0x2800 && code != 0x3000 &&
	       (code < 0x2000 || code > 0x200a);
}

/* The next character; bytes that are none read as U+FFFD, one at a time. */
static size_t
next_code(const char *p, size_t bytes, uint32_t *code_out)
{
	size_t length = utf8_decode(p, bytes, code_out);

	if (length != 0)
		return length;
	*code_out = REPLACEMENT;
	return 1;
}

/* Append what fits; characters that do not are counted in *dropped. After
 * the first loss nothing more is taken, so that the text has one end. */
static void
add_limited(struct buf *out, const char *p, size_t bytes, uint64_t *dropped)
{
	size_t keep = out->max - out->len;

	if (!out->overflow && buf_add(out, p, bytes) == 0)
		return;
	if (keep > bytes || *dropped != 0)
		keep = 0;
	while (keep > 0 && ((unsigned char)p[keep] & 0xc0u) == 0x80)
		keep--;
	if (keep != 0) {
		memcpy(buf_reserve(out, keep), p, keep);
		out->len += keep;
	}
	*dropped += utf8_count(p + keep, bytes - keep);
}

/* Start a run, and its line in the record if there is room for one. */
static void
run_begin(struct visible *v, enum hidden reason)
{
	const char *name = hidden_name(reason);
	size_t want = strlen(name) + 2 + EXCERPT_LEAST;
	size_t room = v->record.max - v->record.len;

	v->run = reason;
	v->run_open = true;
	v->run_blank = false;
	v->run_room = 0;
	v->hidden_runs[reason]++;
	if (v->hidden.len != 0)
		(void)buf_add_byte(&v->hidden, '\n');
	if (room < want)
		return;
	room -= strlen(name) + 2;
	v->run_room = room < EXCERPT_BYTES ? room : EXCERPT_BYTES;
	(void)buf_add_text(&v->record, name);
	(void)buf_add(&v->record, "\t\n", 2);
}

/* What is mostly no text: of it the detector gets as much as the record. */
static bool
is_code(enum hidden reason)
{
	return reason == HIDDEN_STYLE || reason == HIDDEN_SCRIPT;
}

/* Put one character at the end of the hidden text, and of the run's line in
 * the record, which always stays a whole line: the line end is moved behind
 * it. */
static void
run_record(struct visible *v, uint32_t code)
{
	char bytes[6];
	size_t n = 0;

	if (v->run_blank)
		bytes[n++] = ' ';
	n += utf8_encode(code, bytes + n);
	v->run_blank = false;
	if (v->run_room != 0 || !is_code(v->run))
		(void)buf_add(&v->hidden, bytes, n);
	if (n > v->run_room) {
		v->run_room = 0;
		v->record_dropped++;
		return;
	}
	v->run_room -= n;
	v->record.len--;
	bytes[n++] = '\n';
	(void)buf_add(&v->record, bytes, n);
}

/* Put printable ASCII at the end of an open run: as many bytes of `most` as
 * there are, and fit. None if a blank comes first. */
static size_t
run_record_plain(struct visible *v, const char *p, size_t most)
{
	bool hidden = v->run_room != 0 || !is_code(v->run);
	size_t n = 0;

	if (!v->run_open || v->run_blank)
		return 0;
	if (v->run_room != 0 && most > v->run_room)
		most = v->run_room;
	if (hidden && most > v->hidden.max - v->hidden.len)
		most = v->hidden.max - v->hidden.len;
	while (n < most && p[n] > ' ' && p[n] < 0x7f)
		n++;
	if (n == 0)
		return 0;
	if (hidden)
		(void)buf_add(&v->hidden, p, n);
	v->hidden_chars[v->run] += n;
	if (v->run_room == 0) {
		v->record_dropped += n;
		return n;
	}
	v->run_room -= n;
	v->record.len--;
	(void)buf_add(&v->record, p, n);
	(void)buf_add_byte(&v->record, '\n');
	return n;
}

/* One invisible character inside visible text. Tag characters spell ASCII,
 * and the operator gets to read it. */
static void
hide_character(struct visible *v, enum hidden reason, uint32_t code)
{
	if (!v->run_open || v->run != reason)
		run_begin(v, reason);
	v->hidden_chars[reason]++;
	if (reason == HIDDEN_TAG && code > 0xe0020 && code < 0xe007f)
		run_record(v, code - 0xe0000);
	else if (reason == HIDDEN_TAG)
		v->run_blank = true;
}

/* One character of a hidden text. */
static void
hide_code(struct visible *v, enum hidden reason, uint32_t code)
{
	enum hidden unseen = HIDDEN_COUNT;

	switch (glyph_of(code, &unseen)) {
	case GLYPH_BLANK:
	case GLYPH_BREAK:
		v->run_blank = true;
		return;
	case GLYPH_HIDDEN:
		if (unseen != HIDDEN_TAG || code <= 0xe0020 || code >= 0xe007f)
			return;
		code -= 0xe0000;
		break;
	case GLYPH_SEEN:
		break;
	}
	if (!v->run_open)
		run_begin(v, reason);
	v->hidden_chars[reason]++;
	run_record(v, code);
}

void
visible_init(struct visible *v, const struct visible_limits *limits)
{
	*v = (struct visible){.run = HIDDEN_COUNT};
	if (limits != NULL)
		v->limits = *limits;
	if (v->limits.text_bytes == 0)
		v->limits.text_bytes = TEXT_BYTES;
	if (v->limits.links == 0)
		v->limits.links = LINKS;
	if (v->limits.link_bytes == 0)
		v->limits.link_bytes = LINK_BYTES;
	if (v->limits.record_bytes == 0)
		v->limits.record_bytes = RECORD_BYTES;
	buf_init(&v->text, v->limits.text_bytes);
	buf_init(&v->link_bytes, v->limits.links * v->limits.link_bytes * 2);
	if (v->limits.hidden_bytes == 0)
		v->limits.hidden_bytes = HIDDEN_BYTES;
	buf_init(&v->record, v->limits.record_bytes);
	buf_init(&v->hidden, v->limits.hidden_bytes);
}

void
visible_done(struct visible *v)
{
	buf_free(&v->text);
	buf_free(&v->link_bytes);
	buf_free(&v->record);
	buf_free(&v->hidden);
	free(v->links);
	v->links = NULL;
	v->link_count = v->link_cap = 0;
}

/* Visible bytes that need no change. */
static void
show(struct visible *v, const char *p, size_t bytes)
{
	if (bytes == 0)
		return;
	v->run_open = false;
	v->after_cr = false;
	add_limited(&v->text, p, bytes, &v->text_dropped);
}

/* One character that does need one; its bytes are not kept as they are. */
static void
show_changed(struct visible *v, uint32_t code)
{
	enum hidden reason = HIDDEN_COUNT;
	bool second = v->after_cr && code == '\n';

	switch (glyph_of(code, &reason)) {
	case GLYPH_HIDDEN:
		if (reason == HIDDEN_BIDI)
			bidi_control(&v->bidi, code, &v->text);
		hide_character(v, reason, code);
		return;
	case GLYPH_BREAK:
		bidi_end(&v->bidi, &v->text);
		if (!second)
			show(v, "\n", 1);
		v->after_cr = code == '\r';
		return;
	case GLYPH_BLANK:
		show(v, " ", 1);
		return;
	case GLYPH_SEEN:
		v->replaced++;
		show(v, "\xef\xbf\xbd", 3);
		return;
	}
}

void
visible_add(struct visible *v, const char *text, size_t bytes)
{
	size_t start = 0, i = 0, length;
	enum hidden reason;
	uint32_t code;

	while (i < bytes) {
		unsigned char c = (unsigned char)text[i];

		if (c >= ' ' && c < 0x7f) {
			i++;
			continue;
		}
		length = utf8_decode(text + i, bytes - i, &code);
		if (length > 1 && glyph_of(code, &reason) == GLYPH_SEEN) {
			i += length;
			continue;
		}
		show(v, text + start, i - start);
		length = next_code(text + i, bytes - i, &code);
		show_changed(v, code);
		i += length;
		start = i;
	}
	show(v, text + start, bytes - start);
}

void
visible_end(struct visible *v)
{
	bidi_end(&v->bidi, &v->text);
}

void
visible_isolate(struct visible *v, bool on)
{
	bidi_control(&v->bidi, on ? ISOLATE : ISOLATE_END, &v->text);
}

void
visible_hide_more(
    struct visible *v, enum hidden reason, const char *text, size_t bytes)
{
	size_t i = 0;
	uint32_t code;

	if (v->run_open && v->run != reason)
		v->run_open = false;
	while (i < bytes) {
		i += run_record_plain(v, text + i, bytes - i);
		if (i == bytes)
			break;
		i += next_code(text + i, bytes - i, &code);
		hide_code(v, reason, code);
	}
}

void
visible_hide(
    struct visible *v, enum hidden reason, const char *text, size_t bytes)
{
	v->run_open = false;
	visible_hide_more(v, reason, text, bytes);
	v->run_open = false;
}

void
visible_hide_end(struct visible *v)
{
	v->run_open = false;
}

/* Append a link's text as one line in the order in which it is seen, at most
 * `most` bytes; runs of blanks and line ends become one blank, what cannot be
 * seen is left out. */
static void
add_line(struct buf *out, struct span text, size_t most)
{
	size_t i = 0, start = out->len;
	enum hidden reason;
	struct bidi bidi = {.depth = 0};
	bool blank = false;
	uint32_t code;
	char bytes[5];

	while (i < text.n) {
		enum glyph glyph;
		size_t n = 0;

		i += next_code(text.p + i, text.n - i, &code);
		glyph = glyph_of(code, &reason);
		if (glyph == GLYPH_BLANK || glyph == GLYPH_BREAK)
			blank = out->len != start;
		if (glyph == GLYPH_HIDDEN && reason == HIDDEN_BIDI)
			bidi_control(&bidi, code, out);
		if (glyph != GLYPH_SEEN)
			continue;
		if (blank)
			bytes[n++] = ' ';
		n += utf8_encode(code, bytes + n);
		if (n > most - (out->len - start))
			break;
		(void)buf_add(out, bytes, n);
		blank = false;
	}
	bidi_end(&bidi, out);
}

void
visible_link(struct visible *v, struct span text, struct span url)
{
	struct visible_link *link;
	size_t most = v->limits.link_bytes;

	if (url.n > most || v->link_count == v->limits.links) {
		v->links_dropped++;
		return;
	}
	if (v->link_count == v->link_cap) {
		v->link_cap = v->link_cap == 0 ? 16 : v->link_cap * 2;
		v->links =
		    alloc_resize(v->links, v->link_cap, sizeof *v->links);
	}
	link = &v->links[v->link_count++];
	link->text_start = (uint32_t)v->link_bytes.len;
	add_line(&v->link_bytes, text, most);
	link->url_start = (uint32_t)v->link_bytes.len;
	link->text_bytes = link->url_start - link->text_start;
	add_line(&v->link_bytes, url, most);
	link->url_bytes = (uint32_t)v->link_bytes.len - link->url_start;
}
