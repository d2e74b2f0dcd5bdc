/*
 * Drive: html_tokens. Reads lines "STATE NAME HEX" from standard input and
 * answers each with the tokens of our tokenizer on one line: STATE is data,
 * rcdata, rawtext, script, plaintext or cdata; NAME the last start tag, "-"
 * for none; HEX the input's bytes. Tokens are separated by blanks, the strings
 * of a token by commas, all of them in hexadecimal behind a letter: S start
 * tag with its name and then names and values of attributes, / behind it if it
 * closes itself, E end tag, C comment, D doctype, T text, U what is no tag.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/buf.h"
#include "reader/html_ascii.h"
#include "reader/html_entity.h"
#include "reader/html_token.h"

#define INPUT_BYTES (1u << 20)

static const char *const attr_names[ATTR_COUNT] = {
#define ATTR(name, text, reason) text,
#include "reader/html_attr.def"
#undef ATTR
};

static const struct {
	const char *name, *before;
	enum html_mode mode;
} states[] = {
    {"data", "", MODE_DATA},
    {"rcdata", "", MODE_RCDATA},
    {"rawtext", "", MODE_RAWTEXT},
    {"script", "", MODE_SCRIPT},
    {"plaintext", "", MODE_PLAINTEXT},
    {"cdata", "<![CDATA[", MODE_DATA},
};

static void
put(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		printf("%02x", (unsigned char)text.p[i]);
}

static void
put_attribute(struct span name, struct span value, struct buf *scratch)
{
	putchar(',');
	put(name);
	putchar(',');
	put(entity_decode(value, scratch));
}

/* Text with its references worked out, as html.c does. */
static void
put_text(const struct html_token *token)
{
	struct span text = token->text;
	size_t i = 0;

	while (i < text.n) {
		char out[ENTITY_TEXT_BYTES] = "&";
		size_t length = 1, used = 0;

		if (token->coded && text.p[i] == '&')
			used = entity_parse(
			    text.p + i, text.n - i, false, out, &length);
		put(used == 0 ? (struct span){text.p + i, 1}
			      : (struct span){out, length});
		i += used == 0 ? 1 : used;
	}
}

static void
put_start(const struct html_token *token, struct buf *scratch)
{
	put(token->name);
	for (unsigned i = 0; i < ATTR_COUNT; i++) {
		const struct span *value =
		    html_token_attr(token, (enum html_attr)i);

		if (value != NULL)
			put_attribute(span_of(attr_names[i]), *value, scratch);
	}
	for (unsigned i = 0; i < token->others; i++)
		put_attribute(
		    token->other[i].name, token->other[i].value, scratch);
	if (token->self_closing)
		putchar('/');
}

static void
put_token(const struct html_token *token, struct buf *scratch)
{
	static const char letters[] = {'.', 'T', 'S', 'E', 'C', 'C', 'D', 'U'};

	printf(" %c", letters[token->type]);
	if (token->type == TOKEN_TEXT)
		put_text(token);
	else if (token->type == TOKEN_START)
		put_start(token, scratch);
	else if (token->type == TOKEN_STOP)
		put(token->name);
	else if (token->type == TOKEN_BOGUS && token->text.p[-1] == '?')
		put((struct span){token->text.p - 1, token->text.n + 1});
	else
		put(token->text);
}

/* Bytes from hexadecimal digits, behind what is in `out`. */
static void
read_hex(const char *hex, struct buf *out)
{
	for (; ascii_hex(hex[0]) >= 0 && ascii_hex(hex[1]) >= 0; hex += 2)
		(void)buf_add_byte(
		    out, (char)(ascii_hex(hex[0]) * 16 + ascii_hex(hex[1])));
}

static void
one_case(const char *state, const char *name, const char *hex)
{
	struct html_token token = {.name = span_of(name)};
	struct html_tokenizer tokens;
	struct buf input, scratch;

	buf_init(&input, INPUT_BYTES);
	buf_init(&scratch, INPUT_BYTES * 2);
	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
		if (strcmp(states[i].name, state) != 0)
			continue;
		(void)buf_add_text(&input, states[i].before);
		read_hex(hex, &input);
		html_tokenizer_init(
		    &tokens, (struct span){input.data, input.len});
		tokens.cdata = states[i].before[0] != '\0';
		html_token_mode(&tokens, &token, states[i].mode);
		while (html_token_next(&tokens, &token))
			put_token(&token, &scratch);
	}
	putchar('\n');
	buf_free(&input);
	buf_free(&scratch);
}

int
main(void)
{
	char *line = alloc_bytes(INPUT_BYTES);

	while (fgets(line, INPUT_BYTES, stdin) != NULL) {
		char *state = strtok(line, " \n");
		char *name = strtok(NULL, " \n");
		char *hex = strtok(NULL, " \n");

		if (name != NULL)
			one_case(state, strcmp(name, "-") == 0 ? "" : name,
			    hex == NULL ? "" : hex);
	}
	free(line);
	return 0;
}
