// The player library as others get it: small, with types that a page of theirs compiles against.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { RunningEdge } from '#edge'
import { get, makeFolder, runEdge } from './small-fleet.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const BYTES_MAX = 6 * 1024

const folder = makeFolder()
let edge: RunningEdge
beforeAll(async () => {
  edge = await runEdge({ stateFolder: folder.path, webFolder: join(root, 'dist/web') })
})
afterAll(async () => {
  await edge.close()
  folder.remove()
})

it('is under 6 KB compressed, and any page may load it', async () => {
  const { status, headers, body } = await get(edge.url, '/player.js')
  expect(status).toBe(200)
  expect(headers).toMatchObject({
    'content-type': 'text/javascript; charset=utf-8',
    'access-control-allow-origin': '*',
  })
  expect(gzipSync(body).length).toBeLessThan(BYTES_MAX)
  expect(brotliCompressSync(body).length).toBeLessThan(BYTES_MAX)
})

/** Beside the page, under the name that a bundler looks for. */
const library = ['./player', 'js'].join('.')
const consumer = `
import Hls from 'hls.js'
import { type ReportsOptions, ViewerReports } from '${library}'

const options: ReportsOptions = {
  edges: () => ['https://eu.example', 'https://us.example'],
  contentId: 'sample',
  viewerRef: 'customer-4711',
  viewerGrant: () => undefined,
}
const video = document.createElement('video')
const reports = new ViewerReports(options)
const hls = new Hls({ cmcd: reports.cmcd })
reports.watch(video, hls).asked()
reports.follow(new Hls())
reports.failed('media-4')
reports.close()
const lost: number = reports.lost
new ViewerReports({ edges: ['https://eu.example'], sessionId: 'a' }).watch(video)
// @ts-expect-error edges are needed
new ViewerReports({ contentId: 'sample' })
// @ts-expect-error no such option
new ViewerReports({ edges: [], contentID: 'sample' })
// @ts-expect-error it is read only
reports.lost = lost
`

it('has types, by which a page of somebody else compiles', async () => {
  const { status, headers, body } = await get(edge.url, '/player.d.ts')
  expect(status).toBe(200)
  expect(headers['content-type']).toBe('text/plain; charset=utf-8')
  const work = mkdtempSync(join(tmpdir(), 'vitrine-consumer-'))
  try {
    writeFileSync(join(work, 'player.d.ts'), body)
    writeFileSync(join(work, 'consumer.ts'), consumer)
    symlinkSync(join(root, 'node_modules'), join(work, 'node_modules'))
    const project = {
      compilerOptions: {
        target: 'es2022',
        module: 'preserve',
        moduleResolution: 'bundler',
        lib: ['es2022', 'dom', 'dom.iterable'],
        strict: true,
        noEmit: true,
        types: [],
      },
      files: ['consumer.ts'],
    }
    writeFileSync(join(work, 'tsconfig.json'), JSON.stringify(project))
    const compiled = promisify(execFile)(join(root, 'node_modules/.bin/tsc'), ['-p', work])
    await expect(compiled.catch((error: { stdout: string }) => error.stdout)).resolves.toMatchObject({
      stdout: '',
    })
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  expect(readFileSync(join(root, 'dist/web/watch-assets/player.d.ts'), 'utf8')).not.toContain('import ')
}, 60_000)
