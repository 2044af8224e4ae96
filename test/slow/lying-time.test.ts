// Two time servers that say different times, asked by the agents of a real fleet: one of them lies. It is told, and the
// runbook that would set a clock by them is refused before anybody is touched.
import { createSocket, type Socket } from 'node:dgram'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '#base'
import type { RunsAnswer, ServerView } from '#wire'
import { until } from '../control/fixture.ts'
import { startFleet, type TestFleet } from '../e2e/fleet.ts'

const NTP_EPOCH_S = 2_208_988_800
const LIE_S = 0.7
const sockets: Socket[] = []
const folder = mkdtempSync(join(tmpdir(), 'vitrine-lying-'))
/** Made by any of the commands that a runbook could ask for. */
const touched = join(folder, 'touched')
let fleet: TestFleet

/** An answer by RFC 5905, section 7.3, that is so far ahead. */
async function timeServer(aheadS: number): Promise<string> {
  const socket = createSocket('udp4')
  sockets.push(socket)
  socket.on('message', (request, from) => {
    const packet = Buffer.alloc(48)
    packet[0] = 0x24
    packet[1] = 2
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

beforeAll(async () => {
  const timeServers = [await timeServer(0), await timeServer(LIE_S)]
  const names = ['reset-clock-check', 'reset-clock', 'reset-clock-full', 'reset-clock-verify']
  const steps = Object.fromEntries(names.map(name => [name, { command: ['/usr/bin/touch', touched] }]))
  writeFileSync(join(folder, 'steps.yaml'), JSON.stringify({ steps }), { mode: 0o600 })
  const config = join(folder, 'vitrine.json')
  writeFileSync(config, JSON.stringify({ agent: { timeServers, stepsFile: join(folder, 'steps.yaml') } }))
  fleet = await startFleet({ config })
}, 120_000)
afterAll(async () => {
  await fleet.close()
  for (const socket of sockets) socket.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Query {
  readonly data: { readonly result: readonly { readonly metric: Readonly<Record<string, string>> }[] }
}

it('is an alert, and reset-clock is refused while it fires', async () => {
  const query = encodeURIComponent('ALERTS{alertname="TimeSourcesDisagree",alertstate="firing"}')
  const server = await until(
    async () => {
      const { data } = await fleet.get<Query>(`/prometheus/api/v1/query?query=${query}`)
      return data.result[0]?.metric['instance']
    },
    'it fires',
    300_000,
  )
  const dry = await fleet
    .vitrine('runbook', 'dry-run', 'reset-clock', server)
    .catch((error: { stdout?: string }) => String(error.stdout))
  expect(dry).toContain('no two time sources disagree')
  await fleet.post('/api/v1/runs', { runbook: 'reset-clock', servers: [server], reason: 'a test' })
  const lastRun = async (): Promise<RunsAnswer['runs'][number] | undefined> =>
    (await fleet.get<RunsAnswer>('/api/v1/runs')).runs[0]
  const run = await until(lastRun, 'it waits for approval', 30_000)
  await fleet.post(`/api/v1/runs/${run.id}/approve`, {})
  const ended = await until(
    async () => {
      const one = await lastRun()
      return one?.endedAt != null && one
    },
    'it ends',
    60_000,
  )
  expect(ended).toMatchObject({
    condition: 'refused',
    text: expect.stringContaining('time sources disagree'),
  })
  expect(ended.servers.map(({ outcome }) => outcome)).not.toContain('held')
  expect(existsSync(touched)).toBe(false)
  expect(await fleet.get<ServerView>(`/api/v1/servers/${server}`)).toMatchObject({ override: null })
}, 500_000)
