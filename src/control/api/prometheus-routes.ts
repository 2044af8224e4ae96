// Owns the Prometheus-compatible API under /prometheus/api/v1: queries, series, labels, remote write.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Fault, type Labels, packageVersion } from '#base'
import {
  describeQuery,
  formatQuery,
  type IngestResult,
  REMOTE_WRITE_LIMITS,
  remoteWriteVersion,
} from '#metrics'
import type { ControlContext } from '../context.ts'
import { controlFaults } from '../faults.ts'
import { addPrometheusAdmin } from './prometheus-admin.ts'
import { CutAnswer, failure, success } from './prometheus-envelope.ts'
import { type Parameters, readParameters, textOf } from './prometheus-parameters.ts'
import { QueryText, query, queryRange } from './prometheus-query.ts'
import { activeAlerts, rules } from './prometheus-rules.ts'
import { labels, labelValues, metadata, series } from './prometheus-series.ts'
import { addRoute } from './route.ts'

const PREFIX = '/prometheus/api/v1'
const FORM_BYTES_MAX = 1024 * 1024

type Handle = (parameters: Parameters, context: ControlContext, request: FastifyRequest) => unknown

const answers: readonly {
  readonly url: string
  readonly summary: string
  readonly post: boolean
  readonly answer: Handle
}[] = [
  { url: '/query', summary: 'PromQL at one instant', post: true, answer: query },
  { url: '/query_range', summary: 'PromQL over a range of time', post: true, answer: queryRange },
  { url: '/series', summary: 'Label sets that match', post: true, answer: series },
  { url: '/labels', summary: 'Label names', post: true, answer: labels },
  { url: '/label/:name/values', summary: 'Values of one label', post: false, answer: labelValues },
  { url: '/metadata', summary: 'Types, help and units of metrics', post: false, answer: metadata },
  { url: '/rules', summary: 'Rules, their health and their alerts', post: false, answer: rules },
  { url: '/alerts', summary: 'Pending and firing alerts', post: false, answer: activeAlerts },
  { url: '/query_exemplars', summary: 'None: they are not kept', post: true, answer: exemplars },
  {
    url: '/format_query',
    summary: 'A query in its canonical form',
    post: true,
    answer: parameters => formatQuery(textOf(parameters, 'query')),
  },
  {
    url: '/parse_query',
    summary: 'A query as its syntax tree',
    post: true,
    answer: parameters => describeQuery(textOf(parameters, 'query')),
  },
  { url: '/status/buildinfo', summary: 'Version, as Grafana asks for it', post: false, answer: buildInfo },
]

/** In a scope of its own, whose failures are worded as Prometheus words them. */
export async function addPrometheusRoutes(app: FastifyInstance, context: ControlContext): Promise<void> {
  await app.register(async scope => {
    scope.setErrorHandler((thrown, request, reply) => {
      const where = { method: request.method, path: request.routeOptions.url ?? '' }
      const { status, body } = failure(thrown, where, context.log)
      return reply.status(status).send(body)
    })
    const form = { parseAs: 'string', bodyLimit: FORM_BYTES_MAX } as const
    scope.addContentTypeParser('application/x-www-form-urlencoded', form, (_request, body, done) => {
      done(null, new URLSearchParams(typeof body === 'string' ? body : ''))
    })
    addPrometheusAdmin(scope, context)
    for (const { url, summary, post, answer } of answers) {
      for (const method of post ? (['GET', 'POST'] as const) : (['GET'] as const)) {
        addRoute(scope, {
          method,
          url: `${PREFIX}${url}`,
          access: 'viewer',
          summary,
          handle: async (request, reply) => {
            const found = await answer(readParameters(request), context, request)
            if (found instanceof QueryText) return found.send(reply)
            return found instanceof CutAnswer ? found.envelope() : success(found)
          },
        })
      }
    }
  })
  await app.register(async scope => {
    scope.removeAllContentTypeParsers()
    const raw = { parseAs: 'buffer', bodyLimit: REMOTE_WRITE_LIMITS.compressedBytesMax } as const
    scope.addContentTypeParser('application/x-protobuf', raw, (_request, body, done) => done(null, body))
    addRoute(scope, {
      method: 'POST',
      url: `${PREFIX}/write`,
      access: 'writer',
      summary: 'Remote write 1.0 and 2.0; a server writes only series whose instance is its id',
      handle: (request, reply) => {
        const { refusal, headers } = writeOr(reply, () => write(request, context))
        for (const [name, value] of Object.entries(headers)) reply.header(name, value)
        if (refusal === null) return reply.status(204).send()
        return reply.status(400).type('text/plain').send(refusal)
      },
    })
  })
}

