// Owns the player page and what it loads: read once at the start, served from memory. What was not there
// then is not served, so no path of a request ever reaches the file system.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Log, messageOf } from '#base'
import { type WatchTable, watchPageWith } from '#wire'
import type { Fields } from './fields.ts'

const ASSETS_FOLDER = 'watch-assets'
const FILES_MAX = 500
const BYTES_MAX = 64 * 1024 * 1024

/** Only scripts and styles of our own; media and playlists from any edge; blob: for Media Source and hls.js's worker. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self' http: https:",
  "media-src 'self' blob: http: https:",
  "worker-src 'self' blob:",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const types: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  ts: 'text/plain; charset=utf-8',
  html: 'text/html; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  webp: 'image/webp',
  ico: 'image/x-icon',
  json: 'application/json',
  map: 'application/json',
  wasm: 'application/wasm',
  woff2: 'font/woff2',
}

export interface Page {
  readonly fields: Fields
  readonly body: Buffer
}

export class Pages {
  readonly #watch: Page | null
  #told: { readonly key: string; readonly page: Page } | null = null
  readonly #assets: ReadonlyMap<string, Page>

  /** `folder` null or unreadable: no pages, everything else works. */
  constructor(folder: string | null, log: Log) {
    const assets = new Map<string, Page>()
    this.#assets = assets
    this.#watch = folder === null ? null : readWatchPage(folder, log)
    if (folder === null || this.#watch === null) return
    try {
      readAssets(join(folder, ASSETS_FOLDER), `/${ASSETS_FOLDER}`, assets)
    } catch (error) {
      log.warn('watch-assets-unreadable', { folder, problem: messageOf(error) })
    }
  }

  /** With the edges that are entry hosts; made once for each list of them. */
  watch(edges: WatchTable['pathways']): Page | null {
    if (this.#watch === null) return null
    const key = edges.map(({ id, url }) => `${id} ${url}`).join()
    if (this.#told?.key !== key) {
      const body = Buffer.from(watchPageWith(this.#watch.body.toString('utf8'), edges))
      this.#told = { key, page: { ...this.#watch, body } }
    }
    return this.#told.page
  }

  asset(path: string): Page | null {
    return this.#assets.get(path) ?? null
  }
}

function readWatchPage(folder: string, log: Log): Page | null {
  try {
    const body = readFileSync(join(folder, 'watch.html'))
    return {
      body,
      fields: {
        'Content-Type': 'text/html; charset=utf-8',
        'Cache-Control': 'no-cache',
        'Content-Security-Policy': CONTENT_SECURITY_POLICY,
        'X-Content-Type-Options': 'nosniff',
        'Referrer-Policy': 'same-origin',
      },
    }
  } catch (error) {
    log.warn('watch-page-unreadable', { folder, problem: messageOf(error) })
    return null
  }
}

function readAssets(folder: string, path: string, assets: Map<string, Page>): void {
  let bytes = 0
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || assets.size >= FILES_MAX) continue
    const file = join(entry.parentPath, entry.name)
    bytes += statSync(file).size
    if (bytes > BYTES_MAX) return
    assets.set(`${path}${file.slice(folder.length)}`, assetOf(file, entry.name))
  }
}

function assetOf(file: string, name: string): Page {
  // Vite puts a hash into the name of everything that it builds: `main-B5k2xQ9a.js`.
  const hashed = /-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$/.test(name)
  return {
    body: readFileSync(file),
    fields: {
      'Content-Type': types[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream',
      'Cache-Control': hashed ? 'public, max-age=31536000, immutable' : 'no-cache',
      'X-Content-Type-Options': 'nosniff',
      'Access-Control-Allow-Origin': '*',
    },
  }
}
