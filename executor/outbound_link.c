/*
 * Links in outgoing text. Runs in the broker, on words of a planner that may
 * have been told to hide them; believes nothing in them. Must never see less
 * of a link than a program that shows the text.
 */
#include <string.h>

#include "common/err.h"
#include "executor/facts.h"
#include "executor/outbound.h"
#include "executor/outbound_impl.h"

/*
 * Tokens: what can be a scheme or a host name, without a gap.
 */
struct token {
	size_t from, to; /* in the text, without a dot at the end */
	unsigned labels;
	bool ideographic; /* its last dot between labels */
	bool plain;	  /* nothing in it was folded */
	bool quads;	  /* every label is a number up to 255 */
	bool www;
	char scheme[16]; /* its last label in lower case; "": it is longer */
};

/* One label of a name. */
struct label {
	size_t from, to;
	unsigned units, digits, value;
	bool high, puny, named; /* more than hyphens and underlines */
	char head[5];
};

static void
label_add(struct label *l, const struct unit *u)
{
	if (l->units == 0)
		l->from = u->from;
	if (l->units < 4)
		l->head[l->units] = ascii_lower(u->c);
	l->units++;
	l->to = u->to;
	l->high |= u->c == HIGH;
	l->named |= is_name(u->c);
	if (is_digit(u->c)) {
		l->digits++;
		if (l->value < 1000)
			l->value = l->value * 10 + (unsigned)(u->c - '0');
	}
	l->puny = memcmp(l->head, "xn--", 4) == 0;
}

static void
token_label(struct token *t, const struct label *l)
{
	if (t->labels++ == 0) {
		t->from = l->from;
		t->quads = true;
		t->www = l->units == 3 && memcmp(l->head, "www", 3) == 0;
	}
	t->quads &= l->digits == l->units && l->value < 256;
	t->to = l->to;
}

/* Whether `u` goes on with a token; hyphens and underlines only inside. */
static bool
in_token(struct span text, const struct unit *u)
{
	struct unit next;

	if (is_name(u->c) || u->c == '.')
		return true;
	return (u->c == '-' || u->c == '_') && unit_at(text, u->to, &next) &&
	       (is_name(next.c) || next.c == '-' || next.c == '_');
}

/* Read the token at `at`, and its last label; returns where it ends. */
static size_t
token_read(struct span text, size_t at, struct token *t, struct label *last_out)
{
	struct label l = {0};
	bool ideographic = false;
	size_t length = 0;
	struct unit u;

	*t = (struct token){.plain = true};
	while (unit_at(text, at, &u) && in_token(text, &u)) {
		t->plain &= u.from == at && u.to == at + 1;
		if (u.c == '.')
			length = 0;
		else if (length < sizeof t->scheme &&
			 (length != 0 || is_name(u.c))) /* RFC 3986, 3.1 */
			t->scheme[length++] = ascii_lower(u.c);
		at = u.to;
		if (u.c != '.') {
			label_add(&l, &u);
			continue;
		}
		if (l.units == 0)
			break; /* no host has two dots together */
		token_label(t, &l);
		t->ideographic = ideographic;
		*last_out = l;
		ideographic = u.ideographic;
		l = (struct label){0};
	}
	if (l.units != 0) {
		token_label(t, &l);
		t->ideographic = ideographic;
		*last_out = l;
	}
	if (length == sizeof t->scheme)
		length = 0;
	t->scheme[length] = '\0';
	return at;
}

/*
 * What a token begins.
 */
