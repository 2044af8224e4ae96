// Owns the words of witnesses about a moment in the past, from the series that were stored of it. Pure. What no series
// tells is left out: nobody speaks for a server because nothing is known.
import type { Evidence } from '#wire'
import type { PastFigures, Sample } from './past-figures.ts'
import { pastViewers } from './past-viewers.ts'

/** As in the present: an agent that is silent for longer is no witness of the process. */
const AGENT_SILENT_S = 3

export function pastEvidence(figures: PastFigures, id: string, at: number): Evidence[] {
  return [
    ...inside(figures, id, at),
    ...outside(figures, id, at),
    ...playing(figures, id, at),
    ...pastViewers(figures.viewers, id, at),
  ]
}

function inside(figures: PastFigures, id: string, at: number): Evidence[] {
  const ageS = figures.agentAgeS.get(id)
  if (ageS === undefined) return []
  const heard = at - ageS * 1000
  const word = (ok: boolean, text: string): Evidence[] => [
    { witness: 'agent', kind: 'inside', ok, text, at: heard },
  ]
  if (ageS > AGENT_SILENT_S) return word(false, `agent silent for ${ageS.toFixed(1)} s`)
  if ((figures.stopped.get(id) ?? 0) > 0) return word(false, 'process frozen, host alive')
  const processes = figures.processes.get(id)
  if (processes === 0) return word(false, 'process gone, host alive')
  const answers = (result: string): number =>
    figures.scrapes.find(({ labels }) => labels['instance'] === id && labels['result'] === result)?.value ?? 0
  if (answers('ok') > 0) return word(true, 'process runs and answered its agent')
  if (answers('failed') > 0) return word(false, 'process runs but did not answer its agent')
  // Heard, but nothing is stored of the process: that its host lived speaks for nobody.
  return processes === undefined ? [] : word(true, 'process runs')
}

/** Of one server, by metric without its prefix. */
export function probesOf(figures: PastFigures, id: string): (name: string, labels?: object) => Sample[] {
  const own = figures.probes.filter(({ labels }) => labels['instance'] === id)
  return (name, wanted = {}) =>
    own.filter(
      ({ labels }) =>
        labels['__name__'] === `vitrine_probe_${name}` &&
        Object.entries(wanted).every(([label, value]) => labels[label] === value),
    )
}

function outside(figures: PastFigures, id: string, at: number): Evidence[] {
  const probes = probesOf(figures, id)
  const named = probes('success', { check: 'http' }).map(({ labels, value }): Evidence => {
    const observer = labels['observer'] ?? ''
    const ms = (probes('http_seconds', { observer })[0]?.value ?? 0) * 1000
    const connects = probes('success', { check: 'connect', observer })[0]?.value === 1
    const ok = value === 1
    const text = ok
      ? `HTTP in ${ms.toFixed(1)} ms`
      : `no HTTP answer (${connects ? 'TCP connects' : 'no TCP connect'})`
    return { witness: observer, kind: 'outside', ok, text, at: probedAt(figures, id, observer) ?? at }
  })
  const sum = (result: string): number => probes('observers', { result })[0]?.value ?? 0
  const [answered, failed] = [sum('answered'), sum('failed')]
  // Above 20 edges pairs have no series: those who are not named stand in the sums alone.
  if (answered + failed <= named.length) return named
  const text = `${answered} of ${answered + failed} observers had an HTTP answer`
  return [...named, { witness: 'all together', kind: 'outside', ok: failed < answered, text, at }]
}

/** When it was played from is not stored: at some time in the minute before. */
export const PLAY_AGE_MS = 60_000

function playing(figures: PastFigures, id: string, at: number): Evidence[] {
  const probes = probesOf(figures, id)
  return probes('play_success').flatMap(({ labels, value }): Evidence[] => {
    const observer = labels['observer'] ?? ''
    const ok = value === 1
    if (ok && isOutdated(probes, observer)) return []
    return [{ witness: observer, kind: 'playing', ok, text: playText(ok), at: at - PLAY_AGE_MS }]
  })
}

/** Who got no answer at that moment could not play then, whatever came before. */
export function isOutdated(probes: ReturnType<typeof probesOf>, observer: string): boolean {
  return probes('success', { check: 'http', observer })[0]?.value === 0
}

export function playText(ok: boolean): string {
  return `could ${ok ? '' : 'not '}be played from in the minute before`
}

/** When an observer's look was stored, ms; null: it was not. */
export function probedAt(figures: PastFigures, id: string, observer: string): number | null {
  const sample = figures.probedAt.find(
    ({ labels }) => labels['instance'] === id && labels['observer'] === observer,
  )
  return sample === undefined ? null : sample.value * 1000
}
