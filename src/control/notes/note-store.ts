// Owns host notes on disk: who used the CPU of each server's host, and what its kernel said. A file of its own, bounded
// by days and bytes; the oldest go first. What was taken survives kill -9.
import { join } from 'node:path'
import type Sqlite from 'better-sqlite3'
import { type Closable, ensureFolder } from '#base'
import { type HostNote, KERNEL_MAX, type ProcessShareView } from '#wire'
import { openSideFile } from '../state/side-file.ts'

export interface NoteLimits {
  readonly keptMs: number
  readonly bytes: number
}

/** Ten servers for two weeks, as samples. */
export const NOTE_LIMITS: NoteLimits = { keptMs: 15 * 86_400_000, bytes: 512 * 1024 * 1024 }

/** Of a look that lies farther away, nothing is said about a moment: looks come each 5 s. */
export const LOOK_MS_MAX = 10_000
const MINUTE_MS = 60_000
/** Agents look once a second; two looks never share a slot. */
const SLOT_MS = 250
/** A note that comes so long after its second was not told when it was news. */
const LATE_MS = 60_000
/** An agent's fleet time differs by milliseconds. */
const AHEAD_MS_MAX = 5000
/** Of the span that is kept, dropped at once when the file is full. */
const DROP_PART = 0.1

export interface Look {
  readonly at: number
  readonly recovered: boolean
  readonly processes: readonly ProcessShareView[]
}

export interface Said {
  readonly at: number
  readonly recovered: boolean
  readonly lines: readonly string[]
}

