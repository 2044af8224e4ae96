// Owns making a frozen copy of a graph: it says who will see it and for how long, before it is made.
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useState } from 'react'
import { shareMade } from '#wire'
import { useClient } from '../api/use-control-room.tsx'
import type { Sheet } from '../charts/chart-spec.ts'
import { CopyField } from '../parts/copy-field.tsx'
import { Link } from '../parts/link.tsx'
import { Moment } from '../parts/moment.tsx'
import { type Zone, zoneForLink } from '../time-format.ts'
import { snapshotOf } from './snapshot.ts'

const DAY_S = 86_400
const DAYS = [1, 7, 30, 90] as const
const DAYS_DEFAULT = 7

export function ShareForm({ sheet, zone }: { readonly sheet: Sheet; readonly zone: Zone }): ReactNode {
  const client = useClient()
  const [days, setDays] = useState<number>(DAYS_DEFAULT)
  const [title, setTitle] = useState(sheet.title)
  const make = useMutation({
    mutationFn: async () => {
      const snapshot = snapshotOf({ ...sheet, title: title.trim() || sheet.title }, zone)
      if (snapshot === null) throw new Error('Nothing is drawn that could be shared.')
      return client.post('/api/v1/shares', { snapshot, expiresInS: days * DAY_S }, shareMade)
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    make.mutate()
  }
  if (make.data !== undefined) {
    const [path = '', code = ''] = make.data.path.split('#')
    return (
      <>
        <CopyField
          label="The link to the frozen copy: it is shown only now"
          text={`${location.origin}${path}?tz=${zoneForLink(zone)}#${code}`}
        />
        <p className="quiet">
          It ends on <Moment at={make.data.expiresAt} />. <Link href="/links">All links</Link>, to revoke it.
        </p>
      </>
    )
  }
  return (
    <form className="link-form share-form" onSubmit={submit}>
      <p>
        Whoever has the link sees these charts as they are now, without a sign-in, and nothing else of the
        fleet.
      </p>
      <label>
        Title
        <input type="text" value={title} maxLength={256} onChange={event => setTitle(event.target.value)} />
      </label>
      <label>
        Ends after
        <select value={days} onChange={event => setDays(Number(event.target.value))}>
          {DAYS.map(count => (
            <option key={count} value={count}>
              {count === 1 ? '1 day' : `${count} days`}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" className="solid" disabled={make.isPending}>
        Make the link
      </button>
      {make.error === null ? null : (
        <p className="form-problem" role="alert">
          {make.error.message}
        </p>
      )}
    </form>
  )
}
