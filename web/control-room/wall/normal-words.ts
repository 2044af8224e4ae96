// Owns the wall's words for normal ranges. Pure.
import type { SignalWord, WallNormal } from '#wire'

export const SIGNAL_SAYS: Readonly<Record<SignalWord, string>> = {
  ok: 'in range',
  high: 'above its range',
  low: 'below its range',
  'cannot-tell': 'cannot be told',
}

const NAMES: Readonly<Record<string, string>> = {
  cpu: 'CPU',
  'host-cpu': 'host CPU',
  'event-loop-delay': 'event loop',
  'error-ratio': 'errors',
  'first-byte': 'first byte',
  'clock-offset': 'clock',
  'probe-time': 'probe time',
  'context-switches': 'switches',
}
/** More do not fit below a word that is read from afar. */
const NAMED_MAX = 2

export function signalName(signal: string): string {
  return NAMES[signal] ?? signal
}

/** `in range`, `7 signals`; `out of range`, `CPU, load`. */
export function normalWords({ word, short, signals }: WallNormal): {
  readonly word: string
  readonly rest: string
} {
  if (word === 'cannot-tell') return { word: 'cannot tell', rest: '' }
  if (word === 'ok') {
    const told = signals.filter(one => one.word === 'ok').length
    return { word: 'in range', rest: short ? 'short baseline' : `${told} signals` }
  }
  const out = signals.filter(one => one.word === 'high' || one.word === 'low')
  const named = out.slice(0, NAMED_MAX).map(one => `${signalName(one.signal)} ${one.word}`)
  const more = out.length - named.length
  return { word: 'out of range', rest: `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}` }
}
