// Owns the field for an expression. Until the editor is loaded (or when it cannot be) a plain text field of the same
// size takes its place, so that nothing moves and nobody waits.
import { type ReactNode, type Ref, useEffect, useImperativeHandle, useRef, useState } from 'react'
import type { Editor, EditorNote } from './editor.ts'

export interface FieldHandle {
  readonly text: () => string
  readonly setText: (text: string) => void
  /** Puts the cursor there; null: where it was. */
  readonly focus: (at: number | null) => void
}

export interface ExpressionFieldProps {
  readonly ref: Ref<FieldHandle>
  readonly initial: string
  readonly onRun: () => void
  readonly onText: (text: string) => void
  readonly onStep: (older: boolean) => string | null
}

const LABEL = 'PromQL expression'
const HINT = 'A metric, or a question like: sum by (instance) (rate(vitrine_edge_sent_bytes_total[10s])) * 8'

export function ExpressionField(props: ExpressionFieldProps): ReactNode {
  const place = useRef<HTMLDivElement>(null)
  const plain = useRef<HTMLTextAreaElement>(null)
  const editor = useRef<Editor | null>(null)
  const latest = useRef(props)
  latest.current = props
  const [ready, setReady] = useState(false)
  const [note, setNote] = useState<EditorNote>(null)
  useEffect(() => {
    let wanted = true
    void import('./editor.ts').then(
      ({ openEditor }) => {
        if (!wanted || place.current === null) return
        const typed = plain.current
        editor.current = openEditor({
          place: place.current,
          text: typed?.value ?? latest.current.initial,
          label: LABEL,
          hint: HINT,
          onRun: () => latest.current.onRun(),
          onText: text => latest.current.onText(text),
          onNote: setNote,
          onStep: older => latest.current.onStep(older),
        })
        if (typed !== null && document.activeElement === typed) editor.current.focus(typed.selectionStart)
        setReady(true)
      },
      () => undefined, // The plain field stays: expressions can be asked without help.
    )
    return () => {
      wanted = false
      editor.current?.close()
      editor.current = null
    }
  }, [])
  useImperativeHandle(props.ref, () => handleOf(editor, plain, text => latest.current.onText(text)), [])
  return (
    <div className="expression-field">
      <div ref={place} className="expression-editor" hidden={!ready} />
      {ready ? null : (
        <textarea
          ref={plain}
          aria-label={LABEL}
          rows={3}
          spellCheck={false}
          autoCapitalize="none"
          placeholder={HINT}
          defaultValue={props.initial}
          onChange={event => props.onText(event.target.value)}
          onKeyDown={event => {
            if (event.key !== 'Enter' || event.shiftKey) return
            event.preventDefault()
            props.onRun()
          }}
        />
      )}
      <NoteLine note={note} />
    </div>
  )
}

function handleOf(
  editor: React.RefObject<Editor | null>,
  plain: React.RefObject<HTMLTextAreaElement | null>,
  onText: (text: string) => void,
): FieldHandle {
  return {
    text: () => editor.current?.text() ?? plain.current?.value ?? '',
    setText: text => {
      editor.current?.setText(text)
      if (plain.current !== null) plain.current.value = text
      onText(text)
    },
    focus: at => {
      editor.current?.focus(at)
      plain.current?.focus()
      if (at !== null) plain.current?.setSelectionRange(at, at)
    },
  }
}

/** What hovering shows, for the word at the cursor: without a mouse, too, and always at the same place. */
function NoteLine({ note }: { readonly note: EditorNote }): ReactNode {
  return (
    <p className="note-line" role="status" data-kind={note?.kind ?? 'keys'}>
      {note === null ? (
        <>
          <kbd>Enter</kbd> run <kbd>Shift Enter</kbd> new line <kbd>Ctrl Space</kbd> complete <kbd>Alt ↑</kbd>{' '}
          earlier ones
        </>
      ) : note.kind === 'error' ? (
        <>
          <b>Character {note.at + 1}</b> {note.text}
        </>
      ) : (
        <>
          <code>{note.note.word}</code> <small>{note.note.kind}</small> {note.note.text}
        </>
      )}
    </p>
  )
}
