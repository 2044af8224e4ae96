// Owns the one moment that all charts of a page, their legends and the panel beside them are about: under the pointer, or
// put there by keyboard or finger, or the moment that the page is set to.
import { createContext, useCallback, useContext, useSyncExternalStore } from 'react'

export class Cursor {
  readonly #listeners = new Set<() => void>()
  #pointedS: number | null = null
  #restS: number | null = null

  get timeS(): number | null {
    return this.#pointedS ?? this.#restS
  }

  /** Where it stays when nobody points; null: nowhere. */
  get restS(): number | null {
    return this.#restS
  }

  point(timeS: number | null): void {
    if (timeS === this.#pointedS) return
    this.#pointedS = timeS
    this.#tell()
  }

  /** By keyboard or finger: it stays there when the pointer leaves. */
  rest(timeS: number | null): void {
    if (timeS === this.#restS && this.#pointedS === null) return
    this.#restS = timeS
    this.#pointedS = null
    this.#tell()
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }
}

export const CursorContext = createContext<Cursor>(new Cursor())

export function useCursorTime(): number | null {
  const cursor = useContext(CursorContext)
  const subscribe = useCallback((listener: () => void) => cursor.subscribe(listener), [cursor])
  return useSyncExternalStore(
    subscribe,
    useCallback(() => cursor.timeS, [cursor]),
  )
}
