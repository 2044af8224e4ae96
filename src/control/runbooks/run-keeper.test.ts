// Runs over every point at which the control room can be killed, and the conditions in which they may end.
import { describe, expect, it } from 'vitest'
import { silentLog } from '#base'
import { planBatches } from './plan-run.ts'
import { readRunbook } from './read-runbook.ts'
import { foldRun, type RunEvent, type RunPlan, type StepPlace } from './run-events.ts'
import { RunKeeper, type RunWorld, type StepResult } from './run-keeper.ts'
import type { RunbookStep } from './runbook.ts'

const TEXT = `
runbook: mend
title: Mend it
steps:
  - run: look
    looks-only: true
    timeout: 60s
  - drain:
  - run: reset
    timeout: 60s
  - wait-until: well == 1
    timeout: 3s
    otherwise: go-on
  - run: reset-full
    when: well == 0
    timeout: 60s
  - approve: { timeout: 30s, role: operator }
  - wait-until: up == 1
    timeout: 20s
  - verify: { hold: 1s, timeout: 20s }
  - undrain:
on-failure:
  - run: tidy
    timeout: 10s
  - notify: not mended
strategy: { canary: true, batch: 2 }
`

class Killed extends Error {}

type Answers = Partial<Record<RunbookStep['kind'], (place: StepPlace, times: number) => StepResult>>

/** The fleet and the disk: what outlives a control room. */
class Outside {
  nowMs = 1000
  readonly events: RunEvent[] = []
  readonly drained = new Set<string>()
  readonly returned = new Set<string>()
  /** How often the agent was made to run each order: it knows orders by their id. */
  readonly orders = new Set<string>()
  readonly answers: Answers
  readonly asked = new Map<string, number>()
  readonly plan: RunPlan
  failing: string | null = null
  wanted: boolean | string
  #left: number

  constructor(plan: RunPlan, { answers, wanted = false }: Story, killAfter: number) {
    this.plan = plan
    this.wanted = wanted
    this.answers = answers
    this.#left = killAfter
  }

  /** One point at which the process may end. */
  point(): void {
    if (this.#left === 0) {
      this.#left = -1
      throw new Killed()
    }
    this.#left -= 1
  }

  world(): RunWorld {
    return {
      preconditions: async () => this.failing,
      isWanted: async () => {
        this.point()
        return this.wanted
      },
      carryOut: async (_plan, place, step) => {
        this.point()
        const result = this.#do(place, step)
        this.point()
        return result
      },
      hold: async (_plan, server) => {
        this.point()
        this.drained.add(server)
        this.returned.delete(server)
        this.point()
      },
    }
  }

  #do(place: StepPlace, step: RunbookStep): StepResult {
    const key = JSON.stringify(place)
    const times = (this.asked.get(key) ?? 0) + 1
    this.asked.set(key, times)
    const answer = this.answers[step.kind]?.(place, times)
    const isTouched = answer === undefined || answer.kind === 'pending' || answer.touched !== false
    if (step.kind === 'drain' && isTouched) this.drained.add(place.server)
    if (step.kind === 'run') this.orders.add(key)
    if (answer !== undefined) return answer
    if (step.kind === 'undrain') {
      this.drained.delete(place.server)
      this.returned.add(place.server)
    }
    return { kind: 'done', text: step.kind }
  }

  keeper(): RunKeeper {
    return new RunKeeper({
      journal: {
        open: async () =>
          this.events.some(({ kind }) => kind === 'ended')
            ? []
            : [{ plan: this.plan, events: [...this.events] }],
        append: async (_run, event) => {
          this.point()
          this.events.push(event)
          this.point()
        },
      },
      world: this.world(),
      log: silentLog,
      nowMs: () => this.nowMs,
    })
  }
}

function planFor(text: string, ids = ['a', 'b', 'c']): RunPlan {
  const runbook = readRunbook(text, 'mend.yaml')
  const targets = ids.map((id, place) => ({ id, region: place === 2 ? 'r0' : `r${place}` }))
  return {
    id: 'run1',
    runbook,
    batches: planBatches(targets, runbook.strategy),
    regions: {},
    by: 'ann',
    startedAt: 1000,
    reason: 'why',
    incident: null,
  }
}

interface Story {
  readonly answers: Answers
  readonly approve?: boolean
  readonly wanted?: boolean | string
  readonly stopAt?: number
}

