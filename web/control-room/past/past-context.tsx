// Owns which moment the parts of a page are about: null is the present.
import { createContext, useContext } from 'react'

export const PastContext = createContext<number | null>(null)

/** Fleet time that the page is set to, ms; null: it is live. */
export function usePast(): number | null {
  return useContext(PastContext)
}
