/* attachments.c */
#include "config.h"

#include "tests/server/attachments.h"

#include "base/number.h"
#include "tests/server/md5.h"

#include <sodium.h>
#include <stdlib.h>
#include <zlib.h>

static const struct refusal missing_stub = {412, "missing_stub", "Invalid attachment stub"};
static const struct refusal bad_attachment = {400, "bad_request", "Invalid attachment data"};

void base64_write(struct slice bytes, struct buf *out)
{
	size_t size = sodium_base64_ENCODED_LEN(bytes.len, sodium_base64_VARIANT_ORIGINAL);
	char *room = buf_room(out, size);

	if (!room)
		return;
	sodium_bin2base64(room, size, (const unsigned char *)bytes.ptr, bytes.len, sodium_base64_VARIANT_ORIGINAL);
	out->len += size - 1;
}

const struct attachment *leaf_attachment(const struct leaf *leaf, struct slice name)
{
	for (size_t i = 0; leaf && i < leaf->att_count; i++)
		if (slice_eq(leaf->atts[i].name, name))
			return &leaf->atts[i];
	return NULL;
}

void attachments_write(const struct leaf *leaf, enum attachments_form form, struct buf *out)
{
	for (size_t i = 0; i < leaf->att_count; i++) {
		const struct attachment *att = &leaf->atts[i];

		buf_str(out, i ? "," : ",\"_attachments\":{");
		json_write_string(att->name, out);
		buf_str(out, ":{\"content_type\":");
		buf_adds(out, att->type_json);
		buf_fmt(out, ",\"revpos\":%llu,\"digest\":\"%.*s\",", (unsigned long long)att->revpos,
			SLICE_ARG(att->digest));
		if (form == ATTACHMENTS_DATA && att->data.ptr) {
			buf_str(out, "\"data\":\"");
			base64_write(att->data, out);
			buf_str(out, "\"}");
		} else {
			buf_fmt(out, "\"length\":%llu,\"stub\":true}", (unsigned long long)att->length);
		}
	}
	if (leaf->att_count)
		buf_ch(out, '}');
}

/* CouchDB keeps text packed and takes the digest of that, so the digest of such an attachment is not that of its bytes.
 */
static int is_packed(struct slice type_json)
{
	static const char *const types[] = {"\"text/", "\"application/javascript", "\"application/json",
					    "\"application/xml"};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (slice_starts(type_json, slice_of(types[i])))
			return 1;
	return 0;
}

/* gzip as CouchDB makes it: level 8, no name, no time. */
static struct slice packed(struct slice bytes)
{
	z_stream z = {.next_in = (Bytef *)bytes.ptr, .avail_in = (uInt)bytes.len};
	size_t size;
	char *out;

	if (deflateInit2(&z, 8, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	size = deflateBound(&z, (uLong)bytes.len);
	out = xgrow(NULL, size);
	z.next_out = (Bytef *)out;
	z.avail_out = (uInt)size;
	if (deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	deflateEnd(&z);
	return (struct slice){out, size - z.avail_out};
}

static void digest_bytes(struct attachment *att)
{
	struct md5 m;
	uint8_t digest[MD5_SIZE];
	struct buf text = BUF_INIT(64);
	struct slice stored = is_packed(att->type_json) ? packed(att->data) : att->data;

	md5_init(&m);
	md5_add(&m, stored);
	md5_end(&m, digest);
	if (stored.ptr != att->data.ptr)
		free((char *)stored.ptr);
	buf_str(&text, "md5-");
	base64_write((struct slice){(const char *)digest, sizeof(digest)}, &text);
	att->digest = xslice(buf_slice(&text));
	buf_release(&text);
}

static int digest_is_plain(struct slice digest)
{
	return digest.len > 4 && slice_starts(digest, SLICE("md5-")) && !memchr(digest.ptr, '"', digest.len) &&
	       !memchr(digest.ptr, '\\', digest.len);
}

/* A replicator's digest is kept: it may have been taken of bytes that were packed elsewhere. */
static const struct refusal *read_data(struct attachment *att, struct slice base64, struct slice digest)
{
	size_t len;
	char *bytes = xgrow(NULL, base64.len + 1);

	if (sodium_base642bin((unsigned char *)bytes, base64.len + 1, base64.ptr, base64.len, NULL, &len, NULL,
			      sodium_base64_VARIANT_ORIGINAL)) {
		free(bytes);
		return &bad_attachment;
	}
	bytes[len] = 0;
	att->data = (struct slice){bytes, len};
	att->length = len;
	if (digest.ptr && digest_is_plain(digest))
		att->digest = xslice(digest);
	else
		digest_bytes(att);
	return NULL;
}

static uint64_t read_count(const struct json *v, uint64_t otherwise)
{
	long long n;

	return json_is(v, JSON_NUMBER) && number_to_i64(v->text, &n) && n >= 0 ? (uint64_t)n : otherwise;
}

static const struct refusal *read_stub(struct attachment *att, const struct json *given, const struct attachment *known,
				       enum attachments_origin origin)
{
	if (known) {
		att->data = known->data.ptr ? xslice(known->data) : SLICE_NONE;
		att->digest = xslice(known->digest);
		att->length = known->length;
		att->revpos = known->revpos;
		return NULL;
	}
	if (origin == ATTACHMENTS_OF_CLIENT)
		return &missing_stub;
	att->digest = xslice(json_get_text(given, "digest"));
	att->length = read_count(json_gets(given, "length"), 0);
	return digest_is_plain(att->digest) ? NULL : &bad_attachment;
}

static const struct refusal *read_one(struct leaf *leaf, const struct json_member *given, const struct leaf *parent,
				      enum attachments_origin origin, struct arena *a)
{
	struct attachment *att = &leaf->atts[leaf->att_count++];
	const struct attachment *known = leaf_attachment(parent, given->key);
	const struct json *type = json_gets(&given->value, "content_type"), *data = json_gets(&given->value, "data");

	*att = (struct attachment){.name = xslice(given->key), .revpos = leaf->gen};
	if (origin == ATTACHMENTS_OF_REPLICATOR)
		att->revpos = read_count(json_gets(&given->value, "revpos"), leaf->gen);
	if (!json_is(type, JSON_STRING) && known)
		att->type_json = xslice(known->type_json);
	else
		att->type_json = xslice(json_is(type, JSON_STRING) ? json_to_text(type, JSON_PLAIN, a)
								   : SLICE("\"application/octet-stream\""));
	if (json_is(data, JSON_STRING))
		return read_data(att, data->text,
				 origin == ATTACHMENTS_OF_REPLICATOR ? json_get_text(&given->value, "digest")
								     : SLICE_NONE);
	return json_is(json_gets(&given->value, "stub"), JSON_TRUE) ? read_stub(att, &given->value, known, origin)
								    : &bad_attachment;
}

const struct refusal *attachments_read(struct leaf *leaf, const struct json *atts, const struct leaf *parent,
				       enum attachments_origin origin, struct arena *a)
{
	const struct refusal *no = NULL;

	if (atts->type != JSON_OBJECT || atts->count == 0)
		return NULL;
	leaf->atts = xalloc(atts->count * sizeof(*leaf->atts));
	for (uint32_t i = 0; i < atts->count && !no; i++)
		no = read_one(leaf, &atts->members[i], parent, origin, a);
	return no;
}
