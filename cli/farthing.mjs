#!/usr/bin/env node
// The command `farthing`. Plain JavaScript, so that an old Node says what is wrong instead of failing on the first type.
const [major] = process.versions.node.split('.').map(Number)
if (major < 24) {
  process.stderr.write(
    `farthing: this is Node ${process.versions.node}, and Farthing needs 24. In a checkout run "npm run setup", then "npm run -s farthing -- ...".\n`,
  )
  process.exitCode = 3
} else {
  const { main } = await import('./main.ts')
  await main(process.argv)
}
