/*
 * Rows and mails to segments and features, by the reader's own code.
 */
#include "tools/detect_data.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/io.h"
#include "common/limits.h"
#include "reader/limits.h"
#include "reader/mail.h"
#include "reader/row.h"

#define FILE_BYTES (256u << 20)

static void
read_file(const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || io_read_all(fd, out) != 0)
		die_errno("read %s", path);
	close(fd);
}

static void
add_member(struct buf *out, const struct json_doc *doc, const char *key)
{
	const struct json_node *node = json_get(doc, json_root(doc), key);

	if (node != NULL && node->type == JSON_STRING)
		(void)buf_add(out, node->value.string.p, node->value.string.n);
}

/* Subject and body of a mail, as the detector gets them. */
static void
text_of_mail(struct span raw, struct buf *out)
{
	struct buf clean, record;
	struct json_doc doc;

	buf_init(&clean, CLEAN_MAX_BYTES);
	buf_init(&record, RECORD_MAX_BYTES);
	json_init(&doc);
	if (mail_clean(raw, &clean, &record) != 0 ||
	    json_parse(
		&doc, (struct span){clean.data, clean.len}, NULL, NULL) != 0)
		die(EXIT_DATA, "a mail did not become an object");
	add_member(out, &doc, "subject");
	(void)buf_add_text(out, "\n\n");
	add_member(out, &doc, "body");
	json_done(&doc);
	buf_free(&clean);
	buf_free(&record);
}

static void
take_features(struct span text, struct example *out)
{
	struct fold fold;
	struct hits hits = {0};
	struct span folded;

	fold_init(&fold, DETECT_TEXT_BYTES * FOLD_GROWTH);
	if (text.n > DETECT_TEXT_BYTES / 4)
		text.n = utf8_prefix(text.p, text.n, DETECT_TEXT_BYTES / 16);
	if (fold_text(&fold, text) != 0)
		die(EXIT_DATA, "%s cannot be folded", out->id);
	folded = (struct span){fold.text.data, fold.text.len};
	segments_cut(folded, &out->segments);
	lexicon_find(folded, false, &hits);
	rules_fire(&hits, &out->segments);
	concepts_find(&hits, &out->segments);
	features_find(folded, &out->segments, &out->features);
	hits_done(&hits);
	fold_done(&fold);
}

static struct example *
new_example(struct examples *e)
{
	if (e->count == e->cap) {
		e->cap = e->cap == 0 ? 1024 : e->cap * 2;
		e->at = alloc_resize(e->at, e->cap, sizeof *e->at);
	}
	e->at[e->count] = (struct example){0};
	return &e->at[e->count++];
}

static unsigned
fold_of(const char *id)
{
	unsigned h = 2166136261u;

	for (; *id != '\0'; id++)
		h = (h ^ (unsigned char)*id) * 16777619u;
	return (h ^ h >> 16) % FOLDS;
}

static const char *
copy(struct span text)
{
	return alloc_text(text.p, text.n);
}

static void
add_row(struct examples *e, struct json_doc *doc, struct span line)
{
	const struct json_node *family;
	struct example *x;
	struct row row;
	struct buf text;

	if (row_read(doc, line, &row, NULL) != 0 || row.label == ROW_UNKNOWN)
		die(EXIT_DATA, "bad row: %.*s", 80, line.p);
	buf_init(&text, FILE_BYTES);
	if (row_is_mail(&row))
		text_of_mail(row.text, &text);
	else
		(void)buf_add(&text, row.text.p, row.text.n);
	family = json_get(doc, json_root(doc), "family");
	x = new_example(e);
	x->id = copy(row.id);
	x->source = copy(row.source);
	x->lang = copy(row.lang);
	x->attack = row.label == ROW_ATTACK;
	x->prompt = row_is_prompt(&row);
	x->job = x->attack && (strcmp(x->source, "bipia") == 0 ||
				  json_is_string(family, "task"));
	x->fold = fold_of(x->id);
	take_features((struct span){text.data, text.len}, x);
	buf_free(&text);
}

void
data_rows(struct examples *e, const char *path)
{
	struct buf file;
	struct json_doc doc;
	struct span rest;

	buf_init(&file, FILE_BYTES);
	json_init(&doc);
	read_file(path, &file);
	rest = (struct span){file.data, file.len};
	while (rest.n != 0) {
		const char *end = memchr(rest.p, '\n', rest.n);
		size_t n = end == NULL ? rest.n : (size_t)(end - rest.p);

		if (n != 0)
			add_row(e, &doc, (struct span){rest.p, n});
		rest.p += end == NULL ? n : n + 1;
		rest.n -= end == NULL ? n : n + 1;
	}
	json_done(&doc);
	buf_free(&file);
}

void
data_folder(struct examples *e, const char *folder)
{
	struct dirent **names;
	int count = scandir(folder, &names, NULL, alphasort);

	if (count < 0)
		die_errno("open %s", folder);
	for (int i = 0; i < count; i++) {
		char *path = alloc_format("%s/%s", folder, names[i]->d_name);

		if (names[i]->d_name[0] != '.')
			data_rows(e, path);
		free(path);
		free(names[i]);
	}
	free(names);
}

static void
add_mail(struct examples *e, const char *path, const char *source)
{
	struct example *x = new_example(e);
	struct buf raw, text;

	buf_init(&raw, FILE_BYTES);
	buf_init(&text, FILE_BYTES);
	read_file(path, &raw);
	text_of_mail((struct span){raw.data, raw.len}, &text);
	x->id = alloc_string(strrchr(path, '/') + 1);
	x->source = source;
	x->lang = "";
	x->fold = fold_of(x->id);
	take_features((struct span){text.data, text.len}, x);
	buf_free(&raw);
	buf_free(&text);
}

/* Depth is that of a folder the operator names. */
void
data_mails(struct examples *e, const char *folder, const char *source)
{
	struct dirent **names;
	int count = scandir(folder, &names, NULL, alphasort);

	if (count < 0)
		die_errno("open %s", folder);
	for (int i = 0; i < count; i++) {
		char *path = alloc_format("%s/%s", folder, names[i]->d_name);
		struct stat st;

		if (names[i]->d_name[0] != '.' && stat(path, &st) == 0) {
			if (S_ISDIR(st.st_mode))
				data_mails(e, path, source);
			else
				add_mail(e, path, source);
		}
		free(path);
		free(names[i]);
	}
	free(names);
}

bool
example_is_own(const struct example *x)
{
	return strcmp(x->source, "self-written") == 0;
}

bool
examples_is_first(const struct examples *e, size_t at, bool by_lang)
{
	for (size_t i = 0; i < at; i++)
		if (e->at[i].attack == e->at[at].attack &&
		    strcmp(e->at[i].source, e->at[at].source) == 0 &&
		    (!by_lang || strcmp(e->at[i].lang, e->at[at].lang) == 0))
			return false;
	return true;
}
