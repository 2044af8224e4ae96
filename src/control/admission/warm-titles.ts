// Owns which titles a new edge fetches beforehand: those watched most in its region, else in the fleet, else the
// library's first. Pure.
import type { TitleReport } from '#wire'

const TITLES_MAX = 5

export interface WarmTitles {
  readonly ids: readonly string[]
  /** For people: `watched most in sa-east`. */
  readonly words: string
}

export interface WarmSource {
  readonly region: string
  readonly titles: readonly TitleReport[]
  /** Most watched first. */
  readonly inRegion: readonly string[]
  readonly inFleet: readonly string[]
}

export function chooseWarmTitles({ region, titles, inRegion, inFleet }: WarmSource): WarmTitles {
  const ready = titles.filter(({ state }) => state === 'ready')
  const known = new Set(ready.map(({ id }) => id))
  const top = (ids: readonly string[]): string[] => ids.filter(id => known.has(id)).slice(0, TITLES_MAX)
  const near = top(inRegion)
  if (near.length > 0) return { ids: near, words: `those watched most in ${region}` }
  const far = top(inFleet)
  if (far.length > 0) return { ids: far, words: 'those watched most in the fleet' }
  const first = ready.slice(0, TITLES_MAX).map(({ id }) => id)
  return { ids: first, words: first.length === 0 ? '' : 'nobody watches now, so the first of the library' }
}
