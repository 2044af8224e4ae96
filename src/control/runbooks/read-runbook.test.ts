// Runbooks that ship are taken; those that cannot be carried out are refused with file and line.
import { describe, expect, it } from 'vitest'
import { readTextFile } from '../alerts/read-yaml.ts'
import { readRunbook, readRunbookFolders, runbookPaths } from './read-runbook.ts'

const shipped = new URL('../../../runbooks/', import.meta.url).pathname

describe('runbooks that ship', () => {
  it('are all taken, each in a file of its name', () => {
    const names = readRunbookFolders([shipped]).map(({ name, file }) => [`${name}.yaml`, file])
    expect(names.map(([name]) => name)).toEqual(names.map(([, file]) => file))
    expect(names).toHaveLength(4)
    expect(runbookPaths(shipped)).toHaveLength(4)
  })

  it('refuse clocks whose sources disagree before anything is touched', () => {
    const runbook = readRunbook(readTextFile(`${shipped}/reset-clock.yaml`), 'reset-clock.yaml')
    expect(runbook.preconditions[0]?.expr).toContain('TimeSourcesDisagree')
    expect(runbook.steps[0]).toMatchObject({ name: 'reset-clock-check', looksOnly: true })
    expect(runbook.steps[1]).toMatchObject({ kind: 'drain' })
  })

  it('set a clock gently first, and fully only where timers still fire early', () => {
    const { steps } = readRunbook(readTextFile(`${shipped}/reset-clock.yaml`), 'reset-clock.yaml')
    const names = steps.flatMap(step => (step.kind === 'run' ? [step.name] : []))
    expect(names).toEqual(['reset-clock-check', 'reset-clock', 'reset-clock-full', 'reset-clock-verify'])
    const full = steps.findIndex(step => step.kind === 'run' && step.name === 'reset-clock-full')
    expect(steps[full]?.when).toContain('timer_early_seconds')
    expect(steps[full - 1]).toMatchObject({ kind: 'wait-until', goOn: true })
  })
})

const with_ = (steps: string): string => `runbook: a\ntitle: A\nsteps:\n${steps}`

describe('a runbook that cannot be carried out', () => {
  it.each([
    [
      'an unknown step, with the nearest one',
      with_('  - drain:\n  - undrian:\n'),
      /^x\.yaml:5: steps\.1: unknown step "undrian"; did you mean undrain\?/,
    ],
    [
      'an unknown argument of a step',
      with_('  - run: reset\n    argument: x\n'),
      /^x\.yaml:5: .*argument.*nrecognized key/,
    ],
    ['PromQL that cannot be read', with_('  - wait-until: up ==\n'), /^x\.yaml:4: /],
    [
      'a duration that is none',
      with_('  - drain: { timeout: soon }\n'),
      /^x\.yaml:4: steps\.0\.drain\.timeout: expected a duration/,
    ],
    [
      'a return without a proof',
      with_('  - drain:\n  - run: reset\n  - undrain:\n'),
      /^x\.yaml:6: undrain after a run needs a verify/,
    ],
    ['a return of what was not drained', with_('  - undrain:\n'), /^x\.yaml:4: undrain without a drain/],
    ['a when that cannot be read', with_('  - run: reset\n    when: up ==\n'), /^x\.yaml:5: /],
    ['a return that may be left out', with_('  - drain:\n  - undrain:\n    when: up\n'), /^x\.yaml:6: /],
    [
      'a verify that never could hold',
      with_('  - verify: { hold: 5m, timeout: 20s }\n'),
      /^x\.yaml:4: steps\.0\.verify\.hold: it could never hold: hold is 300 s, expected less than its timeout of 20 s/,
    ],
    ['an unknown signal', with_('  - verify: { signals: [mood] }\n'), /^x\.yaml:4: /],
    ['a command in place of a name', with_('  - run: rm -rf /\n'), /^x\.yaml:4: .*step name/],
    ['an unknown key', `${with_('  - drain:\n')}stratgy: {}\n`, /^x\.yaml:.*stratgy/],
  ])('%s', (_what, text, problem) => {
    expect(() => readRunbook(text, 'x.yaml')).toThrow(problem)
  })

  it('is told of all mistakes at once, in the order of the file, each with its line', () => {
    const steps = '  - dance:\n  - wait-until: up ==\n    timeout: 60 parsecs\n'
    const text = `runbook: a\ntitle: A\nmtach: {}\nsteps:\n${steps}`
    expect(() => readRunbook(text, 'x.yaml')).toThrow(
      /^x\.yaml:3: .*did you mean match\?\nx\.yaml:5: .*"dance"\. Steps are .*\nx\.yaml:6: .*PromQL.*\nx\.yaml:7: .*duration.*$/,
    )
  })

  it('is told of the first twenty of many', () => {
    expect(() => readRunbook(with_('  - dance:\n'.repeat(30)), 'x.yaml')).toThrow(/x\.yaml: and 10 more$/)
  })
})
