// Owns the protocol version between roles and the rule for neighbours that are older or newer.

/** Of the messages between roles. A minor step adds optional fields; a major step breaks. */
export interface ProtocolVersion {
  readonly major: number
  readonly minor: number
}

export const PROTOCOL: ProtocolVersion = { major: 1, minor: 0 }

const MINOR_DISTANCE_MAX = 1 // a role works with a neighbour one minor version older or newer

/** HTTP header that carries the protocol version between roles, as `1.0`. */
export const PROTOCOL_HEADER = 'vitrine-protocol'

/** True when two roles may talk. */
export function speaks(ours: ProtocolVersion, theirs: ProtocolVersion): boolean {
  return ours.major === theirs.major && Math.abs(ours.minor - theirs.minor) <= MINOR_DISTANCE_MAX
}
