# The room src/explain/: its library and its unit tests.
noinst_LIBRARIES += src/explain/libexplain.a
src_explain_libexplain_a_SOURCES = \
	src/explain/explain.c \
	src/explain/explain.h \
	src/explain/ids.c \
	src/explain/internal.h \
	src/explain/missing_case.c \
	src/explain/missing_forms.c \
	src/explain/order.c \
	src/explain/rebuild.c \
	src/explain/sort.c
