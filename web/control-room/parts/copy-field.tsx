// Owns a text that is to be copied: selected at a click, copied by a button, and said when it is.
import { type ReactNode, useId, useState } from 'react'

export function CopyField({ label, text }: { readonly label: string; readonly text: string }): ReactNode {
  const id = useId()
  const [done, setDone] = useState<string | null>(null)
  const copy = (): void => {
    // Off loopback and without TLS browsers have no clipboard: then the text is copied by hand.
    const { clipboard } = navigator as { readonly clipboard?: Clipboard }
    const writing = clipboard?.writeText(text) ?? Promise.reject(new Error('no clipboard'))
    writing.then(() => setDone('Copied')).catch(() => setDone('Select and copy it by hand'))
  }
  return (
    <div className="copy-field">
      <label htmlFor={id}>{label}</label>
      <div>
        <input id={id} type="text" readOnly value={text} onFocus={event => event.target.select()} />
        <button type="button" className="plain" onClick={copy}>
          Copy
        </button>
      </div>
      <p role="status">{done ?? ''}</p>
    </div>
  )
}
