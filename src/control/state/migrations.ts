// Owns how state.db comes to its present version, one step at a time. It refuses a file of a newer version.
import type { Database } from 'better-sqlite3'
import { controlFaults } from '../faults.ts'

/** Each entry lifts the schema by one version; entries are never changed once they are released. */
const migrations: readonly string[] = [
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE servers (
    id TEXT PRIMARY KEY, role TEXT NOT NULL, region TEXT NOT NULL, token_sha256 TEXT NOT NULL,
    url TEXT NOT NULL, version TEXT NOT NULL, host_id TEXT NOT NULL, created_at REAL NOT NULL
  ) STRICT;
  CREATE TABLE server_states (
    server_id TEXT PRIMARY KEY, state TEXT NOT NULL, reason TEXT NOT NULL, evidence TEXT NOT NULL, since REAL NOT NULL
  ) STRICT;
  CREATE TABLE state_changes (
    id INTEGER PRIMARY KEY, server_id TEXT NOT NULL, at REAL NOT NULL, from_state TEXT, to_state TEXT NOT NULL,
    reason TEXT NOT NULL, evidence TEXT NOT NULL
  ) STRICT;
  CREATE INDEX state_changes_by_server ON state_changes (server_id, id);
  CREATE TABLE users (
    name TEXT PRIMARY KEY, role TEXT NOT NULL, password_hash TEXT NOT NULL, created_at REAL NOT NULL
  ) STRICT;
  CREATE TABLE web_sessions (
    id_sha256 TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, csrf TEXT NOT NULL,
    created_at REAL NOT NULL, seen_at REAL NOT NULL
  ) STRICT;
  CREATE TABLE links (
    code_sha256 TEXT PRIMARY KEY, role TEXT NOT NULL, created_at REAL NOT NULL, expires_at REAL NOT NULL, used_at REAL
  ) STRICT;
  CREATE TABLE tokens (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, sha256 TEXT NOT NULL UNIQUE,
    created_at REAL NOT NULL, revoked_at REAL
  ) STRICT;
  CREATE TABLE alerts (
    id TEXT PRIMARY KEY, rule TEXT NOT NULL, state TEXT NOT NULL, labels TEXT NOT NULL, annotations TEXT NOT NULL,
    value REAL, active_at REAL NOT NULL, fired_at REAL, resolved_at REAL, kept_since REAL
  ) STRICT;
  CREATE INDEX alerts_by_resolved ON alerts (resolved_at);
  CREATE TABLE audit (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, by TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL, facts TEXT NOT NULL
  ) STRICT;
  `,
  `
  ALTER TABLE servers ADD COLUMN tags TEXT NOT NULL DEFAULT '{}';
  ALTER TABLE servers ADD COLUMN retired_at REAL;
  CREATE TABLE join_strings (
    id TEXT PRIMARY KEY, token_sha256 TEXT NOT NULL UNIQUE, role TEXT NOT NULL, server_id TEXT, region TEXT,
    tags TEXT NOT NULL, created_at REAL NOT NULL, created_by TEXT NOT NULL, expires_at REAL NOT NULL,
    revoked_at REAL, used_at REAL, used_by TEXT, used_credential_sha256 TEXT
  ) STRICT;
  CREATE TABLE overrides (
    server_id TEXT PRIMARY KEY, kind TEXT NOT NULL, reason TEXT NOT NULL, by TEXT NOT NULL, since REAL NOT NULL,
    expires_at REAL
  ) STRICT;
  `,
  `
  CREATE TABLE marks (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, server_id TEXT, kind TEXT NOT NULL, text TEXT NOT NULL,
    by TEXT NOT NULL, url TEXT, host_id TEXT, key TEXT UNIQUE
  ) STRICT;
  CREATE INDEX marks_by_time ON marks (at);
  `,
  `
  CREATE TABLE wall_links (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL UNIQUE, created_at REAL NOT NULL,
    created_by TEXT NOT NULL, revoked_at REAL
  ) STRICT;
  CREATE TABLE shares (
    id TEXT PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE, title TEXT NOT NULL, created_at REAL NOT NULL,
    created_by TEXT NOT NULL, expires_at REAL NOT NULL, revoked_at REAL, bytes INTEGER NOT NULL, data BLOB
  ) STRICT;
  `,
  `
  CREATE TABLE probe_use (
    server_id TEXT NOT NULL, month TEXT NOT NULL, bytes REAL NOT NULL, PRIMARY KEY (server_id, month)
  ) STRICT;
  `,
  `
  ALTER TABLE servers ADD COLUMN stream TEXT NOT NULL DEFAULT '';
  ALTER TABLE servers ADD COLUMN entry_weight REAL NOT NULL DEFAULT 0;
  `,
  `
  ALTER TABLE servers ADD COLUMN share_percent REAL NOT NULL DEFAULT 100;
  `,
  `
  CREATE TABLE check_runs (
    id TEXT PRIMARY KEY, server_id TEXT NOT NULL, started_at REAL NOT NULL, ended_at REAL, by TEXT NOT NULL,
    steps TEXT NOT NULL
  ) STRICT;
  CREATE INDEX check_runs_by_server ON check_runs (server_id, started_at);
  ALTER TABLE join_strings ADD COLUMN admission INTEGER NOT NULL DEFAULT 0;
  `,
  `
  ALTER TABLE servers ADD COLUMN measured_bps REAL;
  CREATE TABLE steering_versions (
    version INTEGER PRIMARY KEY, at REAL NOT NULL, decision TEXT NOT NULL, exhausted INTEGER NOT NULL,
    changes TEXT NOT NULL, inputs BLOB NOT NULL, bytes INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX steering_versions_by_time ON steering_versions (at);
  CREATE TABLE session_pathways (
    id INTEGER PRIMARY KEY AUTOINCREMENT, sid TEXT NOT NULL, at REAL NOT NULL, edge TEXT NOT NULL, from_edge TEXT,
    version INTEGER, title TEXT NOT NULL, estimated INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX session_pathways_by_session ON session_pathways (sid, id);
  CREATE INDEX session_pathways_by_time ON session_pathways (at);
  `,
  `
  CREATE TABLE server_facts (
    server_id TEXT PRIMARY KEY, version INTEGER NOT NULL, sha256 TEXT NOT NULL, at REAL NOT NULL,
    told_at REAL NOT NULL, first_at REAL NOT NULL, data BLOB NOT NULL
  ) STRICT;
  CREATE TABLE demand_hours (
    at REAL PRIMARY KEY, peak REAL NOT NULL, peak_at REAL NOT NULL, moments INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX marks_by_server ON marks (server_id, at);
  CREATE INDEX marks_by_host ON marks (host_id, at);
  `,
  `
  CREATE TABLE incidents (
    id TEXT PRIMARY KEY, group_key TEXT NOT NULL, title TEXT NOT NULL, severity TEXT NOT NULL, opened_at REAL NOT NULL,
    resolved_at REAL, servers TEXT NOT NULL, cause TEXT NOT NULL, verdict TEXT NOT NULL, viewers TEXT NOT NULL,
    acknowledged_by TEXT, acknowledged_at REAL, assigned_to TEXT, wait_until REAL
  ) STRICT;
  CREATE INDEX incidents_by_time ON incidents (opened_at);
  CREATE INDEX incidents_open ON incidents (id) WHERE resolved_at IS NULL;
  CREATE TABLE incident_alerts (
    incident_id TEXT NOT NULL, alert_id TEXT NOT NULL, joined_at REAL NOT NULL, resolved_at REAL,
    labels TEXT NOT NULL, annotations TEXT NOT NULL, PRIMARY KEY (incident_id, alert_id)
  ) STRICT;
  CREATE INDEX incident_alerts_by_alert ON incident_alerts (alert_id);
  CREATE TABLE incident_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, incident_id TEXT NOT NULL, at REAL NOT NULL, kind TEXT NOT NULL,
    by TEXT NOT NULL, text TEXT NOT NULL
  ) STRICT;
  CREATE INDEX incident_events_by_incident ON incident_events (incident_id, id);
  CREATE TABLE notices (
    id INTEGER PRIMARY KEY AUTOINCREMENT, incident_id TEXT, at REAL NOT NULL, reason TEXT NOT NULL,
    rings INTEGER NOT NULL, text TEXT NOT NULL, done_at REAL
  ) STRICT;
  CREATE INDEX notices_waiting ON notices (id) WHERE done_at IS NULL;
  CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, notice_id INTEGER, incident_id TEXT, receiver TEXT NOT NULL,
    key TEXT NOT NULL UNIQUE, at REAL NOT NULL, reason TEXT NOT NULL, rings INTEGER NOT NULL, state TEXT NOT NULL,
    attempts INTEGER NOT NULL, next_try_at REAL, problem TEXT, payload TEXT NOT NULL
  ) STRICT;
  CREATE INDEX deliveries_waiting ON deliveries (next_try_at) WHERE state IN ('waiting', 'failed');
  CREATE TABLE silences (
    id TEXT PRIMARY KEY, matchers TEXT NOT NULL, starts_at REAL NOT NULL, ends_at REAL NOT NULL, recurs TEXT,
    comment TEXT NOT NULL, by TEXT NOT NULL, created_at REAL NOT NULL, ended_at REAL
  ) STRICT;
  `,
  `
  ALTER TABLE users ADD COLUMN offboarded_at REAL;
  ALTER TABLE users ADD COLUMN handed_to TEXT;
  ALTER TABLE web_sessions ADD COLUMN id TEXT NOT NULL DEFAULT '';
  ALTER TABLE web_sessions ADD COLUMN means TEXT NOT NULL DEFAULT '';
  ALTER TABLE web_sessions ADD COLUMN device TEXT NOT NULL DEFAULT '';
  ALTER TABLE web_sessions ADD COLUMN address TEXT NOT NULL DEFAULT '';
  UPDATE web_sessions SET id = lower(hex(randomblob(6)));
  CREATE INDEX web_sessions_by_name ON web_sessions (name);
  CREATE INDEX web_sessions_by_id ON web_sessions (id);
  ALTER TABLE tokens ADD COLUMN owner TEXT;
  ALTER TABLE tokens ADD COLUMN created_by TEXT NOT NULL DEFAULT '';
  ALTER TABLE tokens ADD COLUMN scope TEXT NOT NULL DEFAULT 'everything';
  ALTER TABLE tokens ADD COLUMN expires_at REAL;
  ALTER TABLE tokens ADD COLUMN used_at REAL;
  ALTER TABLE tokens ADD COLUMN used_from TEXT NOT NULL DEFAULT '';
  ALTER TABLE audit ADD COLUMN actor TEXT NOT NULL DEFAULT '';
  ALTER TABLE audit ADD COLUMN person TEXT;
  ALTER TABLE audit ADD COLUMN via TEXT NOT NULL DEFAULT '';
  ALTER TABLE audit ADD COLUMN address TEXT NOT NULL DEFAULT '';
  UPDATE audit SET person = by WHERE by IN (SELECT name FROM users);
  CREATE INDEX audit_by_time ON audit (at);
  CREATE INDEX audit_by_action ON audit (action, at);
  CREATE INDEX audit_by_subject ON audit (subject, at);
  CREATE INDEX audit_by_name ON audit (by, at);
  CREATE INDEX audit_by_person ON audit (person, at);
  UPDATE tokens SET created_by =
    coalesce((SELECT by FROM audit WHERE action = 'token-create' AND subject = tokens.id LIMIT 1), '');
  UPDATE tokens SET owner = created_by WHERE created_by IN (SELECT name FROM users);
  CREATE TABLE invitations (
    id TEXT PRIMARY KEY, code_sha256 TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL,
    created_at REAL NOT NULL, created_by TEXT NOT NULL, expires_at REAL NOT NULL, used_at REAL, revoked_at REAL
  ) STRICT;
  CREATE TABLE recovery_codes (
    id TEXT PRIMARY KEY, code_sha256 TEXT NOT NULL UNIQUE, created_at REAL NOT NULL, created_by TEXT NOT NULL,
    used_at REAL, used_for TEXT, revoked_at REAL
  ) STRICT;
  `,
  `
  ALTER TABLE deliveries ADD COLUMN sent_at REAL;
  ALTER TABLE deliveries ADD COLUMN answer TEXT;
  CREATE INDEX deliveries_by_incident ON deliveries (incident_id, id);
  CREATE INDEX deliveries_queue ON deliveries (receiver, id) WHERE state IN ('waiting', 'failed');
  CREATE INDEX notices_by_incident ON notices (incident_id, id);
  CREATE TABLE revoked_recipients (recipient TEXT PRIMARY KEY, before REAL NOT NULL) STRICT;
  `,
  `
  ALTER TABLE incidents ADD COLUMN memo TEXT NOT NULL DEFAULT '{}';
  ALTER TABLE alerts ADD COLUMN sender TEXT;
  ALTER TABLE alerts ADD COLUMN ends_at REAL;
  `,
  `
  CREATE TABLE viewer_spools (
    edge TEXT NOT NULL, spool TEXT NOT NULL, next INTEGER NOT NULL, at REAL NOT NULL, PRIMARY KEY (edge, spool)
  ) STRICT;
  `,
  `
  CREATE TABLE runs (
    id TEXT PRIMARY KEY, plan TEXT NOT NULL, started_at REAL NOT NULL, ended_at REAL, condition TEXT, incident_id TEXT
  ) STRICT;
  CREATE INDEX runs_open ON runs (id) WHERE ended_at IS NULL;
  CREATE INDEX runs_by_time ON runs (started_at);
  CREATE TABLE run_events (id INTEGER PRIMARY KEY, run_id TEXT NOT NULL, at REAL NOT NULL, event TEXT NOT NULL) STRICT;
  CREATE INDEX run_events_by_run ON run_events (run_id, id);
  CREATE TABLE server_returns (
    server_id TEXT PRIMARY KEY, percent REAL NOT NULL, since REAL NOT NULL, by TEXT NOT NULL, reason TEXT NOT NULL,
    stage_ms REAL NOT NULL
  ) STRICT;
  `,
  `
  CREATE TABLE drills (id TEXT PRIMARY KEY, started_at REAL NOT NULL, ended_at REAL, drill TEXT NOT NULL) STRICT;
  CREATE INDEX drills_by_time ON drills (started_at);
  `,
  `
  CREATE TABLE viewer_excess (edge TEXT PRIMARY KEY, past TEXT NOT NULL, at REAL NOT NULL) STRICT;
  `,
  `
  ALTER TABLE overrides ADD COLUMN drain_max_ms REAL;
  `,
]

const SCHEMA_VERSION: number = migrations.length

/** Brings the file to this version in one transaction each step; refuses a file of a newer version. */
export function migrate(database: Database): void {
  // Two processes may open a new folder at once: the immediate transaction lets the second one wait and see.
  const run = database.transaction(() => {
    const version = Number(database.pragma('user_version', { simple: true }))
    if (version > SCHEMA_VERSION) {
      const message = `state.db has schema version ${version}, this Vitrine knows up to ${SCHEMA_VERSION}; start the newer Vitrine that wrote it, or choose another data folder`
      throw controlFaults.fault('control-state-newer', message, { facts: { version } })
    }
    for (const step of migrations.slice(version)) database.exec(step)
    database.pragma(`user_version = ${SCHEMA_VERSION}`)
  })
  run.immediate()
}
