// Owns what a page does that is older than what its control room serves: a part of it that loads late is gone by then.

const KEY = 'vitrine-reloaded-at'
const AGAIN_MS = 30_000

/** Reloads when a part cannot be had, once in 30 s: a part that is truly missing must not reload for ever. */
export function reloadForNewBuild(
  page: Pick<Window, 'addEventListener' | 'sessionStorage' | 'location'>,
): void {
  page.addEventListener('vite:preloadError', event => {
    const last = Number(page.sessionStorage.getItem(KEY) ?? 0)
    const now = performance.timeOrigin + performance.now()
    if (now - last < AGAIN_MS) return // the error goes on, and the page says it
    page.sessionStorage.setItem(KEY, String(now))
    event.preventDefault()
    page.location.reload()
  })
}
