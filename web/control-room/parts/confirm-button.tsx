// Owns a button for what cannot be undone: the first press says what will happen, the second does it.
import { type ReactNode, useEffect, useRef, useState } from 'react'

export interface ConfirmButtonProps {
  readonly verb: string
  readonly what: string
  /** What will happen, in words. */
  readonly warning: ReactNode
  readonly onConfirm: () => void
}

export function ConfirmButton({ verb, what, warning, onConfirm }: ConfirmButtonProps): ReactNode {
  const [asked, setAsked] = useState(false)
  const first = useRef<HTMLButtonElement>(null)
  const cancel = useRef<HTMLButtonElement>(null)
  const was = useRef(false)
  useEffect(() => {
    // The focus goes along: to the harmless answer, and back.
    if (asked) cancel.current?.focus()
    else if (was.current) first.current?.focus()
    was.current = asked
  }, [asked])
  if (!asked) {
    return (
      <button
        ref={first}
        type="button"
        className="plain"
        aria-label={`${verb} ${what}`}
        onClick={() => setAsked(true)}
      >
        {verb}
      </button>
    )
  }
  return (
    <div
      className="confirm"
      role="alertdialog"
      aria-label={`${verb} ${what}?`}
      onKeyDown={event => {
        if (event.key !== 'Escape') return
        event.preventDefault()
        setAsked(false)
      }}
    >
      <p>{warning}</p>
      <button
        type="button"
        className="danger"
        onClick={() => {
          setAsked(false)
          onConfirm()
        }}
      >
        {verb}
      </button>
      <button ref={cancel} type="button" className="plain" onClick={() => setAsked(false)}>
        Cancel
      </button>
    </div>
  )
}
