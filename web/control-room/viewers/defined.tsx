// Owns a word with its definition on hover and focus: what a number counts is never a guess.
import { type ReactNode, useId } from 'react'
import './viewers.css'

export function Defined({
  children,
  definition,
}: {
  readonly children: ReactNode
  readonly definition: string
}): ReactNode {
  const id = useId()
  return (
    <span className="defined">
      <span className="defined-word" tabIndex={0} aria-describedby={id}>
        {children}
      </span>
      <span className="defined-tip" role="tooltip" id={id}>
        {definition}
      </span>
    </span>
  )
}
