// What a simulated viewer tells when it starves: the moments are those of its buffer, not of its timers.
import { decodeCmcd } from '@svta/common-media-library/cmcd/decodeCmcd'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeClock } from '#base'
import { PlayClock } from './play-clock.ts'
import { Story } from './story.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

function viewer() {
  const clock = new FakeClock()
  const startMs = clock.wallMs()
  const playClock = new PlayClock()
  const lines: string[] = []
  const reporter = { add: (write: (number: number) => string) => void lines.push(write(lines.length + 1)) }
  const story = new Story({ sid: 'a', title: 'sample', clock, playClock, reporter })
  return {
    story,
    /** Media comes. */
    feed: (seconds: number) =>
      story.arrived(playClock.add(clock.monotonicMs(), seconds), clock.monotonicMs()),
    /** Time passes; timers run at its end, as in a process that was held up. */
    pass: (ms: number) => {
      clock.advance(ms)
      vi.advanceTimersByTime(ms)
    },
    /** Time passes, and no timer runs. */
    hold: (ms: number) => clock.advance(ms),
    said: () =>
      lines.map(line => {
        const { e, sta, ts, bsd } = decodeCmcd(line) as Record<string, unknown>
        return [e, sta, Number(ts) - startMs, ...(bsd === undefined ? [] : [bsd])]
      }),
  }
}

describe('the story of a simulated viewer', () => {
  it('tells a stall from the moment at which the buffer was empty', () => {
    const { story, feed, pass, said } = viewer()
    story.asked()
    pass(300)
    feed(4)
    pass(4900)
    feed(4)
    pass(1000)
    story.quit()
    expect(said()).toEqual([
      ['ps', 's', 0],
      ['ps', 'p', 300],
      ['ps', 'r', 4300],
      ['ps', 'p', 5200, [900]],
      ['ps', 'q', 6200],
    ])
  })

  it('tells it also when media came before its own timer ran', () => {
    const { story, feed, hold, said } = viewer()
    story.asked()
    feed(2)
    hold(7000)
    feed(2)
    expect(said()).toEqual([
      ['ps', 's', 0],
      ['ps', 'p', 1],
      ['ps', 'r', 2000],
      ['ps', 'p', 7000, [5000]],
    ])
  })

  it('never says that it plays while it starves, whatever else it has to say', () => {
    const { story, feed, hold, said } = viewer()
    story.asked()
    feed(2)
    hold(3000)
    story.failed('viewer-no-answer')
    hold(1000)
    story.answered({ url: 'http://a/1', status: 0, firstByteMs: null, wholeMs: 3000, cmsd: null })
    expect(said().slice(2)).toEqual([
      ['ps', 'r', 2000],
      ['e', 'r', 3000],
      ['rr', 'r', 1000], // the moment of its request
    ])
  })
})
