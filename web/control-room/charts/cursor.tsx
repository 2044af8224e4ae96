// Owns the one moment that the pointer is on, shared by all charts of a page and their legends.
import { createContext, useCallback, useContext, useSyncExternalStore } from 'react'

export class Cursor {
  readonly #listeners = new Set<() => void>()
  #timeS: number | null = null

  get timeS(): number | null {
    return this.#timeS
  }

  point(timeS: number | null): void {
    if (timeS === this.#timeS) return
    this.#timeS = timeS
    for (const listener of this.#listeners) listener()
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
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
