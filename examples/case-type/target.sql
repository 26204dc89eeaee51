-- The service's own schema, as its application's migrations make it.
CREATE SCHEMA ccd;
CREATE TABLE ccd.case_data (
	id bigint PRIMARY KEY,
	reference bigint NOT NULL UNIQUE,
	jurisdiction varchar(255) NOT NULL,
	case_type_id varchar(255) NOT NULL,
	state varchar(255) NOT NULL,
	data jsonb NOT NULL,
	supplementary_data jsonb NOT NULL DEFAULT '{}',
	security_classification varchar(16) NOT NULL,
	created_date timestamp NOT NULL,
	last_modified timestamp,
	version integer NOT NULL,
	case_revision bigint NOT NULL
);
CREATE TABLE ccd.case_event (
	id bigserial PRIMARY KEY,
	case_data_id bigint NOT NULL REFERENCES ccd.case_data ON DELETE CASCADE,
	case_type_id varchar(255) NOT NULL,
	event_id varchar(70) NOT NULL,
	summary text,
	data jsonb NOT NULL,
	user_id varchar(64) NOT NULL,
	created_date timestamp NOT NULL,
	version integer NOT NULL,
	case_revision bigint NOT NULL,
	idempotency_key uuid NOT NULL UNIQUE,
	UNIQUE (case_data_id, version)
);
CREATE TABLE ccd.case_event_significant_items (
	id serial PRIMARY KEY,
	case_event_id bigint NOT NULL REFERENCES ccd.case_event ON DELETE CASCADE,
	description varchar(64) NOT NULL,
	type varchar(16) NOT NULL,
	url text
);
CREATE TABLE ccd.outbox (id bigserial PRIMARY KEY, case_data_id bigint);
CREATE FUNCTION ccd.tell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO ccd.outbox (case_data_id) VALUES (NEW.id); RETURN NEW; END';
CREATE TRIGGER tell AFTER INSERT OR UPDATE ON ccd.case_data FOR EACH ROW EXECUTE FUNCTION ccd.tell();
