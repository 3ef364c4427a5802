/** Serves the harness: `node_modules/.bin/vite -c renderer/dev/vite.config.ts`, then /dev/harness.html?screen=pay. */
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

export default defineConfig({
  root: 'renderer',
  publicDir: '../resources/goods',
  plugins: [react()],
  // The typefaces lie in node_modules, which may be a link to elsewhere. Nobody but this machine is served.
  server: { fs: { strict: false } },
  build: { rolldownOptions: { input: 'dev/harness.html' } },
})
