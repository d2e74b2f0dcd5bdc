/*
 * GMime alone: each mail parsed from its file, its people and subject read,
 * its texts decoded to UTF-8, everything else decoded to nowhere. What no
 * reader on top of that library can do without.
 *
 * usage: peer_gmime FILE...
 */
#include <err.h>
#include <fcntl.h>
#include <gmime/gmime.h>
#include <stdio.h>
#include <string.h>

#include "tests/bench/bench.h"

static size_t text_bytes;

static void
take_part(GMimeObject *parent, GMimeObject *part, gpointer context)
{
	(void)parent;
	(void)context;
	if (GMIME_IS_TEXT_PART(part)) {
		char *text = g_mime_text_part_get_text(GMIME_TEXT_PART(part));

		text_bytes += text == NULL ? 0 : strlen(text);
		g_free(text);
	} else if (GMIME_IS_PART(part)) {
		GMimeDataWrapper *content =
		    g_mime_part_get_content(GMIME_PART(part));
		GMimeStream *nowhere = g_mime_stream_null_new();

		if (content != NULL)
			g_mime_data_wrapper_write_to_stream(content, nowhere);
		g_object_unref(nowhere);
	}
}

static void
take_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	GMimeStream *stream;
	GMimeParser *parser;
	GMimeMessage *mail;

	if (fd < 0)
		err(1, "%s", path);
	stream = g_mime_stream_fs_new(fd);
	parser = g_mime_parser_new_with_stream(stream);
	mail = g_mime_parser_construct_message(parser, NULL);
	if (mail != NULL) {
		g_mime_message_get_subject(mail);
		g_object_unref(g_mime_message_get_all_recipients(mail));
		g_mime_message_foreach(mail, take_part, NULL);
		g_object_unref(mail);
	}
	g_object_unref(parser);
	g_object_unref(stream);
}

int
main(int argc, char **argv)
{
	struct bench bench;

	g_mime_init();
	bench_begin(&bench, 1);
	for (int i = 1; i < argc; i++)
		take_file(argv[i]);
	bench_end(&bench, (size_t)(argc - 1));
	fprintf(stderr, "%zu bytes of text\n", text_bytes);
	return 0;
}
