/*
 * Fuzz driver: any bytes as each format, and as a URI beside another. Every
 * host name without a reserved label is an international one too; lengths are
 * bounded, an answer is the same twice.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "executor/format.h"
#include "executor/idn.h"
#include "executor/uri.h"

#define OUT_BYTES (1u << 16)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"email", "uri", "hostname", "idn-hostname",
    "ipv4", "ipv6", "date-time", "date", "uuid", "json-pointer"};

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static bool
fits(const char *name, struct span text)
{
	const struct format *format =
	    format_find((struct span){name, strlen(name)});

	must(format != NULL &&
	     format_work(format, text) <= ((uint64_t)text.n + 1) * 64);
	return format->check(text);
}

static void
check_label(struct span text)
{
	struct idn_label label, again;
	char bytes[IDN_LABEL_MAX];
	size_t n;

	if (text.n > IDN_LABEL_MAX || !idn_decode(text.p, text.n, &label))
		return;
	must(label.count <= IDN_LABEL_MAX);
	n = idn_encode(&label, bytes);
	must(n == text.n && memcmp(bytes, text.p, n) == 0);
	again = label;
	must(idn_check(&label) == idn_check(&again));
}

static void
check_uri(struct span base, struct span reference)
{
	struct buf out;

	buf_init(&out, OUT_BYTES);
	if (uri_resolve(&out, base, reference) == 0)
		must(out.len <= base.n + reference.n + 8);
	buf_clear(&out);
	if (uri_decode(&out, reference) == 0)
		must(out.len <= reference.n);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = {(const char *)data, size};
	size_t half = size / 2;

	if (size == 0 || !utf8_check(text.p, text.n))
		return 0;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		must(fits(names[i], text) == fits(names[i], text));
	if (memmem(text.p, text.n, "--", 2) == NULL && fits("hostname", text))
		must(fits("idn-hostname", text));
	check_label(text);
	check_uri((struct span){text.p, half},
	    (struct span){text.p + half, size - half});
	return 0;
}
