// What must hold for the judgement on whole fleets, whatever observers, edges and paths do.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makeTable } from '../steering/make-table.ts'
import { type HealthInput, judge, type OutsideView, type Verdict } from './judge.ts'

/** Who is sick: edges that answer nobody, observers that reach nobody, paths between two of them. */
interface Trouble {
  readonly edges: number
  readonly deadEdges: ReadonlySet<number>
  /** Observers: 0 is the control room, the others stand on edges. */
  readonly deadObservers: ReadonlySet<number>
  readonly deadPaths: ReadonlySet<string>
  /** Whether agents say that the process is stopped, are silent, or say that all is well. */
  readonly agents: readonly Agent[]
}
type Agent = 'stopped' | 'silent' | 'well'
const anAgent = fc.constantFrom<Agent>('stopped', 'silent', 'well')

const troubles: fc.Arbitrary<Trouble> = fc.integer({ min: 1, max: 12 }).chain(edges => {
  const some = fc.uniqueArray(fc.nat(edges), { maxLength: edges + 1 })
  const paths = fc.uniqueArray(fc.tuple(fc.nat(edges), fc.nat(edges)), { maxLength: 6 })
  const agents = fc.array(anAgent, { minLength: edges + 1, maxLength: edges + 1 })
  return fc.tuple(some, some, paths, agents).map(([deadEdges, deadObservers, deadPaths, of]) => ({
    edges,
    deadEdges: new Set(deadEdges),
    deadObservers: new Set(deadObservers),
    deadPaths: new Set(deadPaths.map(([from, to]) => `${from} ${to}`)),
    agents: of,
  }))
})

function calm(edges: number, agent: Agent): Trouble {
  const agents = Array.from({ length: edges + 1 }, () => agent)
  return { edges, agents, deadEdges: new Set(), deadObservers: new Set(), deadPaths: new Set() }
}

function reaches({ deadEdges, deadObservers, deadPaths }: Trouble, from: number, to: number): boolean {
  return !deadEdges.has(to) && !deadObservers.has(from) && !deadPaths.has(`${from} ${to}`)
}

function inputOf(trouble: Trouble, edge: number): HealthInput {
  const all = Array.from({ length: trouble.edges + 1 }, (_, at) => at)
  const outside = all
    // A dead edge is no observer, and nobody looks at itself.
    .filter(from => from !== edge && !trouble.deadEdges.has(from))
    .map((from): OutsideView => {
      const failed = !reaches(trouble, from, edge)
      return {
        witness: `o${from}`,
        lookAgeMs: 500,
        silentMs: failed ? 10_000 : 0,
        failed,
        connectMs: failed ? null : 1,
        error: null,
        trusted: all.some(to => to > 0 && to !== from && reaches(trouble, from, to)),
        quality: { looks: 10, failed: failed ? 10 : 0, medianMs: failed ? null : 3, peersMedianMs: 3 },
      }
    })
  const agent = trouble.agents[edge] ?? 'well'
  const quality = { looks: 0, failed: 0, medianMs: null, peersMedianMs: null }
  const watched = { pid: 7, state: agent === 'stopped' ? 'T' : 'S', httpOk: agent !== 'stopped' }
  const inside = { heardAgeMs: agent === 'silent' ? 20_000 : 100, watched, httpMs: null, quality }
  return { outside, plays: [], inside }
}

function judgeFleet(trouble: Trouble): Verdict[] {
  return Array.from({ length: trouble.edges }, (_, at) => judge(inputOf(trouble, at + 1)))
}

describe('the judgement on a fleet', () => {
  it('never empties the last edge: steering always has one that takes viewers', () => {
    fc.assert(
      fc.property(troubles, trouble => {
        const standings = judgeFleet(trouble).map(({ state, doubts }, at) => ({
          id: `e${at}`,
          region: 'r',
          url: 'http://e',
          state,
          doubts,
          sessions: 0,
        }))
        expect(makeTable(standings).pathways.some(({ weight }) => weight > 0)).toBe(true)
      }),
    )
  })

  it('fails open: where no observer reaches anybody, nobody is moved by their word', () => {
    fc.assert(
      fc.property(troubles, trouble => {
        const blind = { ...trouble, deadObservers: new Set(Array.from({ length: 20 }, (_, at) => at)) }
        for (const [at, verdict] of judgeFleet(blind).entries()) {
          if (verdict.state !== 'healthy') expect(blind.agents[at + 1]).toBe('stopped')
        }
      }),
    )
  })

  it('does not believe an observer that fails everywhere: the same without it', () => {
    fc.assert(
      fc.property(troubles, fc.nat(12), (trouble, at) => {
        const sick = { ...trouble, deadObservers: new Set([...trouble.deadObservers, at]) }
        for (let edge = 1; edge <= trouble.edges; edge += 1) {
          const input = inputOf(sick, edge)
          const without = { ...input, outside: input.outside.filter(({ witness }) => witness !== `o${at}`) }
          // Where an agent says "stopped", the look of the blind only confirms it.
          if (trouble.agents[edge] !== 'stopped') expect(judge(input).state).toBe(judge(without).state)
        }
      }),
    )
  })

  it('leaves an edge in service to which one path alone is sick, and says so', () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 12 }), fc.nat(12), fc.nat(11), (edges, from, to) => {
        const edge = (to % edges) + 1
        fc.pre(from <= edges && from !== edge)
        const trouble = { ...calm(edges, 'well'), deadPaths: new Set([`${from} ${edge}`]) }
        const verdict = judge(inputOf(trouble, edge))
        expect(verdict).toMatchObject({ state: 'healthy', doubts: 1 })
        expect(verdict.reason).toMatch(/path sick: o\d+ does not reach it/)
      }),
    )
  })

  it('names the observer that is sick, and doubts no edge for it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 12 }), fc.nat(12), (edges, at) => {
        fc.pre(at <= edges)
        const verdicts = judgeFleet({ ...calm(edges, 'well'), deadObservers: new Set([at]) })
        for (const [edge, verdict] of verdicts.entries()) {
          if (edge + 1 === at) continue
          expect(verdict).toMatchObject({ state: 'healthy', doubts: 0 })
          expect(verdict.reason).toMatch(new RegExp(`observer sick: o${at} reaches nobody$`))
        }
      }),
    )
  })

  it('calls an edge unreachable that nobody reaches while all reach others, and says which kind', () => {
    const words = { stopped: /^process frozen/, silent: /^host silent/, well: /^process runs but does not/ }
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 12 }), fc.nat(11), anAgent, (edges, at, agent) => {
        const edge = (at % edges) + 1
        const verdict = judge(inputOf({ ...calm(edges, agent), deadEdges: new Set([edge]) }, edge))
        expect(verdict.state).toBe('unreachable')
        expect(verdict.reason).toMatch(words[agent])
      }),
    )
  })
})
