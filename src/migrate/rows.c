#include "migrate/rows.h"

#include "base/number.h"

struct sql_row row_new(struct arena *a, int n)
{
	return (struct sql_row){ARENA_ARRAY(a, (size_t)n, struct slice)};
}

struct sql_row row_pair(struct arena *a, struct slice first, struct slice second)
{
	struct sql_row r = row_new(a, 2);

	r.cells[0] = first;
	r.cells[1] = second;
	return r;
}

struct slice row_int(struct arena *a, long long n)
{
	return arena_printf(a, "%lld", n);
}

long long row_to_int(struct slice cell)
{
	long long n = 0;

	return cell.ptr && number_to_i64(cell, &n) ? n : 0;
}

struct slice row_bool(int truth)
{
	return truth ? SLICE("t") : SLICE("f");
}

int row_is_true(struct slice cell)
{
	return slice_is(cell, "t");
}