/** Turns until it ends; a killed control room is followed by a new one. */
async function live(story: Story, killAfter: number, text = TEXT): Promise<Outside> {
  const outside = new Outside(planFor(text), story, killAfter)
  let keeper = outside.keeper()
  for (let turn = 0; turn < 500; turn += 1) {
    const before = outside.events.length
    await keeper.turn().catch(() => undefined)
    // A run whose move was cut off is taken up by the next control room.
    if (outside.events.length === before) keeper = outside.keeper()
    const { servers, ended } = foldRun(outside.plan, outside.events)
    if (ended !== null) return outside
    for (const { id: server, phase, step, beganAt } of servers.values()) {
      const isApproval =
        phase === 'main' && outside.plan.runbook.steps[step]?.kind === 'approve' && beganAt !== null
      if (isApproval && story.approve !== false)
        outside.events.push({ kind: 'approved', by: 'bob', server, phase, step, at: outside.nowMs })
    }
    if (story.stopAt === turn) outside.events.push({ kind: 'stop', by: 'bob', at: outside.nowMs })
    outside.nowMs += 1500
  }
  throw new Error(`never ended: ${JSON.stringify(outside.events.slice(-5))}`)
}

/** No server is left half-way, and no command was ordered that the plan does not have. */
function checkEnd(outside: Outside): void {
  const { servers, ended } = foldRun(outside.plan, outside.events)
  expect(ended).not.toBeNull()
  for (const { id, settled } of servers.values()) {
    const outcome = settled?.outcome ?? 'untouched'
    if (outcome === 'held') expect(outside.drained.has(id), `${id} is held and drained`).toBe(true)
    else expect(outside.drained.has(id), `${id} is ${outcome} and not drained`).toBe(false)
  }
  const begun = outside.events
    .filter(({ kind }) => kind === 'begin')
    .map(event => JSON.stringify(event, ['server', 'phase', 'step']))
  expect(new Set(begun).size, 'no step is begun twice').toBe(begun.length)
}

const isLook = ({ phase, step }: StepPlace): boolean => phase === 'main' && step === 0
const isChange = ({ phase, step }: StepPlace): boolean => phase === 'main' && step > 0
const failed = (text: string): StepResult => ({ kind: 'failed', text })
const stories: Readonly<Record<string, Story>> = {
  'all goes well': { answers: {} },
  'steps take their time': {
    answers: {
      drain: (_place, times) =>
        times < 3 ? { kind: 'pending', text: '2 viewers' } : { kind: 'done', text: 'none' },
    },
  },
  'a command fails on the canary': {
    answers: { run: place => (isChange(place) ? failed('code 1') : { kind: 'done', text: '' }) },
  },
  'a command fails in the second batch': {
    answers: {
      run: place => (isChange(place) && place.server !== 'a' ? failed('code 1') : { kind: 'done', text: '' }),
    },
  },
  'a look fails': { answers: { run: () => failed('code 1') } },
  'an agent is gone while it looks': { answers: { run: () => ({ kind: 'pending', text: 'no word' }) } },
  'nobody knows whether it looked': {
    answers: { run: () => ({ kind: 'unknown', text: 'the agent ended' }) },
  },
  'an agent is gone in mid-step': {
    answers: {
      run: place => (isLook(place) ? { kind: 'done', text: '' } : { kind: 'pending', text: 'no word' }),
    },
  },
  'nobody knows whether it ran': {
    answers: {
      run: place =>
        isLook(place) ? { kind: 'done', text: '' } : { kind: 'unknown', text: 'the agent ended' },
    },
  },
  'a verify never holds': { answers: { verify: () => ({ kind: 'pending', text: 'cpu is 2' }) } },
  'the gentle way was not enough': {
    answers: {
      'wait-until': ({ step }) =>
        step === 3 ? { kind: 'pending', text: 'no' } : { kind: 'done', text: 'it holds' },
    },
    wanted: true,
  },
  'nobody can tell whether more is needed': { answers: {}, wanted: 'the store does not answer' },
  'a condition never comes': { answers: { 'wait-until': () => ({ kind: 'pending', text: 'no' }) } },
  'nobody approves': { answers: {}, approve: false },
  'the rest cannot carry the viewers': {
    answers: { drain: () => ({ kind: 'failed', text: 'not carried', touched: false }) },
  },
  'evidence turns bad while it comes back': { answers: { undrain: () => failed('cannot play') } },
  'somebody stops it': { answers: { verify: () => ({ kind: 'pending', text: 'cpu is 2' }) }, stopAt: 5 },
  'somebody stops it at once': { answers: {}, stopAt: 0 },
  'somebody stops it while it looks': {
    answers: {
      run: (_place, times) => (times < 9 ? { kind: 'pending', text: '' } : { kind: 'done', text: '' }),
    },
    stopAt: 2,
  },
}

describe('a run that is killed at any point', () => {
  for (const [name, story] of Object.entries(stories)) {
    it(`ends in a stated condition when ${name}`, async () => {
      const whole = await live(story, -2)
      checkEnd(whole)
      const conditions = new Set<string>()
      for (let point = 0; point < 400; point += 1) {
        const outside = await live(story, point)
        checkEnd(outside)
        const end = outside.events.at(-1)
        conditions.add(end?.kind === 'ended' ? end.condition : '')
        // A kill costs moments: what differs is only how far a stop or a time limit came.
        if (story.stopAt === undefined) expect([...conditions]).toEqual([endOf(whole)])
        if (point > outside.events.length * 6) break
      }
    })
  }
})

