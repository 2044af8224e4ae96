// Owns the moment at which the scripts' page takes the place of the first screen that the control room wrote: at once,
// when there is as much to show, and with what a person has begun to write.

const FIELD = '#first-screen textarea[name="text"]'
export const NOTE_FIELD = 'incident-note'

/** What was typed into the first screen's note; '' where there is none. */
export function typedNote(): string {
  return document.querySelector<HTMLTextAreaElement>(FIELD)?.value ?? ''
}

export function takeOver(): void {
  forgetMarks()
  const first = document.querySelector('#first-screen')
  if (first === null) return
  const typing = document.activeElement?.matches(FIELD) === true
  const top = window.scrollY
  first.remove()
  window.scrollTo(0, top)
  // Both places are in the layout until now: their heads are at the same height.
  if (typing) document.querySelector<HTMLElement>(`#${NOTE_FIELD}`)?.focus({ preventScroll: true })
}

/** What the address says of how the page was come by: nobody passes that on. */
function forgetMarks(): void {
  const url = new URL(location.href)
  const marks = ['told', 'again'].filter(name => url.searchParams.has(name))
  if (marks.length === 0) return
  for (const name of marks) url.searchParams.delete(name)
  history.replaceState(history.state, '', url)
}
