/**
 * Runs the built app without Electron's binary: `node chromium/run.mjs [--headless] --data DIR`.
 * The module `electron` becomes electron.ts; everything else is the same bundle.
 */
import { existsSync } from 'node:fs'
import * as module from 'node:module'
import { fileURLToPath } from 'node:url'

const entry = new URL('../out/main/index.js', import.meta.url)
const electron = new URL('electron.ts', import.meta.url).href

const giveUp = (problem) => {
  process.stderr.write(`farthing: ${problem}\n`)
  process.exit(3)
}
if (Number(process.versions.node.split('.')[0]) < 24)
  giveUp(`this needs Node 24, not ${process.versions.node}: start it with npm run, or with node_modules/.bin/node`)
if (!existsSync(entry)) giveUp('the app is not built yet: npm run build')

module.registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'electron' ? { url: electron, shortCircuit: true } : next(specifier, context),
})
process.argv[1] = fileURLToPath(entry)
await import(entry.href)
