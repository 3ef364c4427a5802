/**
 * Builds main, preload and page into out/ (docs/ARCHITECTURE.md). The folders are at the top level, so that every
 * input is named here. Dependencies stay outside main's bundle: two of them are native modules.
 */
import { existsSync } from 'node:fs'
import path from 'node:path'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'electron-vite'

const at = (file: string) => path.join(import.meta.dirname, file)
const readerProcess = at('main/reader/pcsc-process.ts')

export default defineConfig({
  main: {
    build: {
      outDir: at('out/main'),
      rolldownOptions: {
        input: {
          index: at('main/index.ts'),
          ...(existsSync(readerProcess) ? { 'pcsc-process': readerProcess } : {}),
          'render-thread': at('main/printer/render-thread.ts'),
        },
        // Side by side: the card reader's process and the printer's thread are looked for beside the code that starts them.
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
      },
    },
  },
  preload: {
    build: {
      outDir: at('out/preload'),
      // A sandboxed preload can require nothing but Electron: one CommonJS file holds all of it.
      externalizeDeps: false,
      rolldownOptions: {
        input: { index: at('preload/index.ts') },
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: at('renderer'),
    plugins: [react()],
    build: {
      outDir: at('out/renderer'),
      minify: true,
      // The page's policy loads fonts and pictures from its own files only, never from data: addresses.
      assetsInlineLimit: 0,
      // The book reader is a page of its own, on a host of its own (main/app-scheme.ts).
      rolldownOptions: { input: { index: at('renderer/index.html'), book: at('renderer/book.html') } },
    },
  },
})
