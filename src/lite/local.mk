# The room src/lite/: its library and its unit tests.
noinst_LIBRARIES += src/lite/liblite.a
src_lite_liblite_a_SOURCES = \
	src/lite/lite.h
