import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Log, silentLog } from '#base'
import { WriteBack } from './write-back.ts'

const MEGABYTE = 1024 * 1024

let folder: string
let file: string
let db: Database.Database
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-write-back-'))
  file = join(folder, 'chunks.db')
  db = new Database(file)
  db.pragma('journal_mode = WAL')
  db.exec('CREATE TABLE x (data BLOB)')
})
afterEach(() => {
  db.close()
  rmSync(folder, { recursive: true, force: true })
})

function fill(megabytes: number): void {
  db.transaction(() => {
    for (let at = 0; at < megabytes; at += 1) {
      db.prepare('INSERT INTO x VALUES (?)').run(Buffer.alloc(MEGABYTE, at))
    }
  })()
}

function walBytes(): number {
  return statSync(`${file}-wal`).size
}

function rows(): number | undefined {
  return db.prepare<[], number>('SELECT count(*) FROM x').pluck().get()
}

describe('bringing the WAL back', () => {
  it('leaves a short one that was begun, and everything in the file', async () => {
    const writeBack = new WriteBack(db, file, silentLog)
    for (let round = 1; round <= 3; round += 1) {
      fill(8)
      expect(walBytes()).toBeGreaterThan(8 * MEGABYTE)
      await writeBack.run()
      expect(walBytes()).toBeLessThan(MEGABYTE)
      expect(walBytes()).toBeGreaterThan(0)
      expect(statSync(file).size).toBeGreaterThan(round * 8 * MEGABYTE)
      expect(rows()).toBe(round * 8)
    }
  })

  it('is not begun for little', async () => {
    const writeBack = new WriteBack(db, file, silentLog)
    fill(1)
    const before = walBytes()
    await writeBack.run()
    expect(walBytes()).toBe(before)
  })

  it('leaves the WAL as it is while somebody reads an older state, and says nothing', async () => {
    const warnings: string[] = []
    const log: Log = { ...silentLog, warn: event => void warnings.push(event) }
    const writeBack = new WriteBack(db, file, log)
    fill(6)
    const reader = new Database(file, { readonly: true })
    const reading = reader.prepare('SELECT length(data) FROM x').iterate()
    reading.next()
    fill(2)
    await writeBack.run()
    expect(walBytes()).toBeGreaterThan(8 * MEGABYTE)
    reading.return?.()
    reader.close()
    await writeBack.run()
    expect(walBytes()).toBeLessThan(MEGABYTE)
    expect(rows()).toBe(8)
    expect(warnings).toEqual([])
  })

  it('is done on this thread when the other one fails, and told', async () => {
    const warnings: string[] = []
    const log: Log = { ...silentLog, warn: event => void warnings.push(event) }
    const other = join(folder, 'other')
    writeFileSync(other, 'no database, '.repeat(1000))
    writeFileSync(`${other}-wal`, Buffer.alloc(8 * MEGABYTE))
    const writeBack = new WriteBack(db, other, log)
    fill(8)
    await writeBack.run()
    expect(warnings).toEqual(['metrics-write-back-failed'])
    expect(statSync(file).size).toBeGreaterThan(8 * MEGABYTE)
  })
})
