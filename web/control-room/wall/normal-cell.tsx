// Owns a row's word on its normal ranges: a shape and a word to be read from afar, since when, and each signal on hover,
// focus or touch.
import type { ReactNode } from 'react'
import type { WallNormal } from '#wire'
import { Lasting } from '../parts/moment.tsx'
import { age } from '../time-format.ts'
import { normalWords, SIGNAL_SAYS, signalName } from './normal-words.ts'

const SHAPES: Record<WallNormal['word'], ReactNode> = {
  // A value between two borders, one that has left them, and none.
  ok: <path d="M2 4h20M2 20h20M6 12h12" />,
  out: <path d="M2 9h20M2 21h20M12 15V2M8 5.500 12 1.500 16 5.500" />,
  'cannot-tell': <path strokeDasharray="2.500 3" d="M2 4h20M2 20h20M6 12h12" />,
}

export function NormalCell({
  normal,
  now,
}: {
  readonly normal: WallNormal | null
  readonly now: number
}): ReactNode {
  if (normal === null) return <span className="wall-figure">–</span>
  const { word, rest } = normalWords(normal)
  const told = normal.signals.map(({ signal, word: says, since, text }) => ({
    signal,
    says,
    text: `${signalName(signal)} ${SIGNAL_SAYS[says]}, for ${lasting(now - since)}: ${text}`,
  }))
  const all = `${word}, for ${lasting(now - normal.since)}. ${told.map(({ text }) => text).join('; ')}`
  return (
    <span className="normal-cell" data-word={normal.word} tabIndex={0} role="img" aria-label={all}>
      <svg viewBox="0 0 24 24" aria-hidden="true">
        {SHAPES[normal.word]}
      </svg>
      <span>
        <b className="wall-figure">{word}</b>
        {rest === '' ? null : <small>{rest}</small>}
        <small>
          for <Lasting from={normal.since} to={null} />
        </small>
      </span>
      <span className="witness-tip" aria-hidden="true">
        {told.map(({ signal, says, text }) => (
          <span key={signal} data-says={says}>
            {text}
          </span>
        ))}
      </span>
    </span>
  )
}

function lasting(ms: number): string {
  const text = age(ms)
  return text === 'now' ? 'a moment' : text
}
