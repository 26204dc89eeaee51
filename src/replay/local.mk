# The room src/replay/: its library and its unit tests.
noinst_LIBRARIES += src/replay/libreplay.a
src_replay_libreplay_a_SOURCES = \
	src/replay/actions.c \
	src/replay/blocks.c \
	src/replay/dates.c \
	src/replay/dialect.c \
	src/replay/fold.c \
	src/replay/internal.h \
	src/replay/replay.h
