// Owns durations as Prometheus writes them: `15s`, `1m30s`, `0`. It refuses everything else.

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
}

/** Milliseconds; null when it is not a duration. Units stand in falling order, each at most once. */
export function readDurationMs(text: string): number | null {
  if (text === '0') return 0
  const shape =
    /^(?:(\d{1,6})y)?(?:(\d{1,6})w)?(?:(\d{1,6})d)?(?:(\d{1,7})h)?(?:(\d{1,8})m)?(?:(\d{1,10})s)?(?:(\d{1,12})ms)?$/
  const match = shape.exec(text)
  if (match === null || text === '') return null
  const units = ['y', 'w', 'd', 'h', 'm', 's', 'ms']
  return units.reduce((sum, unit, index) => sum + Number(match[index + 1] ?? 0) * (UNIT_MS[unit] ?? 0), 0)
}
