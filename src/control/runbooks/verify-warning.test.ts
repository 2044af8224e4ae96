import { expect, it } from 'vitest'
import type { SignalView } from '#wire'
import { verifyWarning } from './verify-warning.ts'

const view = (signal: string, basis: SignalView['basis']): SignalView => ({
  signal,
  unit: 's',
  value: null,
  low: null,
  high: null,
  basis,
  n: 0,
  word: 'cannot-tell',
  text: '',
})
const verify = (signals: readonly string[] | null) => ({
  kind: 'verify' as const,
  signals,
  holdMs: 1000,
  timeoutMs: 300_000,
})
const standing = (views: SignalView[]) => ({
  id: 'a',
  state: 'unreachable' as const,
  word: 'cannot-tell' as const,
  text: '',
  signals: views,
})

it('warns where signals have nothing to be compared with, named ones each, else fewer than three', () => {
  const two = standing([
    view('cpu', 'short baseline'),
    view('probe-time', 'peers'),
    view('error-ratio', 'none'),
  ])
  expect(verifyWarning(verify(['cpu', 'probe-time', 'error-ratio']), two)).toMatch(
    /^as it stands, verify cannot hold: nothing to compare error-ratio with .*after 300 s the step fails/,
  )
  expect(verifyWarning(verify(null), two)).toContain('cannot hold')
  const three = standing([...two.signals, view('first-byte', 'own')])
  expect(verifyWarning(verify(null), three)).toBeNull()
  // Frozen, and so not measured now: it is when it is mended.
  expect(verifyWarning(verify(['cpu']), standing([view('cpu', 'short baseline')]))).toBeNull()
})
