import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { silentLog } from '#base'
import { RunbookFiles } from './runbook-files.ts'

const shipped = new URL('../../../runbooks/', import.meta.url).pathname
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-runbooks-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))
const write = (name: string, text: string): void => writeFileSync(join(folder, name), text)
const good = (title: string): string => `runbook: own\ntitle: ${title}\nsteps:\n  - drain:\n`

it('a mistake in one file takes away neither the shipped ones nor what it said before', () => {
  write('broken.yaml', 'runbook: broken\ntitle: B\nsteps:\n  - drian:\n')
  write('own.yaml', good('First'))
  const files = new RunbookFiles([shipped, folder], silentLog)
  expect(files.get('restart-edge')).not.toBeNull()
  expect(files.get('own')?.title).toBe('First')
  expect(files.get('broken')).toBeNull()
  expect(files.problem()).toContain('broken.yaml:4: steps.0: unknown step "drian"')

  write('own.yaml', `${good('Second, with a mistake')}  - undrian:\n`)
  files.look()
  expect(files.get('own')?.title).toBe('First')
  expect(files.problem()).toContain('own.yaml:5')

  write('own.yaml', good('Third'))
  rmSync(join(folder, 'broken.yaml'))
  files.look()
  expect(files.get('own')?.title).toBe('Third')
  expect(files.problem()).toBeNull()
})

it('a folder that is gone leaves the others in force', () => {
  const files = new RunbookFiles([shipped, join(folder, 'none')], silentLog)
  expect(files.get('restart-edge')).not.toBeNull()
  expect(files.problem()).toContain('none')
})
