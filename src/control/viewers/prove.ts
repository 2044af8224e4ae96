// Owns what a grant does to its session: the reference is proven, or stays claimed and the reason stands beside it. In any
// order: a grant that comes before its title is known waits for it.
import { type GrantRefusal, type referenceProofs, type ViewerEvent, viewerGrantKey } from '#wire'
import type { Granted, Grants } from './grants.ts'
import type { Session } from './session.ts'

/** A player repeats one grant; more bad ones than this of one session are not looked at. */
const TRIES_MAX = 4

/** Of a session for which a grant came. */
export interface SessionGrant {
  isProven: boolean
  tries: number
  /** Of the last one that proved nothing. */
  refused: GrantRefusal | null
  /** Signed and in time; the reference as it is stored. */
  waits: Granted | null
}

export interface ProveWords {
  readonly grants?: Pick<Grants, 'check' | 'count'>
  storedRef(this: void, reference: string): string
}

export function takeGrant(session: Session, { keys, at }: ViewerEvent, words: ProveWords): void {
  const text = keys[viewerGrantKey]
  if (typeof text !== 'string' || words.grants === undefined) return
  session.grant ??= { isProven: false, tries: 0, refused: null, waits: null }
  const { grant } = session
  if (grant.isProven || grant.waits !== null || grant.tries >= TRIES_MAX) return
  const found = words.grants.check(text, { sid: session.sid, at })
  if (typeof found !== 'string') {
    grant.waits = { reference: words.storedRef(found.reference), stream: found.stream }
    return
  }
  grant.refused = found
  // Not looked at: it may come again.
  if (found !== 'too-many') grant.tries += 1
}

/** To be called when a title may have become known. */
export function settleGrant(session: Session, { grants }: ProveWords): void {
  const { grant, title } = session
  if (grant == null || grant.waits === null || title === null) return
  const { reference, stream } = grant.waits
  grant.waits = null
  if (stream !== title) {
    grant.tries += 1
    grant.refused = 'wrong-stream'
    grants?.count('wrong-stream')
    return
  }
  grant.isProven = true
  grant.refused = null
  session.viewerRef = reference
  grants?.count('proven')
}

/** Null: there is no reference. */
export function proofOf({ viewerRef, grant }: Session): (typeof referenceProofs)[number] | null {
  if (viewerRef === null) return null
  return grant?.isProven === true ? 'proven' : 'claimed'
}
