import { expect, it } from 'vitest'
import { Counters, FakeClock, SlewedFleetTime, silentLog } from '#base'
import type { ServerRecord } from '../fleet/fleet.ts'
import { LeapKeeper } from './leap-keeper.ts'

type Items = { labels: Record<string, string>; value: number }[]

/** A fleet of as many hosts as clocks; each says its own clock against fleet time. */
function fleetOf(clocks: readonly FakeClock[]): {
  readonly clock: FakeClock
  readonly fleetTime: SlewedFleetTime
  readonly settled: number[]
  /** Five seconds later. */
  readonly turn: () => Promise<void>
} {
  const clock = new FakeClock()
  const fleetTime = new SlewedFleetTime(clock, clock.wallMs() - clock.bootMs(), 1)
  const settled: number[] = []
  const servers = clocks.map((_, at) => ({ id: `edge-${at}`, hostId: `host-${at}`, role: 'edge' }))
  const ask = (): unknown => {
    const items: Items = clocks.flatMap((own, at) =>
      Object.entries({
        vitrine_clock_fleet_offset_seconds: (own.wallMs() - fleetTime.nowMs()) / 1000,
        node_timex_sync_status: 1,
      }).map(([name, value]) => ({ labels: { __name__: name, instance: `edge-${at}` }, value })),
    )
    return Promise.resolve({ value: { kind: 'vector', items } })
  }
  const keeper = new LeapKeeper({
    fleet: { all: () => servers as unknown as ServerRecord[] },
    store: { ask } as ConstructorParameters<typeof LeapKeeper>[0]['store'],
    fleetTime,
    clock,
    counters: new Counters(),
    onSettled: async offsetMs => void settled.push(offsetMs),
    log: silentLog,
  })
  const turn = async (): Promise<void> => {
    for (const one of [clock, ...clocks]) one.advance(5000)
    await keeper.look()
  }
  return { clock, fleetTime, settled, turn }
}

async function turns(turn: () => Promise<void>, count: number): Promise<void> {
  for (let at = 0; at < count; at += 1) await turn()
}

it('brings fleet time to where the hosts stand within 140 s of a leap second, in order, and stays there', async () => {
  const clocks = [new FakeClock(), new FakeClock(), new FakeClock(), new FakeClock()]
  const { clock, fleetTime, settled, turn } = fleetOf(clocks)
  await turns(turn, 12)
  for (const one of clocks.slice(1)) one.stepWall(-1000)
  const began = clock.bootMs()
  let before = fleetTime.nowMs()
  while (Math.abs(fleetTime.nowMs() - (clocks[1]?.wallMs() ?? 0)) > 1) {
    await turn()
    expect(fleetTime.nowMs() - before).toBeGreaterThanOrEqual(4950)
    before = fleetTime.nowMs()
    expect(clock.bootMs() - began).toBeLessThanOrEqual(140_000)
  }
  await turns(turn, 100)
  expect(fleetTime.followed()).toMatchObject({ nowMs: -1000, toMs: -1000 })
  expect(settled).toEqual([fleetTime.offsetMs()])
})

it('does not move for one host', async () => {
  const clocks = [new FakeClock(), new FakeClock(), new FakeClock()]
  const { fleetTime, turn } = fleetOf(clocks)
  clocks[0]?.stepWall(-1000)
  await turns(turn, 100)
  expect(fleetTime.followed()).toMatchObject({ nowMs: 0, toMs: 0 })
})
