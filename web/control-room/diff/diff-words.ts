// Owns what the page of two servers says in words: what differs, what is equal, and how far figures are apart. Pure.
import type { BehaviourDifference, DiffAnswer, FactDifference } from '#wire'

const KINDS: Readonly<Record<FactDifference['kind'], { readonly one: string; readonly many: string }>> = {
  version: { one: 'version', many: 'versions' },
  package: { one: 'package', many: 'packages' },
  kernel: { one: 'kernel', many: 'kernel' },
  parameter: { one: 'kernel parameter', many: 'kernel parameters' },
  hardware: { one: 'part of the hardware', many: 'parts of the hardware' },
  configuration: { one: 'configuration', many: 'configuration files' },
  certificate: { one: 'certificate’s end', many: 'certificates’ ends' },
  'time-source': { one: 'time source', many: 'time source' },
  tag: { one: 'tag', many: 'tags' },
}

/** Numbers first: `312 packages`, then what there is but one of. */
const ORDER: readonly FactDifference['kind'][] = [
  'package',
  'parameter',
  'version',
  'hardware',
  'tag',
  'kernel',
  'configuration',
  'certificate',
  'time-source',
]

/** There is but one of them. */
const ALONE: ReadonlySet<FactDifference['kind']> = new Set(['kernel', 'configuration', 'time-source'])

export function kindName(kind: FactDifference['kind']): string {
  return kind === 'hardware' ? kind : KINDS[kind].one
}

/** `Equal: 312 packages, 15 kernel parameters, kernel and configuration.` Null: nothing is. */
export function equalText(equal: DiffAnswer['equal']): string | null {
  const parts = ORDER.flatMap(kind => {
    const count = equal[kind] ?? 0
    if (count === 0) return []
    if (count > 1) return [`${count} ${KINDS[kind].many}`]
    return [ALONE.has(kind) ? KINDS[kind].one : `one ${KINDS[kind].one}`]
  })
  if (parts.length === 0) return null
  const last = parts.pop() ?? ''
  return `Equal: ${parts.length === 0 ? last : `${parts.join(', ')} and ${last}`}.`
}

export function countDifferences({ differences, packages }: DiffAnswer): number {
  const { onlyA, onlyB, otherVersion } = packages
  return differences.length + onlyA.total + onlyB.total + otherVersion.total
}

/** The newest moment at which they began to differ; null: not known of any. */
export function newestSince({ differences, packages }: DiffAnswer): number | null {
  const lists = [packages.onlyA.list, packages.onlyB.list, packages.otherVersion.list, differences]
  const times = lists.flat().flatMap(({ since }) => (since === null ? [] : [since]))
  return times.length === 0 ? null : Math.max(...times)
}

/** `4.4 times`, `alike`, or why it cannot be told. */
export function apartText(
  { apart, times, a, b }: BehaviourDifference,
  names: readonly [string, string],
): string {
  if (apart === 'near') return 'alike'
  if (apart !== 'unknown') {
    const size = times ?? 1
    const text = size >= 100 ? 'over 100 times' : `${size.toFixed(1)} times`
    return `${text}, more on ${(a?.median ?? 0) > (b?.median ?? 0) ? names[0] : names[1]}`
  }
  const few = [a, b].flatMap((figures, side) => {
    if (figures === null) return [`none of ${names[side] ?? ''}`]
    return figures.n < MINUTES_MIN ? [`${figures.n} of ${names[side] ?? ''}`] : []
  })
  return `too few minutes: ${few.join(', ')}`
}

/** As the control room has it. */
const MINUTES_MIN = 5

/** Of a list of packages, those whose name or version has the words. */
export function filtered(list: readonly FactDifference[], words: string): readonly FactDifference[] {
  const wanted = words.trim().toLowerCase()
  if (wanted === '') return list
  return list.filter(({ subject, a, b }) =>
    [subject, a ?? '', b ?? ''].some(text => text.toLowerCase().includes(wanted)),
  )
}

/** The two that the address names, where the fleet has them; else the first two of one role. */
export function readPair(
  search: URLSearchParams,
  servers: readonly { readonly id: string; readonly role: string }[],
): { readonly a: string; readonly b: string } | null {
  const known = servers.filter(({ role }) => role !== 'control').map(({ id }) => id)
  const asked = (name: string): string | null => {
    const id = search.get(name)
    return id !== null && known.includes(id) ? id : null
  }
  const a = asked('a') ?? known.find(id => id !== asked('b')) ?? null
  const b = asked('b') ?? known.find(id => id !== a) ?? null
  return a === null || b === null ? null : { a, b }
}
