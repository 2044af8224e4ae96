// Owns which page stands behind which address.
import { lazy, type ReactNode, Suspense } from 'react'
import { Route, Switch, useLocation, useSearchParams } from 'wouter'
import { decoded, usePageTitle } from './page-title.ts'
import { AccountPage } from './pages/account-page.tsx'
import { AddEdgePage } from './pages/add-edge-page.tsx'
import { AffectedPage } from './pages/affected-page.tsx'
import { AlertsPage } from './pages/alerts-page.tsx'
import { AuditPage } from './pages/audit-page.tsx'
import { ClocksPage } from './pages/clocks-page.tsx'
import { DiffPage } from './pages/diff-page.tsx'
import { DrillsPage } from './pages/drills-page.tsx'
import { ExperiencePage } from './pages/experience-page.tsx'
import { FleetPage } from './pages/fleet-page.tsx'
import { IncidentPage } from './pages/incident-page.tsx'
import { IncidentsPage } from './pages/incidents-page.tsx'
import { LedgerPage } from './pages/ledger-page.tsx'
import { LinksPage } from './pages/links-page.tsx'
import { NotificationsPage } from './pages/notifications-page.tsx'
import { PeoplePage } from './pages/people-page.tsx'
import { ProbesPage } from './pages/probes-page.tsx'
import { RulesPage } from './pages/rules-page.tsx'
import { RunPage } from './pages/run-page.tsx'
import { RunbooksPage } from './pages/runbooks-page.tsx'
import { ServerPage } from './pages/server-page.tsx'
import { SharedPage } from './pages/shared-page.tsx'
import { SignInPage } from './pages/sign-in-page.tsx'
import { SilencesPage } from './pages/silences-page.tsx'
import { SteeringPage } from './pages/steering-page.tsx'
import { TitlesPage } from './pages/titles-page.tsx'
import { ViewerSessionPage } from './pages/viewer-session-page.tsx'
import { ViewerSessionsPage } from './pages/viewer-sessions-page.tsx'
import { ViewersPage } from './pages/viewers-page.tsx'
import { WallPage } from './pages/wall-page.tsx'
import { RecoverPage, WelcomePage } from './pages/welcome-page.tsx'
import { WhatIfPage } from './pages/what-if-page.tsx'
import { Empty, Loading } from './parts/answers.tsx'
import { Link } from './parts/link.tsx'
import { Shell } from './parts/shell.tsx'
import { AtPage } from './past/at-page.tsx'

/** With the editor behind it larger than all other pages: whoever looks at the fleet does not wait for it. */
const QueryPage = lazy(async () => ({ default: (await import('./pages/query-page.tsx')).QueryPage }))

/** Brings the editor along. */
const RuleEditPage = lazy(async () => ({
  default: (await import('./pages/rule-edit-page.tsx')).RuleEditPage,
}))

/** Brings the editor's frame along. */
const ComparePage = lazy(async () => ({ default: (await import('./pages/compare-page.tsx')).ComparePage }))

/** Pages that need nothing of their address. */
const PLAIN: readonly (readonly [path: string, page: () => ReactNode])[] = [
  ['/', FleetPage],
  ['/add-edge', AddEdgePage],
  ['/diff', DiffPage],
  ['/what-if', WhatIfPage],
  ['/people', PeoplePage],
  ['/account', AccountPage],
  ['/audit', AuditPage],
  ['/links', LinksPage],
  ['/viewers', ViewersPage],
  ['/experience', ExperiencePage],
  ['/sessions', ViewerSessionsPage],
  ['/affected', AffectedPage],
  ['/titles', TitlesPage],
  ['/steering', SteeringPage],
  ['/ledger', LedgerPage],
  ['/incidents', IncidentsPage],
  ['/silences', SilencesPage],
  ['/alerts', AlertsPage],
  ['/notifications', NotificationsPage],
  ['/rules', RulesPage],
  ['/runbooks', RunbooksPage],
  ['/drills', DrillsPage],
]

export function App(): ReactNode {
  const [search] = useSearchParams()
  const [path] = useLocation()
  usePageTitle(path)
  return (
    <Switch>
      <Route path="/sign-in">
        <SignInPage />
      </Route>
      <Route path="/welcome">
        <WelcomePage />
      </Route>
      <Route path="/recover">
        <RecoverPage />
      </Route>
      <Route path="/shared">
        <SharedPage />
      </Route>
      {search.has('kiosk') ? (
        <Route path="/wall">
          <WallPage />
        </Route>
      ) : null}
      <Route>
        <Shell>
          <Pages />
        </Shell>
      </Route>
    </Switch>
  )
}

/** Within the frame, for those who are signed in. */
function Pages(): ReactNode {
  return (
    <Switch>
      {PLAIN.map(([path, Page]) => (
        <Route key={path} path={path}>
          <Page />
        </Route>
      ))}
      <Route path="/servers/:id">
        {({ id }) => (
          <AtPage>
            <ServerPage key={id} id={id} />
          </AtPage>
        )}
      </Route>
      <Route path="/wall">
        <AtPage>
          <WallPage />
        </AtPage>
      </Route>
      <Route path="/clocks">
        <AtPage>
          <ClocksPage />
        </AtPage>
      </Route>
      <Route path="/compare">
        <Later>
          <ComparePage />
        </Later>
      </Route>
      <Route path="/probes">
        <AtPage>
          <ProbesPage />
        </AtPage>
      </Route>
      <Route path="/incidents/:id">{({ id }) => <IncidentPage key={id} id={id} />}</Route>
      <Route path="/sessions/:sid">{({ sid }) => <ViewerSessionPage key={sid} sid={decoded(sid)} />}</Route>
      <Route path="/rules/edit">
        <Later>
          <RuleEditPage />
        </Later>
      </Route>
      <Route path="/runs/:id">{({ id }) => <RunPage key={id} id={id} />}</Route>
      <Route path="/query">
        <Later>
          <QueryPage />
        </Later>
      </Route>
      <Route>
        <div className="page">
          <Empty title="There is no such page">
            <p>
              <Link href="/">To the fleet</Link>
            </p>
          </Empty>
        </div>
      </Route>
    </Switch>
  )
}

function Later({ children }: { readonly children: ReactNode }): ReactNode {
  return (
    <Suspense
      fallback={
        <div className="page">
          <Loading what="the page" />
        </div>
      }
    >
      {children}
    </Suspense>
  )
}
