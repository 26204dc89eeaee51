# The room src/profile/: its library and its unit tests.
noinst_LIBRARIES += src/profile/libprofile.a
src_profile_libprofile_a_SOURCES = \
	src/profile/profile.h
