/** Serves the harness: `node_modules/.bin/vite -c renderer/dev/vite.config.ts`, then /dev/harness.html?screen=pay. */
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

export default defineConfig({
  root: 'renderer',
  publicDir: '../resources/goods',
  plugins: [react()],
  build: { rolldownOptions: { input: 'dev/harness.html' } },
})
