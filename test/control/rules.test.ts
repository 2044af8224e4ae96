// Rule files of a real control room: read again when they change, refused without harm, words from templates.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AlertView, BackTestAnswer, RuleCheckAnswer, RuleFileAnswer, RulesAnswer, RuleView } from '#wire'
import { startTestControl, type TestControl, until } from './fixture.ts'

let control: TestControl
const folder = mkdtempSync(join(tmpdir(), 'vitrine-rules-'))
const file = join(folder, 'own.yaml')
/** As if it came with Vitrine. */
const shipped = mkdtempSync(join(tmpdir(), 'vitrine-rules-shipped-'))

const rule = (name: string, expr: string, more = ''): string =>
  `groups:\n  - name: own\n    rules:\n      - alert: ${name}\n        expr: ${expr}\n${more}`

beforeAll(async () => {
  writeFileSync(file, rule('First', 'vector(1) > 0'))
  writeFileSync(join(shipped, 'shipped.yaml'), rule('Shipped', 'vector(1) > 0'))
  const rulesFolders = [shipped, folder]
  control = await startTestControl({
    rulesFolders,
    shippedRules: shipped,
    externalLabels: { cluster: 'test' },
  })
}, 30_000)
afterAll(async () => {
  await control.close()
  rmSync(folder, { recursive: true, force: true })
  rmSync(shipped, { recursive: true, force: true })
})

async function rules(): Promise<RulesAnswer> {
  return (await control.get('/api/v1/rules')).body as RulesAnswer
}

async function ruleOf(name: string): Promise<RuleView | undefined> {
  return (await rules()).groups.flatMap(group => group.rules).find(found => found.name === name)
}

async function alertOf(name: string): Promise<AlertView | undefined> {
  const { alerts } = (await control.get('/api/v1/alerts')).body as { alerts: AlertView[] }
  return alerts.find(alert => alert.rule === name)
}

describe('rule files', () => {
  it('are read again when they change; alerts of rules that stay go on, others are resolved', async () => {
    const first = await until(
      async () => (await alertOf('First'))?.state === 'firing' && alertOf('First'),
      'First',
    )
    writeFileSync(join(folder, 'more.yaml'), rule('Second', 'vector(2) > 0'))
    await until(async () => (await alertOf('Second'))?.state === 'firing', 'Second fires')
    expect(await alertOf('First')).toMatchObject({ id: first.id, state: 'firing', firedAt: first.firedAt })
    rmSync(join(folder, 'more.yaml'))
    await until(async () => (await alertOf('Second'))?.state === 'resolved', 'Second is resolved')
    expect(await alertOf('First')).toMatchObject({ id: first.id, state: 'firing' })
  })

  it('that are wrong change nothing: the old rules go on, and the page says why', async () => {
    const before = await alertOf('First')
    writeFileSync(file, rule('Broken', 'vector(1', ''))
    const { problem } = await until(async () => {
      const answer = await rules()
      return answer.problem !== null && answer
    }, 'the file is refused')
    expect(problem).toMatch(/^own\.yaml:5: /)
    expect(await alertOf('First')).toMatchObject({ id: before?.id, state: 'firing' })
    const metrics = await control.get('/metrics')
    expect(metrics.body).toContain('vitrine_control_rules_in_force 0')
    writeFileSync(file, rule('First', 'vector(1) > 0 # mended'))
    await until(async () => (await rules()).problem === null, 'the file is taken again')
  })

  it('tell a rule without data from a quiet one, and one that cannot be evaluated', async () => {
    const text = `${rule('Quiet', 'vitrine_metrics_store_failing > 5')}      - alert: Missing\n        expr: no_such_metric > 5\n      - alert: Failing\n        expr: vector(1) + on() (label_replace(vector(1), "a", "b", "", "") or vector(2))\n`
    writeFileSync(join(folder, 'states.yaml'), text)
    await until(async () => (await ruleOf('Failing'))?.state === 'failing', 'Failing fails')
    expect((await ruleOf('Failing'))?.problem).toBeTruthy()
    expect(await ruleOf('Missing')).toMatchObject({ state: 'no-data' })
    await until(async () => (await ruleOf('Quiet'))?.state === 'quiet', 'Quiet has data')
  })

  it('have templates that ask the store and know the external labels', async () => {
    const annotations =
      '        labels:\n          team: "{{ $externalLabels.cluster | toUpper }}"\n        annotations:\n          text: \'{{ with query "vector(1500)" }}{{ . | first | value | humanize }}{{ end }} of {{ $value }}\'\n          broken: \'{{ query "none" | first }}\'\n'
    writeFileSync(join(folder, 'words.yaml'), rule('Words', 'vector(3)', annotations))
    const alert = await until(async () => (await alertOf('Words')) ?? null, 'Words fires')
    expect(alert.labels).toMatchObject({ team: 'TEST' })
    expect(alert.annotations).toEqual({
      text: '1.5k of 3',
      broken: '<error expanding template: first() called on vector with no elements>',
    })
  })
})

