import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Closers, Counters, silentLog, systemClock } from '#base'
import type { ViewerRecord, ViewerRecords, ViewerRecordsTaken } from '#wire'
import { openDatabase } from '../state/database.ts'
import { openViewerReceipt, type ViewerReceipt } from './receipt.ts'

let folder: string
let closers: Closers
let counters: Counters
let taken: number[]
/** What the sink throws, once. */
let problem: Error | null
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-receipt-'))
  closers = new Closers()
  taken = []
  problem = null
})
afterEach(async () => {
  await closers.close()
  rmSync(folder, { recursive: true, force: true })
})

const sink = {
  take: (_edge: string, records: readonly ViewerRecord[]) => {
    const thrown = problem
    problem = null
    if (thrown !== null) throw thrown
    for (const record of records) if (record.kind === 'event') taken.push(record.sn ?? -1)
  },
}

/** A control room's part of it; a second one on the same folder is a restart. */
async function open(): Promise<ViewerReceipt> {
  await closers.close()
  closers = new Closers()
  counters = new Counters()
  const state = closers.add(await openDatabase(folder, systemClock))
  return closers.add(openViewerReceipt({ state, sink, counters, log: silentLog }))
}

function records(first: number, count: number, part: Partial<ViewerRecords> = {}): ViewerRecords {
  const line = (n: number): string =>
    JSON.stringify({ kind: 'event', at: 1, sid: 's', sn: n, e: 't', ts: 1, batch: 1, keys: {} })
  const lines = Array.from({ length: count }, (_, n) => line(first + n)).join('\n')
  return { type: 'viewer-records', spool: 'a', first, from: first, lines, dropped: {}, ...part }
}

async function give(receipt: ViewerReceipt, ...messages: ViewerRecords[]): Promise<number[]> {
  const answers: ViewerRecordsTaken[] = []
  for (const message of messages) receipt.receive('eu-west', message, answer => answers.push(answer))
  await receipt.turn()
  return answers.map(({ next }) => next)
}

const numbers = (to: number): number[] => Array.from({ length: to }, (_, n) => n)

describe('the receipt of viewers’ records', () => {
  it('takes each record once, over reconnects and restarts of the control room', async () => {
    let receipt = await open()
    expect(await give(receipt, records(0, 10), records(10, 5))).toEqual([15])
    expect(await give(receipt, records(10, 10))).toEqual([20])
    receipt = await open()
    expect(await give(receipt, records(0, 20))).toEqual([20])
    expect(await give(receipt, records(15, 10))).toEqual([25])
    expect(taken).toEqual(numbers(25))
  })

  it('takes nothing behind what it could not take, and asks for it again', async () => {
    const receipt = await open()
    await give(receipt, records(0, 5))
    problem = new Error('disk full')
    expect(await give(receipt, records(5, 5))).toEqual([])
    expect(await give(receipt, records(10, 5))).toEqual([5])
    expect(await give(receipt, records(5, 5), records(10, 5))).toEqual([15])
    expect(taken).toEqual(numbers(15))
  })

  it('goes on behind what the spool says will never come, and begins anew with a new spool', async () => {
    const receipt = await open()
    await give(receipt, records(0, 5))
    expect(await give(receipt, records(1000, 2, { from: 5, dropped: { 'spool-full': 995 } }))).toEqual([1002])
    expect(await give(receipt, records(0, 3, { spool: 'b' }))).toEqual([3])
    const lost = counters.collect().find(({ name }) => name.includes('records_lost'))
    expect(JSON.stringify(lost)).toContain('995')
  })

  it('counts a line that it cannot read, and goes on', async () => {
    const receipt = await open()
    expect(await give(receipt, records(0, 1, { lines: `nonsense\n${records(1, 1).lines}` }))).toEqual([2])
    expect(taken).toEqual([1])
  })
})
