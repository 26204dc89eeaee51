# The room couch/: its library and its unit tests.
noinst_LIBRARIES += couch/libcouch.a
couch_libcouch_a_SOURCES = \
	couch/client.c \
	couch/couch.h \
	couch/couch_internal.h \
	couch/feed.c \
	couch/feed_file.c \
	couch/feed_http.c \
	couch/feed_window.c \
	couch/http.c \
	couch/http_error.c \
	couch/row.c \
	couch/row_peek.c
