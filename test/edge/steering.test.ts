import type { AddressInfo } from 'node:net'
import { createServer, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningEdge } from '#edge'
import { readMultivariant } from '#media'
import { type ViewerRecord, viewerRecord } from '#wire'
import { get, makeFolder, pathway, runEdge, SmallControl, table, until } from './small-fleet.ts'
import { publishTitle, SmallOrigin } from './small-origin.ts'

const folder = makeFolder()
let origin: SmallOrigin
let control: SmallControl
let eu: RunningEdge
let us: RunningEdge
/** Accepts connections and never answers, as a stopped process does. */
let frozen: Server
let frozenUrl: string

beforeAll(async () => {
  origin = await SmallOrigin.start()
  publishTitle(origin, 'sample', { segments: 5, segmentS: 4, segmentBytes: 20_000 })
  control = await SmallControl.start()
  frozen = createServer(() => {})
  await new Promise<void>(resolve => frozen.listen(0, '127.0.0.1', resolve))
  frozenUrl = `http://127.0.0.1:${(frozen.address() as AddressInfo).port}`
  const options = { originUrl: origin.url, controlUrl: control.url }
  eu = await runEdge({ ...options, id: 'eu-west', stateFolder: `${folder.path}/eu-west` })
  us = await runEdge({ ...options, id: 'us-east', stateFolder: `${folder.path}/us-east` })
  control.say(table(fleet()), {
    type: 'catalogue',
    titles: [{ id: 'sample', name: 'Sample', class: 'builtin', durationMs: 20_000 }],
  })
  await until('both edges have the table', async () => {
    const tables = await Promise.all([eu, us].map(edge => get(edge.url, '/watch-table')))
    return tables.every(answer => answer.body.toString().includes('ap-southeast'))
  })
})

afterAll(async () => {
  await eu.close()
  await us.close()
  await control.close()
  frozen.close()
  await origin.close()
  folder.remove()
})

function fleet(weights: readonly [number, number, number] = [1, 1, 1]): ReturnType<typeof pathway>[] {
  return [
    pathway('eu-west', eu.url, weights[0]),
    pathway('us-east', us.url, weights[1]),
    pathway('ap-southeast', frozenUrl, weights[2]),
  ]
}

interface Steering {
  readonly VERSION: number
  readonly TTL: number
  readonly 'RELOAD-URI': string
  readonly 'PATHWAY-PRIORITY': readonly string[]
}

async function steer(edge: RunningEdge, query: string): Promise<Steering> {
  const answer = await get(edge.url, `/steer?${query}`)
  expect(answer.status).toBe(200)
  return JSON.parse(answer.body.toString()) as Steering
}

async function setWeights(weights: readonly [number, number, number]): Promise<void> {
  control.say(table(fleet(weights)))
  const first = weights.findIndex(weight => weight > 0)
  const id = ['eu-west', 'us-east', 'ap-southeast'][first] ?? ''
  await until('the weights have arrived', async () => {
    const answers = await Promise.all([eu, us].map(edge => steer(edge, `_HLS_pathway=${id}`)))
    return answers.every(answer =>
      weights.every((weight, at) => {
        const place = answer['PATHWAY-PRIORITY'].indexOf(['eu-west', 'us-east', 'ap-southeast'][at] ?? '')
        const zeros = weights.filter(one => one === 0).length
        return weight === 0 ? place >= 3 - zeros : place < 3 - zeros
      }),
    )
  })
}

describe('steering', () => {
  it('leaves viewers on a healthy edge, and tells them to ask elsewhere', async () => {
    for (let n = 0; n < 20; n += 1) {
      const answer = await steer(us, `s=v${n}&_HLS_pathway=eu-west&_HLS_throughput=1000000`)
      expect(answer['PATHWAY-PRIORITY'][0]).toBe('eu-west')
      expect([...answer['PATHWAY-PRIORITY']].sort()).toEqual(['ap-southeast', 'eu-west', 'us-east'])
      expect(answer['RELOAD-URI'].startsWith(eu.url)).toBe(false)
      expect([answer.VERSION, answer.TTL]).toEqual([1, 5])
      expect(answer['RELOAD-URI']).toContain(`/steer?s=v${n}`)
    }
  })

  it('moves the viewers of a sick edge, spread over the others', async () => {
    await setWeights([0, 1, 1])
    const first = new Set<string>()
    for (let n = 0; n < 40; n += 1) {
      const answer = await steer(us, `s=v${n}&_HLS_pathway=eu-west`)
      first.add(answer['PATHWAY-PRIORITY'][0] ?? '')
      expect(answer['PATHWAY-PRIORITY'].at(-1)).toBe('eu-west')
      expect(answer['RELOAD-URI'].startsWith(eu.url)).toBe(false)
    }
    expect([...first].sort()).toEqual(['ap-southeast', 'us-east'])
    await setWeights([1, 1, 1])
  })

  it('believes the table, not its own probes, while the control room is there', async () => {
    await until('the probe of the frozen edge has failed twice', () => {
      const seen = control
        .of('probes')
        .flatMap(({ probes }) => probes)
        .filter(probe => probe.target === 'ap-southeast')
      return seen.filter(probe => probe.httpMs === null && probe.connectMs !== null).length >= 3
    })
    const answer = await steer(us, 's=v&_HLS_pathway=ap-southeast')
    expect(answer['PATHWAY-PRIORITY'][0]).toBe('ap-southeast')
  })
})

