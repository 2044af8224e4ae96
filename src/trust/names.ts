// Owns the names inside private certificates. They say who somebody is, not where: addresses may change.

/** Never in public DNS: `.internal` is reserved for private use (ICANN resolution 2024.07.29.06). */
const SUFFIX = 'vitrine.internal'
/** What our own clients ask for by SNI ends so. */
export const PRIVATE_SUFFIX: string = `.${SUFFIX}`

/** What a private certificate may prove: to be one server by id, or to hold a role. */
export type PrivateName = { readonly server: string } | { readonly role: 'control' | 'origin' }

export function dnsName(name: PrivateName): string {
  return 'server' in name ? `${name.server}.server.${SUFFIX}` : `${name.role}.role.${SUFFIX}`
}
