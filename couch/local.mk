# The room couch/: its library and its unit tests.
noinst_LIBRARIES += couch/libcouch.a
couch_libcouch_a_SOURCES = \
	couch/couch.h
