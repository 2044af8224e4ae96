// Owns whether others reach a new edge: the control room, and at least one other edge where there is one. It reads
// what probes saw, and makes none of its own.
import { CONTROL_ID, type Fleet, type ServerRecord } from '../fleet/fleet.ts'
import { fail, millis, pass, type Verdict } from './verdict.ts'

/** Probes come each second. */
const LOOK_AGE_MS_MAX = 5000
const NAMED_MAX = 3

/** `fromMs`: when the run began; looks from before say nothing about what is asked now. */
export function portsVerdict(
  record: ServerRecord,
  fleet: Fleet,
  { nowMs, fromMs }: { readonly nowMs: number; readonly fromMs: number },
): Verdict {
  const looks = [...record.outside].flatMap(([observer, log]) => {
    const last = log.last()
    const isFresh = last !== null && last.atMs >= fromMs && nowMs - last.atMs <= LOOK_AGE_MS_MAX
    return isFresh ? [{ observer, last }] : []
  })
  const own = looks.find(({ observer }) => observer === CONTROL_ID)
  const edges = looks.filter(({ observer }) => observer !== CONTROL_ID)
  const answered = edges.filter(({ last }) => last.httpMs !== null)
  const hasPeers = fleet.edges().some(edge => edge.id !== record.id && edge.isLinked)
  const isOwnWell = own !== undefined && own.last.httpMs !== null
  const words = [
    ...(own === undefined ? [] : [own]),
    ...answered,
    ...edges.filter(one => !answered.includes(one)),
  ]
    .slice(0, NAMED_MAX + 1)
    .map(({ observer, last }) => {
      const who = observer === CONTROL_ID ? 'control room' : observer
      return last.httpMs === null
        ? `${who}: ${last.error ?? 'no answer'}`
        : `${who} in ${millis(last.httpMs)}`
    })
  if (isOwnWell && !hasPeers)
    return pass(`Reached by ${words.join(', ')}; there is no other edge that could look.`)
  if (isOwnWell && answered.length > 0) {
    const rest = edges.length - NAMED_MAX
    return pass(`Reached by ${words.join(', ')}${rest > 0 ? `, and ${rest} more looked` : ''}.`)
  }
  const seen = words.length === 0 ? 'Nobody has looked yet' : words.join('; ')
  const missing =
    own === undefined ? '' : isOwnWell && edges.length === 0 ? '; no other edge has looked yet' : ''
  return fail(
    `${seen}${missing}.`,
    'Open the port of its address to viewers, the control room and other edges: vitrine doctor --firewall edge.',
  )
}
