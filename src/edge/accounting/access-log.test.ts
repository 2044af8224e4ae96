import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '#base'
import { accessLine, LINE_BYTES_MAX, type Served } from './access-line.ts'
import { AccessLog } from './access-log.ts'

let folder: string
const open: AccessLog[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-access-'))
})
afterEach(async () => {
  for (const log of open.splice(0)) await log.close()
  rmSync(folder, { recursive: true, force: true })
})

function start(bytesMax = 1 << 20, filesMax = 4): AccessLog {
  const log = new AccessLog({ folder, bytesMax, filesMax, log: silentLog })
  open.push(log)
  return log
}

function lines(name = 'access.log'): string[] {
  return readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1)
}

describe('the access log', () => {
  it('has every line when it is closed, also after a second start', async () => {
    const first = start()
    for (let at = 0; at < 1000; at += 1) first.add(`${at}\n`)
    await first.close()
    const second = start()
    second.add('last\n')
    await second.close()
    expect(lines()).toEqual([...Array.from({ length: 1000 }, (_, at) => String(at)), 'last'])
  })

  it('gives back what a killed process had not written, once', async () => {
    const killed = start()
    killed.add('one\n')
    killed.add('two\n')
    // A kill closes nothing: the next process finds the same files.
    await start().close()
    expect(lines()).toEqual(['one', 'two'])
    await start().close()
    expect(lines()).toEqual(['one', 'two'])
  })

  it('is renamed by size, keeps so many files, and tears no line', async () => {
    const log = start(1000, 3)
    for (let round = 0; round < 6; round += 1) {
      for (let at = 0; at < 20; at += 1) log.add(`${'x'.repeat(60)} ${round}\n`)
      await log.written()
    }
    await log.close()
    const names = readdirSync(folder).filter(name => name.endsWith('.log'))
    expect(names.sort()).toEqual(['access.1.log', 'access.2.log', 'access.log'])
    for (const name of names) {
      for (const line of lines(name)) expect(line).toMatch(/^x{60} \d$/)
      expect(statSync(join(folder, name)).size).toBeLessThan(3000)
    }
    expect(lines('access.1.log').length).toBeGreaterThan(0)
  })

  it('counts lines for which there is no room, and goes on', async () => {
    const log = start(1 << 30)
    const line = `${'y'.repeat(4000)}\n`
    // No turn of the event loop in between: nothing can be written meanwhile.
    for (let at = 0; at < 1000; at += 1) log.add(line)
    expect(log.dropped).toBeGreaterThan(0)
    await log.written()
    log.add('after\n')
    await log.close()
    expect(lines().length).toBe(1000 - log.dropped + 1)
    expect(lines().at(-1)).toBe('after')
  })
})

describe('a line of the access log', () => {
  const plain: Served = {
    method: 'GET',
    target: '/vod/sample/r1/v720/3.m4s?CMCD=sid%3D%22secret%22&token=secret',
    status: 206,
    bytes: 1000,
    durationMs: 1.26,
    kind: 'segment',
    cache: 'memory',
    title: 'sample',
    class: 'builtin',
    session: 'abc',
    range: 'bytes=0-999',
    isSecure: false,
    version: '1.1',
  }
  const timeMs = 1_700_000_000_123

  it('has fleet time, what was sent, and no query', () => {
    const line = accessLine(plain, timeMs)
    expect(JSON.parse(line)).toEqual({
      time: '2023-11-14T22:13:20.123Z',
      method: 'GET',
      path: '/vod/sample/r1/v720/3.m4s',
      status: 206,
      bytes: 1000,
      ms: 1.3,
      kind: 'segment',
      class: 'builtin',
      cache: 'memory',
      title: 'sample',
      session: 'abc',
      range: 'bytes=0-999',
      protocol: 'http/1.1',
    })
    expect(line).not.toContain('secret')
  })

  it('is one line of JSON below its limit, whatever a viewer sends', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 5000, unit: 'binary' }), text => {
        const line = accessLine({ ...plain, target: text, session: text.slice(0, 64), range: text }, timeMs)
        expect(line.indexOf('\n')).toBe(line.length - 1)
        expect(line).toMatch(/^[\n\x20-\x7e]*$/)
        expect(Buffer.byteLength(line)).toBeLessThan(LINE_BYTES_MAX)
        JSON.parse(line)
      }),
    )
  })
})
