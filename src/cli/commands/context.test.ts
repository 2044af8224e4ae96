import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Command } from 'commander'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { controlAddress, controlFolder, controlUrlFile, keptConfigFile } from '../settings.ts'
import { registerCheckFleet } from './check-fleet.ts'
import { registerClock } from './clock.ts'
import { readConfig, readCount, readFleetConfig, withData } from './context.ts'
import { registerRunbook } from './runbook.ts'
import { registerToken } from './token.ts'

let data: string
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'vitrine-context-'))
})
afterEach(() => rmSync(data, { recursive: true, force: true }))

function keep(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

it('commands beside a fleet use what it was started with, unless they are told otherwise', () => {
  expect(readFleetConfig({ data }).config.portBase).toBe(8080)
  keep(keptConfigFile(data), JSON.stringify({ portBase: 9000, origin: { mediaFolder: '/srv/films' } }))
  const { config } = readFleetConfig({ data })
  expect([config.portBase, config.origin.mediaFolder]).toEqual([9000, '/srv/films'])
  expect(readFleetConfig({ data, portBase: 9500 }).config.portBase).toBe(9500)
  expect(readConfig({ data }).config.portBase).toBe(8080)
})

it('what another version was started with is left alone', () => {
  keep(keptConfigFile(data), '{"gone": 1}')
  expect(readFleetConfig({ data }).config.portBase).toBe(8080)
})

it('a sign-in link names the address that the control room told, else the configured one', () => {
  const { config } = readConfig({ data })
  expect(controlAddress(config, data)).toBe('http://127.0.0.1:8080')
  keep(controlUrlFile(controlFolder(data)), 'https://control.example.org\n')
  expect(controlAddress(config, data)).toBe('https://control.example.org')
})

it('a count is a whole number from 1 to its most', () => {
  expect(readCount(1000)('1000')).toBe(1000)
  for (const text of ['0', '1001', '-1', '1e3', '', ' 5', '0x10']) {
    expect(() => readCount(1000)(text)).toThrow('expected a number from 1 to 1000')
  }
})

it('whatever takes --data takes --port-base: what asks a fleet is told of it as what starts one', () => {
  expect(withData(new Command()).options.map(({ long }) => long)).toContain('--port-base')
  const program = new Command()
  for (const register of [registerRunbook, registerCheckFleet, registerToken]) register(program)
  const asking = program.commands
    .flatMap(({ commands }) => commands)
    .filter(({ options }) => options.some(({ long }) => long === '--data'))
  expect(asking.length).toBeGreaterThan(8)
  for (const { options } of asking) expect(options.map(({ long }) => long)).toContain('--port-base')
})

it('time servers are as many as are named: one is not read letter by letter', () => {
  const program = new Command()
  registerClock(program)
  const check = program.commands[0]?.commands.find(command => command.name() === 'check')
  check?.action(() => undefined)
  program.parse(['clock', 'check', '--server', '127.0.0.1:123', 'ntp.example.org'], { from: 'user' })
  expect(check?.opts()['server']).toEqual(['127.0.0.1:123', 'ntp.example.org'])
})