describe('rules written in the pages', () => {
  const send = async (
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: never }> => {
    const answer = await fetch(`${control.url}/api/v1/rules${path}`, {
      method,
      headers: {
        authorization: `Bearer ${control.tokens.operator}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: answer.status, body: (await answer.json()) as never }
  }
  const code = (body: never): string => (body as { error: { code: string } }).error.code

  it('are in force at once, take the place of shipped ones of the same name, and are audited', async () => {
    await until(async () => (await alertOf('Shipped'))?.state === 'firing', 'Shipped fires')
    const text = rule('Shipped', 'vector(0) > 5')
    const saved = await send('PUT', '/files/1/page.yaml', { text, sha256: null })
    expect(saved).toMatchObject({ status: 200, body: { problem: null } })
    await until(async () => (await ruleOf('Shipped'))?.replaces === true, 'the own one is in force')
    const all = (await rules()).groups.flatMap(group => group.rules)
    expect(all.filter(({ name }) => name === 'Shipped')).toMatchObject([
      { expr: 'vector(0) > 5', at: 'page.yaml:4' },
    ])
    await until(async () => (await alertOf('Shipped'))?.state === 'resolved', 'nothing is found any more')
    const audit = await control.get('/api/v1/audit?action=rule-file-save', control.tokens.admin)
    expect(audit.body).toMatchObject({
      entries: [{ by: 'test operator', subject: join(folder, 'page.yaml') }],
    })
    const read = (await send('GET', '/files/1/page.yaml')).body as RuleFileAnswer
    expect(read).toMatchObject({ text, shipped: false, writable: true })
    expect((await send('DELETE', `/files/1/page.yaml?sha256=${read.sha256}`)).status).toBe(200)
    await until(async () => (await ruleOf('Shipped'))?.expr === 'vector(1) > 0', 'the shipped one is back')
  })

  it('are refused with their line, over a change that was not seen, and where nobody may write', async () => {
    const text = rule('Fine', 'vector(0) > 1')
    const wrong = await send('PUT', '/files/1/wrong.yaml', { text: rule('Bad', 'vector(1'), sha256: null })
    expect([wrong.status, code(wrong.body)]).toEqual([422, 'control-rules-invalid'])
    expect(existsSync(join(folder, 'wrong.yaml'))).toBe(false)
    const before = readFileSync(file, 'utf8')
    const over = await send('PUT', '/files/1/own.yaml', { text, sha256: null })
    expect([over.status, code(over.body)]).toEqual([409, 'control-rule-file-changed'])
    expect(readFileSync(file, 'utf8')).toBe(before)
    const kept = await send('PUT', '/files/0/shipped.yaml', { text, sha256: null })
    expect([kept.status, code(kept.body)]).toEqual([409, 'control-rule-file-kept'])
    for (const name of ['..%2Fup.yaml', '.hidden.yaml', 'own.txt', 'a%00.yaml'])
      expect((await send('PUT', `/files/1/${name}`, { text, sha256: null })).status, name).toBe(400)
    expect((await send('GET', '/files/9/own.yaml')).status).toBe(404)
  })

  it('are checked as the command does it', async () => {
    const check = async (text: string): Promise<RuleCheckAnswer> =>
      (await send('POST', '/check', { name: 'new.yaml', text })).body
    expect(await check(rule('Bad', 'vector(1'))).toMatchObject({ problem: { line: 5 }, rules: [] })
    expect(await check(rule('Shipped', 'up == 0'))).toMatchObject({
      problem: null,
      rules: [{ name: 'Shipped', line: 4, expr: 'up == 0', replaces: true }],
    })
  })

  it('are tested on what is stored before anybody saves them', async () => {
    const text = rule('Stored', 'vitrine_metrics_store_failing{job="vitrine-control"} == 0')
    const request = { name: 'new.yaml', text, rangeMs: 3_600_000 }
    const started = (await send('POST', '/back-tests', request)).body as BackTestAnswer
    const done = await until(async () => {
      const answer = (await send('GET', `/back-tests/${started.id}`)).body as BackTestAnswer
      return answer.state === 'running' ? null : answer
    }, 'the back-test ends')
    expect(done).toMatchObject({
      state: 'done',
      result: { rule: 'Stored', alerts: 1, hadData: true, sets: 1 },
    })
    expect(await ruleOf('Stored')).toBeUndefined()
    expect((await send('GET', '/back-tests/none')).status).toBe(404)
  })
})
