/*
 * Characters that nobody sees, or that make others be seen elsewhere. One
 * table for all who show, copy or check hostile text, so that they agree.
 */
#ifndef TRIZONE_COMMON_INVISIBLE_H
#define TRIZONE_COMMON_INVISIBLE_H

#include <stdint.h>

enum invisible {
	INVISIBLE_NOT,	      /* has ink or width; blanks too */
	INVISIBLE_BREAK,      /* ends a line */
	INVISIBLE_CONTROL,    /* other controls, noncharacters */
	INVISIBLE_ZERO_WIDTH, /* joiners, fillers, soft hyphen */
	INVISIBLE_BIDI,	      /* changes the direction of others */
	INVISIBLE_VARIATION,  /* chooses the shape of the one before */
	INVISIBLE_TAG	      /* spells ASCII that is not shown */
};

/* The same as below of what is not printable ASCII. */
enum invisible invisible_find(uint32_t code);

/* What a code point is: all of Default_Ignorable_Code_Point of Unicode, the
 * controls (tab among them), line ends and noncharacters are not _NOT. */
static inline enum invisible
invisible_class(uint32_t code)
{
	return code >= 0x20 && code < 0x7f ? INVISIBLE_NOT
					   : invisible_find(code);
}

#endif
