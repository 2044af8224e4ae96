// Owns the samples of the generated comparison, made from a seed, in the rounds in which they are sent: irregular stamps,
// gaps, resets, stale markers, samples that come late or twice, and numbers at the ends of float64.
// It refuses stamps at whole seconds, where windows of 2.42 and of 3 differ, and sums that depend on their order: values
// that are added up are multiples of 1/1024.
import type { Labels } from '#base'
import { staleMarker, type WriteSeries } from '#metrics'
import { Random } from './random.ts'

export const DATA_START_S = 1_700_000_000
/** One hour. */
export const DATA_END_S = DATA_START_S + 3600
const STAMP_MS = 137
const STEP_S = 15
const STEPS = 240
/** Twenty steps are 5 min: what comes a round late is inside both engines' windows for late samples. */
const ROUND_STEPS = 20

type Sample = WriteSeries['samples'][number]
/** Null: no sample at this step. */
type Signal = (step: number) => number | null

interface Form {
  /** Stamps that are up to 3 s off. */
  readonly jitter?: boolean
  /** One in so many samples is sent a round later; and then another one twice. */
  readonly lateEvery?: number
}

const INSTANCES: readonly { instance: string; region: string }[] = [
  { instance: 'i0', region: 'eu' },
  { instance: 'i1', region: 'eu' },
  { instance: 'i2', region: 'us' },
  { instance: 'i3', region: 'us' },
  { instance: 'i4', region: 'ap' },
]

/** What is sent, in this order; a round holds five minutes and what came late of the one before. */
export function generatedRounds(seed: number): WriteSeries[][] {
  const random = new Random(seed)
  const all = new Rounds(random)
  INSTANCES.forEach((own, index) => addInstance(all, random, { ...own, job: 'edge' }, index))
  addExtremes(all)
  addLonely(all, random)
  return all.rounds
}

class Rounds {
  readonly rounds: WriteSeries[][] = Array.from({ length: STEPS / ROUND_STEPS + 1 }, () => [])
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  add(labels: Labels, signal: Signal, { jitter = false, lateEvery = 0 }: Form = {}): void {
    const parts: Sample[][] = this.rounds.map(() => [])
    for (let step = 0; step < STEPS; step += 1) {
      const value = signal(step)
      if (value === null) continue
      const offS = jitter ? this.#random.below(7) - 3 : 0
      const timestampMs = (DATA_START_S + step * STEP_S + offS) * 1000 + STAMP_MS
      const round = Math.floor(step / ROUND_STEPS)
      // The first sample of a series is never late: what comes before it would be another series to a window.
      const isLate = lateEvery > 0 && step % lateEvery === lateEvery - 1
      parts[isLate ? round + 1 : round]?.push({ timestampMs, value })
      if (isLate && parts[round]?.length) parts[round + 1]?.push(parts[round].at(-1) as Sample)
    }
    parts.forEach((samples, round) => {
      samples.sort((a, b) => a.timestampMs - b.timestampMs)
      if (samples.length > 0) this.rounds[round]?.push({ labels, samples })
    })
  }
}

function addInstance(all: Rounds, random: Random, base: Labels, index: number): void {
  // Each instance has remainders of its own, so that no two series are ever equal and topk has one answer.
  const own = index / 1024
  let level = 160 + index * 8
  const walk: Signal = () => (level += (random.below(33) - 16) / 8) + own
  all.add({ __name__: 'load', ...base }, walk)
  all.add({ __name__: 'queue', ...base }, step => ((step * (index + 3)) % 29) - 14 + own, { jitter: true })
  all.add({ __name__: 'late_gauge', ...base }, step => ((step * 7 + index) % 64) / 4 + own, { lateEvery: 7 })
  all.add({ __name__: 'gappy', ...base }, step =>
    step % 40 > 8 + index * 3 ? random.below(80) / 8 + own : null,
  )
  all.add({ __name__: 'blinking', ...base }, step =>
    (step + index) % 11 === 10 ? staleMarker() : random.below(64) / 4 + own,
  )
  all.add({ __name__: 'capacity', instance: base['instance'] ?? '', zone: `z${index % 2}` }, () => 64 + index)
  for (const code of ['200', '404', '500']) {
    all.add({ __name__: 'requests_total', ...base, code }, counter(random, 41 + index * 7), {
      jitter: code === '404',
      lateEvery: code === '500' ? 9 : 0,
    })
  }
  addBuckets(all, random, base)
}

/** It grows by whole numbers and falls to a fraction of itself, but not to zero: see promql-data.ts. */
function counter(random: Random, resetEvery: number): Signal {
  let total = 100_000 + random.below(1000)
  return step => {
    total =
      step % resetEvery === resetEvery - 1
        ? Math.floor(total / 2)
        : total + random.below(40) * random.below(3)
    return total
  }
}

function addBuckets(all: Rounds, random: Random, base: Labels): void {
  const bounds = ['0.125', '0.5', '1', '2.5', '+Inf']
  const totals = bounds.map((_, at) => 200_000 * (at + 1))
  const history: number[][] = []
  for (let step = 0; step < STEPS; step += 1) {
    const where = random.below(bounds.length)
    for (let at = 0; at < bounds.length; at += 1) totals[at] = (totals[at] ?? 0) + (at >= where ? 8 : 0)
    history.push([...totals])
  }
  bounds.forEach((le, at) => {
    all.add({ __name__: 'latency_bucket', ...base, le }, step => history[step]?.[at] ?? null)
  })
}

function addExtremes(all: Rounds): void {
  const signals: Readonly<Record<string, Signal>> = {
    nan: step => (step % 3 === 0 ? Number.NaN : step),
    inf: step => (step % 4 === 0 ? Infinity : step + 0.5),
    neginf: step => (step % 5 === 0 ? -Infinity : -step),
    zero: step => (step % 2 === 0 ? -0 : 0),
    tiny: step => (step + 1) * 2 ** -1022,
    small: step => (step + 1) * 2 ** -60,
    huge: step => (step + 1) * 2 ** 1000,
    largest: step => (step % 2 === 0 ? Number.MAX_VALUE : Number.MAX_VALUE / 2),
    long: step => 2 ** 53 + step * 2,
  }
  for (const [kind, signal] of Object.entries(signals)) all.add({ __name__: 'odd', kind }, signal)
}

function addLonely(all: Rounds, random: Random): void {
  all.add({ __name__: 'ended' }, step => (step === 170 ? staleMarker() : step < 170 ? step : null))
  all.add({ __name__: 'began' }, step => (step > 180 ? 100_000 + step * 8 : null))
  all.add({ __name__: 'constant' }, () => 3)
  all.add({ __name__: 'fraction' }, step => (step % 16) / 16)
  all.add({ __name__: 'epoch' }, step => 951_782_400 + step * 86_400 * 11)
  all.add({ __name__: 'rare' }, step => (step % 19 === 3 ? random.below(100) : null))
  for (const region of ['eu', 'us', 'ap']) {
    all.add({ __name__: 'region_info', region, number: String(region.length), extra: `x-${region}` }, () => 1)
  }
}
