# The room src/state/: its library and its unit tests.
noinst_LIBRARIES += src/state/libstate.a
src_state_libstate_a_SOURCES = \
	src/state/state.h
