import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ProbeLog } from './probe-log.ts'
import { type PlannedEdge, planProbes, turnOf } from './probe-plan.ts'
import { probePoints } from './probe-points.ts'

const fleets = fc
  .uniqueArray(fc.stringMatching(/^[a-z][a-z0-9]{1,6}$/), { minLength: 1, maxLength: 80 })
  .chain(ids =>
    fc.tuple(...ids.map(id => fc.constantFrom('eu', 'us', 'ap', 'sa').map(region => ({ id, region })))),
  )

function seen(targets: ReadonlyMap<string, readonly string[]>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const id of [...targets.values()].flat()) counts.set(id, (counts.get(id) ?? 0) + 1)
  return counts
}

describe('plan of probes', () => {
  it('is a full mesh up to 20 edges and six neighbours each above', () => {
    fc.assert(
      fc.property(fleets, fc.nat(1000), (edges, turn) => {
        const { mesh, targets } = planProbes(edges, turn)
        expect([...targets.keys()]).toEqual(edges.map(({ id }) => id))
        expect(mesh).toBe(edges.length <= 20 ? 'full' : 'neighbours')
        for (const [id, list] of targets) {
          expect(list).not.toContain(id)
          expect(new Set(list).size).toBe(list.length)
          expect(list.length).toBe(edges.length <= 20 ? edges.length - 1 : 6)
        }
      }),
    )
  })

  it('leaves no edge without two others that look at it', () => {
    fc.assert(
      fc.property(fleets, fc.nat(1000), (edges, turn) => {
        fc.pre(edges.length >= 3)
        const counts = seen(planProbes(edges, turn).targets)
        for (const { id } of edges) expect(counts.get(id) ?? 0).toBeGreaterThanOrEqual(2)
      }),
    )
  })

  it('is the same in whatever order edges come', () => {
    fc.assert(
      fc.property(fleets, fc.nat(1000), (edges, turn) => {
        const there = planProbes(edges, turn).targets
        const back = planProbes(edges.toReversed(), turn).targets
        for (const { id } of edges)
          expect([...(back.get(id) ?? [])].sort()).toEqual([...(there.get(id) ?? [])].sort())
      }),
    )
  })

  const forty: PlannedEdge[] = Array.from({ length: 40 }, (_, n) => ({
    id: `e${n}`,
    region: `r${n % 4}`,
  }))

  it('takes two of the same region and four of others', () => {
    const { targets } = planProbes(forty, 7)
    const regionOf = new Map(forty.map(({ id, region }) => [id, region]))
    for (const { id, region } of forty) {
      const near = targets.get(id)?.filter(other => regionOf.get(other) === region)
      expect(near).toHaveLength(2)
    }
  })

  it('turns every ten minutes, and in a day has looked along most pairs', () => {
    expect(turnOf(599_999)).toBe(turnOf(0))
    expect(turnOf(600_000)).toBe(turnOf(0) + 1)
    const pairs = new Set<string>()
    for (let turn = 0; turn < 144; turn += 1) {
      for (const [id, list] of planProbes(forty, turn).targets)
        for (const to of list) pairs.add(`${id} ${to}`)
    }
    expect(pairs.size).toBeGreaterThan(0.98 * 40 * 39)
  })
})

describe('series of probes', () => {
  const log = new ProbeLog()
  log.add({
    atMs: 0,
    connectMs: 1,
    httpMs: 4,
    error: null,
    tls: { ms: 2, daysLeft: 30, problem: null },
    icmp: { result: 'not-permitted', ms: null },
  })
  const silent = new ProbeLog()
  silent.add({ atMs: 0, connectMs: null, httpMs: null, error: 'no' })
  const outside = new Map([
    ['control', log],
    ['us-east', silent],
  ])

  it('has one for each observer in a full mesh, and none for a ping that is not permitted', () => {
    const points = probePoints({ outside }, 1000, true)
    const of = (observer: string): string[] =>
      points
        .filter(({ labels }) => labels['observer'] === observer)
        .map(({ labels }) => labels['check'] ?? 'time')
    expect(of('us-east')).toEqual(['connect', 'http'])
    expect(of('control')).toEqual(['connect', 'tls', 'http', 'time', 'time'])
    expect(points).toContainEqual({ name: 'vitrine_probe_certificate_days', value: 30, labels: {} })
  })

  it('names no edge that looks above 20 edges, and counts them', () => {
    const points = probePoints({ outside }, 1000, false)
    expect(points.some(({ labels }) => labels['observer'] === 'us-east')).toBe(false)
    expect(points).toContainEqual({ name: 'vitrine_probe_observers', value: 1, labels: { result: 'failed' } })
    expect(points).toContainEqual({
      name: 'vitrine_probe_observers',
      value: 1,
      labels: { result: 'answered' },
    })
  })

  it('has none that is older than 3 s', () => expect(probePoints({ outside }, 3001, true)).toEqual([]))
})
