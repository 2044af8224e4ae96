// Owns the line to paste on the new machine: shown once, with its end, revocable until it is used.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useEffect } from 'react'
import { z } from 'zod'
import { joinStringAnswer } from '#wire'
import { useClient, useFleetNow } from '../api/use-control-room.tsx'
import { Loading, Problem } from '../parts/answers.tsx'
import { ConfirmButton } from '../parts/confirm-button.tsx'
import { CopyField } from '../parts/copy-field.tsx'
import { Moment, ZoneSwitch } from '../parts/moment.tsx'
import { duration } from '../time-format.ts'

const LOOK_EVERY_MS = 1_000

export interface LinePanelProps {
  readonly invite: string
  /** Null: the page was left since, and the line is shown only once. */
  readonly line: string | null
  readonly onJoined: (server: string) => void
  readonly onAnother: () => void
}

export function LinePanel({ invite, line, onJoined, onAnother }: LinePanelProps): ReactNode {
  const client = useClient()
  const cache = useQueryClient()
  const now = useFleetNow()
  const path = `/api/v1/join-strings/${encodeURIComponent(invite)}`
  const seen = useQuery({
    queryKey: ['join-string', invite],
    queryFn: async ({ signal }) => (await client.get(path, joinStringAnswer, signal)).joinString,
    refetchInterval: LOOK_EVERY_MS,
  })
  const revoke = useMutation({
    mutationFn: () => client.delete(path, z.unknown()),
    onSettled: () => cache.invalidateQueries({ queryKey: ['join-string', invite] }),
  })
  const usedBy = seen.data?.usedBy ?? null
  useEffect(() => {
    if (usedBy !== null) onJoined(usedBy)
  }, [usedBy, onJoined])
  if (seen.data === undefined) {
    return seen.error === null ? <Loading what="the line" /> : <Problem error={seen.error} what="The line" />
  }
  const { state, expiresAt, region } = seen.data
  if (state !== 'open') {
    return (
      <div className="line-body">
        <p>
          {state === 'used'
            ? `It was used by ${usedBy ?? ''}.`
            : state === 'revoked'
              ? 'This line was revoked: it makes no edge any more.'
              : 'This line has expired.'}
        </p>
        {state === 'used' ? null : (
          <button type="button" className="solid" onClick={onAnother}>
            Make another
          </button>
        )}
      </div>
    )
  }
  return (
    <div className="line-body">
      {line === null ? (
        <p>
          The line for {region ?? 'the new edge'} was shown once, when it was made. Paste it, or revoke it and
          make another.
        </p>
      ) : (
        <CopyField label="Paste this line on the new machine; it is shown only now" text={line} />
      )}
      <div className="line-end">
        <p className="quiet">
          Works once, until <Moment at={expiresAt} /> <ZoneSwitch />
          {now === null ? '' : `, for another ${duration(expiresAt - now)}`}.
        </p>
        <ConfirmButton
          verb="Revoke"
          what="the line"
          warning="No machine can join with it any more."
          onConfirm={() => revoke.mutate()}
        />
      </div>
      {revoke.error === null ? null : (
        <p className="form-problem" role="alert">
          {revoke.error.message}
        </p>
      )}
    </div>
  )
}
