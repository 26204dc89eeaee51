/* journal.c: each record is a head (sizes, kind, CRC-32 of what follows), the database's name and the text. */
#include "config.h"

#include "tests/server/journal.h"

#include "base/buf.h"
#include "tests/server/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define MAGIC 0x31756f63u /* "cou1" */
#define PENDING_MAX ((size_t)1 << 36)

struct head {
	uint32_t magic, type, db_len, crc;
	uint64_t number, text_len;
};

struct journal {
	int fd;
	struct buf pending;
};

static uint32_t crc_of(const struct head *head, struct slice body)
{
	struct head blank = *head;
	uLong crc;

	blank.crc = 0;
	crc = crc32(0, (const Bytef *)&blank, sizeof(blank));
	return (uint32_t)crc32_z(crc, (const Bytef *)body.ptr, body.len);
}

/* The record at the start of `rest`: its length, 0 when it is torn off by the end, or -1 when it is damaged. */
static long long record_read(struct slice rest, struct journal_record *out)
{
	struct head head;
	struct slice body;

	if (rest.len < sizeof(head))
		return 0;
	memcpy(&head, rest.ptr, sizeof(head));
	if (head.magic != MAGIC)
		return -1;
	if (head.text_len > rest.len || rest.len - sizeof(head) < head.db_len + head.text_len)
		return 0;
	body = (struct slice){rest.ptr + sizeof(head), head.db_len + head.text_len};
	if (crc_of(&head, body) != head.crc)
		return body.len + sizeof(head) == rest.len ? 0 : -1;
	out->type = (enum journal_type)head.type;
	out->number = head.number;
	out->db = (struct slice){body.ptr, head.db_len};
	out->text = (struct slice){body.ptr + head.db_len, head.text_len};
	return (long long)(sizeof(head) + body.len);
}

static int replay(struct slice all, journal_apply_fn apply, void *ctx, size_t *good, struct err *err)
{
	*good = 0;
	while (*good < all.len) {
		struct journal_record record = {0};
		long long n = record_read((struct slice){all.ptr + *good, all.len - *good}, &record);

		if (n < 0)
			return err_set(err, ERR_STATE, "the journal is damaged at byte %zu", *good);
		if (n == 0)
			return 0;
		if (apply(ctx, &record, err))
			return err_prefix(err, "journal record at byte %zu", *good);
		*good += (size_t)n;
	}
	return 0;
}

static int replay_file(int fd, journal_apply_fn apply, void *ctx, struct err *err)
{
	struct stat st;
	struct slice all;
	size_t good = 0;
	void *map;
	int rc;

	if (fstat(fd, &st))
		return err_sys(err, ERR_STATE, errno, "journal");
	if (st.st_size == 0)
		return 0;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return err_sys(err, ERR_STATE, errno, "mapping the journal");
	all = (struct slice){map, (size_t)st.st_size};
	rc = replay(all, apply, ctx, &good, err);
	munmap(map, all.len);
	if (rc || good == all.len)
		return rc;
	fprintf(stderr, "couchd: dropping %zu bytes of a torn record at the end of the journal\n", all.len - good);
	if (ftruncate(fd, (off_t)good))
		return err_sys(err, ERR_STATE, errno, "cutting the journal");
	return 0;
}

int journal_open(const char *dir, journal_apply_fn apply, void *ctx, struct journal **out, struct err *err)
{
	struct journal *j = xalloc(sizeof(*j));
	struct buf path = BUF_INIT(4096);
	int rc = 0;

	*out = NULL;
	buf_fmt(&path, "%s/journal", dir);
	j->pending = (struct buf)BUF_INIT(PENDING_MAX);
	if (mkdir(dir, 0700) && errno != EEXIST)
		rc = err_sys(err, ERR_STATE, errno, "%s", dir);
	j->fd = rc ? -1 : open(path.ptr, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (!rc && j->fd < 0)
		rc = err_sys(err, ERR_STATE, errno, "%s", path.ptr);
	if (!rc)
		rc = replay_file(j->fd, apply, ctx, err);
	buf_release(&path);
	if (rc)
		journal_close(j);
	else
		*out = j;
	return rc;
}

void journal_add(struct journal *j, const struct journal_record *record)
{
	struct head head = {.magic = MAGIC, .type = record->type, .number = record->number};
	size_t at;

	if (!j)
		return;
	head.db_len = (uint32_t)record->db.len;
	head.text_len = record->text.len;
	at = j->pending.len;
	buf_add(&j->pending, &head, sizeof(head));
	buf_adds(&j->pending, record->db);
	buf_adds(&j->pending, record->text);
	if (j->pending.failed)
		return;
	head.crc =
	    crc_of(&head, (struct slice){j->pending.ptr + at + sizeof(head), j->pending.len - at - sizeof(head)});
	memcpy(j->pending.ptr + at, &head, sizeof(head));
}

int journal_flush(struct journal *j, struct err *err)
{
	size_t done = 0;

	if (!j)
		return 0;
	if (buf_check(&j->pending, "the unwritten part of the journal", err))
		return err->code;
	while (done < j->pending.len) {
		ssize_t n = write(j->fd, j->pending.ptr + done, j->pending.len - done);

		if (n < 0 && errno != EINTR)
			return err_sys(err, ERR_STATE, errno, "writing the journal");
		done += n > 0 ? (size_t)n : 0;
	}
	buf_clear(&j->pending);
	return 0;
}

void journal_close(struct journal *j)
{
	if (!j)
		return;
	if (j->fd >= 0)
		close(j->fd);
	buf_release(&j->pending);
	free(j);
}
