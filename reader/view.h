#ifndef TRIZONE_READER_VIEW_H
#define TRIZONE_READER_VIEW_H
#include "reader/fold.h"
enum view { VIEW_JOINED, VIEW_COUNT };
const char *view_name(enum view view);
typedef void (*view_take)(void *with, enum view view, struct span decoded, size_t start, size_t end);
void view_each(struct span text, const struct fold *fold, view_take take, void *with);
#endif
