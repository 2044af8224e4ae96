// Owns what every kind of receiver has in common: what it is given, and how it says what came of it.
import type { Closable } from '#base'
import type { ReceiverKind } from '#wire'
import type { NoticeMessage, Words } from './message.ts'

/** One attempt. */
export interface Outgoing {
  /** The same at each attempt. */
  readonly key: string
  readonly message: NoticeMessage
  readonly words: Words
  /** To the incident; null: of a test. */
  readonly link: string | null
  /** Where the control room is reached. */
  readonly url: string
  /** Fleet time. */
  readonly at: number
}

export type Outcome =
  | { readonly ok: true; readonly answer: string }
  | {
      readonly ok: false
      /** In words, with what came where something came. */
      readonly problem: string
      /** How long it asked us to wait; null: it did not. */
      readonly waitMs: number | null
      /** Trying again cannot help: it is the message that is refused. */
      readonly final: boolean
    }

export interface Receiver extends Closable {
  readonly kind: ReceiverKind
  /** Where it goes, without what is secret. */
  readonly to: string
  /** Whether it gets what rings nobody, where the configuration does not say. */
  readonly quietByDefault: boolean
  /** Never rejects. */
  send(this: void, outgoing: Outgoing): Promise<Outcome>
  /** Of one that forgets alerts that are not told again: called each minute with what is open. */
  refresh?(this: void, open: readonly Outgoing[]): Promise<Outcome>
}

export function failed(problem: string, final = false): Outcome {
  return { ok: false, problem, waitMs: null, final }
}
