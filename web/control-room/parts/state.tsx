// Owns how a server's state looks: a shape, a word and a colour together, never the colour alone.
import type { ReactNode } from 'react'
import type { ShownState } from '#wire'
import { toneOf } from './tone.ts'

const SHAPES: Record<ShownState, ReactNode> = {
  healthy: (
    <path d="M8 1.2a6.8 6.8 0 1 0 0 13.6A6.8 6.8 0 0 0 8 1.2Zm3.4 5.1-4 4.6a.8.8 0 0 1-1.2 0L4.6 9.2l1.2-1.1 1 1.1L10.200 5.3z" />
  ),
  degraded: (
    <path d="M7.100 1.700a1 1 0 0 1 1.800 0l6.200 11.400a1 1 0 0 1-.9 1.500H1.800a1 1 0 0 1-.9-1.500zM7.200 5.800l.2 4h1.200l.2-4zM8 11a.9.9 0 1 0 0 1.800A.9.9 0 0 0 8 11Z" />
  ),
  unreachable: (
    <path d="M5 1h6l4 4v6l-4 4H5l-4-4V5zm.8 3.600L4.600 5.800 6.800 8l-2.200 2.200 1.200 1.200L8 9.200l2.200 2.200 1.200-1.200L9.200 8l2.200-2.200-1.200-1.200L8 6.800z" />
  ),
  draining: (
    <path d="M8 1.2a6.8 6.8 0 1 0 0 13.6A6.8 6.8 0 0 0 8 1.2Zm-.8 3.200h1.600v4.400l1.600-1.600 1.100 1.100L8 11.800 4.500 8.300l1.100-1.100 1.600 1.600z" />
  ),
  drained: (
    <path d="M8 1.2a6.8 6.8 0 1 0 0 13.6A6.8 6.8 0 0 0 8 1.2ZM5.400 5.200H7v5.600H5.400zm3.600 0h1.600v5.600H9z" />
  ),
  unknown: (
    <path d="M8 1.2a6.8 6.8 0 1 0 0 13.6A6.8 6.8 0 0 0 8 1.2ZM5.400 6.300a2.600 2.600 0 1 1 3.900 2.250c-.4.250-.5.400-.5.850v.2H7.200v-.3c0-1 .4-1.500 1.200-2a1 1 0 1 0-1.500-1zM8 10.600a.95.95 0 1 1 0 1.900.95.95 0 0 1 0-1.900z" />
  ),
  maintenance: <path d="M8 1.2a6.8 6.8 0 1 0 0 13.6A6.8 6.8 0 0 0 8 1.2Zm-3.500 6h7v1.600h-7z" />,
}

export function StateIcon({ state }: { readonly state: ShownState }): ReactNode {
  return (
    <svg
      className="state-icon"
      viewBox="0 0 16 16"
      aria-hidden="true"
      data-tone={toneOf(state)}
      fillRule="evenodd"
    >
      {SHAPES[state]}
    </svg>
  )
}

export function StateBadge({ state }: { readonly state: ShownState }): ReactNode {
  return (
    <span className="state-badge" data-tone={toneOf(state)}>
      <StateIcon state={state} />
      {state}
    </span>
  )
}
