-- Tables of every kind: names that must be quoted, types that binary COPY carries and those it does not, keys, children, partitions.
CREATE TYPE "mood ""of"" day" AS ENUM ('good', 'it''s bad', 'größer');
CREATE DOMAIN percent AS integer CHECK (VALUE BETWEEN 0 AND 100);
CREATE TYPE pair AS (a integer, b text);

CREATE TABLE plain (id serial PRIMARY KEY, name text NOT NULL DEFAULT 'none', twice integer GENERATED ALWAYS AS (2) STORED);
INSERT INTO plain SELECT i, 'name ' || i FROM generate_series(1, 1000) i;
SELECT setval('plain_id_seq', 1000);
CREATE INDEX "plain ""idx" ON plain (name, id DESC) WHERE id > 10;
CREATE TABLE child (id integer PRIMARY KEY, plain integer REFERENCES plain);
INSERT INTO child VALUES (1, 1), (2, 1000), (3, NULL);

CREATE TABLE "odd types" (
	k bigint PRIMARY KEY, m "mood ""of"" day", p percent, c pair, arr integer[], moods "mood ""of"" day"[], deep text[][], b bytea,
	f real, d double precision, n numeric, n2 numeric(10, 2), dt date, ts timestamp, tz timestamptz, t time, tt timetz, i interval,
	u uuid, j json, jb jsonb, ip inet, net cidr, mac macaddr, r int4range, mr int4multirange, bits bit varying(7), x xml, pt point,
	v varchar(5), ch char(4), bo boolean, mo money, reg regclass, ts_v tsvector, one "char", na name);
INSERT INTO "odd types" (k) VALUES (1);
INSERT INTO "odd types" VALUES (2, 'it''s bad', 100, ROW(1, 'a,"b'), '{1,NULL,3}', '{good,größer}', '{{a,b},{NULL,"d e"}}', '\x00ff5c',
	'NaN', '-Infinity', 'NaN', 1.50, 'infinity', '-infinity', '2020-02-29 12:00:00.123456+02', '24:00', '12:00:00.5-03', '1 mon -2 days 03:00',
	'0f0e0d0c-0b0a-0908-0706-050403020100', '{"a" : 1,  "a":2}', '{"b": [1e3, null]}', '::1/64', '10.0.0.0/8', '08:00:2b:01:02:03', '[1,5)',
	'{[1,2),[5,)}', '1011', '<a>é</a>', '(1.1,-2)', 'ab', 'ab', true, 12.34, 'pg_class', 'fat:1 cat:2', 'x', 'näme');
INSERT INTO "odd types" (k, n, d, f, v, b, ch, j) VALUES (3, 123456789012345678901234567890.123456789, 1e-310, 3.4e38, E'\t\\\n"', '', '', 'null');

CREATE TABLE "select" ("from" integer, "where ""x""" text, "Größe und weiter" text, PRIMARY KEY ("where ""x""", "from"));
INSERT INTO "select" VALUES (1, 'a', 'b'), (2, '\N', ''), (3, E'tab\there', NULL);
CREATE SCHEMA "other schema"; -- in no plan of this test
CREATE TABLE "other schema".unseen (id integer);
CREATE TABLE "a name of exactly 63 bytes which is as long as names can be, ab" (id integer PRIMARY KEY, v text);
INSERT INTO "a name of exactly 63 bytes which is as long as names can be, ab" VALUES (1, 'x');
CREATE TABLE "täble; DROP TABLE plain; --" (id integer PRIMARY KEY, "co'l" text);
INSERT INTO "täble; DROP TABLE plain; --" VALUES (1, ''''), (2, '$$');
CREATE TABLE empty (id integer PRIMARY KEY, v text);
CREATE TABLE keyless (a integer, b text);
INSERT INTO keyless VALUES (1, 'x'), (1, 'x'), (NULL, NULL);
CREATE TABLE identity_always (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text);
INSERT INTO identity_always (v) SELECT 'v' || i FROM generate_series(1, 11) i;

CREATE TABLE agg (month date NOT NULL, v integer);
CREATE TABLE "agg_2019-05-01" (CHECK (month = '2019-05-01')) INHERITS (agg);
CREATE TABLE agg_june (CONSTRAINT agg_june_check CHECK (month = DATE '2019-06-01'), extra text DEFAULT 'e') INHERITS (agg);
INSERT INTO agg VALUES ('2019-01-01', 0);
INSERT INTO "agg_2019-05-01" SELECT '2019-05-01', i FROM generate_series(1, 50) i;
INSERT INTO agg_june SELECT '2019-06-01', i FROM generate_series(1, 60) i;

CREATE TABLE parted (id integer, day date, v text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2020-01-01') TO ('2020-02-01');
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM ('2020-02-01') TO ('2020-03-01');
CREATE INDEX parted_v ON parted (v);
INSERT INTO parted SELECT i, DATE '2020-01-01' + i % 59, 'v' || i FROM generate_series(1, 200) i;
