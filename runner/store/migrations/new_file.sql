CREATE TABLE access_counts (
	kind VARCHAR(10) NOT NULL, 
	"key" VARCHAR(16) NOT NULL, 
	level FLOAT NOT NULL, 
	at FLOAT NOT NULL, 
	until FLOAT NOT NULL, 
	parts TEXT NOT NULL, 
	PRIMARY KEY (kind, "key")
);

CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

INSERT INTO "alembic_version" VALUES('0023');

CREATE TABLE alerts (
	id INTEGER NOT NULL, 
	journey VARCHAR(100) NOT NULL, 
	location VARCHAR(100) NOT NULL, 
	kind VARCHAR(10) NOT NULL, 
	opened_at DATETIME NOT NULL, 
	told_at DATETIME NOT NULL, 
	closed_at DATETIME, 
	run_id VARCHAR(36), 
	title TEXT NOT NULL, 
	PRIMARY KEY (id)
);

CREATE TABLE artifacts (
	id INTEGER NOT NULL, 
	run_id VARCHAR(36) NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	path TEXT NOT NULL, 
	bytes BIGINT NOT NULL, 
	attempt INTEGER NOT NULL, 
	step TEXT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(run_id) REFERENCES runs (id) ON DELETE CASCADE
);

CREATE TABLE attempts (
	id INTEGER NOT NULL, 
	run_id VARCHAR(36) NOT NULL, 
	number INTEGER NOT NULL, 
	status VARCHAR(10) NOT NULL, 
	started_at DATETIME NOT NULL, 
	duration_seconds FLOAT NOT NULL, 
	failure_kind VARCHAR(20), 
	failure_step TEXT, 
	failure_message TEXT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(run_id) REFERENCES runs (id) ON DELETE CASCADE
);

CREATE TABLE beacons (
	number INTEGER NOT NULL, 
	id VARCHAR(70) NOT NULL, 
	received_at FLOAT NOT NULL, 
	changes TEXT NOT NULL, 
	PRIMARY KEY (number), 
	UNIQUE (id)
);

CREATE TABLE error_states (
	id VARCHAR(16) NOT NULL, 
	app VARCHAR(100) NOT NULL, 
	state VARCHAR(10) NOT NULL, 
	release VARCHAR(200) NOT NULL, 
	who VARCHAR(100) NOT NULL, 
	note TEXT NOT NULL, 
	at FLOAT NOT NULL, 
	reopened_at FLOAT, 
	reopened_in VARCHAR(200) NOT NULL, 
	PRIMARY KEY (id)
);

CREATE TABLE groups (
	journey VARCHAR(100) NOT NULL, 
	location VARCHAR(100) NOT NULL, 
	gateway TEXT NOT NULL, 
	PRIMARY KEY (journey, location, gateway)
);

CREATE TABLE histograms (
	metric VARCHAR(4) NOT NULL, 
	step INTEGER NOT NULL, 
	at INTEGER NOT NULL, 
	series INTEGER NOT NULL, 
	count INTEGER NOT NULL, 
	sum FLOAT NOT NULL, 
	worst FLOAT NOT NULL, 
	"view" BIGINT NOT NULL, 
	b00 INTEGER NOT NULL, 
	b01 INTEGER NOT NULL, 
	b02 INTEGER NOT NULL, 
	b03 INTEGER NOT NULL, 
	b04 INTEGER NOT NULL, 
	b05 INTEGER NOT NULL, 
	b06 INTEGER NOT NULL, 
	b07 INTEGER NOT NULL, 
	b08 INTEGER NOT NULL, 
	b09 INTEGER NOT NULL, 
	b10 INTEGER NOT NULL, 
	b11 INTEGER NOT NULL, 
	b12 INTEGER NOT NULL, 
	b13 INTEGER NOT NULL, 
	b14 INTEGER NOT NULL, 
	b15 INTEGER NOT NULL, 
	b16 INTEGER NOT NULL, 
	b17 INTEGER NOT NULL, 
	b18 INTEGER NOT NULL, 
	b19 INTEGER NOT NULL, 
	b20 INTEGER NOT NULL, 
	b21 INTEGER NOT NULL, 
	b22 INTEGER NOT NULL, 
	b23 INTEGER NOT NULL, 
	b24 INTEGER NOT NULL, 
	PRIMARY KEY (metric, step, at, series)
)
 WITHOUT ROWID

