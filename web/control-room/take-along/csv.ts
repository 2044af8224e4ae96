// Owns a sheet of charts as CSV (RFC 4180): one row a moment, the zone and the units in the heads. Pure.
import { drawnCharts, type Sheet } from '../charts/chart-spec.ts'
import { isoTime, type Zone, zoneName } from '../time-format.ts'
import { exactUnit } from '../units.ts'

const LINE = '\r\n'

export function csvOf(sheet: Sheet, zone: Zone): string {
  const { grid } = sheet
  if (grid === null) return ''
  const columns = drawnCharts(sheet).flatMap(({ title, unit, series }) =>
    series.map(({ key, label }) => ({
      head: `${title} of ${label}${exactUnit(unit) === '' ? '' : ` (${exactUnit(unit)})`}`,
      cells: grid.columns.get(key) ?? [],
    })),
  )
  const heads = [`time (${zoneName(zone)})`, 'unix time (s)', ...columns.map(({ head }) => head)]
  const rows = Array.from({ length: grid.length }, (_, index) => {
    const timeS = grid.startS + index * grid.stepS
    const cells = columns.map(column => number(column.cells[index] ?? null))
    return [isoTime(timeS * 1000, zone), String(timeS), ...cells].join(',')
  })
  return [heads.map(field).join(','), ...rows, ''].join(LINE)
}

/** All digits, a point as decimal sign; nothing where nothing was measured. */
function number(cell: number | null): string {
  if (cell === null) return ''
  if (Number.isNaN(cell)) return 'NaN'
  return Number.isFinite(cell) ? String(cell) : cell > 0 ? '+Inf' : '-Inf'
}

/** Labels come from whoever sends samples: one that begins like a formula must not become one in a spreadsheet. */
function field(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