function endOf({ events }: Outside): string {
  const end = events.at(-1)
  return end?.kind === 'ended' ? end.condition : ''
}

describe('how runs end', () => {
  it('returns every server, the canary alone first, never two of a region at once', async () => {
    const outside = await live(stories['all goes well'] as Story, -2)
    expect(outside.plan.batches).toEqual([['a'], ['b', 'c']])
    expect(endOf(outside)).toBe('completed')
    expect([...outside.returned]).toEqual(['a', 'b', 'c'])
    expect(
      planBatches(
        [
          { id: 'x', region: 'r' },
          { id: 'y', region: 'r' },
        ],
        { canary: false, batch: 5, perRegion: 1 },
      ),
    ).toEqual([['x'], ['y']])
  })

  it('does what may be needed only where it is, and goes on where a wait was allowed to fail', async () => {
    const done = async (name: string): Promise<string[]> => {
      const { events } = await live(stories[name] as Story, -2)
      return events.flatMap(event =>
        event.kind === 'end' && event.server === 'a' && (event.step === 3 || event.step === 4)
          ? [`${event.outcome}: ${event.text}`]
          : [],
      )
    }
    expect(await done('all goes well')).toEqual([
      'done: wait-until',
      'skipped: not needed: well == 0 does not hold',
    ])
    expect(await done('the gentle way was not enough')).toEqual([
      'done: did not hold within 3 s; goes on',
      'done: run',
    ])
    const unclear = await live(stories['nobody can tell whether more is needed'] as Story, -2)
    expect(endOf(unclear)).toBe('failed')
    expect([...unclear.drained]).toEqual(['a'])
  })

  it('tells people where nobody knows what became of a command, and does nothing else there', async () => {
    const { events } = await live(stories['nobody knows whether it ran'] as Story, -2)
    const done = events.flatMap(event =>
      event.kind === 'begin' && event.phase === 'failure' ? [event.step] : [],
    )
    expect(done, 'the notify alone, not the run before it').toEqual([1])
  })

  it('touches nobody after a canary that failed, and tidies up where it failed', async () => {
    const outside = await live(stories['a command fails on the canary'] as Story, -2)
    expect(endOf(outside)).toBe('failed')
    expect([...outside.drained]).toEqual(['a'])
    const phases = [...outside.orders].map(key => (JSON.parse(key) as StepPlace).phase)
    expect(phases).toEqual(['main', 'main', 'failure'])
  })

  it('keeps a server drained of which nobody knows whether the command ran, runs nothing more there, and says so', async () => {
    const outside = await live(stories['nobody knows whether it ran'] as Story, -2)
    expect([...outside.orders], 'the look and the command').toHaveLength(2)
    const end = outside.events.at(-1)
    expect(end).toMatchObject({ kind: 'ended', condition: 'failed' })
    expect(outside.events.find(({ kind }) => kind === 'settled')).toMatchObject({
      outcome: 'held',
      text: expect.stringContaining('somebody has to look'),
    })
  })

  it.each(['a look fails', 'an agent is gone while it looks', 'nobody knows whether it looked'])(
    'leaves a server as it was and in service when %s',
    async name => {
      const outside = await live(stories[name] as Story, -2)
      expect(endOf(outside)).toBe('failed')
      expect(outside.drained.size).toBe(0)
      expect(outside.orders.size).toBe(1)
      expect(outside.events.find(({ kind }) => kind === 'settled')).toMatchObject({
        server: 'a',
        outcome: 'untouched',
      })
    },
  )

  it('drains nobody whom the rest could not carry', async () => {
    const outside = await live(stories['the rest cannot carry the viewers'] as Story, -2)
    expect(outside.drained.size).toBe(0)
    expect([...outside.orders].map(key => (JSON.parse(key) as StepPlace).step)).toEqual([0])
    expect(outside.events.find(({ kind }) => kind === 'settled')).toMatchObject({ outcome: 'untouched' })
    expect(outside.events.at(-1)).toMatchObject({ condition: 'failed' })
  })

  it('is refused, and touches nothing, while a precondition does not hold', async () => {
    const outside = new Outside(planFor(TEXT), { answers: {} }, -2)
    outside.failing = 'sources disagree'
    await outside.keeper().turn()
    expect(outside.events).toMatchObject([{ kind: 'ended', condition: 'refused' }])
    expect(outside.asked.size).toBe(0)
  })

  it('takes no approval that comes too late, also when the control room was away meanwhile', async () => {
    const text = `${TEXT}approval: { role: admin, timeout: 1m }\n`
    const outside = new Outside(planFor(text), { answers: {} }, -2)
    await outside.keeper().turn()
    expect(outside.events).toEqual([])
    outside.nowMs += 61_000
    await outside.keeper().turn()
    expect(outside.events).toMatchObject([{ kind: 'ended', condition: 'expired' }])
  })
})
