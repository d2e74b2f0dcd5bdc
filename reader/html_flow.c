/*
 * Lines from text. Runs in the reader's worker; what it writes itself (marks
 * and line ends) is bounded by the text it is given.
 */
#include "reader/html_flow.h"

#include <stdio.h>
#include <string.h>

#include "reader/html_ascii.h"
#include "reader/html_look.h"

#define RLO 0x202e
#define LRO 0x202d
#define NUMBER_MOST 99999999 /* item numbers; keeps a mark short */

void
html_flow_init(struct html_flow *f, struct visible *out)
{
	memset(f, 0, sizeof *f);
	f->out = out;
	buf_init(&f->turned, FLOW_TURNED);
}

void
html_flow_done(struct html_flow *f)
{
	buf_free(&f->turned);
}

static void
hand_over(struct html_flow *f)
{
	if (f->piece_bytes != 0)
		visible_add(f->out, f->piece, f->piece_bytes);
	f->piece_bytes = 0;
}

static void
put(struct html_flow *f, const char *p, size_t bytes)
{
	if (bytes > FLOW_PIECE - f->piece_bytes)
		hand_over(f);
	if (bytes > FLOW_PIECE) {
		visible_add(f->out, p, bytes);
		return;
	}
	memcpy(f->piece + f->piece_bytes, p, bytes);
	f->piece_bytes += bytes;
}

static void
put_text(struct html_flow *f, const char *text)
{
	put(f, text, strlen(text));
}

/* What stands at the start of each line. */
static void
put_prefix(struct html_flow *f)
{
	for (unsigned i = 0; i < f->quotes && i < FLOW_QUOTES; i++)
		put_text(f, "> ");
	for (unsigned i = 1; i < f->lists && i < FLOW_LISTS; i++)
		put_text(f, "  ");
}

static void
put_marker(struct html_flow *f)
{
	unsigned depth = f->lists < FLOW_LISTS ? f->lists : FLOW_LISTS;
	int32_t *number = depth == 0 ? NULL : &f->number[depth - 1];
	char text[16];

	f->marker = false;
	if (number == NULL || *number < 0) {
		put_text(f, "- ");
		return;
	}
	snprintf(text, sizeof text, "%d. ", (int)*number);
	put_text(f, text);
	if (*number < NUMBER_MOST)
		++*number;
}

/* Everything that is due before a visible character. */
static void
settle(struct html_flow *f)
{
	if (f->breaks > 0 && f->started) {
		put(f, "\n\n", f->breaks);
		f->lines += f->breaks;
		f->in_line = false;
	}
	if (!f->in_line) {
		put_prefix(f);
		if (f->marker)
			put_marker(f);
	} else if (f->cell) {
		put_text(f, " | ");
	} else if (f->blank) {
		put_text(f, " ");
	}
	f->breaks = 0;
	f->blank = f->cell = false;
	f->started = f->in_line = true;
}

static void turn_out(struct html_flow *f);

void
html_flow_break(struct html_flow *f, unsigned lines)
{
	turn_out(f);
	if (f->breaks < lines)
		f->breaks = lines;
	f->blank = false;
	f->cell = false;
}

void
html_flow_newline(struct html_flow *f)
{
	turn_out(f);
	html_flow_break(f, f->breaks < 2 ? f->breaks + 1 : 2);
}

/* Length of the blank at p: ASCII or U+00A0; 0 if there is none. */
static size_t
blank_length(const char *p, size_t bytes)
{
	if (ascii_is_space(*p))
		return 1;
	return bytes >= 2 && p[0] == '\xc2' && p[1] == '\xa0' ? 2 : 0;
}

static void
add_words(struct html_flow *f, const char *p, size_t bytes)
{
	size_t i = 0;

	while (i < bytes) {
		size_t start = i, length = blank_length(p + i, bytes - i);

		if (length != 0) {
			f->blank = true;
			i += length;
			continue;
		}
		while (i < bytes && blank_length(p + i, bytes - i) == 0)
			i++;
		settle(f);
		put(f, p + start, i - start);
	}
}

