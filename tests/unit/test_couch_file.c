#include "config.h"

#include "base/clock.h"
#include "couch_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#define FEED "{\"results\":[{\"seq\":1,\"id\":\"a\"},{\"seq\":2,\"id\":\"b\"}],\"last_seq\":2}\n"
#define ROWS "1|a||\n2|b||\n"

/* Opens and reads a feed from a path, or from standard input when path is NULL. */
static int read_path(const char *path, const atomic_int *stop, struct buf *rows, struct err *err)
{
	struct url url = {.scheme = path ? URL_FILE : URL_STDIN, .shown = "file:shown", .path = path};
	struct couch_options o = {.url = &url, .stop = stop};
	struct couch_feed *f = NULL;
	*rows = (struct buf)BUF_INIT(1 << 20);
	int rc = couch_feed_open(&f, &o, &(struct couch_feed_options){0}, err);
	if (!rc)
		rc = rows_as_text(f, rows, err);
	couch_feed_close(f);
	return rc;
}

/* The bytes as a file without a name; *path leads to it until close(fd). */
static int file_of(struct slice bytes, char path[64])
{
	int fd = memfd_create("feed", 0);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes.ptr, bytes.len), (ssize_t)bytes.len);
	snprintf(path, 64, "/proc/self/fd/%d", fd);
	return fd;
}

static int read_bytes(struct slice bytes, struct buf *rows, struct err *err)
{
	char path[64];
	int fd = file_of(bytes, path);
	int rc = read_path(path, NULL, rows, err);
	close(fd);
	return rc;
}

static void gzip(struct slice bytes, struct buf *out)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)bytes.ptr, .avail_in = (uInt)bytes.len};
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	size_t bound = deflateBound(&z, bytes.len);
	z.next_out = (Bytef *)buf_room(out, bound);
	z.avail_out = (uInt)bound;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	out->len += bound - z.avail_out;
	deflateEnd(&z);
}

static void expect_error(struct slice bytes, const char *message)
{
	struct buf rows;
	struct err err = ERR_INIT;
	assert_int_equal(read_bytes(bytes, &rows, &err), ERR_SOURCE);
	if (!strstr(err.msg, message))
		fail_msg("\"%s\" not in: %s", message, err.msg);
	buf_release(&rows);
}

static void test_feed_file__plain(void **state)
{
	struct buf rows;
	(void)state;
	assert_int_equal(read_bytes(SLICE(FEED), &rows, NULL), 0);
	assert_string_equal(rows.ptr, ROWS);
	buf_release(&rows);
}

static void test_feed_file__knows_its_size(void **state)
{
	char path[64];
	int fd = file_of(SLICE(FEED), path);
	struct url url = {.scheme = URL_FILE, .shown = "file:x", .path = path};
	struct couch_options o = {.url = &url};
	struct couch_feed *f = NULL;
	struct buf rows = BUF_INIT(1000);
	(void)state;
	assert_int_equal(couch_feed_open(&f, &o, &(struct couch_feed_options){0}, NULL), 0);
	assert_int_equal(couch_feed_size(f), strlen(FEED));
	assert_int_equal(couch_feed_raw_bytes(f), 0);
	assert_int_equal(rows_as_text(f, &rows, NULL), 0);
	assert_int_equal(couch_feed_raw_bytes(f), strlen(FEED));
	couch_feed_close(f);
	close(fd);
	buf_release(&rows);
}

static void test_feed_file__absent_directory_and_empty(void **state)
{
	struct buf rows;
	struct err err = ERR_INIT;
	(void)state;
	assert_int_equal(read_path("/nonexistent/feed.json", NULL, &rows, &err), ERR_SOURCE);
	assert_non_null(strstr(err.msg, "cannot open /nonexistent/feed.json"));
	assert_int_equal(read_path("/", NULL, &rows, &err), ERR_SOURCE);
	assert_non_null(strstr(err.msg, "is no file"));
	expect_error(SLICE(""), "file:shown: the feed is empty");
	expect_error(SLICE("{"), "byte 1 of the feed");
}

