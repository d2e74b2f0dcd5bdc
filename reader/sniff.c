/*
 * What an attachment is by its first bytes. Pure; the bytes are hostile.
 */
#include "reader/sniff.h"

#include <string.h>
#include <strings.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

enum sort { PLAIN, MEDIA, SHOWS, HOLDS, RUNS };

static const struct {
	size_t offset;
	const char *bytes;
	size_t n;
	const char *type;
	enum sort sort;
} magics[] = {
#define MAGIC(offset, bytes, type, sort)                                       \
	{offset, bytes, sizeof(bytes) - 1, type, sort},
#include "reader/sniff.def"
#undef MAGIC
};

/* Types that are found by more than a few bytes. */
static const struct {
	const char *type;
	enum sort sort;
} others[] = {
    {"application/vnd.microsoft.portable-executable", RUNS},
    {"application/x-msdos-program", RUNS},
    {"application/java-archive", RUNS},
    {"application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	SHOWS},
    {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	SHOWS},
    {"application/vnd.openxmlformats-officedocument.presentationml."
     "presentation",
	SHOWS},
    {"application/vnd.openxmlformats-officedocument", SHOWS},
    {"application/vnd.oasis.opendocument", SHOWS},
    {"text/html", SHOWS},
    {"image/svg+xml", SHOWS},
    {"text/xml", SHOWS},
    {"message/rfc822", HOLDS},
};

static bool
has(struct span head, size_t at, const char *bytes, size_t n)
{
	return head.n >= at + n && memcmp(head.p + at, bytes, n) == 0;
}

static bool
holds(struct span head, const char *word)
{
	return memmem(head.p, head.n, word, strlen(word)) != NULL;
}

/* A zip file by the names of its first members. */
static const char *
sort_of_zip(struct span head)
{
	if (holds(head, "mimetypeapplication/vnd.oasis.opendocument"))
		return "application/vnd.oasis.opendocument";
	if (holds(head, "META-INF/MANIFEST.MF"))
		return "application/java-archive";
	if (holds(head, "word/"))
		return "application/vnd.openxmlformats-officedocument."
		       "wordprocessingml.document";
	if (holds(head, "xl/"))
		return "application/vnd.openxmlformats-officedocument."
		       "spreadsheetml.sheet";
	if (holds(head, "ppt/"))
		return "application/vnd.openxmlformats-officedocument."
		       "presentationml.presentation";
	if (holds(head, "[Content_Types].xml"))
		return "application/vnd.openxmlformats-officedocument";
	return "application/zip";
}

/* "MZ": the place of the newer header is in the old one. */
static const char *
sort_of_mz(struct span head)
{
	size_t at = 0;

	for (size_t i = 0; i < 4 && head.n >= 64; i++)
		at |= (size_t)(unsigned char)head.p[60 + i] << (8 * i);
	if (at < head.n && has(head, at, "PE\0\0", 4))
		return "application/vnd.microsoft.portable-executable";
	return "application/x-msdos-program";
}

/* Whether the text, behind blanks and a byte order mark, begins so in any
 * case, and the word ends there. */
static bool
begins(struct span text, const char *word)
{
	size_t n = strlen(word);

	return text.n > n && strncasecmp(text.p, word, n) == 0 &&
	       strchr(" \t\r\n>/!", text.p[n]) != NULL;
}

/* Without a mark of its encoding and what is blank for HTML. */
static struct span
html_start(struct span text)
{
	if (span_starts(text, "\xef\xbb\xbf"))
		text = (struct span){text.p + 3, text.n - 3};
	while (text.n != 0 && (strchr(" \t\r\n\f", text.p[0]) != NULL))
		text = (struct span){text.p + 1, text.n - 1};
	return text;
}

static bool
is_html(struct span text)
{
	static const char *const words[] = {"<!doctype html", "<html", "<head",
	    "<body", "<script", "<iframe", "<table", "<div", "<style", "<a",
	    "<p", "<meta", "<title", "<h1", "<br", "<img", "<form"};

	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (begins(text, words[i]))
			return true;
	return false;
}

/* A mail: its first line is a field that mails begin with. */
static bool
is_mail(struct span text)
{
	static const char *const fields[] = {
	    "Return-Path:", "Received:", "From:", "Message-ID:",
	    "MIME-Version:", "Delivered-To:", "X-Mozilla-Status:"};

	for (size_t i = 0; i < COUNT_OF(fields); i++)
		if (text.n > strlen(fields[i]) &&
		    strncasecmp(text.p, fields[i], strlen(fields[i])) == 0)
			return holds(text, "\nSubject:") ||
			       holds(text, "\nFrom:") || holds(text, "\nDate:");
	return false;
}

/* No control characters but those of text. */
static bool
is_text(struct span head)
{
	for (size_t i = 0; i < head.n; i++) {
		unsigned char c = (unsigned char)head.p[i];

		if (c < 0x20 && (c == 0 || strchr("\t\n\r\f\x1b", c) == NULL))
			return false;
	}
	return true;
}

static const char *
sort_of_text(struct span head)
{
	struct span text = html_start(head);

	if (!is_text(head))
		return "application/octet-stream";
	if (is_html(text))
		return "text/html";
	if (begins(text, "<svg") ||
	    (begins(text, "<?xml") && holds(text, "<svg")))
		return "image/svg+xml";
	if (begins(text, "<?xml"))
		return holds(text, "<html") ? "text/html" : "text/xml";
	return is_mail(text) ? "message/rfc822" : "text/plain";
}

const char *
sniff_type(struct span head)
{
	if (head.n > SNIFF_BYTES)
		head.n = SNIFF_BYTES;
	for (size_t i = 0; i < COUNT_OF(magics); i++) {
		if (!has(head, magics[i].offset, magics[i].bytes, magics[i].n))
			continue;
		if (strcmp(magics[i].type, "application/zip") == 0)
			return sort_of_zip(head);
		return magics[i].type;
	}
	if (has(head, 0, "MZ", 2) && !is_text(head))
		return sort_of_mz(head);
	return sort_of_text(head);
}

static enum sort
sort_of(const char *type)
{
	for (size_t i = 0; i < COUNT_OF(magics); i++)
		if (strcmp(type, magics[i].type) == 0)
			return magics[i].sort;
	for (size_t i = 0; i < COUNT_OF(others); i++)
		if (strcmp(type, others[i].type) == 0)
			return others[i].sort;
	return PLAIN;
}

static bool
starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Whether a type says that it is only looked at or listened to. */
static bool
is_harmless_type(const char *type)
{
	static const char *const active[] = {"image/svg", "text/html",
	    "text/xml", "text/x-", "text/rfc822", "text/javascript", "text/rtf",
	    "text/richtext", "text/vbscript"};

	for (size_t i = 0; i < COUNT_OF(active); i++)
		if (starts(type, active[i]))
			return false;
	return starts(type, "image/") || starts(type, "audio/") ||
	       starts(type, "video/") || starts(type, "text/") ||
	       starts(type, "application/pdf");
}

static bool
is_harmless_name(struct span name)
{
	static const char *const ends[] = {".pdf", ".png", ".jpg", ".jpeg",
	    ".gif", ".webp", ".tif", ".tiff", ".bmp", ".txt", ".csv", ".log",
	    ".wav", ".mp3", ".mp4", ".ogg", ".mov"};

	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		size_t n = strlen(ends[i]);

		if (name.n >= n &&
		    strncasecmp(name.p + name.n - n, ends[i], n) == 0)
			return true;
	}
	return false;
}

bool
sniff_differs(const char *claimed, struct span name, const char *sniffed)
{
	return sort_of(sniffed) >= SHOWS && strcmp(claimed, sniffed) != 0 &&
	       (is_harmless_type(claimed) || is_harmless_name(name));
}
