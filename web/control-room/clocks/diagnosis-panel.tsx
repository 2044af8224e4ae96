// Owns showing the diagnosis: whether it is the fault of 2012, what speaks for it and against it, and what to do.
import type { ReactNode } from 'react'
import type { ClockDiagnosis } from '#wire'
import { Link } from '../parts/link.tsx'
import type { Tone } from '../parts/tone.ts'

const TONES: Record<ClockDiagnosis['kind'], Tone> = {
  '2012-class': 'unreachable',
  'busy-without-early-timers': 'degraded',
  'cannot-tell': 'resting',
  none: 'healthy',
}

export function DiagnosisPanel({ diagnosis }: { readonly diagnosis: ClockDiagnosis }): ReactNode {
  const { kind, text, advice, confidence } = diagnosis
  return (
    <section className="panel clock-diagnosis" data-tone={TONES[kind]} aria-label="Diagnosis">
      <h2>
        {text}
        {confidence === 0 ? null : <small>{Math.round(confidence * 100)} % sure</small>}
      </h2>
      <p>
        {advice} {kind === '2012-class' ? <Link href="/runbooks">Runbooks</Link> : null}
      </p>
      {/* Of one height whatever it holds: chart and table below stay where they are while it changes. */}
      <section className="clock-evidence" aria-label="Evidence" tabIndex={0}>
        <Evidence title="Speaks for the fault of 2012" words={diagnosis.for} />
        <Evidence title="Speaks against it" words={diagnosis.against} />
      </section>
    </section>
  )
}

function Evidence({
  title,
  words,
}: {
  readonly title: string
  readonly words: readonly string[]
}): ReactNode {
  return (
    <div>
      <h3>{title}</h3>
      {words.length === 0 ? (
        <p className="quiet">Nothing.</p>
      ) : (
        <ul>
          {words.map(word => (
            <li key={word}>{word}</li>
          ))}
        </ul>
      )}
    </div>
  )
}
