// When people are told after an absence: what waits for agents, for a slow look at the gap, and for nothing.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { silentLog } from '#base'
import type { Gap } from '../alerts/replay-gap.ts'
import { followAbsence } from './after-absence.ts'

const GAP: Gap = { from: 0, to: 600_000 }
let startedMs: number
let done: string[]

beforeEach(() => {
  vi.useFakeTimers()
  startedMs = Date.now()
  done = []
})
afterEach(() => void vi.useRealTimers())

function note(what: string): void {
  done.push(`${Math.floor((Date.now() - startedMs) / 1000)} s: ${what}`)
}

/** Held alerts are looked at in `heldMs`, all else in `restMs` more. */
function follow(
  gap: Gap | null,
  heldMs: number,
  restMs: number,
): { readonly away: (gap: Gap) => void; readonly close: () => unknown } {
  let away: (gap: Gap) => void = () => undefined
  const alerts = {
    recover: async (_: Gap, onHeld?: () => void): Promise<void> => {
      await new Promise(resolve => setTimeout(resolve, heldMs))
      onHeld?.()
      await new Promise(resolve => setTimeout(resolve, restMs))
      note('all looked at')
    },
    onAway: (observer: (own: Gap) => void): void => {
      away = observer
    },
  }
  const incidents = { remindAfter: async (): Promise<void> => note('reminded') }
  const absence = followAbsence(gap, alerts, incidents, silentLog)
  return { away: own => away(own), close: () => absence.close() }
}

it('reminds once what was held has been looked at, and looks at the rest afterwards', async () => {
  const { close } = follow(GAP, 1000, 60_000)
  await vi.advanceTimersByTimeAsync(120_000)
  expect(done).toEqual(['9 s: reminded', '69 s: all looked at'])
  await close()
})

it('reminds 20 s after the start also when looking at the gap takes minutes', async () => {
  const { close } = follow(GAP, 90_000, 1000)
  await vi.advanceTimersByTimeAsync(120_000)
  expect(done).toEqual(['20 s: reminded', '99 s: all looked at'])
  await close()
})

it('does the same when the process only stood still, and nothing after a plain start', async () => {
  const { away, close } = follow(null, 1000, 0)
  await vi.advanceTimersByTimeAsync(100_000)
  expect(done).toEqual([])
  away(GAP)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(done).toEqual(['109 s: reminded', '109 s: all looked at'])
  await close()
})

it('a stop cancels what has not begun', async () => {
  const { close } = follow(GAP, 1000, 0)
  await close()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(done).toEqual([])
})
