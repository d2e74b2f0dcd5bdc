/*
 * Credit-controlled byte streams. Both ends of every stream run this file.
 */
#include "proto/stream.h"

#include <string.h>

#include "common/err.h"
#include "common/limits.h"

void
stream_out_init(struct stream_out *s, struct channel *channel, int64_t id,
    int64_t bytes,
    int64_t (*read)(void *context, int64_t offset, void *to, size_t room),
    void *context)
{
	*s = (struct stream_out){.channel = channel,
	    .id = id,
	    .bytes = bytes,
	    .credit = CREDIT_BYTES,
	    .digest = sha256_new(),
	    .read = read,
	    .context = context};
}

void
stream_out_done(struct stream_out *s)
{
	sha256_free(s->digest);
	s->digest = NULL;
}

static int
send_chunk(struct stream_out *s)
{
	static unsigned char piece[CHUNK_BYTES]; /* one sender at a time runs */
	int64_t want = s->bytes - s->sent, got;

	if (want > s->credit)
		want = s->credit;
	if (want > (int64_t)sizeof piece)
		want = (int64_t)sizeof piece;
	got = s->read(s->context, s->sent, piece, (size_t)want);
	if (got < 0)
		return (int)got;
	if (got == 0 || got > want)
		bug("stream source gave %lld of %lld bytes", (long long)got,
		    (long long)want);
	sha256_add(s->digest, piece, (size_t)got);
	s->sent += got;
	s->credit -= got;
	return message_chunk(
	    channel_out(s->channel), s->id, piece, (size_t)got);
}

int
stream_out_run(struct stream_out *s)
{
	unsigned char sha256[SHA256_BYTES];
	int rc = 0;

	while (rc == 0 && s->sent < s->bytes && s->credit > 0 &&
	       channel_queued(s->channel) < CHANNEL_LOW_BYTES)
		rc = send_chunk(s);
	if (rc == 0 && s->sent == s->bytes && !s->ended) {
		s->ended = true;
		sha256_end(s->digest, sha256);
		rc = message_end_stream(channel_out(s->channel), s->id, sha256);
	}
	/* what is queued may be of others: no credit comes for that */
	if (rc == 0 && s->sent < s->bytes && s->credit > 0)
		channel_want_drained(s->channel);
	channel_flush(s->channel);
	return rc;
}

int
stream_out_credit(struct stream_out *s, int64_t bytes)
{
	if (bytes > CREDIT_BYTES - s->credit)
		return -ERR_CREDIT;
	s->credit += bytes;
	return 0;
}

void
stream_in_init(struct stream_in *s, struct channel *channel, int64_t id,
    int64_t bytes, int (*take)(void *context, struct span bytes), void *context)
{
	*s = (struct stream_in){.channel = channel,
	    .id = id,
	    .bytes = bytes,
	    .credit = CREDIT_BYTES,
	    .digest = sha256_new(),
	    .take = take,
	    .context = context};
	buf_init(&s->piece, CHUNK_BYTES + 3);
}

void
stream_in_done(struct stream_in *s)
{
	sha256_free(s->digest);
	s->digest = NULL;
	buf_free(&s->piece);
}

static int
give_credit(struct stream_in *s)
{
	int64_t give = s->to_give;

	if (give < CREDIT_BYTES / 2 || s->got == s->bytes)
		return 0;
	s->to_give = 0;
	s->credit += give;
	return message_credit(channel_out(s->channel), s->id, give);
}

int
stream_in_chunk(struct stream_in *s, const struct chunk_params *chunk)
{
	int64_t count;
	int rc;

	if (chunk->stream != s->id)
		return -ERR_STREAM;
	buf_clear(&s->piece);
	rc = base64_decode_add(&s->piece, chunk->data);
	if (rc != 0)
		return rc;
	count = (int64_t)s->piece.len;
	if (count > s->credit)
		return -ERR_CREDIT;
	if (count > s->bytes - s->got)
		return -ERR_STREAM;
	s->credit -= count;
	s->got += count;
	s->to_give += count;
	sha256_add(s->digest, s->piece.data, s->piece.len);
	rc = s->take(s->context, (struct span){s->piece.data, s->piece.len});
	return rc != 0 ? rc : give_credit(s);
}

int
stream_in_end(struct stream_in *s, const struct end_params *end,
    unsigned char sha256_out[SHA256_BYTES])
{
	unsigned char said[SHA256_BYTES], is[SHA256_BYTES];

	if (end->stream != s->id || s->got != s->bytes ||
	    hex_decode(end->sha256, said, sizeof said) != 0)
		return -ERR_STREAM;
	sha256_end(s->digest, is);
	if (memcmp(said, is, sizeof is) != 0)
		return -ERR_STREAM;
	if (sha256_out != NULL)
		memcpy(sha256_out, is, sizeof is);
	return 0;
}