;

CREATE TABLE incident_updates (
	id INTEGER NOT NULL, 
	incident_id INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	text TEXT NOT NULL, 
	who VARCHAR(100) NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(incident_id) REFERENCES incidents (id) ON DELETE CASCADE
);

CREATE TABLE incidents (
	id INTEGER NOT NULL, 
	component VARCHAR(100) NOT NULL, 
	measured_at DATETIME, 
	started_at DATETIME NOT NULL, 
	title TEXT NOT NULL, 
	impact VARCHAR(20) NOT NULL, 
	hidden BOOLEAN NOT NULL, 
	who VARCHAR(100) NOT NULL, 
	made_at DATETIME NOT NULL, 
	PRIMARY KEY (id)
);

CREATE TABLE interactions (
	"view" INTEGER NOT NULL, 
	"index" INTEGER NOT NULL, 
	type VARCHAR(10) NOT NULL, 
	at_seconds FLOAT NOT NULL, 
	role VARCHAR(200) NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	test_id VARCHAR(200) NOT NULL, element VARCHAR(200) DEFAULT '' NOT NULL, 
	PRIMARY KEY ("view", "index")
)
 WITHOUT ROWID

;

CREATE TABLE journeys (
	journey VARCHAR(100) NOT NULL, 
	location VARCHAR(100) NOT NULL, 
	newest_run VARCHAR(36) NOT NULL, 
	newest_at DATETIME NOT NULL, 
	PRIMARY KEY (journey, location)
);

CREATE TABLE locations (
	location VARCHAR(100) NOT NULL, 
	reporter VARCHAR(36) NOT NULL, 
	reported_at DATETIME NOT NULL, 
	seen_at DATETIME, 
	workers INTEGER NOT NULL, 
	running INTEGER NOT NULL, 
	waiting INTEGER NOT NULL, 
	waiting_since DATETIME, 
	PRIMARY KEY (location, reporter)
);

CREATE TABLE made_journeys (
	session VARCHAR(70) NOT NULL, 
	made_at FLOAT NOT NULL, 
	content TEXT NOT NULL, 
	PRIMARY KEY (session)
);

CREATE TABLE marks (
	name VARCHAR(10) NOT NULL, 
	value BIGINT NOT NULL, 
	PRIMARY KEY (name)
);

INSERT INTO "marks" VALUES('views',0);

INSERT INTO "marks" VALUES('beacons',0);

INSERT INTO "marks" VALUES('rolled',0);

CREATE TABLE messages (
	id INTEGER NOT NULL, 
	alert_id INTEGER NOT NULL, 
	target VARCHAR(16) NOT NULL, 
	title TEXT NOT NULL, 
	body TEXT NOT NULL, 
	bad BOOLEAN NOT NULL, 
	made_at DATETIME NOT NULL, 
	sent_at DATETIME, 
	PRIMARY KEY (id), 
	FOREIGN KEY(alert_id) REFERENCES alerts (id) ON DELETE CASCADE
);

CREATE TABLE mutes (
	journey VARCHAR(100) NOT NULL, 
	location VARCHAR(100) NOT NULL, 
	kind VARCHAR(10) NOT NULL, 
	who VARCHAR(100) NOT NULL, 
	note TEXT NOT NULL, 
	made_at DATETIME NOT NULL, 
	until DATETIME, 
	PRIMARY KEY (journey, location, kind)
);

