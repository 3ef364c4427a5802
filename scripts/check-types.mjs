// Type-checks every folder with its own tsconfig, so that a folder sees only the types it may use.
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'

const projects = [
  ...readdirSync('.', { recursive: false }),
  'issuer/console',
  'issuer/console-contract',
  'issuer/ticket-page',
]
  .filter((folder) => !folder.startsWith('.') && folder !== 'node_modules')
  .flatMap((folder) => {
    try {
      return readdirSync(folder)
        .filter((file) => /^tsconfig(\.\w+)?\.json$/.test(file))
        .map((file) => `${folder}/${file}`)
    } catch {
      return []
    }
  })

const check = (project) =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, ['node_modules/typescript/bin/tsc', '--pretty', 'false', '-p', project], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    child.on('close', (code) => resolve({ project, code, output }))
  })

let failed = 0
for (let i = 0; i < projects.length; i += 2) {
  for (const { project, code, output } of await Promise.all(projects.slice(i, i + 2).map(check))) {
    // A folder that holds no source yet is no error (TS18003).
    if (code === 0 || /error TS18003/.test(output)) continue
    failed += 1
    console.error(`${project}:\n${output}`)
  }
}
console.log(
  failed === 0 ? `types: ${projects.length} projects clean` : `types: ${failed} of ${projects.length} projects failed`,
)
process.exitCode = failed === 0 ? 0 : 1
