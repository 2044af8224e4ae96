// Owns the shapes of the tables of state.db; migrations.ts makes them. All times are fleet time in ms since 1970.
import type {
  DeliveryView,
  IncidentEventKind,
  InvitationKind,
  JoinRole,
  MarkKind,
  NoticeReason,
  OverrideKind,
  ServerRole,
  ServerState,
  TokenScope,
  UserRole,
} from '#wire'

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
  drills: {
    id: string
    started_at: number
    ended_at: number | null
    /** DrillView of wire, as JSON. */
    drill: string
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
  server_facts: {
    server_id: string
    version: number
    sha256: string
    at: number
    told_at: number
    first_at: number
    /** StoredFact of facts.ts as JSON, deflated. */
    data: Buffer
  }
  /** How far an edge's spool of viewers' records has come. */
  viewer_spools: {
    edge: string
    spool: string
    /** All below it are taken. */
    next: number
    at: number
  }
  /** The largest sum that all edges sent at one moment of an hour. */
  viewer_excess: {
    edge: string
    past: string
    at: number
  }
  demand_hours: {
    /** Its beginning. */
    at: number
    /** Bits a second. */
    peak: number
    /** When it was that much. */
    peak_at: number
    /** Moments of the hour with samples. */
    moments: number
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
    /** Null: as usual. */
    drain_max_ms: number | null
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
    /** The name is kept, nobody signs in with it, and it is not given again. */
    offboarded_at: number | null
    handed_to: string | null
  }
  /** A named person's way in: the first password, or a new one. Used once. */
  invitations: {
    id: string
    code_sha256: string
    kind: InvitationKind
    name: string
    role: UserRole
    created_at: number
    created_by: string
    expires_at: number
    used_at: number | null
    revoked_at: number | null
  }
  /** At most one is unused. */
  recovery_codes: {
    id: string
    code_sha256: string
    created_at: number
    created_by: string
    used_at: number | null
    used_for: string | null
    revoked_at: number | null
  }
  web_sessions: {
    id_sha256: string
    name: string
    role: UserRole
    csrf: string
    created_at: number
    seen_at: number
    /** Told to people; says nothing about the cookie. */
    id: string
    means: 'link' | 'password' | 'invitation' | 'recovery' | ''
    device: string
    address: string
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
    /** Who answers for it; null: nobody in particular. */
    owner: string | null
    created_by: string
    scope: TokenScope
    expires_at: number | null
    used_at: number | null
    used_from: string
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
    /** Who sent it from outside; null: a rule of ours. */
    sender: string | null
    /** Of one from outside: it ends then unless it is told again. */
    ends_at: number | null
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
  /** Members that end in a shape of wire's incidents are JSON. */
  incidents: {
    /** Short enough to be said on the telephone. */
    id: string
    /** What its alerts share; an open incident takes those that share it too. */
    group_key: string
    title: string
    severity: 'critical' | 'warning' | 'info'
    opened_at: number
    resolved_at: number | null
    servers: string
    cause: string
    verdict: string
    viewers: string
    acknowledged_by: string | null
    acknowledged_at: number | null
    assigned_to: string | null
    wait_until: number | null
    /** IncidentMemo of incidents.ts as JSON. */
    memo: string
  }
  incident_alerts: {
    incident_id: string
    alert_id: string
    joined_at: number
    resolved_at: number | null
    labels: string
    annotations: string
  }
  incident_events: {
    id?: number
    incident_id: string
    at: number
    kind: IncidentEventKind
    by: string
    text: string
  }
  /** What has to be told: written with the event that it tells of, in one transaction. */
  notices: {
    id?: number
    /** Null: a test. */
    incident_id: string | null
    at: number
    reason: NoticeReason
    rings: 0 | 1
    text: string
    /** Its deliveries are written. */
    done_at: number | null
  }
  deliveries: {
    id?: number
    notice_id: number | null
    incident_id: string | null
    receiver: string
    /** The same at each attempt: whoever got it twice knows. */
    key: string
    at: number
    reason: NoticeReason
    rings: 0 | 1
    state: DeliveryView['state']
    attempts: number
    next_try_at: number | null
    problem: string | null
    /** What is told, as JSON: NoticeMessage. */
    payload: string
    sent_at?: number | null
    answer?: string | null
  }
  /** Links to incidents that were made for them before that moment open nothing. */
  revoked_recipients: { recipient: string; before: number }
  silences: {
    id: string
    matchers: string
    starts_at: number
    ends_at: number
    recurs: string | null
    comment: string
    by: string
    created_at: number
    ended_at: number | null
  }
  /** `plan` is RunPlan as JSON. */
  runs: {
    id: string
    plan: string
    started_at: number
    ended_at: number | null
    condition: string | null
    incident_id: string | null
  }
  /** What happened in a run, in order: RunEvent as JSON. */
  run_events: { id?: number; run_id: string; at: number; event: string }
  /** Edges that come back to viewers in steps. */
  server_returns: {
    server_id: string
    percent: number
    since: number
    by: string
    reason: string
    stage_ms: number
  }
  audit: {
    id?: number
    at: number
    by: string
    action: string
    subject: string
    facts: string
    actor: string
    person: string | null
    via: string
    address: string
  }
}
