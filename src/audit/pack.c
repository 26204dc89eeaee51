/*
 * Objects into the object database. They wait in a temporary file, whole and undeltified, and go out as one pack stream
 * (git_odb_write_pack) when there are AUDIT_PACK_OBJECTS of them; a handful goes out as loose objects. Format of a
 * pack: https://git-scm.com/docs/pack-format
 */
#include "config.h"

#include "audit/audit_internal.h"
#include "audit/sha1.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#define LOOSE_MAX 64
#define BYTES_MAX ((uint64_t)256 << 20)
#define CHUNK 65536
#define SLOTS (1u << 17) /* more than twice AUDIT_PACK_OBJECTS */

struct waiting { /* before each object in the file */
	uint64_t size;
	int32_t type;
	int32_t unused;
};

struct pack {
	git_odb *odb;
	FILE *file;
	uint32_t n;
	uint64_t bytes;
	git_oid *slots; /* ids that wait; a zero id is a free slot */
	struct buf object;
};

/* ---- the temporary file ---- */

static int file_err(struct err *err, int why, const char *what)
{
	err_sys(err, ERR_STATE, why, "%s", what);
	return err_hint(err, "look for free space, quotas and errors of the disk that holds the state directory");
}

static FILE *open_unnamed(const char *directory)
{
	struct buf path = BUF_INIT(4096);
	FILE *file = NULL;
	int fd = -1;
	buf_fmt(&path, "%s/settle-XXXXXX", directory);
	if (!path.failed)
		fd = mkostemp(path.ptr, O_CLOEXEC);
	if (fd >= 0) {
		unlink(path.ptr);
		file = fdopen(fd, "w+b");
	}
	if (fd >= 0 && !file)
		close(fd);
	buf_release(&path);
	return file;
}

int pack_open(struct pack **out, git_odb *odb, const char *directory, struct err *err)
{
	struct pack *p = calloc(1, sizeof(*p));
	*out = NULL;
	if (!p)
		return err_set(err, ERR_INTERNAL, "out of memory");
	p->odb = odb;
	p->object = (struct buf)BUF_INIT(SIZE_MAX / 2);
	p->slots = calloc(SLOTS, sizeof(*p->slots));
	p->file = open_unnamed(directory);
	if (!p->slots || !p->file) {
		int why = errno;
		pack_close(p);
		return err_sys(err, ERR_STATE, why, "cannot make a temporary file in %s", directory);
	}
	*out = p;
	return 0;
}

void pack_close(struct pack *p)
{
	if (!p)
		return;
	if (p->file)
		(void)fclose(p->file);
	buf_release(&p->object);
	free(p->slots);
	free(p);
}

static int clear(struct pack *p, struct err *err)
{
	p->n = 0;
	p->bytes = 0;
	memset(p->slots, 0, SLOTS * sizeof(*p->slots));
	rewind(p->file);
	if (ftruncate(fileno(p->file), 0) != 0)
		return file_err(err, errno, "cannot empty a temporary file of the audit trail");
	return 0;
}

/* 1 when the id waits already; else it is noted. */
static int note(struct pack *p, const git_oid *id)
{
	uint32_t at;
	memcpy(&at, id->id, sizeof(at));
	for (at %= SLOTS; !git_oid_is_zero(&p->slots[at]); at = (at + 1) % SLOTS)
		if (git_oid_equal(&p->slots[at], id))
			return 1;
	p->slots[at] = *id;
	return 0;
}

int pack_add(struct pack *p, git_object_t type, struct slice bytes, git_oid *id, struct err *err)
{
	struct waiting head = {.size = bytes.len, .type = (int32_t)type};
	int rc = git_odb_hash(id, bytes.ptr ? bytes.ptr : "", bytes.len, type);
	if (rc)
		return audit_git_err(err, rc, "cannot hash an object");
	if (note(p, id))
		return 0;
	if (fwrite(&head, sizeof(head), 1, p->file) != 1 ||
	    (bytes.len && fwrite(bytes.ptr, 1, bytes.len, p->file) != bytes.len))
		return file_err(err, errno, "cannot write a temporary file of the audit trail");
	p->n++;
	p->bytes += bytes.len;
	return p->n >= AUDIT_PACK_OBJECTS || p->bytes >= BYTES_MAX ? pack_flush(p, err) : 0;
}

int pack_probe(struct pack *p, struct err *err)
{
	static const char zeros[CHUNK];
	if (fwrite(zeros, sizeof(zeros), 1, p->file) != 1 || fflush(p->file) != 0)
		return file_err(err, errno, "cannot write a temporary file of the audit trail");
	return clear(p, err);
}

/* The next object that waits, in p->object. */
static int next_waiting(struct pack *p, struct waiting *head, struct err *err)
{
	char *room;
	buf_clear(&p->object);
	if (fread(head, sizeof(*head), 1, p->file) == 1) {
		room = buf_room(&p->object, (size_t)head->size + 1);
		if (room && fread(room, 1, (size_t)head->size, p->file) == head->size) {
			p->object.len = (size_t)head->size;
			room[head->size] = 0;
			return 0;
		}
	}
	return file_err(err, errno, "cannot read a temporary file of the audit trail");
}

/* ---- loose objects ---- */