CREATE TABLE navigations (
	id INTEGER NOT NULL, 
	step_id INTEGER NOT NULL, 
	url TEXT NOT NULL, 
	type TEXT NOT NULL, 
	started_at DATETIME NOT NULL, 
	status INTEGER, 
	protocol TEXT NOT NULL, 
	redirects INTEGER NOT NULL, 
	transfer_bytes BIGINT NOT NULL, 
	redirect FLOAT, 
	dns FLOAT, 
	connect FLOAT, 
	tls FLOAT, 
	request FLOAT, 
	response FLOAT, 
	dom FLOAT, 
	load FLOAT, 
	ttfb FLOAT, 
	total FLOAT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(step_id) REFERENCES steps (id) ON DELETE CASCADE
);

CREATE TABLE page_errors (
	"view" INTEGER NOT NULL, 
	reason VARCHAR(16) NOT NULL, 
	at FLOAT NOT NULL, 
	count INTEGER NOT NULL, 
	message TEXT NOT NULL, 
	line INTEGER NOT NULL, 
	"column" INTEGER NOT NULL, 
	PRIMARY KEY ("view", reason)
)
 WITHOUT ROWID

;

CREATE TABLE page_views (
	number INTEGER NOT NULL, 
	id VARCHAR(70) NOT NULL, 
	app VARCHAR(100) NOT NULL, 
	session VARCHAR(70) NOT NULL, 
	page VARCHAR(200) NOT NULL, 
	url TEXT NOT NULL, 
	title TEXT NOT NULL, 
	referrer TEXT NOT NULL, 
	type VARCHAR(12) NOT NULL, 
	started_at FLOAT NOT NULL, 
	received_at FLOAT NOT NULL, 
	told_at FLOAT NOT NULL, 
	release VARCHAR(200) NOT NULL, 
	environment VARCHAR(200) NOT NULL, 
	traffic VARCHAR(10) NOT NULL, 
	browser VARCHAR(200) NOT NULL, 
	system VARCHAR(200) NOT NULL, 
	device VARCHAR(10) NOT NULL, 
	hidden BOOLEAN NOT NULL, 
	ended BOOLEAN NOT NULL, 
	visible_seconds FLOAT, 
	redirect FLOAT, 
	dns FLOAT, 
	connect FLOAT, 
	tls FLOAT, 
	request FLOAT, 
	response FLOAT, 
	dom FLOAT, 
	load FLOAT, 
	ttfb FLOAT, 
	total FLOAT, 
	status INTEGER NOT NULL, 
	protocol VARCHAR(20) NOT NULL, 
	transfer_bytes BIGINT NOT NULL, 
	connection VARCHAR(20) NOT NULL, 
	viewport_width INTEGER, 
	viewport_height INTEGER, 
	journey VARCHAR(200), 
	run VARCHAR(70), 
	step VARCHAR(200), 
	location VARCHAR(200), 
	series INTEGER NOT NULL, 
	interactions INTEGER NOT NULL, 
	errors INTEGER NOT NULL, 
	requests INTEGER NOT NULL, 
	listed_interactions INTEGER NOT NULL, trace VARCHAR(32), 
	PRIMARY KEY (number), 
	UNIQUE (id)
);

CREATE TABLE pauses (
	id INTEGER NOT NULL, 
	pattern VARCHAR(100) NOT NULL, 
	until DATETIME, 
	reason TEXT NOT NULL, 
	made_at DATETIME NOT NULL, 
	PRIMARY KEY (id)
);

CREATE TABLE reason_tallies (
	reason VARCHAR(16) NOT NULL, 
	at INTEGER NOT NULL, 
	count BIGINT NOT NULL, 
	views BIGINT NOT NULL, 
	PRIMARY KEY (reason, at)
)
 WITHOUT ROWID

;

CREATE TABLE reasons (
	id VARCHAR(16) NOT NULL, 
	app VARCHAR(100) NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	type VARCHAR(200) NOT NULL, 
	message TEXT NOT NULL, 
	source TEXT NOT NULL, 
	stack TEXT NOT NULL, 
	first_at FLOAT NOT NULL, 
	last_at FLOAT NOT NULL, 
	count BIGINT NOT NULL, 
	views BIGINT NOT NULL, release VARCHAR(200) DEFAULT '' NOT NULL, line INTEGER DEFAULT '0' NOT NULL, "column" INTEGER DEFAULT '0' NOT NULL, error_group VARCHAR(16) DEFAULT '' NOT NULL, original TEXT, mapped_at FLOAT DEFAULT '0' NOT NULL, 
	PRIMARY KEY (id)
);