describe('entry', () => {
  it('redirects to an edge of the table that answers, the same for one session, keeping the query', async () => {
    await setWeights([1, 1, 1])
    const namesFrozen = async (edge: RunningEdge): Promise<boolean> => {
      const asked = Array.from({ length: 30 }, (_, n) => get(edge.url, `/play/sample.m3u8?sid=v${n}`))
      return (await Promise.all(asked)).some(({ headers }) =>
        String(headers['location']).startsWith(frozenUrl),
      )
    }
    // The frozen edge has its weight still; each edge finds out by two looks of its own.
    await until('both edges have found out', async () => !(await namesFrozen(eu)) && !(await namesFrozen(us)))
    const targets = new Set<string>()
    for (let n = 0; n < 30; n += 1) {
      const answer = await get(eu.url, `/play/sample.m3u8?sid=v${n}`)
      const again = await get(us.url, `/play/sample.m3u8?sid=v${n}`)
      expect(answer.status).toBe(302)
      expect(answer.headers['cache-control']).toBe('no-store')
      expect(answer.headers['location']).toBe(again.headers['location'])
      const location = new URL(String(answer.headers['location']))
      expect(`${location.pathname}${location.search}`).toBe(`/vod/sample/master.m3u8?sid=v${n}`)
      targets.add(location.origin)
    }
    expect([...targets].sort()).toEqual([eu.url, us.url].sort())
  })

  it('gives the edge that was asked for by name, unless it has no weight', async () => {
    const asked = await get(eu.url, '/play/sample.m3u8?via=us-east&sid=1')
    expect(asked.headers['location']).toBe(`${us.url}/vod/sample/master.m3u8?sid=1`)
    await setWeights([1, 0, 1])
    const refused = await get(eu.url, '/play/sample.m3u8?via=us-east')
    expect(String(refused.headers['location']).startsWith(eu.url)).toBe(true)
    await setWeights([1, 1, 1])
  })

  it('lists edges that answer, with titles, for the player page', async () => {
    const answer = await get(eu.url, '/watch-table')
    expect(answer.headers['access-control-allow-origin']).toBe('*')
    const parsed = JSON.parse(answer.body.toString()) as { pathways: { id: string }[]; titles: unknown[] }
    expect(parsed.pathways.map(({ id }) => id).sort()).toEqual(['ap-southeast', 'eu-west', 'us-east'])
  })

  it('writes the multivariant playlist of the edge that was asked, steered elsewhere', async () => {
    const answer = await get(us.url, '/vod/sample/master.m3u8?sid=me')
    expect(answer.headers['content-type']).toBe('application/vnd.apple.mpegurl')
    expect(answer.headers['cache-control']).toBe('no-cache')
    const playlist = readMultivariant(answer.body.toString())
    expect([...new Set(playlist.variants.map(({ pathwayId }) => pathwayId))]).toEqual(['us-east', 'eu-west'])
    expect(playlist.variants[0]?.uri).toBe(`${us.url}/vod/sample/r1/v0/index.m3u8`)
    expect(playlist.steering?.pathwayId).toBe('us-east')
    expect(playlist.steering?.serverUri.startsWith(`${us.url}/`)).toBe(false)
    expect(playlist.steering?.serverUri).toMatch(/\/steer\?s=[\w-]+$/)
    const media = await get(us.url, '/vod/sample/r1/v0/index.m3u8')
    expect(media.headers['content-type']).toBe('application/vnd.apple.mpegurl')
  })

  it('passes the 404 of an unknown title through', async () => {
    expect((await get(eu.url, '/vod/unknown/master.m3u8')).status).toBe(404)
  })
})

