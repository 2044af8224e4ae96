// Steering over the API: shares of new sessions, versions of the table, sessions' pathways, regions by address.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { fetch } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Closers } from '#base'
import { encodeRemoteWrite, REMOTE_WRITE_HEADERS } from '#metrics'
import type {
  PathwayChange,
  ServerView,
  SteeringInput,
  SteeringTable,
  SteeringVersion,
  ToControl,
} from '#wire'
import { type FakeServer, startFleet, startTestControl, type TestControl, until } from './fixture.ts'

type VersionsAnswer = { versions: SteeringVersion[] }
type PathwaysAnswer = { sid: string; edge: string | null; changes: PathwayChange[] }

let control: TestControl
let fleet: Record<string, FakeServer>
beforeAll(async () => {
  control = await startTestControl()
  fleet = await startFleet(control)
  await until(async () => {
    const { servers } = (await control.get('/api/v1/servers')).body as { servers: ServerView[] }
    return servers.filter(({ role, weight }) => role === 'edge' && weight === 1).length === 3
  }, 'all edges have their weight')
}, 30_000)
afterAll(() => control.close())

async function share(id: string, percent: unknown, token = control.tokens.operator): Promise<number> {
  const answer = await fetch(`${control.url}/api/v1/servers/${id}/share`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ percent }),
  })
  return answer.status
}
async function view(id: string): Promise<ServerView> {
  return (await control.get(`/api/v1/servers/${id}`)).body as ServerView
}
function table(): SteeringTable | undefined {
  return fleet['us-east']?.messages.findLast(message => message.type === 'steering-table')
}

describe('a share of new sessions', () => {
  it('is everything until somebody says otherwise, and reaches the fleet view and the table', async () => {
    expect((await view('eu-west')).sharePercent).toBe(100)
    expect(table()?.pathways.every(({ share }) => share === undefined)).toBe(true)
    expect(await share('eu-west', 1)).toBe(200)
    expect((await view('eu-west')).sharePercent).toBe(1)
    await until(() => table()?.pathways.at(-1)?.share === 0.01, 'edges know it, last of the table')
    expect(table()?.pathways.at(-1)).toMatchObject({ id: 'eu-west', weight: 1, share: 0.01 })
  })

  it('leaves the edge reachable by name, and outlives a restart', async () => {
    const named = await control.get('/play/sample.m3u8?via=eu-west', null)
    expect(named.headers.get('location')).toContain(fleet['eu-west']?.url)
    await control.restart()
    expect((await view('eu-west')).sharePercent).toBe(1)
    expect(await share('eu-west', 100)).toBe(200)
    await until(() => table()?.pathways.every(({ share: part }) => part === undefined), 'it takes all again')
  })

  it('is noted with who ordered it', async () => {
    const database = new Sqlite(join(control.folder, 'state.db'), { readonly: true })
    const rows = database.prepare("SELECT by, subject, facts FROM audit WHERE action = 'server-share'").all()
    database.close()
    const told = (rows as { by: string; subject: string; facts: string }[]).map(row => ({
      ...row,
      facts: JSON.parse(row.facts) as unknown,
    }))
    const by = 'test operator'
    expect(told).toMatchObject([
      { by, subject: 'eu-west', facts: { percent: 1 } },
      { by, subject: 'eu-west', facts: { percent: 100 } },
    ])
  })

  it('refuses what is no share, what is no edge, and who may not', async () => {
    for (const percent of [0, -1, 100.1, '10', null, Number.NaN])
      expect(await share('eu-west', percent)).toBe(400)
    expect(await share('origin', 10)).toBe(400)
    expect(await share('nobody', 10)).toBe(404)
    expect(await share('eu-west', 10, control.tokens.viewer)).toBe(403)
    expect((await view('eu-west')).sharePercent).toBe(100)
  })
})

const session = { title: 'sample', estimated: false, agoMs: 0, bytes: 1000 }
/** Once its channel is there: after a restart it comes back by itself. */
async function feed(edge: string, sid: string, agoMs = 0): Promise<void> {
  const began = { agoMs, version: table()?.version ?? null }
  const message: ToControl = { type: 'sessions', sessions: [{ ...session, sid, began }] }
  await until(() => fleet[edge]?.send(message), `${edge} reports`)
}
async function order(id: string, kind: 'drain' | null): Promise<void> {
  // A release by hand comes back in steps otherwise, each a version of its own.
  const query = kind === null ? '?at-once=true' : ''
  const answer = await fetch(`${control.url}/api/v1/servers/${id}/override${query}`, {
    method: kind === null ? 'DELETE' : 'PUT',
    headers: {
      authorization: `Bearer ${control.tokens.operator}`,
      ...(kind === null ? {} : { 'content-type': 'application/json' }),
    },
    ...(kind === null ? {} : { body: JSON.stringify({ kind, reason: 'disk change', expiresInS: null }) }),
  })
  expect(answer.status).toBe(200)
}

