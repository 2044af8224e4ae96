// Owns the list of admission checks: each with its state as shape and word, what was measured, and what to do.
import type { ReactNode } from 'react'
import { type CheckRun, type CheckState, type CheckStep, checkSteps } from '#wire'
import { STATE_WORDS, STEP_AIMS, STEP_NAMES, sumUp } from './check-words.ts'
import './admission.css'

const SHAPES: Record<CheckState, ReactNode> = {
  pending: (
    <circle
      cx="8"
      cy="8"
      r="5.600"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.600"
      strokeDasharray="2.400 2.400"
    />
  ),
  running: (
    <path
      d="M8 2.400A5.600 5.600 0 1 1 2.400 8"
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
      strokeLinecap="round"
    />
  ),
  passed: (
    <path d="M8 1.200a6.800 6.800 0 1 0 0 13.600A6.800 6.800 0 0 0 8 1.200Zm3.400 5.100-4 4.600a.8.8 0 0 1-1.200 0L4.600 9.200l1.200-1.100 1 1.100L10.200 5.300z" />
  ),
  failed: (
    <path d="M5 1h6l4 4v6l-4 4H5l-4-4V5zm.8 3.600L4.600 5.800 6.800 8l-2.200 2.200 1.200 1.200L8 9.200l2.200 2.200 1.200-1.200L9.200 8l2.200-2.200-1.200-1.200L8 6.800z" />
  ),
  skipped: <path d="M8 1.200a6.800 6.800 0 1 0 0 13.600A6.800 6.800 0 0 0 8 1.200Zm-3.500 6h7v1.600h-7z" />,
}

export function CheckIcon({ state }: { readonly state: CheckState }): ReactNode {
  return (
    <svg className="check-icon" viewBox="0 0 16 16" aria-hidden="true" fillRule="evenodd" data-state={state}>
      {SHAPES[state]}
    </svg>
  )
}

const WAITING: readonly CheckStep[] = checkSteps.map(step => ({
  step,
  state: 'pending',
  text: '',
  advice: null,
  at: null,
}))

/** Without a run: what will be checked. */
export function CheckList({ run }: { readonly run: CheckRun | null }): ReactNode {
  const steps = run === null || run.steps.length === 0 ? WAITING : run.steps
  return (
    <ol className="checks" aria-label="Admission checks" data-waiting={run === null}>
      {steps.map(({ step, state, text, advice }) => (
        <li key={step} data-state={state}>
          <CheckIcon state={state} />
          <div>
            <p className="check-head">
              <b>{STEP_NAMES[step]}</b> <span className="check-state">{STATE_WORDS[state]}</span>
            </p>
            <p className="check-text">{text === '' ? STEP_AIMS[step] : text}</p>
            {advice === null ? null : <p className="check-advice">{advice}</p>}
          </div>
        </li>
      ))}
    </ol>
  )
}

/** Read out when it changes. */
export function CheckSummary({ run }: { readonly run: CheckRun }): ReactNode {
  const { text, state } = sumUp(run)
  return (
    <p className="check-summary" role="status" data-state={state}>
      {text}
    </p>
  )
}
