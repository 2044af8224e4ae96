// Owns what a reader of the first screen can do: forms and buttons that work without a script. What the reader may not
// do is not shown.
import { clockWords } from '#receivers'
import { escape, fitting, text } from './html.ts'
import type { Screen } from './screen.ts'

/** Names of the forms' fields and of what they do. */
export const acts = ['acknowledge', 'wait', 'comment', 'assign'] as const
export type Act = (typeof acts)[number]
export const NOTE_MAX = 4000
/** A hundred people; the scripts' page lists them all. */
const OPTIONS_BYTES_MAX = 4 * 1024

/** Fixed at the thumb on a phone. Other acts find their place beside these two. */
export function actions(screen: Screen): string {
  const { reader, resolvedAt, acknowledgedBy, morning, zone } = screen
  const low = reader.kind === 'link' ? ' low' : ''
  if (resolvedAt !== null) {
    return reader.kind === 'link'
      ? `<div class="thumb${low}"><p>It is over: there is nothing to do.</p></div>`
      : ''
  }
  if (reader.kind === 'link') {
    if (acknowledgedBy !== null)
      return `<div class="thumb${low}"><p><b>${text(acknowledgedBy)}</b> has it.</p></div>`
    const until = escape(clockWords(reader.expiresAt, zone))
    return `<div class="thumb${low}"><form method="post">${button('acknowledge', 'I have it', true)}<small>As ${text(reader.recipient)}. This link works until ${until}.</small></form></div>`
  }
  const fields = proof(screen)
  if (fields === null) return ''
  const owner = acknowledgedBy === null ? null : (screen.assignedTo ?? acknowledgedBy)
  const take =
    owner === null
      ? button('acknowledge', 'I have it', true)
      : owner === reader.name
        ? ''
        : `<input type="hidden" name="to" value="${escape(reader.name)}">${button('assign', 'Take it over')}`
  const wait =
    morning === null || morning === screen.waitUntil
      ? ''
      : button('wait', `Wait until ${clockWords(morning, zone).slice(0, 5)}`)
  return `<div class="thumb"><form method="post" action="${address(screen)}">${fields}${take}${wait}</form></div>`
}

export function noteForm(screen: Screen): string {
  const fields = proof(screen)
  if (fields === null) return ''
  return `<form class="note" method="post" action="${address(screen)}">${fields}<label><span class="hid">Note</span><textarea name="text" rows="2" maxlength="${NOTE_MAX}" required placeholder="A note for those who read this later"></textarea></label>${button('comment', 'Note')}</form>`
}

export function handForm(screen: Screen): string {
  const { reader, resolvedAt } = screen
  const fields = proof(screen)
  if (fields === null || reader.kind === 'link' || resolvedAt !== null) return ''
  const others = reader.people.filter(name => name !== (screen.assignedTo ?? ''))
  const options = fitting(
    others.map(name => `<option value="${escape(name)}">${text(name)}</option>`),
    OPTIONS_BYTES_MAX,
  )
  const form =
    others.length === 0
      ? '<p class="dim">Nobody else is here who may act. An admin invites people.</p>'
      : `<form class="hand" method="post" action="${address(screen)}">${fields}<label><span class="hid">Hand it to</span><select name="to">${options.join('')}</select></label>${button('assign', 'Hand over')}</form>`
  return `<details><summary>Hand it over</summary>${form}</details><p><a href="/silences?incident=${encodeURIComponent(screen.id)}">Silence these alerts</a></p>`
}

function address({ id }: Screen): string {
  return `/incidents/${encodeURIComponent(id)}`
}

/** Null: this reader cannot act from here. */
function proof({ reader }: Screen): string | null {
  if (reader.kind === 'link' || !reader.mayAct || reader.csrf === null) return null
  return `<input type="hidden" name="csrf" value="${escape(reader.csrf)}">`
}

function button(act: Act, words: string, isMain = false): string {
  return `<button type="submit" name="act" value="${act}"${isMain ? ' class="main"' : ''}>${escape(words)}</button>`
}
