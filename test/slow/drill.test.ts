// The drill of 2012 on a real fleet, three times in a row: it is found, explained, mended and undone, and the machine's
// clock is not touched. Then the control room is killed in the middle of one, and nothing of it is left.
import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readClockNs } from '#base'
import type { DrillsAnswer, DrillView, NormalAnswer, ServerView } from '#wire'
import { until } from '../control/fixture.ts'
import { startFleet, type TestFleet } from '../e2e/fleet.ts'

/** As a day with a busy machine takes; whether it was quick is the bench's question. */
const LONG_MS = 600_000
let fleet: TestFleet
beforeAll(async () => {
  fleet = await startFleet()
}, 120_000)
afterAll(() => fleet.close())

const machineClockNs = (): bigint => (readClockNs('realtime') ?? 0n) - (readClockNs('monotonic') ?? 0n)
const newest = async (): Promise<DrillView | undefined> =>
  (await fleet.get<DrillsAnswer>('/api/v1/drills').catch(() => null))?.drills[0]

/** Processes that a drill has its library in, and what they may do. */
function drilled(): { pid: string; maySetClock: boolean }[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(pid => {
      try {
        const isDrilled = readFileSync(`/proc/${pid}/environ`, 'utf8').includes(
          `VITRINE_DRILL_CLOCK=${fleet.data}`,
        )
        if (!isDrilled) return []
        const held = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0'
        return [{ pid, maySetClock: ((BigInt(`0x${held}`) >> 25n) & 1n) === 1n }]
      } catch {
        return [] // it has ended, or is another's
      }
    })
}

it.each([1, 2, 3])(
  'is found, explained, mended and undone, run %i, and never touches the machine’s clock',
  async run => {
    await until(
      async () => (await fleet.get<DrillsAnswer>('/api/v1/drills')).problem === null,
      'it may begin',
      60_000,
    )
    const beforeNs = machineClockNs()
    const before = (await newest())?.id
    await fleet.post('/api/v1/drills', { drill: 'leap-second-2012', viewers: 30 })
    const hurt = await until(
      async () => {
        const drill = await newest()
        return drill?.id !== before && drill?.targets.every(({ injectedAt }) => injectedAt !== null) && drill
      },
      'both are hurt',
      LONG_MS,
    )
    expect(hurt.targets.map(({ server, fault }) => [server, fault])).toEqual([
      ['eu-west', 'frozen'],
      ['ap-southeast', 'early-timers'],
    ])
    const processes = drilled()
    expect(processes.length).toBeGreaterThanOrEqual(3)
    expect(processes.filter(({ maySetClock }) => maySetClock)).toEqual([])
    const ended = await until(
      async () => {
        const drill = await newest()
        return drill?.endedAt != null && drill
      },
      'it ends',
      LONG_MS,
    )
    const movedMs = Number(machineClockNs() - beforeNs) / 1e6
    const wrong = ended.score?.marks.filter(({ ok }) => !ok).map(({ name, text }) => `${name}: ${text}`) ?? []
    console.log(`drill ${run}: ${ended.state} (${ended.text}) ${wrong.join('; ')}`)
    const marks = new Map(ended.score?.marks.map(({ name, ok, text }) => [name, { ok, text }]))
    for (const name of ['one incident', 'diagnosis', 'ringing', 'undone', 'the machine’s clock'])
      expect(marks.get(name), name).toMatchObject({ ok: true })
    for (const target of ended.targets) expect(target.returnedAt, target.server).not.toBeNull()
    expect(ended.incidents[0]?.title).toMatch(/^Drill: /)
    const tookMs = (ended.endedAt ?? 0) - ended.startedAt
    // A time daemon may slew it meanwhile, by 500 ppm at most.
    expect(Math.abs(movedMs)).toBeLessThan(1 + tookMs * 0.0005)
    expect(drilled()).toEqual([])
    expect((await fleet.get<NormalAnswer>('/api/v1/normal')).servers.map(({ state }) => state)).not.toContain(
      'unreachable',
    )
  },
  1_500_000,
)

it('leaves nothing when the control room is killed in the middle of it', async () => {
  await until(
    async () => (await fleet.get<DrillsAnswer>('/api/v1/drills')).problem === null,
    'it may begin',
    60_000,
  )
  await fleet.post('/api/v1/drills', { drill: 'leap-second-2012', viewers: 6 })
  const begun = await newest()
  await until(
    async () => (await newest())?.targets.every(({ injectedAt }) => injectedAt !== null) === true,
    'both are hurt',
    LONG_MS,
  )
  const control = fleet.pid('control')
  process.kill(control, 'SIGKILL')
  await until(() => Promise.resolve(drilled().length === 0), 'its processes have ended', 60_000)
  const broken = await until(
    async () => {
      const drill = await newest()
      return drill !== undefined && drill.id === begun?.id && drill.endedAt !== null && drill
    },
    'the new control room has tidied up',
    LONG_MS,
  )
  expect(broken.state).toBe('broken-off')
  for (const id of ['eu-west', 'ap-southeast'])
    await until(
      async () => {
        const { state, override } = await fleet.get<ServerView>(`/api/v1/servers/${id}`)
        return state === 'healthy' && override === null
      },
      `${id} is in service`,
      LONG_MS,
    )
}, 1_500_000)
