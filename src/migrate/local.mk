# The room src/migrate/: its library and its unit tests.
noinst_LIBRARIES += src/migrate/libmigrate.a
src_migrate_libmigrate_a_SOURCES = \
	src/migrate/mapping.h \
	src/migrate/migrate.h
