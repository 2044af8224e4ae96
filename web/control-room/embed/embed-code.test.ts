import { expect, test } from 'vitest'
import { embedCode, entryHosts } from './embed-code.ts'

const hosts = ['https://eu.example', 'https://us.example']

test('names every entry host and the title, for both kinds, as code that a browser reads', () => {
  for (const kind of ['hls.js', 'video'] as const) {
    const code = embedCode({ kind, title: 'sample', hosts })
    expect(code).toContain('"https://eu.example","https://us.example"')
    expect(code).toContain('/play/sample.m3u8')
    expect(code).toContain('AbortSignal.timeout(3000)')
    expect(code.includes('hls.min.js')).toBe(kind === 'hls.js')
    const script = code.slice(code.indexOf('<script>') + 8, code.lastIndexOf('</script>'))
    // oxlint-disable-next-line typescript/no-implied-eval
    expect(() => new Function(script)).not.toThrow() // only parsed, never run
  }
})

test('an address cannot end the script', () => {
  const code = embedCode({ kind: 'video', title: 'x', hosts: ['https://a/</script><script>alert(1)//'] })
  expect(code.split('</script>').length).toBe(2)
})

test('entry hosts are edges that take viewers; those with a share, then the others, stand in', () => {
  const server = (id: string, part = {}) => ({
    role: 'edge',
    url: `https://${id}`,
    weight: 1,
    sharePercent: 100,
    ...part,
  })
  const fleet = [
    server('sick', { weight: 0 }),
    server('new', { sharePercent: 1 }),
    server('origin', { role: 'origin' }),
    server('a'),
    server('b'),
    server('never', { url: '' }),
  ]
  expect(entryHosts(fleet)).toEqual(['https://a', 'https://b', 'https://new'])
  expect(entryHosts(fleet.slice(0, 3))).toEqual(['https://new', 'https://sick'])
})
