/** Builds the operators' page into out/console (`npm run build`), each page of it a file of its own. Run from the checkout's root. */
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

export default defineConfig({
  root: 'issuer/console',
  base: '/console/',
  plugins: [react()],
  build: {
    outDir: '../../out/console',
    emptyOutDir: true,
    // The page's policy loads fonts from its own files only, never from data: addresses.
    assetsInlineLimit: 0,
    // light-dark() stays as it is written.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
  },
})
