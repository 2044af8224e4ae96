// Owns the expression editor: CodeMirror with PromQL inside a shadow root. It is loaded when the query page is
// opened, and only then.
import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  closeCompletion,
  completionKeymap,
  completionStatus,
  selectedCompletion,
  startCompletion,
} from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap, insertNewlineAndIndent } from '@codemirror/commands'
import { bracketMatching, syntaxHighlighting } from '@codemirror/language'
import { type Diagnostic, forEachDiagnostic, nextDiagnostic } from '@codemirror/lint'
import { EditorState, type Extension, Prec } from '@codemirror/state'
import { EditorView, hoverTooltip, keymap, placeholder, type ViewUpdate } from '@codemirror/view'
import { PromQLExtension } from '@prometheus-io/codemirror-promql'
import {
  CachedPrometheusClient,
  HTTPPrometheusClient,
} from '@prometheus-io/codemirror-promql/dist/esm/client/prometheus.js'
import { HybridLint } from '@prometheus-io/codemirror-promql/dist/esm/lint/hybrid.js'
import { highlight, look } from './editor-look.ts'
import { overSelection } from './over-selection.ts'
import { plainWords } from './plain-words.ts'
import { type Metadata, noteOn, type WordNote, withOwnNotes } from './word-notes.ts'

/** What the editor says about where the cursor is: an error there or anywhere, else the word under it. */
export type EditorNote =
  | { readonly kind: 'error'; readonly text: string; readonly at: number }
  | { readonly kind: 'word'; readonly note: WordNote }
  | null

export interface EditorOptions {
  readonly place: HTMLElement
  readonly text: string
  readonly label: string
  readonly hint: string
  readonly onRun: () => void
  readonly onText: (text: string) => void
  readonly onNote: (note: EditorNote) => void
  /** An older or a newer expression of the history, or null at its end. */
  readonly onStep: (older: boolean) => string | null
}

export interface Editor {
  readonly text: () => string
  readonly setText: (text: string) => void
  readonly focus: (at: number | null) => void
  readonly close: () => void
}

const METRICS_WITH_METADATA_MAX = 20_000

export function openEditor(options: EditorOptions): Editor {
  const root = options.place.shadowRoot ?? options.place.attachShadow({ mode: 'open' })
  const client = new VitrineMetrics()
  const promql = new PromQLExtension().setLinter(new PlainLint()).setComplete({
    remote: client,
    maxMetricsMetadata: METRICS_WITH_METADATA_MAX,
  })
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({ doc: options.text, extensions: extensions(options, promql, client) }),
  })
  return {
    text: () => view.state.doc.toString(),
    setText: text => {
      const whole = { from: 0, to: view.state.doc.length, insert: text }
      view.dispatch({ changes: whole, selection: { anchor: text.length } })
    },
    focus: at => {
      if (at !== null) {
        const anchor = Math.max(0, Math.min(at, view.state.doc.length))
        view.dispatch({ selection: { anchor }, scrollIntoView: true })
      }
      view.focus()
    },
    close: () => {
      promql.destroy()
      view.destroy()
    },
  }
}

function extensions(options: EditorOptions, promql: PromQLExtension, client: VitrineMetrics): Extension[] {
  return [
    keys(options),
    overSelection,
    history(),
    bracketMatching(),
    closeBrackets(),
    autocompletion({ icons: false }),
    syntaxHighlighting(highlight),
    promql.asExtension(),
    hovers(client),
    look,
    placeholder(options.hint),
    EditorView.lineWrapping,
    EditorView.contentAttributes.of({
      'aria-label': options.label,
      spellcheck: 'false',
      autocapitalize: 'none',
    }),
    EditorView.updateListener.of(update => {
      if (update.docChanged) options.onText(update.state.doc.toString())
      if (isTelling(update)) options.onNote(noteOf(update, client.known))
    }),
    keymap.of([...closeBracketsKeymap, ...historyKeymap, ...completionKeymap, ...defaultKeymap]),
  ]
}

function isTelling(update: ViewUpdate): boolean {
  // Effects bring the diagnostics, which come later than the text.
  return (
    update.docChanged ||
    update.selectionSet ||
    update.focusChanged ||
    update.transactions.some(({ effects }) => effects.length > 0)
  )
}

