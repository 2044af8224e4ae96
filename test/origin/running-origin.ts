// Owns starting a real origin for tests, with an edge credential as the control room would have sent it.
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Secret, silentLog, systemClock } from '#base'
import { startOrigin } from '#origin'
import { scratch } from './ffmpeg.ts'

export const edgeToken = 'edge-token-of-this-test'
export const authorization: string = `Bearer ${edgeToken}`

export interface TestOrigin {
  readonly url: string
  readonly mediaFolder: string
  readonly stateFolder: string
  get(path: string, init?: RequestInit): Promise<Response>
  /** The answer's text, for an answer of 200. */
  text(path: string): Promise<string>
  /** ffmpeg's arguments to read a title. */
  input(title: string): string[]
  /** Resolves when the title answers with `status`. */
  until(title: string, status: number, withinMs?: number): Promise<Response>
  close(): Promise<void>
}

export async function startTestOrigin(builtinFolders: readonly string[] = []): Promise<TestOrigin> {
  const folder = mkdtempSync(join(scratch, 'origin-'))
  const mediaFolder = join(folder, 'media')
  const stateFolder = join(folder, 'origin')
  mkdirSync(join(stateFolder, 'link'), { recursive: true })
  const sha256 = createHash('sha256').update(edgeToken).digest('hex')
  const access = { type: 'access', tokens: [], edges: [{ id: 'eu-west', sha256 }] }
  writeFileSync(join(stateFolder, 'link', 'access.json'), JSON.stringify(access))
  const running = await startOrigin({
    id: 'origin',
    region: 'local',
    listen: { host: '127.0.0.1', port: 0 },
    publicUrl: null,
    controlUrl: 'http://127.0.0.1:9', // nobody listens there: the origin serves without a control room
    token: new Secret('token-of-the-origin'),
    mediaFolder,
    builtinFolders,
    stateFolder,
    clock: systemClock,
    log: silentLog,
  })
  const get = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${running.url}${path}`, { ...init, headers: { authorization, ...init.headers } })
  return {
    url: running.url,
    mediaFolder,
    stateFolder,
    get,
    text: async path => {
      const response = await get(path)
      if (response.status !== 200) throw new Error(`${path}: ${response.status} ${await response.text()}`)
      return response.text()
    },
    input: title => [
      '-headers',
      `Authorization: ${authorization}\r\n`,
      '-i',
      `${running.url}/vod/${title}/master.m3u8`,
    ],
    until: async (title, status, withinMs = 10_000) => {
      const deadline = performance.now() + withinMs
      while (true) {
        const response = await get(`/vod/${title}/master.m3u8`)
        if (response.status === status) return response
        const body = await response.text()
        if (performance.now() > deadline)
          throw new Error(`${title}: ${response.status} ${body}, expected ${status}`)
        await new Promise(resolve => setTimeout(resolve, 25))
      }
    },
    close: () => running.close(),
  }
}
