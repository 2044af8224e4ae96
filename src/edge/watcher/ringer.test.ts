import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FakeClock } from '#base'
import type { SealedRoute, WatcherAnswer, WatcherAsk } from '#wire'
import { Ringer } from './ringer.ts'
import { type Kept, NOTHING_KEPT, Vigil } from './vigil.ts'

const AFTER_MS = 60_000
const FIRST_EPOCH = 1_000

interface Edge {
  vigil: Vigil
  ringer: Ringer
  kept: Kept
  /** Edges and the control room reach each other within one group. */
  group: number
  reachesReceivers: boolean
  isUp: boolean
}

/** Edges, a control room that closes what it is told, and receivers that record; a tick is a second. */
class Fleet {
  readonly clock = new FakeClock()
  readonly edges = new Map<string, Edge>()
  readonly rung: { readonly epoch: number; readonly receiver: string; readonly by: string }[] = []
  readonly closed: { readonly epoch: number; readonly receiver: string }[] = []
  readonly receivers = [{ name: 'pager' }, { name: 'chat' }] as unknown as { name: string }[]
  control = { group: 0, isUp: true, epoch: FIRST_EPOCH }
  readonly #holders: readonly string[]

  constructor(count: number, holders: number) {
    const ids = Array.from({ length: count }, (_, index) => `edge-${index}`)
    this.#holders = ids.slice(0, holders)
    for (const id of ids) this.start(id, NOTHING_KEPT, { group: 0, reachesReceivers: true })
    for (const id of ids) this.#tellRoute(id)
  }

  edge(id: string): Edge {
    const edge = this.edges.get(id)
    if (edge === undefined) throw new Error(id)
    return edge
  }

  start(id: string, kept: Kept, place: Pick<Edge, 'group' | 'reachesReceivers'>): void {
    const edge = { ...place, kept, isUp: true } as Edge
    edge.vigil = new Vigil({
      id,
      kept,
      store: own => void (edge.kept = own),
      monotonicMs: this.clock.monotonicMs,
      fleetMs: this.clock.wallMs,
    })
    edge.ringer = new Ringer({
      id,
      vigil: edge.vigil,
      monotonicMs: this.clock.monotonicMs,
      port: {
        ask: (peer, ask) => this.#ask(edge, peer, ask),
        ring: async receiver => {
          await Promise.resolve()
          if (!edge.reachesReceivers) return false
          this.rung.push({ epoch: edge.vigil.kept.epoch, receiver, by: id })
          return true
        },
        remind: async () => undefined,
      },
    })
    this.edges.set(id, edge)
  }

  /** A kill and a start: the route is remembered on disk, as what was kept. */
  restart(id: string): void {
    const before = this.edge(id)
    this.start(id, before.kept, before)
    const after = this.edge(id)
    const route = this.#routeFor(id, Math.max(FIRST_EPOCH, before.kept.epoch))
    after.vigil.setRoute(route)
    after.ringer.setRoute(route)
  }

  hears(edge: Edge): boolean {
    return edge.isUp && this.control.isUp && edge.group === this.control.group
  }

  async run(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      this.clock.advance(1000)
      for (const edge of this.edges.values()) if (edge.isUp) edge.vigil.tick(this.hears(edge))
      this.#control()
      if (second % 2 === 0)
        await Promise.all([...this.edges.values()].filter(({ isUp }) => isUp).map(edge => edge.ringer.turn()))
    }
  }

  #control(): void {
    const here = [...this.edges].filter(([, edge]) => this.hears(edge))
    const told = here.flatMap(([, { vigil }]) =>
      vigil.kept.epoch === this.control.epoch ? [...vigil.kept.done] : [],
    )
    if (told.length > 0 && here.length * 2 > this.edges.size) {
      for (const receiver of new Set(told)) this.closed.push({ epoch: this.control.epoch, receiver })
      this.control.epoch += 1
    }
    for (const [id] of here) this.#tellRoute(id)
  }

  #tellRoute(id: string): void {
    const route = this.#routeFor(id, this.control.epoch)
    this.edge(id).vigil.setRoute(route)
    this.edge(id).ringer.setRoute(route)
  }

  #routeFor(id: string, epoch: number): SealedRoute {
    const peers = [...this.edges.keys()]
      .filter(peer => peer !== id)
      .map(peer => ({ id: peer, url: '', credential: '' }))
    const held = this.#holders.includes(id) ? { receivers: this.receivers as never, peers } : null
    return {
      type: 'sealed-route',
      epoch,
      afterMs: AFTER_MS,
      members: this.edges.size,
      holders: [...this.#holders],
      controlUrl: '',
      zone: 'UTC',
      held,
    }
  }

  async #ask(from: Edge, peer: string, ask: WatcherAsk): Promise<WatcherAnswer | null> {
    await Promise.resolve()
    const to = this.edge(peer)
    return to.isUp && from.isUp && to.group === from.group ? to.vigil.answer(ask) : null
  }

  times(receiver: string, epoch: number = this.control.epoch): number {
    return this.rung.filter(one => one.receiver === receiver && one.epoch === epoch).length
  }
}

