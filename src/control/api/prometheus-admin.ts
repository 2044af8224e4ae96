// Owns what an admin does to the metrics store over HTTP, in the form of Prometheus' admin API, and the ledger.
// It refuses to delete without a matcher. See https://prometheus.io/docs/prometheus/latest/querying/api/#tsdb-admin-apis
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ControlContext } from '../context.ts'
import { audit } from '../state/database.ts'
import { nameOf } from './guard.ts'
import { success } from './prometheus-envelope.ts'
import { bad, readParameters, selectorsOf, textOf, timeOf } from './prometheus-parameters.ts'
import { addRoute } from './route.ts'

const PREFIX = '/prometheus/api/v1'
const TOP = 10 // as Prometheus' status page
const LEDGER_MS = 31 * 86_400_000
const TIME_MS_MAX = 8.64e15

export function addPrometheusAdmin(scope: FastifyInstance, context: ControlContext): void {
  const { store, fleetTime, state } = context
  /** Before it is done: what is deleted by halves was deleted by somebody too. */
  const note = (request: FastifyRequest, action: string, facts: Record<string, unknown>): Promise<number> =>
    audit(state.db, { at: state.nowMs(), by: nameOf(request), action, subject: 'metrics', facts })
  addRoute(scope, {
    method: 'GET',
    url: `${PREFIX}/status/tsdb`,
    access: 'viewer',
    summary: 'How many series there are, and of which names and labels',
    handle: () => success(tsdbStatus(context)),
  })
  addRoute(scope, {
    method: 'POST',
    url: `${PREFIX}/admin/tsdb/delete_series`,
    access: 'admin',
    summary: 'Delete samples by matcher and time',
    handle: async (request, reply) => {
      const parameters = readParameters(request)
      const match = selectorsOf(parameters)
      if (match.length === 0) throw bad('match[]', 'no match[] parameter provided')
      const fromMs = timeOf(parameters, 'start', 0)
      const toMs = timeOf(parameters, 'end', TIME_MS_MAX)
      await note(request, 'metrics-delete', { match: [...match], fromMs, toMs })
      await store.deleteSeries(match, fromMs, toMs)
      return reply.status(204).send()
    },
  })
  addRoute(scope, {
    method: 'POST',
    url: `${PREFIX}/admin/tsdb/snapshot`,
    access: 'admin',
    summary: 'Copy the metrics store while it runs',
    handle: async request => {
      const name = await store.snapshot()
      await note(request, 'metrics-snapshot', { name })
      return success({ name })
    },
  })
  addRoute(scope, {
    method: 'POST',
    url: `${PREFIX}/admin/tsdb/restore`,
    access: 'admin',
    summary: 'Put back what the store lacks of a snapshot, while it runs; answers when it is done',
    handle: async request => {
      const name = textOf(readParameters(request), 'name')
      await note(request, 'metrics-restore', { name })
      return success(await store.restore(name, null))
    },
  })
  addRoute(scope, {
    method: 'GET',
    url: `${PREFIX}/admin/tsdb/restore`,
    access: 'admin',
    summary: 'How far the restore is that runs or ran last; null when there was none',
    handle: () => success(store.restoreProgress()),
  })
  addRoute(scope, {
    method: 'GET',
    url: '/api/v1/ledger',
    access: 'viewer',
    summary: 'Bytes, requests and viewer-seconds a server and UTC day; the last month without start and end',
    handle: request => {
      const parameters = readParameters(request)
      const toMs = timeOf(parameters, 'end', Math.floor(fleetTime.nowMs()))
      return { rows: store.ledger(timeOf(parameters, 'start', toMs - LEDGER_MS), toMs) }
    },
  })
}

function tsdbStatus({ store }: ControlContext): unknown {
  const stats = store.stats()
  const { seriesByName, valuesByLabel } = store.cardinality(TOP)
  const rows = (pairs: readonly (readonly [string, number])[]): unknown =>
    pairs.map(([name, value]) => ({ name, value }))
  return {
    headStats: {
      numSeries: stats.series,
      numLabelPairs: valuesByLabel.reduce((sum, [, values]) => sum + values, 0),
      chunkCount: 0,
      minTime: stats.oldestMs,
      maxTime: stats.newestMs,
    },
    seriesCountByMetricName: rows(seriesByName),
    labelValueCountByLabelName: rows(valuesByLabel),
    memoryInBytesByLabelName: [],
    seriesCountByLabelValuePair: [],
    vitrine: stats,
  }
}
