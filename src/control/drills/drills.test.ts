import { describe, expect, it } from 'vitest'
import type { DrillTarget, DrillView } from '#wire'
import { canaryOf, planBatches } from '../runbooks/plan-run.ts'
import { readRunbook } from '../runbooks/read-runbook.ts'
import { begunWords, togetherWith } from './begin-offered.ts'
import { DrillDesk } from './drill-desk.ts'
import { planDrill, shorten } from './drill-plan.ts'
import { markWords, type ScoreFacts, scoreOf } from './score.ts'

const target = (server: string, part: Partial<DrillTarget> = {}): DrillTarget => ({
  server,
  fault: 'frozen',
  runbook: 'restart-edge',
  injectedAt: 1000,
  detectedAt: 4000,
  detectedBy: 'EdgeUnreachable',
  viewers: 3,
  movedAt: 9000,
  mendedAt: 20_000,
  returnedAt: 60_000,
  run: 'r',
  ...part,
})
const drill = (part: Partial<DrillView> = {}): DrillView => ({
  id: 'd',
  kind: 'leap-second-2012',
  state: 'running',
  by: 'ada',
  startedAt: 0,
  endedAt: null,
  text: '',
  ring: false,
  targets: [target('eu-west')],
  log: [],
  incidents: [
    { id: 'I-1', title: 'Drill: x', cause: 'clock-2012', causeText: 'As in 2012', lostViewerSeconds: 0 },
  ],
  shortened: [],
  score: null,
  ...part,
})
const facts = (part: Partial<ScoreFacts> = {}): ScoreFacts => ({
  drill: drill(),
  cause: 'clock-2012',
  rings: 0,
  out: [],
  undone: null,
  viewerMinutesLost: 0.5,
  felt: null,
  offered: [],
  clockMovedMs: 0.002,
  slews: false,
  tookMs: 180_000,
  ...part,
})
const wrong = (part: Partial<ScoreFacts>): string[] =>
  scoreOf(facts(part)).marks.flatMap(one => (one.ok ? [] : [markWords(one)]))

describe('the plan of a drill', () => {
  it('hurts the edges of the story, and others where those are not marked', () => {
    const edges = ['eu-west', 'us-east', 'ap-southeast']
    const servers = (plan: ReturnType<typeof planDrill>): string[] | string =>
      typeof plan === 'string' ? plan : plan.targets.map(({ server }) => server)
    expect(servers(planDrill('leap-second-2012', edges))).toEqual(['eu-west', 'ap-southeast'])
    expect(servers(planDrill('leap-second-2012', ['a', 'b']))).toEqual(['a', 'b'])
    expect(servers(planDrill('leap-second-2012', ['ap-southeast', 'b']))).toEqual(['b', 'ap-southeast'])
    expect(servers(planDrill('leap-second-2012', ['a']))).toContain('needs two edges')
    expect(servers(planDrill('edge-frozen', edges))).toEqual(['eu-west'])
    expect(servers(planDrill('clock-step', edges))).toEqual(['ap-southeast'])
    expect(servers(planDrill('edge-frozen', []))).toContain('no edge')
  })

  it('shortens a runbook, keeps its steps, and says what is otherwise', () => {
    const text = `runbook: reset-clock
title: Reset
match: { alerts: [A] }
approval: { role: operator, timeout: 15m }
steps:
  - drain: { timeout: 12m }
  - run: reset-clock
    timeout: 60s
  - wait-until: max(node_timex_maxerror_seconds) < 0.5
    timeout: 60s
  - verify: { timeout: 5m, hold: 20s }
  - undrain: { timeout: 15m, stage: 60s }
`
    const { runbook, changes } = shorten(readRunbook(text, 'reset-clock.yaml'))
    expect(runbook.steps.map(({ kind }) => kind)).toEqual(['drain', 'run', 'verify', 'undrain'])
    expect(runbook.approval).toBeNull()
    expect(runbook.steps.at(-1)).toMatchObject({ stageMs: 2000 })
    expect(changes).toHaveLength(4)
  })
})

