/** FARTHING_SOAK_MINUTES=N: the soak runs that long, and every list of faults is the whole one. */
export const soakMinutes = Number(process.env.FARTHING_SOAK_MINUTES ?? 0)
export const soaking = soakMinutes > 0
