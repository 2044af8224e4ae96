// Owns how the expression editor looks, in the page's own colours. The rules reach the editor through a constructed
// style sheet of its shadow root, because the pages' content policy refuses <style> elements.
import { HighlightStyle } from '@codemirror/language'
import type { Extension } from '@codemirror/state'
import { EditorView } from '@codemirror/view'
import { tags } from '@lezer/highlight'

export const highlight: HighlightStyle = HighlightStyle.define([
  { tag: tags.name, color: 'var(--text)' },
  { tag: tags.number, color: 'var(--series-3)' },
  { tag: tags.string, color: 'var(--series-6)' },
  { tag: tags.keyword, color: 'var(--series-4)' },
  { tag: tags.function(tags.variableName), color: 'var(--series-1)' },
  { tag: tags.labelName, color: 'var(--series-5)' },
  { tag: tags.operator, color: 'var(--dim)' },
  { tag: tags.modifier, color: 'var(--series-4)' },
  { tag: tags.paren, color: 'var(--dim)' },
  { tag: tags.squareBracket, color: 'var(--dim)' },
  { tag: tags.brace, color: 'var(--dim)' },
  { tag: tags.invalid, color: 'var(--unreachable)' },
  { tag: tags.comment, color: 'var(--faint)', fontStyle: 'italic' },
])

export const look: Extension = EditorView.theme({
  '&': {
    backgroundColor: 'var(--surface)',
    color: 'var(--text)',
    borderRadius: 'var(--r1)',
    border: '1px solid var(--line-field)',
  },
  '&.cm-focused': { outline: '2px solid var(--focus)', outlineOffset: '1px' },
  '.cm-scroller': {
    fontFamily: 'var(--mono)',
    fontSize: 'var(--t-m)',
    lineHeight: '1.5',
    maxHeight: '220px',
  },
  '.cm-content': { padding: '10px 0', caretColor: 'var(--text)', minHeight: '80px' },
  '.cm-line': { padding: '0 12px' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': {
    background: 'var(--accent-bg) !important',
  },
  '.cm-placeholder': { color: 'var(--faint)' },
  '&.cm-focused .cm-matchingBracket': {
    backgroundColor: 'var(--accent-bg)',
    outline: '1px solid var(--line-strong)',
  },
  '&.cm-focused .cm-nonmatchingBracket': { backgroundColor: 'var(--unreachable-bg)' },
  '.cm-lintRange-error': {
    backgroundImage: 'none',
    textDecoration: 'underline wavy var(--unreachable) 1.5px',
    textUnderlineOffset: '4px',
  },
  '.cm-tooltip': {
    backgroundColor: 'var(--raised)',
    color: 'var(--text)',
    border: '1px solid var(--line-strong)',
    borderRadius: 'var(--r1)',
    boxShadow: 'var(--shadow)',
    fontFamily: 'var(--font)',
    fontSize: 'var(--t-s)',
    zIndex: '30',
  },
  '.cm-diagnostic': { padding: '6px 10px', borderLeft: '3px solid var(--unreachable)' },
  '.cm-word-note': { maxWidth: '460px', padding: '7px 10px', lineHeight: '1.45' },
  '.cm-word-note b': { fontFamily: 'var(--mono)', fontWeight: '600' },
  '.cm-word-note small': { marginLeft: '8px', color: 'var(--dim)', fontSize: 'var(--t-xs)' },
  '.cm-word-note p': { margin: '3px 0 0' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': {
    fontFamily: 'var(--mono)',
    maxHeight: '270px',
    minWidth: '280px',
    maxWidth: 'min(620px, 92vw)',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': {
    padding: '3px 10px 3px 4px',
    lineHeight: '1.5',
    display: 'flex',
  },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { background: 'var(--accent-bg)', color: 'var(--text)' },
  '.cm-completionLabel': { flex: '1', overflow: 'hidden', textOverflow: 'ellipsis' },
  '.cm-completionMatchedText': { textDecoration: 'none', color: 'var(--accent)', fontWeight: '650' },
  '.cm-completionDetail': {
    marginLeft: '16px',
    color: 'var(--dim)',
    fontStyle: 'normal',
    fontFamily: 'var(--font)',
    fontSize: 'var(--t-xs)',
  },
  '.cm-completionIcon': { display: 'none' },
  '.cm-tooltip.cm-completionInfo': { maxWidth: '340px', padding: '7px 10px', lineHeight: '1.45' },
})
