# The room sql/: its library and its unit tests.
noinst_LIBRARIES += sql/libsql.a
sql_libsql_a_SOURCES = \
	sql/tables.h \
	sql/target.h
