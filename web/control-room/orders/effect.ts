// Owns what an order will do to viewers, in words, before it is given. Pure.
// Steering has the last word; these words follow its rules, and promise nothing beyond them.
import type { OverrideKind, ServerView } from '#wire'

const ALONE =
  'No other edge takes viewers now, so steering goes on sending them here: the last edge that works is never emptied.'

export function effectOf(kind: OverrideKind, server: ServerView, servers: readonly ServerView[]): string {
  const { id, role } = server
  if (role !== 'edge') return `Alerts on ${id} are silent. It goes on serving as it does now.`
  const others = servers.filter(other => other.role === 'edge' && other.id !== id && (other.weight ?? 0) > 0)
  switch (kind) {
    case 'drain':
      return `${leaving(server, others)} ${id} is draining until the last viewer has gone, then drained.`
    case 'maintenance':
      return `${leaving(server, others)} Alerts on ${id} are silent meanwhile.`
    case 'keep':
      return `${id} stays in service whatever its witnesses say: ${staying(server.watching)}, and new ones come, also while it serves badly.`
    default:
      return kind satisfies never
  }
}

function leaving({ id, watching }: ServerView, others: readonly ServerView[]): string {
  if (others.length === 0) return ALONE
  const where = others.map(other => other.id).join(', ')
  if (watching === null) return `Its viewers move to ${where}. No new viewer comes.`
  if (watching === 0) return `Nobody watches through ${id}. New viewers go to ${where}.`
  const who = watching === 1 ? 'Its one viewer moves' : `Its ${watching} viewers move`
  return `${who} to ${where}, each at the next look of its player at the steering answer (5 to 30 s); a picture that plays goes on. No new viewer comes.`
}

function staying(watching: number | null): string {
  if (watching === null) return 'whoever watches through it stays'
  if (watching === 0) return 'nobody watches through it now'
  return watching === 1 ? 'its one viewer stays' : `its ${watching} viewers stay`
}

/** What ending the order does. */
export function effectOfRelease({ id, role, override, evidence }: ServerView): string {
  if (role !== 'edge') return `Alerts on ${id} are heard again.`
  const against = evidence.filter(word => !word.ok)
  if (against.length === 0)
    return `The witnesses decide again: all speak for ${id}, and viewers come back to it${override?.kind === 'keep' ? '' : ' in steps: 1, 10, then 100 % of new sessions'}.`
  const many = against.length === 1 ? 'one speaks' : `${against.length} speak`
  return override?.kind === 'keep'
    ? `The witnesses decide again: ${many} against ${id}, so it may lose its viewers at once.`
    : `The witnesses decide again: ${many} against ${id}, so it may stay out of service.`
}
