// Owns random schedules of faults: the same seed gives the same schedule, in virtual time and with real processes.

/** freeze: the process stands, its host lives. cut: nothing comes or goes. slow: it answers, badly. */
export const faultKinds = ['freeze', 'cut', 'slow'] as const
export type FaultKind = (typeof faultKinds)[number]

export interface FaultSpan {
  readonly edge: number
  readonly kind: FaultKind
  readonly fromMs: number
  readonly toMs: number
}

export interface Schedule {
  readonly seed: number
  readonly edges: number
  readonly spans: readonly FaultSpan[]
  /** All faults have ended by then. */
  readonly calmFromMs: number
}

/** mulberry32: small, quick, and the same everywhere. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d_2b_79_f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export interface ScheduleOptions {
  readonly edges: number
  readonly lengthMs: number
  readonly kinds?: readonly FaultKind[]
}

/** Faults last from half a second to most of the schedule, and all edges may be ill at once. */
export function scheduleOf(seed: number, options: ScheduleOptions): Schedule {
  const { edges, lengthMs, kinds = faultKinds } = options
  const random = randomOf(seed)
  const spans: FaultSpan[] = []
  // Some schedules are calm with one fault at a time, others a storm.
  const restMs = lengthMs * (0.1 + 0.6 * random())
  for (let edge = 0; edge < edges; edge += 1) {
    for (let atMs = random() * restMs; atMs < lengthMs * 0.9; ) {
      const kind = kinds[Math.floor(random() * kinds.length)] ?? 'freeze'
      // Most are short: the square makes a tenth of them last longer than four fifths of the longest.
      const lastsMs = 500 + random() ** 2 * lengthMs * 0.5
      const toMs = Math.min(lengthMs, atMs + lastsMs)
      spans.push({ edge, kind, fromMs: Math.round(atMs), toMs: Math.round(toMs) })
      atMs = toMs + 200 + random() * restMs
    }
  }
  spans.sort((a, b) => a.fromMs - b.fromMs)
  return { seed, edges, spans, calmFromMs: lengthMs }
}

export function inWords({ edge, kind, fromMs, toMs }: FaultSpan): string {
  return `e${edge} ${kind} ${(fromMs / 1000).toFixed(1)}-${(toMs / 1000).toFixed(1)} s`
}
