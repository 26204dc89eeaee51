# The CouchDB stand-in and the PouchDB peer that tests talk to; nothing of it is installed.
check_PROGRAMS += tests/server/couchd
tests_server_couchd_SOURCES = \
	tests/server/api_all_docs.c \
	tests/server/api_bulk.c \
	tests/server/api_changes.c \
	tests/server/api_db.c \
	tests/server/api_doc.c \
	tests/server/api_purge.c \
	tests/server/attachments.c tests/server/attachments.h \
	tests/server/auth.c \
	tests/server/conn.c \
	tests/server/couchd.c \
	tests/server/edit.c tests/server/edit.h \
	tests/server/faults.c tests/server/faults.h \
	tests/server/files.c tests/server/files.h \
	tests/server/journal.c tests/server/journal.h \
	tests/server/load.c tests/server/load.h \
	tests/server/loop.c \
	tests/server/md5.c tests/server/md5.h \
	tests/server/parts.c \
	tests/server/recorded.c tests/server/recorded.h \
	tests/server/request.c \
	tests/server/respond.c \
	tests/server/revision.c \
	tests/server/route.c \
	tests/server/selector.c tests/server/selector.h \
	tests/server/sequence.c \
	tests/server/server.h \
	tests/server/store.c tests/server/store.h
tests_server_couchd_LDADD = $(BASE_LIBS)
EXTRA_DIST += tests/server/couchd.sh

TESTS += tests/cli/standin.sh
EXTRA_DIST += tests/cli/standin.sh fixtures/couch/raw

TESTS += tests/cli/pouch-peer.sh
EXTRA_DIST += tests/cli/pouch-peer.sh tests/server/pouch.sh tests/server/README.md \
	tests/server/pouch/load.js tests/server/pouch/package.json tests/server/pouch/package-lock.json tests/server/pouch/server.js

clean-local: clean-pouch
.PHONY: clean-pouch
clean-pouch:
	rm -rf tests/server/pouch-peer