describe('without the control room', () => {
  it('goes on from its last table, also after a restart, and moves viewers off what it cannot reach', async () => {
    const state = `${folder.path}/third`
    const options = { originUrl: origin.url, id: 'sa-east', stateFolder: state }
    const first = await runEdge({ ...options, controlUrl: control.url })
    control.say(table([...fleet(), pathway('sa-east', first.url)], 7))
    await until('the table is known', async () =>
      (await get(first.url, '/watch-table')).body.includes('sa-east'),
    )
    await first.close()
    const port = Number(new URL(first.url).port)
    const second = await runEdge({ ...options, listen: { host: '127.0.0.1', port } })
    const priority = async (from: string): Promise<readonly string[]> =>
      (await steer(second, `s=x&_HLS_pathway=${from}`))['PATHWAY-PRIORITY']
    try {
      expect(await priority('eu-west')).toHaveLength(4)
      expect((await priority('eu-west'))[0]).toBe('eu-west')
      await until(
        'the frozen edge is at the end',
        async () => (await priority('ap-southeast')).at(-1) === 'ap-southeast',
      )
      expect((await priority('eu-west'))[0]).toBe('eu-west')
    } finally {
      await second.close()
      control.say(table(fleet(), 8))
    }
  })

  it('serves all by itself when it never had a table', async () => {
    const alone = await runEdge({ originUrl: origin.url, id: 'lonely', stateFolder: `${folder.path}/lonely` })
    try {
      const play = await get(alone.url, '/play/sample.m3u8')
      const place = String(play.headers['location']).slice(alone.url.length)
      expect(place).toMatch(/^\/s\/[A-Za-z0-9_-]{16}\/vod\/sample\/master\.m3u8$/)
      const answer = await steer(alone, '_HLS_pathway=lonely')
      expect(answer['PATHWAY-PRIORITY']).toEqual(['lonely'])
      expect(answer['RELOAD-URI'].startsWith(alone.url)).toBe(true)
    } finally {
      await alone.close()
    }
  })
})

