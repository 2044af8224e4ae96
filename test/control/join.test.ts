// Machines that join over the private authority's TLS: a real control room, an origin and an edge that enrol with
// join strings, and everybody who must be turned away.
import { mkdtempSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentLog, systemClock } from '#base'
import { openState } from '#control'
import { startEdge } from '#edge'
import { startOrigin } from '#origin'
import { enrol, type Identity, PRIVATE_SUFFIX, renew, writeJoinString } from '#trust'
import type { EnrolRequest, JoinStringRequest, ServerView } from '#wire'
import { sha256, startTestControl, type TestControl, until } from './fixture.ts'

const sampleFolder = fileURLToPath(new URL('../../assets/sample/', import.meta.url))
const scratch = (): string => mkdtempSync(join(tmpdir(), 'vitrine-join-'))

let control: TestControl
let pin = ''
beforeAll(async () => {
  control = await startTestControl({ privateTls: true, enrol: [] })
  pin = control.join.pin ?? ''
}, 30_000)
afterAll(() => control.close())

async function invite(request: JoinStringRequest): Promise<{ text: string; token: string; id: string }> {
  const state = await openState(control.folder)
  try {
    const { token, id } = await state.makeJoinString(request)
    return { text: writeJoinString({ controlUrl: control.url, token, pin }), token, id }
  } finally {
    await state.close()
  }
}
const wish = { role: 'edge', id: null, region: null } as const
async function servers(): Promise<ServerView[]> {
  return ((await control.get('/api/v1/servers')).body as { servers: ServerView[] }).servers
}

describe('a fleet that joins', () => {
  it('streams from an origin over private TLS through an edge, and all are healthy', async () => {
    const originFolder = scratch()
    const origin = await enrol(originFolder, (await invite({ role: 'origin', id: 'origin' })).text, {
      ...wish,
      role: 'origin',
    })
    const common = { clock: systemClock, log: silentLog, publicUrl: null }
    const runningOrigin = await startOrigin({
      ...common,
      ...joined(origin),
      listen: { host: '127.0.0.1', port: 0, privateTls: privateTls(origin) },
      mediaFolder: scratch(),
      builtinFolders: [sampleFolder],
      stateFolder: scratch(),
    })
    control.closers.add(runningOrigin)
    expect(runningOrigin.url).toMatch(/^https:/)
    await until(async () => (await servers()).find(({ id }) => id === 'origin')?.url, 'the origin has come')

    const edge = await enrol(scratch(), (await invite({ role: 'edge', region: 'eu-west' })).text, wish)
    expect(edge).toMatchObject({ id: 'eu-west', region: 'eu-west', originUrl: runningOrigin.url })
    const runningEdge = await startEdge({
      ...common,
      ...joined(edge),
      listen: { host: '127.0.0.1', port: 0 },
      originUrl: edge.originUrl ?? '',
      stateFolder: scratch(),
      webFolder: null,
      memoryBytesMax: 64 * 1024 * 1024,
      diskBytesMax: 0,
    })
    control.closers.add(runningEdge)
    const media = await until(async () => {
      const answer = await fetch(`${runningEdge.url}/vod/sample/master.m3u8`)
      return answer.ok && (await answer.text())
    }, 'the edge plays')
    const playlist = /URI="([^"]+)"/.exec(media)?.[1] ?? ''
    expect((await fetch(playlist)).status).toBe(200)
    await until(async () => (await servers()).every(({ state }) => state === 'healthy'), 'all are healthy')
  }, 40_000)

  it('gives the same answer to the same machine again, and a free id to the next of a region', async () => {
    const { text } = await invite({ role: 'edge', region: 'eu-west' })
    const folder = scratch()
    const first = await enrol(folder, text, wish)
    expect(first.id).toBe('eu-west-2')
    expect((await enrol(folder, text, wish)).credential.reveal()).toBe(first.credential.reveal())
    expect(statSync(join(folder, 'identity.json')).mode & 0o077).toBe(0)
    expect(statSync(join(folder, 'server.pem')).mode & 0o077).toBe(0)
    await expect(
      enrol(folder, (await invite({ role: 'origin' })).text, { ...wish, role: 'origin' }),
    ).rejects.toMatchObject({
      code: 'trust-identity-other',
    })
  })

  it('renews its certificate as itself', async () => {
    const identity = await enrol(scratch(), (await invite({ role: 'edge', id: 'renewer' })).text, wish)
    const file = identity.tls?.file ?? ''
    const before = readFileSync(file, 'utf8')
    await renew(identity)
    expect(readFileSync(file, 'utf8')).not.toBe(before)
  })

  it('takes a new key for a known id when a join string names it, and ends the old one', async () => {
    const old = await enrol(scratch(), (await invite({ role: 'edge', id: 'rekeyed' })).text, wish)
    const fresh = await enrol(scratch(), (await invite({ role: 'edge', id: 'rekeyed' })).text, wish)
    expect(fresh.id).toBe(old.id)
    await expect(renew(old)).rejects.toThrow('status 401')
    await renew(fresh)
  })

  it('retires a server: its credential ends, its id is not given again', async () => {
    const identity = await enrol(scratch(), (await invite({ role: 'edge', id: 'leaver' })).text, wish)
    const state = await openState(control.folder)
    await state.retireServer('leaver')
    await state.close()
    await expect(renew(identity)).rejects.toThrow('status 401')
    const { text } = await invite({ role: 'edge' })
    await expect(enrol(scratch(), text, { ...wish, id: 'leaver' })).rejects.toThrow('enrolled already')
    expect((await servers()).map(({ id }) => id)).not.toContain('leaver')
  })
})

