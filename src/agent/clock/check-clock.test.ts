// Against fake UDP servers with clocks of their own.
import { createSocket, type Socket } from 'node:dgram'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '#base'
import { type CheckedSource, checkClock, judgeClock } from './check-clock.ts'

const NTP_EPOCH_S = 2_208_988_800
const open: Socket[] = []
afterEach(() => {
  for (const socket of open.splice(0)) socket.close()
})

interface Fake {
  readonly aheadS?: number
  readonly leap?: number
  readonly kiss?: string
  readonly silent?: boolean
}

async function serve({ aheadS = 0, leap = 0, kiss = '', silent = false }: Fake): Promise<string> {
  const socket = createSocket('udp4')
  open.push(socket)
  socket.on('message', (request, from) => {
    if (silent) return
    const packet = Buffer.alloc(48)
    packet[0] = (leap << 6) | 0x24
    packet[1] = kiss === '' ? 2 : 0
    packet.write(kiss, 12, 'latin1')
    request.copy(packet, 24, 40, 48)
    const seconds = systemClock.wallMs() / 1000 + aheadS + NTP_EPOCH_S
    for (const at of [32, 40]) {
      packet.writeUInt32BE(Math.floor(seconds) % 2 ** 32, at)
      packet.writeUInt32BE(Math.floor((seconds % 1) * 2 ** 32), at + 4)
    }
    socket.send(packet, from.port, from.address)
  })
  await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve))
  return `127.0.0.1:${socket.address().port}`
}

async function check(...fakes: Fake[]): ReturnType<typeof checkClock> {
  const servers = await Promise.all(fakes.map(serve))
  return await checkClock({ servers, verify: false, clock: systemClock, packets: 1 })
}

describe('before a clock is set', () => {
  it('two independent time servers that agree are enough', async () => {
    expect(await check({}, {})).toMatchObject({ word: 'ok' })
    expect((await check({ aheadS: 3 }, { aheadS: 3 })).offsetS).toBeCloseTo(-3, 0)
  })

  it('it is refused when they differ, or one says that it is not synchronised', async () => {
    expect(await check({}, { aheadS: 5 })).toMatchObject({
      word: 'refused',
      text: expect.stringContaining('differ'),
    })
    expect((await check({}, {}, { leap: 3 })).text).toContain('not synchronised')
  })

  it('it cannot be told from one, from one by two names, or from those that are silent or want to be left alone', async () => {
    expect(await check({})).toMatchObject({ word: 'cannot-tell' })
    const server = await serve({})
    const twice = { servers: [server, server], verify: false, clock: systemClock, packets: 1 }
    expect(await checkClock(twice)).toMatchObject({ word: 'cannot-tell' })
    const found = await check({}, { silent: true }, { kiss: 'DENY', leap: 3 })
    expect(found.word).toBe('cannot-tell')
    expect(found.sources.map(({ kiss }) => kiss)).toEqual([null, null, 'DENY'])
  }, 20_000)
})

describe('after it was set', () => {
  const at = (server: string, more: Partial<CheckedSource> = {}): CheckedSource => {
    return { server, address: server, offsetS: 0.001, rttS: 0.01, leap: 0, stratum: 2, kiss: null, ...more }
  }
  const own = { early: 0, leapPending: 0 }

  it('it must be near, fire no timer early, and nobody may expect a leap second', () => {
    expect(judgeClock([at('a'), at('b')], own).word).toBe('ok')
    const texts = [
      judgeClock([at('a', { offsetS: 1 }), at('b', { offsetS: 1 })], own),
      judgeClock([at('a'), at('b')], { ...own, early: 1 }),
      judgeClock([at('a'), at('b')], { ...own, leapPending: 1 }),
      judgeClock([at('a', { leap: 1 }), at('b')], own),
    ].map(({ word, text }) => `${word}: ${text}`)
    expect(texts).toEqual([
      'refused: this clock is 1.00 s off',
      'refused: 1 of 3 timers on the wall clock fired early',
      'refused: the kernel expects a leap second',
      'refused: a says that a leap second comes',
    ])
  })

  it('servers that are far away are believed as well as their way allows', () => {
    expect(judgeClock([at('a', { offsetS: 0.3, rttS: 0.8 }), at('b')], null).word).toBe('ok')
  })
})
