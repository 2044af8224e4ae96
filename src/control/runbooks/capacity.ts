// Owns whether viewers can be carried without one edge: what the others that take viewers carry, against what is sent
// now and usually at this hour.

import type { ControlContext } from '../context.ts'
import { capacityOf } from '../steering/fill.ts'
import { carryOf, recentOf } from '../what-if/carry.ts'
import type { Runbook } from './runbook.ts'

export interface CapacityAnswer {
  /** Null: it may be drained. */
  readonly problem: string | null
  readonly text: string
}

type Parts = Pick<ControlContext, 'fleet' | 'steering' | 'demand' | 'fleetTime'>

/** `others`: drained in the same batch. */
export async function capacityWithout(
  { fleet, steering, demand, fleetTime }: Parts,
  server: string,
  others: readonly string[],
  { edgesLeftMin, unknownCapacity }: Runbook['limits'],
): Promise<CapacityAnswer> {
  const record = fleet.get(server)
  if (record?.role !== 'edge') return { problem: null, text: 'viewers are not sent to it' }
  if (steering.weightOf(server) === 0)
    return { problem: null, text: 'it takes no new viewers as it is: draining it takes nothing away' }
  const gone = new Set([server, ...others])
  const left = fleet.edges().filter(({ id }) => !gone.has(id) && steering.weightOf(id) > 0)
  if (left.length < Math.max(1, edgesLeftMin)) {
    const text = `${left.length} edges would be left that take viewers, ${Math.max(1, edgesLeftMin)} are needed`
    return { problem: text, text }
  }
  const capacities = left.map(({ id, tags, measuredBps }) => ({
    id,
    bps: capacityOf(tags.capacityBps ?? null, measuredBps)?.bps ?? null,
  }))
  const rest = {
    edges: left.map(({ id }) => id),
    capacityBps: capacities.reduce((sum, { bps }) => sum + (bps ?? 0), 0),
    unknown: capacities.filter(({ bps }) => bps === null).map(({ id }) => id),
  }
  const { now } = await demand.current()
  const { usual } = recentOf(demand.hours(), fleetTime.nowMs())
  for (const [when, demanded] of [
    ['now', now],
    ['usually at this hour', usual],
  ] as const) {
    const { word, demandBps } = carryOf(rest, demanded)
    const words = `${rest.edges.join(', ')} carry ${mbps(rest.capacityBps)}, and ${mbps(demandBps ?? 0)} are sent ${when}`
    if (word === 'not-carried') return { problem: `viewers would not be carried: ${words}`, text: words }
    if (word === 'cannot-tell' && unknownCapacity === 'refuse') {
      const text = `nobody knows whether viewers would be carried: the capacity of ${rest.unknown.join(', ')} is not known`
      return { problem: text, text }
    }
  }
  const known =
    rest.unknown.length === 0
      ? `${mbps(rest.capacityBps)} for ${mbps(now?.peakBps ?? 0)} that are sent`
      : `the capacity of ${rest.unknown.join(', ')} is not known`
  return { problem: null, text: `${rest.edges.join(', ')} take its viewers: ${known}` }
}

function mbps(bps: number): string {
  return `${Number((bps / 1e6).toPrecision(3))} Mbit/s`
}
