// Owns which names and roles may be given. It refuses names that the audit uses for what is no person.
import { type UserRole, userRoles } from '#wire'
import { controlFaults } from '../faults.ts'

/** Stand in the audit for what is nobody: a person of that name could not be told apart. */
const RESERVED = new Set(['vitrine', 'control', 'server', 'wall', 'anonymous', 'everybody'])

/** Narrows a role that somebody typed. */
export function checkRole(role: string): UserRole {
  const known = userRoles.find(candidate => candidate === role)
  if (known !== undefined) return known
  const message = `role ${JSON.stringify(role.slice(0, 64))} does not exist; one of ${userRoles.join(', ')} is`
  throw controlFaults.fault('control-role-unknown', message)
}

export function checkUserName(name: string): void {
  if (!/^[A-Za-z0-9._@-]{1,64}$/.test(name)) {
    const message = `a user name of 1 to 64 letters, digits and . _ @ - is needed, not ${JSON.stringify(name.slice(0, 80))}`
    throw controlFaults.fault('control-user-name-invalid', message)
  }
  if (RESERVED.has(name.toLowerCase())) {
    const message = `${name} stands for a part of Vitrine in the audit; choose another name`
    throw controlFaults.fault('control-user-name-invalid', message)
  }
}
