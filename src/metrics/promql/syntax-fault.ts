// Owns the wording of query faults. It refuses to leave out the position.
import type { Fault } from '#base'
import { metricsFaults } from '../faults.ts'

/** `position` is the offset of a character; people count from 1. */
export function syntaxFault(message: string, position: number): Fault {
  return metricsFaults.fault('metrics-promql-syntax', `PromQL, character ${position + 1}: ${message}`, {
    facts: { position },
  })
}

export function unsupportedFault(what: string, position: number): Fault {
  return metricsFaults.fault(
    'metrics-promql-unsupported',
    `PromQL, character ${position + 1}: ${what} is not supported`,
    { facts: { position, what } },
  )
}

export function executionFault(message: string): Fault {
  return metricsFaults.fault('metrics-promql-execution', message)
}