CREATE TABLE replay_chunks (
	id INTEGER NOT NULL, 
	app VARCHAR(100) NOT NULL, 
	session VARCHAR(70) NOT NULL, 
	tab VARCHAR(70) NOT NULL, 
	sequence INTEGER NOT NULL, 
	first_at FLOAT NOT NULL, 
	last_at FLOAT NOT NULL, 
	events INTEGER NOT NULL, 
	has_full_snapshot BOOLEAN NOT NULL, 
	bytes BIGINT NOT NULL, 
	checksum VARCHAR(64) NOT NULL, 
	received_at FLOAT NOT NULL, 
	traffic VARCHAR(10) NOT NULL, 
	release VARCHAR(200) NOT NULL, 
	page VARCHAR(200) NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT replay_chunks_once UNIQUE (session, tab, sequence)
);

CREATE TABLE requested_runs (
	id VARCHAR(36) NOT NULL, 
	request_id VARCHAR(36) NOT NULL, 
	number INTEGER NOT NULL, 
	journey VARCHAR(100) NOT NULL, 
	location VARCHAR(100) NOT NULL, 
	state VARCHAR(10) NOT NULL, 
	detail TEXT DEFAULT '' NOT NULL, 
	owner VARCHAR(36), 
	claimed_at DATETIME, 
	ended_at DATETIME, 
	status VARCHAR(10), 
	result TEXT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(request_id) REFERENCES run_requests (id) ON DELETE CASCADE
);

CREATE TABLE run_days (
	journey VARCHAR(100) NOT NULL, 
	location VARCHAR(100) NOT NULL, 
	day DATETIME NOT NULL, 
	passed INTEGER NOT NULL, 
	failed INTEGER NOT NULL, 
	error INTEGER NOT NULL, 
	cancelled INTEGER NOT NULL, 
	flaky INTEGER NOT NULL, 
	over_budget INTEGER NOT NULL, 
	contended INTEGER NOT NULL, 
	durations JSON NOT NULL, 
	PRIMARY KEY (journey, location, day)
);

CREATE TABLE run_events (
	run_id VARCHAR(36) NOT NULL, 
	number INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	data TEXT NOT NULL, 
	PRIMARY KEY (run_id, number), 
	FOREIGN KEY(run_id) REFERENCES requested_runs (id) ON DELETE CASCADE
);

CREATE TABLE run_hours (
	journey VARCHAR(100) NOT NULL, 
	location VARCHAR(100) NOT NULL, 
	hour DATETIME NOT NULL, 
	passed INTEGER NOT NULL, 
	failed INTEGER NOT NULL, 
	error INTEGER NOT NULL, 
	cancelled INTEGER NOT NULL, 
	flaky INTEGER NOT NULL, 
	over_budget INTEGER NOT NULL, 
	contended INTEGER NOT NULL, 
	durations JSON NOT NULL, 
	PRIMARY KEY (journey, location, hour)
);

CREATE TABLE run_requests (
	id VARCHAR(36) NOT NULL, 
	idempotency_key VARCHAR(64) NOT NULL, 
	body_digest VARCHAR(64) NOT NULL, 
	who VARCHAR(100) NOT NULL, 
	made_at DATETIME NOT NULL, 
	reason VARCHAR(10) NOT NULL, 
	params JSON NOT NULL, 
	base_url TEXT, 
	release VARCHAR(100) DEFAULT '' NOT NULL, 
	deadline DATETIME NOT NULL, 
	about_run VARCHAR(36), 
	PRIMARY KEY (id), 
	UNIQUE (idempotency_key)
);

