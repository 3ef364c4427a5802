/** `node faults/planted/main.ts [WORDS]`: plants every defect whose name holds the words, and prints who noticed. */
import { defects } from './defects.ts'
import { plant } from './plant.ts'

const words = process.argv.slice(2).join(' ')
const chosen = defects.filter(({ name }) => name.includes(words))
if (chosen.length === 0) {
  console.error(`No defect is named like "${words}".`)
  process.exit(2)
}
let missed = 0
for (const defect of chosen) {
  const { caught, says } = await plant(defect)
  if (!caught) missed += 1
  console.log(`${caught ? 'caught' : 'MISSED'}  ${defect.name} (${defect.caughtBy})\n        ${says}`)
}
console.log(`${chosen.length} planted, ${missed} missed`)
process.exitCode = missed === 0 ? 0 : 1
