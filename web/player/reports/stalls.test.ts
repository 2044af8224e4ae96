// When a stall ends: also where a busy page heard `playing` before the word that it waits.
import { afterEach, expect, it, vi } from 'vitest'
import { ViewerReports } from './index.ts'
import { readKeys } from './record.ts'

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

/** What a page has, as far as the library asks for it; `tell` is what hls.js says. */
function page() {
  let nowMs = 1000
  const sent: string[] = []
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs)
  vi.stubGlobal('navigator', { sendBeacon: () => false })
  vi.stubGlobal('window', new EventTarget())
  vi.stubGlobal('document', Object.assign(new EventTarget(), { hidden: false, fullscreenElement: null }))
  vi.stubGlobal('requestAnimationFrame', () => 0)
  vi.stubGlobal('fetch', (_url: string, { body }: { body: string }) => {
    sent.push(...body.split('\n'))
    return Promise.resolve(new Response(null, { status: 204 }))
  })
  const video = Object.assign(new EventTarget(), {
    currentTime: 0,
    buffered: { length: 0 },
    playbackRate: 1,
    seeking: false,
    paused: false,
    autoplay: true,
    muted: false,
  })
  const reports = new ViewerReports({ edges: ['https://eu.example'] })
  const hls = { on: () => {} }
  reports.watch(video as unknown as HTMLVideoElement, hls)
  const later = (ms: number, event: string, currentTime: number): void => {
    nowMs += ms
    video.currentTime = currentTime
    video.dispatchEvent(new Event(event))
  }
  const tell = (sta: string): void => {
    void reports.cmcd.loader({ body: `e=ps,sta=${sta},ts=${performance.timeOrigin + nowMs}` })
  }
  const states = async (): Promise<string[]> => {
    await vi.waitFor(() => expect(sent.length).toBeGreaterThan(0))
    reports.close()
    return sent.flatMap(line => (line === '' ? [] : [readKeys(line).get('sta') ?? '']))
  }
  return { later, tell, states, video }
}

it('a moving playhead ends a stall of which nobody said that it was over', async () => {
  const { later, tell, states } = page()
  tell('s')
  later(100, 'playing', 0)
  later(100, 'timeupdate', 0.1)
  later(250, 'timeupdate', 0.35)
  tell('r')
  later(100, 'timeupdate', 0.35)
  later(400, 'timeupdate', 0.75)
  later(250, 'timeupdate', 1)
  expect((await states()).slice(0, 4)).toEqual(['s', 'p', 'r', 'p'])
})

it('a playhead that stands, steps over a hole or jumps does not', async () => {
  const { later, tell, states, video } = page()
  tell('s')
  later(100, 'playing', 0)
  later(250, 'timeupdate', 0.35)
  tell('r')
  later(2000, 'timeupdate', 0.35)
  later(250, 'timeupdate', 0.45)
  later(250, 'timeupdate', 60)
  video.seeking = true
  later(250, 'timeupdate', 0.95)
  expect((await states()).slice(0, 4)).toEqual(['s', 'p', 'r', 'q'])
})
