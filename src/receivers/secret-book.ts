// Owns secrets of receivers: where they are found, and that no text for people holds one. A place that holds nothing is
// refused at the start.
import { readFileSync } from 'node:fs'
import { messageOf, Secret } from '#base'
import type { SecretPlace } from '#wire'
import { receiverFaults } from './faults.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** Shorter ones would make stars of half of every text. */
const SHOWN_LENGTH_MIN = 6
/** Of the last part of a path, which may be a plain word. */
const KEY_LENGTH_MIN = 16

/** An address is a secret for its path: an answer may tell that alone (`no such hook: /services/T0/B0/KEY`). */
function pathOf(value: string): string[] {
  if (!/^https?:\/\//.test(value) || !URL.canParse(value)) return []
  const { pathname, search, hash } = new URL(value)
  const last = pathname.split('/').at(-1) ?? ''
  const parts = [`${pathname}${search}${hash}`, `${pathname}${search}`, pathname, search.slice(1), last]
  // A word such as `webhook` is none; whoever has the path has the secret.
  return parts.filter(
    (part, n) => part.length >= (n === parts.length - 1 ? KEY_LENGTH_MIN : SHOWN_LENGTH_MIN),
  )
}

/** Every secret that was read, for the one place that cleans texts. */
export class SecretBook {
  readonly #environment: Environment
  readonly #known: Secret[] = []

  constructor(environment: Environment) {
    this.#environment = environment
  }

  /** `what` is for the message, for example `receiver pager: routingKey`. */
  read(place: SecretPlace, what: string): Secret {
    const secret = new Secret(this.#value(place, what))
    this.#known.push(secret)
    return secret
  }

  /** The text with stars in the place of each secret. */
  clean(text: string): string {
    return this.#known
      .map(secret => secret.reveal())
      .filter(value => value.length >= SHOWN_LENGTH_MIN)
      .flatMap(value => [value, encodeURIComponent(value), ...pathOf(value)])
      .reduce((shown, value) => shown.replaceAll(value, '***'), text)
  }

  #value(place: SecretPlace, what: string): string {
    if (typeof place === 'string') return place
    if ('env' in place) {
      const value = this.#environment[place.env]
      if (value !== undefined && value !== '') return value
      throw receiverFaults.fault('receivers-invalid', `${what}: ${place.env} is not set in the environment`)
    }
    let text: string
    try {
      text = readFileSync(place.file, 'utf8').trim()
    } catch (error) {
      throw receiverFaults.fault('receivers-invalid', `${what}: ${messageOf(error)}`, { cause: error })
    }
    if (text !== '') return text
    throw receiverFaults.fault('receivers-invalid', `${what}: ${place.file} is empty`)
  }
}
