// Owns the answer to "what if one is lost": what is sent, what was sent, and what each edge carries, put together.
import type { FastifyInstance } from 'fastify'
import { type WhatIfAnswer, whatIfAnswer } from '#wire'
import type { ControlContext } from '../context.ts'
import type { ServerRecord } from '../fleet/fleet.ts'
import { capacityOf } from '../steering/fill.ts'
import { lossesOf, recentOf } from '../what-if/carry.ts'
import { addRoute } from './route.ts'

export function addWhatIfRoutes(app: FastifyInstance, context: ControlContext): void {
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/what-if',
    access: 'viewer',
    summary: 'For every edge and region: what the rest carries if it is lost, now and as in recent weeks',
    answer: whatIfAnswer,
    handle: () => whatIf(context),
  })
}

async function whatIf({ fleet, fleetTime, steering, demand }: ControlContext): Promise<WhatIfAnswer> {
  const { now: current, sentBps } = await demand.current()
  const nowMs = fleetTime.nowMs()
  const recent = recentOf(demand.hours(), nowMs)
  const edges = fleet.edges().map(record => ({
    id: record.id,
    name: record.tags.name ?? record.id,
    region: record.region,
    state: record.standing.state,
    takes: steering.weightOf(record.id) > 0,
    ...capacityView(record),
    viewers: fleet.sessions.of(record.id).watching,
    sentBps: sentBps.get(record.id) ?? null,
  }))
  return {
    now: nowMs,
    losses: lossesOf(edges, { now: current, usual: recent.usual, week: recent.worst }),
    edges: edges.map(({ viewers: _viewers, sentBps: _sentBps, ...edge }) => edge),
    sameHours: recent.sameHours,
    week: recent.week.map((hour, place) =>
      // This hour is not over: what is sent now belongs to it.
      place < recent.week.length - 1 || current === null || current.peakBps < (hour.peakBps ?? 0)
        ? hour
        : { ...hour, peakBps: current.peakBps, n: hour.n + 1 },
    ),
    storedFrom: recent.storedFrom,
  }
}

/** What an operator says, or more where more was seen. */
function capacityView({
  tags,
  measuredBps,
}: ServerRecord): Pick<WhatIfAnswer['edges'][number], 'capacityBps' | 'capacityFrom'> {
  const capacity = capacityOf(tags.capacityBps ?? null, measuredBps)
  if (capacity === null) return { capacityBps: null, capacityFrom: null }
  return { capacityBps: capacity.bps, capacityFrom: capacity.source === 'operator' ? 'set' : 'measured' }
}
