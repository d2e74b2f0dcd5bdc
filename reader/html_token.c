/*
 * The tokenizer's states as functions, one for each construct. Runs in the
 * reader's worker over hostile bytes; keeps no memory of its own, never goes
 * backwards, and never reads outside its input.
 */
#include "reader/html_token.h"

#include <string.h>

#include "reader/html_ascii.h"
#include "reader/html_css.h"

static const char *const attr_names[ATTR_COUNT] = {
#define ATTR(name, text, reason) text,
#include "reader/html_attr.def"
#undef ATTR
};

static struct span
rest(const struct html_tokenizer *t)
{
	return (struct span){t->input.p + t->at, t->input.n - t->at};
}

/* The input from `start` up to where the tokenizer stands. */
static struct span
since(const struct html_tokenizer *t, size_t start)
{
	return (struct span){t->input.p + start, t->at - start};
}

/* The byte `ahead` of the next one; -1 behind the end. */
static int
peek(const struct html_tokenizer *t, size_t ahead)
{
	if (ahead >= t->input.n - t->at)
		return -1;
	return (unsigned char)t->input.p[t->at + ahead];
}

/* Go to the next byte `c`, or to the end: false. */
static bool
skip_to(struct html_tokenizer *t, char c)
{
	struct span s = rest(t);
	const char *found = s.n == 0 ? NULL : memchr(s.p, c, s.n);

	t->at = found == NULL ? t->input.n : (size_t)(found - t->input.p);
	return found != NULL;
}

static void
skip_space(struct html_tokenizer *t)
{
	while (t->at < t->input.n && ascii_is_space(t->input.p[t->at]))
		t->at++;
}

/* Whether `c` ends a tag's name. */
static bool
ends_name(int c)
{
	return c == '/' || c == '>' || (c >= 0 && ascii_is_space((char)c));
}

enum html_attr
html_attr_find(struct span name)
{
	size_t low = 0, high = ATTR_COUNT;

	while (low < high) {
		size_t mid = (low + high) / 2;
		int order = ascii_order(name, attr_names[mid]);

		if (order == 0)
			return (enum html_attr)mid;
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return ATTR_COUNT;
}

static void
mark(struct html_tokenizer *t, struct span name)
{
	uint32_t hash;

	if (t->marks == NULL)
		return;
	hash = html_hash_any(html_hash(name));
	t->marks[hash / 8 % TOKEN_MARKS] |= (uint8_t)(1u << hash % 8);
}

bool
html_marked(const uint8_t marks[TOKEN_MARKS], uint32_t hash)
{
	return (marks[hash / 8 % TOKEN_MARKS] >> hash % 8 & 1) != 0;
}

/* Of two attributes with one name the first counts. */
static void
keep_attr(struct html_token *token, struct span name, struct span value)
{
	enum html_attr attr = html_attr_find(name);

	token->attributes++;
	if (attr == ATTR_COUNT) {
		if (value.n == 0)
			return;
		if (token->others < HTML_OTHERS)
			token->other[token->others++] =
			    (struct html_other){name, value};
		else
			token->others_dropped++;
		return;
	}
	if (html_token_attr(token, attr) != NULL)
		return;
	token->present |= UINT64_C(1) << attr;
	token->attr[attr] = value;
}

/* The value behind '='; false if the input ends in it. */
static bool
attr_value(struct html_tokenizer *t, struct span *value_out)
{
	size_t start;
	int c;

	skip_space(t);
	c = peek(t, 0);
	if (c == '"' || c == '\'') {
		start = ++t->at;
		if (!skip_to(t, (char)c))
			return false;
		*value_out = since(t, start);
		t->at++;
		return true;
	}
	start = t->at;
	while (c != -1 && c != '>' && !ascii_is_space((char)c)) {
		t->at++;
		c = peek(t, 0);
	}
	*value_out = since(t, start);
	return c != -1;
}

/* One attribute; its name may start with '='. False at the end of input. */
static bool
attribute(struct html_tokenizer *t, struct html_token *token)
{
	size_t start = t->at++;
	struct span name, value = {t->input.p, 0};
	int c;

	for (c = peek(t, 0); c != -1 && c != '=' && !ends_name(c);
	     c = peek(t, 0))
		t->at++;
	name = since(t, start);
	skip_space(t);
	if (peek(t, 0) == '=') {
		t->at++;
		if (!attr_value(t, &value))
			return false;
	}
	mark(t, name);
	keep_attr(token, name, value);
	return true;
}

/* Everything in a tag behind its name, with the '>'. */
static bool
attributes(struct html_tokenizer *t, struct html_token *token)
{
	for (;;) {
		int c;

		skip_space(t);
		c = peek(t, 0);
		if (c == -1)
			return false;
		if (c == '>') {
			t->at++;
			return true;
		}
		if (c == '/') {
			t->at++;
			token->self_closing = peek(t, 0) == '>';
			continue;
		}
		if (!attribute(t, token))
			return false;
	}
}

/* A tag whose name starts at t->at. One the input ends in is none. */
static void
tag(struct html_tokenizer *t, struct html_token *token, enum html_type type)
{
	size_t start = t->at;

	while (t->at < t->input.n && !ends_name(peek(t, 0)))
		t->at++;
	token->name = since(t, start);
	mark(t, token->name);
	token->type = type;
	token->tag = html_tag_find(token->name);
	if (attributes(t, token))
		return;
	t->at = t->input.n;
	token->type = TOKEN_UNFINISHED;
	token->text = since(t, start);
}

/* Take off what may begin the end of a comment when the input ends. */
static void
trim_comment(struct span *text)
{
	static const char *const ends[] = {"--!", "--", "-"};

	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		size_t n = strlen(ends[i]);

		if (text->n >= n &&
		    memcmp(text->p + text->n - n, ends[i], n) == 0) {
			text->n -= n;
			return;
		}
	}
}

