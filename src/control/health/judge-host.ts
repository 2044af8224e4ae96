// Owns the judgement on a machine that only has an agent: there is nothing to reach from outside, so that the agent's
// word is all there is. Pure.
import type { InsideView, Verdict } from './judge.ts'

/** As for an agent beside a server. */
const SILENT_MS = 3000

export function judgeHost({ heardAgeMs }: Pick<InsideView, 'heardAgeMs'>): Verdict {
  const isHeard = heardAgeMs !== null && heardAgeMs < SILENT_MS
  const silence =
    heardAgeMs === null
      ? 'its agent was not heard since the control room’s start'
      : `its agent is silent for ${(heardAgeMs / 1000).toFixed(1)} s`
  const text = isHeard ? 'host alive' : silence
  return {
    state: isHeard ? 'healthy' : 'unreachable',
    reason: isHeard ? 'its agent is heard' : `host silent: ${silence}`,
    doubts: 0,
    // Nobody looks at it, so its agent's word alone brings it back.
    wavers: false,
    isSeen: isHeard,
    words: [{ witness: 'agent', kind: 'inside', ok: isHeard, text, ageMs: heardAgeMs ?? 0 }],
  }
}
