// Owns measuring detection by comparison: how often and how soon a slow edge is found, and how often one is called ill
// that is not. Simulated are sessions and each of their stalls; the comparison is given counts each five seconds, as the
// control room's own counting gives them. Records and their assembly are left out: part `assembly` measures those.
import { Comparison, TURN_MS } from '#control'
import { againstGoal, type BenchResult } from '../result.ts'
import { EDGES, POOR_EDGE, SimulatedFleet } from './simulated-fleet.ts'

export interface DetectSize {
  readonly runs: number
  /** Without any slow-down, for false alarms. */
  readonly days: number
}

/** At which the numbers of the goal stand; the others show where it ends. */
const GOAL_VIEWERS = 200
const SIZES = [5, 20, 50, GOAL_VIEWERS] as const
/** VITRINE_SEED: another first seed, for seeds that nothing was tuned on. */
const SEED = Number(process.env['VITRINE_SEED'] ?? 20_270_100)
const QUIET_SEED = SEED + 100_000
const WARM_S = 3 * 3600
const LOOK_S = 600
const FOUND_WITHIN_S = 60
const TURN_S = TURN_MS / 1000
const DAY_S = 86_400
const GOAL_DAYS = 28
const FOUND_GOAL = 0.95
const ALARMS_GOAL = 1

interface Row {
  readonly viewers: number
  /** Shares of runs. */
  readonly within: number
  readonly found: number
  readonly medianS: number
  readonly alarms: number
  readonly poorAlarms: number
  /** Share of edges and time. */
  readonly tooFew: number
}

export function benchDetect({ runs, days }: DetectSize): Promise<BenchResult[]> {
  console.log(
    `  detect: ${EDGES} edges, +3 % rebuffering on one (edge = seed mod ${EDGES}; edge ${POOR_EDGE} is always 2 points worse); ${runs} runs with seeds ${SEED} to ${SEED + runs - 1}, ${WARM_S / 3600} h before; ${days} days without, seeds ${QUIET_SEED} + viewers`,
  )
  const rows = SIZES.map(viewers => measure(viewers, runs, days))
  const header = [
    'viewers an edge',
    'found <= 60 s',
    '<= 10 min',
    'median s',
    `false alarms in ${days} d`,
    'poor edge',
    'too few',
  ]
  console.log(`  ${header.join(' | ')}`)
  for (const row of rows) console.log(`  ${cellsOf(row).join(' | ')}`)
  const goal = rows.find(({ viewers }) => viewers === GOAL_VIEWERS)
  if (goal === undefined) return Promise.resolve([])
  const weeks = days === GOAL_DAYS ? '4 weeks' : `${days} days (the goal is of 4 weeks: --full)`
  return Promise.resolve([
    againstGoal(
      'slow edge found within 60 s, 200 viewers',
      'share',
      { ours: goal.within, goal: FOUND_GOAL },
      'higher',
    ),
    {
      ...againstGoal(
        `false alarms of ten edges in ${weeks}`,
        'alarms',
        { ours: goal.alarms, goal: ALARMS_GOAL },
        'lower',
      ),
      // None at all is no division by nought.
      ratio: ALARMS_GOAL / Math.max(goal.alarms, 0.5),
    },
  ])
}

function cellsOf({ viewers, within, found, medianS, alarms, poorAlarms, tooFew }: Row): string[] {
  const share = (value: number): string => `${(100 * value).toFixed(1)} %`
  const median = Number.isFinite(medianS) ? medianS.toFixed(0) : 'not found'
  return [
    String(viewers),
    share(within),
    share(found),
    median,
    String(alarms),
    String(poorAlarms),
    share(tooFew),
  ]
}

function measure(viewers: number, runs: number, days: number): Row {
  const times = Array.from({ length: runs }, (_, run) => secondsToFind(viewers, SEED + run)).toSorted(
    (a, b) => a - b,
  )
  const within = times.filter(seconds => seconds <= FOUND_WITHIN_S).length / runs
  const found = times.filter(seconds => Number.isFinite(seconds)).length / runs
  const medianS = times[Math.floor(runs / 2)] ?? Number.POSITIVE_INFINITY
  return { viewers, within, found, medianS, ...quiet(viewers, days) }
}

/** From the first stall that the slow-down made, at any time of the day; infinite: not within ten minutes. */
function secondsToFind(viewers: number, seed: number): number {
  const fleet = new SimulatedFleet({ viewers, seed, fromS: (seed * 7919) % DAY_S })
  const comparison = new Comparison()
  const ill = seed % EDGES
  for (let s = 0; s < WARM_S; s += TURN_S) comparison.turn(fleet.nowMs, fleet.turn())
  fleet.slow(ill)
  for (let s = TURN_S; s <= LOOK_S; s += TURN_S) {
    const verdict = comparison.turn(fleet.nowMs, fleet.turn()).get(`edge-${ill}`)
    if (verdict?.says === 'against') return WARM_S + s - (fleet.firstExtraS ?? WARM_S)
  }
  return Number.POSITIVE_INFINITY
}

function quiet(viewers: number, days: number): Pick<Row, 'alarms' | 'poorAlarms' | 'tooFew'> {
  const fleet = new SimulatedFleet({ viewers, seed: QUIET_SEED + viewers, fromS: 0 })
  const comparison = new Comparison()
  const ill = new Set<string>()
  let [alarms, poorAlarms, few, looks] = [0, 0, 0, 0]
  for (let s = 0; s < days * DAY_S; s += TURN_S) {
    const counts = fleet.turn()
    for (const [edge, { says }] of comparison.turn(fleet.nowMs, counts)) {
      looks += 1
      if (says === 'too-few') few += 1
      if (says !== 'against') ill.delete(edge)
      else if (!ill.has(edge)) {
        ill.add(edge)
        alarms += 1
        if (edge === `edge-${POOR_EDGE}`) poorAlarms += 1
      }
    }
  }
  return { alarms, poorAlarms, tooFew: few / looks }
}
