// Owns the tables of state.db and their migrations. All times are fleet time in ms since 1970.
import type { Database } from 'better-sqlite3'
import type { JoinRole, MarkKind, OverrideKind, ServerRole, ServerState, UserRole } from '#wire'
import { controlFaults } from '../faults.ts'

export interface Tables {
  meta: { key: string; value: string }
  servers: {
    id: string
    role: ServerRole
    region: string
    token_sha256: string
    /** Last known, so that a restarted control room can probe at once; '' before the first contact. */
    url: string
    version: string
    host_id: string
    created_at: number
    /** ServerTags of wire, as JSON. */
    tags: string
    /** Of a foreign server: its playlist; else ''. */
    stream: string
    entry_weight: number
    /** Of an edge: the part of all new sessions that it may get. */
    share_percent: number
    /** Of an edge: the most that it has sent for a minute while healthy, bits a second. */
    measured_bps: number | null
    /** Out of service for good: its credential does not work, its past stays. */
    retired_at: number | null
  }
  marks: {
    id?: number
    at: number
    /** Null: the whole fleet. */
    server_id: string | null
    kind: MarkKind
    text: string
    by: string
    url: string | null
    /** Of a change of a whole host, which every agent on it tells. */
    host_id: string | null
    /** Of a change that an agent saw: told twice it is one mark. */
    key: string | null
  }
  /** Bytes that looks at a server's stream took, by month (UTC, as 2026-01). */
  probe_use: { server_id: string; month: string; bytes: number }
  overrides: {
    server_id: string
    kind: OverrideKind
    reason: string
    by: string
    since: number
    expires_at: number | null
  }
  join_strings: {
    id: string
    token_sha256: string
    role: JoinRole
    /** Null: the machine chooses. */
    server_id: string | null
    region: string | null
    tags: string
    created_at: number
    created_by: string
    expires_at: number
    revoked_at: number | null
    used_at: number | null
    used_by: string | null
    /** Of the server that used it: the same one may ask again, when an answer was lost. */
    used_credential_sha256: string | null
    /** 1: made on the add-an-edge page. */
    admission: number
  }
  check_runs: {
    id: string
    server_id: string
    started_at: number
    /** Null: it goes on. */
    ended_at: number | null
    by: string
    /** CheckStep of wire, as JSON. */
    steps: string
  }
  server_states: { server_id: string; state: ServerState; reason: string; evidence: string; since: number }
  state_changes: {
    id?: number
    server_id: string
    at: number
    from_state: ServerState | null
    to_state: ServerState
    reason: string
    evidence: string
  }
  users: {
    name: string
    role: UserRole
    password_hash: string
    created_at: number
  }
  web_sessions: {
    id_sha256: string
    name: string
    role: UserRole
    csrf: string
    created_at: number
    seen_at: number
  }
  links: {
    code_sha256: string
    role: UserRole
    created_at: number
    expires_at: number
    used_at: number | null
  }
  tokens: {
    id: string
    name: string
    role: UserRole
    sha256: string
    created_at: number
    revoked_at: number | null
  }
  alerts: {
    id: string
    rule: string
    state: 'pending' | 'firing' | 'resolved'
    labels: string
    annotations: string
    value: number | null
    active_at: number
    fired_at: number | null
    resolved_at: number | null
    /** Since when the condition no longer holds while keep_firing_for keeps it; null while it holds. */
    kept_since: number | null
  }
  wall_links: {
    id: string
    name: string
    sha256: string
    created_at: number
    created_by: string
    revoked_at: number | null
  }
  shares: {
    id: string
    sha256: string
    title: string
    created_at: number
    created_by: string
    expires_at: number
    revoked_at: number | null
    /** Of the snapshot as JSON. */
    bytes: number
    /** Compressed (deflate); null once it has ended. */
    data: Buffer | null
  }
  /** What steering decided and why; `inputs` is compressed JSON. */
  steering_versions: {
    version: number
    at: number
    /** Differs exactly when the decision does. */
    decision: string
    exhausted: number
    /** JSON: what differed from the one before, in words. */
    changes: string
    inputs: Buffer
    bytes: number
  }
  /** Where sessions came in, and their changes of pathway. */
  session_pathways: {
    id?: number
    sid: string
    at: number
    edge: string
    from_edge: string | null
    version: number | null
    title: string
    estimated: number
  }
  audit: { id?: number; at: number; by: string; action: string; subject: string; facts: string }
}

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
