import { once } from 'node:events'
import { connect, createServer, Socket } from 'node:net'
import { decodeCmsdDynamic } from '@svta/common-media-library/cmsd/decodeCmsdDynamic'
import { expect, it } from 'vitest'
import { CMSD_CHARACTERS } from '../cache/stored.ts'
import { CmsdSpeaker, pathOf } from './cmsd-dynamic.ts'

function info(mss: number, rttUs: number, window: number): Buffer {
  const buffer = Buffer.alloc(104)
  buffer.writeUInt32LE(mss, 16)
  buffer.writeUInt32LE(rttUs, 68)
  buffer.writeUInt32LE(window, 80)
  return buffer
}

it('estimates by the congestion window, and says nothing where the kernel does not', () => {
  // 10 segments of 1448 bytes each 50 ms.
  expect(pathOf(info(1448, 50_000, 10))).toEqual({ rttMs: 50, kbps: 2317 })
  expect(pathOf(info(1448, 0, 10))).toBeNull()
  expect(pathOf(info(0, 1, 10))).toBeNull()
  expect(pathOf(info(2 ** 32 - 1, 1, 2 ** 32 - 1))?.kbps).toBe(1e9)
})

it('knows the way of a real connection for a second, and not behind a proxy', async () => {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as { port: number }).port, '127.0.0.1')
  const [socket] = (await once(server, 'connection')) as [Socket]
  let duress = false
  const speaker = (behindProxy: boolean): CmsdSpeaker =>
    new CmsdSpeaker({ edgeId: 'eu-west', behindProxy, underDuress: () => duress })
  const open = speaker(false)
  const [said] = decodeCmsdDynamic(open.say(socket, 0))
  expect(said?.value).toBe('eu-west')
  expect(Object.keys(said?.params ?? {})).toEqual(process.platform === 'linux' ? ['etp', 'rtt'] : [])
  // The same in heads of hits, at a fixed length.
  expect(open.sayBytes(socket, 500).toString('latin1')).toBe(open.say(socket, 0).padEnd(CMSD_CHARACTERS))
  duress = true
  expect(open.say(socket, 999)).not.toContain('du')
  expect(open.say(socket, 1000)).toMatch(/^"eu-west";.*du$/)
  expect(speaker(true).say(socket, 0, 12.4)).toBe('"eu-west";rd=12;du')
  // Closed: nothing is known any more.
  expect(speaker(false).say(new Socket(), 0)).toBe('"eu-west";du')
  client.destroy()
  socket.destroy()
  server.close()
})

it('has room for the longest there can be', () => {
  const speaker = new CmsdSpeaker({ edgeId: 'e'.repeat(63), behindProxy: true, underDuress: () => true })
  const parameters = ';etp=1000000000;rtt=4294967'.length
  expect(speaker.say(new Socket(), 0, 2 ** 31).length + parameters).toBeLessThanOrEqual(CMSD_CHARACTERS)
})
