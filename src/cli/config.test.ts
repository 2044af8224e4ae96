import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { parse } from 'yaml'
import { loadConfig } from '#base'
import { configSchema, renderExampleConfig } from './config.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-config-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function load(text: string, environment: Record<string, string> = {}): unknown {
  const file = join(folder, 'vitrine.yaml')
  writeFileSync(file, text)
  return loadConfig(configSchema, file, environment)
}

it('has three edges on loopback by default', () => {
  const config = configSchema.parse({})
  expect(config.edges.map(({ id }) => id)).toEqual(['eu-west', 'us-east', 'ap-southeast'])
  expect(config.control.host).toBe('127.0.0.1')
  expect(config.portBase).toBe(8080)
})

it('refuses an unknown key and names the nearest known one', () => {
  expect(() => load('portBse: 9000\n')).toThrow(/portBse; did you mean portBase\?/)
  expect(() => load('control:\n  prt: 9000\n')).toThrow(/control\.prt; did you mean port\?/)
  expect(() => load('edges:\n  - id: a\n    regoin: x\n')).toThrow(/regoin; did you mean region\?/)
})

it('refuses values that cannot be: ports, ids, URLs, sizes', () => {
  expect(() => load('portBase: 70000\n')).toThrow(/portBase/)
  expect(() => load('edges:\n  - id: "Not An Id"\n')).toThrow(/edges\.0\.id/)
  expect(() => load('join:\n  controlUrl: ftp://x\n')).toThrow(/join\.controlUrl/)
  expect(() => load('edges:\n  - id: a\n    memoryBytesMax: 1\n')).toThrow(/memoryBytesMax/)
  expect(() => load('control: [\n')).toThrow()
})

it('takes overrides from the environment', () => {
  expect(load('{}', { VITRINE_CONTROL__PORT: '9000' })).toMatchObject({ control: { port: 9000 } })
})

it('renders an example that is a valid configuration and says what the defaults are', () => {
  const text = renderExampleConfig()
  expect(configSchema.parse(parse(text))).toEqual(configSchema.parse({}))
  for (const key of ['portBase', 'publicUrl', 'tls', 'behindProxy', 'diskBytesMax', 'tokenFile']) {
    expect(text).toContain(`${key}:`)
  }
})
