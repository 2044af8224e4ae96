// Owns the words for the steps of one look: ping, TCP and TLS apart. Pure.
import { clockWords } from '#base'
import type { OutsideView } from './judge.ts'

/** A `Date` header is cut to the second, and comes over the network. */
const CLOCK_TOLD_S = 5

export function stepsText({ connectMs, tls, icmp, clockOffsetS }: OutsideView): string {
  const steps = [connectMs === null ? 'no TCP connect' : `TCP connect in ${shortMs(connectMs)}`]
  if (tls != null) {
    const shaken = tls.ms === null ? 'no TLS' : `TLS in ${shortMs(tls.ms)}`
    steps.push(tls.problem === null ? shaken : `${shaken}, refused: ${tls.problem}`)
    if (tls.daysLeft !== null) steps.push(`certificate for ${tls.daysLeft.toFixed(1)} days`)
  }
  if (icmp?.result === 'answered' && icmp.ms !== null) steps.push(`ping ${shortMs(icmp.ms)}`)
  if (icmp?.result === 'lost') steps.push('no ping')
  if (icmp?.result === 'not-permitted') steps.push('ping not permitted')
  if (clockOffsetS !== undefined && Math.abs(clockOffsetS) >= CLOCK_TOLD_S)
    steps.push(clockOffText(clockOffsetS))
  return steps.join(', ')
}

/** So far off that certificates are refused: what else is seen follows from it. The control room's time is fleet time. */
const CLOCK_OFF_S = 86_400

export function clockOff(outside: readonly OutsideView[]): string | null {
  const offset = outside.find(({ witness }) => witness === 'control')?.clockOffsetS
  return offset === undefined || Math.abs(offset) < CLOCK_OFF_S ? null : clockOffText(offset)
}

function clockOffText(offsetS: number): string {
  return `its clock is ${clockWords(offsetS)}`
}

export function shortMs(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`
}
