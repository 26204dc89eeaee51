# The seeded generator of domains (tests/gen/README.md) and what it made for fixtures/demo.
TESTS += tests/cli/generator.sh
EXTRA_DIST += \
	tests/cli/generator.sh \
	tests/gen/README.md \
	tests/gen/blocks.js \
	tests/gen/cases.js \
	tests/gen/compare.js \
	tests/gen/dates.js \
	tests/gen/domain.js \
	tests/gen/earlier.js \
	tests/gen/expect.js \
	tests/gen/fold.js \
	tests/gen/forms.js \
	tests/gen/gzip.js \
	tests/gen/odd.js \
	tests/gen/patch.js \
	tests/gen/plants.js \
	tests/gen/prng.js \
	tests/gen/selftest.js \
	tests/gen/timeline.js \
	tests/gen/words.js \
	fixtures/demo/README.md \
	fixtures/demo/demo.json.gz \
	fixtures/demo/expected.json \
	fixtures/odd/README.md \
	fixtures/odd/attachments.ndjson \
	fixtures/odd/conflicts.ndjson \
	fixtures/odd/expected.json \
	fixtures/odd/odd.ndjson
