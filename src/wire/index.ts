// The door of wire: every message between roles, and nothing that does anything.
export * from './api.ts'
export * from './channel.ts'
export * from './enrol.ts'
export * from './names.ts'
export * from './share.ts'
export * from './supervisor.ts'
export * from './version.ts'
export * from './wall.ts'