describe('the edges', () => {
  it('ring once, a minute after most of them have lost the control room, by the first holder', async () => {
    const fleet = new Fleet(3, 2)
    await fleet.run(5)
    fleet.control.isUp = false
    await fleet.run(58)
    expect(fleet.rung).toEqual([])
    await fleet.run(240)
    expect(fleet.rung).toEqual([
      { epoch: FIRST_EPOCH, receiver: 'pager', by: 'edge-0' },
      { epoch: FIRST_EPOCH, receiver: 'chat', by: 'edge-0' },
    ])
    fleet.control.isUp = true
    await fleet.run(10)
    expect(fleet.closed.map(({ receiver }) => receiver)).toEqual(['pager', 'chat'])
    fleet.control.isUp = false
    await fleet.run(120)
    expect(fleet.times('pager')).toBe(1)
    expect(fleet.control.epoch).toBe(FIRST_EPOCH + 1)
  })

  it('leave it to the second holder when the first is dead or reaches no receiver', async () => {
    for (const ill of ['dead', 'deaf'] as const) {
      const fleet = new Fleet(3, 2)
      if (ill === 'dead') fleet.edge('edge-0').isUp = false
      else fleet.edge('edge-0').reachesReceivers = false
      fleet.control.isUp = false
      await fleet.run(180)
      expect(fleet.rung.map(({ receiver, by }) => `${by} ${receiver}`)).toEqual([
        'edge-1 pager',
        'edge-1 chat',
      ])
    }
  })

  it('ring for nobody who is merely cut off itself', async () => {
    const fleet = new Fleet(5, 3)
    fleet.edge('edge-0').group = 1
    fleet.edge('edge-1').group = 1
    await fleet.run(600)
    expect(fleet.rung).toEqual([])
  })

  it('take time in which a process stood still for no silence of the control room', async () => {
    const fleet = new Fleet(3, 2)
    fleet.clock.advance(3_600_000)
    const { vigil } = fleet.edge('edge-0')
    vigil.tick(false)
    expect(vigil.lostMs).toBeLessThan(AFTER_MS)
  })

  it('do not ring again after all of them were killed', async () => {
    const fleet = new Fleet(3, 2)
    fleet.control.isUp = false
    await fleet.run(100)
    for (const id of fleet.edges.keys()) fleet.restart(id)
    await fleet.run(300)
    expect(fleet.rung).toHaveLength(2)
  })

  it('grant nothing that they cannot write down', () => {
    const clock = new FakeClock()
    const vigil = new Vigil({
      id: 'edge-0',
      kept: { ...NOTHING_KEPT, epoch: 1 },
      store: () => {
        throw new Error('disk full')
      },
      monotonicMs: clock.monotonicMs,
      fleetMs: clock.wallMs,
    })
    vigil.setRoute({ epoch: 1, afterMs: 1000 })
    clock.advance(2000)
    vigil.tick(false)
    const ask = { epoch: 1, from: 'edge-1', act: 'claim', done: [], complete: false } as const
    expect(() => vigil.answer({ ...ask, done: [] })).toThrow('disk full')
    expect(vigil.kept.holder).toBeNull()
  })
})

const step = fc.record({
  seconds: fc.integer({ min: 1, max: 90 }),
  groups: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 5, maxLength: 5 }),
  deaf: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
  controlUp: fc.boolean(),
  killed: fc.option(fc.integer({ min: 0, max: 4 })),
})

describe('any schedule of partitions and kills', () => {
  it('rings at most once an outage, surely where a majority with a holder stays, and always ends it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 3, max: 5 }),
        fc.integer({ min: 2, max: 3 }),
        fc.array(step, { minLength: 1, maxLength: 12 }),
        async (count, holders, steps) => {
          const fleet = new Fleet(count, holders)
          for (const { seconds, groups, deaf, controlUp, killed } of steps) {
            fleet.control.isUp = controlUp
            for (const [index, edge] of [...fleet.edges.values()].entries()) {
              edge.group = groups[index] ?? 0
              edge.reachesReceivers = deaf[index] !== true
            }
            if (killed !== null && killed < count) fleet.restart(`edge-${killed}`)
            await fleet.run(seconds)
          }
          // At the end a majority with one holder that reaches people stays together, without the control room.
          fleet.control.isUp = false
          const majority = Math.floor(count / 2) + 1
          for (const [index, edge] of [...fleet.edges.values()].entries()) {
            edge.group = index < majority ? 1 : 2
            edge.reachesReceivers = index === 1
          }
          await fleet.run(300)
          const epochs = new Set(fleet.rung.map(({ epoch }) => epoch))
          for (const epoch of epochs) {
            expect(fleet.times('pager', epoch)).toBeLessThanOrEqual(1)
            expect(fleet.times('chat', epoch)).toBeLessThanOrEqual(1)
          }
          const last = Math.max(...[...fleet.edges.values()].map(({ vigil }) => vigil.kept.epoch))
          expect(fleet.times('pager', last)).toBe(1)
          expect(fleet.times('chat', last)).toBe(1)
          fleet.control.isUp = true
          for (const edge of fleet.edges.values()) edge.group = fleet.control.group
          await fleet.run(20)
          const key = (one: { epoch: number; receiver: string }): string => `${one.epoch} ${one.receiver}`
          expect(fleet.closed.map(key).toSorted()).toEqual(fleet.rung.map(key).toSorted())
        },
      ),
      { numRuns: 300 },
    )
  }, 60_000)
})
