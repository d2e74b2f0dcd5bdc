/*
 * Allocation that cannot fail. Used by every process.
 */
#include "common/alloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"

void *
alloc_bytes(size_t bytes)
{
	return alloc_array(bytes == 0 ? 1 : bytes, 1);
}

void *
alloc_array(size_t count, size_t size)
{
	void *memory = calloc(count == 0 ? 1 : count, size);

	if (memory == NULL)
		die(EXIT_SYSTEM, "out of memory for %zu x %zu bytes", count,
		    size);
	return memory;
}

void *
alloc_resize(void *old, size_t count, size_t size)
{
	void *memory;

	if (size != 0 && count > SIZE_MAX / size)
		die(EXIT_SYSTEM, "allocation of %zu x %zu overflows", count,
		    size);
	memory = realloc(old, count * size == 0 ? 1 : count * size);
	if (memory == NULL)
		die(EXIT_SYSTEM, "out of memory for %zu x %zu bytes", count,
		    size);
	return memory;
}

char *
alloc_text(const char *text, size_t bytes)
{
	char *copy = alloc_resize(NULL, bytes + 1, 1);

	if (bytes != 0)
		memcpy(copy, text, bytes);
	copy[bytes] = '\0';
	return copy;
}

char *
alloc_string(const char *text)
{
	return alloc_text(text, strlen(text));
}

char *
alloc_format(const char *format, ...)
{
	va_list ap;
	char *text;
	int length;

	va_start(ap, format);
	length = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	if (length < 0)
		bug("format %s", format);
	text = alloc_bytes((size_t)length + 1);
	va_start(ap, format);
	vsnprintf(text, (size_t)length + 1, format, ap);
	va_end(ap);
	return text;
}

void
wipe(void *memory, size_t bytes)
{
	volatile unsigned char *p = memory;

	while (bytes-- > 0)
		*p++ = 0;
}
