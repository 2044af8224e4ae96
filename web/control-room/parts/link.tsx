// Owns links inside the control room: each carries the zone of times, and the moment that is looked back at.
import type { ComponentProps, ReactNode } from 'react'
import { useSearchParams, Link as WouterLink } from 'wouter'
import { readAt, withMoment } from '../past/at.ts'
import { useSettings } from '../settings.tsx'

export interface LinkProps extends Omit<ComponentProps<'a'>, 'href'> {
  readonly href: string
}

export function Link({ href, ...rest }: LinkProps): ReactNode {
  const { zone } = useSettings()
  const [search] = useSearchParams()
  return <WouterLink {...rest} href={withMoment(href, zone, readAt(search))} />
}
