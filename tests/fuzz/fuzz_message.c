/*
 * Frames and messages: any bytes as a stream of frames, each parsed as if it
 * came from every side.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/limits.h"
#include "proto/frame.h"
#include "proto/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum side sides[] = {SIDE_EXECUTOR, SIDE_PLANNER,
	    SIDE_READER, SIDE_DELIVER, SIDE_OPERATOR};
	struct frame_reader reader;
	struct json_error where;
	struct message message;
	struct json_doc doc;
	struct span frame;
	char text[400], *to;

	if (size > FRAME_MAX_BYTES)
		return 0;
	frame_reader_init(&reader);
	json_init(&doc);
	to = frame_reader_room(&reader, size);
	if (size != 0)
		memcpy(to, data, size);
	reader.in.len += size;
	while (frame_next(&reader, &frame) == 1) {
		for (size_t i = 0; i < sizeof sides / sizeof sides[0]; i++) {
			enum side to_side =
			    i == 0 ? SIDE_READER : SIDE_EXECUTOR;

			if (message_parse(frame, sides[i], to_side, &doc,
				&message, &where) != 0)
				json_error_text(&where, text, sizeof text);
		}
	}
	json_done(&doc);
	frame_reader_done(&reader);
	return 0;
}
