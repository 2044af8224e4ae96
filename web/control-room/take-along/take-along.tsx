// Owns the ways in which a graph leaves the page: a permanent link, a picture, its figures, and a frozen copy that
// needs no sign-in.
import { type ReactNode, useState } from 'react'
import { useClient, useMe } from '../api/use-control-room.tsx'
import { drawnCharts, type Sheet, spanMs } from '../charts/chart-spec.ts'
import { CopyField } from '../parts/copy-field.tsx'
import { useSettings } from '../settings.tsx'
import { isoTime, type Zone, zoneForLink, zoneName } from '../time-format.ts'
import { csvOf } from './csv.ts'
import { ShareForm } from './share-form.tsx'

type Open = 'link' | 'share' | null

export interface TakeAlongProps {
  /** As the page is now. */
  readonly sheet: () => Sheet
  /** A page that is a copy itself: there is nothing to link to and nothing to share. */
  readonly frozen?: boolean
}

export function TakeAlong({ sheet, frozen = false }: TakeAlongProps): ReactNode {
  const { zone } = useSettings()
  const { data: me } = useMe(!frozen)
  const client = useClient()
  const [open, setOpen] = useState<Open>(null)
  const [taken, setTaken] = useState<Sheet | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const take = (): Sheet | null => {
    const now = sheet()
    const some = now.grid !== null && drawnCharts(now).length > 0
    setProblem(some ? null : 'Nothing is drawn yet that could be taken along.')
    return some ? now : null
  }
  const show = (what: Open): void => {
    const now = what === open ? null : take()
    setTaken(now)
    setOpen(now === null ? null : what)
  }
  const save = async (kind: 'png' | 'csv'): Promise<void> => {
    const now = take()
    if (now === null) return
    const nowMs = client.clock.at(performance.now()) ?? 0
    const file = `vitrine-${now.name}-${isoTime(nowMs, 'utc').replaceAll(/[-:]|\.\d+/g, '')}.${kind}`
    if (kind === 'csv') download(new Blob([csvOf(now, zone)], { type: 'text/csv;charset=utf-8' }), file)
    else download(await (await import('./picture.ts')).pictureOf(now, zone), file)
  }
  const saving = (kind: 'png' | 'csv') => () => {
    save(kind).catch((thrown: unknown) =>
      setProblem(thrown instanceof Error ? thrown.message : 'That did not work.'),
    )
  }
  const mayShare = me !== undefined && me.role !== 'viewer'
  return (
    <>
      <div className="segments take-along" role="group" aria-label="Take this graph along">
        {frozen ? null : (
          <button
            type="button"
            aria-expanded={open === 'link'}
            title="A link to this window"
            onClick={() => show('link')}
          >
            Link
          </button>
        )}
        <button type="button" title="Save as a picture" onClick={saving('png')}>
          PNG
        </button>
        <button type="button" title="Save the figures" onClick={saving('csv')}>
          CSV
        </button>
        {mayShare ? (
          <button
            type="button"
            aria-expanded={open === 'share'}
            title="A frozen copy that needs no sign-in"
            onClick={() => show('share')}
          >
            Share
          </button>
        ) : null}
      </div>
      {problem === null ? null : (
        <p className="form-problem take-panel" role="alert">
          {problem}
        </p>
      )}
      {open === 'link' && taken !== null ? (
        <div className="take-panel">
          <CopyField
            label={`This window, for whoever may sign in; times in ${zoneName(zoneForLink(zone))}`}
            text={linkTo(taken, zone)}
          />
        </div>
      ) : null}
      {open === 'share' && taken !== null ? (
        <div className="take-panel">
          <ShareForm sheet={taken} zone={zone} />
        </div>
      ) : null}
    </>
  )
}

/** All of the page's state, with the window as it is now and the zone. */
function linkTo({ grid }: Sheet, zone: Zone): string {
  const url = new URL(location.href)
  url.hash = ''
  if (grid !== null) {
    const { fromMs, toMs } = spanMs(grid)
    url.searchParams.set('from', String(fromMs))
    url.searchParams.set('to', String(toMs))
  }
  url.searchParams.set('tz', zoneForLink(zone))
  return url.href.replaceAll('%2C', ',').replaceAll('%2F', '/')
}

function download(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The browser has taken the blob by the time of the next task.
  setTimeout(() => URL.revokeObjectURL(url))
}
