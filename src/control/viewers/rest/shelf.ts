// Owns where sessions are while they go on: a few are open, because something just came for them; all others rest as
// bytes. Of each a head stands ready: what is asked for too often to open it. It refuses when its memory is full.
import type { SessionView } from '#wire'
import { runsOf } from '../edge-runs.ts'
import type { Figures } from '../figures.ts'
import type { Session } from '../session.ts'
import { BlockPool, NOWHERE } from './block-pool.ts'
import { packSession, unpackSession } from './packed-session.ts'

/** Open ones take 12 KB each, resting ones 2; an edge's message is of fewer. */
const OPEN_MAX = 1024
const TEXTS_MAX = 10_000

export interface Head {
  readonly sid: string
  /** Null: it rests. */
  session: Session | null
  place: number
  records: number
  heardAt: number
  firstAt: number
  lastAt: number
  title: string | null
  player: string | null
  viewerRegion: string | null
  viewerRef: string | null
  /** As it was accounted last. `edges`: `,a,b,` */
  edges: string
  state: SessionView['state']
  attempt: SessionView['attempt']
  estimated: boolean
  rebufferS: number
  /** Until then nothing is to be told of it, unless something comes. */
  waitsUntil: number
}

export class Shelf {
  readonly #pool: BlockPool
  readonly #open = new Set<Head>()
  /** A title is one text, not one for each of its viewers. */
  readonly #texts = new Map<string, string>()

  constructor(bytesMax: number) {
    this.#pool = new BlockPool(bytesMax)
  }

  bytes(): number {
    return this.#pool.bytes()
  }

  bytesMax(): number {
    return this.#pool.bytesMax()
  }

  /** A head of an open session. */
  add(session: Session): Head {
    const { sid, heardAt, firstAt, lastAt } = session
    const head: Head = {
      sid,
      session,
      place: NOWHERE,
      records: 0,
      heardAt,
      firstAt,
      lastAt,
      title: null,
      player: null,
      viewerRegion: null,
      viewerRef: null,
      edges: '',
      state: 'starting',
      attempt: 'starting',
      estimated: false,
      rebufferS: 0,
      waitsUntil: 0,
    }
    this.#open.add(head)
    this.note(head, session)
    return head
  }

  /** To be changed. */
  open(head: Head): Session {
    if (head.session === null) {
      head.session = unpackSession(this.#pool.read(head.place))
      this.#open.add(head)
    }
    return head.session
  }

  /** To be looked at. */
  read({ session, place }: Head): Session {
    return session ?? unpackSession(this.#pool.read(place))
  }

  /** As bytes; a view that holds until the next call. */
  packed({ session, place }: Head): Buffer {
    return session === null ? this.#pool.read(place) : packSession(session)
  }

  /** False: there is no room; it stays open. */
  rest(head: Head): boolean {
    if (head.session === null) return true
    const place = this.#pool.put(head.place, packSession(head.session))
    head.place = place ?? NOWHERE
    if (place === null) return false
    head.session = null
    this.#open.delete(head)
    return true
  }

  /** The one that is open for the longest; null: there are not too many. */
  crowded(): Head | null {
    if (this.#open.size <= OPEN_MAX) return null
    const [first] = this.#open
    return first ?? null
  }

  drop(head: Head): void {
    this.#open.delete(head)
    this.#pool.free(head.place)
    head.place = NOWHERE
  }

  /** After a record. */
  note(head: Head, session: Session): void {
    head.records = session.events + session.requests
    head.heardAt = session.heardAt
    head.firstAt = session.firstAt
    head.lastAt = session.lastAt
    if (head.title === null) head.title = this.#text(session.title)
    if (head.player === null) head.player = this.#text(session.player)
    if (head.viewerRegion === null) head.viewerRegion = this.#text(session.viewerRegion)
    if (head.viewerRef === null) head.viewerRef = session.viewerRef
  }

  /** After it was accounted. */
  noteFigures(head: Head, session: Session, { state, attempt, estimated, rebufferS }: Figures): void {
    head.state = state
    head.attempt = attempt
    head.estimated = estimated
    head.rebufferS = rebufferS
    head.edges = this.#text(edgesOf(session)) ?? ''
  }

  #text(text: string | null): string | null {
    if (text === null) return null
    const known = this.#texts.get(text)
    if (known !== undefined) return known
    if (this.#texts.size >= TEXTS_MAX) this.#texts.clear()
    this.#texts.set(text, text)
    return text
  }
}

/** `,a,b,`; nothing where none is known. */
export function edgesOf(session: Session): string {
  const runs = runsOf(session)
  const [first] = runs
  if (first === undefined) return ''
  if (runs.length === 1) return `,${first.edge},`
  return `,${[...new Set(runs.map(({ edge }) => edge))].join(',')},`
}
