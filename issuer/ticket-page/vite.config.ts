/** Builds the ticket page into out/ticket-page (`npm run build`), under names that its worker knows. Run from the checkout's root. */
import { defineConfig } from 'vite'

export default defineConfig({
  root: 'issuer/ticket-page',
  // Wherever the issuer's public address has it.
  base: './',
  build: {
    outDir: '../../out/ticket-page',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: false,
    rollupOptions: { output: { entryFileNames: 'page.js', assetFileNames: 'page[extname]' } },
  },
})
