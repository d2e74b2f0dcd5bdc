/*
 * Labels of internationalized domain names (IDNA 2008: RFC 5890 to 5893). Pure,
 * no allocation. The table of characters is idn.def.
 */
#ifndef TRIZONE_EXECUTOR_IDN_H
#define TRIZONE_EXECUTOR_IDN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IDN_LABEL_MAX 63 /* bytes of a label as the DNS has it */

/* One label of a name. Every label of a name that has one written from right
 * to left has to fit a rule (RFC 5893), so that is said of each. */
struct idn_label {
	uint32_t code[IDN_LABEL_MAX];
	size_t count;
	bool right_to_left; /* has a character of that direction */
	bool bidi_fits;	    /* fits the rule */
};

/* Whether `label` (count filled in) is a U-label: at least one character
 * beyond ASCII, NFC, and all that RFC 5891 section 4.2 asks; not its length.
 * Fills in the rest. */
bool idn_check(struct idn_label *label);

/* Bytes of the A-label, "xn--" included; more than IDN_LABEL_MAX if it is too
 * long. Its bytes go to out[IDN_LABEL_MAX] as far as they fit. */
size_t idn_encode(const struct idn_label *label, char *out);

/* The characters of an A-label of lower-case ASCII, `bytes` long. False if it
 * is not one that idn_encode could have made. */
bool idn_decode(const char *text, size_t bytes, struct idn_label *label);

#endif
