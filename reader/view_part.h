/*
 * What the parts of view.c share.
 */
#ifndef TRIZONE_READER_VIEW_PART_H
#define TRIZONE_READER_VIEW_PART_H

#include "reader/view.h"
#include "reader/view_mark.h"
#include "reader/view_word.h"

/* One call of view_each. */
struct view_run {
	view_take take;
	void *with;
	size_t bytes_left;
	unsigned views_left;
	unsigned looks_left; /* texts that are looked into */
	bool cut;	     /* a bound left something out */
};

/* One text that is looked at: the source, or what came out of it. */
struct view_job {
	struct view_run *run;
	struct span text;
	const struct fold *fold;
	const struct view_marks *marks;
	unsigned depth;	   /* 0: the source */
	unsigned done;	   /* bits of views that it came out of */
	size_t start, end; /* where in the source, if it is not that */
};

/* What came out of bytes `start` to `end` of the job's text: with `readable`
 * it is handed over; it may hold views itself either way. */
void view_emit(const struct view_job *job, enum view view, struct span decoded,
    bool readable, size_t start, size_t end);

void view_base64(const struct view_job *job);
void view_base32(const struct view_job *job);
void view_codes(const struct view_job *job);   /* HEX and NUMBERS */
void view_escapes(const struct view_job *job); /* URL to ESCAPE */
void view_joined(const struct view_job *job);
void view_spelled(const struct view_job *job); /* ROT13 to LEET */
void view_broken(const struct view_job *job);  /* GLUED to SHIFTED */
void view_turned(const struct view_job *job);

/* Caesar's cipher, by pieces of some sentence's length: a walk over folded text
 * tells of each byte that is in no word, and of each word. */
struct shift_run {
	size_t piece;	       /* where the current piece starts */
	unsigned words, known; /* in it */
	size_t start, end;     /* of the pieces that are shifted alike */
	unsigned shift;	       /* by so many letters; 0: not */
};

void view_shift_gap(const struct view_job *job, struct shift_run *r, size_t at);
void view_shift_word(struct shift_run *r, size_t letters, bool known);
void view_shift_end(const struct view_job *job, struct shift_run *r);

/* Append letters, of any case, with blanks between the known words in them
 * (view_join.c). */
void view_add_words(const char *p, size_t n, struct buf *out);

/* Classes of bytes, ASCII only. */
enum {
	BYTE_LOWER = 1,
	BYTE_UPPER = 2,
	BYTE_DIGIT = 4,
	BYTE_WORD = BYTE_LOWER | BYTE_UPPER | BYTE_DIGIT,
	BYTE_HEX = 8,
	BYTE_BASE64 = 16, /* of both alphabets */
	BYTE_BREAK = 32	  /* what separates codes of characters */
};

extern const unsigned char view_class[256];

static inline unsigned
view_class_of(char c)
{
	return view_class[(unsigned char)c];
}

/* Where the bytes of a class end that start at `at`. */
static inline size_t
view_skip(struct span text, size_t at, unsigned class)
{
	while (at < text.n && (view_class_of(text.p[at]) & class) != 0)
		at++;
	return at;
}

/* The longest part that is text: valid UTF-8 without control characters. */
struct span view_text_in(struct span bytes);

/* Decoded bytes of unknown kind: emitted if there is text in them; as it is
 * or in UTF-16 of either order. Whether there was. */
bool view_bytes(const struct view_job *job, enum view view, struct span bytes,
    size_t start, size_t end);

#endif
