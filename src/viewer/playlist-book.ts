// Owns media playlists that were read already: viewers of one title get the same bytes, and reading them once tells
// nothing less about an edge than reading them for each viewer. They are fetched by every viewer all the same.
import { createHash } from 'node:crypto'
import { type MediaPlaylist, readMedia } from '#media'

/** Renditions of some titles; the longest unused goes. */
const PLAYLISTS_MAX = 256

export class PlaylistBook {
  readonly #known = new Map<string, MediaPlaylist>()

  /** Throws the fault of the first bad line. */
  read(body: string): MediaPlaylist {
    const key = createHash('sha256').update(body).digest('base64')
    const playlist = this.#known.get(key) ?? readMedia(body)
    this.#known.delete(key)
    this.#known.set(key, playlist)
    const [oldest] = this.#known.keys()
    if (this.#known.size > PLAYLISTS_MAX && oldest !== undefined) this.#known.delete(oldest)
    return playlist
  }
}
