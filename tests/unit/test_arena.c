#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_arena_alloc__is_aligned_and_apart(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	char *last = NULL;
	for (size_t size = 0; size < 300; size++) {
		char *p = arena_alloc(&a, size);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 16, 0);
		assert_ptr_not_equal(p, last);
		assert_ptr_not_equal(arena_alloc(&a, 0), p);
		memset(p, (int)size, size);
		last = p;
	}
	arena_release(&a);
}

static void test_arena_alloc__keeps_what_was_written_across_chunks(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	enum { N = 5000 };
	unsigned char *p[N];
	for (size_t i = 0; i < N; i++) {
		size_t size = i % 50 == 0 ? 70000 : i % 1000 + 1;
		p[i] = arena_alloc(&a, size);
		memset(p[i], (int)(i % 251), size);
	}
	for (size_t i = 0; i < N; i++) {
		size_t size = i % 50 == 0 ? 70000 : i % 1000 + 1;
		assert_int_equal(p[i][0], i % 251);
		assert_int_equal(p[i][size - 1], i % 251);
	}
	arena_release(&a);
}

static void test_arena_used__counts_bytes_until_reset(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	assert_int_equal(arena_used(&a), 0);
	arena_alloc(&a, 10);
	arena_alloc(&a, 3 << 20);
	arena_alloc(&a, 7);
	assert_int_equal(arena_used(&a), 10 + (3 << 20) + 7);
	arena_reset(&a);
	assert_int_equal(arena_used(&a), 0);
	assert_non_null(arena_alloc(&a, 1));
	arena_release(&a);
	assert_int_equal(arena_used(&a), 0);
	assert_non_null(arena_alloc(&a, 1));
	arena_release(&a);
}

static void test_arena_reset__after_big_allocations_only(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	arena_alloc(&a, 2 << 20);
	arena_reset(&a);
	memset(arena_alloc(&a, 100), 1, 100);
	arena_release(&a);
}

static void test_arena_zalloc__is_zero_even_in_reused_memory(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	memset(arena_alloc(&a, 1000), 0xff, 1000);
	arena_reset(&a);
	unsigned char *p = arena_zalloc(&a, 10, 100);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(p[i], 0);
	arena_release(&a);
}

static void test_arena_grow__keeps_contents_in_place_or_moved(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	size_t size = 1;
	unsigned char *p = arena_grow(&a, NULL, 0, size);
	p[0] = 1;
	while (size < 300000) {
		size_t larger = size + size / 3 + 1;
		if (size % 3 == 0)
			arena_alloc(&a, 5);
		p = arena_grow(&a, p, size, larger);
		for (size_t i = size; i < larger; i++)
			p[i] = (unsigned char)(i + 1);
		size = larger;
	}
	for (size_t i = 0; i < size; i++)
		assert_int_equal(p[i], (unsigned char)(i + 1));
	assert_ptr_equal(arena_grow(&a, p, size, size - 1), p);
	arena_release(&a);
}

static void test_arena_grow__does_not_run_into_the_next_allocation(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	char *first = arena_alloc(&a, 16);
	char *second = arena_alloc(&a, 16);
	memset(second, 's', 16);
	first = arena_grow(&a, first, 16, 64);
	memset(first, 'f', 64);
	for (int i = 0; i < 16; i++)
		assert_int_equal(second[i], 's');
	second = arena_grow(&a, second, 16, 200);
	char *third = arena_alloc(&a, 16);
	memset(third, 't', 16);
	memset(second, 's', 200);
	assert_int_equal(third[0], 't');
	arena_release(&a);
}

static void test_arena_str__is_a_terminated_copy(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	char text[] = "settle";
	struct slice copy = arena_slice(&a, slice_of(text));
	text[0] = 'x';
	assert_int_equal(copy.len, 6);
	assert_string_equal(copy.ptr, "settle");
	assert_string_equal(arena_str(&a, SLICE_NONE), "");
	assert_string_equal(arena_printf(&a, "%s-%d", "a", 7).ptr, "a-7");
	struct slice longer = arena_printf(&a, "%0100000d", 1);
	assert_int_equal(longer.len, 100000);
	assert_int_equal(longer.ptr[99999], '1');
	arena_release(&a);
}

static void test_arena_keep__none_stays_none_and_empty_empty(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	char text[] = "settle";
	struct slice copy = arena_keep(&a, slice_of(text));
	text[0] = 'x';
	assert_true(slice_is(copy, "settle"));
	assert_null(arena_keep(&a, SLICE_NONE).ptr);
	assert_non_null(arena_keep(&a, SLICE("")).ptr);
	assert_int_equal(arena_keep(&a, SLICE("")).len, 0);
	arena_release(&a);
}

static void test_arena_push__keeps_the_order(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct {
		int *v;
		size_t n, cap;
	} list = {0};
	for (int i = 0; i < 1000; i++)
		ARENA_PUSH(&a, &list, i);
	assert_int_equal(list.n, 1000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(list.v[i], i);
	arena_release(&a);
}

/* The exit code of a child in which the allocation is tried. */
static int exit_code_of(void (*work)(void))
{
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		if (!freopen("/dev/null", "w", stderr))
			_exit(99);
		work();
		_exit(0);
	}
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void overflowing_count(void)
{
	struct arena a = ARENA_INIT;
	arena_zalloc(&a, SIZE_MAX / 2, 3);
}

static void impossible_size(void)
{
	struct arena a = ARENA_INIT;
	arena_alloc(&a, SIZE_MAX - 3);
}

static void test_arena_alloc__out_of_memory_ends_with_6(void **state)
{
	(void)state;
	assert_int_equal(exit_code_of(overflowing_count), 6);
	assert_int_equal(exit_code_of(impossible_size), 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_arena_alloc__is_aligned_and_apart),
	    cmocka_unit_test(test_arena_alloc__keeps_what_was_written_across_chunks),
	    cmocka_unit_test(test_arena_used__counts_bytes_until_reset),
	    cmocka_unit_test(test_arena_reset__after_big_allocations_only),
	    cmocka_unit_test(test_arena_zalloc__is_zero_even_in_reused_memory),
	    cmocka_unit_test(test_arena_grow__keeps_contents_in_place_or_moved),
	    cmocka_unit_test(test_arena_grow__does_not_run_into_the_next_allocation),
	    cmocka_unit_test(test_arena_str__is_a_terminated_copy),
	    cmocka_unit_test(test_arena_keep__none_stays_none_and_empty_empty),
	    cmocka_unit_test(test_arena_push__keeps_the_order),
	    cmocka_unit_test(test_arena_alloc__out_of_memory_ends_with_6),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
