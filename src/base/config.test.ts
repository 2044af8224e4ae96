import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { checkConfig, loadConfig, nearest } from './config.ts'
import { Fault } from './fault.ts'

const schema = z.strictObject({
  portBase: z.int().default(8080),
  control: z
    .strictObject({ port: z.int().default(8080), dataFolder: z.string().default('data') })
    .prefault({}),
})

function faultOf(run: () => unknown): Fault {
  try {
    run()
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
  throw new Error('expected a fault')
}

function file(text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'vitrine-config-')), 'vitrine.yaml')
  writeFileSync(path, text)
  return path
}

describe('configuration', () => {
  it('fills defaults and lets the environment override the file', () => {
    const path = file('control:\n  port: 9000\n')
    expect(loadConfig(schema, path, {}).control.port).toBe(9000)
    const config = loadConfig(schema, path, {
      VITRINE_CONTROL__DATA_FOLDER: '/srv/v',
      VITRINE_CONTROL__PORT: '7000',
    })
    expect(config.control).toEqual({ port: 7000, dataFolder: '/srv/v' })
    expect(loadConfig(schema, null, {}).control.port).toBe(8080)
  })

  it('lets the environment override a key of the top level, and leaves names that are not keys alone', () => {
    const environment = { VITRINE_PORT_BASE: '9000', VITRINE_SETTINGS: '{}' }
    expect(loadConfig(schema, null, environment).portBase).toBe(9000)
    const fault = faultOf(() => loadConfig(schema, null, { VITRINE_PORTBASE: '9000' }))
    expect(fault.message).toBe('environment: unknown key portbase; did you mean portBase?')
  })

  it('refuses an unknown key and names the nearest known one', () => {
    const fault = faultOf(() => checkConfig(schema, { control: { prot: 1 } }, 'vitrine.yaml'))
    expect(fault.code).toBe('base-config-invalid')
    expect(fault.message).toBe('vitrine.yaml: unknown key control.prot; did you mean port?')
  })

  it('names the key whose value is wrong', () => {
    expect(faultOf(() => checkConfig(schema, { control: { port: 'x' } }, 'f')).message).toContain(
      'control.port',
    )
  })

  it('refuses a file that is missing or not YAML, with one line', () => {
    expect(faultOf(() => loadConfig(schema, '/nonexistent/x.yaml', {})).code).toBe('base-config-unreadable')
    const fault = faultOf(() => loadConfig(schema, file('a: [1,\n b: }'), {}))
    expect(fault.code).toBe('base-config-unreadable')
    expect(fault.message).not.toContain('\n')
  })

  it('gives no hint when nothing is near', () => {
    expect(nearest('zebra', ['port', 'host'])).toBeNull()
    expect(nearest('Prot', ['port', 'host'])).toBe('port')
  })
})
