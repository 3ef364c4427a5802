// Who may import whom (docs/ARCHITECTURE.md). Fails with one line per import that breaks a rule.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

const allowed = {
  protocol: [],
  card: ['protocol'],
  db: ['protocol'],
  // The operators' page runs in a browser, and shares nothing with the server but the shapes that they exchange.
  'issuer/console-contract': ['protocol'],
  'issuer/console': ['issuer/console-contract', 'protocol'],
  // So does the page that checks tickets.
  'issuer/ticket-page': ['protocol'],
  issuer: ['issuer/console-contract', 'protocol'],
  main: ['protocol', 'db', 'preload'],
  preload: [],
  chromium: [],
  renderer: ['preload', 'protocol'],
  // The desk, where sticks are answered, is part of the command.
  simulate: ['protocol', 'card', 'db', 'main', 'issuer', 'cli'],
  // The command may use anything; its demonstration shares the end-to-end tests' means.
  cli: [
    'protocol',
    'card',
    'db',
    'main',
    'issuer',
    'issuer/console-contract',
    'preload',
    'chromium',
    'simulate',
    'e2e',
    'scripts',
  ],
}
/** Folders whose modules must also run where there is no Node. */
const withoutNode = ['protocol', 'renderer', 'issuer/console', 'issuer/console-contract', 'issuer/ticket-page']
/** Of preload, others may see only the contract; operator mode's part of it is a file of its own. */
const contract = ['preload/contract.ts', 'preload/operator-contract.ts']

/** The folder of rules that a file belongs to: the innermost. */
const folderOf = (file) =>
  Object.keys(allowed)
    .filter((folder) => file.startsWith(`${folder}/`))
    .toSorted((a, b) => b.length - a.length)[0] ?? file.split('/')[0]

const folders = Object.keys(allowed).filter((folder) => existsSync(folder))
const sources = folders.flatMap((folder) =>
  readdirSync(folder, { recursive: true })
    .map((file) => `${folder}/${file.replaceAll('\\', '/')}`)
    .filter((file) => folderOf(file) === folder)
    .filter((file) => /\.tsx?$/.test(file) && !/\.(test|d)\.tsx?$|\/test-[^/]*\.ts$/.test(file)),
)

const problems = []
for (const file of sources) {
  const folder = folderOf(file)
  const text = readFileSync(file, 'utf8')
  for (const [, specifier] of text.matchAll(/(?:from|import|import\()\s*'([^']+)'/g)) {
    if (specifier.startsWith('.')) {
      const target = path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier))
      const home = folderOf(target)
      if (home === folder) continue
      if (home === 'resources' || target === 'package.json') continue
      if (!allowed[folder].includes(home)) problems.push(`${file}: ${folder}/ may not import ${home}/ (${specifier})`)
      else if (home === 'preload' && folder !== 'cli' && !contract.includes(target))
        problems.push(`${file}: of preload/ only the contract may be imported (${specifier})`)
    } else {
      const node = specifier.startsWith('node:')
      if (node && withoutNode.includes(folder)) problems.push(`${file}: ${folder}/ runs without Node (${specifier})`)
      const electron = specifier === 'electron'
      // Each statement by itself: one `import type` does not excuse the next.
      const typeOnly = !/^(?:import|export)(?! type\b)[^']*'electron'/m.test(text)
      if (electron && folder !== 'main' && folder !== 'preload' && !(folder === 'chromium' && typeOnly))
        problems.push(`${file}: only main/ and preload/ may import electron`)
    }
  }
}
for (const problem of problems) console.error(problem)
console.log(
  problems.length === 0
    ? `imports: ${sources.length} modules keep the rules`
    : `imports: ${problems.length} broken rules`,
)
process.exitCode = problems.length === 0 ? 0 : 1
