/*
 * Fuzz driver: any bytes as a segment file of decision inputs. What is read is
 * bounded, and written again gives the bytes that were there.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "executor/inputs_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
check_rows(int fd, uint64_t at, const uint8_t *data, size_t size)
{
	unsigned char bytes[INPUTS_ROW_BYTES];
	struct inputs_row row;

	while (inputs_row_read(fd, at, &row) == 1) {
		must(row.sealed_bytes <= INPUTS_SEALED_MAX);
		must(at + INPUTS_ROW_BYTES + row.sealed_bytes <= size);
		inputs_row_write(&row, bytes);
		must(memcmp(bytes, data + at, sizeof bytes) == 0);
		at += INPUTS_ROW_BYTES + row.sealed_bytes;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned char bytes[INPUTS_HEAD_MAX];
	static struct inputs_segment segment;
	uint64_t rows;
	int fd = memfd_create("segment", MFD_CLOEXEC);

	must(fd >= 0 && (size == 0 || write(fd, data, size) == (ssize_t)size));
	if (inputs_segment_read(fd, &segment, &rows) == 0) {
		must(rows <= size);
		must(inputs_segment_write(&segment, bytes) == rows);
		must(memcmp(bytes, data, rows) == 0);
		check_rows(fd, rows, data, size);
	}
	check_rows(fd, 0, data, size);
	close(fd);
	return 0;
}
