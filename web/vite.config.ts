// Owns how the pages are built: two entries, hashed files, and no script inside a page (strict CSP).
// Whatever the player page needs lands in watch-assets/, because edges serve that folder and nothing else.
import react from '@vitejs/plugin-react'
import { defaultClientConditions, defineConfig } from 'vite'

/** The player page loads its own entry and the player, and of React, zod and charts nothing. */
const WATCH_PAGE = /(^|\/)(watch|player)(\.[a-z]+)?$/

function folderOf(name: string | undefined): string {
  return name !== undefined && WATCH_PAGE.test(name) ? 'watch-assets' : 'assets'
}

export default defineConfig({
  root: import.meta.dirname,
  base: '/',
  plugins: [react()],
  resolve: { conditions: ['source', ...defaultClientConditions] },
  server: { fs: { allow: ['..'] } },
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // data: URLs would need a wider CSP
    chunkSizeWarningLimit: 700, // hls.js alone is about 600 kB
    rolldownOptions: {
      input: { index: `${import.meta.dirname}/index.html`, watch: `${import.meta.dirname}/watch.html` },
      output: {
        entryFileNames: chunk => `${folderOf(chunk.name)}/[name]-[hash].js`,
        chunkFileNames: chunk => `${folderOf(chunk.name)}/[name]-[hash].js`,
        // With its settings, which have to be made before any schema, in whatever chunk that lands.
        codeSplitting: { groups: [{ name: 'zod', test: /node_modules[\\/]zod[\\/]|zod-settings/ }] },
        assetFileNames: asset => `${folderOf(asset.names[0])}/[name]-[hash][extname]`,
      },
    },
  },
})
