/*
 * config.json: any bytes are a configuration or an error with its place.
 */
#include <stddef.h>
#include <stdint.h>

#include "executor/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *config = NULL;
	struct json_error where;
	struct buf out;
	char text[512];

	buf_init(&out, 1u << 20);
	if (config_parse((struct span){(const char *)data, size}, "/etc",
		&config, &where) == 0) {
		config_print(config, &out);
		config_print_json(config, &out);
	} else {
		config_error_text("config.json", &where, text, sizeof text);
	}
	config_free(config);
	buf_free(&out);
	return 0;
}
