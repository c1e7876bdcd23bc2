CREATE TABLE rolltrack_schema (
	version INTEGER NOT NULL,
	PRIMARY KEY (version)
);
INSERT INTO "rolltrack_schema" VALUES(1);
CREATE TABLE sessions (
	session_id VARCHAR NOT NULL,
	revision INTEGER NOT NULL,
	athlete VARCHAR NOT NULL,
	roller VARCHAR NOT NULL,
	region VARCHAR NOT NULL,
	protocol VARCHAR NOT NULL,
	started_unix_s FLOAT NOT NULL,
	ended_unix_s FLOAT NOT NULL,
	rolling_s FLOAT NOT NULL,
	hold_s FLOAT NOT NULL,
	unknown_s FLOAT NOT NULL,
	strokes INTEGER NOT NULL,
	too_fast_strokes INTEGER NOT NULL,
	mean_speed_mps FLOAT,
	p95_speed_mps FLOAT,
	peak_speed_mps FLOAT,
	time_too_fast_s FLOAT NOT NULL,
	distance_m FLOAT NOT NULL,
	limit_mps FLOAT NOT NULL,
	gaps INTEGER NOT NULL,
	samples INTEGER NOT NULL,
	samples_lost INTEGER NOT NULL,
	algorithm VARCHAR NOT NULL,
	"end" VARCHAR NOT NULL,
	PRIMARY KEY (session_id, revision)
);
INSERT INTO "sessions" VALUES('019ab2f1-7c3a-7d10-8a51-0f6c2b9d4e77',1,'a7k2','rt-3f2a','calf-left','slow-release',1763900000.123,1763900276.123,214.04,62.0,0.0,96,11,0.03841,0.05792,0.091,21.4,8.2012,0.075,0,34210,0,'no-slip-1','idle');
CREATE TABLE strokes (
	session_id VARCHAR NOT NULL,
	revision INTEGER NOT NULL,
	n INTEGER NOT NULL,
	start_s FLOAT NOT NULL,
	end_s FLOAT NOT NULL,
	direction INTEGER NOT NULL,
	length_m FLOAT NOT NULL,
	peak_speed_mps FLOAT NOT NULL,
	mean_speed_sd_mps FLOAT NOT NULL,
	partly_unknown BOOLEAN NOT NULL,
	verdicts VARCHAR NOT NULL,
	PRIMARY KEY (session_id, revision, n),
	FOREIGN KEY(session_id, revision) REFERENCES sessions (session_id, revision)
);
INSERT INTO "strokes" VALUES('019ab2f1-7c3a-7d10-8a51-0f6c2b9d4e77',1,1,2.0,5.12,-1,0.2437,0.091,0.0006,0,'[{"rule":"too_fast","breached":false,"reason":"","value_mps":0.078,"limit_mps":0.075,"probability":0.94}]');
CREATE INDEX sessions_by_time ON sessions (athlete, started_unix_s);
