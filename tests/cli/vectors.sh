#!/bin/sh
# The vectors of fixtures/vectors through the program.
. "$top_srcdir/tests/cli/lib.sh"
node "$top_srcdir/tests/cli/vectors.js" "$settle" "$top_srcdir/fixtures/vectors" "$work"
