// Owns how the facts of two servers are laid side by side: what is not the same, and since when. Pure.
// It refuses to call different what must be: paths of files, and whose certificate it is.
import type { DiffAnswer, FactDifference, ServerTags } from '#wire'
import type { StoredFact, StoredFacts } from '../state/facts.ts'

/** Two hosts of different distributions differ in thousands of packages; a page shows those that changed last. */
const LIST_MAX = 1000

interface Side {
  readonly value: string | null
  /** Null: as it was when anybody looked first. */
  readonly sinceMs: number | null
  /** When this server told facts for the first time. */
  readonly firstMs: number
}

type Kind = FactDifference['kind']
type Key = `${Kind} ${string}`

export type PairedFacts = Pick<DiffAnswer, 'differences' | 'packages' | 'equal'>

export interface PairSide {
  readonly region: string
  readonly tags: ServerTags
  readonly facts: StoredFacts | null
}

export function pairFacts(a: PairSide, b: PairSide): PairedFacts {
  const differences: FactDifference[] = []
  const equal = new Map<Kind, number>()
  const count = (kind: Kind): void => void equal.set(kind, (equal.get(kind) ?? 0) + 1)
  for (const [subject, left, right] of tagPairs(a, b)) {
    if (left === right) {
      if (left !== null) count('tag')
    } else differences.push({ kind: 'tag', subject, a: left, b: right, since: null })
  }
  if (a.facts !== null && b.facts !== null) {
    const [ofA, ofB] = [sidesOf(a.facts), sidesOf(b.facts)]
    for (const key of new Set([...ofA.keys(), ...ofB.keys()])) {
      const left = ofA.get(key) ?? absent(a.facts)
      const right = ofB.get(key) ?? absent(b.facts)
      if (left.value === null && right.value === null) continue
      const kind = key.slice(0, key.indexOf(' ')) as Kind
      if (compared(kind, left.value) === compared(kind, right.value)) count(kind)
      else differences.push(differenceOf(kind, key.slice(key.indexOf(' ') + 1), left, right))
    }
  }
  differences.sort(newestFirst)
  const packages = differences.filter(({ kind }) => kind === 'package')
  return {
    differences: differences.filter(({ kind }) => kind !== 'package').slice(0, LIST_MAX),
    packages: {
      onlyA: listOf(packages.filter(row => row.b === null)),
      onlyB: listOf(packages.filter(row => row.a === null)),
      otherVersion: listOf(packages.filter(row => row.a !== null && row.b !== null)),
    },
    equal: Object.fromEntries(equal),
  }
}

function tagPairs(a: PairSide, b: PairSide): readonly (readonly [string, string | null, string | null])[] {
  const capacity = ({ capacityBps }: ServerTags): string | null =>
    capacityBps === undefined ? null : `${capacityBps / 1e6} Mb/s`
  return [
    ['region', a.region, b.region],
    ['provider', a.tags.provider ?? null, b.tags.provider ?? null],
    ['instance type', a.tags.instanceType ?? null, b.tags.instanceType ?? null],
    ['capacity', capacity(a.tags), capacity(b.tags)],
  ]
}

function listOf(rows: readonly FactDifference[]): { total: number; list: FactDifference[] } {
  return { total: rows.length, list: rows.slice(0, LIST_MAX) }
}

/** By kind and subject; files by their name where the folder differs, as it does for each server of a host. */
function sidesOf({ facts, firstAt }: StoredFacts): Map<Key, Side> {
  const names = new Map<string, number>()
  for (const fact of facts) if (isFile(fact)) names.set(nameOf(fact), (names.get(nameOf(fact)) ?? 0) + 1)
  return new Map(
    facts.map(fact => {
      const [kind, subject, value, sinceMs] = fact
      const shown = isFile(fact) && names.get(nameOf(fact)) === 1 ? baseOf(subject) : subject
      return [`${kind} ${shown}` as Key, { value, sinceMs, firstMs: firstAt }] as const
    }),
  )
}

function isFile([kind]: StoredFact): boolean {
  return kind === 'configuration' || kind === 'certificate'
}

function nameOf([kind, subject]: StoredFact): string {
  return `${kind} ${baseOf(subject)}`
}

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function absent({ firstAt }: StoredFacts): Side {
  return { value: null, sinceMs: null, firstMs: firstAt }
}

/** Each server has a certificate of its own: what may be alike is the day on which it ends. */
function compared(kind: Kind, value: string | null): string | null {
  if (kind !== 'certificate' || value === null) return value
  const end = Date.parse(value.split(' until ')[1] ?? '')
  return Number.isNaN(end) ? value : new Date(end).toISOString().slice(0, 10)
}

function differenceOf(kind: Kind, subject: string, left: Side, right: Side): FactDifference {
  return { kind, subject, a: left.value, b: right.value, since: sinceOf(left, right) }
}

/**
 * When the younger of the two changed. One whose change is not known has not changed since it told for the first time:
 * a change of the other after that moment is the younger one, one before it may be or not.
 */
export function sinceOf(left: Side, right: Side): number | null {
  const times = [left.sinceMs, right.sinceMs].filter(time => time !== null)
  if (times.length === 0) return null
  const newest = Math.max(...times)
  const silent = [left, right].find(({ sinceMs }) => sinceMs === null)
  return silent !== undefined && newest < silent.firstMs ? null : newest
}

function newestFirst(one: FactDifference, other: FactDifference): number {
  return (
    (other.since ?? 0) - (one.since ?? 0) ||
    one.kind.localeCompare(other.kind) ||
    one.subject.localeCompare(other.subject)
  )
}
