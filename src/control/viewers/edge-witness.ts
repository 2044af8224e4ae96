// Owns asking the metrics store what happened to an edge around a stall: whether its process stood still, which only its
// agent could see, and whether it was unreachable for those that watch it. Stalls of one edge come together, so it is asked
// by stretches of time that they share; at most so many questions a second, and beyond them it is not known.
import { type MetricsStore, type Point, pointsOf } from '#metrics'
import type { EdgeWitness } from './judge-session.ts'

/** A third of a millisecond each. */
const QUESTIONS_A_SECOND = 60
const STRETCHES_MAX = 1000
/** Agents look once a second, and so does the control room. */
const STEP_MS = 1000
const STRETCH_MS = 10_000
const SPAN_MS_MAX = 120_000
/** A stretch is over so long before the end of what is asked: that may lie a little ahead, and samples come late. */
const OVER_MS = 10_000
const OPEN_KEPT_MS = 2000

/** Moments (ms, whole seconds) of which something is known, and those of them at which it was so. */
interface Stretch {
  readonly known: readonly number[]
  readonly so: readonly number[]
  /** Monotonic. */
  readonly keptUntilMs: number
}

type Asked = 'stopped' | 'unreachable'
const expressions: Readonly<Record<Asked, (edge: string) => string>> = {
  stopped: edge => `max(last_over_time(vitrine_server_process_stopped{instance="${edge}"}[2s]))`,
  unreachable: edge =>
    `max(last_over_time(vitrine_fleet_server_state{instance="${edge}",state="unreachable"}[2s]))`,
}

export function edgeWitness(store: Pick<MetricsStore, 'queryRange'>, monotonicMs: () => number): EdgeWitness {
  const stretches = new Map<string, Stretch>()
  let second = 0
  let asked = 0
  const ask = (text: string, fromMs: number, keptUntilMs: number): Stretch => {
    const { items } = store.queryRange(text, fromMs, fromMs + STRETCH_MS - STEP_MS, STEP_MS)
    const known = items.flatMap(pointsOf)
    const at = ({ timestampMs }: Point): number => timestampMs
    return { known: known.map(at), so: known.filter(({ value }) => value > 0).map(at), keptUntilMs }
  }
  const stretchOf = (text: string, fromMs: number, isOver: boolean): Stretch | null => {
    const key = `${fromMs} ${text}`
    const nowMs = monotonicMs()
    const kept = stretches.get(key)
    if (kept !== undefined && nowMs < kept.keptUntilMs) return kept
    const now = Math.floor(nowMs / 1000)
    if (now !== second) [second, asked] = [now, 0]
    asked += 1
    if (asked > QUESTIONS_A_SECOND) return null
    if (stretches.size >= STRETCHES_MAX) stretches.clear()
    const stretch = ask(text, fromMs, isOver ? Number.POSITIVE_INFINITY : nowMs + OPEN_KEPT_MS)
    stretches.set(key, stretch)
    return stretch
  }
  const secondsOf =
    (what: Asked): EdgeWitness['stoppedS'] =>
    (edge, fromMs, toMs) => {
      const text = expressions[what](edge)
      const from = Math.floor(fromMs / STEP_MS) * STEP_MS
      const to = Math.ceil(Math.min(toMs, fromMs + SPAN_MS_MAX) / STEP_MS) * STEP_MS
      let [known, so] = [0, 0]
      for (let at = Math.floor(from / STRETCH_MS) * STRETCH_MS; at <= to; at += STRETCH_MS) {
        const stretch = stretchOf(text, at, at + STRETCH_MS + OVER_MS <= to)
        if (stretch === null) return null
        const isWithin = (ms: number): boolean => ms >= from && ms <= to
        known += stretch.known.filter(isWithin).length
        so += stretch.so.filter(isWithin).length
      }
      return known === 0 ? null : so * (STEP_MS / 1000)
    }
  return { stoppedS: secondsOf('stopped'), unreachableS: secondsOf('unreachable') }
}
