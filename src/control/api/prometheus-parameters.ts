// Owns reading the parameters of the Prometheus HTTP API: times, durations, selectors. It refuses what is not one.
import type { FastifyRequest } from 'fastify'
import { readDurationMs } from '../alerts/duration.ts'
import { controlFaults } from '../faults.ts'

/** As Prometheus: more steps than this in one answer help nobody. */
export const STEPS_MAX = 11_000
const SELECTORS_MAX = 50
const TEXT_MAX = 16_384

/** Parameters of the query string and, for a form POST, of the body; a name may be given several times. */
export type Parameters = ReadonlyMap<string, readonly string[]>

export function readParameters(request: FastifyRequest): Parameters {
  const map = new Map<string, string[]>()
  const add = (name: string, value: string): void => {
    const known = map.get(name)
    if (known === undefined) map.set(name, [value])
    else if (known.length < SELECTORS_MAX) known.push(value)
  }
  const question = request.url.indexOf('?')
  if (question >= 0)
    for (const [name, value] of new URLSearchParams(request.url.slice(question))) add(name, value)
  if (request.body instanceof URLSearchParams) for (const [name, value] of request.body) add(name, value)
  return map
}

export function textOf(parameters: Parameters, name: string): string {
  const text = parameters.get(name)?.[0]
  if (text === undefined || text === '') throw bad(name, 'is missing')
  if (text.length > TEXT_MAX) throw bad(name, `has ${text.length} characters, at most ${TEXT_MAX} are taken`)
  return text
}

/** `match[]`; empty when none is given. */
export function selectorsOf(parameters: Parameters): readonly string[] {
  return parameters.get('match[]') ?? []
}

/** A whole number; 0, which is also meant when it is missing, is no limit. */
export function limitOf(parameters: Parameters, name: string = 'limit'): number {
  const text = parameters.get(name)?.[0] ?? ''
  if (text === '') return 0
  const limit = Number(text)
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(limit)) throw bad(name, 'a whole number is expected')
  return Math.max(0, limit)
}

/** Unix seconds with a fraction, or RFC 3339. Whole ms. */
export function timeOf(parameters: Parameters, name: string, otherwise: number | null): number {
  const text = parameters.get(name)?.[0]
  if (text === undefined || text === '') {
    if (otherwise === null) throw bad(name, 'is missing')
    return otherwise
  }
  const seconds = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : null
  const shape = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/
  const ms =
    seconds === null ? (shape.test(text) ? Date.parse(text) : Number.NaN) : Math.round(seconds * 1000)
  if (!Number.isSafeInteger(ms)) throw bad(name, `${JSON.stringify(text.slice(0, 64))} is not a time`)
  return ms
}

/** `15s`, or seconds with a fraction. */
export function stepOf(parameters: Parameters): number {
  const text = textOf(parameters, 'step')
  const ms = /^\d+\.?\d*$/.test(text) ? Math.round(Number(text) * 1000) : readDurationMs(text)
  if (ms === null || !Number.isSafeInteger(ms)) throw bad('step', `${JSON.stringify(text)} is not a duration`)
  if (ms <= 0) throw bad('step', 'zero or negative query resolution step widths are not accepted')
  return ms
}

export function bad(name: string, problem: string): Error {
  return controlFaults.fault('control-request-invalid', `invalid parameter "${name}": ${problem}`)
}
