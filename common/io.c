/*
 * Reading to the end, writing to the end. Used by filters and commands.
 */
#include "common/io.h"

#include <errno.h>
#include <unistd.h>

#include "common/err.h"

#define READ_BYTES 65536

/* The bound is reached; is that all? One byte more would be too much. */
static int
at_end(int fd)
{
	char byte;
	ssize_t got;

	do {
		got = read(fd, &byte, 1);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -ERR_IO;
	return got == 0 ? 0 : -ERR_TOO_LARGE;
}

int
io_read_all(int fd, struct buf *out)
{
	for (;;) {
		size_t room = out->max - out->len;
		ssize_t got;
		char *to;

		if (room == 0)
			return at_end(fd);
		if (room > READ_BYTES)
			room = READ_BYTES;
		to = buf_reserve(out, room);
		got = read(fd, to, room);
		if (got == 0)
			return 0;
		if (got > 0)
			out->len += (size_t)got;
		else if (errno != EINTR)
			return -ERR_IO;
	}
}

int
io_write_all(int fd, struct span text)
{
	while (text.n > 0) {
		ssize_t put = write(fd, text.p, text.n);

		if (put < 0 && errno != EINTR)
			return -ERR_IO;
		if (put > 0) {
			text.p += put;
			text.n -= (size_t)put;
		}
	}
	return 0;
}
