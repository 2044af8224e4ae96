import { describe, expect, it } from 'vitest'
import type { CheckRun, CheckState } from '#wire'
import { addressProblem, joinLine, sumUp } from './check-words.ts'

const run = (states: readonly CheckState[], endedAt: number | null): CheckRun => ({
  id: 'a',
  server: 'sa-east',
  startedAt: 1,
  endedAt,
  by: 'x',
  steps: states.map(state => ({ step: 'clock', state, text: '', advice: null, at: null })),
})

describe('the sentence on a run', () => {
  it('counts ends while it goes on, and names failures first when it is over', () => {
    expect(sumUp(run(['passed', 'running', 'pending'], null)).text).toBe('1 of 3 checks have ended.')
    expect(sumUp(run(['passed', 'failed', 'pending'], null)).text).toBe('2 of 3 checks have ended, 1 failed.')
    expect(sumUp(run(['passed', 'failed', 'skipped'], 2))).toEqual({
      text: '1 of 3 checks failed.',
      state: 'failed',
    })
    expect(sumUp(run(['passed', 'skipped'], 2)).text).toBe('1 checks passed, 1 left out.')
    expect(sumUp(run(['passed', 'passed'], 2)).text).toBe('All 2 checks passed.')
  })
})

describe('the line to paste', () => {
  const command = 'npx vitrine edge --join s'
  it('says what viewers will use, with a certificate for TLS', () => {
    expect(joinLine(command, 'https://sa-east.example.org/')).toBe(
      `${command} --host 0.0.0.0 --port 443 --public-url https://sa-east.example.org --tls-cert fullchain.pem --tls-key privkey.pem`,
    )
    expect(joinLine(command, 'https://e.example.org:8443')).toContain(
      '--port 8443 --public-url https://e.example.org:8443',
    )
    expect(joinLine(command, 'http://127.0.0.1:9000')).toBe(`${command} --port 9000`)
    expect(joinLine(command, '')).toBe(command)
  })
  it('holds nothing of an address that cannot be one', () => {
    for (const text of ['x', 'ftp://a', 'https://a/b', 'https://u:p@a', 'https://a; rm -rf /']) {
      expect(addressProblem(text)).not.toBeNull()
      expect(joinLine(command, text)).toBe(command)
    }
  })
})
