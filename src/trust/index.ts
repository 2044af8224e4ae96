// The door of trust: the private authority, join strings, a server's identity, and how servers know each other.
export { type Authority, openAuthority } from './authority.ts'
export { type Trust, tlsClient } from './client.ts'
export { trustFaults } from './faults.ts'
export { enrol, type Identity, readIdentity, type Wish } from './identity.ts'
export { type JoinString, readJoinString, writeJoinString } from './join-string.ts'
export { dnsName, PRIVATE_SUFFIX, type PrivateName } from './names.ts'
export { isDue, renew, startRenewal } from './renewal.ts'
export { validityOf } from './x509.ts'
