// Owns the two query routes of the Prometheus HTTP API, whose answers are written as text by the store.
// It refuses ranges with more steps than Prometheus takes.
import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { Explain, PrintedAnswer } from '#metrics'
import type { ControlContext } from '../context.ts'
import { CUT_WARNING } from './prometheus-envelope.ts'
import { bad, limitOf, type Parameters, STEPS_MAX, stepOf, textOf, timeOf } from './prometheus-parameters.ts'

/** Longer answers are sent piece by piece: one string of all would be made, and copied, at once. */
const WHOLE_PIECES_MAX = 4

/** A whole answer, with its envelope. */
export class QueryText {
  readonly #pieces: readonly string[]

  /** With `stats=all` also what the answer has cost, where Prometheus shows it. */
  constructor({ pieces, isCut, explain }: PrintedAnswer, parameters: Parameters) {
    const isAll = parameters.get('stats')?.at(-1) === 'all'
    const stats = isAll ? `,"stats":${JSON.stringify(statsOf(explain))}` : ''
    this.#pieces = [
      '{"status":"success","data":{',
      ...pieces,
      `${stats}}${isCut ? `,"warnings":[${JSON.stringify(CUT_WARNING)}]` : ''}}`,
    ]
  }

  send(reply: FastifyReply): FastifyReply {
    reply.type('application/json; charset=utf-8')
    const pieces = this.#pieces
    if (pieces.length <= WHOLE_PIECES_MAX) return reply.send(pieces.join(''))
    return reply.send(Readable.from(bytes(pieces), { objectMode: false }))
  }
}

export async function query(
  parameters: Parameters,
  { store, fleetTime }: ControlContext,
): Promise<QueryText> {
  const toMs = timeOf(parameters, 'time', Math.floor(fleetTime.nowMs()))
  const question = {
    text: textOf(parameters, 'query'),
    fromMs: toMs,
    toMs,
    stepMs: null,
    ...seriesLimit(parameters),
  }
  return new QueryText(await store.print(question), parameters)
}

export async function queryRange(parameters: Parameters, { store }: ControlContext): Promise<QueryText> {
  const fromMs = timeOf(parameters, 'start', null)
  const toMs = timeOf(parameters, 'end', null)
  const stepMs = stepOf(parameters)
  if (toMs < fromMs) throw bad('end', 'end timestamp must not be before start time')
  if ((toMs - fromMs) / stepMs > STEPS_MAX) {
    throw bad('step', `exceeded maximum resolution of ${STEPS_MAX} points per timeseries; use a larger step`)
  }
  const question = { text: textOf(parameters, 'query'), fromMs, toMs, stepMs, ...seriesLimit(parameters) }
  return new QueryText(await store.print(question), parameters)
}

function seriesLimit(parameters: Parameters): { seriesMax?: number } {
  const limit = limitOf(parameters)
  return limit === 0 ? {} : { seriesMax: limit }
}

function statsOf({ series, samples, waitMs, parseMs, readMs, evaluateMs, printMs }: Explain): unknown {
  const seconds = (ms: number): number => ms / 1000
  return {
    timings: {
      execQueueTime: seconds(waitMs),
      queryPreparationTime: seconds(parseMs + readMs),
      innerEvalTime: seconds(evaluateMs),
      evalTotalTime: seconds(parseMs + readMs + evaluateMs),
      execTotalTime: seconds(waitMs + parseMs + readMs + evaluateMs + printMs),
    },
    samples: { totalQueryableSamples: samples, seriesTouched: series },
  }
}

/** Made when the reader has taken the piece before. */
function* bytes(pieces: readonly string[]): Iterable<Buffer> {
  for (const piece of pieces) yield Buffer.from(piece)
}
