// Owns the list of expressions that were run before: each runs again with one key, and can be deleted.
import { type ReactNode, useState } from 'react'
import { Age } from '../parts/moment.tsx'
import type { History } from './history.ts'

export interface HistoryListProps {
  readonly history: History
  readonly run: (expr: string) => void
  readonly forget: (expr: string) => void
  readonly forgetAll: () => void
}

export function HistoryList({ history, run, forget, forgetAll }: HistoryListProps): ReactNode {
  const [sure, setSure] = useState(false)
  if (history.length === 0) return null
  return (
    <details className="panel history">
      <summary>
        History <span>{history.length}</span>
      </summary>
      <ol>
        {history.map(({ expr, atMs }) => (
          <li key={expr}>
            <button
              type="button"
              className="history-run"
              onClick={() => run(expr)}
              aria-label={`Run again: ${expr}`}
            >
              <code>{expr}</code>
              <small>{atMs === null ? '' : <Age at={atMs} />}</small>
            </button>
            <button
              type="button"
              className="icon-button"
              aria-label={`Delete from history: ${expr}`}
              title="Delete"
              onClick={() => forget(expr)}
            >
              <svg viewBox="0 0 24 24" aria-hidden="true">
                <path d="M6 6l12 12M18 6 6 18" />
              </svg>
            </button>
          </li>
        ))}
      </ol>
      <p className="quiet">
        Kept in this browser only.{' '}
        {sure ? (
          <>
            Delete all {history.length}?{' '}
            <button type="button" className="plain" onClick={forgetAll}>
              Delete all
            </button>{' '}
            <button type="button" className="plain" onClick={() => setSure(false)}>
              Keep
            </button>
          </>
        ) : (
          <button type="button" className="plain" onClick={() => setSure(true)}>
            Delete all…
          </button>
        )}
      </p>
    </details>
  )
}
