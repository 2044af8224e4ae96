// Entry by an edge when foreign servers share new viewers; steering knows nothing of them.
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { RunningEdge } from '#edge'
import type { FromControl } from '#wire'
import { get, makeFolder, pathway, runEdge, SmallControl, until } from './small-fleet.ts'

const folder = { path: '', remove: (): void => undefined }
let control: SmallControl
let edge: RunningEdge

beforeEach(async () => {
  Object.assign(folder, makeFolder())
  control = await SmallControl.start()
  edge = await runEdge({ stateFolder: folder.path, controlUrl: control.url })
})
afterEach(async () => {
  await edge.close()
  await control.close()
  folder.remove()
})

function table(weight: number): FromControl {
  const foreign = [{ id: 'cdn', region: 'x', url: 'https://cdn.example/vod/{title}/master.m3u8', weight }]
  return {
    type: 'steering-table',
    version: 1,
    issuedMs: 0,
    pathways: [pathway('eu-west', edge.url)],
    foreign,
    ttlS: 5,
  }
}
async function location(query: string): Promise<string> {
  return String((await get(edge.url, `/play/sample.m3u8${query}`)).headers['location'])
}

it('sends a share of new viewers to a foreign server, always the same ones, and steers nobody there', async () => {
  control.say(table(1))
  const cdn = 'https://cdn.example/vod/sample/master.m3u8'
  await until('the table is known', async () => (await location('?via=cdn')) === cdn)
  const sids = Array.from({ length: 60 }, (_, n) => `?CMCD=${encodeURIComponent(`sid="s-${n}"`)}`)
  const first = await Promise.all(sids.map(location))
  const share = first.filter(url => url === cdn).length
  expect(share).toBeGreaterThan(10)
  expect(share).toBeLessThan(50)
  expect(await Promise.all(sids.map(location))).toEqual(first)
  expect(await location('?via=eu-west')).toContain(edge.url)
  const steer = (await get(edge.url, '/steer?_HLS_pathway="eu-west"')).body.toString()
  expect(JSON.parse(steer)).toMatchObject({ 'PATHWAY-PRIORITY': ['eu-west'] })
  expect((await get(edge.url, '/watch-table')).body.toString()).not.toContain('cdn')
})
