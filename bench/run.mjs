// `npm run bench -- NAME`: runs bench/NAME.ts, whose exit status says whether its limit held.
import { readdirSync } from 'node:fs'

const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -3))
const [name] = process.argv.slice(2)

if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error(`The benches need Node 24 and this is ${process.version}: run them as \`npm run bench -- NAME\`.`)
  process.exitCode = 2
} else if (name === undefined || !names.includes(name)) {
  console.error(`Which bench? npm run bench -- ${names.join(' | ')}`)
  process.exitCode = 2
} else await import(`./${name}.ts`)