static void test_feed_file__gzip(void **state)
{
	struct buf packed = BUF_INIT(1 << 16), rows;
	(void)state;
	gzip(SLICE(FEED), &packed);
	assert_int_equal(read_bytes(buf_slice(&packed), &rows, NULL), 0);
	assert_string_equal(rows.ptr, ROWS);
	buf_release(&rows);
	buf_release(&packed);
}

static void test_feed_file__gzip_files_joined(void **state)
{
	struct buf packed = BUF_INIT(1 << 16), rows;
	(void)state;
	gzip((struct slice){FEED, 20}, &packed);
	gzip((struct slice){&FEED[20], strlen(FEED) - 20}, &packed);
	assert_int_equal(read_bytes(buf_slice(&packed), &rows, NULL), 0);
	assert_string_equal(rows.ptr, ROWS);
	buf_release(&rows);
	buf_release(&packed);
}

static void many_rows(struct buf *plain, struct buf *packed)
{
	for (int i = 0; i < 20000; i++)
		buf_fmt(plain, "{\"seq\":%d,\"id\":\"document %d\",\"doc\":{}}\n", i, i * 7919);
	gzip(buf_slice(plain), packed);
}

static void test_feed_file__gzip_larger_than_the_window(void **state)
{
	struct buf plain = BUF_INIT(1 << 24), packed = BUF_INIT(1 << 24), rows;
	(void)state;
	many_rows(&plain, &packed);
	assert_int_equal(read_bytes(buf_slice(&packed), &rows, NULL), 0);
	assert_non_null(strstr(rows.ptr, "19999|document 158372081||{}\n"));
	buf_release(&rows);
	buf_release(&packed);
	buf_release(&plain);
}

static void test_feed_file__rows_before_a_damaged_place_come_out(void **state)
{
	struct buf plain = BUF_INIT(1 << 24), packed = BUF_INIT(1 << 24), rows;
	struct err err = ERR_INIT;
	(void)state;
	many_rows(&plain, &packed);
	packed.len /= 2;
	assert_int_equal(read_bytes(buf_slice(&packed), &rows, &err), ERR_SOURCE);
	const char *last = strstr(err.msg, "last good sequence ");
	assert_non_null(last);
	/* Half of the archive holds about half of the rows. */
	assert_in_range(strtol(last + strlen("last good sequence "), NULL, 10), 5000, 15000);
	buf_release(&rows);
	buf_release(&packed);
	buf_release(&plain);
}

static void test_feed_file__gzip_cut_anywhere_is_an_error(void **state)
{
	struct buf packed = BUF_INIT(1 << 16);
	(void)state;
	gzip(SLICE(FEED), &packed);
	for (size_t at = 2; at < packed.len; at++) {
		struct buf rows;
		struct err err = ERR_INIT;
		assert_int_equal(read_bytes((struct slice){packed.ptr, at}, &rows, &err), ERR_SOURCE);
		assert_true(slice_starts(SLICE(ROWS), buf_slice(&rows)));
		assert_non_null(strstr(err.msg, "gzip: the file ends too early"));
		assert_non_null(strstr(err.msg, "of the feed"));
		if (rows.len == strlen(ROWS))
			assert_non_null(strstr(err.msg, "last good sequence 2"));
		buf_release(&rows);
	}
	buf_release(&packed);
}

/* Some bytes of the header say nothing (time, system): then the rows must be right. */
static void test_feed_file__gzip_with_a_wrong_byte_never_passes_as_other_rows(void **state)
{
	struct buf packed = BUF_INIT(1 << 16);
	(void)state;
	gzip(SLICE(FEED), &packed);
	for (size_t at = 2; at < packed.len; at++) {
		struct buf rows;
		packed.ptr[at] ^= 0x10;
		if (read_bytes(buf_slice(&packed), &rows, NULL) == 0)
			assert_string_equal(rows.ptr, ROWS);
		packed.ptr[at] ^= 0x10;
		buf_release(&rows);
	}
	packed.ptr[packed.len - 6] ^= 1; /* the checksum */
	expect_error(buf_slice(&packed), "of the feed (last good sequence 2): gzip: incorrect data check");
	buf_release(&packed);
}