describe('the score of a drill', () => {
  it('is whole when all went as it should', () => {
    const score = scoreOf(facts())
    expect(wrong({})).toEqual([])
    expect(score.points).toBe(score.of)
  })

  it('wants viewers to have felt it, and to be well where they were moved to', () => {
    const felt = { server: 'ap-southeast', sick: 22.1, elsewhere: 0.1, after: 0.02 }
    expect(wrong({ felt })).toEqual([])
    expect(scoreOf(facts({ felt })).felt).toEqual(felt)
    expect(wrong({ felt: { ...felt, sick: 4, after: 0.9 } })).toEqual([
      'viewers felt it: while ap-southeast was sick, its viewers waited 4.0 % of the time they wanted to watch, those of other edges 0.1 %: 3.9 points apart; wanted at least 5 points apart',
      'viewers after the move: waited 0.90 % of the time they wanted to watch; wanted less than 0.5 %',
    ])
    expect(wrong({ felt: { ...felt, elsewhere: null, after: null } })).toHaveLength(2)
  })

  it('wants an announced leap second to be refused and nobody to be moved for it', () => {
    const flag = { fault: 'leap-flag', runbook: null, detectedAt: 70_000, movedAt: null } as const
    const one = drill({ targets: [target('ap-southeast', flag)] })
    expect(wrong({ drill: one })).toEqual([])
    const moved = drill({ targets: [target('ap-southeast', { ...flag, movedAt: 9000 })] })
    expect(wrong({ drill: moved, offered: ['reset-clock'] })).toEqual([
      'refused: offered: reset-clock',
      'ap-southeast keeps its viewers: they were moved',
    ])
  })

  it('names what was late, wrong, rung, out of range, left, or moved', () => {
    const late = drill({ targets: [target('eu-west', { detectedAt: 12_000, returnedAt: null })] })
    expect(wrong({ drill: late })).toEqual([
      'eu-west found: after 11.0 s by EdgeUnreachable; wanted at most 10 s',
      'eu-west mended and back: never; wanted at most 180 s',
    ])
    expect(wrong({ cause: 'edge-frozen' })).toEqual(['diagnosis: clock-2012: As in 2012; wanted edge-frozen'])
    expect(wrong({ drill: drill({ incidents: [] }) })[0]).toBe('one incident: none was opened')
    expect(wrong({ rings: 1 })).toEqual(['ringing: people were told 1 time: a drill tells nobody'])
    expect(wrong({ drill: drill({ ring: true }) })).toHaveLength(1)
    expect(wrong({ out: ['us-east: cpu is high'] })).toEqual(['normal ranges: us-east: cpu is high'])
    expect(wrong({ undone: 'orders: disk full' })).toEqual(['undone: orders: disk full'])
    expect(wrong({ clockMovedMs: 1.2 })).toHaveLength(1)
    expect(wrong({ clockMovedMs: 1.2, slews: true })).toEqual([])
    expect(wrong({ clockMovedMs: null })).toHaveLength(1)
  })
})

describe('one run for the servers with the same fault', () => {
  const found = { run: null, returnedAt: null, mendedAt: null }
  const two = [target('eu-west', found), target('us-east', found)]
  const other = target('ap-southeast', { ...found, fault: 'early-timers', runbook: 'reset-clock' })

  it('takes them together once all are found, and its first server is the canary', () => {
    const servers = togetherWith([...two, other], 'us-east')
    expect(servers).toEqual(['eu-west', 'us-east'])
    const strategy = { canary: true, batch: 5, perRegion: 1 }
    const batches = planBatches(
      servers.map(id => ({ id, region: id })),
      strategy,
    )
    expect(batches).toEqual([['eu-west'], ['us-east']])
    expect(canaryOf({ runbook: { strategy }, batches })).toBe('eu-west')
    expect(canaryOf({ runbook: { strategy: { ...strategy, canary: false } }, batches })).toBeNull()
    const late = [...two.slice(0, 1), target('us-east', { ...found, detectedAt: null })]
    expect(togetherWith(late, 'eu-west')).toEqual([])
  })

  it('claims no canary where a run has one server', () => {
    expect(togetherWith([...two, other], 'ap-southeast')).toEqual(['ap-southeast'])
    const strategy = { canary: true, batch: 1, perRegion: 1 }
    expect(canaryOf({ runbook: { strategy }, batches: [['ap-southeast']] })).toBeNull()
    const run = { id: 'r', runbook: 'reset-clock', servers: ['ap-southeast'], canary: null }
    const begun = { run, why: 'it is offered', changes: [] }
    expect(begunWords(begun)).not.toContain('canary')
    expect(begunWords({ ...begun, run: { ...run, canary: 'ap-southeast' } })).toContain(
      'ap-southeast is the canary',
    )
    const names = (view: DrillView): string[] => scoreOf(facts({ drill: view })).marks.map(({ name }) => name)
    expect(names(drill({ runs: [run] })).join()).not.toContain('canary')
  })

  it('wants the canary back before the others are mended', () => {
    const runs = [{ id: 'r', runbook: 'restart-edge', servers: ['eu-west', 'us-east'], canary: 'eu-west' }]
    const after = target('us-east', { mendedAt: 70_000, returnedAt: 90_000 })
    expect(wrong({ drill: drill({ runs, targets: [target('eu-west'), after] }) })).toEqual([])
    const before = target('us-east', { mendedAt: 30_000, returnedAt: 90_000 })
    expect(wrong({ drill: drill({ runs, targets: [target('eu-west'), before] }) })).toEqual([
      'canary of restart-edge: eu-west was not back before us-east; wanted eu-west back first',
    ])
  })
})

it('has no alert to answer for while none goes on', () => {
  expect(new DrillDesk(() => 0).drillOf('eu-west')).toBeNull()
  expect(new DrillDesk(() => 0).drillOf(null)).toBeNull()
})
