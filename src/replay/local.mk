# The room src/replay/: its library and its unit tests.
noinst_LIBRARIES += src/replay/libreplay.a
src_replay_libreplay_a_SOURCES = \
	src/replay/replay.h
