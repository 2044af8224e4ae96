// Owns running the drill of 2012 again and again: how many are green, how soon the fault is found, how long a drill takes,
// what viewers felt, and that the machine's clock did not move. Interrupted, it tells what it has.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { messageOf, readClockNs } from '#base'
import { type DrillView, drillView } from '#wire'
import type { ClockSizes } from '../clock.ts'
import { mainFile } from '../fleet/processes.ts'
import { againstGoal, type BenchResult } from '../result.ts'
import { startBenchFleet } from './fleet.ts'

const DETECT_GOAL_S = 10
const DRILL_GOAL_S = 240
const MOVED_GOAL_MS = 1
const POINTS_GOAL = 5
const AFTER_GOAL_PERCENT = 0.5
/** Beneath it a ratio says nothing. */
const LEAST = 0.001

export async function benchDrills({ drills }: ClockSizes): Promise<BenchResult[]> {
  const fleet = await startBenchFleet()
  const beforeMs = machineClockMs()
  const ended: DrillView[] = []
  let begun = 0
  const stop = new AbortController()
  const interrupt = (): void => stop.abort()
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt)
  try {
    for (let each = 1; each <= drills && !stop.signal.aborted; each += 1) {
      console.log(`drill ${each} of ${drills} begins, ${ended.length} of ${begun} told their end so far`)
      const drill = await once2012(fleet.data, stop.signal).catch((error: unknown) => messageOf(error))
      if (stop.signal.aborted) break
      begun += 1
      if (typeof drill !== 'string') ended.push(drill)
      const told = typeof drill === 'string' ? `told no end: ${drill}` : words(drill)
      console.log(`drill ${each} of ${drills}: ${told}`)
    }
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
    await fleet.stop()
  }
  if (stop.signal.aborted) console.log(`interrupted after ${begun} of ${drills}`)
  if (begun === 0) return []
  return results(ended, begun, Math.abs(machineClockMs() - beforeMs))
}

async function once2012(data: string, signal: AbortSignal): Promise<DrillView> {
  const parameters = [mainFile, 'drill', 'leap-second-2012', '--data', data, '--json']
  const child = spawn(process.execPath, parameters, { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
  const interrupt = (): void => void child.kill('SIGINT')
  signal.addEventListener('abort', interrupt, { once: true })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  await once(child, 'close')
  signal.removeEventListener('abort', interrupt)
  return drillView.parse(JSON.parse(text))
}

/** A drill that told no end is not green; the other figures are of those that told theirs, and bad where none did. */
function results(ended: readonly DrillView[], begun: number, movedMs: number): BenchResult[] {
  const green = ended.filter(({ state }) => state === 'passed').length
  const detected = ended.map(detectS)
  const points = ended.map(({ score }) =>
    score?.felt?.elsewhere == null ? 0 : score.felt.sick - score.felt.elsewhere,
  )
  const after = ended.map(({ score }) => score?.felt?.after ?? Number.POSITIVE_INFINITY)
  return [
    againstGoal(
      'state of 2012 found, the slowest',
      's',
      { ours: round(worst(detected)), goal: DETECT_GOAL_S },
      'lower',
    ),
    againstGoal(
      'whole drill, the longest',
      's',
      { ours: round(worst(ended.map(tookS))), goal: DRILL_GOAL_S },
      'lower',
    ),
    againstGoal(`drills green of ${begun}`, '', { ours: green, goal: begun }, 'higher'),
    againstGoal(
      'REALTIME - MONOTONIC moved over all',
      'ms',
      { ours: Math.max(LEAST, round(movedMs)), goal: MOVED_GOAL_MS },
      'lower',
    ),
    againstGoal(
      'rebuffering of the sick region above others, the least',
      'points',
      { ours: round(Math.min(...(points.length === 0 ? [0] : points))), goal: POINTS_GOAL },
      'higher',
    ),
    againstGoal(
      'rebuffering after the move, the most',
      '%',
      { ours: Math.max(LEAST, round(worst(after))), goal: AFTER_GOAL_PERCENT },
      'lower',
    ),
  ]
}

function words(drill: DrillView): string {
  const { state, text, score } = drill
  const wrong =
    score?.marks
      .filter(({ ok }) => !ok)
      .map(
        ({ name, text, wanted }) => `${name}: ${text}${wanted === undefined ? '' : `; wanted ${wanted}`}`,
      ) ?? []
  const felt =
    score?.felt === undefined
      ? ''
      : `, ${score.felt.sick.toFixed(1)} % against ${score.felt.elsewhere?.toFixed(1) ?? '-'} %`
  return `${state} (${text}) in ${tookS(drill).toFixed(0)} s, found after ${detectS(drill).toFixed(1)} s${felt}${wrong.map(one => `\n    ${one}`).join('')}`
}

function detectS({ targets }: DrillView): number {
  const sick = targets.find(({ fault }) => fault === 'early-timers')
  return sick?.detectedAt == null || sick.injectedAt === null
    ? Number.POSITIVE_INFINITY
    : (sick.detectedAt - sick.injectedAt) / 1000
}

function tookS({ startedAt, endedAt }: DrillView): number {
  return ((endedAt ?? Number.POSITIVE_INFINITY) - startedAt) / 1000
}

function machineClockMs(): number {
  return Number((readClockNs('realtime') ?? 0n) - (readClockNs('monotonic') ?? 0n)) / 1e6
}

function worst(values: readonly number[]): number {
  return values.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...values)
}

function round(value: number): number {
  return Number(value.toFixed(3))
}
