// Owns the functions that turn one number into one number: arithmetic, trigonometry and the calendar (UTC).
// It refuses nothing: outside of a function's domain the answer is NaN.
import { type CalendarDay, calendarDay } from '../calendar-day.ts'

/** `a` and `b` are the scalar arguments; 1 where they are not given, which only round can leave out. */
export type InstantFunction = (value: number, a: number, b: number) => number

function round(value: number, nearest: number): number {
  const inverse = 1 / nearest
  // Half goes up, as in Prometheus: floor(v / nearest + 0.5) * nearest.
  return Math.floor(value * inverse + 0.5) / inverse
}

function sign(value: number): number {
  if (value > 0) return 1
  return value < 0 ? -1 : value
}

/** As Go's math.Max and math.Min, where an infinity outdoes a NaN; ECMAScript gives NaN. */
function larger(a: number, b: number): number {
  return a === Infinity || b === Infinity ? Infinity : Math.max(a, b)
}

function smaller(a: number, b: number): number {
  return a === -Infinity || b === -Infinity ? -Infinity : Math.min(a, b)
}

const DAY_S = 86_400

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

function isLeap(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
}

function monthDays({ year, month }: CalendarDay): number {
  return month === 2 && isLeap(year) ? 29 : (MONTH_DAYS[month - 1] ?? Number.NaN)
}

function dayOfYear(date: CalendarDay): number {
  let days = date.day
  for (let month = 1; month < date.month; month += 1) days += monthDays({ ...date, month })
  return days
}

function calendar(take: (date: CalendarDay) => number): InstantFunction {
  return value => take(calendarDay(Math.floor(Math.trunc(value) / DAY_S)))
}

function ofDay(value: number): number {
  const seconds = Math.trunc(value)
  return seconds - Math.floor(seconds / DAY_S) * DAY_S
}

export const INSTANT_FUNCTIONS: ReadonlyMap<string, InstantFunction> = new Map<string, InstantFunction>([
  ['abs', Math.abs],
  ['ceil', Math.ceil],
  ['floor', Math.floor],
  ['exp', Math.exp],
  ['ln', Math.log],
  ['log2', Math.log2],
  ['log10', Math.log10],
  ['sqrt', Math.sqrt],
  ['sgn', sign],
  ['deg', value => (value * 180) / Math.PI],
  ['rad', value => (value * Math.PI) / 180],
  ['acos', Math.acos],
  ['acosh', Math.acosh],
  ['asin', Math.asin],
  ['asinh', Math.asinh],
  ['atan', Math.atan],
  ['atanh', Math.atanh],
  ['cos', Math.cos],
  ['cosh', Math.cosh],
  ['sin', Math.sin],
  ['sinh', Math.sinh],
  ['tan', Math.tan],
  ['tanh', Math.tanh],
  ['round', round],
  ['clamp', (value, min, max) => larger(min, smaller(max, value))],
  ['clamp_min', (value, min) => larger(min, value)],
  ['clamp_max', (value, max) => smaller(max, value)],
  ['minute', value => Math.floor(ofDay(value) / 60) % 60],
  ['hour', value => Math.floor(ofDay(value) / 3600)],
  // 1970-01-01 was a Thursday, day 4 when Sunday is 0.
  ['day_of_week', value => (((Math.floor(Math.trunc(value) / DAY_S) + 4) % 7) + 7) % 7],
  ['day_of_month', calendar(date => date.day)],
  ['day_of_year', calendar(dayOfYear)],
  ['days_in_month', calendar(monthDays)],
  ['month', calendar(date => date.month)],
  ['year', calendar(date => date.year)],
])
