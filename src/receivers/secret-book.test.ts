import { expect, it } from 'vitest'
import { SecretBook } from './secret-book.ts'

it('cleans texts of addresses, also where an answer tells their path or key alone', () => {
  const secrets = new SecretBook({})
  secrets.read(
    'https://hooks.example.org/services/T00/B00/abcdefghijklmnopqrst?token=sesame-street',
    'slack: url',
  )
  const shown = secrets.clean(
    'no hook /services/T00/B00/abcdefghijklmnopqrst; abcdefghijklmnopqrst is revoked; token=sesame-street',
  )
  expect(shown).toBe('no hook ***; *** is revoked; ***')
})

it('leaves words alone that are no secret', () => {
  const secrets = new SecretBook({})
  secrets.read('https://example.org/hook', 'slack: url')
  expect(secrets.clean('GET /hook: this hook is gone')).toBe('GET /hook: this hook is gone')
})
