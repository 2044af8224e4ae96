// Owns the outer shape of a playlist: UTF-8 text in lines that starts with #EXTM3U. Both readers use it.
import { mediaFaults } from '../faults.ts'
import { hasControlOrQuote } from './attribute-list.ts'

/** A playlist of 20 hours in 1 s segments is about 5 MB. */
export const PLAYLIST_BYTES_MAX: number = 16 * 1024 * 1024

export type Line =
  | { readonly kind: 'tag'; readonly name: string; readonly value: string; readonly where: string }
  | { readonly kind: 'uri'; readonly uri: string; readonly where: string }

/** Gives tags and URIs with their line numbers; comments and blank lines are skipped. */
export function* playlistLines(text: string): Generator<Line> {
  if (text.length > PLAYLIST_BYTES_MAX) {
    const message = `playlist has ${text.length} characters, expected at most ${PLAYLIST_BYTES_MAX}`
    throw mediaFaults.fault('media-hls-unreadable', message)
  }
  let at = 0
  let number = 0
  while (at < text.length) {
    const end = text.indexOf('\n', at)
    const stop = end < 0 ? text.length : end
    const line = text.slice(at, stop).replace(/\r$/, '')
    at = stop + 1
    number += 1
    if (number === 1) {
      if (line === '#EXTM3U') continue
      const found = JSON.stringify(line.slice(0, 40))
      throw mediaFaults.fault('media-hls-unreadable', `line 1: expected #EXTM3U, found ${found}`)
    }
    if (line.startsWith('#EXT')) {
      const colon = line.indexOf(':')
      const name = colon < 0 ? line.slice(1) : line.slice(1, colon)
      yield {
        kind: 'tag',
        name,
        value: colon < 0 ? '' : line.slice(colon + 1),
        where: `line ${number} ${name}`,
      }
    } else if (line !== '' && !line.startsWith('#')) {
      yield { kind: 'uri', uri: line, where: `line ${number}` }
    }
  }
  if (number === 0) throw mediaFaults.fault('media-hls-unreadable', 'the playlist is empty')
}

/** A URI as a line of its own; refuses what would be read as something else. */
export function uriLine(uri: string): string {
  if (uri === '' || uri.startsWith('#') || hasControlOrQuote(uri) || uri.trim() !== uri) {
    const message = `${JSON.stringify(uri.slice(0, 80))} cannot stand as the URI of a segment or variant`
    throw mediaFaults.fault('media-hls-unwritable', message)
  }
  return uri
}
