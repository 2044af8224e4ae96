// The door of origin: the library of titles, the just-in-time packager, and the server in front of both.
export { originFaults } from './faults.ts'
export { publishCopy, publishInPlace } from './library/publish.ts'
export { type OriginOptions, type Running, startOrigin } from './start-origin.ts'