CREATE TABLE runs (
	id VARCHAR(36) NOT NULL, 
	journey VARCHAR(100) NOT NULL, 
	location VARCHAR(100) NOT NULL, 
	status VARCHAR(10) NOT NULL, 
	flaky BOOLEAN NOT NULL, 
	attempts INTEGER NOT NULL, 
	slot_at DATETIME, 
	delay_seconds FLOAT, 
	started_at DATETIME NOT NULL, 
	ended_at DATETIME NOT NULL, 
	duration_seconds FLOAT NOT NULL, 
	over_budget BOOLEAN NOT NULL, 
	contended BOOLEAN NOT NULL, 
	cpu_busy FLOAT, 
	cpu_pressure FLOAT, 
	runs_beside INTEGER, 
	failure_kind VARCHAR(20), 
	failure_step TEXT, 
	failure_message TEXT, 
	last_success_at DATETIME, 
	folder TEXT, 
	tags JSON NOT NULL, 
	notes JSON NOT NULL, 
	environment JSON NOT NULL, release VARCHAR(100) DEFAULT '' NOT NULL, set_aside BOOLEAN DEFAULT 0 NOT NULL, "trigger" VARCHAR(10) DEFAULT '' NOT NULL, browser VARCHAR(20) DEFAULT '' NOT NULL, 
	PRIMARY KEY (id)
);

CREATE TABLE schedulers (
	id VARCHAR(36) NOT NULL, 
	host TEXT NOT NULL, 
	process INTEGER NOT NULL, 
	location VARCHAR(100) NOT NULL, 
	started_at DATETIME NOT NULL, 
	seen_at DATETIME NOT NULL, 
	PRIMARY KEY (id)
);

CREATE TABLE series (
	id INTEGER NOT NULL, 
	app VARCHAR(100) NOT NULL, 
	page VARCHAR(200) NOT NULL, 
	traffic VARCHAR(10) NOT NULL, 
	environment VARCHAR(200) NOT NULL, 
	release VARCHAR(200) NOT NULL, 
	device VARCHAR(10) NOT NULL, 
	browser VARCHAR(200) NOT NULL, 
	whole INTEGER NOT NULL, 
	seen_at INTEGER NOT NULL, first_at INTEGER DEFAULT '0' NOT NULL, 
	PRIMARY KEY (id)
);

CREATE TABLE session_events (
	id INTEGER NOT NULL, 
	app VARCHAR(100) NOT NULL, 
	session VARCHAR(70) NOT NULL, 
	type VARCHAR(200) NOT NULL, 
	target VARCHAR(200) NOT NULL, 
	at FLOAT NOT NULL, 
	received_at FLOAT NOT NULL, 
	PRIMARY KEY (id)
);

CREATE TABLE sessions (
	id VARCHAR(70) NOT NULL, 
	app VARCHAR(100) NOT NULL, 
	started_at FLOAT NOT NULL, 
	seen_at FLOAT NOT NULL, 
	first_page VARCHAR(200) NOT NULL, 
	last_page VARCHAR(200) NOT NULL, 
	release VARCHAR(200) NOT NULL, 
	environment VARCHAR(200) NOT NULL, 
	traffic VARCHAR(10) NOT NULL, 
	browser VARCHAR(200) NOT NULL, 
	system VARCHAR(200) NOT NULL, 
	device VARCHAR(10) NOT NULL, 
	views INTEGER NOT NULL, 
	interactions INTEGER NOT NULL, 
	errors INTEGER NOT NULL, 
	requests INTEGER NOT NULL, frustrations INTEGER DEFAULT '0' NOT NULL, trail TEXT DEFAULT '[]' NOT NULL, 
	PRIMARY KEY (id)
);

CREATE TABLE sign_ins (
	id VARCHAR(64) NOT NULL, 
	name VARCHAR(100) NOT NULL, 
	credential VARCHAR(64) NOT NULL, 
	made_at DATETIME NOT NULL, 
	ends_at DATETIME NOT NULL, 
	PRIMARY KEY (id)
);