function keys({ onRun, onStep }: EditorOptions): Extension {
  const step = (older: boolean) => (view: EditorView) => {
    const text = onStep(older)
    if (text === null) return true
    const whole = { from: 0, to: view.state.doc.length, insert: text }
    view.dispatch({ changes: whole, selection: { anchor: text.length } })
    return true
  }
  // The list was asked for, or moved in: Enter then means the list. It also opens by itself, with operators after a
  // bracket that ends the expression, and there Enter means to run.
  let meantList = false
  const means = (): boolean => {
    meantList = true
    return false // others act on the key
  }
  const typed = EditorView.updateListener.of(update => {
    if (update.docChanged) meantList = false
  })
  const bindings = Prec.highest(
    keymap.of([
      {
        key: 'Enter',
        run: view => {
          if (completionStatus(view.state) === 'active' && (meantList || completesWord(view))) return false
          closeCompletion(view)
          onRun()
          return true
        },
        shift: insertNewlineAndIndent,
      },
      { key: 'Mod-Enter', run: () => (onRun(), true) },
      { key: 'ArrowDown', run: means },
      { key: 'ArrowUp', run: means },
      { key: 'Ctrl-Space', run: view => means() || startCompletion(view) },
      { key: 'Alt-ArrowUp', run: step(true) },
      { key: 'Alt-ArrowDown', run: step(false) },
      { key: 'F8', run: nextDiagnostic },
    ]),
  )
  return [bindings, typed]
}

/** A word was begun, and the completion makes another one of it: else Enter would have to be pressed twice. */
function completesWord(view: EditorView): boolean {
  const chosen = selectedCompletion(view.state)
  if (chosen === null) return false
  const { head } = view.state.selection.main
  const begun = /[\w:]+$/.exec(view.state.sliceDoc(0, head))?.[0] ?? ''
  return begun !== '' && begun !== chosen.label
}

function noteOf({ state, view }: ViewUpdate, metadata: Metadata): EditorNote {
  let error: EditorNote = null
  forEachDiagnostic(state, ({ message }, from) => {
    error ??= { kind: 'error', text: message, at: from }
  })
  if (error !== null) return error
  const word = view.hasFocus ? wordAt(state, state.selection.main.head) : null
  const note = word === null ? null : noteOn(word.text, metadata)
  return note === null ? null : { kind: 'word', note }
}

function wordAt(state: EditorState, at: number): { text: string; from: number; to: number } | null {
  const line = state.doc.lineAt(at)
  for (const found of line.text.matchAll(/[A-Za-z_:][\w:]*/g)) {
    const from = line.from + found.index
    const to = from + found[0].length
    if (at >= from && at <= to) return { text: found[0], from, to }
  }
  return null
}

function hovers(client: VitrineMetrics): Extension {
  return hoverTooltip((view, at) => {
    const word = wordAt(view.state, at)
    const note = word === null ? null : noteOn(word.text, client.known)
    if (word === null || note === null) return null
    return { pos: word.from, end: word.to, above: true, create: () => ({ dom: noteElement(note) }) }
  })
}

function noteElement({ word, kind, text }: WordNote): HTMLElement {
  const box = document.createElement('div')
  box.className = 'cm-word-note'
  const name = box.appendChild(document.createElement('b'))
  name.textContent = word
  const sort = box.appendChild(document.createElement('small'))
  sort.textContent = kind
  const words = box.appendChild(document.createElement('p'))
  words.textContent = text
  return box
}

/** The package's own client on our address: the session's cookie goes along, because it is the same origin. */
class VitrineMetrics extends CachedPrometheusClient {
  #known: Metadata = {}

  constructor() {
    // GET: a POST of a signed-in page would need the CSRF header.
    super(new HTTPPrometheusClient({ apiPrefix: '/prometheus/api/v1', httpMethod: 'GET' }))
    void this.metricMetadata()
  }

  /** What has been told so far; never waits. */
  get known(): Metadata {
    return this.#known
  }

  override async metricMetadata(): Promise<Record<string, { type: string; help: string }[]>> {
    this.#known = withOwnNotes(await super.metricMetadata())
    return this.#known as Record<string, { type: string; help: string }[]>
  }
}

/** The package's own checks, in the words of our own engine. */
class PlainLint extends HybridLint {
  override promQL(): (view: EditorView) => readonly Diagnostic[] {
    const check = super.promQL()
    return view => check(view).map(found => ({ ...found, message: plainWords(found.message) }))
  }
}
