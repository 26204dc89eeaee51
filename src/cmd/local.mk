# The room src/cmd/: the program.
bin_PROGRAMS += settle
settle_SOURCES = src/cmd/cmd.h src/cmd/main.c
settle_LDADD = $(MIGRATE_LIBS)
