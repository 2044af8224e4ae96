import { expect, it } from 'vitest'
import type { DrillTarget, DrillView } from '#wire'
import { drillFigures, stagesOf } from './drill-words.ts'

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
  returnedAt: 61_000,
  run: 'r',
  ...part,
})
const drill = (targets: DrillTarget[], score: DrillView['score'] = null): DrillView => ({
  id: 'd',
  kind: 'leap-second-2012',
  state: 'passed',
  by: 'ada',
  startedAt: 0,
  endedAt: null,
  text: '',
  ring: false,
  targets,
  log: [],
  incidents: [],
  shortened: [],
  score,
})
const shown = (view: DrillView): string[] =>
  drillFigures(view).map(({ label, value, note }) => `${label}: ${value} (${note})`)

it('lets the slowest server stand for all, and says of each', () => {
  expect(shown(drill([target('a'), target('b', { detectedAt: 7500, viewers: 0, movedAt: null })]))).toEqual([
    'Found after: 6.5 s (a 3.0 s, b 6.5 s)',
    'Viewers moved after: 8.0 s (a)',
    'Mended and back after: 60.0 s (a 60.0 s, b 60.0 s)',
  ])
  expect(shown(drill([target('a', { returnedAt: null, viewers: 0 })])).slice(1)).toEqual([
    'Viewers moved after: – (nobody had to be moved)',
    'Mended and back after: never (a)',
  ])
})

it('tells what viewers felt against others, and what was not measured', () => {
  const score = { points: 1, of: 1, marks: [], viewerMinutesLost: 0.5, clockMovedMs: -0.003 }
  const felt = { server: 'b', sick: 22.1, elsewhere: 0.1, after: 0 }
  expect(shown(drill([], { ...score, felt })).slice(3)).toEqual([
    'Viewer-minutes lost: 0.50 (that viewers waited)',
    'Rebuffering apart: 22.0 points (b 22.1 %, others 0.1 %)',
    'Machine’s clock moved: 0.003 ms (against its monotonic clock)',
  ])
  expect(shown(drill([], { ...score, viewerMinutesLost: null, clockMovedMs: null })).slice(3)).toEqual([
    'Viewer-minutes lost: – (not measured)',
    'Rebuffering apart: – (no edge of this drill is slow)',
    'Machine’s clock moved: – (could not be read)',
  ])
})

it('leaves out stages that a drill does not have', () => {
  const titles = (one: DrillTarget): string[] => stagesOf(one).map(({ title }) => title)
  expect(titles(target('a'))).toEqual([
    'Hurt',
    'Found by EdgeUnreachable',
    'Viewers moved',
    'Mended by restart-edge',
    'Back in service',
  ])
  expect(titles(target('a', { runbook: null, detectedBy: null }))).toEqual([
    'Hurt',
    'Found',
    'Explained and undone',
  ])
})
