// Owns the start of the control room's pages: the client, the cache of answers, the settings, the routes.
import './api/zod-settings.ts'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { ControlRoomClient } from './api/client.ts'
import { ClientContext } from './api/use-control-room.tsx'
import { App } from './app.tsx'
import { reloadForNewBuild } from './parts/new-build.ts'
import { SettingsProvider } from './settings.tsx'
import './control-room.css'

const queries = new QueryClient({
  // The pages ask again by themselves, and they must work where the browser believes to be offline (loopback).
  defaultOptions: { queries: { retry: false, networkMode: 'always', refetchOnWindowFocus: true } },
})

const client = new ControlRoomClient(() => {
  // Nobody is signed in there yet, and a wrong code is said by the page itself.
  if (['/sign-in', '/welcome', '/recover'].includes(location.pathname)) return
  const back = `${location.pathname}${location.search}`
  location.assign(back === '/' ? '/sign-in' : `/sign-in?back=${encodeURIComponent(back)}`)
}, screenLink())

/** A link to the wall carries its token behind the #, where no server sees it, and a reload finds it again. */
function screenLink(): string | null {
  return location.pathname === '/wall' ? new URLSearchParams(location.hash.slice(1)).get('link') : null
}

reloadForNewBuild(window)

const root = document.querySelector('#root')
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <ClientContext value={client}>
          <SettingsProvider>
            <App />
          </SettingsProvider>
        </ClientContext>
      </QueryClientProvider>
    </StrictMode>,
  )
}
