import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLog, silentLog } from '#base'
import { scan } from './log-frame.ts'
import { type RecordParts, readRecord, recordPayload } from './log-record.ts'
import { listSegments, replay, WriteLog } from './write-log.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-log-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const RECORDS = 6

/** A record with samples at these times, all of one series. */
function record(
  id: number,
  times: readonly number[],
  defined: RecordParts['defined'] = [],
): readonly Buffer[] {
  return recordPayload({
    defined,
    ids: new Uint32Array(times.length).fill(id),
    times: Float64Array.from(times),
    values: Float64Array.from(times, time => (time - 1000) / 3),
  })
}

/** Record n defines series n and holds n + 1 samples of it. */
async function writeRecords(): Promise<{ bytes: Buffer; ends: number[] }> {
  const log = new WriteLog(folder, 1, silentLog)
  const ends: number[] = []
  for (let n = 0; n < RECORDS; n += 1) {
    // Even ones share one stamp, so that both forms of stamps are read.
    const times = Array.from({ length: n + 1 }, (_, index) => (n % 2 === 0 ? 1000 : 1000 + index))
    log.append(record(n, times, [{ id: n, labels: { __name__: 'x', n: String(n) } }]))
    ends.push(log.bytes)
  }
  await log.close()
  return { bytes: readFileSync(join(folder, '0000000001.log')), ends }
}

/** The numbers of the records that can be read, each checked for its content. */
function readable(bytes: Buffer): { found: number[]; goodBytes: number } {
  const found: number[] = []
  const { goodBytes } = scan(bytes, payload => {
    let series = -1
    const samples: number[] = []
    const whole = readRecord(payload, {
      series: id => {
        series = id
      },
      sample: (id, timeMs, value) => {
        expect(id).toBe(series)
        expect(value).toBe((timeMs - 1000) / 3)
        samples.push(timeMs)
      },
    })
    if (whole) {
      expect(samples).toHaveLength(series + 1)
      found.push(series)
    }
    return whole
  })
  return { found, goodBytes }
}

describe('the log', () => {
  it('gives every record that was whole before the cut, wherever it is cut', async () => {
    const { bytes, ends } = await writeRecords()
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const whole = ends.filter(end => end <= cut).length
      const { found, goodBytes } = readable(bytes.subarray(0, cut))
      expect(found).toEqual([...Array(whole).keys()])
      expect(goodBytes).toBe(whole === 0 ? 0 : ends[whole - 1])
    }
  })

  it('loses only the record in which a byte was changed', async () => {
    const { bytes, ends } = await writeRecords()
    for (let at = 0; at < bytes.length; at += 1) {
      const damaged = Buffer.from(bytes)
      damaged[at] = (damaged[at] ?? 0) ^ 0x41
      const hit = ends.findIndex(end => at < end)
      expect(readable(damaged).found).toEqual([...Array(RECORDS).keys()].filter(n => n !== hit))
    }
  })

  it('cuts a torn tail off the file, says so, and appends after it', async () => {
    const { bytes, ends } = await writeRecords()
    const file = join(folder, '0000000001.log')
    writeFileSync(file, bytes.subarray(0, (ends[3] ?? 0) + 7))
    const lines: string[] = []
    const result = replay(folder, 0, createLog('warn', { write: line => lines.push(line) }), () => true)
    expect(result.records).toBe(4)
    expect(statSync(file).size).toBe(ends[3])
    expect(lines.map(line => (JSON.parse(line) as { event: string }).event)).toEqual([
      'metrics-log-torn-tail-cut',
    ])

    const log = new WriteLog(folder, 1, silentLog)
    log.append(record(0, [1000], [{ id: 0, labels: { __name__: 'x' } }]))
    await log.close()
    expect(readable(readFileSync(file)).found).toEqual([0, 1, 2, 3, 0])
  })

  it('does not read a tail of zeros, as a file system may leave after a power cut, as records', async () => {
    const { bytes } = await writeRecords()
    const { found, goodBytes } = readable(Buffer.concat([bytes, Buffer.alloc(5000)]))
    expect(found).toHaveLength(RECORDS)
    expect(goodBytes).toBe(bytes.length)
  })

  it('deletes segments that a checkpoint holds, and reads the others in order', async () => {
    const log = new WriteLog(folder, 9, silentLog)
    for (let n = 0; n < 3; n += 1) {
      log.append(record(n, [1000]))
      expect(log.rotate()).toBe(9 + n)
    }
    await log.close()
    const ids: number[] = []
    const result = replay(folder, 9, silentLog, payload =>
      readRecord(payload, { series: () => undefined, sample: id => ids.push(id) }),
    )
    expect(ids).toEqual([1, 2])
    expect(result.segments).toEqual([10, 11, 12])
    expect(listSegments(folder)).toEqual([10, 11, 12])
  })
})
