// Owns how text becomes HTML in pages that the control room writes itself: cut, then escaped, always.

import { clockWords, stamp } from '#receivers'

const TEXT_MAX = 240

/** Cut, then escaped. */
export function text(value: string, max: number = TEXT_MAX): string {
  return escape(value.length > max ? `${value.slice(0, max - 1)}…` : value)
}

export function escape(value: string): string {
  return value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}

export function time(at: number, zone: string): string {
  return `<time datetime="${stamp(at)}">${escape(clockWords(at, zone))}</time>`
}

/** With the day, for what is read later. */
export function dayTime(at: number, zone: string): string {
  const words = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
  }).format(at)
  return `<time datetime="${stamp(at)}">${escape(words)}</time>`
}

export function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** As many as fit; each is whole. */
export function fitting(items: readonly string[], bytesMax: number): string[] {
  const kept: string[] = []
  let bytes = 0
  for (const item of items) {
    bytes += Buffer.byteLength(item)
    if (bytes > bytesMax) break
    kept.push(item)
  }
  return kept
}