describe('turned away', () => {
  it('whoever answers with another authority: nothing is sent to it', async () => {
    const { token, text } = await invite({ role: 'edge' })
    const other = writeJoinString({ controlUrl: control.url, token, pin: sha256('other') })
    await expect(enrol(scratch(), other, wish)).rejects.toMatchObject({ code: 'trust-control-not-pinned' })
    // The string was not spent.
    expect((await enrol(scratch(), text, { ...wish, id: 'unspent' })).id).toBe('unspent')
  })

  it('plain HTTP off loopback, and a control room that is away', async () => {
    const { token } = await invite({ role: 'edge' })
    const plain = writeJoinString({ controlUrl: 'http://192.0.2.1:8080', token, pin: null })
    await expect(enrol(scratch(), plain, wish)).rejects.toThrow('plain HTTP off loopback')
    const away = writeJoinString({ controlUrl: 'https://127.0.0.1:9', token, pin })
    await expect(enrol(scratch(), away, wish)).rejects.toMatchObject({ code: 'trust-control-unreachable' })
  })

  it('a string that was used, revoked, expired, or is for another role or server', async () => {
    const used = await invite({ role: 'edge', id: 'once' })
    await enrol(scratch(), used.text, wish)
    await expect(enrol(scratch(), used.text, wish)).rejects.toThrow('it was used by once')
    const revoked = await invite({ role: 'edge' })
    const state = await openState(control.folder)
    await state.revokeJoinString(revoked.id)
    await expect(state.revokeJoinString(used.id)).rejects.toMatchObject({
      code: 'control-join-string-unknown',
    })
    await state.close()
    await expect(enrol(scratch(), revoked.text, wish)).rejects.toThrow('it was revoked')
    const origin = await invite({ role: 'origin' })
    await expect(enrol(scratch(), origin.text, wish)).rejects.toThrow('it is for role origin')
    const named = await invite({ role: 'edge', id: 'named' })
    await expect(enrol(scratch(), named.text, { ...wish, id: 'other' })).rejects.toThrow('it is for named')
  })

  it('two machines with one string at the same moment: one joins', async () => {
    const { token } = await invite({ role: 'edge' })
    const ask = (credential: string): Promise<number> => enrolBy(token, sha256(credential))
    const answers = await Promise.all(['a', 'b', 'c', 'd'].map(ask))
    expect(answers.filter(status => status === 200)).toHaveLength(1)
    expect(answers.filter(status => status === 403)).toHaveLength(3)
  })

  it('requests without the shape', async () => {
    expect(await enrolBy('x'.repeat(1000), sha256('a'))).toBe(400)
    expect(await enrolBy('unknown', 'not hex')).toBe(400)
    expect(await enrolBy('unknown', sha256('a'))).toBe(403)
  })
})

async function enrolBy(token: string, credentialSha256: string): Promise<number> {
  const body: EnrolRequest = { ...wish, token, credentialSha256, requestPem: null, version: '0' }
  return control.post('/api/v1/enrol', body)
}

function joined(identity: Identity): {
  id: string
  region: string
  controlUrl: string
  token: Identity['credential']
  trust: Identity['trust']
  identity: Identity
} {
  const { id, region, controlUrl, credential, trust } = identity
  return { id, region, controlUrl, token: credential, trust, identity }
}
function privateTls(identity: Identity): { file: string; suffix: string } {
  return { file: identity.tls?.file ?? '', suffix: PRIVATE_SUFFIX }
}
