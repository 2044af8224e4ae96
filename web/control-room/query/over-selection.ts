// Owns typing over a selection in editors.
import type { Extension, Transaction } from '@codemirror/state'
import { EditorView } from '@codemirror/view'

/**
 * Typing over a selection is done here, not by the browser: Chromium would keep the look of what is replaced with an
 * inline style, which the content policy refuses and reports.
 */
export const overSelection: Extension = EditorView.domEventHandlers({
  beforeinput: (event, view) => {
    const { data, inputType, isComposing } = event
    const { from, to, empty } = view.state.selection.main
    if (inputType !== 'insertText' || data === null || isComposing || empty) return false
    event.preventDefault()
    const insert = (): Transaction =>
      view.state.update(view.state.replaceSelection(data), { userEvent: 'input.type', scrollIntoView: true })
    // Closing brackets is such a handler.
    const taken = view.state.facet(EditorView.inputHandler).some(take => take(view, from, to, data, insert))
    if (!taken) view.dispatch(insert())
    return true
  },
})
