/*
 * Markdown and HTML in outgoing text made plain. Runs in the broker, on words
 * of a planner; believes nothing in them. What comes out has no "](", no "]:",
 * and no "<" before a letter but in "<scheme:...>" and "<a@b>": so however it
 * was nested, no program finds a link in it that is not to be seen, a
 * reference, or a tag. One pass, linear.
 */
#include <string.h>

#include "common/err.h"
#include "executor/outbound.h"
#include "executor/outbound_impl.h"

struct plain {
	struct span text;
	size_t at;
	struct buf *out;
	size_t start;	  /* of ours in `out` */
	bool as_is;	  /* inside "<scheme:...>" */
	struct span href; /* of the <a> that is open */
	bool has_href;
	size_t label_end; /* the "]" of the link that is open; or 0 */
	struct span target, title;
	size_t link_end;
	bool image;
	size_t broken; /* no tag that begins before it ends */
};

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Characters that make a tag of the "<" before them. */
static bool
opens_tag(char c)
{
	return is_alpha(c) || c == '/' || c == '!' || c == '?';
}

/* What makes a link or its definition of the brackets before. */
static bool
ends_label(char last, char c)
{
	return last == ']' && (c == '(' || c == ':');
}

static void
put(struct plain *p, char c)
{
	char last =
	    p->out->len > p->start ? p->out->data[p->out->len - 1] : '\0';

	if (ends_label(last, c) || (last == '<' && opens_tag(c) && !p->as_is))
		buf_add_byte(p->out, ' ');
	buf_add_byte(p->out, c);
}

static void
put_text(struct plain *p, struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		put(p, text.p[i]);
}

static char
char_at(const struct plain *p, size_t at)
{
	return at < p->text.n ? p->text.p[at] : '\0';
}

static struct span
between(const struct plain *p, size_t from, size_t to)
{
	return (struct span){p->text.p + from, to - from};
}

static size_t
skip_blanks(const struct plain *p, size_t at)
{
	while (at < p->text.n && is_blank(p->text.p[at]))
		at++;
	return at;
}

/* Whether it is "scheme:rest" or "local@host", with no character in it that a
 * tag needs. */
static bool
is_target(struct span text)
{
	size_t at = 0;

	if (text.n == 0 || !is_alpha(text.p[0]))
		return false;
	while (at < text.n && (is_alpha(text.p[at]) || is_digit(text.p[at]) ||
				  memchr("+.-_", text.p[at], 4) != NULL))
		at++;
	if (at < 2 || at + 1 >= text.n ||
	    (text.p[at] != ':' && text.p[at] != '@'))
		return false;
	for (; at < text.n; at++)
		if (is_blank(text.p[at]) ||
		    ends_label(text.p[at - 1], text.p[at]) ||
		    memchr("<>\"'`", text.p[at], 5) != NULL)
			return false;
	return true;
}

/* " <url>"; where that would be a tag, " (url)". */
static void
put_target(struct plain *p, struct span target)
{
	bool angle = is_target(target);

	if (target.n == 0)
		return;
	put(p, ' ');
	put(p, angle ? '<' : '(');
	p->as_is = angle;
	put_text(p, target);
	p->as_is = false;
	put(p, angle ? '>' : ')');
}

/*
 * Markdown. No bracket inside a label or target, so that each is looked at
 * once; what is nested comes out broken instead.
 */
static bool
read_target(struct plain *p, size_t *at)
{
	size_t depth = 0, from = skip_blanks(p, *at), to = from;
	bool angle = char_at(p, from) == '<';

	if (angle)
		from = ++to;
	for (; to < p->text.n; to++) {
		char c = p->text.p[to];

		if (c == '[' || c == ']' || c == '<')
			return false;
		if (angle ? c == '>' || c == '\n'
			  : is_blank(c) || (c == ')' && depth == 0))
			break;
		depth += c == '(';
		depth -= c == ')' && depth > 0;
	}
	if (to == p->text.n || (angle && p->text.p[to] != '>'))
		return false;
	p->target = between(p, from, to);
	*at = to + angle;
	return true;
}

/* A title, which need not be there. */
static bool
read_title(struct plain *p, size_t *at)
{
	size_t from = skip_blanks(p, *at), to = from + 1;
	char quote = char_at(p, from);

	p->title = (struct span){0};
	if (quote != '"' && quote != '\'' && quote != '(')
		return true;
	if (quote == '(')
		quote = ')';
	while (to < p->text.n && p->text.p[to] != quote &&
	       p->text.p[to] != '[' && p->text.p[to] != ']')
		to++;
	if (char_at(p, to) != quote)
		return false;
	p->title = between(p, from + 1, to);
	*at = to + 1;
	return true;
}

/* "(url "title")" at `at`. */
static bool
read_link(struct plain *p, size_t at)
{
	if (char_at(p, at) != '(')
		return false;
	at++;
	if (!read_target(p, &at) || !read_title(p, &at))
		return false;
	at = skip_blanks(p, at);
	if (char_at(p, at) != ')')
		return false;
	p->link_end = at + 1;
	return true;
}

/* The bracket at `at` begins a link without one inside. */
static bool
open_link(struct plain *p, size_t at, bool image)
{
	size_t end = at + 1;

	while (
	    end < p->text.n && p->text.p[end] != '[' && p->text.p[end] != ']')
		end++;
	if (char_at(p, end) != ']' || !read_link(p, end + 1))
		return false;
	p->label_end = end;
	p->image = image;
	if (image)
		put_text(p, SPAN("[image: "));
	p->at = at + 1;
	return true;
}

