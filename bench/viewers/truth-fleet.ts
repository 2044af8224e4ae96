// Owns the fleet of the truth test: two edges that keep next to nothing, one for each of two players, and ways that can be
// held up, from the origin to each and from each to its player; a title long enough that nobody sees the same twice.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startFleet, type TestFleet, until } from '../../test/e2e/fleet.ts'
import { HoldingProxy } from './holding-proxy.ts'

const execute = promisify(execFile)
export const EDGES = ['eu-west', 'us-east'] as const
export type EdgeId = (typeof EDGES)[number]
export const TITLE = 'truth'
export const TITLE_S = 600
const CACHE_BYTES: number = 8 * 1024 * 1024

export interface TruthFleet {
  readonly fleet: TestFleet
  /** Each edge names itself there. */
  readonly originWay: HoldingProxy
  readonly playerWays: Readonly<Record<EdgeId, HoldingProxy>>
  close(): Promise<void>
}

export async function startTruthFleet(): Promise<TruthFleet> {
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-bench-truth-'))
  const originWay = await HoldingProxy.start()
  const playerWays = { 'eu-west': await HoldingProxy.start(), 'us-east': await HoldingProxy.start() }
  const edges = EDGES.map(id => ({
    id,
    memoryBytesMax: CACHE_BYTES,
    diskBytesMax: 0,
    publicUrl: playerWays[id].url,
  }))
  const config = join(folder, 'vitrine.yaml')
  writeFileSync(config, JSON.stringify({ edges, join: { originUrl: originWay.url } }))
  const film = makeFilm(join(folder, `${TITLE}.mp4`))
  const fleet = await startFleet({ data: join(folder, 'data'), config })
  originWay.leadTo(fleet.portBase + 10)
  for (const [at, id] of EDGES.entries()) playerWays[id].leadTo(fleet.portBase + 1 + at)
  const close = async (): Promise<void> => {
    await fleet.close()
    originWay.close()
    for (const id of EDGES) playerWays[id].close()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await film
    await fleet.vitrine('publish', join(folder, `${TITLE}.mp4`))
    for (const id of EDGES) {
      await until(
        async () => (await fetch(`${playerWays[id].url}/vod/${TITLE}/master.m3u8`)).ok,
        30_000,
        () => `the title does not play at ${id}`,
      )
    }
    // Else the fleet steers players away from the edge that is stopped: what is injected at the one is felt at the other.
    for (const id of EDGES)
      await fleet.vitrine('server', 'keep', id, '--reason', 'its player stays', '--for', '2h')
    return { fleet, originWay, playerWays, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Moving pictures and a tone, some 1 Mb/s: what matters is that no two segments are one object. */
async function makeFilm(file: string): Promise<void> {
  const picture = ['-f', 'lavfi', '-i', `testsrc2=size=480x270:rate=25:duration=${TITLE_S}`]
  const tone = ['-f', 'lavfi', '-i', `sine=frequency=440:duration=${TITLE_S}`]
  const video = [
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-g',
    '100',
    '-b:v',
    '900k',
    '-pix_fmt',
    'yuv420p',
  ]
  await execute('ffmpeg', ['-v', 'error', ...picture, ...tone, ...video, '-c:a', 'aac', '-shortest', file])
}
