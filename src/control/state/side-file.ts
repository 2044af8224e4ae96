// Owns opening what stands beside state.db and can be lost without losing a decision: notes of hosts, viewers' sessions.
import { chmodSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { messageOf } from '#base'
import { controlFaults } from '../faults.ts'

/** `schema` is run at each opening, so it says IF NOT EXISTS. */
export function openSideFile(file: string, schema: string): Sqlite.Database {
  try {
    const sqlite = new Sqlite(file)
    chmodSync(file, 0o600)
    sqlite.pragma('journal_mode = WAL')
    // Survives the end of this process at any moment; a power cut may cost the last seconds.
    sqlite.pragma('synchronous = NORMAL')
    sqlite.exec(schema)
    return sqlite
  } catch (error) {
    const message = `${file}: ${messageOf(error)}; move that file away to start without it`
    throw controlFaults.fault('control-state-unreadable', message, { cause: error })
  }
}
