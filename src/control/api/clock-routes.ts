// Owns the route of the fleet's clocks: each host's, and what is wrong with them together.
import type { FastifyInstance } from 'fastify'
import { type ClocksAnswer, clocksAnswer, type ServerView } from '#wire'
import { clockRows } from '../clocks/clock-rows.ts'
import { diagnoseClocks } from '../clocks/diagnose.ts'
import { type ClockReadings, factsOf, readClocks } from '../clocks/read-clocks.ts'
import type { ControlContext } from '../context.ts'
import { fleetAt } from '../past/past-view.ts'
import { serverViews } from './fleet-view.ts'
import { addRoute, atQuery, check } from './route.ts'

/** Pages ask each two seconds; all who look share one look. */
const KEPT_MS = 1500

export function addClockRoutes(app: FastifyInstance, context: ControlContext): void {
  const { fleetTime } = context
  let kept: { readonly atMs: number; readonly readings: Promise<ClockReadings> } | null = null
  const newest = (): Promise<ClockReadings> => {
    const atMs = Math.floor(fleetTime.nowMs())
    if (kept === null || atMs - kept.atMs > KEPT_MS) kept = { atMs, readings: readClocks(context, atMs) }
    return kept.readings
  }
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/clocks',
    access: 'viewer',
    summary:
      'Every host’s clock, and whether they are sick as after the leap second of 2012, with the evidence',
    query: atQuery,
    answer: clocksAnswer,
    handle: async request => {
      const { at } = check(atQuery, request.query, 'query')
      if (at === undefined) return answerOf(context, serverViews(context), await newest())
      const { servers, moment } = await fleetAt(context, at)
      const readings = await readClocks(context, Math.floor(at))
      return { ...answerOf(context, servers, readings), past: moment }
    },
  })
}

function answerOf(
  { fleet, notes, fleetTime }: ControlContext,
  servers: readonly ServerView[],
  readings: ClockReadings,
): ClocksAnswer {
  const ids = servers.map(({ id }) => id)
  const facts = factsOf(readings, ids, id => fleet.get(id)?.hostId ?? '', notes)
  return { now: fleetTime.nowMs(), diagnosis: diagnoseClocks(facts), servers: clockRows(servers, readings) }
}
