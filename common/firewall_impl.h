/*
 * Inside the firewall: listings, and the system's programs. The folders of
 * the latter can be set by tests, and by nothing else.
 */
#ifndef TRIZONE_COMMON_FIREWALL_IMPL_H
#define TRIZONE_COMMON_FIREWALL_IMPL_H

#include "common/firewall.h"
#include "common/text.h"

#define FIREWALL_FILE "/etc/trizone/zone.nft" /* what nft loads at boot */

/* The marks around our line in the main file of nft. */
#define FIREWALL_MARK_BEGIN "# trizone: begin"
#define FIREWALL_MARK_END "# trizone: end"

struct firewall_tools {
	const char *const *folders; /* NULL ends it */
	int deadline_ms;
};
extern struct firewall_tools firewall_tools;

#define TOOL_WORDS 12 /* a name, arguments, NULL */

/* Run the first words[0] found in the folders. 0 if it ended with status 0;
 * else -ERR_UNAVAILABLE, and `reason` has the tool's name and the first line
 * it wrote to standard error, inert. `out` may be NULL. */
int firewall_tool(const char *const words[], struct span input, struct buf *out,
    char *reason, size_t room);

/* Append the canonical form of a listing: no indentation and no empty lines;
 * of iptables-save no counters and not its head and tail line. */
void firewall_canonical(
    enum firewall_backend backend, struct span listing, struct buf *out);

/* Append the canonical listing of one loader that has loaded `want`. */
void firewall_listing(enum firewall_backend backend,
    const struct firewall *want, struct buf *out);

/* Bytes that both begin with, as whole lines. */
size_t firewall_alike(struct span is, struct span wanted);

/* 0 if both are the same; else -ERR_UNAVAILABLE, and in `reason` the first line
 * of each that is not, inert. */
int firewall_compare(const char *lister, struct span is, struct span wanted,
    char *reason, size_t room);

/* The first line of `text`, which then begins behind it. False: none left. */
bool firewall_line(struct span *text, struct span *line_out);

/* A line for people: printable ASCII, cut to `room`. */
void firewall_inert(struct span line, char *out, size_t room);

/* Append `old` without the lines from each `begin` to the next `end`, and the
 * line feed it may lack. -ERR_SYNTAX if a `begin` has none before the next. */
int firewall_without(
    struct span old, const char *begin, const char *end, struct buf *out);

/* Replace a file of the operator's below the folder `root` by what `edit` makes
 * of it, as firewall_save does. `edit` gets what is there, or nothing, and
 * appends the whole new text; its error ends it. Says what was done in
 * `said`. */
int firewall_edit(const char *root, const char *path,
    int (*edit)(void *data, struct span old, struct buf *out), void *data,
    struct buf *said, char *reason, size_t room);

#endif
