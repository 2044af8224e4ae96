// Owns the operator's table of regions by address: `cidr region` a line, read and looked up the same way by the control
// room and by every edge. Pure. It refuses a whole table for one wrong line, and says which.

export const REGION_LINES_MAX = 100_000
/** With the escapes of JSON it fits into one frame of the channel. */
export const REGION_CHARACTERS_MAX = 4 * 1024 * 1024
const REGION_NAME_MAX = 64

/** IPv4 as a number: a table is mostly of those, and BigInt takes several times as long. */
type Address = { readonly bits: 32; readonly value: number } | { readonly bits: 128; readonly value: bigint }

export interface AddressRegions {
  readonly lines: number
  /** The region of the longest prefix that holds the address; null: none does, or it is no address. */
  regionOf(this: void, address: string): string | null
}

export type RegionsRead =
  | { readonly kind: 'regions'; readonly regions: AddressRegions; readonly text: string }
  | { readonly kind: 'invalid'; readonly line: number; readonly problem: string }

export const noRegions: AddressRegions = { lines: 0, regionOf: () => null }

/** A few milliseconds of reading, between which a server's loop looks after viewers. */
const LINES_A_STEP = 1000

/** `text` of the answer is the same table without comments and blanks, for edges. */
export function readRegions(text: string): RegionsRead {
  const reader = regionsReader(text)
  for (;;) {
    const { done, value } = reader.next()
    if (done === true) return value
  }
}

/** The same, for who serves others meanwhile: the largest table takes half a second. */
export async function readRegionsInSteps(text: string, pause: () => Promise<unknown>): Promise<RegionsRead> {
  const reader = regionsReader(text)
  for (;;) {
    const { done, value } = reader.next()
    if (done === true) return value
    await pause()
  }
}

function* regionsReader(text: string): Generator<undefined, RegionsRead, undefined> {
  if (text.length > REGION_CHARACTERS_MAX) {
    return { kind: 'invalid', line: 0, problem: `more than ${REGION_CHARACTERS_MAX} characters` }
  }
  const v4 = new PrefixTable<number>((value, length) => Math.floor(value / 2 ** (32 - length)))
  const v6 = new PrefixTable<bigint>((value, length) => value >> BigInt(128 - length))
  const kept: string[] = []
  for (const [at, whole] of text.split('\n').entries()) {
    const bare = whole.split('#', 1)[0]?.trim() ?? ''
    if (bare === '') continue
    const read = readLine(bare)
    const problem =
      typeof read === 'string'
        ? read
        : kept.length >= REGION_LINES_MAX
          ? `more than ${REGION_LINES_MAX} lines`
          : addTo(v4, v6, read)
    if (problem !== null) return { kind: 'invalid', line: at + 1, problem }
    kept.push(bare)
    if (kept.length % LINES_A_STEP === 0) yield
  }
  const regionOf = (address: string): string | null => {
    const read = readAddress(address)
    if (read === null) return null
    return read.bits === 32 ? v4.find(read.value) : v6.find(read.value)
  }
  return { kind: 'regions', regions: { lines: kept.length, regionOf }, text: kept.join('\n') }
}

type Line = Address & { readonly length: number; readonly region: string }

function addTo(v4: PrefixTable<number>, v6: PrefixTable<bigint>, line: Line): string | null {
  const { length, region } = line
  return line.bits === 32 ? v4.add(line.value, length, region) : v6.add(line.value, length, region)
}

/** A text is what is wrong. */
function readLine(line: string): Line | string {
  const [cidr = '', region = '', ...more] = line.split(/\s+/)
  if (region === '' || more.length > 0) return 'expected a network and a region, as 192.0.2.0/24 eu-west'
  if (region.length > REGION_NAME_MAX) return `the region has more than ${REGION_NAME_MAX} characters`
  const [text = '', prefix, ...rest] = cidr.split('/')
  const address = readAddress(text)
  if (address === null || rest.length > 0) return `${cidr.slice(0, 64)} is no IPv4 or IPv6 network`
  const length = prefix === undefined ? address.bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1
  if (length < 0 || length > address.bits) {
    return `${cidr.slice(0, 64)}: expected a prefix length from 0 to ${address.bits}`
  }
  if (hasHostBits(address, length)) return `${cidr.slice(0, 64)} has bits beyond its prefix length`
  return { ...address, length, region }
}

function hasHostBits(address: Address, length: number): boolean {
  return address.bits === 32
    ? address.value % 2 ** (32 - length) !== 0
    : (address.value & ((1n << BigInt(128 - length)) - 1n)) !== 0n
}

/** One map a prefix length, longest first: a look-up asks as many maps as there are lengths in the table. */
class PrefixTable<Value extends number | bigint> {
  readonly #keyOf: (value: Value, length: number) => Value
  readonly #byLength = new Map<number, Map<Value, string>>()
  #lengths: readonly number[] = []

  constructor(keyOf: (value: Value, length: number) => Value) {
    this.#keyOf = keyOf
  }

  /** What is wrong; null: nothing. */
  add(value: Value, length: number, region: string): string | null {
    let table = this.#byLength.get(length)
    if (table === undefined) {
      table = new Map()
      this.#byLength.set(length, table)
      this.#lengths = [...this.#byLength.keys()].toSorted((a, b) => b - a)
    }
    const key = this.#keyOf(value, length)
    const known = table.get(key)
    if (known !== undefined && known !== region) return `the same network was given to ${known} above`
    table.set(key, region)
    return null
  }

  find(value: Value): string | null {
    for (const length of this.#lengths) {
      const region = this.#byLength.get(length)?.get(this.#keyOf(value, length))
      if (region !== undefined) return region
    }
    return null
  }
}

/** IPv4 in four decimals, or IPv6 (RFC 4291 section 2.2); an IPv4-mapped address is the IPv4 one. Null: neither. */
export function readAddress(text: string): Address | null {
  if (!text.includes(':')) {
    const value = readV4(text)
    return value === null ? null : { bits: 32, value }
  }
  const value = readV6(text)
  if (value === null) return null
  return value >> 32n === 0xffffn ? { bits: 32, value: Number(value & 0xffff_ffffn) } : { bits: 128, value }
}

function readV4(text: string): number | null {
  const parts = text.split('.')
  if (parts.length !== 4) return null
  let value = 0
  for (const part of parts) {
    if (!/^(?:0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null
    value = value * 256 + Number(part)
  }
  return value
}

function readV6(text: string): bigint | null {
  if (text.length > 45) return null
  const halves = text.split('::')
  if (halves.length > 2) return null
  const [left, right] = halves.map(readGroups)
  if (left === undefined || left === null || right === null) return null
  if (right === undefined) return left.length === 8 ? join(left) : null
  if (left.length + right.length > 7) return null
  return join([...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right])
}

/** Groups of 16 bits; the last two may stand as IPv4. */
function readGroups(text: string): number[] | null {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [at, part] of parts.entries()) {
    if (part.includes('.')) {
      const v4 = at === parts.length - 1 ? readV4(part) : null
      if (v4 === null) return null
      groups.push(Math.floor(v4 / 65_536), v4 % 65_536)
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16))
    else return null
  }
  return groups
}

function join(groups: readonly number[]): bigint {
  return groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n)
}