/* A comment; t->at is behind its <!--. */
static void
comment(struct html_tokenizer *t, struct html_token *token)
{
	size_t start = t->at;

	token->type = TOKEN_COMMENT;
	token->text = since(t, start);
	if (span_starts(rest(t), ">") || span_starts(rest(t), "->")) {
		t->at += peek(t, 0) == '>' ? 1 : 2;
		return;
	}
	while (skip_to(t, '-')) {
		size_t bang = peek(t, 2) == '!' ? 1 : 0;

		if (peek(t, 1) == '-' && peek(t, 2 + bang) == '>') {
			token->text = since(t, start);
			t->at += 3 + bang;
			return;
		}
		t->at++;
	}
	token->text = since(t, start);
	trim_comment(&token->text);
}

/* Anything up to '>'. */
static void
bogus(struct html_tokenizer *t, struct html_token *token, enum html_type type)
{
	size_t start = t->at;

	token->type = type;
	if (skip_to(t, '>'))
		t->at++;
	token->text = since(t, start);
	if (token->text.n > 0 && t->input.p[t->at - 1] == '>')
		token->text.n--;
}

static void
cdata(struct html_tokenizer *t, struct html_token *token)
{
	size_t start = t->at;

	token->type = TOKEN_TEXT;
	while (skip_to(t, ']')) {
		if (peek(t, 1) == ']' && peek(t, 2) == '>') {
			token->text = since(t, start);
			t->at += 3;
			return;
		}
		t->at++;
	}
	token->text = since(t, start);
}

/* Behind "<!". */
static void
declaration(struct html_tokenizer *t, struct html_token *token)
{
	if (span_starts(rest(t), "--")) {
		t->at += 2;
		comment(t, token);
	} else if (ascii_starts(rest(t), "doctype")) {
		t->at += 7;
		bogus(t, token, TOKEN_DOCTYPE);
	} else if (t->cdata && span_starts(rest(t), "[CDATA[")) {
		t->at += 7;
		cdata(t, token);
	} else {
		bogus(t, token, TOKEN_BOGUS);
	}
}

/* What starts with '<' in ordinary text. False: it is that character. */
static bool
markup(struct html_tokenizer *t, struct html_token *token)
{
	int c = peek(t, 1);

	if (c == '!') {
		t->at += 2;
		declaration(t, token);
	} else if (c == '?') {
		t->at += 2;
		bogus(t, token, TOKEN_BOGUS);
	} else if (c != '/') {
		if (c == -1 || !ascii_is_letter((char)c))
			return false;
		t->at++;
		tag(t, token, TOKEN_START);
	} else {
		c = peek(t, 2);
		if (c == -1)
			return false;
		t->at += 2;
		token->type = TOKEN_TEXT; /* "</>" is nothing */
		if (ascii_is_letter((char)c))
			tag(t, token, TOKEN_STOP);
		else if (c == '>')
			t->at++;
		else
			bogus(t, token, TOKEN_BOGUS);
	}
	return true;
}

/* Ordinary text up to the next '<'; one that opens nothing goes with what
 * follows it. */
static void
data(struct html_tokenizer *t, struct html_token *token)
{
	size_t start = t->at;

	if (peek(t, 0) == '<') {
		if (markup(t, token))
			return;
		t->at++;
	}
	skip_to(t, '<');
	token->type = TOKEN_TEXT;
	token->text = since(t, start);
	token->coded = true;
}

