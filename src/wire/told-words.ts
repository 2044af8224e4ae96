// Owns the one sentence that says who was told of an incident, from its timeline. Pure: the page of the control room and
// the one behind a link say the same.
import type { IncidentEvent } from './incidents.ts'

const NAMES_SHOWN = 4

export interface ToldWords {
  /** When somebody was told first. */
  readonly at: number
  readonly text: string
}

/** Null: nobody was told. `events` may stand in any order. */
export function toldWords(events: readonly Pick<IncidentEvent, 'at' | 'kind' | 'text'>[]): ToldWords | null {
  const notices = events.filter(({ kind }) => kind === 'notified').toSorted((a, b) => a.at - b.at)
  const [first] = notices
  if (first === undefined) return null
  const named = (what: RegExp): string[] => {
    const names = notices.flatMap(({ text }) => what.exec(text)?.[1] ?? [])
    // People before chats and programs: `bo (bo-phone)`.
    return [...new Set(names)].toSorted((a, b) => Number(b.endsWith(')')) - Number(a.endsWith(')')))
  }
  const rung = named(/^Rang (.+): [a-z-]+$/)
  const told = named(/^Told (.+): [a-z-]+$/).filter(name => !rung.includes(name))
  const lost = named(/^Could not be told to ([^:]+):/).filter(name => !rung.includes(name))
  const parts = [
    rung.length === 0 ? null : `rang ${listed(rung)}`,
    told.length === 0 ? null : `told ${listed(told)}`,
    lost.length === 0 ? null : `did not reach ${listed(lost)}`,
  ].filter(part => part !== null)
  // Nothing has arrived yet, or there is nobody: the newest line says which.
  if (parts.length === 0) return { at: first.at, text: notices.at(-1)?.text ?? '' }
  const text = parts.join('; ')
  const firstTold = notices.find(({ text: line }) => /^(Rang|Told) /.test(line)) ?? first
  return { at: firstTold.at, text: `${text.charAt(0).toUpperCase()}${text.slice(1)}` }
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_SHOWN).join(', ')
  return names.length > NAMES_SHOWN ? `${shown} and ${names.length - NAMES_SHOWN} more` : shown
}
