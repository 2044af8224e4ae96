// Owns the days of the ledger: UTC, counted from 1970. It knows no time zones.
import { calendarDay } from '../calendar-day.ts'

export const DAY_MS = 86_400_000

/** Days since 1970 as 2026-01-31. */
export function dayText(days: number): string {
  const { year, month, day } = calendarDay(days)
  return `${padded(year, 4)}-${padded(month, 2)}-${padded(day, 2)}`
}

function padded(value: number, digits: number): string {
  return String(value).padStart(digits, '0')
}
