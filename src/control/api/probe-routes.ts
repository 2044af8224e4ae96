// Owns the route that shows who probes whom, and what each saw last.
import type { FastifyInstance } from 'fastify'
import { isSimulated, type ProbeCell, type ProbesAnswer, type ProbeTargetView, probesAnswer } from '#wire'
import type { ControlContext } from '../context.ts'
import { CONTROL_ID, type ServerRecord } from '../fleet/fleet.ts'
import { fleetAt, probesThen } from '../past/past-view.ts'
import type { ProbeLog } from '../probes/probe-log.ts'
import { addRoute, atQuery, check } from './route.ts'

/** A neighbour that looks elsewhere by now has no cell any more. */
const CELL_AGE_MS_MAX = 30_000

export function addProbeRoutes(app: FastifyInstance, context: ControlContext): void {
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/probes',
    access: 'viewer',
    summary: 'Who probes whom, what each observer saw of each server last, and what looking costs',
    query: atQuery,
    answer: probesAnswer,
    handle: async request => {
      const { at } = check(atQuery, request.query, 'query')
      if (at === undefined) return probesView(context)
      return probesThen(await fleetAt(context, at), context.fleetTime.nowMs(), context.region)
    },
  })
}

function probesView(context: ControlContext): ProbesAnswer {
  const { fleet, fleetTime, options, probePlan, probeBudget, region } = context
  const nowMs = options.clock.monotonicMs()
  const now = fleetTime.nowMs()
  const records = fleet
    .all()
    .filter(({ id, role, url }) => role !== 'control' && url !== '' && !isSimulated(id))
  const observers = [
    { id: CONTROL_ID, region },
    ...records.filter(({ role }) => role === 'edge').map(({ id, region }) => ({ id, region })),
  ]
  return {
    now,
    mesh: probePlan.mesh(),
    budgetBytes: probeBudget.bytesMonth,
    observers,
    targets: records.map(record => targetView(context, record)),
    cells: records.flatMap(record =>
      [...record.outside].flatMap(([observer, log]) => cellView({ record, observer, log, nowMs, now }) ?? []),
    ),
  }
}

function targetView({ probeBudget }: ControlContext, record: ServerRecord): ProbeTargetView {
  const { id, role, region } = record
  const days = [...record.outside.values()].flatMap(log => log.last()?.tls?.daysLeft ?? [])
  return {
    id,
    role,
    region,
    certificateDays: days.length === 0 ? null : Math.min(...days),
    usedBytes: role === 'origin' ? null : probeBudget.used(id),
  }
}

interface Seen {
  readonly record: ServerRecord
  readonly observer: string
  readonly log: ProbeLog
  readonly nowMs: number
  readonly now: number
}

function cellView({ record, observer, log, nowMs, now }: Seen): ProbeCell | null {
  const last = log.last()
  if (last === null || nowMs - last.atMs > CELL_AGE_MS_MAX) return null
  const play = record.plays.get(observer)?.last() ?? null
  return {
    observer,
    target: record.id,
    at: now - (nowMs - last.atMs),
    ok: last.httpMs !== null,
    connectMs: last.connectMs,
    tlsMs: last.tls?.ms ?? null,
    httpMs: last.httpMs,
    pingMs: last.icmp?.ms ?? null,
    problem: last.error ?? last.tls?.problem ?? null,
    play:
      play === null
        ? null
        : {
            ok: play.ok,
            text: play.ok ? `plays ${play.title}` : `cannot play ${play.title}: ${play.problem ?? ''}`,
            at: now - (nowMs - play.atMs),
          },
  }
}
