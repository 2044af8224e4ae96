// Owns what is said about a second admin and the recovery code: a banner until one of both exists, and a panel.
import { type ReactNode, useEffect } from 'react'
import { mayAct, recoveryMade } from '#wire'
import { useMe } from '../api/use-control-room.tsx'
import { ConfirmButton } from '../parts/confirm-button.tsx'
import { CopyField } from '../parts/copy-field.tsx'
import { Link } from '../parts/link.tsx'
import { Moment } from '../parts/moment.tsx'
import { Said, Waiting } from './lists.tsx'
import { useChange, useRecovery } from './use-people.ts'

/** A used code is told to every admin for this long. */
const LOUD_MS = 7 * 86_400_000

const ADMINS_KEY = 'vitrine-too-few-admins'

/** On every page, for admins alone. */
export function SafetyBanner(): ReactNode {
  const me = useMe()
  const isAdmin = me.data !== undefined && mayAct(me.data.role, 'admin')
  const { data } = useRecovery(isAdmin)
  useEffect(() => {
    if (data !== undefined) rememberAdmins(data.isSafe ? null : data.admins)
  }, [data])
  if (data === undefined) {
    // What this browser knew last stands at once, so that the page does not jump when it is known again.
    const admins = me.data === undefined || isAdmin ? rememberedAdmins() : null
    return admins === null ? null : <AloneBanner admins={admins} />
  }
  if (!isAdmin) return null
  const { isSafe, admins, usedAt, usedFor, now } = data
  return (
    <>
      {usedAt !== null && now - usedAt < LOUD_MS ? (
        <div className="banner" role="status">
          <strong>The recovery code was used</strong> at <Moment at={usedAt} />: it made the admin {usedFor}.
          If nobody knows why,{' '}
          <Link href={`/people?offboard=${encodeURIComponent(usedFor ?? '')}`}>offboard them</Link> and look
          at the <Link href="/audit">audit</Link>.
        </div>
      ) : null}
      {isSafe ? null : <AloneBanner admins={admins} />}
    </>
  )
}

function AloneBanner({ admins }: { readonly admins: number }): ReactNode {
  return (
    <div className="banner calm" role="status">
      <strong>
        {admins === 0 ? 'No admin has a name yet.' : 'There is one admin, and no way back without them.'}
      </strong>{' '}
      <Link href="/people">
        {admins === 0 ? 'Invite yourself as an admin' : 'Invite a second admin, or seal a recovery code'}
      </Link>
      .
    </div>
  )
}

/** Number of admins while they are too few; null when they are enough, or nothing is known. */
function rememberedAdmins(): number | null {
  try {
    const kept = localStorage.getItem(ADMINS_KEY)
    return kept === null ? null : Number(kept)
  } catch {
    return null // a browser that keeps nothing
  }
}

function rememberAdmins(admins: number | null): void {
  try {
    if (admins === null) localStorage.removeItem(ADMINS_KEY)
    else localStorage.setItem(ADMINS_KEY, String(admins))
  } catch {
    // Then the banner comes a moment later.
  }
}

export function RecoveryPanel(): ReactNode {
  const recovery = useRecovery(true)
  const make = useChange(client => client.post('/api/v1/recovery-code', {}, recoveryMade))
  const made = recovery.data?.codeMadeAt ?? null
  return (
    <section className="panel" aria-label="Recovery code">
      <header>
        <h2>Recovery code</h2>
        <p className="quiet">
          On paper, sealed. It makes one new admin, once, on the sign-in page, when no other is left.
        </p>
      </header>
      <Said error={make.error} />
      {make.data === undefined ? null : (
        <CopyField label="Write it down and seal it: it is shown only now" text={make.data.code} />
      )}
      {recovery.data === undefined ? (
        <Waiting error={recovery.error} what="the recovery code" />
      ) : (
        <div className="people-line">
          <p>
            {made === null ? (
              'There is none.'
            ) : (
              <>
                One works, made <Moment at={made} />.
              </>
            )}
          </p>
          {made === null ? (
            <button type="button" className="plain" onClick={() => make.mutate()}>
              Make a recovery code
            </button>
          ) : (
            <ConfirmButton
              verb="Make another"
              what="recovery code"
              warning="The one in the envelope becomes void."
              onConfirm={() => make.mutate()}
            />
          )}
        </div>
      )}
    </section>
  )
}
