// Owns how the player library is built: one file without dependencies, beside what edges serve of the player page.
import { defaultClientConditions, defineConfig } from 'vite'

export default defineConfig({
  root: import.meta.dirname,
  resolve: { conditions: ['source', ...defaultClientConditions] },
  publicDir: false,
  build: {
    outDir: '../dist/web/watch-assets',
    emptyOutDir: false,
    target: 'es2022',
    lib: {
      entry: `${import.meta.dirname}/player/reports/index.ts`,
      formats: ['es'],
      fileName: () => 'player.js',
    },
  },
})
