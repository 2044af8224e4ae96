// Owns the ids of titles: derived from relative paths alone, so that they are the same after every restart and scan.
// A path that a slug cannot carry without loss gets six digits of its SHA-256 behind it.
import { createHash } from 'node:crypto'

/** The built-in sample title; a file of one's own named sample.mp4 gets a suffix. */
export const SAMPLE_ID = 'sample'

/** wire's titleId allows 127 characters; the suffix takes 7. */
const SLUG_LENGTH_MAX = 100
const SUFFIX_DIGITS = 6

/** Where a file was found; `key` is what the suffix is derived from. */
export interface TitlePlace {
  readonly origin: 'builtin' | 'media' | 'in-place'
  /** Path below the folder, with `/`; for in-place folders the folder's base name stands in front. */
  readonly relativePath: string
  /** For in-place files the whole path, since two folders may have one base name. */
  readonly key: string
}

/** The id of a file. */
export function titleIdOf(place: TitlePlace): string {
  const { origin, relativePath, key } = place
  const lossless = /^([a-z0-9][a-z0-9-]*)\.mp4$/.exec(relativePath)?.[1]
  const reserved = origin !== 'builtin' && lossless === SAMPLE_ID
  if (lossless !== undefined && !reserved && origin !== 'in-place' && lossless.length <= SLUG_LENGTH_MAX) {
    return lossless
  }
  const suffix = createHash('sha256').update(key).digest('hex').slice(0, SUFFIX_DIGITS)
  return `${slugOf(relativePath)}-${suffix}`
}

/** The name that people see: the file's own, without extension. */
export function titleNameOf(relativePath: string): string {
  const file = relativePath.split('/').at(-1) ?? relativePath
  const stem = file
    .replace(/\.[^.]*$/, '')
    // Quotation marks cannot stand in a playlist; marks of direction would turn the words around it.
    .replace(/[\p{Cc}\p{Bidi_Control}"]/gu, ' ')
    .trim()
  return (stem === '' ? file : stem).slice(0, 512)
}

function slugOf(relativePath: string): string {
  const slug = relativePath
    .replace(/\.[^./]*$/, '')
    // Letters with marks lose the mark, so that names in many languages stay readable.
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, SLUG_LENGTH_MAX)
    .replace(/^-+|-+$/g, '')
  return slug === '' ? 'title' : slug
}
