// Owns how servers learn that the authority's key changes, and what they tell of it.
import { z } from 'zod'

const pin = z.string().max(64)

/** To every server with a certificate of the private authority: after the welcome, and at each change. */
export const authorityMessage = z.object({
  type: z.literal('authority'),
  /** All that are believed, in PEM: two while the key is changed. */
  roots: z.array(z.string().max(8192)).min(1).max(2),
  /** Pin of the one that signs now: certificates of another are to be renewed. */
  issuer: pin,
})
export type AuthorityMessage = z.infer<typeof authorityMessage>

/** From a server, after each of these. */
export const authorityState = z.object({
  type: z.literal('authority-state'),
  roots: z.array(pin).max(2),
  issuer: pin.nullable(),
})
export type AuthorityState = z.infer<typeof authorityState>