export interface SaidIn {
  /** Null: no agent told anything in that time. */
  readonly readable: boolean | null
  readonly said: readonly Said[]
  readonly leftOut: number
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS notes (
    server TEXT NOT NULL, at INTEGER NOT NULL, late INTEGER NOT NULL, readable INTEGER NOT NULL, top TEXT, kernel TEXT,
    said INTEGER NOT NULL, left_out INTEGER NOT NULL, PRIMARY KEY (server, at)
  ) STRICT, WITHOUT ROWID;
`

interface Row {
  readonly at: number
  readonly late: number
  readonly readable: number
  readonly top: string | null
  readonly kernel: string | null
  readonly left_out: number
}
type PackedShare = readonly [pid: number, name: string, cpu: number, residentBytes: number]

export class NoteStore implements Closable {
  readonly #sqlite: Sqlite.Database
  readonly #limits: NoteLimits
  readonly #add: (server: string, notes: readonly HostNote[], now: number) => number

  constructor(stateFolder: string, limits: NoteLimits = NOTE_LIMITS) {
    this.#limits = limits
    this.#sqlite = openSideFile(join(ensureFolder(join(stateFolder, 'notes')), 'notes.db'), SCHEMA)
    const insert = this.#sqlite.prepare(
      'INSERT INTO notes VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
    )
    const saidIn = this.#sqlite
      .prepare('SELECT coalesce(sum(said), 0) FROM notes WHERE server = ? AND at > ? AND at < ?')
      .pluck()
    const one = (server: string, note: HostNote, now: number): number => {
      const at = Math.floor(note.at / SLOT_MS) * SLOT_MS // so many a second at most, whatever an agent says
      if (at > now + AHEAD_MS_MAX || at < now - limits.keptMs) return 0
      let kernel = note.kernel ?? []
      if (kernel.length > 0) {
        const before = Number(saidIn.get(server, at - MINUTE_MS, at + MINUTE_MS))
        // Half as many again as an agent tells: its minute does not begin with ours.
        kernel = kernel.slice(0, Math.max(0, 2 * KERNEL_MAX - before))
      }
      const leftOut = (note.kernelLeftOut ?? 0) + (note.kernel?.length ?? 0) - kernel.length
      const late = Number(now - note.at > LATE_MS)
      const said = kernel.length === 0 ? null : JSON.stringify(kernel)
      const readable = Number(note.kernelRead)
      return insert.run(server, at, late, readable, packed(note.top), said, kernel.length, leftOut).changes
    }
    const all = this.#sqlite.transaction((server: string, notes: readonly HostNote[], now: number) =>
      notes.reduce((sum, note) => sum + one(server, note, now), 0),
    )
    this.#add = (server, notes, now) => all.immediate(server, notes, now)
  }

  /** Gives how many were news. */
  add(server: string, notes: readonly HostNote[], now: number): number {
    return this.#add(server, notes, now)
  }

  /** The look that is nearest to that moment; null: nothing is stored of it. */
  lookAt(server: string, at: number): Look | null {
    const near = this.#sqlite
      .prepare<[string, number, number, number], Row>(
        `SELECT * FROM notes WHERE server = ? AND at BETWEEN ? AND ? AND top IS NOT NULL
         ORDER BY abs(at - ?) LIMIT 1`,
      )
      .get(server, at - LOOK_MS_MAX, at + LOOK_MS_MAX, at)
    if (near === undefined) return null
    const shares = JSON.parse(near.top ?? '[]') as readonly PackedShare[]
    return {
      at: near.at,
      recovered: near.late === 1,
      processes: shares.map(([pid, name, cpu, residentBytes]) => ({ pid, name, cpu, residentBytes })),
    }
  }

  /** Oldest first, at most `max` seconds of them: the newest. */
  saidIn(server: string, fromMs: number, toMs: number, max: number): SaidIn {
    const range: [string, number, number] = [server, fromMs, toMs]
    const newest = this.#sqlite
      .prepare<[string, number, number], Row>(
        'SELECT * FROM notes WHERE server = ? AND at BETWEEN ? AND ? ORDER BY at DESC LIMIT 1',
      )
      .get(...range)
    const rows = this.#sqlite
      .prepare<[string, number, number], Row>(
        `SELECT * FROM notes WHERE server = ? AND at BETWEEN ? AND ? AND (said > 0 OR left_out > 0)
         ORDER BY at DESC LIMIT ${Math.trunc(max)}`,
      )
      .all(...range)
    return {
      readable: newest === undefined ? null : newest.readable === 1,
      said: rows.toReversed().map(({ at, late, kernel }) => ({
        at,
        recovered: late === 1,
        lines: JSON.parse(kernel ?? '[]') as string[],
      })),
      leftOut: rows.reduce((sum, row) => sum + row.left_out, 0),
    }
  }

  /** Of rows and their index; what deletions freed is used again. */
  bytes(): number {
    const pragma = (name: string): number => Number(this.#sqlite.pragma(name, { simple: true }))
    return (pragma('page_count') - pragma('freelist_count')) * pragma('page_size')
  }

  /** Drops what is too old, and the oldest part of what is too much. */
  sweep(now: number): void {
    let before = now - this.#limits.keptMs
    if (this.bytes() > this.#limits.bytes) {
      const oldest = this.#oldest()
      if (oldest !== null) before = Math.max(before, oldest + Math.max(1, (now - oldest) * DROP_PART))
    }
    const drop = this.#sqlite.prepare('DELETE FROM notes WHERE server = ? AND at < ?')
    for (const server of this.#servers()) drop.run(server, Math.floor(before))
  }

  close(): void {
    this.#sqlite.close()
  }

  /** One step in the index for each server, however many notes it has. */
  #servers(): string[] {
    const next = this.#sqlite.prepare('SELECT min(server) FROM notes WHERE server > ?').pluck()
    const servers: string[] = []
    for (let last = next.get('') as string | null; last !== null; last = next.get(last) as string | null) {
      servers.push(last)
    }
    return servers
  }

  #oldest(): number | null {
    const first = this.#sqlite.prepare('SELECT min(at) FROM notes WHERE server = ?').pluck()
    const all = this.#servers().map(server => Number(first.get(server)))
    return all.length === 0 ? null : Math.min(...all)
  }
}

function packed(top: HostNote['top']): string | null {
  if (top === undefined) return null
  return JSON.stringify(top.map(({ pid, name, cpu, residentBytes }) => [pid, name, cpu, residentBytes]))
}
