/*
 * Kind `stub`, of tests only: a capability whose effects and arguments are in
 * its settings, so that a policy can be measured over tools that somebody else
 * declared. It has no courier.
 *
 * settings: {"effects": [effect names], "leaves_if": NAME (optional),
 *   "arguments": [{"name","role","type","what" (optional)}]}
 */
#ifndef TRIZONE_TESTS_KIND_STUB_H
#define TRIZONE_TESTS_KIND_STUB_H

#include "executor/kind.h"

extern const struct kind_method kind_stub_methods[1];

int kind_stub_settings_parse(const struct json_doc *doc,
    const struct json_node *node, const struct kind_method *method,
    void **settings_out, struct json_error *where);
void kind_stub_settings_free(void *settings);
void kind_stub_settings_print(
    const void *settings, const struct kind_method *method, struct buf *out);
int kind_stub_check(const void *settings, const struct kind_method *method,
    const struct json_doc *doc, const struct json_node *arguments, char *detail,
    size_t detail_room);
const struct kind_effects *kind_stub_effects(const void *settings);

#endif
