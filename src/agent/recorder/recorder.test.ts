import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '#base'
import { type Pass, PassBuilder } from '../push/pass.ts'
import { readFrames } from './frame.ts'
import { readKernelRecord } from './kernel-messages.ts'
import { recall } from './recall.ts'
import { Recorder, readRecordings } from './recorder.ts'

const BOOT = 'boot-1'
const cpu = { __name__: 'cpu' }
const load = { __name__: 'load', host: 'a "b"' }
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-recorder-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function pass(second: number): Pass {
  const builder = new PassBuilder(second * 1000)
  builder.add(cpu, second / 3)
  builder.add(load, -0)
  if (second % 2 === 0) builder.end(load)
  return builder.build()
}
function keep(recorder: Recorder, from: number, to: number): void {
  for (let second = from; second < to; second += 1) {
    recorder.add(pass(second), { fleetMs: 1e12 + second * 1000, wallMs: 0 })
  }
}
function bits(one: Pass | undefined): unknown {
  const values = one === undefined ? [] : [...new BigUint64Array(Float64Array.from(one.values).buffer)]
  return { bootMs: one?.bootMs, labels: one?.labels, values }
}
const secondsOf = (passes: readonly Pass[]): number[] => passes.map(({ bootMs }) => bootMs / 1000)

describe('the flight recorder', () => {
  it('gives back what was not taken, bit by bit, also after the process was killed', () => {
    const recorder = new Recorder(folder, BOOT, silentLog)
    keep(recorder, 0, 5)
    recorder.acked(2000)
    keep(recorder, 5, 8)
    // Not closed: killed.
    const { passes, undated } = recall(readRecordings(folder), BOOT)
    expect(secondsOf(passes)).toEqual([3, 4, 5, 6, 7])
    expect(passes.map(bits)).toEqual([3, 4, 5, 6, 7].map(second => bits(pass(second))))
    expect(undated).toBe(0)
    recorder.close()
  })

  it('goes on in the other file after a restart, and keeps what stands in the first', () => {
    const first = new Recorder(folder, BOOT, silentLog)
    keep(first, 0, 3)
    first.close()
    const second = new Recorder(folder, BOOT, silentLog)
    keep(second, 10, 12)
    expect(secondsOf(recall(readRecordings(folder), BOOT).passes)).toEqual([0, 1, 2, 10, 11])
    second.close()
  })

  it('stamps seconds of an earlier boot with their fleet time, and counts those that had none', () => {
    const before = new Recorder(folder, 'boot-0', silentLog)
    before.add(pass(900), { fleetMs: null, wallMs: 0 })
    before.add(pass(901), { fleetMs: 5000, wallMs: 0 })
    before.close()
    const { passes, undated } = recall(readRecordings(folder), BOOT)
    expect(passes).toMatchObject([{ stampMs: 5000 }])
    expect(undated).toBe(1)
  })

  it('never holds more than two files of ten minutes, the newest ones', () => {
    const recorder = new Recorder(folder, BOOT, silentLog)
    keep(recorder, 0, 2000)
    const seconds = secondsOf(recall(readRecordings(folder), BOOT).passes)
    expect(seconds.length).toBeGreaterThanOrEqual(600)
    expect(seconds.length).toBeLessThanOrEqual(1200)
    expect(seconds.at(-1)).toBe(1999)
    expect(seconds).toEqual(seconds.toSorted((a, b) => a - b))
    recorder.close()
  })

  it('loses only what a power cut tore, wherever it tore', () => {
    const recorder = new Recorder(folder, BOOT, silentLog)
    keep(recorder, 0, 6)
    recorder.close()
    const file = join(folder, 'a.rec')
    const whole = readFileSync(file)
    fc.assert(
      fc.property(fc.nat(whole.length), fc.option(fc.nat(whole.length - 1)), (length, flipped) => {
        writeFileSync(file, whole)
        truncateSync(file, length)
        const bytes = readFileSync(file)
        if (flipped !== null && flipped < bytes.length) bytes[flipped] = (bytes[flipped] ?? 0) ^ 0x40
        const seconds = readFrames(bytes).map(({ bootMs }) => bootMs / 1000)
        expect(seconds).toEqual(Array.from({ length: seconds.length }, (_, second) => second))
      }),
      { numRuns: 200 },
    )
    appendFileSync(file, Buffer.alloc(50, 0xff))
    expect(statSync(file).size).toBeGreaterThan(0)
  })

  it('costs no pass when its folder cannot be written', () => {
    const recorder = new Recorder(folder, BOOT, silentLog)
    rmSync(folder, { recursive: true })
    writeFileSync(folder, 'in the way')
    keep(recorder, 0, 700)
    expect(readRecordings(folder)).toEqual([[], []])
    recorder.close()
  })
})

describe('kernel messages', () => {
  it('are read with level and time, and without what follows the line', () => {
    const text = '6,1024,12345678,-;Clock: inserting leap second 23:59:60 UTC\n SUBSYSTEM=x\n'
    expect(readKernelRecord(text)).toBe('<6> [12.346] Clock: inserting leap second 23:59:60 UTC')
    expect(readKernelRecord('nonsense')).toBe('')
  })

  it('of programs are left out, and of the kernel without addresses, arguments and secrets', () => {
    expect(readKernelRecord('30,1,2,-;systemd[1]: started with --password=x')).toBe('')
    const shown = (text: string): string => readKernelRecord(`4,1,0,-;${text}`).slice('<4> [0.000] '.length)
    expect(shown('drop IN=eth0 MAC=aa:bb:cc:dd:ee:ff:00:11 SRC=203.0.113.9 DST=2001:db8::1 LEN=40')).toBe(
      'drop IN=eth0 MAC=[hidden] SRC=[hidden] DST=[hidden] LEN=40',
    )
    expect(shown('audit: type=1309 audit(1.2:3): argc=2 a0="curl" a1="--user=me:pw"')).toBe(
      'audit: type=1309 [hidden]',
    )
    expect(shown('usb 1-1: SerialNumber: 4C530001')).toBe('usb 1-1: SerialNumber: [hidden]')
    expect(shown('module: auth_token=abc ok')).toBe('module: auth_token=[hidden] ok')
    expect(shown('TCP: request_sock_TCP: Possible SYN flooding on 2001:db8:0:1::5')).not.toContain('2001')
    expect(shown('Out of memory: Killed process 4711 (node)')).toBe(
      'Out of memory: Killed process 4711 (node)',
    )
    expect(shown('nvme0n1: 12:30:45 reset controller')).toBe('nvme0n1: 12:30:45 reset controller')
  })
})
