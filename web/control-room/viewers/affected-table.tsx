// Owns the list of affected viewers: who, what of, when, how much was lost, and what says so.
import type { ReactNode } from 'react'
import type { AffectedViewer } from '#wire'
import { Link } from '../parts/link.tsx'
import { Moment } from '../parts/moment.tsx'
import { duration } from '../time-format.ts'
import { shortSid } from './viewer-words.ts'

export function AffectedTable({ viewers }: { readonly viewers: readonly AffectedViewer[] }): ReactNode {
  return (
    <section className="panel table-panel sessions-table affected-table" aria-label="Affected viewers">
      <table>
        <thead>
          <tr>
            <th scope="col">Viewer</th>
            <th scope="col">Title</th>
            <th scope="col">At</th>
            <th scope="col" className="number">
              Viewing time
            </th>
            <th scope="col" className="number">
              Lost
            </th>
            <th scope="col">Edge</th>
            <th scope="col">Evidence</th>
          </tr>
        </thead>
        <tbody>
          {viewers.map(viewer => (
            <Row key={`${viewer.sid} ${viewer.estimated}`} viewer={viewer} />
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Row({ viewer }: { readonly viewer: AffectedViewer }): ReactNode {
  const { viewerRef, viewerRefIs, sid, title, at, wantedS, lostS, couldNotStart, edge, estimated } = viewer
  return (
    <tr>
      <th scope="row">
        <Link href={`/sessions/${encodeURIComponent(sid)}`} title={viewerRef ?? sid}>
          {shortSid(viewerRef ?? sid)}
        </Link>
        <small>{viewerRef === null ? 'session, no reference' : `reference, ${viewerRefIs}`}</small>
      </th>
      <td data-label="Title">{title ?? 'not known'}</td>
      <td data-label="At">
        <Moment at={at} />
      </td>
      <td className="number" data-label="Viewing time">
        {duration(wantedS * 1000)}
      </td>
      <td className="number" data-label="Lost" data-lost={lostS > 0}>
        {lostS > 0 ? `${lostS.toFixed(1)} s` : 'none'}
        {couldNotStart ? <small>could not start</small> : null}
      </td>
      <td data-label="Edge">{edge ?? 'not known'}</td>
      <td data-label="Evidence" className="affected-evidence">
        {viewer.evidence === '' ? 'not judged yet' : viewer.evidence}
        {estimated ? <small>estimated</small> : null}
      </td>
    </tr>
  )
}