describe('versions of the table', () => {
  it('are stored once a decision, with what went in and what differed in words', async () => {
    await order('eu-west', 'drain')
    const drained = await until(async () => {
      const { versions } = (await control.get('/api/v1/steering/versions')).body as VersionsAnswer
      return versions[0]?.changes.some(text => text.startsWith('eu-west: weight 1 → 0')) && versions[0]
    }, 'the drain is a version')
    expect(drained.changes[0]).toMatch(
      /^eu-west: weight 1 → 0: drain.* \(drain by order of test operator: disk change\)$/,
    )
    const { body } = await control.get(`/api/v1/steering/versions/${drained.version}`)
    const { inputs } = body as { inputs: SteeringInput[] }
    expect(inputs.find(({ id }) => id === 'eu-west')).toMatchObject({
      weight: 0,
      keep: 0,
      order: 'drain by order of test operator: disk change',
      share: 1,
      capacity: null,
    })
    expect(inputs.find(({ id }) => id === 'us-east')).toMatchObject({ weight: 1, why: 'healthy', doubts: 0 })
    await order('eu-west', null)
    const before = await until(async () => {
      const answer = (await control.get('/api/v1/steering/versions')).body as VersionsAnswer
      return answer.versions[0]?.changes.join() === 'eu-west: weight 0 → 1: healthy' && answer
    }, 'it is back')
    await until(() => table()?.version === before.versions[0]?.version, 'the edges have it')
    expect(before.versions[1]?.until).toBe(before.versions[0]?.at)
    const then = await control.get(`/api/v1/steering/versions?at=${drained.at + 1}`)
    expect((then.body as VersionsAnswer).versions.map(({ version }) => version)).toEqual([drained.version])
  })

  it('go on with the same number over a restart that decides the same', async () => {
    const newest = async (): Promise<number | undefined> =>
      ((await control.get('/api/v1/steering/versions')).body as VersionsAnswer).versions[0]?.version
    const before = await newest()
    fleet['us-east']?.messages.splice(0)
    await control.restart()
    await until(() => table() !== undefined, 'a table comes')
    expect(table()?.version).toBe(before)
    expect(await newest()).toBe(before)
  })

  it('refuses numbers and spans that are none', async () => {
    expect((await control.get('/api/v1/steering/versions/0')).status).toBe(404)
    expect((await control.get('/api/v1/steering/versions/x')).status).toBe(404)
    expect((await control.get('/api/v1/steering/versions?at=yesterday')).status).toBe(400)
  })
})

describe('why a session was on an edge', () => {
  it('tells where it came in, and the version that moved it', async () => {
    await feed('eu-west', 'film/1', 2000)
    await until(
      async () => (await control.get('/api/v1/sessions/film%2F1/pathways')).status === 200,
      'it is known',
    )
    await order('eu-west', 'drain')
    await until(() => table()?.pathways.some(({ id, weight }) => id === 'eu-west' && weight === 0), 'drained')
    await feed('us-east', 'film/1')
    const moved = await until(async () => {
      const body = (await control.get('/api/v1/sessions/film%2F1/pathways')).body as PathwaysAnswer
      return body.changes.length === 2 && body
    }, 'it moved')
    expect(moved).toMatchObject({ sid: 'film/1', edge: 'us-east', estimated: false })
    expect(moved.changes[0]).toMatchObject({ edge: 'eu-west', from: null, title: 'sample' })
    expect(moved.changes[0]?.reason).toMatch(/^came in: eu-west had weight 1, healthy; 2 other edges/)
    expect(moved.changes[1]).toMatchObject({ edge: 'us-east', from: 'eu-west', version: table()?.version })
    expect(moved.changes[1]?.reason).toMatch(
      /^eu-west had weight 0, drain.*disk change.*; us-east had weight 1, healthy$/,
    )
  })

  it('writes nothing for a session that stays, nor for one that is told of again', async () => {
    await feed('us-east', 'film/1', 100)
    await control.restart()
    await feed('us-east', 'film/1', 100)
    await feed('us-east', 'film/2')
    await until(
      async () => (await control.get('/api/v1/sessions/film%2F2/pathways')).status === 200,
      'stored',
    )
    const { changes } = (await control.get('/api/v1/sessions/film%2F1/pathways')).body as PathwaysAnswer
    expect(changes.map(({ edge }) => edge)).toEqual(['eu-west', 'us-east'])
  })

  it('says that it does not know a session', async () => {
    expect((await control.get('/api/v1/sessions/nobody/pathways')).status).toBe(404)
  })
})

