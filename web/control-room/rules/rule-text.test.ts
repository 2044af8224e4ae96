import { expect, it } from 'vitest'
import { copyOfRule, fileNameFor } from './rule-text.ts'

const text = `groups:
  - name: a
    rules:
      - alert: First
        expr: >-
          up == 0

        labels: { severity: critical }
      # about the second
      - alert: Second
        expr: up == 1
  - name: b
    rules:
    - alert: Third
      expr: up
`

it('one rule is taken out of a file, whatever its indentation', () => {
  expect(copyOfRule(text, 4, 1000)).toBe(
    'groups:\n  - name: own\n    interval: 1s\n    rules:\n      - alert: First\n        expr: >-\n          up == 0\n\n        labels: { severity: critical }\n',
  )
  expect(copyOfRule(text, 10, 60_000)).toContain(
    'interval: 1m\n    rules:\n      - alert: Second\n        expr: up == 1\n',
  )
  expect(copyOfRule(text, 14, 1000)).toContain('      - alert: Third\n        expr: up\n')
  expect(copyOfRule(text, 5, 1000)).toBeNull()
  expect(copyOfRule(text, 99, 1000)).toBeNull()
})

it('a file is named after its rule', () => {
  expect(fileNameFor('EdgeErrorRatio')).toBe('edge-error-ratio.yaml')
  expect(fileNameFor('../Über 9')).toBe('ber-9.yaml')
  expect(fileNameFor('...')).toBe('own.yaml')
})
