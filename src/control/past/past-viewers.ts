// Owns what viewers said of a server at a moment in the past: the verdict of the comparison with its figures, as stored.
// Pure. Which channel spoke against it is the one with most beyond what was expected.
import type { Evidence } from '#wire'
import { channels } from '../viewers/compare/measures.ts'
import { hitText, windowName } from '../viewers/compare/verdict-words.ts'
import type { Sample } from './past-figures.ts'

export function pastViewers(samples: readonly Sample[], id: string, at: number): Evidence[] {
  const own = samples.filter(({ labels }) => labels['instance'] === id)
  const verdict = own.find(({ labels, value }) => labels['__name__'] === named('verdict') && value === 1)
  const says = verdict?.labels['verdict']
  if (says === undefined) return []
  const word = (ok: boolean, text: string): Evidence => ({
    witness: 'viewers',
    kind: 'viewers',
    ok,
    text,
    at,
  })
  const found = channels.flatMap(channel => {
    const value = (name: string): number | null =>
      own.find(
        ({ labels }) =>
          labels['__name__'] === named(name) &&
          labels['measure'] === channel.measure &&
          labels['window'] === windowName(channel),
      )?.value ?? null
    const [n, x, expected] = [value('sessions'), value('affected'), value('expected')]
    return n === null || x === null ? [] : [{ channel, n, x, expected }]
  })
  if (says === 'too-few') {
    return [{ ...word(true, `too few to tell (n=${found[0]?.n ?? 0})`), unsure: true }]
  }
  const told = found.flatMap(one => (one.expected === null ? [] : [{ ...one, expected: one.expected }]))
  const isAgainst = says === 'against'
  const [shown] = isAgainst ? told.toSorted((a, b) => beyond(b) - beyond(a)) : told
  if (shown === undefined) return [word(!isAgainst, isAgainst ? 'worse than was expected' : 'as usual')]
  const { channel, n, x, expected } = shown
  const text = `${hitText(channel, x, n)}; ${expected.toFixed(1)} expected by its peers and its own past`
  return [word(!isAgainst, isAgainst ? text : `as usual: ${text}`)]
}

function named(name: string): string {
  return `vitrine_viewers_excess_${name}`
}

function beyond({
  n,
  x,
  expected,
}: {
  readonly n: number
  readonly x: number
  readonly expected: number
}): number {
  return (x - expected) / Math.sqrt(Math.max(1, expected * (1 - expected / n)))
}