describe('a full edge', () => {
  it('gets nobody new while another has room, keeps whom it has, and the version says why', async () => {
    const tagged = await fetch(`${control.url}/api/v1/servers/us-east/tags`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${control.tokens.operator}`, 'content-type': 'application/json' },
      body: JSON.stringify({ capacityBps: 1e6 }),
    })
    expect(tagged.status).toBe(200)
    const { now } = (await control.get('/api/v1/servers')).body as { now: number }
    const labels = { __name__: 'vitrine_edge_sent_bytes_total', instance: 'us-east' }
    const samples = [0, 1, 2, 3, 4, 5, 6].map(n => ({ timestampMs: now - (6 - n) * 1000, value: n * 1e6 }))
    const written = await fetch(`${control.url}/prometheus/api/v1/write`, {
      method: 'POST',
      headers: { ...REMOTE_WRITE_HEADERS, authorization: 'Bearer vit_us-east' },
      body: encodeRemoteWrite([{ labels, samples }]),
    })
    expect(written.status).toBe(204)
    const full = await until(
      () => table()?.pathways.find(({ id, weight }) => id === 'us-east' && weight === 0),
      'the edge is full',
    )
    expect(full.keep).toBe(1)
    expect((await control.get('/play/sample.m3u8?via=us-east', null)).headers.get('location')).not.toContain(
      fleet['us-east']?.url,
    )
    const filled = await until(async () => {
      const { versions } = (await control.get('/api/v1/steering/versions')).body as VersionsAnswer
      return versions.find(({ changes }) =>
        changes[0]?.startsWith('us-east: weight 1 → 0, viewers stay: healthy; full'),
      )
    }, 'the version is stored')
    const { inputs } = (await control.get(`/api/v1/steering/versions/${filled.version}`)).body as {
      inputs: SteeringInput[]
    }
    expect(inputs.find(({ id }) => id === 'us-east')).toMatchObject({
      capacity: { bps: 1e6, source: 'operator' },
      capacityLeftBps: 0,
    })
    // The samples grow old: it sends nothing any more, and has room again.
    await until(
      () => table()?.pathways.some(({ id, weight }) => id === 'us-east' && weight === 1),
      'room',
      40_000,
    )
  }, 60_000)
})

describe('the file of regions', () => {
  const home = new Closers()
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-regions-'))
  const file = join(folder, 'regions.txt')
  home.defer(() => rmSync(folder, { recursive: true, force: true }))
  afterAll(() => home.close())

  it('sends viewers to the edges of their region, tells edges, and follows the file; a wrong line changes nothing', async () => {
    writeFileSync(file, '# all of this test\n127.0.0.0/8 ap-southeast\n')
    const regional = await startTestControl({ regionsFile: file })
    home.defer(() => regional.close())
    const servers = await startFleet(regional)
    const told = (): string | undefined => {
      const message = servers['us-east']?.messages.findLast(({ type }) => type === 'regions')
      return message?.type === 'regions' ? message.text : undefined
    }
    expect(told()).toBe('127.0.0.0/8 ap-southeast')
    const places = async (): Promise<Set<string | null>> => {
      const answers = await Promise.all(
        Array.from({ length: 12 }, () => regional.get('/play/sample.m3u8', null)),
      )
      return new Set(answers.map(({ headers }) => headers.get('location')))
    }
    const only = (id: string) => async () => {
      const found = await places()
      return found.size === 1 && [...found][0]?.startsWith(servers[id]?.url ?? '?') === true
    }
    await until(only('ap-southeast'), 'all go to their region')
    writeFileSync(file, '127.0.0.0/8 us-east\n')
    await until(only('us-east'), 'the new file counts')
    expect(told()).toBe('127.0.0.0/8 us-east')
    writeFileSync(file, '127.0.0.0/8 eu-west\n127.0.0.1/8 eu-west\n')
    await until(async () => {
      const { body } = await regional.get('/metrics')
      return /vitrine_control_regions_file_refused 1/.test(String(body))
    }, 'the wrong line is seen')
    expect(await only('us-east')()).toBe(true)
  }, 40_000)

  it('keeps a control room from starting with a wrong line, and says which', async () => {
    writeFileSync(file, '10.0.0.0/8 eu-west\nnonsense\n')
    await expect(startTestControl({ regionsFile: file })).rejects.toMatchObject({
      code: 'control-regions-invalid',
      message: expect.stringContaining('regions.txt:2: expected a network and a region'),
    })
  })
})
