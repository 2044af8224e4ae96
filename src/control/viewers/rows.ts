// Owns sorted rows of numbers in one flat list: a hundred thousand sessions keep theirs in memory. It refuses a row that
// is there already, and gives back the oldest when there are too many.

/** Compares rows number by number; what is not known (NaN) comes first. */
function compare(rows: readonly number[], at: number, row: readonly number[]): number {
  for (const [place, value] of row.entries()) {
    const known = rows[at + place] ?? Number.NaN
    if (known === value || (Number.isNaN(known) && Number.isNaN(value))) continue
    if (Number.isNaN(known)) return -1
    if (Number.isNaN(value)) return 1
    return known - value
  }
  return 0
}

/** False: it was there already. Rows mostly come in order, so it is looked for from the end. */
export function insertRow(rows: number[], row: readonly number[]): boolean {
  const width = row.length
  let at = rows.length
  while (at > 0) {
    const order = compare(rows, at - width, row)
    if (order === 0) return false
    if (order < 0) break
    at -= width
  }
  if (at === rows.length) rows.push(...row)
  else rows.splice(at, 0, ...row)
  return true
}

/** Takes the oldest out; null: there are at most `max`. */
export function overflow(rows: number[], width: number, max: number): number[] | null {
  return rows.length > max * width ? rows.splice(0, width) : null
}

/** Takes the one out that is worth the least. */
export function dropLeast(
  rows: number[],
  { width, max }: { readonly width: number; readonly max: number },
  worth: (rows: readonly number[], at: number) => number,
): void {
  if (rows.length <= max * width) return
  let [least, leastWorth] = [0, Number.POSITIVE_INFINITY]
  for (let at = 0; at < rows.length; at += width) {
    const own = worth(rows, at)
    if (own < leastWorth) [least, leastWorth] = [at, own]
  }
  rows.splice(least, width)
}

/** Oldest first. */
export function* eachRow(rows: readonly number[], width: number): Generator<readonly number[]> {
  for (let at = 0; at < rows.length; at += width) yield rows.slice(at, at + width)
}
