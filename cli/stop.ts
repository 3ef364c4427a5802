/** How a long-running command ends: once, on the first SIGTERM or SIGINT. */

/** Resolves when the process is asked to stop. */
export const onStop = (): Promise<void> =>
  new Promise((resolve) => {
    const stop = () => {
      process.off('SIGTERM', stop)
      process.off('SIGINT', stop)
      resolve()
    }
    process.on('SIGTERM', stop)
    process.on('SIGINT', stop)
  })
