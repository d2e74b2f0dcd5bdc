/*
 * Where a call goes. Runs in the broker on what a planner sent, which need not
 * fit any schema; believes the kind's table and the settings. Pure.
 */
#include "executor/destination.h"

#include <string.h>

#include "common/ascii.h"
#include "executor/policy.h"

#define TARGET_BYTES 8192 /* a root and a path below it */

static const char *const kept_names[DESTINATION_KEPT_COUNT] = {
    [DESTINATION_WHOLE] = "whole",
    [DESTINATION_DOMAIN] = "domain",
    [DESTINATION_NONE] = "none",
};

const char *
destination_kept_name(enum destination_kept kept)
{
	return kept_names[kept];
}

enum destination_kept
destination_kept_find(struct span name)
{
	int i = 0;

	while (i < DESTINATION_KEPT_COUNT && !span_is(name, kept_names[i]))
		i++;
	return (enum destination_kept)i;
}

/* One of them while it is made; `full` goes on where the room ends. */
struct one {
	char text[ENTRY_DESTINATION_MAX];
	size_t used;
	uint64_t full;
};

static void
add_byte(struct one *one, char byte)
{
	if (one->used < sizeof one->text)
		one->text[one->used++] = byte;
	one->full++;
}

static void
add_text(struct one *one, struct span text, bool is_url)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c > 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '*' &&
		    (c != '%' || is_url)) {
			add_byte(one, (char)c);
			continue;
		}
		add_byte(one, '%');
		add_byte(one, digits[c >> 4]);
		add_byte(one, digits[c & 15]);
	}
}

/* Whether it stands there already, between spaces or ends. */
static bool
is_there(const struct destination *d, const struct one *one)
{
	const char *at = d->text, *end;

	for (; *at != '\0'; at = *end == ' ' ? end + 1 : end) {
		end = strchr(at, ' ');
		if (end == NULL)
			end = at + strlen(at);
		if (one->full == (size_t)(end - at) &&
		    memcmp(at, one->text, (size_t)(end - at)) == 0)
			return true;
	}
	return false;
}

static void
take(struct destination *d, const struct one *one)
{
	size_t used = strlen(d->text), lead = used == 0 ? 0 : 1;

	if (one->full == 0 || is_there(d, one))
		return;
	d->full = one->full + lead > UINT32_MAX - d->full
		      ? UINT32_MAX
		      : d->full + (uint32_t)(one->full + lead);
	if (used != 0 && used + lead + one->full > ENTRY_DESTINATION_MAX)
		return;
	if (lead != 0)
		d->text[used++] = ' ';
	memcpy(d->text + used, one->text, one->used);
	d->text[used + one->used] = '\0';
}

/* Where the host begins: behind a scheme and who logs in. */
static struct span
without_user(struct span url, struct span *scheme_out)
{
	const char *slashes = memmem(url.p, url.n, "://", 3);
	size_t start = slashes == NULL ? 0 : (size_t)(slashes - url.p) + 3;
	size_t end = start;

	*scheme_out = (struct span){url.p, start};
	url = (struct span){url.p + start, url.n - start};
	for (end = 0; end < url.n && strchr("/?#", url.p[end]) == NULL; end++)
		continue;
	while (end > 0 && url.p[end - 1] != '@')
		end--;
	return (struct span){url.p + end, url.n - end};
}

static struct span
before(struct span text, const char *ends)
{
	size_t n = 0;

	while (n < text.n &&
	       (text.p[n] == '\0' || strchr(ends, text.p[n]) == NULL))
		n++;
	return (struct span){text.p, n};
}

static void
add_url(struct one *one, struct span url, enum destination_kept kept)
{
	struct span scheme, rest = before(without_user(url, &scheme), "?#");
	struct span host = before(rest, "/");

	add_text(one, scheme, true);
	add_text(one, kept == DESTINATION_WHOLE ? rest : host, true);
	if (kept != DESTINATION_WHOLE) {
		add_byte(one, '/');
		add_byte(one, '*');
	}
}

static void
add_domain(struct one *one, struct span address)
{
	size_t at = address.n;

	add_byte(one, '*');
	while (at > 0 && address.p[at - 1] != '@')
		at--;
	if (at == 0)
		return;
	add_byte(one, '@');
	add_text(one, (struct span){address.p + at, address.n - at}, false);
}

/* Of what has no domain, and is not to be there whole, there is nothing. */
static void
add_value(struct destination *d, enum destination_kept kept,
    enum value_type type, struct span raw)
{
	char form[VALUE_BYTES];
	struct one one = {.used = 0};
	size_t n;

	if (type == VALUE_NAME || type == VALUE_TEXT)
		type = value_shape(raw);
	n = value_canonical(type, raw, form);
	if (n != 0)
		raw = (struct span){form, n};
	if (kept == DESTINATION_NONE)
		add_byte(&one, '*');
	else if (type == VALUE_URL)
		add_url(&one, raw, kept);
	else if (kept == DESTINATION_WHOLE)
		add_text(&one, raw, false);
	else if (type == VALUE_ADDRESS)
		add_domain(&one, raw);
	else
		add_byte(&one, '*');
	take(d, &one);
}

/* Each leaf of an argument, as limits count them. */
static void
add_leaves(struct destination *d, enum destination_kept kept,
    enum value_type type, const struct json_doc *doc,
    const struct json_node *node)
{
	const struct json_node *end = doc->nodes + node->next;

	for (; node < end; node++)
		if (node->type == JSON_STRING && node->value.string.n != 0)
			add_value(d, kept, type, node->value.string);
		else if (node->type == JSON_INTEGER || node->type == JSON_REAL)
			add_value(d, kept, type, json_raw(doc, node));
}

static void
add_target(struct destination *d, const struct capability *c,
    const struct json_doc *doc, const struct json_node *arguments)
{
	struct one one = {.used = 0};
	struct buf target;

	if (c->kind->target == NULL)
		return;
	buf_init(&target, TARGET_BYTES);
	c->kind->target(c->settings, c->method, doc, arguments, &target);
	if (c->destination == DESTINATION_WHOLE)
		add_text(&one, (struct span){target.data, target.len}, false);
	else if (target.len != 0)
		add_byte(&one, '*');
	buf_free(&target);
	take(d, &one);
}

void
destination_of(const struct capability *c, const struct json_doc *doc,
    const struct json_node *arguments, struct destination *out)
{
	const struct json_node *key;

	out->text[0] = '\0';
	out->full = 0;
	if (arguments->type != JSON_OBJECT)
		return;
	for (key = json_first(doc, arguments); key != NULL;
	     key = json_next(doc, arguments, key)) {
		const struct kind_argument *row =
		    kind_argument_of(c->effects, key->value.string);

		if (row->role == ARGUMENT_DESTINATION)
			add_leaves(out, c->destination, row->type, doc,
			    json_value(key));
	}
	if (out->full == 0)
		add_target(out, c, doc, arguments);
}

struct span
destination_host(struct span text, struct span *port_out)
{
	size_t at = text.n;

	*port_out = (struct span){NULL, 0};
	while (at > 0 && is_digit(text.p[at - 1]))
		at--;
	if (at < 2 || at == text.n || text.p[at - 1] != ':')
		return text;
	*port_out = (struct span){text.p + at, text.n - at};
	return (struct span){text.p, at - 1};
}
