/*
 * Text made inert. Pure; used by couriers on what files hold and on what
 * planners say. Believes nothing but that the text is valid UTF-8.
 */
#include "executor/inert.h"

#include <string.h>

#include "common/err.h"
#include "common/invisible.h"

#define REPLACEMENT 0xfffdu
#define CONTROL_PICTURES 0x2400u
#define DELETE_PICTURE 0x2421u

/* The character to show for `code`. */
static uint32_t
inert_code(uint32_t code, bool lines)
{
	if (code < 0x20)
		return lines && (code == '\t' || code == '\n')
			   ? code
			   : CONTROL_PICTURES + code;
	if (code < 0x7f)
		return code;
	if (code == 0x7f)
		return DELETE_PICTURE;
	return invisible_class(code) == INVISIBLE_NOT ? code : REPLACEMENT;
}

int
inert_add(struct buf *out, struct span text, bool lines, size_t *replaced_out)
{
	uint32_t code, shown;
	size_t length, replaced = 0;
	char encoded[4];
	int rc = 0;

	for (size_t i = 0; i < text.n && rc == 0; i += length) {
		length = utf8_decode(text.p + i, text.n - i, &code);
		if (length == 0)
			bug("inert_add: text is not UTF-8");
		shown = inert_code(code, lines);
		if (shown != code)
			replaced++;
		rc = buf_add(out, encoded, utf8_encode(shown, encoded));
	}
	if (rc == 0)
		*replaced_out += replaced;
	return rc;
}

void
inert_add_escaped(struct buf *out, struct span text, const char *special)
{
	size_t start = 0, replaced = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\0' || strchr(special, text.p[i]) == NULL)
			continue;
		inert_add(out, (struct span){text.p + start, i - start}, false,
		    &replaced);
		buf_add_byte(out, '\\');
		start = i;
	}
	inert_add(out, (struct span){text.p + start, text.n - start}, false,
	    &replaced);
}
