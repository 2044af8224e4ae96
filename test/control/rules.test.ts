// Rule files of a real control room: read again when they change, refused without harm, words from templates.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AlertView, RulesAnswer, RuleView } from '#wire'
import { startTestControl, type TestControl, until } from './fixture.ts'

let control: TestControl
const folder = mkdtempSync(join(tmpdir(), 'vitrine-rules-'))
const file = join(folder, 'own.yaml')

const rule = (name: string, expr: string, more = ''): string =>
  `groups:\n  - name: own\n    rules:\n      - alert: ${name}\n        expr: ${expr}\n${more}`

beforeAll(async () => {
  writeFileSync(file, rule('First', 'vector(1) > 0'))
  control = await startTestControl({ rulesFolders: [folder], externalLabels: { cluster: 'test' } })
}, 30_000)
afterAll(async () => {
  await control.close()
  rmSync(folder, { recursive: true, force: true })
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
