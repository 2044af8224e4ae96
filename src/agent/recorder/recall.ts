// Owns what of a recording was never taken by the control room. Pure: records in, passes out.
import type { Labels } from '#base'
import type { Pass } from '../push/pass.ts'
import { ackedByBoot, type RecorderRecord, unpackNumbers, unpackValues } from './frame.ts'

export interface Recalled {
  /** Oldest first. Those of an earlier boot carry their stamp. */
  readonly passes: readonly Pass[]
  /** Seconds of an earlier boot whose fleet time was not known. */
  readonly undated: number
}

/** `files` in the order in which they were written; label numbers count within a file. */
export function recall(files: readonly (readonly RecorderRecord[])[], boot: string): Recalled {
  const acked = ackedByBoot(files.flat())
  const passes: Pass[] = []
  let undated = 0
  for (const file of files) {
    const known = new Map<number, Labels>()
    for (const record of file) {
      for (const [number, labels] of record.labels) known.set(number, labels)
      if (record.bootMs <= (acked.get(record.boot) ?? Number.NEGATIVE_INFINITY)) continue
      const pass = passOf(record, known, record.boot === boot)
      if (pass === null) undated += 1
      else passes.push(pass)
    }
  }
  return { passes, undated }
}

function passOf(
  record: RecorderRecord,
  known: ReadonlyMap<number, Labels>,
  isThisBoot: boolean,
): Pass | null {
  // BOOTTIME of another boot says nothing today; its fleet time does.
  if (!isThisBoot && record.fleetMs === null) return null
  const numbers = unpackNumbers(record.series)
  const values = unpackValues(record.values)
  const labels: Labels[] = []
  const kept: number[] = []
  numbers.forEach((number, at) => {
    const its = known.get(number)
    if (its === undefined || at >= values.length) return
    labels.push(its)
    kept.push(at)
  })
  const own = new Float64Array(kept.length)
  // By bits: a stale marker is a NaN that must keep its payload.
  const [from, to] = [new BigUint64Array(values.buffer), new BigUint64Array(own.buffer)]
  kept.forEach((at, place) => {
    to[place] = from[at] ?? 0n
  })
  const pass = { bootMs: record.bootMs, labels, values: own }
  return isThisBoot ? pass : { ...pass, stampMs: record.fleetMs ?? 0 }
}
