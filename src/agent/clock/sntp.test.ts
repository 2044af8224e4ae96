// SNTP and mode 6 against servers that answer over real UDP: honest ones, liars, and those that want to be left alone.
import { createSocket, type Socket } from 'node:dgram'
import { afterEach, describe, expect, it } from 'vitest'
import { type Clock, FakeClock, silentLog, systemClock } from '#base'
import { askNtpDaemon } from './ntp-control.ts'
import { Sntp } from './sntp.ts'

const NTP_EPOCH_S = 2_208_988_800
const servers: Socket[] = []

afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function serve(answer: (request: Buffer) => Buffer[]): Promise<number> {
  const socket = createSocket('udp4')
  servers.push(socket)
  socket.on('message', (request, from) => {
    for (const packet of answer(request)) socket.send(packet, from.port, from.address)
  })
  await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve))
  return socket.address().port
}

/** As a server whose clock is `aheadS` ahead of this machine's would. */
function ntpAnswer(request: Buffer, aheadS: number, leap = 0, stratum = 2, kiss = ''): Buffer {
  const packet = Buffer.alloc(48)
  packet[0] = (leap << 6) | 0x24
  packet[1] = stratum
  packet.write(kiss, 12, 'latin1')
  request.copy(packet, 24, 40, 48)
  const seconds = systemClock.wallMs() / 1000 + aheadS + NTP_EPOCH_S
  for (const at of [32, 40]) {
    packet.writeUInt32BE(Math.floor(seconds) % 2 ** 32, at)
    packet.writeUInt32BE(Math.floor((seconds % 1) * 2 ** 32), at + 4)
  }
  return packet
}

const asked = (ports: readonly number[], clock: Clock = systemClock): Sntp =>
  new Sntp({ servers: ports.map(port => `127.0.0.1:${port}`), clock, log: silentLog })

describe('time servers', () => {
  it('say how far off this clock is, and their leap bits', async () => {
    const port = await serve(request => [ntpAnswer(request, 0.8, 1)])
    const sntp = asked([port])
    await sntp.turn()
    const [reading] = sntp.readings()
    expect(reading).toMatchObject({ server: `127.0.0.1:${port}`, leap: 1, stratum: 2 })
    // Half of the round trip is what a single packet may be wrong by.
    expect(Math.abs((reading?.offsetS ?? 0) + 0.8)).toBeLessThanOrEqual((reading?.rttS ?? 0) / 2 + 0.002)
  })

  it('are asked again after 64 s and not before; one that answers nothing is dropped', async () => {
    let requests = 0
    const port = await serve(request => {
      requests += 1
      return requests === 1 ? [ntpAnswer(request, 0)] : []
    })
    const clock = new FakeClock(systemClock.wallMs())
    const sntp = asked([port], clock)
    await sntp.turn()
    clock.advance(63_000)
    await sntp.turn()
    expect(requests).toBe(1)
    clock.advance(1000)
    await sntp.turn()
    expect(requests).toBe(2)
    expect(sntp.readings()).toHaveLength(1)
    clock.advance(320_000)
    expect(sntp.readings()).toEqual([])
  }, 20_000)

  it('that deny are not asked again; RATE doubles the pause', async () => {
    const requests = { denied: 0, slowed: 0 }
    const denied = await serve(request => {
      requests.denied += 1
      return [ntpAnswer(request, 0, 3, 0, 'DENY')]
    })
    const slowed = await serve(request => {
      requests.slowed += 1
      return [ntpAnswer(request, 0, 3, 0, 'RATE')]
    })
    const clock = new FakeClock(systemClock.wallMs())
    const sntp = asked([denied, slowed], clock)
    for (let turn = 0; turn < 4; turn += 1) {
      await sntp.turn()
      clock.advance(64_000)
    }
    expect(requests).toEqual({ denied: 1, slowed: 2 })
    expect(sntp.readings()).toEqual([])
  })

  it('cannot be answered for by others: an answer repeats the nonce', async () => {
    const port = await serve(request => {
      const forged = ntpAnswer(request, 3600)
      forged.fill(7, 24, 32)
      return [forged, Buffer.alloc(3), ntpAnswer(request, 0)]
    })
    const sntp = asked([port])
    await sntp.turn()
    expect(Math.abs(sntp.readings()[0]?.offsetS ?? 9)).toBeLessThan(60)
  })
})

describe('a daemon that speaks mode 6', () => {
  const part = (request: Buffer, text: string, offset: number, more: boolean): Buffer => {
    const packet = Buffer.alloc(12 + text.length)
    packet[0] = 0x16
    packet[1] = 0x82 | (more ? 0x20 : 0)
    request.copy(packet, 2, 2, 4)
    packet.writeUInt16BE(offset, 8)
    packet.writeUInt16BE(text.length, 10)
    packet.write(text, 12)
    return packet
  }

  it('is read in parts that come out of order', async () => {
    const text = 'leap=00, stratum=2, rootdelay=1, rootdisp=2, offset=0.5'
    const port = await serve(request => [
      part(request, text.slice(20), 20, false),
      part(request, text.slice(0, 20), 0, true),
    ])
    expect(await askNtpDaemon(port)).toMatchObject({ daemon: 'ntp', stratum: 2, offsetS: -0.0005 })
  })

  it('that is none is not waited for long', async () => {
    const port = await serve(() => [Buffer.from('no')])
    expect(await askNtpDaemon(port)).toBeNull()
  })
})
