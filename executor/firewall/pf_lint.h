/*
 * What is wrong with rules of pf that load: its parser takes them, and they do
 * not do what they seem to. Of pf as macOS has it. Pure; sound rather than
 * complete, of one file by itself.
 */
#ifndef TRIZONE_EXECUTOR_FIREWALL_PF_LINT_H
#define TRIZONE_EXECUTOR_FIREWALL_PF_LINT_H

#include "common/text.h"

/* Call `found` for each thing; the text lives for the call. Reported: a table
 * that is not defined, or defined twice; a rule that an earlier quick one
 * leaves nothing; a block that a later pass takes back, as it is not quick; an
 * interface that does not exist as such (wildcards, groups); an empty list; an
 * owner of what has none; a name in the place of an address. */
void pf_lint(struct span text,
    void (*found)(void *context, unsigned line, const char *text),
    void *context);

#endif