static bool
is_scheme(const char *word)
{
	static const char *const words[] = {"about", "blob", "callto", "data",
	    "facetime", "file", "ftp", "ftps", "geo", "gopher", "http", "https",
	    "intent", "irc", "javascript", "ldap", "magnet", "mailto", "market",
	    "news", "nntp", "sip", "sips", "skype", "slack", "sms", "smsto",
	    "tel", "tg", "vbscript", "viber", "view-source", "whatsapp", "ws",
	    "wss", "xmpp"};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

static bool
is_defanged(const char *word)
{
	return strcmp(word, "hxxp") == 0 || strcmp(word, "hxxps") == 0 ||
	       strcmp(word, "fxp") == 0;
}

static bool
is_host(struct span text, const struct token *t, const struct label *last,
    bool goes_on)
{
	struct span raw = {text.p + t->from, t->to - t->from};

	if (t->labels < 2 || !last->named)
		return false;
	if (t->www)
		return true;
	if (t->quads)
		return t->labels == 4;
	if (!last->puny && (last->digits != 0 || last->units < 2))
		return false;
	if (t->ideographic && last->high && !goes_on)
		return false; /* a sentence and the next */
	return !t->plain || !value_is_file_name(raw);
}

/* Where the rest of a link ends, from `at` on: at an ASCII blank or a bracket,
 * without what people put behind one. Some programs end it nowhere else, so
 * that a quote, a blank of another script or what is not seen may carry
 * something on behind a link that is known. `end` is where it ends at least. */
static size_t
tail_end(struct span text, size_t at, size_t end)
{
	struct unit u;

	while (unit_at(text, at, &u)) {
		if (u.from != at)
			end = u.from;
		if ((u.c == ' ' && (text.p[u.from] & 0x80) == 0) ||
		    u.c == '<' || u.c == '>')
			return end;
		at = u.to;
		if (memchr(".,;:!?)]*_~'`|}\"", u.c, 16) == NULL)
			end = at;
	}
	return at == text.n ? end : text.n;
}

/* `prev` are the two characters before the token, the nearer one first. */
static size_t
host_end(struct span text, const struct token *t, const struct label *last,
    size_t at, const char prev[2])
{
	bool address = prev[0] == '@' && memchr("x_-+.'", prev[1], 6) != NULL;
	bool tail;
	struct unit u = {0}, digit = {0};

	if (!unit_at(text, at, &u))
		u = (struct unit){.c = ' '};
	if (u.c == '@')
		return 0;
	tail = is_slash(u.c) || u.c == '?' || u.c == '#' ||
	       (u.c == ':' && unit_at(text, u.to, &digit) && is_digit(digit.c));
	if ((address && !tail) || !is_host(text, t, last, tail))
		return 0;
	return tail ? tail_end(text, at, t->to) : t->to;
}

/* Where the link at a token ends; 0 if it begins none. *at is where to go on
 * then. */
static size_t
token_end(struct span text, size_t *at, const char prev[2], size_t *from_out)
{
	struct unit colon, first, second;
	struct label last = {0};
	size_t start = *at, end;
	struct token t;

	*at = token_read(text, start, &t, &last);
	*from_out = t.labels == 0 ? start : t.from;
	if (unit_at(text, *at, &colon) && colon.c == ':' &&
	    unit_at(text, colon.to, &first) && first.c != ' ') {
		bool slashes = is_slash(first.c) &&
			       unit_at(text, first.to, &second) &&
			       is_slash(second.c);

		if (slashes && is_defanged(t.scheme)) {
			*at = second.to;
			return 0;
		}
		/* between angle brackets any scheme will do */
		end = slashes || is_scheme(t.scheme) || prev[0] == '<'
			  ? tail_end(text, colon.to, colon.to)
			  : colon.to;
		if (end != colon.to) { /* not of punctuation only */
			*from_out = start;
			return end;
		}
	}
	return host_end(text, &t, &last, *at, prev);
}

/* "//host": what a browser fetches with the scheme of where it stands. */
static size_t
relative_end(struct span text, const struct unit *first, char prev)
{
	struct unit second, host;

	if (is_slash(prev) || prev == ']' ||
	    !unit_at(text, first->to, &second) || !is_slash(second.c) ||
	    !unit_at(text, second.to, &host) ||
	    !(is_name(host.c) || host.c == '[' || host.c == '_'))
		return 0;
	return tail_end(text, second.to, host.to);
}

/* Behind a plain word that is neither scheme nor host, as most words are: no
 * more is joined to it, and a full stop is the last of it. `at` if there is
 * more to look at. */
static size_t
skip_word(struct span text, size_t at)
{
	size_t end = at;
	char c;

	while (end < text.n && (is_alpha(text.p[end]) || is_digit(text.p[end])))
		end++;
	if (end + 1 >= text.n)
		return end == text.n ? end : at;
	c = text.p[end];
	if (c == ' ' || c == ',' || c == ')' || c == '\n' ||
	    (c == '.' && text.p[end + 1] == ' '))
		return end;
	return at;
}

bool
outbound_next(struct span text, size_t *at, struct span *found_out)
{
	char prev[2] = {*at == 0 ? ' ' : text.p[*at - 1], ' '};
	struct unit u;

	while (unit_at(text, *at, &u)) {
		size_t from = u.from, end = 0;

		*at = u.to;
		if (is_name(u.c)) {
			*at = skip_word(text, u.from);
			if (*at == u.from)
				end = token_end(text, at, prev, &from);
			u.c = 'x';
		} else if (is_slash(u.c)) {
			end = relative_end(text, &u, prev[0]);
		}
		if (end != 0) {
			*at = end;
			*found_out = (struct span){text.p + from, end - from};
			return true;
		}
		prev[1] = prev[0];
		prev[0] = u.c;
	}
	return false;
}

bool
outbound_is_novel(const struct facts *facts, struct span link)
{
	const unsigned ours = ORIGIN_OPERATOR | ORIGIN_SELF;

	return facts == NULL ||
	       (facts_origins(facts, VALUE_URL, (struct span){0}, link) &
		   ours) == 0;
}

/*
 * Defanging.
 */
static int
add_unit(struct span link, const struct unit *u, char before, struct buf *out)
{
	if (u->c == '.')
		return buf_add_text(out, "[.]");
	if (u->c == ':')
		return buf_add_text(out, "[:]");
	if (is_slash(u->c) && is_slash(before))
		return buf_add_text(out, "[/]");
	/* no link of Markdown's out of our own brackets */
	if (u->c == '(' && (before == '.' || before == ':'))
		buf_add_byte(out, ' ');
	return buf_add(out, link.p + u->from, u->to - u->from);
}

/* "hxxps://", "[//]", "mailto[:]": the head, up to where `*at` is then. */
static void
add_head(struct span link, size_t *at, struct buf *out)
{
	struct unit u = {0}, slash;
	char scheme[8] = "";
	size_t length = 0, end = 0;

	while (unit_at(link, end, &u) && is_alpha(u.c) && length < 6) {
		scheme[length++] = ascii_lower(u.c);
		end = u.to;
	}
	if (length == 0 && unit_at(link, 0, &u) && is_slash(u.c) &&
	    unit_at(link, u.to, &slash) && is_slash(slash.c)) {
		buf_add_text(out, "[//]");
		*at = slash.to;
		return;
	}
	if (!unit_at(link, end, &u) || u.c != ':' ||
	    !unit_at(link, u.to, &slash) || !is_slash(slash.c) ||
	    !unit_at(link, slash.to, &slash) || !is_slash(slash.c))
		return;
	if (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0)
		buf_add_format(out, "hxxp%s://", scheme + 4);
	else if (strcmp(scheme, "ftp") == 0)
		buf_add_text(out, "fxp://");
	else
		return;
	*at = slash.to;
}

static int
add_defanged(struct span link, struct buf *out)
{
	char before = '/';
	struct unit u;
	size_t at = 0;

	add_head(link, &at, out);
	if (at == 0)
		before = ' ';
	for (; unit_at(link, at, &u); at = u.to) {
		if (u.from != at) { /* something is there that is not seen */
			buf_add_byte(out, '_');
			before = '_';
		}
		add_unit(link, &u, before, out);
		before = is_slash(u.c) && before == ':' ? ' ' : u.c;
	}
	return out->overflow ? -ERR_TOO_LARGE : 0;
}

int
outbound_defang(const struct facts *facts, struct span text, struct buf *out)
{
	size_t at = 0, done = 0;
	struct span found;
	int rc = 0;

	while (rc == 0 && outbound_next(text, &at, &found)) {
		size_t from = (size_t)(found.p - text.p);

		if (!outbound_is_novel(facts, found))
			continue;
		buf_add(out, text.p + done, from - done);
		rc = add_defanged(found, out);
		done = from + found.n;
		if (done < text.n && text.p[done] == '(' && out->len > 0 &&
		    out->data[out->len - 1] == ']')
			buf_add_byte(out, ' ');
	}
	buf_add(out, text.p + done, text.n - done);
	return out->overflow ? -ERR_TOO_LARGE : rc;
}
