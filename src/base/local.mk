# The room src/base/: its library and its unit tests.
noinst_LIBRARIES += src/base/libbase.a
src_base_libbase_a_SOURCES = \
	src/base/arena.c \
	src/base/arena.h \
	src/base/buf.c \
	src/base/buf.h \
	src/base/clock.c \
	src/base/clock.h \
	src/base/datetime.c \
	src/base/datetime.h \
	src/base/err.c \
	src/base/err.h \
	src/base/json.h \
	src/base/json_internal.h \
	src/base/json_read.c \
	src/base/json_scan.c \
	src/base/json_scan.h \
	src/base/json_value.c \
	src/base/json_write.c \
	src/base/log.c \
	src/base/log.h \
	src/base/number.c \
	src/base/number.h \
	src/base/pct.c \
	src/base/pct.h \
	src/base/queue.c \
	src/base/queue.h \
	src/base/slice.h \
	src/base/url.c \
	src/base/url.h \
	src/base/utf8.c \
	src/base/utf8.h
