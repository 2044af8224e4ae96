import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { Fetcher } from './fetcher.ts'
import { Reporter } from './reporter.ts'
import { GroupCounts } from './stats.ts'

const servers: Server[] = []
const fetchers: Fetcher[] = []
afterEach(async () => {
  for (const fetcher of fetchers.splice(0)) await fetcher.close()
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
})

/** An edge that answers reports with one status, and keeps them. */
async function edge(status: number): Promise<{ url: string; reports: string[] }> {
  const reports: string[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    request.on('end', () => {
      reports.push(`${request.url} ${request.headers['content-type']}\n${text}`)
      response.writeHead(status).end()
    })
  })
  servers.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, reports }
}

function reporter(targets: readonly string[]): { reporter: Reporter; counts: GroupCounts } {
  const fetcher = new Fetcher({ authorityPem: null, rateBps: null })
  fetchers.push(fetcher)
  const counts = new GroupCounts()
  return { reporter: new Reporter({ fetcher, userAgent: 'test', counts, targets: () => targets }), counts }
}

describe('event reports', () => {
  it('go to the edge that feeds, one record a line, with numbers from 1', async () => {
    const one = await edge(204)
    const { reporter: reports, counts } = reporter([one.url])
    reports.add(number => `sn=${number}`, 'later')
    reports.add(number => `sn=${number}`, 'later')
    await reports.send()
    expect(one.reports).toEqual(['/cmcd application/cmcd\nsn=1\nsn=2\n'])
    expect([counts.records, counts.recordsLost, counts.reportsRetried]).toEqual([2, 0, 0])
  })

  it('go to the next edge with the same numbers when one fails', async () => {
    const [ill, well] = [await edge(503), await edge(204)]
    const { reporter: reports, counts } = reporter([ill.url, well.url])
    reports.add(number => `sn=${number}`, 'later')
    await reports.send()
    expect(well.reports).toEqual(ill.reports)
    expect([counts.records, counts.reportsRetried]).toEqual([1, 1])
  })

  it('wait while no edge takes them, and never ask again where 410 came', async () => {
    const gone = await edge(410)
    const targets = [gone.url]
    const { reporter: reports, counts } = reporter(targets)
    reports.add(number => `sn=${number}`, 'later')
    await reports.send()
    await reports.send()
    expect(gone.reports.length).toBe(1)
    const well = await edge(204)
    targets.push(well.url)
    await reports.send()
    expect(well.reports).toEqual(['/cmcd application/cmcd\nsn=1\n'])
    expect(counts.recordsLost).toBe(0)
  })

  it('keep two hundred records at most, and count those that are lost', async () => {
    const { reporter: reports, counts } = reporter([])
    for (let at = 0; at < 230; at += 1) reports.add(number => `sn=${number}`, 'later')
    await reports.close()
    expect(counts.recordsLost).toBe(230)
  })
})
