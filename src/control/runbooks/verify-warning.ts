// Owns saying beforehand that a verify cannot hold: there is nothing yet that its signals could be compared with. Pure.
import type { NormalAnswer } from '#wire'
import { TOLD_MIN } from '../bands/judge-band.ts'
import type { RunbookStep } from './runbook.ts'

/** Null: nothing speaks against it. What is not measured now may be once the server is well: only its basis counts. */
export function verifyWarning(
  { signals, timeoutMs }: Extract<RunbookStep, { kind: 'verify' }>,
  { signals: views }: NormalAnswer['servers'][number],
): string | null {
  const bare = views.filter(({ basis }) => basis === 'none').map(({ signal }) => signal)
  const compared = views.length - bare.length
  if (signals === null ? compared >= TOLD_MIN : bare.length === 0) return null
  const after = `after ${Math.round(timeoutMs / 1000)} s the step fails, and the server stays drained`
  return `as it stands, verify cannot hold: nothing to compare ${bare.join(', ')} with (no day of its own, no three healthy peers, no healthy minute of its own); ${after}`
}
