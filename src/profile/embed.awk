# Profiles -> the table of the built-in ones in C: awk -f embed.awk NAME=FILE ...
# The summary is that of the profile: a line `  "summary": "TEXT",`.
function fail(message) {
	print "embed.awk: " message | "cat 1>&2"
	exit 1
}

function embed(name, file,    line, got) {
	printf "static const char text_%s[] =\n", name
	while ((got = (getline line < file)) > 0) {
		gsub(/\\/, "&&", line)
		gsub(/"/, "\\\"", line)
		printf "\t\"%s\\n\"\n", line
		if (line ~ /^  \\"summary\\": \\".*\\",$/)
			summary[name] = substr(line, 18, length(line) - 20)
	}
	print "\t;\n"
	if (got < 0)
		fail("cannot read " file)
	if (!(name in summary))
		fail(file " has no line with a summary")
}

BEGIN {
	print "/* Made by embed.awk: do not edit. */"
	print "#include \"config.h\"\n\n#include \"profile/profile.h\"\n"
	for (i = 1; i < ARGC; i++) {
		cut = index(ARGV[i], "=")
		names[i] = substr(ARGV[i], 1, cut - 1)
		embed(names[i], substr(ARGV[i], cut + 1))
	}
	print "const struct profile_builtin profile_builtins[] = {"
	for (i = 1; i < ARGC; i++)
		printf "\t{\"%s\", \"%s\", {text_%s, sizeof(text_%s) - 1}},\n", names[i], summary[names[i]], names[i], names[i]
	print "\t{0},\n};"
}
