/*
 * Words of mixed alphabets. Pure; runs in the broker on text for people.
 */
#include "executor/confusable.h"

#include <string.h>

enum {
	SCRIPT_LATIN = 1,
	SCRIPT_GREEK = 2,
	SCRIPT_CYRILLIC = 4,
	SCRIPT_ARMENIAN = 8,
	SCRIPT_CHEROKEE = 16,
	SCRIPT_STYLED = 32 /* alone is enough */
};

/* Blocks of Unicode, ascending; see Scripts.txt there. */
static const struct {
	uint32_t first, last;
	unsigned script;
} blocks[] = {
    {0x41, 0x5a, SCRIPT_LATIN},
    {0x61, 0x7a, SCRIPT_LATIN},
    {0xc0, 0x2af, SCRIPT_LATIN},
    {0x370, 0x3ff, SCRIPT_GREEK},
    {0x400, 0x52f, SCRIPT_CYRILLIC},
    {0x531, 0x58f, SCRIPT_ARMENIAN},
    {0x13a0, 0x13ff, SCRIPT_CHEROKEE},
    {0x1c80, 0x1c8f, SCRIPT_CYRILLIC},
    {0x1d00, 0x1dbf, SCRIPT_LATIN},
    {0x1e00, 0x1eff, SCRIPT_LATIN},
    {0x1f00, 0x1fff, SCRIPT_GREEK},
    {0x2c60, 0x2c7f, SCRIPT_LATIN},
    {0x2de0, 0x2dff, SCRIPT_CYRILLIC},
    {0xa640, 0xa69f, SCRIPT_CYRILLIC},
    {0xa720, 0xa7ff, SCRIPT_LATIN},
    {0xab30, 0xab6f, SCRIPT_LATIN},
    {0xab70, 0xabbf, SCRIPT_CHEROKEE},
    {0xff21, 0xff3a, SCRIPT_STYLED},
    {0xff41, 0xff5a, SCRIPT_STYLED},
    {0x1d400, 0x1d7ff, SCRIPT_STYLED},
};

static unsigned
script_of(uint32_t code)
{
	for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
		if (code >= blocks[i].first && code <= blocks[i].last)
			return blocks[i].script;
	return 0;
}

/* What does not end a word. */
static bool
joins(uint32_t code)
{
	return (code >= '0' && code <= '9') ||
	       (code < 0x80 && code != 0 && strchr("._-@+", (int)code) != NULL);
}

static bool
is_odd(unsigned scripts)
{
	return (scripts & SCRIPT_STYLED) != 0 || (scripts & (scripts - 1)) != 0;
}

bool
confusable_find(struct span text, struct span *word_out)
{
	unsigned scripts = 0, script;
	size_t start = 0, length;
	uint32_t code;

	for (size_t i = 0; i < text.n; i += length) {
		length = utf8_decode(text.p + i, text.n - i, &code);
		if (length == 0)
			return false;
		script = script_of(code);
		scripts |= script;
		if (script != 0 || joins(code))
			continue;
		if (is_odd(scripts)) {
			*word_out = (struct span){text.p + start, i - start};
			return true;
		}
		scripts = 0;
		start = i + length;
	}
	*word_out = (struct span){text.p + start, text.n - start};
	return is_odd(scripts);
}

bool
text_is_ascii(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] > 0x7e)
			return false;
	return true;
}
