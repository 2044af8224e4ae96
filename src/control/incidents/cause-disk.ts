// Owns telling a full disk: of a cache that could not write, of a file system that is full or filling, of the store. Pure.
// A file system that is full hurts nobody by itself: whether the cache still writes stands beside it.
import type { CauseInput, Named } from './cause.ts'
import { has, names, percent, summaries } from './cause-words.ts'
import type { ServerFacts } from './facts.ts'

const DISK_FULL = 0.02
const CACHE_ALERT = 'CacheDiskFails'

export function diskFull(input: CauseInput): Named | null {
  const figuresOf = (id: string) => input.figures.get(id) ?? {}
  const noRoom = input.servers.filter(({ id }) => why(input, id) === 'full')
  const full = input.servers.filter(({ id }) => (figuresOf(id).diskFree ?? 1) < DISK_FULL)
  const either = input.servers.filter(server => noRoom.includes(server) || full.includes(server))
  // A cache whose disk fails for want of something else than room is no full disk.
  const filling = input.alerts.some(
    ({ labels }) => labels['alertname'] === 'DiskFilling' || labels['alertname'] === 'MetricsRefused',
  )
  if (either.length === 0 && !(filling && has(input, 'disk'))) return null
  const writes = full.filter(({ id }) => figuresOf(id).cacheWrites === true)
  return {
    kind: 'disk-full',
    text: textOf(either.length > 0 ? either : input.servers, noRoom, full),
    confidence: confidenceOf(noRoom, full, writes),
    for: [
      ...noRoom.map(({ id }) => `${id}: its cache could not write, no room is left`),
      ...full.map(({ id }) => `${id}: ${percent(figuresOf(id).diskFree ?? 0)} of its fullest disk is free`),
      ...summaries(input, 'disk'),
    ],
    against: [
      ...writes.map(({ id }) => `${id}: its cache writes all the same`),
      ...noRoom
        .filter(({ id }) => (figuresOf(id).diskFree ?? 0) >= DISK_FULL)
        .map(
          ({ id }) =>
            `${id}: ${percent(figuresOf(id).diskFree ?? 0)} of every disk that its agent sees is free: a quota, inodes, or a disk that the agent does not see`,
        ),
    ],
  }
}

/** What its cache says of itself. */
function why({ alerts }: CauseInput, id: string): string | null {
  const own = alerts.find(({ labels, server }) => server === id && labels['alertname'] === CACHE_ALERT)
  return own?.labels['why'] ?? null
}

function textOf(
  those: readonly ServerFacts[],
  noRoom: readonly ServerFacts[],
  full: readonly ServerFacts[],
): string {
  if (those.length === 0) return 'The disk of the control room is full or fails.'
  if (noRoom.length > 0) return `The disk of the cache of ${names(noRoom)} is full: it keeps nothing new.`
  return `A disk of ${names(those)} is ${full.length > 0 ? 'full' : 'filling'}.`
}

function confidenceOf(
  noRoom: readonly ServerFacts[],
  full: readonly ServerFacts[],
  writes: readonly ServerFacts[],
): number {
  if (noRoom.length > 0) return 0.9
  if (full.length === 0) return 0.75
  return writes.length === full.length ? 0.6 : 0.9
}
