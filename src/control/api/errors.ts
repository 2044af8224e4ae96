// Owns how failures are answered: faults as they are, the framework's own as faults, everything else as 500 and a log line.
import type { FastifyError } from 'fastify'
import { Fault, faultBody, type Log } from '#base'
import { controlFaults } from '../faults.ts'

/** The fault for anything that a handler or the framework threw. */
export function asFault(thrown: unknown): unknown {
  if (thrown instanceof Fault || !(thrown instanceof Error)) return thrown
  const { statusCode, message } = thrown as Partial<FastifyError> & Error
  if (statusCode === 413) return controlFaults.fault('control-request-too-large', message)
  if (statusCode === 415) return controlFaults.fault('control-request-media-type', message)
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return controlFaults.fault('control-request-invalid', message, { cause: thrown })
  }
  return thrown
}

/** Status and body; what is our own mistake goes into the log. */
export function answerFor(
  thrown: unknown,
  where: { readonly method: string; readonly path: string },
  log: Log,
): { status: number; body: ReturnType<typeof faultBody>['body'] } {
  const fault = asFault(thrown)
  const { status, body } = faultBody(fault)
  if (status >= 500) log.error('request-failed', { ...where, error: thrown })
  return { status, body }
}
