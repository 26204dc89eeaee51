# settle.m4: what configure asks of the machine.

AC_DEFUN([SETTLE_C17], [
  AC_CACHE_CHECK([for -std=gnu17], [settle_cv_c17], [
    settle_save_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS -std=gnu17"
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [_Static_assert(__STDC_VERSION__ >= 201710L, "C17");])],
      [settle_cv_c17=yes], [settle_cv_c17=no])
    CFLAGS=$settle_save_CFLAGS])
  AS_IF([test "$settle_cv_c17" = no], [AC_MSG_ERROR([a C17 compiler is needed (Debian: gcc or clang)])])
  CC="$CC -std=gnu17"
])

# SETTLE_TRY_CFLAG(FLAG): adds it to SETTLE_CFLAGS when the compiler takes it.
AC_DEFUN([SETTLE_TRY_CFLAG], [
  settle_save_CFLAGS=$CFLAGS
  CFLAGS="$CFLAGS -Werror $1"
  AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])], [SETTLE_CFLAGS="$SETTLE_CFLAGS $1"])
  CFLAGS=$settle_save_CFLAGS
])

AC_DEFUN([SETTLE_WARNINGS], [
  AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [treat warnings as errors (CI)])], [], [enable_werror=no])
  AC_MSG_NOTICE([checking which warnings the compiler knows])
  m4_foreach_w([flag], [-Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes -Wmissing-prototypes
    -Wvla -Wformat=2 -Wpointer-arith -Wwrite-strings -Wundef -fno-common -pthread], [SETTLE_TRY_CFLAG(flag)])
  AS_IF([test "$enable_werror" = yes], [SETTLE_CFLAGS="$SETTLE_CFLAGS -Werror"])
])

AC_DEFUN([SETTLE_SANITIZERS], [
  settle_san=
  AC_ARG_ENABLE([asan], [AS_HELP_STRING([--enable-asan], [build with AddressSanitizer])])
  AC_ARG_ENABLE([ubsan], [AS_HELP_STRING([--enable-ubsan], [build with UndefinedBehaviorSanitizer])])
  AC_ARG_ENABLE([tsan], [AS_HELP_STRING([--enable-tsan], [build with ThreadSanitizer])])
  AC_ARG_ENABLE([coverage], [AS_HELP_STRING([--enable-coverage], [build for gcov])])
  AC_ARG_ENABLE([fuzz], [AS_HELP_STRING([--enable-fuzz], [build the fuzz targets for libFuzzer (clang)])])
  AC_ARG_ENABLE([arena-debug], [AS_HELP_STRING([--enable-arena-debug],
    [make every arena allocation a malloc of its own (on with --enable-asan)])])
  AS_IF([test "$enable_asan" = yes && test "$enable_tsan" = yes],
    [AC_MSG_ERROR([--enable-asan and --enable-tsan exclude each other])])
  AS_IF([test "$enable_asan" = yes], [settle_san="-fsanitize=address -fno-omit-frame-pointer"])
  AS_IF([test "$enable_tsan" = yes], [settle_san="-fsanitize=thread -fno-omit-frame-pointer"])
  AS_IF([test "$enable_ubsan" = yes], [settle_san="$settle_san -fsanitize=undefined -fno-sanitize-recover=all"])
  AS_IF([test "$enable_coverage" = yes], [settle_san="$settle_san --coverage"])
  AS_IF([test "$enable_fuzz" = yes], [settle_san="$settle_san -fsanitize=fuzzer-no-link"])
  AS_IF([test "x$settle_san" != x], [
    SETTLE_CFLAGS="$SETTLE_CFLAGS $settle_san"
    AC_MSG_CHECKING([whether$settle_san works])
    settle_save_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS $settle_san"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [AC_MSG_RESULT([yes])], [
      AC_MSG_RESULT([no])
      AC_MSG_ERROR([the compiler cannot do:$settle_san (clang on Debian needs libclang-rt-14-dev)])])
    CFLAGS=$settle_save_CFLAGS
  ])
  AS_IF([test "$enable_asan" = yes && test "x$enable_arena_debug" = x], [enable_arena_debug=yes])
  AS_IF([test "$enable_arena_debug" = yes], [AC_DEFINE([ARENA_DEBUG], [1], [every arena allocation is a malloc])])
  AM_CONDITIONAL([FUZZ], [test "$enable_fuzz" = yes])
  AM_CONDITIONAL([TSAN], [test "$enable_tsan" = yes])
  AC_SUBST([SETTLE_CFLAGS])
])

# SETTLE_NEED(VARIABLE, PKG-CONFIG NAME, MINIMUM, DEBIAN PACKAGE)
AC_DEFUN([SETTLE_NEED], [
  PKG_CHECK_MODULES([$1], [$2 >= $3], [], [settle_missing="$settle_missing $4"
    AC_MSG_WARN([missing: $2 >= $3 (Debian package $4)])])
])

AC_DEFUN([SETTLE_LIBRARIES], [
  AC_PATH_PROG([PKG_CONFIG], [pkg-config])
  AS_IF([test "x$PKG_CONFIG" = x], [AC_MSG_ERROR([pkg-config is missing (Debian package pkg-config)])])
  settle_missing=
  SETTLE_NEED([CURL], [libcurl], [7.74], [libcurl4-openssl-dev])
  SETTLE_NEED([YAJL], [yajl], [2.1], [libyajl-dev])
  SETTLE_NEED([PQ], [libpq], [13], [libpq-dev])
  SETTLE_NEED([SQLITE], [sqlite3], [3.34], [libsqlite3-dev])
  SETTLE_NEED([GIT2], [libgit2], [1.1], [libgit2-dev])
  SETTLE_NEED([ZLIB], [zlib], [1.2.11], [zlib1g-dev])
  SETTLE_NEED([SODIUM], [libsodium], [1.0.18], [libsodium-dev])
  SETTLE_NEED([CRYPT], [libcrypt], [4.3], [libcrypt-dev])
  SETTLE_NEED([CRYPTO], [libcrypto], [1.1.1], [libssl-dev])
  SETTLE_NEED([XML], [libxml-2.0], [2.9.10], [libxml2-dev])
  AS_IF([test "x$settle_missing" != x], [
    AC_MSG_ERROR([libraries are missing; on Debian: apt-get install$settle_missing])])
  AC_SEARCH_LIBS([pthread_create], [pthread])
])

# What only the tests use; its absence is said, and 'make check' then says it again.
AC_DEFUN([SETTLE_TEST_TOOLS], [
  PKG_CHECK_MODULES([CMOCKA], [cmocka >= 1.1], [have_cmocka=yes], [have_cmocka=no])
  AM_CONDITIONAL([HAVE_CMOCKA], [test "$have_cmocka" = yes])
  AC_PATH_PROG([NODE], [node])
  AC_PATH_PROG([JQ], [jq])
  AC_CHECK_TOOL([NM], [nm], [nm])
])

AC_DEFUN([SETTLE_SUMMARY], [
  AS_IF([test "$have_cmocka" = no], [AC_MSG_WARN([no cmocka: unit tests cannot be built (Debian package libcmocka-dev; ./autogen.sh check installs it)])])
  AC_MSG_NOTICE([settle $PACKAGE_VERSION: now run make])
])
