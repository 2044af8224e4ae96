// The door of link: what edge, origin and agent share to talk to the control room.
export { AccessTable, hashToken, tokenOf } from './access-table.ts'
export { readHostId } from './host-id.ts'
export { type Link, type LinkOptions, startLink } from './link.ts'
