// The media type for Zabbix: its script against a real control room, in a stand-in of Zabbix's engine and, where Debian
// gives it, in Zabbix' own (zabbix_js). No Zabbix server is run.
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Script } from 'node:vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { AlertView } from '#wire'
import { startTestControl, type TestControl, until } from '../control/fixture.ts'
import { fetchPeer } from './peers.ts'

interface MediaType {
  readonly script: string
  readonly parameters: readonly { readonly name: string; readonly value: string }[]
}

const file = new URL('../../config/zabbix/vitrine-media-type.yaml', import.meta.url)
const [mediaType] = (parse(readFileSync(file, 'utf8')) as { zabbix_export: { media_types: MediaType[] } })
  .zabbix_export.media_types

/** As Zabbix fills the parameters in. */
function parametersOf(part: Readonly<Record<string, string>>): Record<string, string> {
  const all: Record<string, string> = {
    url: `${control.url}/`,
    token: control.tokens.operator,
    keep_hours: '24',
    zabbix_url: 'https://zabbix.example',
    event_id: '4711',
    event_name: 'Fan of "rack 7" fails',
    event_source: '0',
    event_tags:
      '[{"tag":"region","value":"eu"},{"tag":"data center","value":"fra1"},{"tag":"severity","value":"x"}]',
    event_value: '1',
    host: 'eu-west',
    message: '0 rpm',
    trigger_id: '12',
    trigger_severity: '4',
    ...part,
  }
  expect(Object.keys(all).toSorted()).toEqual(mediaType?.parameters.map(({ name }) => name).toSorted())
  return all
}

let control: TestControl
const folder = mkdtempSync(join(tmpdir(), 'vitrine-zabbix-'))
beforeAll(async () => {
  control = await startTestControl({ rulesFolders: [] })
}, 30_000)
afterAll(async () => {
  await control.close()
  rmSync(folder, { recursive: true, force: true })
})

const script = `(function (value) {${mediaType?.script ?? ''}\n})`

/** The requests that the script wanted, carried out after it has ended: fetch cannot wait. */
async function runStandIn(
  part: Readonly<Record<string, string>>,
): Promise<{ result: string; status: number }> {
  const wanted: { address: string; body: string; headers: Record<string, string> }[] = []
  class HttpRequest {
    readonly #headers: Record<string, string> = {}
    addHeader(line: string): void {
      const colon = line.indexOf(':')
      this.#headers[line.slice(0, colon)] = line.slice(colon + 1).trim()
    }
    post(address: string, body: string): string {
      wanted.push({ address, body, headers: this.#headers })
      return '{}'
    }
    getStatus(): number {
      return 200
    }
  }
  const globals = { HttpRequest, Zabbix: { log: () => undefined } }
  const run = new Script(script).runInNewContext(globals) as (value: string) => string
  const result = run(JSON.stringify(parametersOf(part)))
  const [request] = wanted
  if (request === undefined) return { result, status: 0 }
  const answer = await fetch(request.address, {
    method: 'POST',
    headers: request.headers,
    body: request.body,
  })
  return { result, status: answer.status }
}

async function alertOf(event: string): Promise<AlertView | undefined> {
  const { alerts } = (await control.get('/api/v1/alerts')).body as { alerts: AlertView[] }
  return alerts.find(({ labels }) => labels['zabbix_event'] === event)
}

describe('the media type', () => {
  it('raises an alert with the tags as labels, and its recovery ends it', async () => {
    expect(await runStandIn({})).toEqual({ result: 'OK', status: 200 })
    expect(await alertOf('4711')).toMatchObject({
      rule: 'Fan of "rack 7" fails',
      state: 'firing',
      labels: {
        instance: 'eu-west',
        region: 'eu',
        data_center: 'fra1',
        severity: 'critical',
        source: 'zabbix',
      },
      annotations: {
        description: '0 rpm',
        generator_url: 'https://zabbix.example/tr_events.php?triggerid=12&eventid=4711',
      },
    })
    await until(async () => {
      const { incidents } = (await control.get('/api/v1/incidents')).body as {
        incidents: { servers: string[] }[]
      }
      return incidents.some(({ servers }) => servers.includes('eu-west'))
    }, 'it joins an incident of its server')
    // An update in between changes nothing of what it is known by.
    await runStandIn({ message: 'Ada looks at it' })
    expect(await alertOf('4711')).toMatchObject({ annotations: { description: 'Ada looks at it' } })
    expect(await runStandIn({ event_value: '0' })).toMatchObject({ status: 200 })
    expect(await alertOf('4711')).toMatchObject({ state: 'resolved' })
  })

  it('sends nothing of other events, and says what is not set up', async () => {
    expect(await runStandIn({ event_source: '1' })).toEqual({ result: 'OK', status: 0 })
    await expect(runStandIn({ url: '{$VITRINE.URL}' })).rejects.toContain('the parameter url is no address')
    await expect(runStandIn({ token: '' })).rejects.toContain('has to be a token')
    // Macros that Zabbix could not expand do not become labels.
    expect(await runStandIn({ event_id: '5', host: '{HOST.HOST}', event_tags: '*UNKNOWN*' })).toMatchObject({
      status: 200,
    })
    expect((await alertOf('5'))?.labels).not.toHaveProperty('instance')
  })
})

const peer = await fetchPeer('zabbix-server-pgsql')
const zabbixJs = 'missing' in peer ? '' : join(peer.folder, 'usr/bin/zabbix_js')

describe.skipIf(!existsSync(zabbixJs))('in Zabbix’ own engine (zabbix_js of Debian)', () => {
  const run = async (part: Readonly<Record<string, string>>): Promise<string> => {
    const [body, input] = [join(folder, 'script.js'), join(folder, 'input.json')]
    writeFileSync(body, mediaType?.script ?? '')
    writeFileSync(input, JSON.stringify(parametersOf(part)))
    const { stdout, stderr } = await promisify(execFile)(zabbixJs, ['-s', body, '-i', input]).catch(
      (error: { stdout: string; stderr: string }) => error,
    )
    return `${stdout}${stderr}`.trim()
  }

  it('it sends problem and recovery, and passes on what the control room refuses', async () => {
    expect(await run({ event_id: '9' })).toBe('OK')
    expect(await alertOf('9')).toMatchObject({ state: 'firing', labels: { region: 'eu' } })
    expect(await run({ event_id: '9', event_value: '0' })).toBe('OK')
    expect(await alertOf('9')).toMatchObject({ state: 'resolved' })
    expect(await run({ token: 'vit_wrong' })).toContain('the control room answered 401')
  })
})
