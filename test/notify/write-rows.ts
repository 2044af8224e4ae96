// Owns writing incidents and notices into a state.db as the incident keeper does: in one transaction, from a connection
// of its own.
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'

export interface RowWriter {
  incident(id: string, more?: Readonly<Record<string, unknown>>): void
  notice(
    incident: string | null,
    reason: string,
    more?: { readonly rings?: 0 | 1; readonly text?: string },
  ): number
  alert(incident: string, id: string, labels: Readonly<Record<string, string>>): void
  set(incident: string, values: Readonly<Record<string, unknown>>): void
  rows(sql: string, ...values: readonly unknown[]): Record<string, unknown>[]
  close(): void
}

export function openRows(folder: string, nowMs: () => number = () => Date.now()): RowWriter {
  const db = new Sqlite(join(folder, 'state.db'), { timeout: 5000 })
  const set: RowWriter['set'] = (incident, values) => {
    const names = Object.keys(values)
    db.prepare(`UPDATE incidents SET ${names.map(name => `${name} = ?`).join(', ')} WHERE id = ?`).run(
      ...Object.values(values),
      incident,
    )
  }
  return {
    incident: (id, more = {}) => {
      const at = nowMs()
      const verdict = {
        class: 'get-up',
        text: 'get up',
        decideBy: null,
        reason: 'The rest cannot carry the viewers.',
        inputs: [],
        at,
      }
      const cause = {
        kind: 'edge-frozen',
        text: 'eu-west is frozen.',
        confidence: 0.92,
        for: ['process state T'],
        against: [],
      }
      const viewers = { hurtNow: 1240, peak: 1300, moved: 800, lostViewerSeconds: 0 }
      db.prepare(
        `INSERT INTO incidents (id, group_key, title, severity, opened_at, servers, cause, verdict, viewers)
         VALUES (?, ?, 'Edge eu-west does not answer', 'critical', ?, '["eu-west"]', ?, ?, ?)`,
      ).run(id, id, at, JSON.stringify(cause), JSON.stringify(verdict), JSON.stringify(viewers))
      if (Object.keys(more).length > 0) set(id, more)
    },
    notice: (incident, reason, { rings = 1, text = '' } = {}) => {
      const made = db
        .prepare('INSERT INTO notices (incident_id, at, reason, rings, text) VALUES (?, ?, ?, ?, ?)')
        .run(incident, nowMs(), reason, rings, text)
      return Number(made.lastInsertRowid)
    },
    alert: (incident, id, labels) => {
      db.prepare(
        `INSERT INTO incident_alerts (incident_id, alert_id, joined_at, labels, annotations) VALUES (?, ?, ?, ?, ?)`,
      ).run(incident, id, nowMs(), JSON.stringify(labels), JSON.stringify({ summary: `Alert ${id}` }))
    },
    set,
    rows: (sql, ...values) => db.prepare(sql).all(...values) as Record<string, unknown>[],
    close: () => db.close(),
  }
}
