# The room diff/: its library and its unit tests.
noinst_LIBRARIES += diff/libdiff.a
diff_libdiff_a_SOURCES = \
	diff/diff.h \
	diff/rules.h
