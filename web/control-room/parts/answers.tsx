// Owns what a page shows while it has nothing to show: loading, empty, and an error in words.
import type { ReactNode } from 'react'

export function Loading({ what }: { readonly what: string }): ReactNode {
  return (
    <p className="quiet" role="status">
      Loading {what}…
    </p>
  )
}

export function Problem({ error, what }: { readonly error: Error; readonly what: string }): ReactNode {
  return (
    <div className="problem" role="alert">
      <strong>{what} could not be shown.</strong> {error.message}
    </div>
  )
}

export function Empty({
  title,
  children,
}: {
  readonly title: string
  readonly children: ReactNode
}): ReactNode {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children}
    </div>
  )
}
