// Owns the head of the pages about viewers: the page's name, and the way to the other two.
import type { ReactNode } from 'react'
import { useLocation } from 'wouter'
import { Link } from '../parts/link.tsx'

const TABS = [
  { path: '/viewers', name: 'Now' },
  { path: '/experience', name: 'Experience' },
  { path: '/affected', name: 'Affected' },
  { path: '/sessions', name: 'Sessions' },
] as const

export function ViewerHead({
  title,
  children,
}: {
  readonly title: string
  readonly children?: ReactNode
}): ReactNode {
  const [path] = useLocation()
  return (
    <header className="page-head viewer-head">
      <h1>{title}</h1>
      {children}
      <nav className="viewer-tabs" aria-label="Viewers">
        {TABS.map(tab => (
          <Link key={tab.path} href={tab.path} aria-current={path === tab.path ? 'page' : undefined}>
            {tab.name}
          </Link>
        ))}
      </nav>
    </header>
  )
}