static void test_feed_file__garbage_behind_gzip_is_an_error(void **state)
{
	struct buf packed = BUF_INIT(1 << 16);
	(void)state;
	gzip(SLICE(FEED), &packed);
	buf_str(&packed, "garbage");
	expect_error(buf_slice(&packed), "gzip: incorrect header check");
	buf_release(&packed);
}

static void test_feed_file__other_packers_are_named(void **state)
{
	(void)state;
	expect_error(SLICE("\x28\xb5\x2f\xfd    "), "something other than gzip");
	expect_error(SLICE("\xfd"
			   "7zXZ\0"),
		     "something other than gzip");
	expect_error(SLICE("BZh91AY"), "something other than gzip");
	expect_error(SLICE("PK\x03\x04    "), "something other than gzip");
}

/* ---- standard input ---- */

struct pipe_end {
	int fd;
	struct slice bytes;
	size_t piece;
	atomic_int *stop; /* set after the bytes; the pipe then stays open */
};

static void *write_pieces(void *context)
{
	struct pipe_end *p = context;
	for (size_t at = 0; at < p->bytes.len; at += p->piece) {
		size_t left = p->bytes.len - at;
		ssize_t n = write(p->fd, p->bytes.ptr + at, left < p->piece ? left : p->piece);
		if (n <= 0)
			break;
	}
	if (p->stop)
		atomic_store(p->stop, 1);
	else
		close(p->fd);
	return NULL;
}

/* Reads the feed from standard input while a thread writes it there. */
static int read_stdin(struct slice bytes, size_t piece, atomic_int *stop, struct buf *rows, struct err *err)
{
	int fds[2], saved = dup(STDIN_FILENO);
	pthread_t thread;
	assert_int_equal(pipe(fds), 0);
	dup2(fds[0], STDIN_FILENO);
	close(fds[0]);
	struct pipe_end end = {fds[1], bytes, piece, stop};
	pthread_create(&thread, NULL, write_pieces, &end);
	int rc = read_path(NULL, stop, rows, err);
	pthread_join(thread, NULL);
	if (stop)
		close(fds[1]);
	dup2(saved, STDIN_FILENO);
	close(saved);
	return rc;
}

static void test_feed_file__standard_input(void **state)
{
	struct buf packed = BUF_INIT(1 << 16), rows;
	(void)state;
	assert_int_equal(read_stdin(SLICE(FEED), 5, NULL, &rows, NULL), 0);
	assert_string_equal(rows.ptr, ROWS);
	buf_release(&rows);
	gzip(SLICE(FEED), &packed);
	assert_int_equal(read_stdin(buf_slice(&packed), 1, NULL, &rows, NULL), 0);
	assert_string_equal(rows.ptr, ROWS);
	buf_release(&rows);
	buf_release(&packed);
}

static void test_feed_file__stop_flag_ends_a_silent_pipe(void **state)
{
	atomic_int stop = 0;
	struct buf rows;
	struct err err = ERR_INIT;
	(void)state;
	assert_int_equal(read_stdin((struct slice){FEED, 40}, 40, &stop, &rows, &err), ERR_STOPPED);
	buf_release(&rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_feed_file__plain),
	    cmocka_unit_test(test_feed_file__knows_its_size),
	    cmocka_unit_test(test_feed_file__absent_directory_and_empty),
	    cmocka_unit_test(test_feed_file__gzip),
	    cmocka_unit_test(test_feed_file__gzip_files_joined),
	    cmocka_unit_test(test_feed_file__gzip_larger_than_the_window),
	    cmocka_unit_test(test_feed_file__rows_before_a_damaged_place_come_out),
	    cmocka_unit_test(test_feed_file__gzip_cut_anywhere_is_an_error),
	    cmocka_unit_test(test_feed_file__gzip_with_a_wrong_byte_never_passes_as_other_rows),
	    cmocka_unit_test(test_feed_file__garbage_behind_gzip_is_an_error),
	    cmocka_unit_test(test_feed_file__other_packers_are_named),
	    cmocka_unit_test(test_feed_file__standard_input),
	    cmocka_unit_test(test_feed_file__stop_flag_ends_a_silent_pipe),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