/** Exemplars are not kept. */
function exemplars(parameters: Parameters): unknown {
  formatQuery(textOf(parameters, 'query'))
  return []
}

function buildInfo(): unknown {
  const unknown = ''
  return {
    version: packageVersion,
    revision: unknown,
    branch: unknown,
    buildUser: unknown,
    buildDate: unknown,
    goVersion: unknown,
  }
}

/** Seconds; a full disk does not empty itself within one. */
const RETRY_AFTER = '5'

/** Senders are told when to come again. */
function writeOr(reply: FastifyReply, run: () => Written): Written {
  try {
    return run()
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.status === 503) {
      reply.header('retry-after', RETRY_AFTER)
    }
    throw thrown
  }
}

interface Written {
  readonly refusal: string | null
  /** Those that remote write 2.0 asks for. */
  readonly headers: Readonly<Record<string, string>>
}

/** Stores the body's samples. */
function write(request: FastifyRequest, context: ControlContext): Written {
  const { headers, body, principal } = request
  if (headers['content-encoding'] !== 'snappy') {
    throw controlFaults.fault('control-request-media-type', 'Content-Encoding snappy is expected')
  }
  if (!Buffer.isBuffer(body)) throw controlFaults.fault('control-request-invalid', 'a body is expected')
  const sender = principal.kind === 'server' ? principal.id : null
  const result = named(context, sender, () =>
    context.store.ingest(
      {
        body,
        version: remoteWriteVersion(headers['content-type']),
        limits: REMOTE_WRITE_LIMITS,
        sender,
        accept: sender === null ? null : labels => checkWriter(sender, labels),
      },
      context.fleetTime.nowMs(),
    ),
  )
  const unkept = context.metadata.add(result.metadata)
  if (unkept > 0) context.log.debug('metadata-refused', { metrics: unkept })
  return {
    refusal: refusalOf(result.refused),
    headers: {
      'x-prometheus-remote-write-samples-written': String(result.accepted),
      'x-prometheus-remote-write-histograms-written': '0',
      'x-prometheus-remote-write-exemplars-written': '0',
    },
  }
}

/** What is not taken of a server stands on its page: its agent's log is read by nobody. */
function named(context: ControlContext, sender: string | null, ingest: () => IngestResult): IngestResult {
  if (sender === null) return ingest()
  try {
    const result = ingest()
    for (const [reason, count] of Object.entries(result.refused)) {
      // A repeat is how senders make sure.
      if (count > 0 && reason !== 'duplicate') context.refusals.note(sender, reason as Refused, count)
    }
    return result
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.status < 500) {
      const reason = thrown.code === 'control-write-not-itself' ? 'other-server' : 'unreadable'
      context.refusals.note(sender, reason, 1, thrown.message)
    }
    throw thrown
  }
}

type Refused = Exclude<keyof IngestResult['refused'], 'duplicate'>

/**
 * Null when all was taken, or is here already: a repeat is how senders make sure. Else 400, as the specification asks
 * when a part is refused: the rest has been stored, and sending the same again would not help.
 */
function refusalOf(refused: IngestResult['refused']): string | null {
  const reasons = Object.entries(refused).filter(([reason, count]) => count > 0 && reason !== 'duplicate')
  if (reasons.length === 0) return null
  return `samples not stored: ${reasons.map(([reason, count]) => `${count} ${reason}`).join(', ')}`
}

/** A stolen server token must not be able to speak for another server. */
function checkWriter(server: string, labels: Labels): void {
  if (labels['instance'] === server) return
  const instance = JSON.stringify((labels['instance'] ?? '').slice(0, 64))
  const message = `server ${server} may write series with instance="${server}" only, not ${instance}`
  throw controlFaults.fault('control-write-not-itself', message)
}
