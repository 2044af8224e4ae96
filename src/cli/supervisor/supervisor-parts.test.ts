import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { configSchema } from '../config.ts'
import { keepFleetFile, parseFleetFile } from './fleet-file.ts'
import { planFleet } from './fleet-plan.ts'
import { lastLines, turnOver } from './log-file.ts'
import { checkPorts } from './ports.ts'
import { summaryLines } from './summary.ts'
import { TryIt } from './try-it.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-supervisor-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('the plan', () => {
  it('counts all ports from the base, each once', () => {
    const plan = planFleet(configSchema.parse({ portBase: 9000 }), folder)
    const ports = plan.ports.map(({ listen }) => listen.port)
    expect(ports.toSorted((a, b) => a - b)).toEqual([9000, 9001, 9002, 9003, 9010, 9101, 9102, 9103, 9110])
    expect(plan.entries).toEqual(['http://127.0.0.1:9001', 'http://127.0.0.1:9002', 'http://127.0.0.1:9003'])
  })

  it('hands no token to a child by its command line or environment', () => {
    const plan = planFleet(configSchema.parse({}), folder)
    const { servers } = keepFleetFile(
      join(folder, 'fleet.json'),
      plan.servers.map(({ settings }) => ({ id: settings.id, role: settings.kind, region: settings.region })),
    )
    const words = JSON.stringify(plan)
    for (const { token } of servers) expect(words).not.toContain(token)
  })
})

describe('the fleet file', () => {
  const member = { id: 'a', role: 'edge', region: 'r' } as const

  it('makes a token once, for the owner alone to read', () => {
    const file = join(folder, 'fleet.json')
    const first = keepFleetFile(file, [member])
    const second = keepFleetFile(file, [member, { ...member, id: 'b' }])
    expect(second.servers[0]).toEqual(first.servers[0])
    expect(second.servers[1]?.token).not.toBe(first.servers[0]?.token)
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  it('refuses a damaged file in words that say what to do', () => {
    expect(() => parseFleetFile('{"servers":[{}]}', 'x.json')).toThrow(/x\.json is damaged; delete it/)
    expect(() => parseFleetFile('', 'x.json')).toThrow(/damaged/)
  })
})

it('names every taken port in one line, and how to move all', async () => {
  const taken = createServer()
  await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve))
  const { port } = taken.address() as { port: number }
  const listen = { host: '127.0.0.1', port }
  const uses = [
    { who: 'eu-west', listen },
    { who: 'us-east', listen },
  ]
  await expect(checkPorts(uses)).rejects.toThrow(
    new RegExp(`^ports ${port} \\(eu-west\\), ${port} \\(us-east\\) are taken .* --port-base N$`),
  )
  await new Promise(resolve => taken.close(resolve))
  await expect(checkPorts([{ who: 'eu-west', listen }])).resolves.toBeUndefined()
})

it('turns a log over by size and keeps three', () => {
  const file = join(folder, 'a.log')
  for (let round = 1; round <= 5; round += 1) {
    writeFileSync(file, `round ${round}\n`)
    expect(turnOver(file, 3)).toBe(true)
  }
  expect([1, 2, 3].map(number => readFileSync(`${file}.${number}`, 'utf8'))).toEqual([
    'round 5\n',
    'round 4\n',
    'round 3\n',
  ])
  expect(readFileSync(file, 'utf8')).toBe('')
  expect(turnOver(file, 3)).toBe(false)
  expect(turnOver(join(folder, 'none.log'))).toBe(false)
  expect(lastLines(join(folder, 'none.log'), 5)).toEqual([])
})

describe('the summary', () => {
  const facts = {
    controlUrl: 'http://127.0.0.1:8080',
    signInCode: 'abc',
    data: '/d',
    browserPorts: [8080, 8081],
    sshConnection: undefined,
    user: 'ada',
    tookMs: 1234,
  }

  it('says where to look, how to sign in, where data lies and how to stop', () => {
    const text = summaryLines(facts).join('\n')
    for (const word of ['/watch/sample', '/sign-in#link=abc', '/d/media', 'Ctrl-C', '1.2 s'])
      expect(text).toContain(word)
    expect(text).not.toContain('ssh')
  })

  it('over SSH gives the one line that forwards all ports of a browser', () => {
    const ssh = (sshConnection: string): string => summaryLines({ ...facts, sshConnection }).join('\n')
    expect(ssh('1.2.3.4 5555 10.0.0.7 22')).toContain(
      'ssh -L 8080:127.0.0.1:8080 -L 8081:127.0.0.1:8081 ada@10.0.0.7',
    )
    expect(ssh('1.2.3.4 5555 10.0.0.7 2222')).toContain('ssh -p 2222 -L')
    expect(ssh('nonsense')).not.toContain('ssh')
  })

  it('names the command when no link could be made', () => {
    expect(summaryLines({ ...facts, signInCode: null }).join('\n')).toContain('npx vitrine user link')
  })
})

it('refuses to try anything on a server that is not there', async () => {
  const tryIt = new TryIt({ setCount: () => Promise.resolve() })
  await expect(tryIt.act('freeze', 'nowhere', null)).rejects.toThrow(/no server nowhere/)
  await expect(tryIt.act('thaw', null, null)).rejects.toThrow(/none named/)
})
