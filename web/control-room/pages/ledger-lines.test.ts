import { expect, it } from 'vitest'
import { ledgerCsv, ledgerLines, ledgerSum, monthSpan, nearMonth, readMonth } from './ledger-lines.ts'

const NOW = Date.UTC(2026, 10, 22)

it('takes a month from the address, and this one where it cannot be read', () => {
  expect(readMonth('2025-02', NOW)).toBe('2025-02')
  for (const asked of [null, '', '2025-13', 'now']) expect(readMonth(asked, NOW)).toBe('2026-11')
  expect(nearMonth('2026-01', -1)).toBe('2025-12')
  expect(nearMonth('2026-12', 1)).toBe('2027-01')
  expect(monthSpan('2024-02')).toEqual({ fromMs: Date.UTC(2024, 1), toMs: Date.UTC(2024, 2) - 1 })
})

it('puts the measures of a day, server and class beside each other, the newest day first', () => {
  const row = { day: '2026-11-01', server: 'eu-west', role: 'edge', class: 'vod' } as const
  const lines = ledgerLines([
    { ...row, measure: 'bytes', value: 10 },
    { ...row, measure: 'viewer-seconds', value: 7200 },
    { ...row, day: '2026-11-02', measure: 'requests', value: 3 },
    { ...row, role: 'origin', server: 'origin', class: '', measure: 'bytes', value: 5 },
  ])
  expect(lines.map(line => [line.day, line.server, line.bytes, line.requests, line.viewerSeconds])).toEqual([
    ['2026-11-02', 'eu-west', 0, 3, 0],
    ['2026-11-01', 'eu-west', 10, 0, 7200],
    ['2026-11-01', 'origin', 5, 0, 0],
  ])
  expect(ledgerSum(lines)).toEqual({ bytes: 10, requests: 3, viewerSeconds: 7200 })
  expect(ledgerCsv(lines).split('\r\n')[2]).toBe('2026-11-01,eu-west,edge,vod,10,0,7200.000')
})
