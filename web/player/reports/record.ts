// Owns a record of CMCD as text (CTA-5004-B, RFC 8941 section 3.2): its keys with their values as they are written. Pure.

export type RecordKeys = Map<string, string>

const member = /([a-z*][a-z0-9_.*-]*)(?:=("(?:[^"\\]|\\.)*"|\([^)]*\)|[^,]*))?/g

/** Keys without a value are true and have an empty one. */
export function readKeys(line: string): RecordKeys {
  const keys: RecordKeys = new Map()
  for (const [, key = '', value = ''] of line.matchAll(member)) keys.set(key, value)
  return keys
}

export function writeKeys(keys: RecordKeys): string {
  return [...keys].map(([key, value]) => (value === '' ? key : `${key}=${value}`)).join(',')
}

/** RFC 8941 section 3.3.3: printable ASCII. */
export function quoted(text: string, charactersMax: number): string {
  const plain = text.replace(/[^\x20-\x7e]/g, '').slice(0, charactersMax)
  return `"${plain.replace(/["\\]/g, '\\$&')}"`
}

export function unquoted(value: string): string {
  return value.replace(/^"|"$/g, '').replace(/\\(.)/g, '$1')
}
