# The room diff/: its library and its unit tests.
noinst_LIBRARIES += diff/libdiff.a
diff_libdiff_a_SOURCES = \
	diff/attachments.c \
	diff/diff.c \
	diff/diff.h \
	diff/id_set.c \
	diff/index.c \
	diff/indices.c \
	diff/match.c \
	diff/predicates.c \
	diff/rename.c \
	diff/rules.c \
	diff/rules.h \
	diff/rules_internal.h \
	diff/serial.c
