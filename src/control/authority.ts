// Owns the control room's own end of the private authority: its certificate, and the listener's share of it.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Closers, every, type FleetTime, type ListenOptions, writeFileAtomic } from '#base'
import { type Authority, isDue, openAuthority, PRIVATE_SUFFIX } from '#trust'
import type { ControlOptions } from './options.ts'

const LOOK_EVERY_MS = 3_600_000

export interface OwnAuthority {
  readonly authority: Authority | null
  /** What to listen with: with the private certificate beside the public one, where there is an authority. */
  readonly listen: ListenOptions
  readonly renewOwn: () => Promise<void>
}

/** Opens or makes the authority, and keeps the control room's own certificate fresh. */
export async function privateAuthority(
  options: ControlOptions,
  fleetTime: FleetTime,
  closers: Closers,
): Promise<OwnAuthority> {
  if (!options.privateTls)
    return { authority: null, listen: options.listen, renewOwn: () => Promise.resolve() }
  const folder = join(options.stateFolder, 'authority')
  const authority = await openAuthority(folder, fleetTime.nowMs)
  const file = join(folder, 'control.pem')
  const refresh = async (): Promise<void> => {
    const now = existsSync(file) ? readFileSync(file, 'utf8') : null
    // One that another authority signed is of no use: somebody moved the old key away.
    if (now?.includes(authority.certPem) === true && !isDue(now, fleetTime.nowMs())) return
    const { keyPem, certPem } = await authority.own()
    writeFileAtomic(file, `${keyPem}${certPem}`)
  }
  await refresh()
  const onError = (error: unknown): void => options.log.error('certificate-not-renewed', { error })
  closers.add(every(LOOK_EVERY_MS, refresh, onError))
  return {
    authority,
    renewOwn: refresh,
    listen: { ...options.listen, privateTls: { file, suffix: PRIVATE_SUFFIX } },
  }
}
