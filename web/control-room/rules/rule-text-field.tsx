// Owns the field for a rule file. Until the editor is loaded (or when it cannot be) a plain text field takes its place.
import { type ReactNode, useEffect, useRef, useState } from 'react'
import type { RuleCheckAnswer } from '#wire'
import type { RuleEditor } from './rule-editor.ts'

export interface RuleTextFieldProps {
  readonly text: string
  readonly onText: (text: string) => void
  readonly onSave: () => void
  readonly readOnly: boolean
  readonly problem: RuleCheckAnswer['problem']
  /** The way to a line, once there is an editor. */
  readonly goTo: { current: ((line: number) => void) | null }
}

export function RuleTextField(props: RuleTextFieldProps): ReactNode {
  const { text, readOnly, problem, goTo } = props
  const place = useRef<HTMLDivElement>(null)
  const editor = useRef<RuleEditor | null>(null)
  const told = useRef(text)
  const latest = useRef(props)
  latest.current = props
  const [ready, setReady] = useState(false)
  useEffect(() => {
    let wanted = true
    void import('./rule-editor.ts').then(
      ({ openRuleEditor }) => {
        if (!wanted || place.current === null) return
        told.current = latest.current.text
        editor.current = openRuleEditor({
          place: place.current,
          text: latest.current.text,
          onText: changed => {
            told.current = changed
            latest.current.onText(changed)
          },
          onSave: () => latest.current.onSave(),
        })
        goTo.current = editor.current.goTo
        setReady(true)
      },
      () => undefined, // The plain field stays: rules can be written without help.
    )
    return () => {
      wanted = false
      goTo.current = null
      editor.current?.close()
      editor.current = null
    }
  }, [goTo])
  useEffect(() => {
    if (!ready || told.current === text) return
    told.current = text
    editor.current?.setText(text)
  }, [ready, text])
  useEffect(() => {
    if (ready) editor.current?.setReadOnly(readOnly)
  }, [ready, readOnly])
  useEffect(() => {
    if (!ready) return
    editor.current?.mark(problem === null ? null : { line: problem.line ?? 1, text: problem.text })
  }, [ready, problem])
  return (
    <div className="rule-text">
      <div ref={place} hidden={!ready} />
      {ready ? null : (
        <textarea
          aria-label="Rule file"
          rows={18}
          spellCheck={false}
          autoCapitalize="none"
          readOnly={readOnly}
          value={text}
          onChange={event => props.onText(event.target.value)}
        />
      )}
    </div>
  )
}