/* Text whose line ends count; its first characters settle what was due. */
static void
add_lines(struct html_flow *f, const char *p, size_t bytes)
{
	size_t i = 0;

	while (i < bytes) {
		size_t start = i;

		while (i < bytes && p[i] != '\n' && p[i] != '\r')
			i++;
		if (i > start) {
			f->blank = false;
			settle(f);
			put(f, p + start, i - start);
		}
		if (i < bytes) {
			if (p[i] == '\n' || i + 1 == bytes || p[i + 1] != '\n')
				html_flow_newline(f);
			i++;
		}
	}
}

/* Write what waits to be turned. */
static void
turn_out(struct html_flow *f)
{
	size_t bytes = f->turned.len;
	struct bidi bidi = {.depth = 0};

	if (bytes == 0)
		return;
	f->turned.len = 0; /* the level starts in front of the text */
	bidi_control(&bidi, f->turn == TURN_LEFT ? RLO : LRO, &f->turned);
	f->turned.len = bytes;
	bidi_end(&bidi, &f->turned);
	add_words(f, f->turned.data, f->turned.len);
	buf_clear(&f->turned);
}

void
html_flow_turn(struct html_flow *f, unsigned turn)
{
	if (turn == f->turn)
		return;
	turn_out(f);
	f->turn = turn;
}

/* Text whose letters may have to change places, in pieces that fit. */
static void
keep_turned(struct html_flow *f, const char *p, size_t bytes)
{
	while (bytes > 0) {
		size_t n = bytes;

		if (n > FLOW_TURNED - f->turned.len)
			turn_out(f);
		if (n > FLOW_TURNED)
			for (n = FLOW_TURNED;
			     ((unsigned char)p[n] & 0xc0u) == 0x80 && n > 1;)
				n--;
		(void)buf_add(&f->turned, p, n);
		p += n;
		bytes -= n;
	}
}

void
html_flow_text(struct html_flow *f, const char *p, size_t bytes, bool pre)
{
	if (f->turn != TURN_NONE)
		keep_turned(f, p, bytes);
	else if (pre)
		add_lines(f, p, bytes);
	else
		add_words(f, p, bytes);
}

void
html_flow_flush(struct html_flow *f)
{
	turn_out(f);
	hand_over(f);
}

void
html_flow_mark(struct html_flow *f, const char *p, size_t bytes)
{
	turn_out(f);
	settle(f);
	put(f, p, bytes);
}

/* What follows is ours: an override of the text around does not reach it. */
static void
isolate(struct html_flow *f, bool on)
{
	hand_over(f);
	visible_isolate(f->out, on);
}

void
html_flow_address(struct html_flow *f, const char *p, size_t bytes)
{
	unsigned breaks;
	bool blank, cell;

	turn_out(f);
	breaks = f->breaks;
	blank = f->blank;
	cell = f->cell;
	f->breaks = 0;
	f->cell = false;
	f->blank = f->in_line;
	settle(f);
	isolate(f, true);
	put(f, "<", 1);
	put(f, p, bytes);
	put(f, ">", 1);
	isolate(f, false);
	f->breaks = breaks;
	f->blank = blank;
	f->cell = cell;
}

void
html_flow_cell(struct html_flow *f)
{
	turn_out(f);
	f->cell = f->breaks == 0 && f->in_line;
}

void
html_flow_list(struct html_flow *f, int32_t start)
{
	html_flow_break(f, 1);
	f->marker = false;
	if (f->lists < FLOW_LISTS)
		f->number[f->lists] = start;
	f->lists++;
}

void
html_flow_list_end(struct html_flow *f)
{
	html_flow_break(f, 1);
	f->marker = false;
	if (f->lists > 0)
		f->lists--;
}

void
html_flow_item(struct html_flow *f)
{
	html_flow_break(f, 1);
	f->marker = true;
}

void
html_flow_item_end(struct html_flow *f)
{
	html_flow_break(f, 1);
	f->marker = false;
}

void
html_flow_quote(struct html_flow *f, bool open)
{
	html_flow_break(f, 2);
	if (open)
		f->quotes++;
	else if (f->quotes > 0)
		f->quotes--;
}
