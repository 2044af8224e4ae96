// Owns bringing the WAL of chunks.db back into the file, on a thread of its own: copying and syncing take what the disk takes.
// It refuses to fail: what cannot be brought back stays in the WAL, where it is safe, until the next time.
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import type Database from 'better-sqlite3'
import { type Log, messageOf } from '#base'

/** Below this it is not worth a thread, which takes 50 ms of a processor. */
const WAL_BYTES_MIN = 4 * 1024 * 1024

/** For readers of another process, such as `vitrine metrics verify`; while one reads on, the WAL stays as it is. */
const WAIT_MS = 500

/**
 * The program of the thread is text, because a thread cannot load TypeScript, as which tests and benches run. Its last
 * line begins the next WAL with a transaction of two pages: whoever begins one waits for the disk (`syncHeader` of
 * SQLite's wal.c), which is not to be the main thread.
 */
const PROGRAM = `
  const { workerData } = require('node:worker_threads')
  const db = new (require(workerData.sqlite))(workerData.file, { timeout: workerData.waitMs })
  db.pragma('synchronous = NORMAL')
  db.pragma('wal_autocheckpoint = 0')
  const [{ busy }] = db.pragma('wal_checkpoint(TRUNCATE)')
  if (busy === 0) db.pragma('user_version = ' + (1 - db.pragma('user_version', { simple: true })))
  db.close()
`

export class WriteBack {
  readonly #db: Database.Database
  readonly #file: string
  readonly #log: Log

  /** From here on SQLite does it only when it is told to, or when the last connection is closed. */
  constructor(db: Database.Database, file: string, log: Log) {
    this.#db = db
    this.#file = file
    this.#log = log
    db.pragma('wal_autocheckpoint = 0')
  }

  /** Outside of transactions; nothing may be written until it resolves. */
  async run(): Promise<void> {
    try {
      if (this.#walBytes() >= WAL_BYTES_MIN) await this.#onThread()
    } catch (error) {
      this.#log.warn('metrics-write-back-failed', { error: messageOf(error) })
      this.#onThisThread()
    }
  }

  async #onThread(): Promise<void> {
    const sqlite = createRequire(import.meta.url).resolve('better-sqlite3')
    const worker = new Worker(PROGRAM, {
      eval: true,
      workerData: { sqlite, file: this.#file, waitMs: WAIT_MS },
      execArgv: [],
      env: {},
    })
    // `once` rejects when the thread fails, which it does before it exits.
    await once(worker, 'exit')
  }

  /** Where no thread can be had the WAL must not grow for ever. */
  #onThisThread(): void {
    try {
      this.#db.pragma('wal_checkpoint(PASSIVE)')
    } catch (error) {
      this.#log.warn('metrics-write-back-failed', { error: messageOf(error) })
    }
  }

  #walBytes(): number {
    return statSync(`${this.#file}-wal`, { throwIfNoEntry: false })?.size ?? 0
  }
}