describe('reports', () => {
  it('tells the control room who it is, whom it feeds and with how much', async () => {
    expect(control.of('hello').find(hello => hello.server === 'eu-west')).toMatchObject({
      role: 'edge',
      process: 'server',
      url: eu.url,
      pid: process.pid,
    })
    const reports = (): { sid: string; bytes: number; estimated: boolean; title: string }[] =>
      control.of('sessions').flatMap(({ sessions }) => sessions)
    const estimates = (): string[] => reports().flatMap(({ sid, estimated }) => (estimated ? [sid] : []))
    const before = new Set(estimates())
    const media = `CMCD=${encodeURIComponent('ot=v,sid="report-me"')}`
    await get(eu.url, `/vod/sample/r1/v0/0.m4s?${media}`)
    await get(eu.url, '/vod/sample/r1/v0/1.m4s', { 'user-agent': 'Television/2' })
    // A player that tells its sid loses it at the redirect of /play: its multivariant request is no second viewer.
    await get(eu.url, '/vod/sample/master.m3u8', { 'user-agent': 'Redirected/1' })
    await until('the session is reported', () => reports().some(({ sid }) => sid === 'report-me'))
    const told = reports().filter(({ sid }) => sid === 'report-me')
    expect(told.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(20_000)
    expect(told[0]).toMatchObject({ estimated: false, title: 'sample' })
    const fresh = new Set(estimates().filter(sid => !before.has(sid)))
    expect([...fresh]).toEqual([expect.stringMatching(/^~/)])
    const probed = control.of('probes').flatMap(({ probes }) => probes)
    const good = probed.find(probe => probe.target === 'us-east' && probe.httpStatus === 200)
    expect(good).toMatchObject({ error: null })
    const bad = probed.find(probe => probe.target === 'ap-southeast')
    expect(bad).toMatchObject({ httpMs: null, httpStatus: null, error: 'no answer in 1000 ms' })
    expect(bad?.connectMs).not.toBeNull()
  })

  it('gives a player without CMCD a session in its path, which it keeps on every edge and no cache sees', async () => {
    const play = await get(eu.url, '/play/sample.m3u8?via=eu-west')
    const [, prefix = ''] = /(\/s\/[^/]+)\/vod/.exec(String(play.headers['location'])) ?? []
    const { body } = await get(eu.url, `${prefix}/vod/sample/master.m3u8`)
    const uris = readMultivariant(body.toString()).variants.map(({ uri }) => uri)
    expect(new Set(uris.map(uri => new URL(uri).pathname))).toEqual(
      new Set(uris.map(uri => `${prefix}${new URL(uri).pathname.slice(prefix.length)}`)),
    )
    expect(new Set(uris.map(uri => new URL(uri).origin)).size).toBeGreaterThan(1)
    await get(eu.url, '/vod/sample/r1/v0/0.m4s')
    const hit = await get(eu.url, `${prefix}/vod/sample/r1/v0/0.m4s`)
    expect(hit.headers['cache-status']).toContain('hit')
    const sid = `~${prefix.slice('/s/'.length)}`
    const reported = () => control.of('sessions').flatMap(({ sessions }) => sessions)
    await until('the session is reported', () => reported().some(each => each.sid === sid))
    expect(reported().find(each => each.sid === sid)).toMatchObject({ estimated: true, title: 'sample' })
    const records = (): ViewerRecord[] =>
      control
        .of('viewer-records')
        .flatMap(({ lines }) => lines.split('\n').map(line => viewerRecord.parse(JSON.parse(line))))
    await until('the answer is told', () =>
      records().some(each => each.sid === sid && each.kind === 'request' && each.object === 'segment'),
    )
    expect(
      records().find(each => each.kind === 'request' && each.sid === sid && each.object === 'segment'),
    ).toMatchObject({
      estimated: true,
      title: 'sample',
      segment: 0,
      media: 'video',
      status: 200,
      bytes: 20_000,
      whole: true,
      cache: 'memory',
      upstreamMs: null,
      network: '127.0.0',
    })
  })

  it('takes CMCD events with 204, malformed lines as well, and refuses only what is too large', async () => {
    const type = { 'content-type': 'application/cmcd' }
    const good = await get(eu.url, '/cmcd', type, 'POST', 'v=2,e=ps,sta=p,ts=1,sid="report-me"\nbroken ((\n')
    expect([
      good.status,
      good.headers['content-length'],
      good.headers['access-control-allow-origin'],
    ]).toEqual([204, undefined, '*'])
    const large = await get(eu.url, '/cmcd', type, 'POST', 'x'.repeat(300_000)).catch(() => null)
    if (large !== null) expect(large.status).toBe(413)
    const metrics = await get(eu.url, '/metrics', { authorization: 'Bearer edge-token' })
    expect(metrics.body.toString()).toMatch(
      /vitrine_edge_viewer_records_dropped_total\{reason="malformed"\} [1-9]/,
    )
  })

  it('never refuses media because of CMCD', async () => {
    const answer = await get(eu.url, '/vod/sample/r1/v0/0.m4s?CMCD=%22%22%22((')
    expect(answer.status).toBe(200)
  })
})

describe('too many viewers', () => {
  it('answers 503 with Retry-After to connections beyond its places, and health to everybody', async () => {
    const small = await runEdge({
      originUrl: origin.url,
      id: 'small',
      stateFolder: `${folder.path}/small`,
      viewersMax: 2,
    })
    try {
      const { createConnection } = await import('node:net')
      const { hostname, port } = new URL(small.url)
      const holders = [1, 2].map(() => createConnection(Number(port), hostname))
      await Promise.all(holders.map(holder => new Promise(resolve => holder.once('connect', resolve))))
      await until(
        'they are counted',
        async () => (await get(small.url, '/vod/sample/r1/v0/0.m4s')).status === 503,
      )
      const refused = await get(small.url, '/vod/sample/r1/v0/0.m4s')
      expect(refused.headers['retry-after']).toBe('2')
      expect(JSON.parse(refused.body.toString())).toMatchObject({ error: { code: 'edge-busy', retry: true } })
      expect((await get(small.url, '/healthz')).status).toBe(200)
      for (const holder of holders) holder.destroy()
      await until(
        'there is room again',
        async () => (await get(small.url, '/vod/sample/r1/v0/0.m4s')).status === 200,
      )
    } finally {
      await small.close()
    }
  })
})

describe('who comes to an edge that should feed nobody', () => {
  const master = '/vod/sample/master.m3u8?sid=late'

  it('is sent on with 307, which no cache keeps, to the same path with its query, once', async () => {
    await setWeights([0, 1, 0])
    const sent = await get(eu.url, master)
    expect(sent.status).toBe(307)
    expect(sent.headers).toMatchObject({
      location: `${us.url}${master}&vitrine-hop=eu-west`,
      'cache-control': 'no-store',
      'access-control-allow-origin': '*',
    })
    const answer = await get(
      us.url,
      new URL(String(sent.headers['location'])).pathname + '?vitrine-hop=eu-west',
    )
    expect(answer.status).toBe(200)
    expect((await get(eu.url, `${master}&vitrine-hop=us-east`)).status).toBe(200)
    expect((await get(eu.url, master, {}, 'HEAD')).status).toBe(307)
  })

  it('is answered here when no other edge takes viewers', async () => {
    control.say(table(fleet([0, 0, 0]), 9))
    await until('nobody is sent on', async () => (await get(eu.url, master)).status === 200)
  })
})
