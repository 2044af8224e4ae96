// Owns a real load for rehearsals: one process of the server's group that does nothing but burn CPU.
// It dies with the supervisor, and with the leader whose group it joined.
import { dieWithParent, isAlive, joinProcessGroup } from '#base'

const SIGKILL = 9
const BURN_MS = 200 // between two looks at the leader

dieWithParent(SIGKILL)
const leader = Number(process.argv[2])
if (process.ppid !== Number(process.argv[3]) || !joinProcessGroup(leader)) process.exit(1)

const burn = (): void => {
  if (!isAlive(leader)) process.exit(0)
  const end = performance.now() + BURN_MS
  while (performance.now() < end);
  setImmediate(burn)
}
burn()
