// ICMP by a child process: what the real programs print, and programs that fail in every other way.
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { systemClock } from '#base'
import { Pinger } from '#probe'
import { readPing } from '../../src/probe/ping.ts'

const folder = mkdtempSync(join(tmpdir(), 'vitrine-ping-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function program(name: string, text: string): string {
  const file = join(folder, name)
  writeFileSync(file, `#!/bin/sh\n${text}\n`)
  chmodSync(file, 0o755)
  return file
}

describe('what ping prints', () => {
  it.each([
    ['64 bytes from 192.0.2.1: icmp_seq=1 ttl=57 time=12.4 ms', { kind: 'answered', ms: 12.4 }],
    ['64 bytes from 192.0.2.1: seq=0 ttl=64 time=0.055 ms', { kind: 'answered', ms: 0.055 }],
    ['Reply from 192.0.2.1: bytes=32 time<1 ms TTL=64', { kind: 'answered', ms: 1 }],
    ['1 packets transmitted, 0 received, 100% packet loss, time 0ms', { kind: 'lost' }],
    ['ping: unknown.example: Name or service not known', { kind: 'lost' }],
    ['', { kind: 'lost' }],
  ])('%s', (output, result) => expect(readPing(output)).toEqual(result))

  it.each([
    'ping: socktype: SOCK_RAW\nping: socket: Operation not permitted',
    'ping: permission denied (are you root?)',
    'ping: Lacking privilege for icmp socket.',
  ])('is no failure of the server when it says: %s', output => {
    expect(readPing(output).kind).toBe('not-permitted')
  })

  it('takes any text', () => {
    fc.assert(fc.property(fc.string(), text => readPing(text).kind.length > 0))
  })
})

describe('pinger', () => {
  it("asks the host's own ping, where there is one: this machine answers, or the kernel does not permit it", async context => {
    const pinger = new Pinger({ clock: systemClock })
    const here = await pinger.ping('127.0.0.1')
    context.skip(here?.kind === 'not-permitted', 'ping is not permitted here')
    expect(here).toEqual({ kind: 'answered', ms: expect.any(Number) })
    expect(await pinger.ping('no-such-host.invalid')).toEqual({ kind: 'lost' })
  })

  it('gives the round trip', async () => {
    const command = program('well', 'echo "64 bytes from $7: icmp_seq=1 ttl=64 time=3.5 ms"')
    expect(await new Pinger({ clock: systemClock, command }).ping('127.0.0.1')).toEqual({
      kind: 'answered',
      ms: 3.5,
    })
  })

  it('says that there is no such program, and does not start it again for ten minutes', async () => {
    let nowMs = 0
    const clock = { ...systemClock, monotonicMs: () => nowMs }
    const count = join(folder, 'count')
    const command = program(
      'refused',
      `echo x >> ${count}; echo "ping: socket: Operation not permitted" >&2; exit 2`,
    )
    const pinger = new Pinger({ clock, command })
    for (nowMs = 0; nowMs < 600_000; nowMs += 100_000) {
      expect(await pinger.ping('192.0.2.1')).toMatchObject({ kind: 'not-permitted' })
    }
    expect(readFileSync(count, 'utf8')).toBe('x\n')
    nowMs = 600_000
    await pinger.ping('192.0.2.1')
    expect(readFileSync(count, 'utf8')).toBe('x\nx\n')
    const none = new Pinger({ clock: systemClock, command: join(folder, 'none') })
    expect(await none.ping('192.0.2.1')).toMatchObject({ kind: 'not-permitted' })
  })

  it('kills one that never ends, and one that prints without end', async () => {
    const silent = new Pinger({ clock: systemClock, command: program('silent', 'exec sleep 600') })
    const loud = new Pinger({ clock: systemClock, command: program('loud', 'exec yes') })
    expect(await Promise.all([silent.ping('192.0.2.1'), loud.ping('192.0.2.1')])).toEqual([
      { kind: 'lost' },
      { kind: 'lost' },
    ])
  })

  it('harms nobody when it is closed while a program that does not exist is being started', async () => {
    const pinger = new Pinger({ clock: systemClock, command: join(folder, 'none') })
    const asked = pinger.ping('192.0.2.1')
    pinger.close()
    expect(await asked).toMatchObject({ kind: 'not-permitted' })
  })

  it('starts four at most, and none for what is no host', async () => {
    const pinger = new Pinger({ clock: systemClock, command: program('slow', 'exec sleep 600') })
    const asked = Array.from({ length: 6 }, () => pinger.ping('192.0.2.1'))
    expect(await asked[4]).toBeNull()
    expect(await asked[5]).toBeNull()
    pinger.close()
    await Promise.all(asked)
    expect(await pinger.ping('-f')).toBeNull()
    expect(await pinger.ping('$(id)')).toBeNull()
  })
})
