/** A kiosk that is missed holds nobody knows what: where there are no sales to go by, no sum is named, least of all 0. */
export const isRiskUnknown = (of: {
  readonly cause: string
  readonly atRiskMinor: number
  readonly state?: string
}): boolean => of.cause === 'notReported' && of.atRiskMinor === 0 && of.state !== 'closed'