/* Whether `opening`, `name` in any case, and the end of a name stand here. */
static bool
named(const struct html_tokenizer *t, const char *opening, struct span name)
{
	struct span s = rest(t);
	size_t skip = strlen(opening);

	if (name.n == 0 || !span_starts(s, opening) || s.n - skip <= name.n)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (ascii_lower(s.p[skip + i]) != ascii_lower(name.p[i]))
			return false;
	return ends_name((unsigned char)s.p[skip + name.n]);
}

/* Go to the end tag that ends a raw text, or to the end of the input. */
static void
skip_raw(struct html_tokenizer *t)
{
	while (skip_to(t, '<')) {
		if (named(t, "</", t->raw_name))
			return;
		t->at++;
	}
}

/* The same for a script. Behind <!-- a <script> hides the next </script>,
 * and --> ends both (13.2.5.15 to 13.2.5.31). */
static void
skip_script(struct html_tokenizer *t)
{
	enum { PLAIN, ESCAPED, DOUBLE } state = PLAIN;

	for (; t->at < t->input.n; t->at++) {
		int c = peek(t, 0);

		if (c == '-' && span_starts(rest(t), "-->")) {
			state = PLAIN;
		} else if (c != '<') {
			continue;
		} else if (state == PLAIN && span_starts(rest(t), "<!--")) {
			state = ESCAPED;
			t->at++;
		} else if (named(t, "</", t->raw_name)) {
			if (state != DOUBLE)
				return;
			state = ESCAPED;
		} else if (state == ESCAPED && named(t, "<", SPAN("script"))) {
			state = DOUBLE;
		}
	}
}

/* The text of a raw element; empty means that its end tag is next. */
static void
raw(struct html_tokenizer *t, struct html_token *token)
{
	size_t start = t->at;

	if (t->mode == MODE_PLAINTEXT)
		t->at = t->input.n;
	else if (t->mode == MODE_SCRIPT)
		skip_script(t);
	else
		skip_raw(t);
	token->type = TOKEN_TEXT;
	token->text = since(t, start);
	token->coded = t->mode == MODE_RCDATA;
	t->mode = MODE_DATA;
}

void
html_tokenizer_init(struct html_tokenizer *t, struct span input)
{
	*t = (struct html_tokenizer){.input = input, .mode = MODE_DATA};
}

bool
html_token_next(struct html_tokenizer *t, struct html_token *token_out)
{
	token_out->type = TOKEN_END;
	token_out->tag = HTML_UNKNOWN;
	token_out->name = token_out->text = (struct span){t->input.p, 0};
	token_out->coded = token_out->self_closing = false;
	token_out->present = 0;
	token_out->attributes = 0;
	token_out->others = 0;
	token_out->others_dropped = 0;
	if (t->at >= t->input.n)
		return false;
	if (t->mode != MODE_DATA)
		raw(t, token_out);
	else
		data(t, token_out);
	return true;
}

enum html_mode
html_mode_of(enum html_tag tag)
{
	switch (tag) {
	case HTML_TITLE:
	case HTML_TEXTAREA:
		return MODE_RCDATA;
	case HTML_STYLE:
	case HTML_XMP:
	case HTML_IFRAME:
	case HTML_NOEMBED:
	case HTML_NOFRAMES:
		return MODE_RAWTEXT;
	case HTML_SCRIPT:
		return MODE_SCRIPT;
	case HTML_PLAINTEXT:
		return MODE_PLAINTEXT;
	default:
		return MODE_DATA;
	}
}

void
html_token_mode(struct html_tokenizer *t, const struct html_token *token,
    enum html_mode mode)
{
	t->mode = mode;
	t->raw_name = token->name;
}

const struct span *
html_token_attr(const struct html_token *token, enum html_attr attr)
{
	if ((token->present >> attr & 1) == 0)
		return NULL;
	return &token->attr[attr];
}

bool
html_token_integrates(const struct html_token *token, bool svg)
{
	static const char *const in_svg[] = {"foreignobject", "desc", "title"};
	static const char *const in_math[] = {"mi", "mo", "mn", "ms", "mtext"};
	const struct span *encoding = html_token_attr(token, ATTR_ENCODING);

	for (size_t i = 0; svg && i < 3; i++)
		if (ascii_is(token->name, in_svg[i]))
			return true;
	for (size_t i = 0; !svg && i < 5; i++)
		if (ascii_is(token->name, in_math[i]))
			return true;
	return !svg && encoding != NULL &&
	       ascii_is(token->name, "annotation-xml") &&
	       (ascii_is(*encoding, "text/html") ||
		   ascii_is(*encoding, "application/xhtml+xml"));
}