CREATE TABLE slots (
	journey VARCHAR(100) NOT NULL, 
	location VARCHAR(100) NOT NULL, 
	slot_at DATETIME NOT NULL, 
	state VARCHAR(10) NOT NULL, 
	reason TEXT NOT NULL, 
	run_id VARCHAR(36), 
	owner VARCHAR(36) NOT NULL, 
	claimed_at DATETIME NOT NULL, 
	PRIMARY KEY (journey, location, slot_at)
);

CREATE TABLE slow_requests (
	"view" INTEGER NOT NULL, 
	"index" INTEGER NOT NULL, 
	url TEXT NOT NULL, 
	method VARCHAR(20) NOT NULL, 
	kind VARCHAR(200) NOT NULL, 
	at_seconds FLOAT NOT NULL, 
	duration_seconds FLOAT NOT NULL, 
	status INTEGER NOT NULL, 
	failure VARCHAR(200) NOT NULL, 
	PRIMARY KEY ("view", "index")
)
 WITHOUT ROWID

;

CREATE TABLE source_maps (
	number INTEGER NOT NULL, 
	app VARCHAR(100) NOT NULL, 
	release VARCHAR(200) NOT NULL, 
	script TEXT NOT NULL, 
	debug_id VARCHAR(36) NOT NULL, 
	checksum VARCHAR(64) NOT NULL, 
	bytes BIGINT NOT NULL, 
	uploaded_at FLOAT NOT NULL, 
	who VARCHAR(100) NOT NULL, 
	PRIMARY KEY (number)
);

CREATE TABLE step_days (
	journey VARCHAR(100) NOT NULL, 
	location VARCHAR(100) NOT NULL, 
	day DATETIME NOT NULL, 
	step TEXT NOT NULL, 
	position INTEGER NOT NULL, 
	seconds FLOAT NOT NULL, 
	bytes BIGINT NOT NULL, 
	latencies JSON NOT NULL, 
	PRIMARY KEY (journey, location, day, step)
);

CREATE TABLE step_hours (
	journey VARCHAR(100) NOT NULL, 
	location VARCHAR(100) NOT NULL, 
	hour DATETIME NOT NULL, 
	step TEXT NOT NULL, 
	position INTEGER NOT NULL, 
	seconds FLOAT NOT NULL, 
	bytes BIGINT NOT NULL, 
	latencies JSON NOT NULL, 
	PRIMARY KEY (journey, location, hour, step)
);

CREATE TABLE steps (
	id INTEGER NOT NULL, 
	run_id VARCHAR(36) NOT NULL, 
	attempt INTEGER NOT NULL, 
	"index" INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	status VARCHAR(10) NOT NULL, 
	started_at DATETIME, 
	latency_seconds FLOAT, 
	wall_seconds FLOAT, 
	clock VARCHAR(10) NOT NULL, 
	cause VARCHAR(12) NOT NULL, 
	ended_by VARCHAR(12) NOT NULL, 
	budget_seconds FLOAT, 
	ttfb FLOAT, 
	fcp FLOAT, 
	lcp FLOAT, 
	inp FLOAT, 
	cls FLOAT, 
	requests_ok INTEGER NOT NULL, 
	requests_failed INTEGER NOT NULL, 
	transfer_bytes BIGINT NOT NULL, 
	page_errors INTEGER NOT NULL, 
	failure_kind VARCHAR(20), 
	failure_message TEXT, phases JSON, 
	PRIMARY KEY (id), 
	FOREIGN KEY(run_id) REFERENCES runs (id) ON DELETE CASCADE
);

CREATE TABLE tallies (
	step INTEGER NOT NULL, 
	at INTEGER NOT NULL, 
	series INTEGER NOT NULL, 
	views BIGINT NOT NULL, 
	sessions BIGINT NOT NULL, 
	failed BIGINT NOT NULL, 
	errors BIGINT NOT NULL, 
	interactions BIGINT NOT NULL, 
	requests BIGINT NOT NULL, rage_clicks BIGINT DEFAULT '0' NOT NULL, error_clicks BIGINT DEFAULT '0' NOT NULL, dead_clicks BIGINT DEFAULT '0' NOT NULL, quick_backs BIGINT DEFAULT '0' NOT NULL, 
	PRIMARY KEY (step, at, series)
)
 WITHOUT ROWID

