import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { FakeClock } from '#base'
import { Totals } from './totals.ts'

let folder: string
const clock = new FakeClock()
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-totals-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function open(hostId = 'boot-1'): Totals {
  return new Totals({ file: join(folder, 'totals'), hostId, clock })
}

const all = (totals: Totals): unknown => [[...totals.requests()], totals.bytes()]

it('goes on where a killed process stopped, to the last answer', () => {
  const killed = open()
  expect(killed.survives).toBe(true)
  killed.add('segment', 206, 'vod', 1000)
  killed.add('master', 404, 'other', 20)
  clock.advance(1000)
  const next = open()
  expect(all(next)).toEqual(all(killed))
  expect(next.bytes()).toEqual([
    ['vod', 1000],
    ['live', 0],
    ['builtin', 0],
    ['other', 20],
  ])
  expect([...next.requests()]).toEqual([
    [{ kind: 'master', status: '4xx', class: 'other' }, 1],
    [{ kind: 'segment', status: '2xx', class: 'vod' }, 1],
  ])
  expect(next.sinceBootMs).toBe(killed.sinceBootMs)
})

it('begins at zero after a boot, because a power cut may have taken the last seconds', () => {
  open().add('segment', 200, 'vod', 1000)
  clock.advance(1000)
  const next = open('boot-2')
  expect([...next.requests()]).toEqual([])
  expect(next.sinceBootMs).toBe(clock.bootMs())
})

it('begins at zero when the file is another one, too short, or damaged', () => {
  open().add('segment', 200, 'vod', 1000)
  for (const content of [Buffer.alloc(0), Buffer.alloc(10_000, 0xff), Buffer.from('text')]) {
    rmSync(join(folder, 'totals'))
    writeFileSync(join(folder, 'totals'), content)
    expect([...open().requests()]).toEqual([])
  }
})

it('leaves out the bytes of our own agents and probes', () => {
  const totals = open()
  totals.add('internal', 200, 'other', 5000)
  expect(totals.bytes().map(([, value]) => value)).toEqual([0, 0, 0, 0])
  expect([...totals.requests()]).toEqual([[{ kind: 'internal', status: '2xx', class: 'other' }, 1]])
})
