// Owns the files of the spool: `{number of the first record}.spool`, found again after a crash. A torn end of the newest
// is cut off; what follows a broken block of another is given up when it is read.

import { randomBytes } from 'node:crypto'
import {
  closeSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { ensureFolder, type Log } from '#base'
import { readBlock } from './block.ts'

const NAME = /^(\d{16})\.spool$/
/**
 * After a boot the newest records of the last one may be gone from the disk, though the control room has them: numbers
 * go on behind all that can have been given away.
 */
const BOOT_GAP = 10_000_000

export interface Segment {
  readonly first: number
  /** Behind its last record. */
  end: number
  bytes: number
  readonly file: string
}

export interface Found {
  readonly spool: string
  /** In order; empty: a new spool. */
  readonly segments: Segment[]
  /** Number of the next record. */
  readonly next: number
}

/** Reads the folder; makes a new spool where there is none. Removes nothing that can be read. */
export function findSegments(folder: string, hostId: string, log: Log): Found {
  ensureFolder(folder)
  const firsts = readdirSync(folder)
    .flatMap(name => NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b)
  const known = readIdentity(join(folder, 'spool.json'))
  if (known === null || firsts.length === 0) {
    for (const first of firsts) rmSync(segmentFile(folder, first), { force: true })
    const spool = randomBytes(12).toString('hex')
    writeIdentity(folder, spool, hostId)
    return { spool, segments: [], next: 0 }
  }
  const segments = firsts.map((first, at) => scan(folder, first, at === firsts.length - 1, log))
  const end = segments.at(-1)?.end ?? 0
  if (known.hostId === hostId) return { spool: known.spool, segments, next: end }
  writeIdentity(folder, known.spool, hostId)
  return { spool: known.spool, segments, next: end + BOOT_GAP }
}

export function segmentFile(folder: string, first: number): string {
  return join(folder, `${String(first).padStart(16, '0')}.spool`)
}

function scan(folder: string, first: number, isNewest: boolean, log: Log): Segment {
  const file = segmentFile(folder, first)
  const bytes = readFileSync(file)
  let end = first
  let at = 0
  for (;;) {
    const block = readBlock(bytes.subarray(at))
    if (typeof block === 'string') break
    at += block.bytes
    end += block.count
  }
  if (at < bytes.length) {
    log.warn('viewer-spool-torn', { file, keptBytes: at, cutBytes: bytes.length - at })
    if (isNewest) truncate(file, at)
  }
  return { first, end, bytes: at, file }
}

function truncate(file: string, bytes: number): void {
  const fd = openSync(file, 'r+')
  try {
    ftruncateSync(fd, bytes)
  } finally {
    closeSync(fd)
  }
}

function readIdentity(file: string): { readonly spool: string; readonly hostId: string } | null {
  if (statSync(file, { throwIfNoEntry: false }) === undefined) return null
  try {
    const { spool, hostId } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
    return typeof spool === 'string' && typeof hostId === 'string' && spool !== '' ? { spool, hostId } : null
  } catch {
    return null
  }
}

function writeIdentity(folder: string, spool: string, hostId: string): void {
  writeFileSync(join(folder, 'spool.json'), JSON.stringify({ spool, hostId }), { mode: 0o600 })
}
