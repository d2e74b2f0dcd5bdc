/*
 * Outlook's container (application/ms-tnef, "winmail.dat"; MS-OXTNEF): the
 * files in it and the text of the message. Nothing else of it is looked at.
 */
#ifndef TRIZONE_READER_TNEF_H
#define TRIZONE_READER_TNEF_H

#include <stdbool.h>

#include "common/text.h"

/* What is found, in order. Names and texts are any bytes in the character set
 * that the label names ("windows-1252", "utf-16le"). All spans are views into
 * the container. */
struct tnef_taker {
	void *with;
	void (*file)(
	    void *with, struct span name, struct span label, struct span bytes);
	void (*text)(void *with, struct span text, struct span label);
	void (*rtf)(void *with, struct span compressed);
};

#define TNEF_FILES 1000 /* of one container, RTF too; no others are given */
#define TNEF_PROPERTIES 2000 /* of one list; one of Outlook has some 100 */

/* Read a container. False if something in it is not as it has to be: what was
 * found has been given nevertheless, behind a wrong checksum or property list
 * too, up to a length that does not fit. Linear, without memory of its own. */
bool tnef_read(struct span bytes, const struct tnef_taker *taker);

#endif
