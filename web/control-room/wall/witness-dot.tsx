// Owns a witness as a dot: a shape for what it says, so that colour is never alone; its words on hover and focus.
import type { ReactNode } from 'react'
import type { WallWitness } from '#wire'
import { witnessText } from './wall-words.ts'

const SHAPES: Record<WallWitness['says'], ReactNode> = {
  for: <path d="M3.500 8.500 6.700 11.700 12.500 5" />,
  against: <path d="M4.500 4.500 11.500 11.500M11.500 4.500 4.500 11.500" />,
  divided: <path d="M4.500 4.500 11.500 11.500" />,
  unknown: <path d="M8 11.800v.2M6 6a2 2 0 1 1 2.800 1.900c-.6.300-.8.700-.8 1.400" />,
}
const SHORT: Record<WallWitness['kind'], string> = {
  inside: 'inside',
  outside: 'outside',
  viewers: 'viewers',
}

export function WitnessDot({
  witness,
  now,
}: {
  readonly witness: WallWitness
  readonly now: number
}): ReactNode {
  const text = witnessText(witness, now)
  return (
    <span className="witness-dot" data-says={witness.says} tabIndex={0} role="img" aria-label={text}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <circle cx="8" cy="8" r="7.200" />
        {SHAPES[witness.says]}
      </svg>
      <small aria-hidden="true">{SHORT[witness.kind]}</small>
      <span className="witness-tip" aria-hidden="true">
        {text}
      </span>
    </span>
  )
}