static void
close_link(struct plain *p)
{
	if (p->image) {
		put(p, ']');
	} else {
		put_target(p, p->target);
		if (p->title.n != 0) {
			put_text(p, SPAN(" ("));
			put_text(p, p->title);
			put(p, ')');
		}
	}
	p->label_end = 0;
	p->at = p->link_end;
}

/* "](url)" behind something nested. */
static bool
stray_link(struct plain *p)
{
	if (!read_link(p, p->at + 1))
		return false;
	put(p, ']');
	p->image = false;
	close_link(p);
	return true;
}

/*
 * HTML.
 */
struct tag {
	struct span name, href, src, alt;
	size_t end; /* behind ">" */
};

static bool
ends_name(char c)
{
	return is_blank(c) || c == '=' || c == '>' || c == '/' || c == '<';
}

/* A value, quoted or not; false: it does not end. */
static bool
read_value(const struct plain *p, size_t *at, struct span *value_out)
{
	size_t from = skip_blanks(p, *at), to;
	char quote = char_at(p, from);

	if (quote == '"' || quote == '\'') {
		const char *end =
		    memchr(p->text.p + from + 1, quote, p->text.n - from - 1);

		if (end == NULL)
			return false;
		to = (size_t)(end - p->text.p);
		*value_out = between(p, from + 1, to);
		*at = to + 1;
		return true;
	}
	for (to = from; to < p->text.n && !is_blank(p->text.p[to]) &&
			p->text.p[to] != '>';)
		to++;
	*value_out = between(p, from, to);
	*at = to;
	return true;
}

static void
keep_value(struct tag *tag, struct span name, struct span value)
{
	if (is_word(name, "href"))
		tag->href = value;
	else if (is_word(name, "src"))
		tag->src = value;
	else if (is_word(name, "alt"))
		tag->alt = value;
}

/* The tag at `at`, which is behind "<". False: it does not end before
 * tag->end. */
static bool
read_tag(const struct plain *p, size_t at, struct tag *tag)
{
	size_t from = at;

	*tag = (struct tag){.end = p->text.n};
	while (is_alpha(char_at(p, at)) || is_digit(char_at(p, at)))
		at++;
	tag->name = between(p, from, at);
	for (;;) {
		struct span name, value = {0};

		while (is_blank(char_at(p, at)) || char_at(p, at) == '/')
			at++;
		if (at < p->text.n && p->text.p[at] == '<')
			tag->end = at;
		if (at >= tag->end)
			return false;
		if (p->text.p[at] == '>')
			break;
		from = at++;
		while (at < p->text.n && !ends_name(p->text.p[at]))
			at++;
		name = between(p, from, at);
		if (char_at(p, skip_blanks(p, at)) == '=') {
			at = skip_blanks(p, at) + 1;
			if (!read_value(p, &at, &value))
				return false;
		}
		keep_value(tag, name, value);
	}
	tag->end = at + 1;
	return true;
}

static void
close_href(struct plain *p)
{
	if (p->has_href)
		put_target(p, p->href);
	p->has_href = false;
}

static bool
is_close(const struct plain *p)
{
	size_t at = p->at + 2;

	return char_at(p, p->at + 1) == '/' &&
	       ascii_lower(char_at(p, at)) == 'a' &&
	       char_at(p, skip_blanks(p, at + 1)) == '>';
}

/* A tag that is understood; others are broken. */
static bool
take_tag(struct plain *p)
{
	size_t at = p->at + 1;
	struct tag tag;

	if (p->at < p->broken || !is_alpha(char_at(p, at)))
		return false;
	if (!read_tag(p, at, &tag)) {
		p->broken = tag.end;
		return false;
	}
	if (is_word(tag.name, "img")) {
		put_text(p, SPAN("[image: "));
		put_text(p, tag.alt);
		put(p, ']');
	} else if (is_word(tag.name, "a") && tag.href.n != 0) {
		close_href(p);
		p->href = tag.href;
		p->has_href = true;
	} else {
		return false;
	}
	p->at = tag.end;
	return true;
}

/* "<scheme:...>" and "<a@b>" stay. */
static bool
take_angle(struct plain *p)
{
	size_t end = p->at + 1;

	while (end < p->text.n && end - p->at < 4096 &&
	       !is_blank(p->text.p[end]) && p->text.p[end] != '<' &&
	       p->text.p[end] != '>')
		end++;
	if (char_at(p, end) != '>' || !is_target(between(p, p->at + 1, end)))
		return false;
	p->as_is = true;
	put_text(p, between(p, p->at, end + 1));
	p->as_is = false;
	p->at = end + 1;
	return true;
}

static void
take_less(struct plain *p)
{
	if (take_angle(p) || take_tag(p))
		return;
	if (p->has_href && is_close(p)) {
		close_href(p);
		p->at = skip_blanks(p, p->at + 3) + 1;
		return;
	}
	put(p, '<');
	p->at++;
}

int
outbound_plain(struct span text, struct buf *out)
{
	struct plain p = {.text = text, .out = out, .start = out->len};

	while (p.at < text.n && !out->overflow) {
		char c = text.p[p.at];

		if (p.label_end != 0 && p.at == p.label_end)
			close_link(&p);
		else if (c == '<' && p.label_end == 0)
			take_less(&p);
		else if (c == '!' && char_at(&p, p.at + 1) == '[' &&
			 open_link(&p, p.at + 1, true))
			continue;
		else if (c == '[' && open_link(&p, p.at, false))
			continue;
		else if (c == ']' && stray_link(&p))
			continue;
		else
			put(&p, text.p[p.at++]);
	}
	close_href(&p);
	return out->overflow ? -ERR_TOO_LARGE : 0;
}
