// Owns the calendar: dates of UTC days counted from 1970, for PromQL's date functions and the ledger. It knows no time
// zones and no clock.

export interface CalendarDay {
  readonly year: number
  readonly month: number
  readonly day: number
}

/**
 * Proleptic Gregorian date of a day number since 1970-01-01; eras of 400 years have 146,097 days (days_from_civil,
 * backwards: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
 */
export function calendarDay(days: number): CalendarDay {
  const shifted = days + 719_468 // days from 0000-03-01: a year that begins in March ends with the leap day
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1,
  }
}