static int flush_loose(struct pack *p, struct err *err)
{
	struct waiting head;
	git_oid id;
	for (uint32_t i = 0; i < p->n; i++) {
		int rc = next_waiting(p, &head, err);
		if (rc)
			return rc;
		rc = git_odb_write(&id, p->odb, p->object.ptr, p->object.len, (git_object_t)head.type);
		if (rc)
			return audit_git_err(err, rc, "cannot write an object of the audit trail");
	}
	return 0;
}

/* ---- a pack stream ---- */

struct stream {
	git_odb_writepack *to;
	git_indexer_progress stats;
	struct sha1 *sha1;
	z_stream z;
	unsigned char out[CHUNK];
};

static int put(struct stream *s, const void *bytes, size_t n, struct err *err)
{
	int rc = s->to->append(s->to, bytes, n, &s->stats);
	if (rc)
		return audit_git_err(err, rc, "cannot write a pack of the audit trail");
	if (sha1_add(s->sha1, bytes, n))
		return err_set(err, ERR_INTERNAL, "no SHA-1 from libcrypto");
	return 0;
}

static void big_endian(unsigned char out[4], uint32_t n)
{
	for (int i = 0; i < 4; i++)
		out[i] = (unsigned char)(n >> (24 - 8 * i));
}

static int put_header(struct stream *s, uint32_t n, struct err *err)
{
	unsigned char head[12] = "PACK";
	big_endian(head + 4, 2);
	big_endian(head + 8, n);
	return put(s, head, sizeof(head), err);
}

/* Type in three bits, size in four, then in seven a byte. */
static int put_entry_header(struct stream *s, const struct waiting *w, struct err *err)
{
	unsigned char head[16];
	uint64_t size = w->size >> 4;
	size_t n = 0;
	head[n] = (unsigned char)(((unsigned)w->type << 4) | (w->size & 15));
	while (size) {
		head[n++] |= 0x80;
		head[n] = (unsigned char)(size & 0x7f);
		size >>= 7;
	}
	return put(s, head, n + 1, err);
}

static int put_deflated(struct stream *s, struct slice bytes, struct err *err)
{
	int z = Z_OK, rc = 0;
	deflateReset(&s->z);
	s->z.next_in = (unsigned char *)(uintptr_t)bytes.ptr;
	size_t left = bytes.len;
	while (z != Z_STREAM_END && rc == 0) {
		size_t part = left < UINT32_MAX / 2 ? left : UINT32_MAX / 2;
		s->z.avail_in = (unsigned)part;
		s->z.next_out = s->out;
		s->z.avail_out = sizeof(s->out);
		z = deflate(&s->z, part == left ? Z_FINISH : Z_NO_FLUSH);
		if (z != Z_OK && z != Z_STREAM_END && z != Z_BUF_ERROR)
			return err_set(err, ERR_INTERNAL, "zlib: deflate gives %d", z);
		left -= part - s->z.avail_in;
		if (sizeof(s->out) > s->z.avail_out)
			rc = put(s, s->out, sizeof(s->out) - s->z.avail_out, err);
	}
	return rc;
}

static int put_objects(struct pack *p, struct stream *s, struct err *err)
{
	struct waiting head;
	int rc = put_header(s, p->n, err);
	for (uint32_t i = 0; i < p->n && rc == 0; i++) {
		rc = next_waiting(p, &head, err);
		if (rc == 0)
			rc = put_entry_header(s, &head, err);
		if (rc == 0)
			rc = put_deflated(s, buf_slice(&p->object), err);
	}
	return rc;
}

static int finish(struct stream *s, struct err *err)
{
	unsigned char sum[SHA1_SIZE];
	int rc;
	if (sha1_end(s->sha1, sum))
		return err_set(err, ERR_INTERNAL, "no SHA-1 from libcrypto");
	rc = s->to->append(s->to, sum, sizeof(sum), &s->stats);
	if (rc == 0)
		rc = s->to->commit(s->to, &s->stats);
	return rc ? audit_git_err(err, rc, "cannot finish a pack of the audit trail") : 0;
}

static int open_stream(struct stream *s, git_odb *odb, struct err *err)
{
	int rc;
	if (deflateInit(&s->z, 3) != Z_OK)
		return err_set(err, ERR_INTERNAL, "zlib: no memory");
	s->sha1 = sha1_new();
	if (!s->sha1)
		return err_set(err, ERR_INTERNAL, "no SHA-1 from libcrypto");
	rc = git_odb_write_pack(&s->to, odb, NULL, NULL);
	return rc ? audit_git_err(err, rc, "cannot begin a pack of the audit trail") : 0;
}

static int flush_pack(struct pack *p, struct err *err)
{
	struct stream *s = calloc(1, sizeof(*s));
	int rc = s ? open_stream(s, p->odb, err) : err_set(err, ERR_INTERNAL, "out of memory");
	if (rc == 0)
		rc = put_objects(p, s, err);
	if (rc == 0)
		rc = finish(s, err);
	if (s) {
		deflateEnd(&s->z);
		sha1_free(s->sha1);
		if (s->to)
			s->to->free(s->to);
	}
	free(s);
	return rc;
}

int pack_flush(struct pack *p, struct err *err)
{
	int rc;
	if (p->n == 0)
		return 0;
	if (fflush(p->file) != 0)
		return file_err(err, errno, "cannot write a temporary file of the audit trail");
	rewind(p->file);
	rc = p->n <= LOOSE_MAX ? flush_loose(p, err) : flush_pack(p, err);
	return rc ? rc : clear(p, err);
}
