/*
 * Counters of refused packets. Believes what the backend's programs list.
 */
#include "executor/firewall/reached.h"

#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/firewall_impl.h"
#include "executor/firewall/text.h"

#define WORDS_MAX 5	   /* of a line that count */
#define WORD_BYTES 40	   /* the longest, and NUL */
#define LISTING_MAX 262144 /* a chain of some rules, or all labels */

struct words {
	char word[WORDS_MAX][WORD_BYTES];
	size_t count;
};

static void
split(struct span line, struct words *out)
{
	size_t at = 0;

	*out = (struct words){.count = 0};
	while (out->count < WORDS_MAX) {
		size_t begin;

		while (at < line.n && (line.p[at] == ' ' || line.p[at] == '\t'))
			at++;
		begin = at;
		while (at < line.n && line.p[at] != ' ' && line.p[at] != '\t')
			at++;
		if (at == begin || at - begin >= WORD_BYTES)
			return;
		memcpy(out->word[out->count++], line.p + begin, at - begin);
	}
}

static bool
read_number(const char *word, uint64_t *out)
{
	uint64_t number = 0;

	if (*word == '\0')
		return false;
	for (; *word != '\0'; word++) {
		if (*word < '0' || *word > '9' || number > UINT64_MAX / 10 - 1)
			return false;
		number = number * 10 + (uint64_t)(*word - '0');
	}
	*out = number;
	return true;
}

static void
add(struct reached *out, const char *packets, const char *bytes)
{
	uint64_t p, b;

	if (!read_number(packets, &p) || !read_number(bytes, &b))
		return;
	out->known = true;
	out->packets += p;
	out->bytes += b;
}

void
reached_parse(enum firewall_backend backend, struct span listing, uid_t uid,
    struct reached *out)
{
	char label[TEXT_NAME_BYTES];
	struct span line;
	struct words w;

	(void)snprintf(
	    label, sizeof label, TEXT_SET "%lu_refuse", (unsigned long)uid);
	while (firewall_line(&listing, &line)) {
		split(line, &w);
		/* "packets 3 bytes 180" in a counter */
		if (backend == FIREWALL_NFT && w.count == 4 &&
		    strcmp(w.word[0], "packets") == 0 &&
		    strcmp(w.word[2], "bytes") == 0)
			add(out, w.word[1], w.word[3]);
		/* "3 180 REJECT tcp ..." in a chain */
		if (backend == FIREWALL_IPTABLES && w.count > 2 &&
		    strcmp(w.word[2], "REJECT") == 0)
			add(out, w.word[0], w.word[1]);
		/* label, evaluations, packets, bytes */
		if (backend == FIREWALL_PF && w.count > 3 &&
		    strcmp(w.word[0], label) == 0)
			add(out, w.word[2], w.word[3]);
	}
}

static void
ask(enum firewall_backend backend, const char *const words[], uid_t uid,
    struct reached *out)
{
	char reason[FIREWALL_WHY_BYTES];
	struct buf text;

	buf_init(&text, LISTING_MAX);
	if (firewall_tool(words, SPAN(""), &text, reason, sizeof reason) == 0 &&
	    text.len != 0)
		reached_parse(
		    backend, (struct span){text.data, text.len}, uid, out);
	buf_free(&text);
}

struct reached
reached_read(enum firewall_backend backend, const struct model_account *account)
{
	unsigned long uid = (unsigned long)account->uid;
	char counter[WORD_BYTES], chain[WORD_BYTES];
	const char *const nft[] = {
	    "nft", "list", "counter", "inet", TEXT_TABLE, counter, NULL};
	const char *const four[] = {"iptables", "-w", "-nvxL", chain, NULL};
	const char *const six[] = {"ip6tables", "-w", "-nvxL", chain, NULL};
	const char *const pf[] = {
	    "pfctl", "-a", TEXT_TABLE, "-s", "labels", NULL};
	struct reached found = {.known = false};

	(void)snprintf(counter, sizeof counter, "refused_%lu", uid);
	(void)snprintf(chain, sizeof chain, TEXT_CHAIN "R%lu", uid);
	switch (backend) {
	case FIREWALL_NFT:
		ask(backend, nft, account->uid, &found);
		break;
	case FIREWALL_IPTABLES:
		ask(backend, four, account->uid, &found);
		ask(backend, six, account->uid, &found);
		break;
	case FIREWALL_PF:
		ask(backend, pf, account->uid, &found);
		break;
	case FIREWALL_BACKEND_COUNT:
		break;
	}
	return found;
}
