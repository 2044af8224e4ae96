// Owns the words for the steps of one look: ping, TCP and TLS apart. Pure.
import type { OutsideView } from './judge.ts'

export function stepsText({ connectMs, tls, icmp }: OutsideView): string {
  const steps = [connectMs === null ? 'no TCP connect' : `TCP connect in ${shortMs(connectMs)}`]
  if (tls != null) {
    const shaken = tls.ms === null ? 'no TLS' : `TLS in ${shortMs(tls.ms)}`
    steps.push(tls.problem === null ? shaken : `${shaken}, refused: ${tls.problem}`)
    if (tls.daysLeft !== null) steps.push(`certificate for ${tls.daysLeft.toFixed(1)} days`)
  }
  if (icmp?.result === 'answered' && icmp.ms !== null) steps.push(`ping ${shortMs(icmp.ms)}`)
  if (icmp?.result === 'lost') steps.push('no ping')
  if (icmp?.result === 'not-permitted') steps.push('ping not permitted')
  return steps.join(', ')
}

export function shortMs(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`
}
