// Owns the proof that an acknowledged sample survives kill -9, and that a full disk acknowledges nothing.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { silentLog, systemClock } from '#base'
import { openStore, pointsOf } from '#metrics'

const START_MS = 1_700_000_000_000
const SEED = 7
const COUNTER_RESETS_AT = 40
const ROUNDS = 8

let folder: string
let child: ChildProcess | null = null
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-kill-'))
})
afterEach(() => {
  child?.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** Starts a writer at sample `first`, under `limitKiB` of file size when that is given. */
function startWriter(first: number, limitKiB: number | null): ChildProcess {
  const script = join(import.meta.dirname, 'metrics-writer.ts')
  const command = `${limitKiB === null ? '' : `ulimit -S -f ${limitKiB}; `}exec "$@"`
  const seals = limitKiB === null ? 'seals' : 'none'
  const node = [
    process.execPath,
    '--import',
    'tsx',
    '--conditions',
    'source',
    script,
    folder,
    String(first),
    seals,
  ]
  child = spawn('bash', ['-c', command, 'bash', ...node], { stdio: ['ignore', 'pipe', 'inherit'] })
  return child
}

/** The bytes of all days in the ledger, after everything has been sealed. */
async function ledgerBytes(): Promise<number> {
  const store = openStore({ folder, clock: systemClock, log: silentLog })
  await store.seal()
  const rows = store.ledger(START_MS, START_MS + 86_400_000)
  await store.close()
  return rows.reduce((sum, row) => sum + (row.measure === 'bytes' ? row.value : 0), 0)
}

/** What the counter of metrics-writer.ts has grown by in `length` writes. */
function servedBytes(length: number): number {
  let bytes = 0
  for (let at = 0; at < length; at += 1) if (at % COUNTER_RESETS_AT !== 0) bytes += 1000
  return bytes
}

async function readBack(): Promise<Map<string, [number, number][]>> {
  const store = openStore({ folder, clock: systemClock, log: silentLog })
  const answer = store.query('written[30d]', START_MS + 86_400_000)
  await store.close()
  if (answer.kind !== 'matrix') throw new Error(answer.kind)
  return new Map(
    answer.items.map(item => [
      item.labels['series'] ?? '',
      pointsOf(item).map(({ timestampMs, value }): [number, number] => [
        (timestampMs - START_MS) / 1000,
        value,
      ]),
    ]),
  )
}

/** Every series holds 0..last without a gap and without a double, and last is `acknowledged` or one more. */
async function expectWhole(acknowledged: number): Promise<number> {
  const found = await readBack()
  expect(found.size).toBe(20)
  const lengths = new Set([...found.values()].map(points => points.length))
  expect(lengths.size, 'a batch is stored as a whole or not at all').toBe(1)
  const [length = 0] = lengths
  expect(length - 1).toBeGreaterThanOrEqual(acknowledged)
  expect(length - 1).toBeLessThanOrEqual(acknowledged + 1)
  for (const [series, points] of found) {
    expect(points).toEqual(Array.from({ length }, (_, at) => [at, at * 1000 + Number(series)]))
  }
  return length
}

it(`loses and doubles no acknowledged sample over ${ROUNDS} kills (seed ${SEED})`, {
  timeout: 120_000,
}, async () => {
  let next = 0
  let cycles = 0
  let scratched: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const writer = startWriter(next, null)
    const target = next + 10 + ((round * 37 + SEED * 13) % 60)
    let acknowledged = -1
    let restored: number | null = null
    if (writer.stdout === null) throw new Error('no output')
    for await (const line of createInterface(writer.stdout)) {
      const [word, at, scratch] = line.split(' ')
      if (scratch === 'scratch') scratched.push(Number(at))
      if (word === 'deleting') restored = null
      else if (word === 'restored') restored = Number(at)
      // A line cut by the kill acknowledges nothing that a whole one does not.
      else if (word !== 'acknowledged') throw new Error(line)
      if (word !== 'acknowledged') {
        cycles += 1
        continue
      }
      acknowledged = Math.max(acknowledged, Number(at))
      if (acknowledged >= target) writer.kill('SIGKILL')
    }
    if (writer.exitCode === null && writer.signalCode === null) await once(writer, 'exit')
    next = await expectWhole(acknowledged)
    // What a kill met between delete and restore is in the snapshot alone.
    scratched = await expectScratch(scratched, restored)
    expect(await ledgerBytes(), 'the ledger equals what was stored').toBe(servedBytes(next))
  }
  expect(cycles, 'kills met deletes and restores').toBeGreaterThan(0)
})

/** What is deleted and restored: each second once and with its value, and all of them once a restore was told. */
async function expectScratch(written: readonly number[], restored: number | null): Promise<number[]> {
  const store = openStore({ folder, clock: systemClock, log: silentLog })
  const answer = store.query('scratch[30d]', START_MS + 86_400_000)
  await store.close()
  if (answer.kind !== 'matrix') throw new Error(answer.kind)
  expect(answer.items.length).toBeLessThanOrEqual(1)
  const found = answer.items.flatMap(item => pointsOf(item))
  const seconds = found.map(({ timestampMs }) => (timestampMs - START_MS) / 1000)
  expect(seconds).toEqual([...new Set(seconds)].sort((a, b) => a - b))
  expect(found.map(({ value }) => value)).toEqual(seconds)
  const missing = written.filter(at => restored !== null && at <= restored && !seconds.includes(at))
  expect(missing, `restored ${restored}, found ${seconds.join(' ')}`).toEqual([])
  return seconds
}

it('acknowledges nothing while there is no room, and goes on when there is', {
  timeout: 60_000,
}, async () => {
  const writer = startWriter(0, 640)
  let acknowledged = -1
  let refusals = 0
  let afterRefusal = 0
  if (writer.stdout === null) throw new Error('no output')
  for await (const line of createInterface(writer.stdout)) {
    const [word, at] = line.split(' ')
    if (word === 'full') {
      refusals += 1
      // Somebody frees space.
      if (refusals === 3) execFileSync('prlimit', ['--pid', String(writer.pid), '--fsize=unlimited'])
    } else if (word === 'acknowledged') {
      acknowledged = Math.max(acknowledged, Number(at))
      if (refusals >= 3) afterRefusal += 1
      if (afterRefusal === 40) writer.kill('SIGKILL')
    } else if (word === 'failed') throw new Error(line)
  }
  if (writer.exitCode === null && writer.signalCode === null) await once(writer, 'exit')
  expect(refusals).toBeGreaterThanOrEqual(3)
  await expectWhole(acknowledged)
})
