// Owns the editor of a rule file: CodeMirror inside a shadow root, with line numbers, the look of YAML, and the place of
// what is wrong. It is loaded when a rule is written, and only then.
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands'
import { StreamLanguage, syntaxHighlighting } from '@codemirror/language'
import { setDiagnostics } from '@codemirror/lint'
import { Compartment, EditorState } from '@codemirror/state'
import { EditorView, keymap, lineNumbers } from '@codemirror/view'
import { highlight, look } from '../query/editor-look.ts'
import { overSelection } from '../query/over-selection.ts'

export interface RuleEditorOptions {
  readonly place: HTMLElement
  readonly text: string
  readonly onText: (text: string) => void
  readonly onSave: () => void
}

export interface RuleEditor {
  readonly setText: (text: string) => void
  readonly setReadOnly: (isReadOnly: boolean) => void
  /** Null: nothing is wrong. */
  readonly mark: (problem: { readonly line: number; readonly text: string } | null) => void
  readonly goTo: (line: number) => void
  readonly close: () => void
}

export function openRuleEditor(options: RuleEditorOptions): RuleEditor {
  const root = options.place.shadowRoot ?? options.place.attachShadow({ mode: 'open' })
  const readOnly = new Compartment()
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: options.text,
      extensions: [
        keymap.of([
          {
            key: 'Mod-s',
            run: () => {
              options.onSave()
              return true
            },
          },
          ...historyKeymap,
          ...defaultKeymap,
          indentWithTab,
        ]),
        overSelection,
        history(),
        lineNumbers(),
        yaml,
        syntaxHighlighting(highlight),
        look,
        size,
        readOnly.of([]),
        EditorState.tabSize.of(2),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({
          'aria-label': 'Rule file',
          spellcheck: 'false',
          autocapitalize: 'none',
        }),
        EditorView.updateListener.of(update => {
          if (update.docChanged) options.onText(update.state.doc.toString())
        }),
      ],
    }),
  })
  const lineOf = (line: number): { from: number; to: number } =>
    view.state.doc.line(Math.max(1, Math.min(line, view.state.doc.lines)))
  return {
    setText: text => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } }),
    setReadOnly: isReadOnly =>
      view.dispatch({ effects: readOnly.reconfigure(isReadOnly ? EditorState.readOnly.of(true) : []) }),
    mark: problem => {
      const found =
        problem === null
          ? []
          : [
              {
                from: lineOf(problem.line).from,
                to: lineOf(problem.line).to,
                severity: 'error' as const,
                message: problem.text,
              },
            ]
      view.dispatch(setDiagnostics(view.state, found))
    },
    goTo: line => {
      view.dispatch({ selection: { anchor: lineOf(line).from }, scrollIntoView: true })
      view.focus()
    },
    close: () => view.destroy(),
  }
}

/** Enough to tell keys, texts and remarks apart. */
const yaml = StreamLanguage.define({
  token: stream => {
    if (stream.eatSpace()) return null
    if (stream.match(/^#.*/)) return 'comment'
    if (stream.match(/^"(?:[^"\\]|\\.)*"?/) || stream.match(/^'(?:[^']|'')*'?/)) return 'string'
    if (stream.match(/^[A-Za-z_][\w.-]*(?=\s*:(?:\s|$))/)) return 'keyword'
    if (stream.match(/^-?\d+(?:\.\d+)?(?:ms|[smhdwy])?(?![\w.])/)) return 'number'
    if (stream.match(/^[-:{}[\],>|]+/)) return 'operator'
    if (stream.match(/^[\w.$]+/)) return 'variableName'
    stream.next()
    return null
  },
})

const size = EditorView.theme({
  '.cm-scroller': { maxHeight: '62vh', minHeight: '300px' },
  '.cm-line': { padding: '0 12px 0 6px' },
  '.cm-gutters': {
    backgroundColor: 'var(--surface)',
    color: 'var(--faint)',
    borderRight: '1px solid var(--line)',
    fontSize: 'var(--t-s)',
  },
  '.cm-lineNumbers .cm-gutterElement': { padding: '0 8px 0 10px', minWidth: '34px' },
})