;

CREATE TABLE vitals (
	"view" INTEGER NOT NULL, 
	name VARCHAR(4) NOT NULL, 
	id VARCHAR(80) NOT NULL, 
	value FLOAT NOT NULL, 
	attribution JSON NOT NULL, 
	PRIMARY KEY ("view", name, id)
)
 WITHOUT ROWID

;

CREATE INDEX runs_by_journey ON runs (journey, location, started_at);

CREATE INDEX runs_by_time ON runs (started_at);

CREATE INDEX slots_open ON slots (state, owner);

CREATE INDEX ix_artifacts_run_id ON artifacts (run_id);

CREATE INDEX ix_attempts_run_id ON attempts (run_id);

CREATE INDEX ix_steps_run_id ON steps (run_id);

CREATE INDEX ix_navigations_step_id ON navigations (step_id);

CREATE INDEX alerts_open ON alerts (journey, location, closed_at);

CREATE INDEX messages_unsent ON messages (sent_at, target);

CREATE INDEX page_errors_by_reason ON page_errors (reason, at);

CREATE INDEX page_views_by_page ON page_views (app, page, started_at);

CREATE INDEX page_views_by_run ON page_views (run) WHERE run IS NOT NULL;

CREATE INDEX page_views_by_session ON page_views (session);

CREATE INDEX page_views_by_time ON page_views (app, started_at);

CREATE INDEX reasons_by_time ON reasons (app, last_at);

CREATE UNIQUE INDEX series_by_labels ON series (app, page, traffic, environment, release, device, browser);

CREATE INDEX sessions_by_time ON sessions (app, started_at);

CREATE INDEX sessions_with_errors ON sessions (app, started_at) WHERE errors > 0;

CREATE INDEX run_hours_by_time ON run_hours (hour);

CREATE INDEX runs_by_status ON runs (journey, location, status, started_at);

CREATE INDEX sign_ins_by_end ON sign_ins (ends_at);

CREATE INDEX replay_chunks_by_time ON replay_chunks (received_at);

CREATE INDEX session_events_by_session ON session_events (session, at);

CREATE INDEX session_events_by_time ON session_events (received_at);

CREATE INDEX runs_by_release ON runs (journey, location, started_at, release) WHERE release != '';

CREATE INDEX run_days_by_time ON run_days (day);

CREATE INDEX runs_anywhere ON runs (journey, started_at, location, status);

CREATE INDEX runs_not_passed ON runs (started_at) WHERE status <> 'passed';

CREATE INDEX runs_not_passed_anywhere ON runs (journey, started_at) WHERE status <> 'passed';

CREATE INDEX slots_by_state ON slots (state, slot_at);

CREATE INDEX alerts_by_end ON alerts (closed_at, opened_at);

CREATE INDEX runs_of_release ON runs (release, started_at) WHERE release != '';

CREATE INDEX sessions_with_frustration ON sessions (app, started_at) WHERE frustrations > 0;

CREATE INDEX reasons_by_group ON reasons (error_group, last_at);

CREATE INDEX reasons_by_release ON reasons (release, mapped_at);

CREATE UNIQUE INDEX source_maps_by_script ON source_maps (release, app, script);

CREATE INDEX incidents_by_start ON incidents (started_at);

CREATE INDEX ix_incident_updates_incident_id ON incident_updates (incident_id);

CREATE INDEX run_requests_by_time ON run_requests (made_at);

CREATE INDEX ix_requested_runs_request_id ON requested_runs (request_id);

CREATE INDEX requested_runs_by_state ON requested_runs (state, location);

CREATE INDEX access_counts_by_time ON access_counts (at);

CREATE INDEX series_by_day ON series (app, seen_at);

CREATE INDEX runs_without_slot ON runs (journey, started_at, status) WHERE slot_at IS NULL;

CREATE INDEX artifacts_replays ON artifacts (run_id) WHERE kind = 'replay'
